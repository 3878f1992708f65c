//! The compiled model in words for people: what a graph's boxes say, and the two sides of a change. The keys are those of the language, so that
//! whoever reads `wait: 1 hour` knows what to look for in the file.

mod condition;
mod shared;
mod step;
#[cfg(test)]
mod tests;
mod workflow;

pub use condition::condition;
pub use shared::{segment, settings, trait_};
pub use step::{fields, title};
pub(crate) use workflow::{goal, status};
pub use workflow::{trigger, workflow};

use serde_json::Value;

use crate::time::{Time, Window};

/// A key of the language and what it says, in words. A mapping of several values has a field for each (`with.coupon`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub key: String,
    pub value: String,
}

impl Field {
    fn new(key: impl Into<String>, value: impl ToString) -> Field {
        Field { key: key.into(), value: value.to_string() }
    }
}

/// `09:00`, with seconds only where there are some.
pub(crate) fn time_of_day(time: Time) -> String {
    if time.second() == 0 {
        format!("{:02}:{:02}", time.hour(), time.minute())
    } else {
        format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
    }
}

pub(crate) fn window(window: &Window) -> String {
    let span = format!("{}-{}", time_of_day(window.from), time_of_day(window.to));
    if window.weekdays == crate::time::Weekdays::ALL { span } else { format!("{span} ({})", window.weekdays) }
}

/// A text without quotes, anything else as JSON.
fn value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `DE, AT or CH`
fn list(values: &[Value], word: &str) -> String {
    let texts: Vec<String> = values.iter().map(value).collect();
    joined(&texts, word)
}

fn joined(texts: &[String], word: &str) -> String {
    match texts {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// A number as people write it: without `.0`.
fn number(number: f64) -> String {
    number.to_string()
}

/// `45%`, with one decimal where it needs one.
pub(crate) fn share(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 { part / whole * 100.0 } else { 0.0 };
    let rounded = (percent * 10.0).round() / 10.0;
    format!("{rounded}%")
}
