//! What providers' messages have in common: JSON read with care, times, ids.

use axum::http::StatusCode;
use serde_json::Value;

use crate::ingest::json;
use crate::returns::words;
use crate::web::body;
use crate::web::problem::Problem;

/// How old, and how far ahead, a signed time may be, in ms: what was recorded once must not be sent again for ever.
pub const FRESH: i64 = 5 * 60 * 1000;

/// # Errors
/// 400 where it is no JSON.
pub fn value(bytes: &[u8]) -> Result<Value, Problem> {
    json::parse(body::text(bytes)?).map_err(|words| Problem::whole("invalid_json", words))
}

/// Refuses what was signed too long ago, or will be. Both in ms since 1970 UTC.
///
/// # Errors
/// 403.
pub fn fresh(signed: i64, now: i64) -> Result<(), Problem> {
    if (now.saturating_sub(FRESH)..=now.saturating_add(FRESH)).contains(&signed) {
        return Ok(());
    }
    let words = "the signature's time is more than five minutes off: it is a replay, or a clock is wrong";
    Err(Problem::new(StatusCode::FORBIDDEN, "old_signature", words))
}

/// The text at this path (keys joined by `.`), if it is one and not empty.
pub fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    let found = path.split('.').try_fold(value, |value, key| value.get(key))?;
    found.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// The same, on one line and cut.
pub fn said(value: &Value, path: &str) -> Option<String> {
    text(value, path).and_then(words)
}

/// A Message-ID without its brackets.
pub fn message_id(text: Option<&str>) -> Option<String> {
    let id = text?.trim().trim_matches(['<', '>']);
    id.contains('@').then(|| id.to_owned())
}

/// RFC 3339, as ms since 1970 UTC.
pub fn instant(text: Option<&str>) -> Option<i64> {
    text?.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// Seconds since 1970 UTC, perhaps with a fraction, as ms.
pub fn seconds(value: Option<&Value>) -> Option<i64> {
    let seconds = value?.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
    Some((seconds * 1000.0).round() as i64)
}
