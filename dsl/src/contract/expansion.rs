//! How often a schema would look at one value: schemas that lead back to themselves, or that name each other twice and twice again, would look for
//! ever.

use std::collections::HashMap;

use serde_json::Value;

use super::schema::BadSchema;

/// How many schemas one value may be held against.
const MOST: usize = 10_000;
/// How many may lead to each other in a row.
const DEEPEST: usize = 64;

/// What is wrong with the schema in this, if anything is.
pub(super) fn fault(source: &Value) -> Option<BadSchema> {
    let mut anchors = HashMap::new();
    named(source, &mut anchors);
    let mut search = Search { source, anchors, known: HashMap::new() };
    let mut open = vec![(source, String::new())];
    while let Some((node, pointer)) = open.pop() {
        if let Err(words) = search.cost(node, 0) {
            return Some(BadSchema { pointer, words, help: None });
        }
        match node {
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(index, item)| (item, format!("{pointer}/{index}"))));
            }
            Value::Object(members) => open.extend(members.iter().map(|(key, member)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                (member, format!("{pointer}/{key}"))
            })),
            _ => {}
        }
    }
    None
}

/// The schemas that have an anchor.
fn named<'a>(node: &'a Value, anchors: &mut HashMap<&'a str, &'a Value>) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        for key in ["$anchor", "$dynamicAnchor"] {
            anchors.extend(node.get(key).and_then(Value::as_str).map(|name| (name, node)));
        }
        match node {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.values()),
            _ => {}
        }
    }
}

struct Search<'a> {
    source: &'a Value,
    anchors: HashMap<&'a str, &'a Value>,
    /// What is known of each schema; `None` while it is being looked at.
    known: HashMap<*const Value, Option<usize>>,
}

impl<'a> Search<'a> {
    /// How many schemas a value is held against by this one.
    fn cost(&mut self, node: &'a Value, depth: usize) -> Result<usize, String> {
        let Some(members) = node.as_object() else { return Ok(1) };
        match self.known.get(&std::ptr::from_ref(node)) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => return Err("this schema leads back to itself without going into the value".to_owned()),
            None if depth > DEEPEST => return Err(format!("more than {DEEPEST} schemas lead to each other in a row here")),
            None => {}
        }
        self.known.insert(node, None);
        let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| members.get(key)?.as_array()).flatten();
        let single = ["not", "if", "then", "else"].into_iter().filter_map(|key| members.get(key));
        let dependent = members.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(|map| map.values());
        let references = ["$ref", "$dynamicRef"].into_iter().filter_map(|key| self.target(members.get(key)?.as_str()?));
        let inner: Vec<&Value> = lists.chain(single).chain(dependent).chain(references).collect();
        let mut sum: usize = 1;
        for node in inner {
            sum = sum.saturating_add(self.cost(node, depth + 1)?);
        }
        if sum > MOST {
            return Err(format!("one value would be held against more than {MOST} schemas here"));
        }
        self.known.insert(node, Some(sum));
        Ok(sum)
    }

    /// Where a reference leads; `None`: nowhere, which is said elsewhere.
    fn target(&self, reference: &str) -> Option<&'a Value> {
        let name = reference.strip_prefix('#')?;
        self.source.pointer(name).or_else(|| self.anchors.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schemas_that_would_look_for_ever() {
        let check = |schema: Value, expected: Option<&str>| {
            let found = fault(&schema).map(|bad| bad.words);
            assert_eq!(found.is_some(), expected.is_some(), "{schema} {found:?}");
            assert!(expected.is_none_or(|words| found.as_ref().is_some_and(|found| found.contains(words))), "{found:?}");
        };
        check(json!({ "type": "object", "properties": { "a": { "$ref": "#" }, "anyOf": { "type": "string" } } }), None);
        check(json!({ "anyOf": [{ "$ref": "#" }] }), Some("back to itself"));
        check(json!({ "$defs": { "a": { "$anchor": "x", "not": { "$ref": "#x" } } } }), Some("back to itself"));
        let chain = |length: usize, each: usize| {
            let link = |index: usize| {
                let next = json!({ "$ref": format!("#/$defs/d{}", index + 1) });
                (format!("d{index}"), json!({ "anyOf": vec![next; each] }))
            };
            let mut all: serde_json::Map<String, Value> = (0..length).map(link).collect();
            all.insert(format!("d{length}"), json!({ "type": "string" }));
            json!({ "$defs": all, "properties": { "a": { "$ref": "#/$defs/d0" } } })
        };
        check(chain(20, 1), None);
        check(chain(40, 1), Some("in a row"));
        check(chain(8, 2), None);
        check(chain(20, 2), Some("held against"));
    }
}
