//! Texts that stand for something: durations, times, weekdays, zones, paths and names.

use serde_json::{Map, Value};

use super::Lowerer;
use super::notes::TextNote;
use crate::model::{Path, Root};
use crate::place::{At, suggestion};
use crate::surface::OneOrMany;
use crate::time::{Duration, Time, Weekdays, known_zone, parse_time};

impl Lowerer<'_> {
    /// A span that may not be negative. What is wrong is reported and read as nothing.
    pub(super) fn duration(&mut self, text: &str, at: &At<'_>) -> Duration {
        let duration = self.offset(text, at);
        if duration.millis() < 0 {
            self.error_help("invalid-duration", at, format!("`{text}` is negative"), "only an `offset` may be negative");
            return Duration::default();
        }
        duration
    }

    /// A span longer than nothing.
    pub(super) fn span(&mut self, text: &str, at: &At<'_>) -> Duration {
        let before = self.diagnostics.len();
        let duration = self.duration(text, at);
        if duration == Duration::default() && self.diagnostics.len() == before {
            self.error("invalid-duration", at, format!("`{text}` is no time at all; this must be longer"));
        }
        duration
    }

    /// A span that may be negative.
    pub(super) fn offset(&mut self, text: &str, at: &At<'_>) -> Duration {
        match Duration::parse(text) {
            Ok(duration) => duration,
            Err(error) => {
                self.error("invalid-duration", at, error.to_string());
                Duration::default()
            }
        }
    }

    pub(super) fn optional_span(&mut self, text: Option<&String>, at: &At<'_>) -> Option<Duration> {
        text.map(|text| self.span(text, at))
    }

    /// A span of whole days.
    pub(super) fn whole_days(&mut self, duration: Duration, text: &str, at: &At<'_>) -> i64 {
        if duration.millis() % Duration::DAY.millis() != 0 {
            let help = "write days or weeks, such as `2 days`";
            self.error_help("invalid-duration", at, format!("`{text}` is not a number of whole days"), help);
        }
        duration.millis() / Duration::DAY.millis()
    }

    pub(super) fn time(&mut self, text: &str, at: &At<'_>) -> Time {
        match parse_time(text) {
            Ok(time) => time,
            Err(error) => {
                self.error("invalid-time", at, error.to_string());
                Time::midnight()
            }
        }
    }

    /// The days named, or every day.
    pub(super) fn weekdays(&mut self, days: Option<&OneOrMany<String>>, at: &At<'_>) -> Weekdays {
        match days {
            None => Weekdays::ALL,
            Some(OneOrMany::One(text)) => self.weekday(text, at),
            Some(OneOrMany::Many(texts)) => texts
                .iter()
                .enumerate()
                .map(|(index, text)| self.weekday(text, &at.item(index)))
                .reduce(Weekdays::union)
                .unwrap_or(Weekdays::ALL),
        }
    }

    fn weekday(&mut self, text: &str, at: &At<'_>) -> Weekdays {
        match Weekdays::parse(text) {
            Ok(days) => days,
            Err(error) => {
                self.error("invalid-weekday", at, error.to_string());
                Weekdays::ALL
            }
        }
    }

    pub(super) fn zone(&mut self, name: &str, at: &At<'_>) {
        if !known_zone(name) {
            let help = "write an IANA name such as `Europe/Berlin`";
            self.error_help("invalid-zone", at, format!("`{name}` is no time zone"), help);
        }
    }

    /// A path such as `contact.country`, under one of these roots.
    pub(super) fn path(&mut self, text: &str, roots: &[Root], at: &At<'_>) -> Option<Path> {
        let allowed: Vec<&str> = roots.iter().map(|root| root_word(*root)).collect();
        let mut segments = text.split('.');
        let first = segments.next().unwrap_or_default();
        let keys: Vec<String> = segments.map(str::to_owned).collect();
        let root = roots.iter().copied().find(|root| root_word(*root) == first);
        match root {
            Some(root) if !keys.is_empty() && keys.iter().all(|key| !key.trim().is_empty()) => Some(Path { root, keys }),
            _ => {
                let examples: Vec<String> = allowed.iter().map(|root| format!("{root}.NAME")).collect();
                let help = suggestion(first, allowed, "it begins with one of").filter(|_| root.is_none());
                let message = format!("`{text}` is no path; write {}", examples.join(" or "));
                match help {
                    Some(help) => self.error_help("invalid-path", at, message, help),
                    None => self.error("invalid-path", at, message),
                }
                None
            }
        }
    }

    /// A name of the user's own: kebab-case or snake_case.
    pub(super) fn name(&mut self, name: &str, kind: &str, at: &At<'_>) {
        if !is_name(name) {
            let message = format!("`{name}` is no good name for {kind}");
            let help = "use lower-case letters, digits, and - or _ between them, beginning with a letter";
            self.diagnostics.push(crate::diagnostic::Diagnostic::error("invalid-name", at.location(), message).help(help));
        }
    }

    /// The same for a name that is a key.
    pub(super) fn key_name(&mut self, name: &str, kind: &str, at: &At<'_>) {
        if !is_name(name) {
            let message = format!("`{name}` is no good name for {kind}");
            let help = "use lower-case letters, digits, and - or _ between them, beginning with a letter";
            self.diagnostics.push(crate::diagnostic::Diagnostic::error("invalid-name", at.key_location(), message).help(help));
        }
    }

    /// A step's `with`: kept as written; what holds expressions is noted.
    pub(super) fn with(&mut self, with: Option<&Map<String, Value>>, at: &At<'_>) -> Map<String, Value> {
        for (key, value) in with.into_iter().flatten() {
            self.texts(value, &at.key(key));
        }
        with.cloned().unwrap_or_default()
    }

    fn texts(&mut self, value: &Value, at: &At<'_>) {
        match value {
            Value::String(text) => {
                self.expression(text, at, &Default::default());
            }
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| self.texts(item, &at.item(index))),
            Value::Object(map) => map.iter().for_each(|(key, item)| self.texts(item, &at.key(key))),
            _ => {}
        }
    }

    /// Notes a text that holds template expressions.
    pub(super) fn expression(&mut self, text: &str, at: &At<'_>, with: &std::collections::BTreeSet<String>) {
        if text.contains("{{") {
            let (line, column) = at.content();
            self.notes.texts.push(TextNote { text: text.to_owned(), at: at.location(), line, column, with: with.clone() });
        }
    }
}

/// The first `${NAME}` in the text.
pub(crate) fn environment_name(text: &str) -> Option<&str> {
    let start = text.find("${")? + 2;
    let rest = text.get(start..)?;
    let name = rest.get(..rest.find('}')?)?;
    let good = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    good.then_some(name)
}

pub(super) fn root_word(root: Root) -> &'static str {
    match root {
        Root::Contact => "contact",
        Root::Event => "event",
        Root::Vars => "vars",
    }
}

/// Kebab-case or snake_case.
pub(crate) fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(good)
        && !name.contains("--")
        && !name.contains("__")
        && !(name.contains('-') && name.contains('_'))
        && name.len() <= 100
}
