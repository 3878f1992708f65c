//! Durations as written: "2 days", "1 hour 30 minutes", "90m", "P2D".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A span of exact time in milliseconds; `2 days` is 48 hours. May be negative where the language allows it (offsets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(pub i64);

/// The text is no duration; holds what was found and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DurationError(pub String);

/// A hundred years, of 365.25 days each.
const LONGEST: i128 = 36_525 * 86_400_000;

const ALLOWED: &str = "write a number and a unit, such as `30 minutes`, `2 days`, `1h 30m` or `P2D`";

impl Duration {
    pub const SECOND: Duration = Duration(1_000);
    pub const MINUTE: Duration = Duration(60_000);
    pub const HOUR: Duration = Duration(3_600_000);
    pub const DAY: Duration = Duration(86_400_000);
    pub const WEEK: Duration = Duration(7 * 86_400_000);

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads words (`1 hour 30 minutes`), short forms (`1h30m`) and ISO 8601-1:2019 section 5.5.2 (`PT1H30M`), in any case, with an
    /// optional leading minus; numbers may have decimals and are rounded to milliseconds. `0` needs no unit.
    ///
    /// # Errors
    /// For any other text, for months and years, which are no exact spans, and for more than 100 years.
    pub fn parse(text: &str) -> Result<Duration, DurationError> {
        let text = text.trim();
        let unsigned = text.strip_prefix('-').map(str::trim_start);
        let body = unsigned.unwrap_or(text);
        if body.is_empty() {
            return Err(no_duration(text));
        }
        let millis = match body.strip_prefix(['P', 'p']) {
            Some(designated) => iso_8601(designated, text)?,
            None => words(body, text)?,
        };
        let millis = i64::try_from(millis).map_err(|_| too_long(text))?;
        Ok(Duration(if unsigned.is_some() { -millis } else { millis }))
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Duration, DurationError> {
        Duration::parse(text)
    }
}

/// The shortest plain English, which [`Duration::parse`] reads back: `2 days`, `1 hour 30 minutes`, `-7 days`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let mut left = self.0.unsigned_abs();
        let mut parts = Vec::new();
        for (unit, name) in [(Duration::DAY, "day"), (Duration::HOUR, "hour"), (Duration::MINUTE, "minute")] {
            let unit = unit.0.unsigned_abs();
            match left / unit {
                0 => {}
                1 => parts.push(format!("1 {name}")),
                count => parts.push(format!("{count} {name}s")),
            }
            left %= unit;
        }
        match (left / 1_000, left % 1_000) {
            (0, 0) if !parts.is_empty() => {}
            (1, 0) => parts.push("1 second".to_owned()),
            (seconds, 0) => parts.push(format!("{seconds} seconds")),
            (seconds, millis) => {
                let decimals = format!("{millis:03}");
                parts.push(format!("{seconds}.{} seconds", decimals.trim_end_matches('0')));
            }
        }
        f.write_str(&parts.join(" "))
    }
}

/// Adds up parts from the largest unit to the smallest, each at most once.
struct Sum<'a> {
    text: &'a str,
    millis: i128,
    /// Of the last part.
    unit: i128,
}

impl<'a> Sum<'a> {
    fn new(text: &'a str) -> Sum<'a> {
        Sum { text, millis: 0, unit: i128::MAX }
    }

    fn add(&mut self, number: &Number, unit: Duration) -> Result<(), DurationError> {
        let unit = i128::from(unit.0);
        if unit >= self.unit {
            return Err(DurationError(format!(
                "`{}` mixes its units; write each at most once, from the largest to the smallest, such as `1 hour 30 minutes`",
                self.text
            )));
        }
        self.unit = unit;
        self.millis += number.times(unit);
        if self.millis > LONGEST { Err(too_long(self.text)) } else { Ok(()) }
    }
}

/// A decimal: the digits without the point, of which the last `decimals` stand behind it.
struct Number<'a> {
    written: &'a str,
    digits: i128,
    decimals: u32,
}

impl<'a> Number<'a> {
    /// The number at the start of `rest`, and what follows it. Decimals from the tenth on are too small to matter.
    fn read(rest: &'a str, text: &str) -> Result<(Number<'a>, &'a str), DurationError> {
        let whole = leading_digits(rest);
        if whole.is_empty() {
            return Err(no_duration(text));
        }
        let mut length = whole.len();
        let mut decimals = "";
        if let Some(behind) = rest[length..].strip_prefix(['.', ',']) {
            decimals = leading_digits(behind);
            length += if decimals.is_empty() { 0 } else { 1 + decimals.len() };
        }
        let decimals = &decimals[..decimals.len().min(9)];
        let whole = whole.trim_start_matches('0');
        if whole.len() > 18 {
            return Err(too_long(text));
        }
        let digits = format!("0{whole}{decimals}").parse().map_err(|_| too_long(text))?;
        let number = Number { written: &rest[..length], digits, decimals: decimals.len() as u32 };
        Ok((number, &rest[length..]))
    }

    /// Rounded half up; at most 27 digits times a week in milliseconds, so far from an overflow.
    fn times(&self, unit: i128) -> i128 {
        let scale = 10i128.pow(self.decimals);
        (self.digits * unit + scale / 2) / scale
    }
}

fn leading_digits(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())]
}

fn words(body: &str, text: &str) -> Result<i128, DurationError> {
    let mut sum = Sum::new(text);
    let mut rest = body;
    while !rest.is_empty() {
        let (number, behind) = Number::read(rest, text)?;
        let behind = behind.trim_start();
        let end = behind.find(|c: char| c.is_ascii_digit() || c.is_whitespace()).unwrap_or(behind.len());
        let word = &behind[..end];
        if word.is_empty() && rest == body && behind.is_empty() && number.digits == 0 {
            return Ok(0);
        }
        sum.add(&number, unit(word, &number)?)?;
        rest = behind[end..].trim_start();
    }
    Ok(sum.millis)
}

fn unit(word: &str, number: &Number) -> Result<Duration, DurationError> {
    let written = number.written;
    // A capital M would be a month to some and a minute to others.
    let lower = if word == "M" { word.to_owned() } else { word.to_lowercase() };
    match lower.as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => Ok(Duration::SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Ok(Duration::MINUTE),
        "h" | "hr" | "hrs" | "hour" | "hours" => Ok(Duration::HOUR),
        "d" | "day" | "days" => Ok(Duration::DAY),
        "w" | "week" | "weeks" => Ok(Duration::WEEK),
        "month" | "months" => Err(inexact(&format!("{written} {word}"), "30 days")),
        "y" | "year" | "years" => Err(inexact(&format!("{written} {word}"), "365 days")),
        "" => {
            let message = format!("`{written}` has no unit; write `{written} minutes`, `{written} hours` or `{written} days`");
            Err(DurationError(message))
        }
        _ => Err(DurationError(format!(
            "`{word}` is no unit of time; use seconds, minutes, hours, days or weeks (or s, m, h, d, w)"
        ))),
    }
}

/// What follows the `P`.
fn iso_8601(designated: &str, text: &str) -> Result<i128, DurationError> {
    let upper = designated.to_ascii_uppercase();
    let (dates, times) = match upper.split_once('T') {
        Some((_, "")) => return Err(no_duration(text)),
        Some((dates, times)) => (dates, times),
        None if upper.is_empty() => return Err(no_duration(text)),
        None => (upper.as_str(), ""),
    };
    let mut sum = Sum::new(text);
    for (mut rest, of_day) in [(dates, false), (times, true)] {
        while !rest.is_empty() {
            let (number, behind) = Number::read(rest, text)?;
            let mut designators = behind.chars();
            let unit = match (designators.next(), of_day) {
                (Some('W'), false) => Duration::WEEK,
                (Some('D'), false) => Duration::DAY,
                (Some('H'), true) => Duration::HOUR,
                (Some('M'), true) => Duration::MINUTE,
                (Some('S'), true) => Duration::SECOND,
                (Some('M'), false) => return Err(inexact(text, "P30D")),
                (Some('Y'), false) => return Err(inexact(text, "P365D")),
                _ => return Err(no_duration(text)),
            };
            sum.add(&number, unit)?;
            rest = designators.as_str();
        }
    }
    Ok(sum.millis)
}

fn no_duration(text: &str) -> DurationError {
    if text.is_empty() {
        return DurationError(format!("the duration is empty; {ALLOWED}"));
    }
    DurationError(format!("`{text}` is no duration; {ALLOWED}"))
}

fn inexact(found: &str, instead: &str) -> DurationError {
    DurationError(format!(
        "`{found}` is no exact span of time, as months and years differ in length; write days, such as `{instead}`"
    ))
}

fn too_long(text: &str) -> DurationError {
    DurationError(format!("`{text}` is too long; a duration is at most 100 years (36525 days)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The milliseconds, or a piece of the error.
    fn check(text: &str, expected: Result<i64, &str>) {
        match (Duration::parse(text), expected) {
            (Ok(found), Ok(millis)) => assert_eq!(found.millis(), millis, "{text:?}"),
            (Err(error), Err(piece)) => {
                assert!(error.to_string().contains(piece), "{text:?}: {error}")
            }
            (found, expected) => panic!("{text:?}: {found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn words_and_short_forms() {
        const HOUR: i64 = 3_600_000;
        check("30 seconds", Ok(30_000));
        check("90 minutes", Ok(90 * 60_000));
        check("2 days", Ok(48 * HOUR));
        check("1 week", Ok(168 * HOUR));
        check("2 weeks", Ok(336 * HOUR));
        check("1 hour 30 minutes", Ok(HOUR * 3 / 2));
        check("1 Hour 30 MINUTES", Ok(HOUR * 3 / 2));
        check("30m", Ok(HOUR / 2));
        check("1h", Ok(HOUR));
        check("2d", Ok(48 * HOUR));
        check("2D", Ok(48 * HOUR));
        check("1w", Ok(168 * HOUR));
        check("1h30m", Ok(HOUR * 3 / 2));
        check("1h 30m", Ok(HOUR * 3 / 2));
        check("  45 s ", Ok(45_000));
        check("1.5 hours", Ok(HOUR * 3 / 2));
        check("0.5s", Ok(500));
        check("0.00049 seconds", Ok(0));
        check("-7 days", Ok(-168 * HOUR));
        check("- 7 days", Ok(-168 * HOUR));
        check("0", Ok(0));
        check("-0", Ok(0));
        check("0m", Ok(0));
        check("0 days", Ok(0));
        check("36525 days", Ok(36_525 * 24 * HOUR));
    }

    #[test]
    fn iso_8601_durations() {
        check("P2D", Ok(172_800_000));
        check("PT1H30M", Ok(5_400_000));
        check("P1W", Ok(604_800_000));
        check("P1DT12H", Ok(129_600_000));
        check("-P1D", Ok(-86_400_000));
        check("pt0.5s", Ok(500));
        check("PT1,5H", Ok(5_400_000));
        check("P1M", Err("`P1M` is no exact span"));
        check("P1Y", Err("write days, such as `P365D`"));
        for wrong in ["P", "PT", "P1DT", "P1H", "PT1D", "P2", "PD", "P-2D", "P1D2H", "P 2D", "P1DT2HT3M"] {
            check(wrong, Err("is no duration"));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        check("", Err("the duration is empty"));
        check("-", Err("`-` is no duration"));
        check("--1 day", Err("`--1 day` is no duration"));
        check("soon", Err("`soon` is no duration; write a number and a unit"));
        check("two days", Err("is no duration"));
        check(".5 hours", Err("is no duration"));
        check("5", Err("`5` has no unit; write `5 minutes`, `5 hours` or `5 days`"));
        check("1 hour 30", Err("`30` has no unit"));
        check("0 0", Err("`0` has no unit"));
        check(
            "1 month",
            Err("`1 month` is no exact span of time, as months and years differ in length; write days, such as `30 days`"),
        );
        check("2 years", Err("write days, such as `365 days`"));
        check("500 ms", Err("`ms` is no unit of time; use seconds, minutes, hours, days or weeks"));
        check("5M", Err("`M` is no unit of time"));
        check("1 hour and 30 minutes", Err("is no duration"));
        check("1.5.5 hours", Err("is no unit"));
        check("30 minutes 1 hour", Err("from the largest to the smallest"));
        check("1h 2h", Err("each at most once"));
        check("36526 days", Err("at most 100 years"));
        check("36525 days 1 second", Err("at most 100 years"));
        check("99999999999999999999999999999999999999999999 weeks", Err("at most 100 years"));
        check("999999999999999999.999999999 weeks", Err("at most 100 years"));
        check("PT9223372036854775807H", Err("at most 100 years"));
    }

    #[test]
    fn shortest_plain_english() {
        for (millis, expected) in [
            (0, "0 seconds"),
            (1_000, "1 second"),
            (1_500, "1.5 seconds"),
            (1, "0.001 seconds"),
            (60_000, "1 minute"),
            (5_400_000, "1 hour 30 minutes"),
            (172_800_000, "2 days"),
            (-604_800_000, "-7 days"),
            (90_061_000, "1 day 1 hour 1 minute 1 second"),
            (i64::MIN, "-106751991167 days 7 hours 12 minutes 55.808 seconds"),
        ] {
            assert_eq!(Duration(millis).to_string(), expected);
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_prints(millis in -LONGEST as i64..=LONGEST as i64, coarse in prop::sample::select(vec![1, 1_000, 60_000, 3_600_000])) {
            let duration = Duration(millis / coarse * coarse);
            prop_assert_eq!(Duration::parse(&duration.to_string()), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "-?[Pp]?([0-9.,]{0,30} ?[a-zA-Zµ]{0,4} ?){0,4}") {
            if let Ok(duration) = Duration::parse(&text) {
                prop_assert!(i128::from(duration.0.unsigned_abs()) <= LONGEST);
            }
        }
    }
}
