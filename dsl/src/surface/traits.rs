//! Shared traits as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Condition;
use super::union::by_verb;

by_verb! {
    /// A value that is worked out for every contact and kept up to date, usable as `contact.NAME`.
    Trait {
        "sum" => Sum(SumTrait),
        "avg" => Avg(AvgTrait),
        "min" => Min(MinTrait),
        "max" => Max(MaxTrait),
        "count" => Count(CountTrait),
        "first" => First(FirstTrait),
        "last" => Last(LastTrait),
        "rank" => Rank(RankTrait),
        "by" => Tier(TierTrait),
        "score" => Score(ScoreTrait),
        "first_match" => FirstMatch(FirstMatchTrait),
    }
}

/// Forms over a contact's events: what is theirs, then what they share.
macro_rules! over_events {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)+ })+) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields)]
            pub(crate) struct $name {
                $($(#[$field_meta])* pub $field: $type,)+
                /// What each event must meet to count, about `event.*` alone.
                #[serde(rename = "where")]
                pub filter: Option<Condition>,
                /// Only events this recent: "90 days".
                pub within: Option<String>,
                /// What it is for, in words.
                #[expect(dead_code, reason = "for readers of the file")]
                pub description: Option<String>,
            }
        )+
    };
}

over_events! {
    /// `{ sum: event.total, of: order_completed }`
    SumTrait {
        /// The property to add up: `event.total`.
        sum: String,
        /// The event's name.
        of: String,
    }
    /// `{ avg: event.total, of: order_completed }`
    AvgTrait {
        /// The property to take the average of: `event.total`.
        avg: String,
        /// The event's name.
        of: String,
    }
    /// `{ min: event.total, of: order_completed }`
    MinTrait {
        /// The property whose smallest value counts: `event.total`.
        min: String,
        /// The event's name.
        of: String,
    }
    /// `{ max: event.total, of: order_completed }`
    MaxTrait {
        /// The property whose largest value counts: `event.total`.
        max: String,
        /// The event's name.
        of: String,
    }
    /// `{ count: order_completed, within: 90 days }`
    CountTrait {
        /// The event to count.
        count: String,
    }
    /// `{ first: order_completed }`: when it happened first. `{ first: event.total, of: order_completed }`: what it was then.
    FirstTrait {
        /// The event's name; with `of`, the property of the first such event: `event.total`.
        first: String,
        /// The event's name, where `first` is a property.
        of: Option<String>,
    }
    /// `{ last: order_completed }`: when it happened last. `{ last: event.total, of: order_completed }`: what it was then.
    LastTrait {
        /// The event's name; with `of`, the property of the last such event: `event.total`.
        last: String,
        /// The event's name, where `last` is a property.
        of: Option<String>,
    }
}

/// `{ rank: contact.last_order_at, into: 5 }`: in which of so many equal groups the contact is.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankTrait {
    /// The attribute or trait to rank by: a number or a date.
    pub rank: String,
    /// How many groups, from 2 to 100; the highest number is the best.
    #[schemars(range(min = 2, max = 100))]
    pub into: u32,
    /// What it is for, in words.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
}

/// `{ by: contact.lifetime_value, tiers: { high: 500, low: 0 } }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TierTrait {
    /// The attribute or trait that decides: a number.
    pub by: String,
    /// Each tier's name and the least value for it.
    #[schemars(extend("minProperties" = 1))]
    pub tiers: BTreeMap<String, f64>,
    /// What it is for, in words.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
}

/// Points for events, which may fade over time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScoreTrait {
    /// The events and their points.
    #[schemars(length(min = 1))]
    pub score: Vec<Points>,
    /// After this span a point is worth half: "30 days".
    pub halves_every: Option<String>,
    /// What it is for, in words.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
}

/// So many points for an event.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Points {
    /// The event's name.
    pub event: String,
    /// What it is worth; may be negative.
    pub points: f64,
    /// What each event must meet to count, about `event.*` alone.
    #[serde(rename = "where")]
    pub filter: Option<Condition>,
}

/// The first name whose condition holds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstMatchTrait {
    /// Names and their conditions; the first that holds, in the order written, decides.
    #[schemars(extend("minProperties" = 1))]
    pub first_match: BTreeMap<String, Condition>,
    /// The name for everyone else.
    pub otherwise: Option<String>,
    /// What it is for, in words.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
}
