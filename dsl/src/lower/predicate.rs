//! Predicates: what a value must meet, in its long form and its short ones.

use serde_json::{Map, Value};

use super::Lowerer;
use super::notes::{TestNote, Wants};
use crate::model::{Predicate, When};
use crate::pattern::Unfit;
use crate::place::At;
use crate::time::{Duration, parse_date};

const TEXT: Wants = Wants { text: true, number: false, boolean: false, list: false, date: false };
const NUMBER: Wants = Wants { text: false, number: true, boolean: false, list: false, date: false };
const TEXT_OR_LIST: Wants = Wants { text: true, number: false, boolean: false, list: true, date: false };
const ANYTHING: Wants = Wants { text: true, number: true, boolean: true, list: true, date: false };

impl Lowerer<'_> {
    /// What stands at a path: a value (equals), a list (one of), or predicates.
    pub(super) fn tests(&mut self, value: &Value, at: &At<'_>) -> Vec<(Predicate, TestNote)> {
        match value {
            Value::Object(map) => {
                let keys = at.keys(map.keys());
                keys.into_iter().flat_map(|key| self.test(key, &map[key], &at.key(key))).collect()
            }
            Value::Array(items) => {
                vec![(Predicate::OneOf(items.clone()), listed("one_of", items, at))]
            }
            other => vec![(Predicate::Is(other.clone()), named("is", other, at))],
        }
    }

    fn test(&mut self, key: &str, value: &Value, at: &At<'_>) -> Vec<(Predicate, TestNote)> {
        let one = |predicate: Option<Predicate>, word, wants| -> Vec<(Predicate, TestNote)> {
            predicate.map(|predicate| (predicate, note(word, wants, at))).into_iter().collect()
        };
        let number = |predicate: fn(f64) -> Predicate, word| -> Vec<(Predicate, TestNote)> {
            let note = |limit: f64| TestNote { number: Some(limit), ..note(word, NUMBER, at) };
            value.as_f64().map(|limit| (predicate(limit), note(limit))).into_iter().collect()
        };
        let items = || value.as_array().cloned().unwrap_or_default();
        let text = || value.as_str().unwrap_or_default().to_owned();
        match key {
            "is" => vec![(Predicate::Is(value.clone()), named("is", value, at))],
            "is_not" => vec![(Predicate::IsNot(value.clone()), named("is_not", value, at))],
            "one_of" => vec![(Predicate::OneOf(items()), listed("one_of", &items(), at))],
            "none_of" => vec![(Predicate::NoneOf(items()), listed("none_of", &items(), at))],
            "above" => number(Predicate::Above, "above"),
            "at_least" => number(Predicate::AtLeast, "at_least"),
            "below" => number(Predicate::Below, "below"),
            "at_most" => number(Predicate::AtMost, "at_most"),
            "contains" => {
                let wants = if value.is_string() { TEXT_OR_LIST } else { Wants { list: true, ..Wants::default() } };
                vec![(Predicate::Contains(value.clone()), TestNote { wants, ..named("contains", value, at) })]
            }
            "starts_with" => one(Some(Predicate::StartsWith(text())), "starts_with", TEXT),
            "ends_with" => one(Some(Predicate::EndsWith(text())), "ends_with", TEXT),
            "matches" => one(self.pattern(&text(), at), "matches", TEXT),
            "exists" => one(value.as_bool().map(Predicate::Exists), "exists", ANYTHING),
            "before" => one(self.when(&text(), at).map(Predicate::Before), "before", TEXT),
            "after" => one(self.when(&text(), at).map(Predicate::After), "after", TEXT),
            "within" => self.date_span(value.as_object(), at),
            _ => Vec::new(),
        }
    }

    /// Predicates over a number: `count`, and the aggregates.
    pub(super) fn number_tests(&mut self, value: &Value, at: &At<'_>) -> Vec<Predicate> {
        match value {
            Value::Object(map) => {
                let keys = at.keys(map.keys());
                keys.into_iter()
                    .filter(|key| key.as_str() != "of")
                    .flat_map(|key| self.test(key, &map[key], &at.key(key)))
                    .map(|(predicate, _)| predicate)
                    .collect()
            }
            other => vec![Predicate::Is(other.clone())],
        }
    }

    fn pattern(&mut self, text: &str, at: &At<'_>) -> Option<Predicate> {
        match self.patterns.take(text) {
            Ok(()) => Some(Predicate::Matches(text.to_owned())),
            Err(Unfit::Syntax(reason)) => {
                let reason = reason.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
                self.error("invalid-regex", at, format!("`{text}` is no regular expression: {reason}"));
                None
            }
            Err(Unfit::Unread) => None,
            Err(unfit) => {
                let message = match unfit {
                    Unfit::TooLargeTogether => {
                        "with this one, the regular expressions of this file are too large together".to_owned()
                    }
                    _ => format!("`{text}` is too large a regular expression"),
                };
                self.error_help("invalid-regex", at, message, unfit.help().unwrap_or_default());
                None
            }
        }
    }

    fn when(&mut self, text: &str, at: &At<'_>) -> Option<When> {
        let trimmed = text.trim();
        if trimmed == "now" {
            return Some(When::Now);
        }
        let relative = |span: &str| Duration::parse(span).ok().filter(|span| span.millis() >= 0);
        if let Some(span) = trimmed.strip_suffix(" ago").and_then(relative) {
            return Some(When::Ago(span));
        }
        if let Some(span) = trimmed.strip_prefix("in ").and_then(relative) {
            return Some(When::Ahead(span));
        }
        if parse_date(trimmed).is_some() {
            return Some(When::Date(trimmed.to_owned()));
        }
        let help = "write 2026-03-29, 2026-03-29T09:00, `30 days ago`, `in 3 days` or `now`";
        self.error_help("invalid-date", at, format!("`{text}` is no date"), help);
        None
    }

    fn date_span(&mut self, map: Option<&Map<String, Value>>, at: &At<'_>) -> Vec<(Predicate, TestNote)> {
        let mut found = Vec::new();
        for key in ["last", "next"] {
            if let Some(text) = map.and_then(|map| map.get(key)).and_then(Value::as_str) {
                let span = self.span(text, &at.key(key));
                let predicate = if key == "last" { Predicate::WithinLast(span) } else { Predicate::WithinNext(span) };
                found.push((predicate, note("within", TEXT, at)));
            }
        }
        found
    }
}

fn note(word: &'static str, wants: Wants, at: &At<'_>) -> TestNote {
    TestNote::new(word, wants, at.location())
}

/// A test that names one value.
fn named(word: &'static str, value: &Value, at: &At<'_>) -> TestNote {
    TestNote { values: vec![(value.clone(), at.location())], ..note(word, of(value), at) }
}

/// A test that names several.
fn listed(word: &'static str, items: &[Value], at: &At<'_>) -> TestNote {
    let values = items.iter().enumerate().map(|(index, item)| (item.clone(), at.item(index).location()));
    TestNote { values: values.collect(), ..note(word, of_any(items), at) }
}

/// What a value must be to equal this one.
fn of(value: &Value) -> Wants {
    match value {
        Value::String(_) => TEXT,
        Value::Number(_) => NUMBER,
        Value::Bool(_) => Wants { boolean: true, ..Wants::default() },
        _ => ANYTHING,
    }
}

fn of_any(values: &[Value]) -> Wants {
    values.iter().map(of).fold(Wants::default(), |all, one| Wants {
        text: all.text || one.text,
        number: all.number || one.number,
        boolean: all.boolean || one.boolean,
        list: all.list || one.list,
        date: false,
    })
}
