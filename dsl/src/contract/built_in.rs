//! What is wrong with the fields that every contact has, whatever the project declares.

use serde_json::{Map, Value};

use super::{CONTACT_FIELDS, Fault};

pub(super) fn faults(attributes: &Map<String, Value>) -> Vec<Fault> {
    let mut wrong = Vec::new();
    let mut add = |field: &str, words: String| wrong.push(Fault::of(field, words));
    for field in CONTACT_FIELDS {
        match attributes.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::Array(topics)) if field == "topics" && topics.iter().all(Value::is_string) => {}
            Some(_) if field == "topics" => add(field, "`topics` must be a list of topic names".to_owned()),
            Some(Value::String(text)) if field == "email" && !looks_like_address(text) => {
                add(field, "`email` must be an email address".to_owned());
            }
            Some(Value::String(_)) => {}
            Some(_) => add(field, format!("`{field}` must be text")),
        }
    }
    wrong
}

/// Something before the last `@`, a domain after it, and nothing that has no place in an address (RFC 5321, section 4.1.2, without
/// quoted local parts; international addresses are let through).
pub(super) fn looks_like_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let clean = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;:\"@()[]\\".contains(c))
    };
    text.len() <= 254
        && clean(local)
        && clean(domain)
        && domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-'))
}
