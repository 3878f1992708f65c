//! Dates among data: attributes and event properties that hold a date, a local date-time or an instant.

/// A date as data holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateValue {
    /// `2026-03-29`
    Date(jiff::civil::Date),
    /// `2026-03-29T09:00`: in the contact's zone.
    Local(jiff::civil::DateTime),
    /// `2026-03-29T09:00:00+02:00`, or with `Z`: ms since 1970 UTC.
    Instant(i64),
}

impl DateValue {
    /// The instant that is meant in this zone; a date is its first instant.
    pub fn instant(self, _zone: &jiff::tz::TimeZone) -> i64 {
        0
    }
}

/// `None` for what is no date.
pub fn parse_date(_text: &str) -> Option<DateValue> {
    None
}
