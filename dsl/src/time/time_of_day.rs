//! Times of day as written: "09:00", "9:00", "21:30:15".

/// A time of day on a wall clock.
pub type Time = jiff::civil::Time;

/// The text is no time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time of day; write hours and minutes from 00:00 to 23:59, such as \"09:00\" (quoted) or \"21:30:15\"")]
pub struct TimeError(pub String);

/// Reads `HH:MM` or `HH:MM:SS` on the 24-hour clock; the hour may have one digit. Space around it is ignored.
///
/// # Errors
/// For anything else, `24:00` included: the day's end is the next day's `00:00`.
pub fn parse_time(text: &str) -> Result<Time, TimeError> {
    read(text.trim()).ok_or_else(|| TimeError(text.to_owned()))
}

fn read(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let hour = parts.next().filter(|part| part.len() <= 2)?;
    let minute = parts.next().filter(|part| part.len() == 2)?;
    let second = parts.next().unwrap_or("00");
    if second.len() != 2 || parts.next().is_some() {
        return None;
    }
    Time::new(number(hour)?, number(minute)?, number(second)?, 0).ok()
}

/// Digits only: `parse` alone would take a sign.
fn number(digits: &str) -> Option<i8> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(i8, i8, i8)>) {
        let expected = expected.map(|(hour, minute, second)| jiff::civil::time(hour, minute, second, 0));
        assert_eq!(parse_time(text).ok(), expected, "{text:?}");
    }

    #[test]
    fn times_of_day() {
        check("09:00", Some((9, 0, 0)));
        check("9:00", Some((9, 0, 0)));
        check(" 23:59 ", Some((23, 59, 0)));
        check("00:00", Some((0, 0, 0)));
        check("21:30:15", Some((21, 30, 15)));
        for wrong in [
            "",
            ":",
            "9",
            "9:5",
            "009:00",
            "24:00",
            "12:60",
            "12:00:60",
            "12:00:00:00",
            "-1:00",
            "+9:00",
            "12:+1",
            "9am",
            "09.00",
            "1２:00",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_error_says_what_to_write() {
        assert_eq!(
            parse_time("9am").map_err(|error| error.to_string()),
            Err("`9am` is no time of day; write hours and minutes from 00:00 to 23:59, such as \"09:00\" (quoted) or \"21:30:15\"".to_owned())
        );
    }
}
