//! The five fields of a crontab line, from the text to the cron crate's own notation.

use super::CronError;

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// What one of the fields may hold.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// The first name stands for `least`.
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, names: &[] },
    Field { name: "hour", least: 0, most: 23, names: &[] },
    Field { name: "day of month", least: 1, most: 31, names: &[] },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    },
    Field { name: "weekday", least: 0, most: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

/// The crate's expressions of which any may match: two where neither day field starts with `*`.
pub fn expressions(text: &str) -> Result<Vec<String>, CronError> {
    let line = full_line(text)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let Ok([minute, hour, day, month, weekday]) = <[&str; 5]>::try_from(words.as_slice()) else {
        return Err(CronError(format!(
            "`{text}` has {} fields; crontab has five: minute, hour, day of month, month and weekday, such as `0 9 * * MON`",
            words.len()
        )));
    };
    let [minutes, hours, days, months, weekdays] = &FIELDS;
    let (minutes, hours, months) = (minutes.read(minute)?, hours.read(hour)?, months.read(month)?);
    let (days, weekdays) = (days.read(day)?, weekdays.read_weekdays(weekday)?);
    let expression = |days: &str, weekdays: &str| format!("0 {minutes} {hours} {days} {months} {weekdays}");
    if day.starts_with('*') || weekday.starts_with('*') {
        Ok(vec![expression(&days, &weekdays)])
    } else {
        Ok(vec![expression(&days, "*"), expression("*", &weekdays)])
    }
}

/// The line that a nickname stands for, or the text itself.
fn full_line(text: &str) -> Result<&str, CronError> {
    let text = text.trim();
    if !text.starts_with('@') {
        return Ok(text);
    }
    let known = NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(text));
    known.map(|(_, line)| *line).ok_or_else(|| {
        let why = if text.eq_ignore_ascii_case("@reboot") {
            "names no time, as campaigns do not depend on restarts"
        } else {
            "is unknown"
        };
        let allowed: Vec<&str> = NICKNAMES.iter().map(|(nickname, _)| *nickname).collect();
        CronError(format!("`{text}` {why}; use {}, or five fields such as `0 9 * * MON`", allowed.join(", ")))
    })
}

impl Field {
    /// The field in the crate's notation.
    fn read(&self, text: &str) -> Result<String, CronError> {
        let values = self.values(text)?;
        let all = (self.least..=self.most).all(|value| values & (1 << value) != 0);
        Ok(if all { "*".to_owned() } else { listed((self.least..=self.most).filter(|value| values & (1 << value) != 0)) })
    }

    /// The crate counts weekdays from Sunday as 1.
    fn read_weekdays(&self, text: &str) -> Result<String, CronError> {
        let values = self.values(text)?;
        let days: Vec<u32> = (0..7).filter(|day| values & (1 << day) != 0).collect();
        Ok(if days.len() == 7 { "*".to_owned() } else { listed(days.iter().map(|day| day + 1)) })
    }

    /// The values that a list of items stands for, as bits. Sunday is bit 0.
    fn values(&self, text: &str) -> Result<u64, CronError> {
        text.split(',').try_fold(0, |values, item| Ok(values | self.item(item)?))
    }

    /// `*`, `5`, `MON`, `1-5`, `FRI-SUN`, and ranges with a step: `*/5`, `10-40/5`.
    fn item(&self, item: &str) -> Result<u64, CronError> {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            Some((from, to)) => (self.value(from, item)?, self.value(to, item)?),
            None if step.is_some() => {
                let instead = format!("{range}-{}", self.most);
                return Err(self.refused(item, &format!("a step needs a range, such as `*/5` or `{instead}/5`")));
            }
            None => {
                let value = self.value(range, item)?;
                (value, value)
            }
        };
        let step = match step.map(number) {
            None => 1,
            Some(Some(step)) if step > 0 => step,
            Some(_) => return Err(self.refused(item, "a step is a number above 0")),
        };
        let is_weekday = self.most == 7;
        let to = match (to < from, is_weekday) {
            (false, _) => to,
            (true, true) => to + 7,
            (true, false) => {
                return Err(self.refused(item, "a range goes from the lower to the higher value"));
            }
        };
        let values = (from..=to).step_by(usize::try_from(step).unwrap_or(usize::MAX));
        Ok(values.fold(0, |bits, value| bits | 1 << if is_weekday { value % 7 } else { value }))
    }

    fn value(&self, text: &str, item: &str) -> Result<u32, CronError> {
        let named = self.names.iter().zip(self.least..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        named
            .map(|(_, value)| value)
            .or_else(|| number(text).filter(|value| (self.least..=self.most).contains(value)))
            .ok_or_else(|| self.refused(item, "allowed are values, lists, ranges, `*` and steps"))
    }

    fn refused(&self, item: &str, why: &str) -> CronError {
        let names = match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => {
                format!(" or {} to {}", first.to_uppercase(), last.to_uppercase())
            }
            _ => String::new(),
        };
        CronError(format!("`{item}` in the {} field: {why}; its values are {} to {}{names}", self.name, self.least, self.most))
    }
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn listed(values: impl Iterator<Item = u32>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join(",")
}
