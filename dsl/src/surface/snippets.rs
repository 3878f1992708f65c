//! What editors write for somebody who begins a step, a trigger or a trait: the schemas' `defaultSnippets`, as VS Code and yaml-language-server know
//! them. `${1:word}` is a place to fill in.
//!
//! A body's keys are written in alphabetical order, as JSON keeps no other here; what is to be read in another order is one text.

use serde_json::{Value, json};

/// The form's name in the schema, what the snippet is called, and what it writes.
fn table() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("SendStep", "send a template", json!({ "send": "${1:template}" })),
        ("WaitStep", "wait for a while", json!({ "wait": "${1:1 day}" })),
        ("WaitForStep", "wait for an event", json!({ "wait_for": "{ event: ${1:event} }", "within": "${2:1 day}" })),
        (
            "BranchStep",
            "branch by a condition",
            json!({ "branch": ["{ when: { segment: ${1:segment} }, steps: [{ send: ${2:template} }] }", "{ steps: [${3:exit}] }"] }),
        ),
        (
            "ExperimentStep",
            "try variants",
            json!({
                "experiment": "${1:name}",
                "variants": {
                    "${2:one}": "{ weight: 50, steps: [{ send: ${4:template} }] }",
                    "${3:other}": "{ weight: 50, steps: [{ send: ${5:template} }] }",
                },
            }),
        ),
        (
            "RepeatStep",
            "repeat steps",
            json!({ "repeat": "{ times: ${1:3}, every: ${2:7 days}, steps: [{ send: ${3:template} }] }" }),
        ),
        ("SetStep", "set an attribute", json!({ "set": "{ contact.${1:attribute}: ${2:value} }" })),
        ("SubscribeStep", "subscribe to a topic", json!({ "subscribe": "${1:topic}" })),
        ("UnsubscribeStep", "unsubscribe from a topic", json!({ "unsubscribe": "${1:topic}" })),
        ("RecordStep", "record an event", json!({ "record": "${1:event}" })),
        ("CallStep", "call a web service", json!({ "call": "{ post: \"https://${1:host}/${2:path}\" }" })),
        ("StartStep", "start a workflow", json!({ "start": "${1:workflow}" })),
        ("ExitStep", "end the run", json!({ "exit": "${1:reason}" })),
        ("EventTrigger", "when an event arrives", json!({ "event": "${1:event}" })),
        ("SegmentTrigger", "when somebody enters a segment", json!({ "segment": "${1:segment}" })),
        ("ScheduleTrigger", "every week", json!({ "schedule": "\"${1:0 9 * * MON}\"", "time_zone": "${2:contact}" })),
        ("AtTrigger", "once", json!({ "at": "${1:2027-01-31T09:00}" })),
        ("DateTrigger", "every year", json!({ "at": "\"${2:09:00}\"", "date": "contact.${1:birthday}", "every": "year" })),
        ("ManualTrigger", "by hand", json!({ "manual": true })),
        ("CountTrait", "how often", json!({ "count": "${1:event}", "within": "${2:90 days}" })),
        ("LastTrait", "when last", json!({ "last": "${1:event}" })),
        ("TierTrait", "tiers of a number", json!({ "by": "contact.${1:attribute}", "tiers": "{ high: ${2:500}, low: 0 }" })),
    ]
}

/// Puts the snippets into a schema, at the forms that it has.
pub(crate) fn add(schema: &mut Value) {
    for (form, label, body) in table() {
        let snippets = json!([{ "label": label, "body": body }]);
        if let Some(form) = schema.get_mut("$defs").and_then(|forms| forms.get_mut(form)).and_then(Value::as_object_mut) {
            form.insert("defaultSnippets".to_owned(), snippets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with each place as it is proposed.
    fn filled(value: &Value) -> Value {
        let place = regex::Regex::new(r"\$\{\d+:([^}]*)\}").unwrap();
        let text = |text: &str| place.replace_all(text, "$1").into_owned();
        match value {
            Value::String(written) => serde_yaml::from_str(&text(written)).unwrap(),
            Value::Array(items) => items.iter().map(filled).collect(),
            Value::Object(map) => map.iter().map(|(key, value)| (text(key), filled(value))).collect(),
            other => other.clone(),
        }
    }

    /// What a snippet writes is what the schema takes.
    #[test]
    fn snippets_are_right() {
        let schema = crate::schema::workflow();
        for (form, label, body) in table() {
            assert!(schema["$defs"][form]["defaultSnippets"].is_array(), "there is no form {form}");
            let mut own = schema.clone();
            own["$ref"] = json!(format!("#/$defs/{form}"));
            for key in ["properties", "additionalProperties", "minProperties", "type"] {
                own.as_object_mut().unwrap().remove(key);
            }
            let value = filled(&body);
            let errors: Vec<String> =
                jsonschema::validator_for(&own).unwrap().iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{label}: {value} {errors:?}");
        }
    }
}
