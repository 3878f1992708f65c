//! Dates among data: attributes and event properties that hold a date, a local date-time or an instant.

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::wall_clock::floor_millis;
use super::{Time, civil_at, resolve};

/// A date as data holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateValue {
    /// `2026-03-29`
    Date(Date),
    /// `2026-03-29T09:00`: in the contact's zone.
    Local(DateTime),
    /// `2026-03-29T09:00:00+02:00`, or with `Z`: ms since 1970 UTC.
    Instant(i64),
}

impl DateValue {
    /// The instant that is meant in this zone (ms since 1970 UTC); a date is its first instant.
    pub fn instant(self, zone: &TimeZone) -> i64 {
        match self {
            DateValue::Date(date) => resolve(date.to_datetime(Time::midnight()), zone),
            DateValue::Local(civil) => resolve(civil, zone),
            DateValue::Instant(instant) => instant,
        }
    }

    /// The date in this zone, and the time of day where there is one.
    pub fn civil(self, zone: &TimeZone) -> (Date, Option<Time>) {
        let civil = match self {
            DateValue::Date(date) => return (date, None),
            DateValue::Local(civil) => civil,
            DateValue::Instant(instant) => civil_at(instant, zone),
        };
        (civil.date(), Some(civil.time()))
    }
}

/// Reads `2026-03-29`, that with `T` or a space and `09:00`, `09:00:00` or `09:00:00.5`, and that with `Z` or an offset such as
/// `+02:00` (RFC 3339 section 5.6, where seconds may be left out). `None` for what is no date, and for leap seconds. Decimals
/// beyond nanoseconds are cut off.
pub fn parse_date(text: &str) -> Option<DateValue> {
    let (date, behind) = text.split_at_checked(10)?;
    let date = read_date(date)?;
    if behind.is_empty() {
        return Some(DateValue::Date(date));
    }
    let clock = behind.strip_prefix(['T', 't', ' '])?;
    let end = clock.find(|c: char| !matches!(c, '0'..='9' | ':' | '.')).unwrap_or(clock.len());
    let civil = date.to_datetime(read_time(&clock[..end])?);
    match &clock[end..] {
        "" => Some(DateValue::Local(civil)),
        offset => {
            let instant = read_offset(offset)?.to_timestamp(civil).ok()?;
            Some(DateValue::Instant(floor_millis(instant)))
        }
    }
}

fn read_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn read_time(text: &str) -> Option<Time> {
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut parts = whole.split(':');
    let (hour, minute, second) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    let nanosecond = match (second, fraction) {
        (_, None) => 0,
        // Decimals of a minute are not decimals of a second.
        (None, Some(_)) | (_, Some("")) => return None,
        (Some(_), Some(digits)) => {
            let digits = &digits[..digits.len().min(9)];
            number(digits, digits.len())? * 10_i32.pow(9 - digits.len() as u32)
        }
    };
    let second = second.map_or(Some(0), |second| number(second, 2))?;
    let [hour, minute, second] = [hour, minute, second].map(|part| i8::try_from(part).ok());
    Time::new(hour?, minute?, second?, nanosecond).ok()
}

fn read_offset(text: &str) -> Option<Offset> {
    let (sign, clock) = match text.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(Offset::UTC),
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()
}

/// Exactly so many digits: `parse` alone would take a sign.
fn number(digits: &str, length: usize) -> Option<i32> {
    if digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::wall_clock::tests::{named, shown};
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<DateValue>) {
        assert_eq!(parse_date(text), expected, "{text:?}");
    }

    #[test]
    fn dates_local_times_and_instants() {
        let date = |text: &str| Some(DateValue::Date(text.parse().unwrap()));
        let local = |text: &str| Some(DateValue::Local(text.parse().unwrap()));
        let instant = |millis| Some(DateValue::Instant(millis));
        check("2026-03-29", date("2026-03-29"));
        check("2024-02-29", date("2024-02-29"));
        check("0000-01-01", date("0000-01-01"));
        check("9999-12-31", date("9999-12-31"));
        check("2026-03-29T09:00", local("2026-03-29T09:00:00"));
        check("2026-03-29 09:00", local("2026-03-29T09:00:00"));
        check("2026-03-29T09:00:30", local("2026-03-29T09:00:30"));
        check("2026-03-29T09:00:30.25", local("2026-03-29T09:00:30.25"));
        check("1970-01-01T00:00:00Z", instant(0));
        check("1970-01-01t00:00:00z", instant(0));
        check("1970-01-01 02:00:00+02:00", instant(0));
        check("1969-12-31T18:30-05:30", instant(0));
        check("1970-01-01T00:00:01.2345678901234Z", instant(1_234));
        check("1969-12-31T23:59:59.9999Z", instant(-1));
        check("2026-03-29T09:00:00-00:00", instant(1_774_774_800_000));
    }

    #[test]
    fn everything_else_is_no_date() {
        for wrong in [
            "",
            "soon",
            "2026",
            "2026-3-29",
            "20260329",
            "29.03.2026",
            "03/29/2026",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "-026-03-29",
            "+026-03-29",
            "10000-01-01",
            "2026-03-29T",
            "2026-03-29T9:00",
            "2026-03-29T09",
            "2026-03-29T24:00",
            "2026-03-29T09:60",
            "2026-03-29T09:00:60",
            "2026-03-29T09:00.5",
            "2026-03-29T09:00:00.",
            "2026-03-29T09:00:00.5.5",
            "2026-03-29T09:00:00+2",
            "2026-03-29T09:00:00+0200",
            "2026-03-29T09:00:00+24:00",
            "2026-03-29T09:00:00+02:60",
            "2026-03-29T09:00:00 Z",
            "2026-03-29T09:00:00Zx",
            "2026-03-29Z",
            "2026-03-29  09:00",
            " 2026-03-29",
            "2026-03-29 ",
            "2026-W13-7",
            "2026-03-29T09:00:00[Europe/Berlin]",
            "9999-12-31T23:59:59-12:00",
            "2026–03–29",
            "２026-03-29",
            "1774774800000",
        ] {
            check(wrong, None);
        }
    }

    fn check_instant(text: &str, zone_name: &str, expected: &str) {
        let zone = named(zone_name);
        assert_eq!(shown(parse_date(text).unwrap().instant(&zone), &zone), expected, "{text} {zone_name}");
    }

    #[test]
    fn a_date_is_its_first_instant() {
        check_instant("2026-03-29", "Europe/Berlin", "2026-03-29T00:00:00+01:00");
        check_instant("2018-11-04", "America/Sao_Paulo", "2018-11-04T01:00:00-02:00");
        check_instant("2018-02-18", "America/Sao_Paulo", "2018-02-18T00:00:00-03:00");
        check_instant("2010-11-07", "America/St_Johns", "2010-11-07T00:00:00-02:30");
        check_instant("2011-12-30", "Pacific/Apia", "2011-12-31T00:00:00+14:00");
        check_instant("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T03:00:00+02:00");
        check_instant("2026-10-25T02:30:00+01:00", "Europe/Berlin", "2026-10-25T02:30:00+01:00");
    }

    #[test]
    fn the_civil_date_is_the_zones() {
        let zone = named("Asia/Tokyo");
        let civil = |text: &str| parse_date(text).unwrap().civil(&zone);
        assert_eq!(civil("2026-03-29"), (jiff::civil::date(2026, 3, 29), None));
        assert_eq!(civil("2026-03-29T09:00"), (jiff::civil::date(2026, 3, 29), Some(jiff::civil::time(9, 0, 0, 0))));
        assert_eq!(civil("2026-03-29T18:00Z"), (jiff::civil::date(2026, 3, 30), Some(jiff::civil::time(3, 0, 0, 0))));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9]{0,4}-[0-9]{2}-[0-3][0-9]([T ][0-9:.]{0,9}([Zz+-][0-9:µ]{0,5})?)?") {
            if let Some(DateValue::Date(date)) = parse_date(&text) {
                prop_assert_eq!(date.to_string(), text);
            }
        }

        #[test]
        fn rfc_3339_reads_as_jiff_reads_it(second in -62_000_000_000i64..253_000_000_000, millis in 0i64..1_000, offset in -1_400i32..1_400) {
            let instant = jiff::Timestamp::from_millisecond(second * 1_000 + millis).unwrap();
            let text = instant.display_with_offset(Offset::from_seconds(offset * 60).unwrap()).to_string();
            prop_assert_eq!(parse_date(&text), Some(DateValue::Instant(instant.as_millisecond())), "{}", text);
        }
    }
}
