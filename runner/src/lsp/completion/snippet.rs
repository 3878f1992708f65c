//! The snippets of the language's schemas, written out as YAML.

use serde_json::Value;

/// The first snippet that a schema offers, by the key that it writes: what stands behind the key.
pub(super) fn of<'s>(schema: &'s Value, key: &str) -> Option<&'s Value> {
    let bodies = schema.get("defaultSnippets")?.as_array()?.iter().filter_map(|snippet| snippet.get("body"));
    bodies.into_iter().find(|body| body.get(key).is_some())
}

/// A body on lines of its own; the first line has no indentation.
pub(super) fn block(body: &Value) -> String {
    let mut text = String::new();
    write(body, 0, &mut text);
    text
}

/// A body on one line, without the brackets around it.
pub(super) fn line(body: &Value) -> String {
    match body {
        Value::Object(map) => map.iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect::<Vec<_>>().join(", "),
        other => flow(other),
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(_) => format!("{{ {} }}", line(value)),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn write(value: &Value, indent: usize, text: &mut String) {
    let margin = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    text.push('\n');
                    text.push_str(&margin);
                }
                text.push_str(key);
                text.push(':');
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        text.push('\n');
                        text.push_str(&" ".repeat(indent + 2));
                        write(value, indent + 2, text);
                    }
                    plain => {
                        text.push(' ');
                        text.push_str(&flow(plain));
                    }
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push('\n');
                    text.push_str(&margin);
                }
                text.push_str("- ");
                write(item, indent + 2, text);
            }
        }
        plain => text.push_str(&flow(plain)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bodies_as_yaml() {
        let body = json!({ "wait_for": { "event": "${1:name}" }, "within": "${2:1 day}", "then": [{ "send": "$3" }, "exit"] });
        assert_eq!(block(&body), "then:\n  - send: $3\n  - exit\nwait_for:\n  event: ${1:name}\nwithin: ${2:1 day}");
        assert_eq!(line(&json!({ "a": { "b": 1 } })), "a: { b: 1 }");
    }
}
