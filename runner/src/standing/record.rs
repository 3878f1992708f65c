//! What is kept about one contact besides the values of the traits.

use serde_json::Value;

/// What is needed to keep a contact's traits and segments up to date. Times are ms since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Standing {
    /// A place for each trait and segment of the audience, in its order.
    pub(super) places: Vec<Place>,
}

/// Of one trait or segment.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Place {
    pub kept: Kept,
    /// When time alone may change it.
    pub recheck: Option<i64>,
    /// Of a trait of events: the event of the highest id that there was when it was worked out from all of them. What comes after counts when it is
    /// told of, whatever has been stored meanwhile.
    pub upto: i64,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Kept {
    /// A trait of which the value says all; a contact who is not in the segment.
    #[default]
    Nothing,
    /// In the segment, since then.
    Since(i64),
    /// For count, sum and avg: how many, their compensated sum, and the time of the oldest.
    Numbers { count: u64, sum: f64, lost: f64, oldest: i64 },
    /// For min and max: the time of the oldest, which the value may or may not be of.
    Oldest(i64),
    /// For first and last: the event's time and id.
    Edge { at: i64, id: i64 },
}

impl Standing {
    /// Since when the contact is in the segment at this place.
    pub fn since(&self, place: usize) -> Option<i64> {
        match self.places.get(place)?.kept {
            Kept::Since(since) => Some(since),
            _ => None,
        }
    }

    /// The earliest time at which time alone may change something.
    pub fn recheck(&self) -> Option<i64> {
        self.places.iter().filter_map(|place| place.recheck).min()
    }
}

/// A number as JSON: whole ones without a fraction, so that texts show 250 and not 250.0.
pub(super) fn number(value: f64) -> Option<Value> {
    /// Whole numbers beyond are not exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return Some(Value::from(value as i64));
    }
    serde_json::Number::from_f64(value).map(Value::Number)
}
