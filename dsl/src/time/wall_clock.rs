//! Wall-clock times in a zone.
//!
//! A wall-clock time is resolved at its own date: one that the spring change jumps over is the instant of the change, one that
//! occurs twice in autumn is its first occurrence. So a later wall-clock time is never an earlier instant, which is what the
//! searches here and in the neighbouring modules rest on.

#[cfg(test)]
pub(super) mod tests;

use std::cell::RefCell;
use std::collections::HashMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp};

use super::{Time, Weekdays};

/// How many dates a search looks at: a week finds every weekday, a second one makes up for a date that the zone skips (Samoa had no
/// 30 December 2011) or a time that has just passed for the first time in a doubled hour, the third is to spare.
const SEARCHED_DATES: usize = 21;

/// After so many times a zone is asked for anew, so that a newer zone database is noticed.
const ASKED_ANEW: u32 = 10_000;
/// How many zones a thread remembers; there are about 600 names.
const REMEMBERED: usize = 1_000;

/// The zone of this IANA name, in any case; cached, cheap to clone.
pub fn zone(name: &str) -> Option<TimeZone> {
    thread_local! {
        // The library's own cache asks the clock each time.
        static KNOWN: RefCell<HashMap<String, (TimeZone, u32)>> = RefCell::default();
    }
    let found = || TimeZone::get(name).ok().filter(|zone| !zone.is_unknown());
    KNOWN.with_borrow_mut(|known| {
        if let Some((zone, left)) = known.get_mut(name).filter(|(_, left)| *left > 0) {
            *left -= 1;
            return Some(zone.clone());
        }
        let zone = found()?;
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(name.to_owned(), (zone.clone(), ASKED_ANEW));
        Some(zone)
    })
}

/// Whether this IANA name is known.
pub fn known_zone(name: &str) -> bool {
    zone(name).is_some()
}

/// The last instant that has a civil time, in the year 9999: what a search gives that can find nothing.
pub fn end_of_time() -> i64 {
    floor_millis(Timestamp::MAX)
}

/// The wall-clock time in the zone at this instant (ms since 1970 UTC); beyond the years -9999 to 9999, their first or last.
pub fn civil_at(instant: i64, zone: &TimeZone) -> DateTime {
    let beyond = if instant < 0 { Timestamp::MIN } else { Timestamp::MAX };
    zone.to_datetime(Timestamp::from_millisecond(instant).unwrap_or(beyond))
}

/// The instant (ms since 1970 UTC) of a wall-clock time: in a gap the instant of the transition, in an overlap the first.
pub fn resolve(civil: DateTime, zone: &TimeZone) -> i64 {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let in_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    match ambiguous.compatible() {
        Ok(shifted) if in_gap => floor_millis(last_transition(shifted, zone)),
        Ok(instant) => floor_millis(instant),
        Err(_) if civil.year() < 0 => floor_millis(Timestamp::MIN),
        Err(_) => end_of_time(),
    }
}

/// The last transition not later than an instant. For a time in a gap, jiff's compatible reading lies as long after the
/// transition as the time lies after the gap's start.
fn last_transition(instant: Timestamp, zone: &TimeZone) -> Timestamp {
    let just_after = instant.saturating_add(Span::new().nanoseconds(1)).unwrap_or(instant);
    zone.preceding(just_after).next().map_or(instant, |transition| transition.timestamp())
}

/// Whole milliseconds, rounded down also before 1970.
pub(super) fn floor_millis(instant: Timestamp) -> i64 {
    let whole = instant.as_millisecond();
    if instant.as_nanosecond() < i128::from(whole) * 1_000_000 { whole - 1 } else { whole }
}

/// `{ for: N days, at, days }`: from the date `days` later on, the first date in `weekdays` whose `at` is not before `now`
/// (ms since 1970 UTC). Fewer than 0 days count as 0.
pub fn after_days(now: i64, days: i64, at: Time, weekdays: Weekdays, zone: &TimeZone) -> i64 {
    let today = civil_at(now, zone).date();
    let first = Span::new().try_days(days.max(0)).ok().and_then(|span| today.checked_add(span).ok()).unwrap_or(Date::MAX);
    first_found(first, |date| {
        let instant = weekdays.contains(date).then(|| resolve(date.to_datetime(at), zone))?;
        (instant >= now).then_some(instant)
    })
}

/// `{ until: at, days }`: the next such local time strictly later than `now` (ms since 1970 UTC).
pub fn next_at(now: i64, at: Time, weekdays: Weekdays, zone: &TimeZone) -> i64 {
    first_found(civil_at(now, zone).date(), |date| {
        let instant = weekdays.contains(date).then(|| resolve(date.to_datetime(at), zone))?;
        (instant > now).then_some(instant)
    })
}

/// What `find` gives for the first date, from `start` on, that it gives anything for; [`end_of_time`] if it gives nothing.
pub(super) fn first_found(start: Date, find: impl Fn(Date) -> Option<i64>) -> i64 {
    std::iter::successors(Some(start), |date| date.tomorrow().ok())
        .take(SEARCHED_DATES)
        .find_map(find)
        .unwrap_or_else(end_of_time)
}
