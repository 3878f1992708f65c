//! Windows and quiet hours: a span of the local day that may cross midnight.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Time, Weekdays};

/// Includes its start and not its end. Over midnight when `to` is not later than `from` (equal: the whole day); it belongs to the
/// day on which it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Time,
    pub to: Time,
    pub weekdays: Weekdays,
}

impl Window {
    /// Whether `instant` lies inside.
    pub fn contains(&self, _instant: i64, _zone: &TimeZone) -> bool {
        false
    }

    /// The end of the opening that `instant` lies in; `None` when it lies outside, or the window never closes.
    pub fn closes_at(&self, _instant: i64, _zone: &TimeZone) -> Option<i64> {
        None
    }

    /// The next start strictly later than `instant`.
    pub fn opens_after(&self, _instant: i64, _zone: &TimeZone) -> i64 {
        0
    }
}
