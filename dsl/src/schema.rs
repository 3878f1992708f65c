//! The language's JSON Schemas (draft 2020-12), for editors, CI and the compiler itself, generated from the written forms.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::surface::journey::TestFile;
use crate::surface::{AudienceFile, SettingsFile, WorkflowFile, snippets};

/// The schema of a file under workflows/.
pub fn workflow() -> Value {
    generate::<WorkflowFile>("A campaignd workflow file")
}

/// The schema of campaignd.yaml.
pub fn settings() -> Value {
    generate::<SettingsFile>("The settings of a campaignd project")
}

/// The schema of a file of journey tests.
pub fn test() -> Value {
    generate::<TestFile>("A file of campaignd journey tests")
}

/// The schema of a synthetic audience.
pub fn audience() -> Value {
    generate::<AudienceFile>("A synthetic audience for campaignd simulate")
}

/// Every schema as a file's name and text, the way they are kept under schemas/.
pub fn all() -> Vec<(&'static str, String)> {
    [
        ("workflow.schema.json", workflow()),
        ("settings.schema.json", settings()),
        ("test.schema.json", test()),
        ("audience.schema.json", audience()),
    ]
    .into_iter()
    .map(|(name, schema)| (name, format!("{schema:#}\n")))
    .collect()
}

fn generate<T: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(Tidy));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), Value::from(title));
    let mut schema = schema.to_value();
    snippets::add(&mut schema);
    schema
}

/// An absent key is absent, not null; and Rust's number formats say nothing to an editor.
#[derive(Clone)]
struct Tidy;

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(forms)) = schema.get_mut("anyOf") {
            forms.retain(|form| form.get("type").is_none_or(|kind| kind != "null"));
            if let [Value::Object(only)] = forms.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    if schema.get(&key).is_none() {
                        schema.insert(key, value);
                    }
                }
            }
        }
        schema.remove("format");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_schemas_are_fresh() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
        for (name, text) in all() {
            let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(committed == text, "schemas/{name} is stale; run `cargo run -p dsl --example schemas`");
        }
    }

    #[test]
    fn schemas_are_valid_and_say_what_things_are_for() {
        for schema in [workflow(), settings(), test(), audience()] {
            jsonschema::draft202012::meta::validate(&schema).unwrap();
            let properties = schema["properties"].as_object().unwrap();
            for (key, property) in properties {
                assert!(property.get("description").is_some(), "{key} has no description");
            }
        }
    }
}
