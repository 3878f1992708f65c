//! The language's schemas, as an editor asks them: what may stand at a place, and what it is for.

use std::sync::OnceLock;

use dsl::index::Form;
use serde_json::{Map, Value};

use super::cursor::{Segment, Siblings};

/// How many references are followed from one place.
const MAX_REFERENCES: usize = 16;

/// The schema of a kind of file.
pub fn schema(form: Form) -> &'static Value {
    static SCHEMAS: OnceLock<[Value; 4]> = OnceLock::new();
    let made = || [dsl::schema::workflow(), dsl::schema::settings(), dsl::schema::test(), dsl::schema::audience()];
    let [workflow, settings, test, audience] = SCHEMAS.get_or_init(made);
    match form {
        Form::Workflow => workflow,
        Form::Settings => settings,
        Form::Test => test,
        Form::Audience => audience,
    }
}

/// What may stand at one place: the forms that fit what is around it.
pub struct Shape<'s> {
    root: &'s Value,
    /// Without references and alternatives.
    forms: Vec<&'s Value>,
    /// What the place itself is for, where the schema says so beside the reference.
    description: Option<&'s str>,
    /// What the place itself is written like, where the schema shows it beside the reference.
    examples: Option<&'s Vec<Value>>,
}

/// A key that may be written.
pub struct Key<'s> {
    pub name: &'s str,
    pub schema: &'s Value,
    /// The form that it belongs to.
    pub form: &'s Value,
}

impl<'s> Shape<'s> {
    /// The place that the path leads to; `siblings` are what is written in each mapping on the way.
    pub fn at(form: Form, path: &[Segment], siblings: &[Siblings]) -> Shape<'s> {
        let root = schema(form);
        let mut shape = Shape::of(root, root);
        for (index, segment) in path.iter().enumerate() {
            shape = match segment {
                Segment::Item => shape.items(),
                Segment::Key(key) => shape.under(key, siblings.get(index).map(Vec::as_slice).unwrap_or_default()),
            };
        }
        shape
    }

    fn of(root: &'s Value, node: &'s Value) -> Shape<'s> {
        let mut forms = Vec::new();
        flatten(root, node, 0, &mut forms);
        Shape {
            root,
            forms,
            description: node.get("description").and_then(Value::as_str),
            examples: node.get("examples").and_then(Value::as_array),
        }
    }

    fn join(root: &'s Value, parts: Vec<&'s Value>) -> Shape<'s> {
        let mut whole = Shape { root, forms: Vec::new(), description: None, examples: None };
        for part in parts {
            let shape = Shape::of(root, part);
            whole.forms.extend(shape.forms);
            whole.description = whole.description.or(shape.description);
            whole.examples = whole.examples.or(shape.examples);
        }
        whole
    }

    fn items(&self) -> Shape<'s> {
        Shape::join(self.root, self.forms.iter().filter_map(|form| form.get("items")).collect())
    }

    fn under(&self, key: &str, siblings: &[(String, String)]) -> Shape<'s> {
        let child = |form: &&'s Value| {
            let own = properties(form).and_then(|properties| properties.get(key));
            own.or_else(|| pattern(form, key)).or_else(|| form.get("additionalProperties").filter(|more| more.is_object()))
        };
        Shape::join(self.root, self.fitting(siblings).iter().filter_map(child).collect())
    }

    /// The mappings among the forms that have the verb that is written; all of them, where there is none.
    fn fitting(&self, siblings: &[(String, String)]) -> Vec<&'s Value> {
        let mappings: Vec<&'s Value> = self.forms.iter().copied().filter(|form| is_mapping(form)).collect();
        let written = |form: &&&'s Value| siblings.iter().any(|(key, _)| verb(form) == Some(key.as_str()));
        let chosen: Vec<&'s Value> = mappings.iter().filter(written).copied().collect();
        if chosen.is_empty() { mappings } else { chosen }
    }

    /// The keys that may be added to those that are written. Where the form is still open: each form's verb.
    pub fn keys(&self, siblings: &[(String, String)]) -> Vec<Key<'s>> {
        let fitting = self.fitting(siblings);
        let open =
            fitting.len() > 1 && !fitting.iter().any(|form| siblings.iter().any(|(key, _)| verb(form) == Some(key.as_str())));
        let mut keys: Vec<Key<'s>> = Vec::new();
        for form in fitting {
            for (name, schema) in properties(form).into_iter().flatten() {
                let wanted = !open || verb(form).is_none_or(|verb| verb == name.as_str());
                let written = siblings.iter().any(|(key, _)| key == name) || keys.iter().any(|key| key.name == name);
                if wanted && !written {
                    keys.push(Key { name, schema, form });
                }
            }
        }
        keys
    }

    /// The fixed values that may stand here, with what they are for.
    pub fn values(&self) -> Vec<String> {
        let mut values = Vec::new();
        for form in &self.forms {
            let fixed = form.get("const").into_iter().chain(form.get("enum").and_then(Value::as_array).into_iter().flatten());
            let mut found: Vec<String> = fixed.map(text).collect();
            if form.get("type").and_then(Value::as_str) == Some("boolean") && found.is_empty() {
                found.extend(["true".to_owned(), "false".to_owned()]);
            }
            for value in found {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        values
    }

    /// What is written here in documents that show how.
    pub fn examples(&self) -> Vec<String> {
        let inside = self.forms.iter().filter_map(|form| form.get("examples")?.as_array());
        let mut examples: Vec<String> = Vec::new();
        for example in
            self.examples.into_iter().chain(inside).flatten().filter(|example| !example.is_object() && !example.is_array())
        {
            let example = text(example);
            if !examples.contains(&example) {
                examples.push(example);
            }
        }
        examples
    }

    /// What the place is for.
    pub fn description(&self) -> Option<&'s str> {
        self.description.or_else(|| self.forms.iter().find_map(|form| form.get("description")?.as_str()))
    }

    /// What a key of the mapping here is for.
    pub fn describe(&self, key: &str, siblings: &[(String, String)]) -> Option<&'s str> {
        self.under(key, siblings).description()
    }

    /// Whether a list may stand here.
    pub fn is_list(&self) -> bool {
        self.forms.iter().any(|form| form.get("items").is_some())
    }

    /// Whether a mapping may stand here.
    pub fn is_mapping(&self) -> bool {
        self.forms.iter().any(|form| is_mapping(form))
    }

    /// Whether a plain value may stand here.
    pub fn is_plain(&self) -> bool {
        self.forms.iter().any(|form| !is_mapping(form) && form.get("items").is_none())
    }
}

fn is_mapping(form: &Value) -> bool {
    form.get("properties").is_some() || form.get("type").and_then(Value::as_str) == Some("object")
}

fn properties(form: &Value) -> Option<&Map<String, Value>> {
    form.get("properties")?.as_object()
}

/// The schema of a key that is a path.
fn pattern<'s>(form: &'s Value, key: &str) -> Option<&'s Value> {
    let is_path = ["contact.", "event.", "vars."].iter().any(|root| key.starts_with(root));
    form.get("patternProperties")?.as_object()?.values().next().filter(|_| is_path)
}

/// The key that makes a mapping this form and no other.
fn verb(form: &Value) -> Option<&str> {
    form.get("required")?.as_array()?.first()?.as_str()
}

/// Follows references and takes alternatives apart.
fn flatten<'s>(root: &'s Value, node: &'s Value, depth: usize, forms: &mut Vec<&'s Value>) {
    if depth > MAX_REFERENCES {
        return;
    }
    if let Some(target) = node.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(to.strip_prefix('#')?)) {
        return flatten(root, target, depth + 1, forms);
    }
    // An `anyOf` beside properties only says more about this one form.
    let alternatives =
        ["anyOf", "oneOf"].iter().find_map(|key| node.get(key)?.as_array()).filter(|_| node.get("properties").is_none());
    match alternatives {
        Some(alternatives) => alternatives.iter().for_each(|form| flatten(root, form, depth + 1, forms)),
        None => forms.push(node),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(path: &str, beside: &[&str]) -> Shape<'static> {
        let path: Vec<Segment> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(|part| if part == "-" { Segment::Item } else { Segment::Key(part.to_owned()) })
            .collect();
        let around: Siblings = beside.iter().map(|key| ((*key).to_owned(), String::new())).collect();
        let siblings = vec![around; path.len()];
        Shape::at(Form::Workflow, &path, &siblings)
    }

    #[track_caller]
    fn check(path: &str, beside: &[&str], expected: &[&str]) {
        let around: Siblings = beside.iter().map(|key| ((*key).to_owned(), String::new())).collect();
        let shape = shape(path, &[]);
        let keys: Vec<&str> = shape.keys(&around).into_iter().map(|key| key.name).collect();
        let missing: Vec<&&str> = expected.iter().filter(|key| !keys.contains(*key)).collect();
        assert!(missing.is_empty(), "{path}: {missing:?} not in {keys:?}");
        if let [only] = expected {
            assert_eq!(keys, [*only]);
        }
    }

    #[test]
    fn keys_that_may_be_written() {
        let verbs = [
            "send",
            "wait",
            "wait_for",
            "branch",
            "experiment",
            "repeat",
            "set",
            "subscribe",
            "unsubscribe",
            "record",
            "call",
            "start",
            "exit",
        ];
        check("steps/-", &[], &verbs);
        check("steps/-/then/-", &[], &verbs);
        check("steps/-", &["send"], &["with", "channel", "topic", "window"]);
        check("steps/-", &["exit"], &["id"]);
        check("trigger", &[], &["event", "segment", "schedule", "at", "date", "manual"]);
        check("trigger/-", &["event"], &["where", "key"]);
        check("audience", &[], &["all", "event", "segment", "topic"]);
        check("", &["workflow"], &["trigger", "steps", "goal"]);
        check("traits/x", &[], &["sum", "count", "rank", "score"]);
    }

    #[test]
    fn values_and_descriptions() {
        assert_eq!(shape("status", &[]).values(), ["live", "draft", "paused", "closed"]);
        assert_eq!(shape("steps/-/winner/metric", &[]).values(), ["clicked", "opened", "goal"]);
        assert_eq!(shape("steps/-/transactional", &["send"]).values(), ["true", "false"]);
        assert!(shape("steps/-", &[]).values().contains(&"exit".to_owned()));
        assert!(shape("", &[]).describe("goal", &[]).is_some_and(|text| text.contains("bring about")));
        assert!(shape("audience/contact.country", &[]).is_mapping());
        assert!(shape("nothing/at/all", &[]).values().is_empty());
    }
}
