//! The crontab wrapper against known cases, a brute-force Vixie cron, and clocks read minute by minute.

use jiff::Span;
use jiff::civil::{Date, DateTime};
use proptest::prelude::*;

use super::super::wall_clock::tests::{at, named, near_transitions, shown};
use super::*;

/// The firings after `after`, as many as are expected.
fn check(text: &str, zone_name: &str, after: &str, expected: &[&str]) {
    let zone = named(zone_name);
    let cron = Cron::parse(text).unwrap();
    let mut after = at(after);
    let found: Vec<String> = expected
        .iter()
        .map(|_| {
            after = cron.next_after(after, &zone).unwrap();
            shown(after, &zone)
        })
        .collect();
    assert_eq!(found, expected, "{text} {zone_name}");
}

#[test]
fn standard_crontab() {
    // 27 March 2026 is a Friday.
    let check = |text, expected: &[&str]| check(text, "UTC", "2026-03-27T10:00:00Z", expected);
    check("0 9 * * MON", &["2026-03-30T09:00:00+00:00", "2026-04-06T09:00:00+00:00"]);
    check("0 9 * * 1", &["2026-03-30T09:00:00+00:00"]);
    check("0 9 * * 0", &["2026-03-29T09:00:00+00:00"]);
    check("0 9 * * 7", &["2026-03-29T09:00:00+00:00"]);
    check("0 9 * * fri-Sun", &["2026-03-28T09:00:00+00:00", "2026-03-29T09:00:00+00:00", "2026-04-03T09:00:00+00:00"]);
    check("0 9 * * 5-7", &["2026-03-28T09:00:00+00:00", "2026-03-29T09:00:00+00:00", "2026-04-03T09:00:00+00:00"]);
    check(
        "0 9 * * 7-2",
        &["2026-03-29T09:00:00+00:00", "2026-03-30T09:00:00+00:00", "2026-03-31T09:00:00+00:00", "2026-04-05T09:00:00+00:00"],
    );
    check("0 9 * * 0-7", &["2026-03-28T09:00:00+00:00"]);
    check("*/20 * * * *", &["2026-03-27T10:20:00+00:00", "2026-03-27T10:40:00+00:00", "2026-03-27T11:00:00+00:00"]);
    check("10-40/15 12 * * *", &["2026-03-27T12:10:00+00:00", "2026-03-27T12:25:00+00:00", "2026-03-27T12:40:00+00:00"]);
    check("0 10 * * *", &["2026-03-28T10:00:00+00:00"]);
    check("5,3 1 1 JAN,jul *", &["2026-07-01T01:03:00+00:00", "2026-07-01T01:05:00+00:00", "2027-01-01T01:03:00+00:00"]);
    // Either day may match, unless one of the fields starts with a star.
    check("0 0 1 * MON", &["2026-03-30T00:00:00+00:00", "2026-04-01T00:00:00+00:00", "2026-04-06T00:00:00+00:00"]);
    check("0 0 30 2 MON", &["2027-02-01T00:00:00+00:00"]);
    check("0 0 */2 * MON", &["2026-04-13T00:00:00+00:00", "2026-04-27T00:00:00+00:00"]);
    check("0 0 29 2 */7", &["2032-02-29T00:00:00+00:00"]);
    check("@hourly", &["2026-03-27T11:00:00+00:00"]);
    check("@daily", &["2026-03-28T00:00:00+00:00"]);
    check("@midnight", &["2026-03-28T00:00:00+00:00"]);
    check("@weekly", &["2026-03-29T00:00:00+00:00"]);
    check("@Monthly", &["2026-04-01T00:00:00+00:00"]);
    check("@yearly", &["2027-01-01T00:00:00+00:00"]);
    check("  @annually ", &["2027-01-01T00:00:00+00:00"]);
}

#[test]
fn clock_changes() {
    let berlin = "Europe/Berlin";
    check(
        "30 2 * * *",
        berlin,
        "2026-03-28T00:00:00Z",
        &["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"],
    );
    check("30 2 * * *", berlin, "2026-10-24T12:00:00Z", &["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]);
    check("30 2 * * *", berlin, "2026-10-25T02:10:00+01:00", &["2026-10-26T02:30:00+01:00"]);
    check("30 2,3 29 3 *", berlin, "2026-03-28T00:00:00Z", &["2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"]);
    check("0 2,3 29 3 *", berlin, "2026-03-28T00:00:00Z", &["2026-03-29T03:00:00+02:00", "2027-03-29T02:00:00+02:00"]);
    check("*/15 * * * *", berlin, "2026-03-29T01:45:00+01:00", &["2026-03-29T03:00:00+02:00", "2026-03-29T03:15:00+02:00"]);
    check("*/30 * * * *", berlin, "2026-10-25T02:00:00+02:00", &["2026-10-25T02:30:00+02:00", "2026-10-25T03:00:00+01:00"]);
    check(
        "15 2 * * *",
        "America/New_York",
        "2026-03-08T00:00:00-05:00",
        &["2026-03-08T03:00:00-04:00", "2026-03-09T02:15:00-04:00"],
    );
    check(
        "15 1 * * *",
        "America/New_York",
        "2026-11-01T00:00:00-04:00",
        &["2026-11-01T01:15:00-04:00", "2026-11-02T01:15:00-05:00"],
    );
    check(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-03T12:00:00Z",
        &["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"],
    );
    check(
        "45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T12:00:00Z",
        &["2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"],
    );
    check("0 9 * * *", "Asia/Kolkata", "2026-03-29T00:00:00Z", &["2026-03-29T09:00:00+05:30"]);
    check("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", &["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]);
    check("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00:00-10:00", &["2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"]);
    check(
        "0 0 30 12 *",
        "Pacific/Apia",
        "2011-12-29T12:00:00-10:00",
        &["2011-12-31T00:00:00+14:00", "2012-12-30T00:00:00+14:00"],
    );
}

#[test]
fn the_calendars_ends() {
    let zone = named("Europe/Berlin");
    let cron = Cron::parse("0 0 1 1 *").unwrap();
    assert_eq!(cron.next_after(i64::MIN, &zone), Some(-3_600_000));
    assert_eq!(cron.next_after(-86_400_000, &zone), Some(-3_600_000));
    assert_eq!(cron.next_after(i64::MAX, &zone), None);
    assert_eq!(cron.next_after(at("2100-01-01T00:00:00+01:00"), &zone), None);
}

fn check_refused(text: &str, pieces: &[&str]) {
    let error = Cron::parse(text).unwrap_err().to_string();
    for piece in pieces {
        assert!(error.contains(piece), "{text:?}: {error}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    check_refused("", &["has 0 fields; crontab has five: minute, hour, day of month, month and weekday"]);
    check_refused("0 9 * *", &["has 4 fields", "five"]);
    check_refused("0 0 9 * * MON", &["has 6 fields", "five"]);
    check_refused("0 0 9 * * MON 2026", &["has 7 fields", "five"]);
    check_refused("@reboot", &["`@reboot` names no time", "use @hourly, @daily"]);
    check_refused("@often", &["`@often` is unknown", "@annually"]);
    check_refused("0 0 30 2 *", &["`0 0 30 2 *` never fires"]);
    check_refused("0 0 31 4,6,9,11 *", &["never fires"]);
    check_refused("60 9 * * *", &["`60` in the minute field", "its values are 0 to 59"]);
    check_refused("0 24 * * *", &["hour field", "0 to 23"]);
    check_refused("0 9 0 * *", &["day of month field", "1 to 31"]);
    check_refused("0 9 * 13 *", &["month field", "1 to 12 or JAN to DEC"]);
    check_refused("0 9 * * 8", &["weekday field", "0 to 7 or SUN to SAT"]);
    check_refused("0 9 * * MONDAY", &["`MONDAY` in the weekday field"]);
    check_refused("0 9 * MON *", &["`MON` in the month field"]);
    check_refused("5/15 * * * *", &["a step needs a range, such as `*/5` or `5-59/5`"]);
    check_refused("*/0 * * * *", &["a step is a number above 0"]);
    check_refused("*/ * * * *", &["a step is a number above 0"]);
    check_refused("*/+5 * * * *", &["a step is a number above 0"]);
    check_refused("40-10 * * * *", &["from the lower to the higher"]);
    for wrong in [
        "? * * * *",
        "* * ? * *",
        "* * L * *",
        "0 9 * * MON#1",
        "0 9 15W * *",
        "1, * * * *",
        "1- * * * *",
        "-1 * * * *",
        "1-2-3 * * * *",
        "** * * * *",
        "*-5 * * * *",
        "+5 * * * *",
        "H * * * *",
    ] {
        check_refused(wrong, &["allowed are values, lists, ranges"]);
    }
}

#[test]
fn it_is_stored_as_its_text() {
    let cron = Cron::parse("0 9 * * mon").unwrap();
    let json = serde_json::to_string(&cron).unwrap();
    assert_eq!(json, "\"0 9 * * mon\"");
    assert_eq!(serde_json::from_str::<Cron>(&json).unwrap(), cron);
    assert_ne!(Cron::parse("0 9 * * 1").unwrap(), cron);
    assert_eq!(cron.to_string(), "0 9 * * mon");
    assert!(serde_json::from_str::<Cron>("\"0 0 30 2 *\"").unwrap_err().to_string().contains("never fires"));
}

/// A field as text beside what it means, so that the oracle needs no parser.
#[derive(Debug, Clone)]
struct Meant {
    text: String,
    values: Vec<i8>,
}

/// One item between `least` and `most`; a weekday range may wrap.
fn item(least: i8, most: i8, names: &'static [&'static str]) -> impl Strategy<Value = Meant> {
    let is_weekday = most == 7;
    (0..5, least..=most, least..=most, 1..=most, any::<bool>()).prop_map(move |(form, one, other, step, named)| {
        let shown = |value: i8| match names.get(usize::from((value - least).unsigned_abs())) {
            Some(name) if named => (*name).to_owned(),
            _ => value.to_string(),
        };
        let (from, to) = if is_weekday { (one, other) } else { (one.min(other), one.max(other)) };
        let range = |from: i8, to: i8, step: i8| -> Vec<i8> {
            let to = if to < from { to + 7 } else { to };
            (from..=to)
                .step_by(usize::from(step.unsigned_abs()))
                .map(|value| if is_weekday { value % 7 } else { value })
                .collect()
        };
        // The name of 7 is that of 0, so a range from or to it means the day, not the number.
        let plain = |value: i8| {
            if is_weekday && named { value % 7 } else { value }
        };
        let (from, to) = (plain(from), plain(to));
        let (text, values) = match form {
            0 => ("*".to_owned(), range(least, most, 1)),
            1 => (format!("*/{step}"), range(least, most, step)),
            2 => (shown(from), range(from, from, 1)),
            3 => (format!("{}-{}", shown(from), shown(to)), range(from, to, 1)),
            _ => (format!("{}-{}/{step}", shown(from), shown(to)), range(from, to, step)),
        };
        Meant { text, values }
    })
}

fn field(least: i8, most: i8, names: &'static [&'static str]) -> impl Strategy<Value = Meant> {
    proptest::collection::vec(item(least, most, names), 1..3).prop_map(|items| Meant {
        text: items.iter().map(|item| item.text.clone()).collect::<Vec<_>>().join(","),
        values: items.into_iter().flat_map(|item| item.values).collect(),
    })
}

/// Minute, hour, day of month, month and weekday.
fn line() -> impl Strategy<Value = [Meant; 5]> {
    let months = &["JAN", "feb", "MAR", "apr", "MAY", "jun", "JUL", "aug", "SEP", "oct", "NOV", "dec"];
    let weekdays = &["SUN", "mon", "TUE", "wed", "THU", "fri", "SAT"];
    (field(0, 59, &[]), field(0, 23, &[]), field(1, 31, &[]), field(1, 12, months), field(0, 7, weekdays))
        .prop_map(|(minute, hour, day, month, weekday)| [minute, hour, day, month, weekday])
}

fn text(line: &[Meant; 5]) -> String {
    line.iter().map(|field| field.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Vixie cron's rule for the days.
fn fires_on([_, _, day, month, weekday]: &[Meant; 5], date: Date) -> bool {
    let by_day = day.values.contains(&date.day());
    let by_weekday = weekday.values.contains(&date.weekday().to_sunday_zero_offset());
    let starred = day.text.starts_with('*') || weekday.text.starts_with('*');
    month.values.contains(&date.month()) && if starred { by_day && by_weekday } else { by_day || by_weekday }
}

fn fires_at(line: &[Meant; 5], civil: DateTime) -> bool {
    line[0].values.contains(&civil.minute()) && line[1].values.contains(&civil.hour()) && fires_on(line, civil.date())
}

/// The next firing on a clock that never changes, found by trying one day, one minute after the other.
fn brute_force(line: &[Meant; 5], after: DateTime) -> Option<DateTime> {
    std::iter::successors(Some(after.date()), |date| date.tomorrow().ok())
        .take(30 * 366)
        .filter(|date| fires_on(line, *date))
        .flat_map(|date| (0..24).flat_map(move |hour| (0..60).map(move |minute| date.at(hour, minute, 0, 0))))
        .find(|civil| *civil > after && line[1].values.contains(&civil.hour()) && line[0].values.contains(&civil.minute()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn agrees_with_a_brute_force_vixie_cron(line in line(), minute in 0i64..40_000_000, second in 0i64..120) {
        let utc = named("UTC");
        let start = (minute * 60 + second) * 1_000;
        let expected = brute_force(&line, civil_at(start, &utc));
        match Cron::parse(&text(&line)) {
            Ok(cron) => {
                let found = cron.next_after(start, &utc).map(|instant| civil_at(instant, &utc));
                prop_assert!(found == expected, "{} after {}: {found:?} is not {expected:?}", text(&line), shown(start, &utc));
            }
            Err(error) => {
                prop_assert!(error.to_string().contains("never fires"), "{error}");
                prop_assert_eq!(expected, None);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// A clock is watched minute by minute; a time fires at the first minute at which the clock has reached it, so what the clock
    /// jumps over fires at the jump and what it shows again does not.
    #[test]
    fn agrees_with_watching_the_clock(line in line(), (zone, start) in near_transitions()) {
        let Ok(cron) = Cron::parse(&text(&line)) else { return Ok(()) };
        let end = start + 3 * 86_400_000;
        let mut reached = civil_at(start - 2 * 86_400_000, &zone);
        let mut expected = Vec::new();
        for instant in (start - 2 * 86_400_000..=end).step_by(60_000) {
            let shown = civil_at(instant, &zone);
            let mut due = false;
            while reached < shown {
                reached = reached.saturating_add(Span::new().minutes(1));
                due |= fires_at(&line, reached);
            }
            if due && instant > start {
                expected.push(instant);
            }
        }
        let mut after = start;
        let mut found = Vec::new();
        while let Some(instant) = cron.next_after(after, &zone).filter(|instant| *instant <= end) {
            prop_assert!(instant > after);
            // The same firing is found from anywhere between.
            prop_assert_eq!(cron.next_after((after + instant) / 2, &zone), Some(instant));
            found.push(instant);
            after = instant;
        }
        let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        let differs = differs.map(|(found, expected)| (shown(*found, &zone), shown(*expected, &zone)));
        prop_assert!(found == expected, "{}: {} found, {} expected, {differs:?}", text(&line), found.len(), expected.len());
    }
}
