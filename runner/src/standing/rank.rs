//! Ranks: in which of so many equal groups of all contacts one stands.
//!
//! The cut points between the groups are found by going through all contacts, every night and when the trait's definition changes. In between a
//! contact's rank follows its value among the cut points, at the cost of a look at them.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::time::{DateValue, parse_date};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::NodeKey;

/// Where the groups of one rank trait begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cuts {
    /// When they were found, in ms since 1970 UTC. What fades is compared as it was then.
    pub at: i64,
    /// The least value of the second group, of the third, and so on, in ascending order.
    pub cuts: Vec<f64>,
    /// How many contacts had a value.
    pub ranked: usize,
}

impl Cuts {
    /// Groups as SQL's NTILE makes them: when the values do not divide evenly, the lower groups are larger by one.
    pub fn find(mut values: Vec<f64>, into: u32, at: i64) -> Cuts {
        values.sort_unstable_by(f64::total_cmp);
        let groups = into as usize;
        let (size, larger) = (values.len() / groups, values.len() % groups);
        let cuts = (1..groups).filter_map(|group| values.get(group * size + group.min(larger)).copied()).collect();
        Cuts { at, cuts, ranked: values.len() }
    }

    /// From 1; equal values are in the same group, the higher one.
    pub fn rank(&self, value: f64) -> usize {
        1 + self.cuts.partition_point(|cut| *cut <= value)
    }
}

/// The cut points of the rank traits that have any.
pub type Ranks = Arc<HashMap<NodeKey, Cuts>>;

/// A value as ranks compare it: a number, or a date's instant, in the contact's zone where it says none.
pub fn rank_value(value: &Value, zone: impl FnOnce() -> TimeZone) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => Some(match parse_date(text)? {
            DateValue::Instant(instant) => instant as f64,
            date => date.instant(&zone()) as f64,
        }),
        _ => None,
    }
}
