//! Traits: values that are worked out for every contact and kept up to date, usable as `contact.NAME`.

use serde::{Deserialize, Serialize};

use super::{Condition, Path};
use crate::time::Duration;

/// How the value of a trait comes about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trait {
    /// Of what a contact's events come to.
    Events(EventsTrait),
    /// In which of `into` equal groups of all contacts the contact stands by this value; the last group is the highest. A contact without the value
    /// has no rank.
    Rank { by: Path, into: u32 },
    /// The first tier whose least value the contact's value reaches. A contact without the value has no tier.
    Tier {
        by: Path,
        /// Name and least value, the highest first.
        tiers: Vec<(String, f64)>,
    },
    /// The sum of points for events, each worth half after every `halves_every`.
    Score { points: Vec<Points>, halves_every: Option<Duration> },
    /// The name of the first condition that holds.
    FirstMatch {
        /// In the order written.
        cases: Vec<(String, Condition)>,
        /// The name for everyone else; `None`: missing.
        otherwise: Option<String>,
    },
}

/// `{ sum: event.total, of: order_completed, within: 90 days }`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventsTrait {
    pub function: TraitFunction,
    /// The event's name.
    pub event: String,
    /// The property that is looked at, a path under `event`. `None` for `count`, and for `first` and `last` when they ask for the time of the
    /// event.
    pub of: Option<Path>,
    /// `where`: a condition over `event.*` alone that each counted event must meet.
    pub filter: Option<Box<Condition>>,
    /// Only events this recent count.
    pub within: Option<Duration>,
}

/// Without events sum and count are 0, the others missing. Values that are not numbers are left out of sum, avg, min and max.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TraitFunction {
    Sum,
    Count,
    Avg,
    Min,
    Max,
    /// The time of the first event, or its property.
    First,
    /// The time of the last event, or its property.
    Last,
}

/// So many points for each such event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Points {
    /// The event's name.
    pub event: String,
    /// `where`: a condition over `event.*` alone that each counted event must meet.
    pub filter: Option<Box<Condition>>,
    pub points: f64,
}
