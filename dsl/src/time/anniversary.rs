//! When a date trigger fires for one contact.
//!
//! The anniversary is found first, then the offset is added in whole days, then the time of day; only then is the wall-clock time
//! resolved in the zone.

use jiff::Span;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{DateValue, Duration, Time, civil_at, parse_date, resolve};
use crate::model::{DateTrigger, Every, Feb29};

/// The attribute does not hold a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no date; write 2026-03-29 or 2026-03-29T09:00:00+02:00")]
pub struct DateValueError(pub String);

/// When neither the trigger nor the attribute names a time of day.
const DEFAULT_TIME: Time = jiff::civil::time(9, 0, 0, 0);

/// This year's firing may be over, and then 29 February can be missing for seven years running (1897 to 1903).
const SEARCHED_YEARS: i16 = 9;

/// The first firing strictly later than `after` (ms since 1970 UTC) for an attribute that holds `value`; `None` when there is none
/// any more. `zone` is the contact's.
///
/// The date itself counts as its first anniversary. An instant that fires on its own date at its own time fires at that very
/// instant, also where its wall-clock time occurs twice.
///
/// # Errors
/// When `value` is no date.
pub fn fires_after(trigger: &DateTrigger, value: &str, after: i64, zone: &TimeZone) -> Result<Option<i64>, DateValueError> {
    let value = parse_date(value).ok_or_else(|| DateValueError(value.to_owned()))?;
    let (own_date, _) = value.civil(zone);
    let firing = |date: Date| firing(trigger, value, date, zone).filter(|instant| *instant > after);
    if trigger.every == Every::Once {
        return Ok(firing(own_date));
    }
    // A firing still to come has a date from today on, so its anniversary is in this year, moved back by the offset, or later.
    let today = civil_at(after, zone).date();
    let around = today.checked_sub(whole_days(trigger.offset)).unwrap_or(today).year();
    let first = own_date.year().max(around);
    Ok((first..first.saturating_add(SEARCHED_YEARS))
        .filter_map(|year| anniversary(own_date, year, trigger.feb_29))
        .find_map(firing))
}

/// The anniversary in this year; `None` where there is none.
fn anniversary(own_date: Date, year: i16, feb_29: Feb29) -> Option<Date> {
    let (month, day) = match Date::new(year, own_date.month(), own_date.day()) {
        Ok(date) => return Some(date),
        // Only 29 February exists in some years and not in others.
        Err(_) => match feb_29 {
            Feb29::Feb28 => (2, 28),
            Feb29::Mar1 => (3, 1),
            Feb29::Skip => return None,
        },
    };
    Date::new(year, month, day).ok()
}

/// The instant at which it fires for this anniversary; `None` beyond the year 9999.
fn firing(trigger: &DateTrigger, value: DateValue, anniversary: Date, zone: &TimeZone) -> Option<i64> {
    let (own_date, own_time) = value.civil(zone);
    let date = anniversary.checked_add(whole_days(trigger.offset)).ok()?;
    match (value, trigger.at) {
        (DateValue::Instant(instant), None) if date == own_date => Some(instant),
        (_, at) => Some(resolve(date.to_datetime(at.or(own_time).unwrap_or(DEFAULT_TIME)), zone)),
    }
}

/// No span of jiff's holds an offset beyond its calendar, but nor does the language.
fn whole_days(offset: Duration) -> Span {
    Span::new().try_days(offset.millis() / Duration::DAY.millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::wall_clock::tests::{at, named, near_transitions, shown};
    use super::*;
    use crate::model::{Path, Root};
    use proptest::prelude::*;

    fn yearly() -> DateTrigger {
        DateTrigger {
            date: Path { root: Root::Contact, keys: vec!["birthday".to_owned()] },
            every: Every::Year,
            offset: Duration(0),
            at: None,
            feb_29: Feb29::Feb28,
        }
    }

    fn once() -> DateTrigger {
        DateTrigger { every: Every::Once, ..yearly() }
    }

    fn check(trigger: &DateTrigger, value: &str, after: &str, zone_name: &str, expected: &[&str]) {
        let zone = named(zone_name);
        let mut after = at(after);
        let found: Vec<String> = std::iter::from_fn(|| {
            after = fires_after(trigger, value, after, &zone).unwrap()?;
            Some(shown(after, &zone))
        })
        .take(expected.len().max(1))
        .collect();
        assert_eq!(found, expected, "{value} {trigger:?}");
    }

    #[test]
    fn every_year() {
        let berlin = "Europe/Berlin";
        let trigger = yearly();
        check(
            &trigger,
            "1990-03-29",
            "2026-01-01T00:00:00Z",
            berlin,
            &["2026-03-29T09:00:00+02:00", "2027-03-29T09:00:00+02:00"],
        );
        check(&trigger, "1990-03-29", "2026-03-29T09:00:00+02:00", berlin, &["2027-03-29T09:00:00+02:00"]);
        check(&trigger, "2030-05-05", "2026-01-01T00:00:00Z", berlin, &["2030-05-05T09:00:00+02:00"]);
        check(&trigger, "0000-12-31", "2026-01-01T00:00:00Z", berlin, &["2026-12-31T09:00:00+01:00"]);
        check(&trigger, "1990-03-29T10:30", "2026-01-01T00:00:00Z", berlin, &["2026-03-29T10:30:00+02:00"]);
        check(&trigger, "1990-12-31T23:30:00Z", "2026-06-01T00:00:00Z", berlin, &["2027-01-01T00:30:00+01:00"]);
        let at_night = DateTrigger { at: Some(jiff::civil::time(2, 30, 0, 0)), ..yearly() };
        check(
            &at_night,
            "1990-03-29T10:30",
            "2026-01-01T00:00:00Z",
            berlin,
            &["2026-03-29T03:00:00+02:00", "2027-03-29T02:30:00+02:00"],
        );
        check(
            &yearly(),
            "1990-12-30",
            "2011-01-01T00:00:00Z",
            "Pacific/Apia",
            &["2011-12-31T00:00:00+14:00", "2012-12-30T09:00:00+14:00"],
        );
    }

    #[test]
    fn offsets() {
        let berlin = "Europe/Berlin";
        let before = DateTrigger { offset: Duration(-7 * 86_400_000), ..yearly() };
        check(
            &before,
            "1990-01-03",
            "2026-12-27T08:59:59+01:00",
            berlin,
            &["2026-12-27T09:00:00+01:00", "2027-12-27T09:00:00+01:00"],
        );
        check(&before, "2026-01-03", "2020-01-01T00:00:00Z", berlin, &["2025-12-27T09:00:00+01:00"]);
        check(&before, "1990-04-01", "2026-01-01T00:00:00Z", berlin, &["2026-03-25T09:00:00+01:00"]);
        let after = DateTrigger { offset: Duration(7 * 86_400_000), ..yearly() };
        check(&after, "1990-12-27", "2026-01-01T00:00:00Z", berlin, &["2026-01-03T09:00:00+01:00", "2027-01-03T09:00:00+01:00"]);
        let much_later = DateTrigger { offset: Duration(10_000 * 86_400_000), ..yearly() };
        check(&much_later, "2020-01-01", "2000-01-01T00:00:00Z", berlin, &["2047-05-19T09:00:00+02:00"]);
    }

    #[test]
    fn the_29th_of_february() {
        let berlin = "Europe/Berlin";
        let of = |feb_29| DateTrigger { feb_29, ..yearly() };
        let start = "2027-01-01T00:00:00Z";
        check(&of(Feb29::Feb28), "2000-02-29", start, berlin, &["2027-02-28T09:00:00+01:00", "2028-02-29T09:00:00+01:00"]);
        check(&of(Feb29::Mar1), "2000-02-29", start, berlin, &["2027-03-01T09:00:00+01:00", "2028-02-29T09:00:00+01:00"]);
        check(&of(Feb29::Skip), "2000-02-29", start, berlin, &["2028-02-29T09:00:00+01:00", "2032-02-29T09:00:00+01:00"]);
        check(&of(Feb29::Skip), "2000-02-29", "2096-03-01T00:00:00Z", berlin, &["2104-02-29T09:00:00+01:00"]);
        check(&of(Feb29::Mar1), "2000-02-28", start, berlin, &["2027-02-28T09:00:00+01:00"]);
        let day_before = DateTrigger { offset: Duration(-86_400_000), ..of(Feb29::Mar1) };
        check(&day_before, "2000-02-29", start, berlin, &["2027-02-28T09:00:00+01:00", "2028-02-28T09:00:00+01:00"]);
    }

    #[test]
    fn only_once() {
        let berlin = "Europe/Berlin";
        check(&once(), "2026-03-29", "2026-01-01T00:00:00Z", berlin, &["2026-03-29T09:00:00+02:00"]);
        check(&once(), "2026-03-29", "2026-03-29T09:00:00+02:00", berlin, &[]);
        check(&once(), "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+02:00", berlin, &["2026-10-25T02:30:00+01:00"]);
        check(&once(), "2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00", berlin, &[]);
        let before = DateTrigger { offset: Duration(-3 * 86_400_000), ..once() };
        check(&before, "2026-01-02T10:00", "2025-01-01T00:00:00Z", berlin, &["2025-12-30T10:00:00+01:00"]);
    }

    #[test]
    fn far_away_and_no_dates() {
        let zone = named("Europe/Berlin");
        assert_eq!(fires_after(&yearly(), "soon", 0, &zone), Err(DateValueError("soon".to_owned())));
        assert_eq!(fires_after(&yearly(), "1990-03-29", i64::MAX, &zone), Ok(None));
        let far = DateTrigger { offset: Duration(i64::MAX), ..once() };
        assert!(fires_after(&far, "9999-12-31", i64::MIN, &zone).is_ok());
    }

    proptest! {
        /// Every day around is asked whether it is an anniversary plus the offset.
        #[test]
        fn agrees_with_looking_at_every_day(
            (zone, after) in near_transitions(),
            own in (1960i16..2020, 1i8..=12, 1i8..=31),
            leap in prop::bool::weighted(0.3),
            offset in -400i64..400,
            feb_29 in prop::sample::select(vec![Feb29::Feb28, Feb29::Mar1, Feb29::Skip]),
            hour in 0i8..24,
        ) {
            let own_date = if leap { jiff::civil::date(2000, 2, 29) } else { Date::new(own.0, own.1, own.2.min(28)).unwrap() };
            let time = jiff::civil::time(hour, 30, 0, 0);
            let trigger = DateTrigger { offset: Duration(offset * 86_400_000), at: Some(time), feb_29, ..yearly() };
            let found = fires_after(&trigger, &own_date.to_string(), after, &zone).unwrap().unwrap();
            prop_assert!(found > after);

            let is_anniversary = |day: Date| {
                let leap_day = (own_date.month(), own_date.day()) == (2, 29) && !day.in_leap_year();
                let month_and_day = match feb_29 {
                    Feb29::Feb28 if leap_day => (2, 28),
                    Feb29::Mar1 if leap_day => (3, 1),
                    _ => (own_date.month(), own_date.day()),
                };
                day >= own_date && (day.month(), day.day()) == month_and_day
            };
            let today = civil_at(after, &zone).date();
            let start = today.max(own_date.saturating_add(Span::new().days(offset))).saturating_sub(Span::new().days(2));
            let brute = std::iter::successors(Some(start), |day| day.tomorrow().ok())
                .filter(|day| is_anniversary(day.saturating_sub(Span::new().days(offset))))
                .map(|day| resolve(day.to_datetime(time), &zone))
                .find(|instant| *instant > after);
            prop_assert_eq!(Some(found), brute);
        }
    }
}
