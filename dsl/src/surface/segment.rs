//! Shared segments as written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::condition::condition_keys;

/// A named group of contacts: a condition, with an optional description, or `{ list: true }` for a static one.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Segment(pub Map<String, Value>);

/// The keys of a segment that are no part of its condition.
pub(crate) const SEGMENT_KEYS: [&str; 3] = ["description", "list", "backfill"];

impl JsonSchema for Segment {
    fn schema_name() -> Cow<'static, str> {
        "Segment".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (mut properties, paths) = condition_keys(generator);
        properties.insert("description".to_owned(), json!({ "description": "What it is for, in words.", "type": "string" }));
        properties.insert(
            "list".to_owned(),
            json!({ "description": "A static segment, filled by import or API: it has no condition.", "const": true }),
        );
        properties.insert(
            "backfill".to_owned(),
            json!({ "description": "After an edit, fire `enter` also for those who already match.", "type": "boolean" }),
        );
        json_schema!({
            "description": "A named group of contacts: a condition, or `list: true` for a static one.",
            "type": "object",
            "properties": properties,
            "patternProperties": paths,
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}
