//! Conditions as written: a mapping whose keys are paths, words that combine, and short ways to ask. Read by the lowering,
//! as half of its keys are names of the user's own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MapOr, OneOrMany, Scalar};

/// A question about one contact. All the keys must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Condition(pub Map<String, Value>);

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (properties, paths) = condition_keys(generator);
        json_schema!({
            "description": "A question about one contact. All the keys must hold.",
            "type": "object",
            "properties": properties,
            "patternProperties": paths,
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}

/// The keys of a condition: the fixed ones, and the pattern of the paths with what may stand there.
pub(super) fn condition_keys(generator: &mut SchemaGenerator) -> (Map<String, Value>, Value) {
    let one = generator.subschema_for::<Condition>().to_value();
    let test = generator.subschema_for::<MapOr<Predicates, OneOrMany<Scalar>>>();
    let number = generator.subschema_for::<MapOr<NumberPredicates, u32>>().to_value();
    let aggregate = generator.subschema_for::<Aggregate>().to_value();
    let many = json!({ "type": "array", "items": one, "minItems": 1 });
    let with = |schema: &Value, description: &str| {
        let mut schema = schema.clone();
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), json!(description));
        }
        schema
    };
    let text = json!({ "type": "string" });
    let fixed = [
        ("all", with(&many, "Every one of these holds.")),
        ("any", with(&many, "At least one of these holds.")),
        ("none", with(&many, "None of these holds.")),
        ("not", with(&one, "This does not hold.")),
        ("event", with(&text, "The contact did this, at least once unless `count` says otherwise.")),
        ("where", with(&one, "What each counted event must meet, about `event.*`.")),
        ("count", with(&number, "How often: a number (exactly), or `{ at_least: 3 }`. 0 is never.")),
        ("sum", with(&aggregate, "The sum of a number over the events.")),
        ("avg", with(&aggregate, "The average of a number over the events.")),
        ("min", with(&aggregate, "The smallest of a number over the events.")),
        ("max", with(&aggregate, "The largest of a number over the events.")),
        ("within", with(&text, "Only what happened this recently counts: \"90 days\".")),
        ("since", json!({ "description": "Only what happened since then in the run counts.", "enum": ["entry", "step"] })),
        ("message", with(&text, "Something happened to this template's message; `any` for every message.")),
        (
            "is",
            json!({
                "description": "With `message`: what happened to it. With `workflow`: how the contact stands to it.",
                "enum": ["sent", "delivered", "opened", "clicked", "bounced", "complained", "active", "completed", "exited", "never"],
            }),
        ),
        ("segment", with(&text, "The contact is in this segment.")),
        ("topic", with(&text, "The contact is subscribed to this topic.")),
        ("workflow", with(&text, "How the contact stands to this workflow; see `is`.")),
    ];
    let properties = fixed.into_iter().map(|(key, schema)| (key.to_owned(), schema)).collect();
    (properties, json!({ "^(contact|event|vars)\\.[^.]+(\\.[^.]+)*$": test }))
}

/// What a value must meet. Every key must hold. A missing value satisfies only `exists: false`, `is_not` and `none_of`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
#[expect(dead_code, reason = "read for its shape; the lowering goes through the mapping, in the order it is written")]
pub(crate) struct Predicates {
    /// Equals this.
    pub is: Option<Scalar>,
    /// Is anything but this, or missing.
    pub is_not: Option<Scalar>,
    /// Is one of these.
    #[schemars(length(min = 1))]
    pub one_of: Option<Vec<Scalar>>,
    /// Is none of these, or missing.
    #[schemars(length(min = 1))]
    pub none_of: Option<Vec<Scalar>>,
    /// Is a number greater than this.
    pub above: Option<f64>,
    /// Is a number greater than or equal to this.
    pub at_least: Option<f64>,
    /// Is a number less than this.
    pub below: Option<f64>,
    /// Is a number less than or equal to this.
    pub at_most: Option<f64>,
    /// Is a text that contains this text, or a list that has this element.
    pub contains: Option<Scalar>,
    /// Is a text that begins with this one.
    pub starts_with: Option<String>,
    /// Is a text that ends with this one.
    pub ends_with: Option<String>,
    /// Is a text in which this regular expression matches somewhere.
    pub matches: Option<String>,
    /// Is there (true) or is missing (false).
    pub exists: Option<bool>,
    /// Is a date before this one: "2026-03-29", "30 days ago", "in 3 days", "now".
    pub before: Option<String>,
    /// Is a date after this one: "2026-03-29", "30 days ago", "in 3 days", "now".
    pub after: Option<String>,
    /// Is a date in the last or the next such span.
    pub within: Option<DateSpan>,
}

/// `{ last: 30 days }` or `{ next: 30 days }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
#[expect(dead_code, reason = "read for its shape; the lowering goes through the mapping, in the order it is written")]
pub(crate) struct DateSpan {
    /// In the past, at most this long ago.
    pub last: Option<String>,
    /// In the future, at most this far ahead.
    pub next: Option<String>,
}

/// What a number must meet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
#[expect(dead_code, reason = "read for its shape; the lowering goes through the mapping, in the order it is written")]
pub(crate) struct NumberPredicates {
    /// Equals this.
    pub is: Option<f64>,
    /// Is anything but this.
    pub is_not: Option<f64>,
    /// Greater than this.
    pub above: Option<f64>,
    /// Greater than or equal to this.
    pub at_least: Option<f64>,
    /// Less than this.
    pub below: Option<f64>,
    /// Less than or equal to this.
    pub at_most: Option<f64>,
}

/// A number worked out over the events: `{ of: event.total, above: 500 }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 2))]
#[expect(dead_code, reason = "read for its shape; the lowering goes through the mapping, in the order it is written")]
pub(crate) struct Aggregate {
    /// The property to work with: `event.total`.
    pub of: String,
    /// Equals this.
    pub is: Option<f64>,
    /// Is anything but this.
    pub is_not: Option<f64>,
    /// Greater than this.
    pub above: Option<f64>,
    /// Greater than or equal to this.
    pub at_least: Option<f64>,
    /// Less than this.
    pub below: Option<f64>,
    /// Less than or equal to this.
    pub at_most: Option<f64>,
}
