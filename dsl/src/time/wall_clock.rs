//! Wall-clock times in a zone.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::Time;

/// A set of weekdays, Monday is bit 0. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weekdays(pub u8);

impl Weekdays {
    pub const ALL: Weekdays = Weekdays(0b111_1111);

    pub fn contains(self, date: Date) -> bool {
        self.0 & (1 << date.weekday().to_monday_zero_offset()) != 0
    }
}

/// The zone of this IANA name; cached, cheap to clone.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// Whether this IANA name is known.
pub fn known_zone(name: &str) -> bool {
    zone(name).is_some()
}

/// The wall-clock time in the zone at this instant.
pub fn civil_at(_instant: i64, _zone: &TimeZone) -> DateTime {
    DateTime::default()
}

/// The instant of a wall-clock time: in a gap the instant of the transition, in an overlap the first.
pub fn resolve(_civil: DateTime, _zone: &TimeZone) -> i64 {
    0
}

/// `{ for: N days, at, days }`: from the date `days` later on, the first date in `weekdays` whose `at` is not before `now`.
pub fn after_days(_now: i64, _days: i64, _at: Time, _weekdays: Weekdays, _zone: &TimeZone) -> i64 {
    0
}

/// `{ until: at, days }`: the next such local time strictly later than `now`.
pub fn next_at(_now: i64, _at: Time, _weekdays: Weekdays, _zone: &TimeZone) -> i64 {
    0
}
