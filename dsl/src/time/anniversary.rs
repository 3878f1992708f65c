//! When a date trigger fires for one contact.

use jiff::tz::TimeZone;

use crate::model::DateTrigger;

/// The attribute does not hold a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date; write 2026-03-29 or 2026-03-29T09:00:00+02:00")]
pub struct DateValueError(pub String);

/// The first firing strictly later than `after` (ms since 1970 UTC); `None` when there is none any more.
///
/// # Errors
/// When `value` is no date.
pub fn fires_after(_trigger: &DateTrigger, value: &str, _after: i64, _zone: &TimeZone) -> Result<Option<i64>, DateValueError> {
    Err(DateValueError(value.to_owned()))
}
