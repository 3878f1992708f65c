//! What of the contact a workflow's messages and steps print or ask for.

use std::collections::BTreeSet;

use dsl::model::Definition;
use handlebars::Template;
use serde_json::Value;

use super::Templates;
use super::reads::Reads;

/// The names of attributes and traits that stand in the workflow's messages and in the texts of its steps, all that can be told.
pub fn of_contact(definition: &Definition) -> BTreeSet<String> {
    let mut reads = Reads::default();
    if let Ok(templates) = Templates::compile(definition) {
        let variants = templates.messages.values().flat_map(|message| message.variants());
        for found in variants.map(|variant| &variant.reads).chain(templates.partial_reads.values()) {
            reads.paths.extend(found.paths.iter().chain(&found.shown).cloned());
        }
    }
    if let Ok(steps) = serde_json::to_value(&definition.workflow.steps) {
        texts(&steps, &mut reads);
    }
    let all = reads.paths.iter().chain(&reads.shown);
    // `{{#with contact}}`: what is inside is looked up in the contact.
    let within = reads.paths.contains(&["contact".to_owned()][..]);
    all.filter_map(|path| match path.as_slice() {
        [first, name, ..] if first == "contact" => Some(name.clone()),
        [name, ..] if within => Some(name.clone()),
        _ => None,
    })
    .collect()
}

fn texts(value: &Value, reads: &mut Reads) {
    match value {
        Value::String(text) if text.contains("{{") => {
            if let Ok(template) = Template::compile(text) {
                reads.template(&template);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, reads)),
        Value::Object(members) => members.values().for_each(|value| texts(value, reads)),
        _ => {}
    }
}
