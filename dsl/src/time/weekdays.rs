//! Sets of weekdays as written: "mon", "Thursday", "weekdays".

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A set of weekdays, Monday is bit 0. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Weekdays(pub u8);

/// The text names no weekday and no set of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no weekday; use mon, tue, wed, thu, fri, sat, sun (or the full names), weekdays, weekends or daily")]
pub struct WeekdaysError(pub String);

const NAMES: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

impl Weekdays {
    pub const ALL: Weekdays = Weekdays(0b111_1111);
    /// Monday to Friday.
    pub const WORKING: Weekdays = Weekdays(0b001_1111);
    /// Saturday and Sunday.
    pub const WEEKENDS: Weekdays = Weekdays(0b110_0000);

    /// Whether the set holds this date's weekday.
    pub fn contains(self, date: Date) -> bool {
        self.0 & (1 << date.weekday().to_monday_zero_offset()) != 0
    }

    /// The days of both sets.
    #[must_use]
    pub fn union(self, other: Weekdays) -> Weekdays {
        Weekdays(self.0 | other.0)
    }

    /// Reads one word in any case: a weekday's name or its first three letters, or a set: `weekdays`, `weekends`, `daily`,
    /// `every day`.
    ///
    /// # Errors
    /// For any other text.
    pub fn parse(text: &str) -> Result<Weekdays, WeekdaysError> {
        let word = text.trim().to_ascii_lowercase();
        match word.as_str() {
            "weekdays" => return Ok(Weekdays::WORKING),
            "weekends" => return Ok(Weekdays::WEEKENDS),
            "daily" | "every day" => return Ok(Weekdays::ALL),
            _ => {}
        }
        NAMES
            .iter()
            .position(|name| word == *name || word == name[..3])
            .map(|day| Weekdays(1 << day))
            .ok_or_else(|| WeekdaysError(text.to_owned()))
    }
}

/// As the language writes it: `daily`, `weekdays`, `weekends`, else a list such as `mon, thu`.
impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Weekdays::ALL => f.write_str("daily"),
            Weekdays::WORKING => f.write_str("weekdays"),
            Weekdays::WEEKENDS => f.write_str("weekends"),
            Weekdays(days) => {
                let named: Vec<&str> = (0..7).filter(|day| days & (1 << day) != 0).map(|day| &NAMES[day][..3]).collect();
                f.write_str(&named.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u8>) {
        assert_eq!(Weekdays::parse(text).ok(), expected.map(Weekdays), "{text:?}");
    }

    #[test]
    fn words() {
        check("mon", Some(0b000_0001));
        check("Tue", Some(0b000_0010));
        check("WEDNESDAY", Some(0b000_0100));
        check(" thursday ", Some(0b000_1000));
        check("fri", Some(0b001_0000));
        check("Saturday", Some(0b010_0000));
        check("sun", Some(0b100_0000));
        check("weekdays", Some(0b001_1111));
        check("Weekends", Some(0b110_0000));
        check("daily", Some(0b111_1111));
        check("every day", Some(0b111_1111));
        for wrong in ["", "mo", "mond", "1", "mon-fri", "mon, thu", "holidays", "montag"] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_error_lists_what_is_allowed() {
        let error = Weekdays::parse("montag").map_err(|error| error.to_string());
        let expected =
            "`montag` is no weekday; use mon, tue, wed, thu, fri, sat, sun (or the full names), weekdays, weekends or daily";
        assert_eq!(error, Err(expected.to_owned()));
    }

    #[test]
    fn a_set_holds_its_dates_and_no_others() {
        let monday = jiff::civil::date(2026, 3, 30);
        for (offset, name) in NAMES.iter().enumerate() {
            let date = monday.saturating_add(jiff::Span::new().days(offset as i64));
            for other in NAMES {
                assert_eq!(Weekdays::parse(other).unwrap().contains(date), *name == other, "{name} {other}");
            }
        }
    }

    #[test]
    fn reads_back_what_it_prints() {
        for days in 1..=0b111_1111 {
            let shown = Weekdays(days).to_string();
            let read = shown.split(", ").map(|word| Weekdays::parse(word).unwrap()).reduce(Weekdays::union);
            assert_eq!(read, Some(Weekdays(days)), "{shown}");
        }
    }
}
