//! A synthetic audience, compiled: people made up by chance for a simulation. Spans are in ms, shares in [0, 1].

use std::collections::BTreeMap;

use serde_json::Value;

use super::Path;
use crate::time::{Duration, Window};

/// People who do not exist, and what they do.
#[derive(Debug, Clone, PartialEq)]
pub struct SyntheticAudience {
    /// People are called by it.
    pub name: String,
    /// How many are there when the simulation begins.
    pub at_start: u32,
    /// For how long before the beginning those have done what events say.
    pub history: Duration,
    /// How many come a day, on average.
    pub arrive: f64,
    pub profile: Profile,
    pub sources: Vec<Source>,
    /// Of several that are about a template the first counts.
    pub reactions: Vec<Reaction>,
}

/// What is known of each person.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The share with an e-mail address.
    pub email: f64,
    /// The share with a phone number.
    pub phone: f64,
    pub locale: Option<Drawn>,
    pub time_zone: Option<Drawn>,
    /// The share that is subscribed, by topic.
    pub topics: BTreeMap<String, f64>,
    pub attributes: Vec<(String, Drawn)>,
}

/// A value by chance.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// The share that has a value.
    pub chance: f64,
    pub how: Distribution,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    Fixed(Value),
    /// Values with their weights, of which one at least is positive.
    OneOf(Vec<(Value, f64)>),
    /// Every number with so many decimals is as likely.
    Uniform {
        low: f64,
        high: f64,
        decimals: u8,
    },
    /// Every date is as likely; both are included.
    Dates {
        first: jiff::civil::Date,
        last: jiff::civil::Date,
    },
    Normal {
        mean: f64,
        deviation: f64,
        limits: Limits,
    },
    /// `factor` is e to the power of the standard deviation of the logarithm.
    Lognormal {
        median: f64,
        factor: f64,
        limits: Limits,
    },
    /// This text with a number behind it that no other value has.
    Numbered(String),
    /// What the event had that this one follows.
    Same(Path),
}

/// Where drawn numbers end, and how they are rounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub at_least: f64,
    pub at_most: f64,
    pub decimals: u8,
}

/// A span by chance; never negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delay {
    Fixed(Duration),
    Between(Duration, Duration),
    /// Exponential with this mean.
    Average(Duration),
    /// Lognormal.
    Median(Duration, f64),
}

/// An event and what makes it happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub event: String,
    pub cause: Cause,
    pub properties: Vec<(String, Drawn)>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// A Poisson process of each person.
    Rate {
        /// How often a day, on average over a week.
        per_day: f64,
        /// The share of people who do it at all.
        among: f64,
        /// By the person's clock.
        hours: Option<Window>,
        /// How likely a weekday is, from Monday on; their mean is positive.
        weekdays: [f64; 7],
    },
    Arrival {
        chance: f64,
        delay: Delay,
    },
    Event {
        /// The event's name.
        follows: String,
        /// Only where its property `template` is this.
        template: Option<String>,
        chance: f64,
        delay: Delay,
    },
}

/// What a message makes people do.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// Empty: any.
    pub templates: Vec<String>,
    pub opened: Option<Act>,
    /// This and the next two: of those who opened it, after they did.
    pub clicked: Option<Act>,
    pub unsubscribed: Option<Act>,
    pub complained: Option<Act>,
    /// Whom it never reached.
    pub bounced: Option<Act>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Act {
    pub chance: f64,
    pub delay: Delay,
}

/// A number with so many decimals at most; whole ones are integers.
pub fn rounded(value: f64, decimals: u8) -> Value {
    let power = 10f64.powi(i32::from(decimals));
    let rounded = (value * power).round() / power;
    if decimals == 0 && rounded.abs() < 9e15 { Value::from(rounded as i64) } else { Value::from(rounded) }
}
