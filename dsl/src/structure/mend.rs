//! Setting broken pieces of a document aside, so that the rest of it can be read.
//!
//! The smallest piece that can be spared goes. What its surroundings cannot do without, and every element of a list (its
//! neighbours' places would shift), is replaced by something harmless that no check has anything to say about.

use serde_json::{Map, Value, json};

/// What is to be done about a broken piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mend<'k> {
    /// A key that nobody knows: only removing it helps.
    Remove,
    /// A value that is wrong.
    Replace,
    /// A mapping without this key.
    Add(&'k str),
}

/// Sets the piece aside, or else the nearest piece around it that can be. Says whether anything has changed.
pub(super) fn mend(document: &mut Value, file: &str, pointer: &str, how: Mend<'_>) -> bool {
    if let Mend::Add(key) = how
        && let Some(value) = for_key(key, pointer.is_empty(), file)
        && let Some(map) = document.pointer_mut(pointer).and_then(Value::as_object_mut)
    {
        return map.insert(key.to_owned(), value).is_none();
    }
    let mut pointer = pointer;
    let mut how = how;
    while let Some((parent, segment)) = pointer.rsplit_once('/') {
        let key = segment.replace("~1", "/").replace("~0", "~");
        let changed = match document.pointer_mut(parent) {
            Some(Value::Object(map)) => in_mapping(map, &key, how != Mend::Remove, parent.is_empty(), file),
            Some(Value::Array(items)) => in_list(items, &key, parent),
            _ => false,
        };
        if changed {
            return true;
        }
        pointer = parent;
        how = Mend::Replace;
    }
    false
}

fn in_mapping(map: &mut Map<String, Value>, key: &str, replace: bool, root: bool, file: &str) -> bool {
    let Some(old) = map.get_mut(key) else {
        return false;
    };
    match for_key(key, root, file).filter(|new| replace && *new != *old) {
        Some(new) => *old = new,
        None => {
            map.remove(key);
        }
    }
    true
}

fn in_list(items: &mut [Value], index: &str, list: &str) -> bool {
    let item = index.parse::<usize>().ok().and_then(|index| items.get_mut(index));
    let Some(old) = item else { return false };
    match for_item(list, old) {
        Some(new) if *old != new => {
            *old = new;
            true
        }
        _ => false,
    }
}

/// What can stand for the value of a key that is needed, or whose absence would mean something else.
fn for_key(key: &str, root: bool, file: &str) -> Option<Value> {
    match key {
        "workflow" if root => Some(json!(unnamed(file))),
        "project" if root => Some(json!("unnamed")),
        "wait_for" | "when" => Some(condition()),
        "times" | "weight" | "at_most" => Some(json!(1)),
        "per" => Some(json!("1 day")),
        "experiment" => Some(json!("unnamed")),
        _ => None,
    }
}

/// What can stand for an element of a list.
fn for_item(list: &str, old: &Value) -> Option<Value> {
    let mut step = json!({ "wait": "1 hour" });
    // Other places may name the step.
    if let (Some(id), Some(step)) = (old.get("id").filter(|id| id.is_string()), step.as_object_mut()) {
        step.insert("id".to_owned(), id.clone());
    }
    match list.rsplit('/').next()? {
        "steps" | "then" | "otherwise" => Some(step),
        "all" | "any" | "none" => Some(condition()),
        "branch" => Some(json!({ "when": condition(), "steps": [step] })),
        "trigger" => Some(json!({ "manual": true })),
        "expect" => Some(json!({ "enter": true })),
        // An audience's own, on the file's top level, go as a whole: no event is harmless there.
        "events" if list == "/events" => None,
        "timeline" | "events" => Some(json!({ "at": "0m", "erase": true })),
        "frequency" => Some(json!({ "at_most": 1, "per": "1 day" })),
        _ => None,
    }
}

/// Something that can be asked anywhere.
fn condition() -> Value {
    json!({ "contact.id": { "matches": "" } })
}

/// A name that hardly another workflow has.
fn unnamed(file: &str) -> String {
    let words: Vec<&str> = file.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("unnamed-{}", words.join("-").to_ascii_lowercase())
}
