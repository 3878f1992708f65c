//! Wall-clock times against known cases and clocks read minute by minute, and what the neighbours' tests share: zones, instants
//! near their transitions, and how to write them.

use super::*;
use proptest::prelude::*;

/// Zones with the changes that go wrong elsewhere: ordinary, southern, half an hour, none at all, at midnight, a skipped day.
pub const ZONES: [&str; 8] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Pacific/Apia",
    "UTC",
];

pub fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_millisecond()
}

pub fn named(zone_name: &str) -> TimeZone {
    zone(zone_name).unwrap()
}

/// As RFC 3339 with the zone's offset, so that a failure reads well.
pub fn shown(instant: i64, zone: &TimeZone) -> String {
    let instant = Timestamp::from_millisecond(instant).unwrap();
    instant.display_with_offset(zone.to_offset(instant)).to_string()
}

/// Instants near the transitions of a zone, and some that are not: minutes are whole.
pub fn near_transitions() -> impl Strategy<Value = (TimeZone, i64)> {
    (0..ZONES.len(), 315_532_800i64..1_893_456_000, -4_000i64..4_000, any::<bool>()).prop_map(|(index, second, minutes, near)| {
        let zone = named(ZONES[index]);
        let instant = Timestamp::from_second(second / 60 * 60).unwrap();
        let transition = zone.following(instant).next().map(|transition| transition.timestamp());
        let start = if near { transition.unwrap_or(instant) } else { instant };
        // Compiled zones end with a transition that changes nothing, at 2038-01-19T03:14:07Z.
        (zone, start.as_second() / 60 * 60_000 + minutes * 60_000)
    })
}

fn check(civil: &str, zone_name: &str, expected: &str) {
    let zone = named(zone_name);
    assert_eq!(shown(resolve(civil.parse().unwrap(), &zone), &zone), expected, "{civil} {zone_name}");
}

#[test]
fn wall_clock_times_are_resolved_at_their_date() {
    check("2026-03-29T01:59:59", "Europe/Berlin", "2026-03-29T01:59:59+01:00");
    check("2026-03-29T02:00", "Europe/Berlin", "2026-03-29T03:00:00+02:00");
    check("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T03:00:00+02:00");
    check("2026-03-29T02:59:59.999", "Europe/Berlin", "2026-03-29T03:00:00+02:00");
    check("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T03:00:00+02:00");
    check("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T02:30:00+02:00");
    check("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T03:00:00+01:00");
    check("2100-03-28T02:30", "Europe/Berlin", "2100-03-28T03:00:00+02:00");
    check("2026-03-08T02:15", "America/New_York", "2026-03-08T03:00:00-04:00");
    check("2026-11-01T01:15", "America/New_York", "2026-11-01T01:15:00-04:00");
    check("2026-10-04T02:15", "Australia/Lord_Howe", "2026-10-04T02:30:00+11:00");
    check("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-05T01:45:00+11:00");
    check("2018-11-04T00:30", "America/Sao_Paulo", "2018-11-04T01:00:00-02:00");
    check("2011-12-30T09:00", "Pacific/Apia", "2011-12-31T00:00:00+14:00");
    check("2026-03-29T02:30", "Asia/Kolkata", "2026-03-29T02:30:00+05:30");
}

#[test]
fn zones_are_iana_names() {
    for name in ZONES {
        assert!(known_zone(name), "{name}");
    }
    for name in ["", "Europe/Atlantis", "Etc/Unknown", "+02:00", "../../etc/passwd"] {
        assert!(!known_zone(name), "{name}");
    }
}

fn check_after_days(now: &str, days: i64, time: &str, weekdays: &str, expected: &str) {
    let zone = named("Europe/Berlin");
    let found = after_days(at(now), days, time.parse().unwrap(), Weekdays::parse(weekdays).unwrap(), &zone);
    assert_eq!(shown(found, &zone), expected, "{now} for {days} days at {time} {weekdays}");
}

#[test]
fn that_many_dates_later() {
    check_after_days("2026-03-27T22:00:00+01:00", 2, "09:00", "daily", "2026-03-29T09:00:00+02:00");
    check_after_days("2026-03-27T22:00:00+01:00", 2, "02:30", "daily", "2026-03-29T03:00:00+02:00");
    check_after_days("2026-03-27T22:00:00+01:00", 2, "09:00", "weekdays", "2026-03-30T09:00:00+02:00");
    check_after_days("2026-10-24T02:30:00+02:00", 1, "02:30", "daily", "2026-10-25T02:30:00+02:00");
    check_after_days("2026-03-27T08:00:00+01:00", 0, "09:00", "daily", "2026-03-27T09:00:00+01:00");
    check_after_days("2026-03-27T09:00:00+01:00", 0, "09:00", "daily", "2026-03-27T09:00:00+01:00");
    check_after_days("2026-03-27T09:00:01+01:00", 0, "09:00", "daily", "2026-03-28T09:00:00+01:00");
    check_after_days("2026-03-27T09:00:01+01:00", 0, "09:00", "fri", "2026-04-03T09:00:00+02:00");
    check_after_days("2026-10-25T02:10:00+01:00", 0, "02:30", "daily", "2026-10-26T02:30:00+01:00");
    check_after_days("2026-03-27T09:00:00+01:00", -5, "10:00", "daily", "2026-03-27T10:00:00+01:00");
}

fn check_next_at(now: &str, time: &str, weekdays: Weekdays, zone_name: &str, expected: &str) {
    let zone = named(zone_name);
    let found = next_at(at(now), time.parse().unwrap(), weekdays, &zone);
    assert_eq!(shown(found, &zone), expected, "{now} until {time} {weekdays} {zone_name}");
}

#[test]
fn the_next_such_time() {
    let all = Weekdays::ALL;
    let fri = Weekdays(0b001_0000);
    check_next_at("2026-03-27T08:59:00+01:00", "09:00", all, "Europe/Berlin", "2026-03-27T09:00:00+01:00");
    check_next_at("2026-03-27T09:00:00+01:00", "09:00", all, "Europe/Berlin", "2026-03-28T09:00:00+01:00");
    check_next_at("2026-03-28T02:30:00+01:00", "02:30", all, "Europe/Berlin", "2026-03-29T03:00:00+02:00");
    check_next_at("2026-03-29T03:00:00+02:00", "02:30", all, "Europe/Berlin", "2026-03-30T02:30:00+02:00");
    check_next_at("2026-10-25T02:30:00+02:00", "02:30", all, "Europe/Berlin", "2026-10-26T02:30:00+01:00");
    check_next_at("2026-10-25T02:10:00+01:00", "02:30", all, "Europe/Berlin", "2026-10-26T02:30:00+01:00");
    check_next_at("2026-03-27T22:00:00Z", "08:00", fri, "Asia/Tokyo", "2026-04-03T08:00:00+09:00");
    check_next_at("2011-12-30T09:30:00Z", "09:00", all, "Pacific/Apia", "2011-12-31T00:00:00+14:00");
    check_next_at("2011-12-29T20:00:00-10:00", "09:00", fri, "Pacific/Apia", "2011-12-31T00:00:00+14:00");
    check_next_at("2011-12-31T00:00:00+14:00", "09:00", fri, "Pacific/Apia", "2012-01-06T09:00:00+14:00");
}

#[test]
fn far_away_saturates() {
    let zone = named("Europe/Berlin");
    let noon = jiff::civil::time(12, 0, 0, 0);
    assert_eq!(next_at(i64::MAX, noon, Weekdays::ALL, &zone), end_of_time());
    assert_eq!(after_days(0, i64::MAX, noon, Weekdays::ALL, &zone), end_of_time());
    assert_eq!(next_at(0, noon, Weekdays(0), &zone), end_of_time());
    assert!(next_at(i64::MIN, noon, Weekdays::ALL, &zone) < 0);
    assert_eq!(resolve(DateTime::MAX, &zone), end_of_time());
    assert_eq!(resolve(DateTime::MIN, &zone), floor_millis(Timestamp::MIN));
    assert_eq!(floor_millis("1969-12-31T23:59:59.9995Z".parse().unwrap()), -1);
}

proptest! {
    /// The first minute at which the clock has shown the time or anything later: gaps and overlaps need no cases of their own.
    #[test]
    fn resolves_to_the_first_instant_that_reaches_it((zone, start) in near_transitions(), minutes in 0i64..3_000) {
        let civil = civil_at(start, &zone).saturating_add(Span::new().minutes(minutes));
        let mut instant = start - 2 * 86_400_000;
        while civil_at(instant, &zone) < civil {
            instant += 60_000;
        }
        let found = resolve(civil, &zone);
        prop_assert!(found == instant, "{civil}: {} is not {}", shown(found, &zone), shown(instant, &zone));
    }

    #[test]
    fn a_later_wall_clock_time_is_no_earlier_instant((zone, start) in near_transitions(), minutes in 0i64..3_000) {
        let civil = civil_at(start, &zone);
        let later = civil.saturating_add(Span::new().minutes(minutes));
        prop_assert!(resolve(civil, &zone) <= start);
        prop_assert!(resolve(civil, &zone) <= resolve(later, &zone));
    }

    #[test]
    fn the_next_time_is_later_and_none_lies_between((zone, now) in near_transitions(), hour in 0i8..24, days in 1u8..128) {
        let (time, weekdays) = (jiff::civil::time(hour, 30, 0, 0), Weekdays(days));
        let found = next_at(now, time, weekdays, &zone);
        prop_assert!(found > now);
        let today = civil_at(now, &zone).date();
        let brute = (-3i64..20)
            .map(|offset| today.saturating_add(Span::new().days(offset)))
            .filter(|date| weekdays.contains(*date))
            .map(|date| resolve(date.to_datetime(time), &zone))
            .filter(|instant| *instant > now)
            .min();
        prop_assert_eq!(Some(found), brute);
        let waited = after_days(now, 0, time, weekdays, &zone);
        prop_assert!(waited >= now && waited <= found);
        prop_assert_eq!(after_days(now + 1, 0, time, weekdays, &zone), found);
    }
}
