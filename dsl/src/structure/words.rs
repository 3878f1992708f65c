//! Places, values and types as words for people.

use serde_json::Value;

/// What a place is called: its key, or what it is an element of.
pub(super) fn label(pointer: &str) -> String {
    let mut segments = pointer.rsplit('/').map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    match segments.next() {
        Some(last) if last.is_empty() => "this file".to_owned(),
        Some(last) if last.chars().all(|c| c.is_ascii_digit()) => match segments.next() {
            Some(list) if !list.is_empty() => format!("an element of `{list}`"),
            _ => "an element of the list".to_owned(),
        },
        Some(last) => format!("`{last}`"),
        None => "this file".to_owned(),
    }
}

pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The JSON type's name in JSON Schema.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

pub(super) fn word_for(kind: &str) -> &'static str {
    match kind {
        "null" => "nothing",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "text",
        "array" => "a list",
        _ => "a mapping",
    }
}

/// The JSON types that a form is written in.
pub(super) fn types(schema: &Value) -> Vec<&'static str> {
    let known = |name: &str| match name {
        "integer" | "number" => "number",
        "string" => "string",
        "boolean" => "boolean",
        "array" => "array",
        "null" => "null",
        _ => "object",
    };
    match (schema.get("type"), schema.get("const"), schema.get("enum")) {
        (Some(Value::String(name)), ..) => vec![known(name)],
        (Some(Value::Array(names)), ..) => names.iter().filter_map(Value::as_str).map(known).collect(),
        (_, Some(constant), _) => vec![type_of(constant)],
        (_, _, Some(Value::Array(options))) => options.iter().take(1).map(type_of).collect(),
        _ => match schema.get("anyOf").and_then(Value::as_array) {
            Some(inner) => inner.iter().flat_map(types).collect(),
            None => vec!["object"],
        },
    }
}
