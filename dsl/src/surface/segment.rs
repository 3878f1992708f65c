//! Shared segments and traits as written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Condition;
use super::condition::condition_keys;
use super::union::by_verb;

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
            json!({ "description": "A static segment, filled by import or API (in a later release).", "const": true }),
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

by_verb! {
    /// A value that is worked out for every contact, usable as `contact.NAME` (in a later release).
    Trait {
        "sum" => Sum(SumTrait),
        "count" => Count(CountTrait),
        "first" => First(FirstTrait),
        "last" => Last(LastTrait),
        "rank" => Rank(RankTrait),
        "by" => Tier(TierTrait),
        "score" => Score(ScoreTrait),
        "first_match" => FirstMatch(FirstMatchTrait),
    }
}

macro_rules! trait_forms {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            #[expect(dead_code, reason = "part of the language and of its schema; traits come in a later release")]
            pub(crate) struct $name {
                $($(#[$field_meta])* $field: $type,)+
            }
        )+
    };
}

trait_forms! {
    /// `{ sum: event.total, of: order_completed }`
    SumTrait {
        /// The property to add up: `event.total`.
        sum: String,
        /// The event's name.
        of: String,
        /// Only events this recent: "90 days".
        within: Option<String>,
    }
    /// `{ count: order_completed, within: 90 days }`
    CountTrait {
        /// The event to count.
        count: String,
        /// Only events this recent: "90 days".
        within: Option<String>,
    }
    /// `{ first: order_completed }`: when it happened first.
    FirstTrait {
        /// The event's name.
        first: String,
    }
    /// `{ last: order_completed }`: when it happened last.
    LastTrait {
        /// The event's name.
        last: String,
    }
    /// `{ rank: contact.last_order_at, into: 5 }`: in which of so many equal groups the contact is.
    RankTrait {
        /// The attribute to rank by.
        rank: String,
        /// How many groups; the highest number is the best.
        into: u32,
    }
    /// `{ by: contact.lifetime_value, tiers: { high: 500, low: 0 } }`
    TierTrait {
        /// The attribute that decides.
        by: String,
        /// Each tier's name and the least value for it.
        tiers: BTreeMap<String, f64>,
    }
    /// Points for events, which may fade over time.
    ScoreTrait {
        /// The events and their points.
        score: Vec<Points>,
        /// After this span a point is worth half: "30 days".
        halves_every: Option<String>,
    }
    /// So many points for an event.
    Points {
        /// The event's name.
        event: String,
        /// What it is worth.
        points: f64,
    }
    /// The first name whose condition holds.
    FirstMatchTrait {
        /// Names and their conditions, the first that holds decides.
        first_match: BTreeMap<String, Condition>,
        /// The name for everyone else.
        otherwise: Option<String>,
    }
}
