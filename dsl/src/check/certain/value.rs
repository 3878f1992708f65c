//! Whether any value meets several tests at once, each of which is to hold or not to hold.
//!
//! Nothing is guessed: where a value might meet them, it is taken to.

use serde_json::Value;

use super::dates::Dates;
use super::span::{Bound, Span};
use crate::contract::{Kinds, Limits};
use crate::model::Predicate;

/// More tests of one value are not compared with each other, nor longer lists.
pub(super) const MOST: usize = 256;

/// A test that is to hold, or not to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Test<'a> {
    pub predicate: &'a Predicate,
    pub so: bool,
}

/// What is known of a value before it is tested.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// It is never missing.
    pub always: bool,
    /// What it can be, where it is there.
    pub kinds: Option<Kinds>,
    pub limits: Limits,
}

impl Known {
    fn may_be(&self, kind: fn(&Kinds) -> bool) -> bool {
        self.kinds.as_ref().is_none_or(kind)
    }

    fn allows(&self, value: &Value) -> bool {
        let listed = self.limits.values.as_ref().is_none_or(|values| values.iter().any(|other| same(value, other)));
        listed
            && match value {
                Value::Number(number) => {
                    let fits = |number: f64| Span::of(self.bounds()).holds(number);
                    self.may_be(|kinds| kinds.number) && number.as_f64().is_none_or(fits)
                }
                Value::String(_) => self.may_be(|kinds| kinds.text),
                Value::Bool(_) => self.may_be(|kinds| kinds.boolean),
                _ => true,
            }
    }

    fn bounds(&self) -> impl Iterator<Item = Bound> {
        let low = self.limits.low.map(|(at, included)| Bound::Low { at, included });
        low.into_iter().chain(self.limits.high.map(|(at, included)| Bound::High { at, included }))
    }
}

/// Whether no value, nor its absence, meets all of the tests.
pub(super) fn contradict(tests: &[Test<'_>], known: &Known) -> bool {
    if tests.len() > MOST || (!known.always && tests.iter().all(|test| holds_of_nothing(test.predicate) == test.so)) {
        return false;
    }
    let may_meet = |value: &Value| tests.iter().all(|test| holds(test.predicate, value).is_none_or(|holds| holds == test.so));
    let named = tests.iter().find_map(|test| match (test.predicate, test.so) {
        (Predicate::Is(value), true) | (Predicate::IsNot(value), false) => Some(std::slice::from_ref(value)),
        (Predicate::OneOf(values), true) | (Predicate::NoneOf(values), false) => Some(values.as_slice()),
        _ => None,
    });
    match named.or(known.limits.values.as_deref()) {
        Some(values) if values.len() > MOST => false,
        Some(values) => !values.iter().any(|value| !value.is_null() && known.allows(value) && may_meet(value)),
        None => {
            let boolean = || [true, false].into_iter().any(|either| may_meet(&Value::Bool(either)));
            !(known.may_be(|kinds| kinds.number) && number(tests, known)
                || known.may_be(|kinds| kinds.text || kinds.date) && text(tests)
                || known.may_be(|kinds| kinds.boolean) && boolean()
                || known.may_be(|kinds| kinds.list) && list(tests)
                || known.may_be(|kinds| kinds.object) && object(tests))
        }
    }
}

/// Whether a value (`None`: missing) meets a test; `None` where that depends on the time, or takes a pattern.
pub(in crate::check) fn may_meet(predicate: &Predicate, value: Option<&Value>) -> Option<bool> {
    value.map_or(Some(holds_of_nothing(predicate)), |value| holds(predicate, value))
}

/// Whether none of the values within these limits meets a test.
pub(in crate::check) fn none_meets(predicate: &Predicate, limits: &Limits) -> bool {
    let known = Known { limits: limits.clone(), ..Known::default() };
    contradict(&[Test { predicate, so: true }], &known)
}

/// What a missing value satisfies.
fn holds_of_nothing(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Exists(false) | Predicate::IsNot(_) | Predicate::NoneOf(_))
}

/// Whether a value that is there meets a test; `None` where that depends on the time, or takes a pattern.
fn holds(predicate: &Predicate, value: &Value) -> Option<bool> {
    let text = |accept: &dyn Fn(&str) -> bool| value.as_str().is_some_and(accept);
    Some(match predicate {
        Predicate::Is(other) => same(value, other),
        Predicate::IsNot(other) => !same(value, other),
        Predicate::OneOf(others) => others.iter().any(|other| same(value, other)),
        Predicate::NoneOf(others) => !others.iter().any(|other| same(value, other)),
        Predicate::Contains(part) => match (value, part) {
            (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
            (Value::Array(list), part) => list.iter().any(|element| same(element, part)),
            _ => false,
        },
        Predicate::StartsWith(start) => text(&|text| text.starts_with(start.as_str())),
        Predicate::EndsWith(end) => text(&|text| text.ends_with(end.as_str())),
        Predicate::Exists(wanted) => *wanted,
        Predicate::Matches(_) if value.is_string() => return None,
        Predicate::Before(_) | Predicate::After(_) | Predicate::WithinLast(_) | Predicate::WithinNext(_) if is_date(value) => {
            return None;
        }
        other => match Bound::of(other) {
            Some(bound) => value.as_f64().is_some_and(|number| Span::of([bound]).holds(number)),
            None => false,
        },
    })
}

fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| crate::time::parse_date(text).is_some())
}

/// Equality as conditions know it: 5 is 5.0, also inside of lists and mappings.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => left == right,
    }
}

/// Whether a test of a value that is there says nothing of its kind: it holds for all but some values, or asks only whether there is one. `Some(false)` where
/// none meets it.
fn of_any_kind(test: &Test<'_>) -> Option<bool> {
    match (test.predicate, test.so) {
        (Predicate::Exists(wanted), so) => Some(*wanted == so),
        (Predicate::IsNot(_) | Predicate::NoneOf(_), true) | (Predicate::Is(_) | Predicate::OneOf(_), false) => Some(true),
        _ => None,
    }
}

/// Whether some number may meet the tests.
fn number(tests: &[Test<'_>], known: &Known) -> bool {
    let mut bounds: Vec<Bound> = known.bounds().collect();
    for test in tests {
        match (of_any_kind(test), Bound::of(test.predicate)) {
            (Some(true), _) => {}
            (Some(false), _) => return false,
            (None, Some(bound)) => bounds.push(if test.so { bound } else { bound.opposite() }),
            // What is no test of numbers holds for none of them.
            (None, None) if test.so => return false,
            (None, None) => {}
        }
    }
    let span = Span::of(bounds);
    if span.is_empty() {
        return false;
    }
    let excluded = |number: f64| {
        let value = Value::from(number);
        tests.iter().filter(|test| of_any_kind(test) == Some(true)).any(|test| holds(test.predicate, &value) != Some(test.so))
    };
    match span.numbers(known.limits.whole) {
        Some(numbers) => numbers.into_iter().any(|number| !excluded(number)),
        None => true,
    }
}

/// Whether some text may meet the tests: what it begins with, ends with and holds, and which date it is.
fn text(tests: &[Test<'_>]) -> bool {
    let mut dates = Dates::default();
    // What the text is sure to hold, at its beginning, its end or anywhere.
    let (mut starts, mut ends, mut parts, mut patterns) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for test in tests {
        match (of_any_kind(test), test.predicate) {
            (Some(true), _) => {}
            (Some(false), _) => return false,
            (None, _) if !test.so => {}
            (None, Predicate::StartsWith(start)) => starts.push(start.as_str()),
            (None, Predicate::EndsWith(end)) => ends.push(end.as_str()),
            (None, Predicate::Contains(Value::String(part))) => parts.push(part.as_str()),
            (None, Predicate::Matches(pattern)) => patterns.push(pattern.as_str()),
            (None, date) => {
                if !dates.must(date) {
                    return false;
                }
            }
        }
    }
    let compatible = |texts: &[&str], fits: fn(&str, &str) -> bool| {
        texts.iter().all(|one| texts.iter().all(|other| fits(one, other) || fits(other, one)))
    };
    let starts_with: fn(&str, &str) -> bool = |text, start| text.starts_with(start);
    let ends_with: fn(&str, &str) -> bool = |text, end| text.ends_with(end);
    if !compatible(&starts, starts_with) || !compatible(&ends, ends_with) {
        return false;
    }
    let sure = || starts.iter().chain(&ends).chain(&parts);
    let refused = tests.iter().filter(|test| !test.so).any(|test| match test.predicate {
        Predicate::StartsWith(start) => start.is_empty() || starts.iter().any(|text| text.starts_with(start.as_str())),
        Predicate::EndsWith(end) => end.is_empty() || ends.iter().any(|text| text.ends_with(end.as_str())),
        Predicate::Contains(Value::String(part)) => part.is_empty() || sure().any(|text| text.contains(part.as_str())),
        Predicate::Matches(pattern) => patterns.contains(&pattern.as_str()),
        date => {
            dates.must_not(date);
            false
        }
    });
    !refused && !dates.is_empty()
}

/// Whether some list may meet the tests.
fn list(tests: &[Test<'_>]) -> bool {
    let contained: Vec<&Value> = tests
        .iter()
        .filter_map(|test| match (test.predicate, test.so) {
            (Predicate::Contains(part), true) => Some(part),
            _ => None,
        })
        .collect();
    tests.iter().all(|test| match (of_any_kind(test), test.predicate) {
        (Some(holds), _) => holds,
        (None, Predicate::Contains(part)) => test.so || !contained.iter().any(|other| same(part, other)),
        (None, _) => !test.so,
    })
}

/// Whether some mapping may meet the tests.
fn object(tests: &[Test<'_>]) -> bool {
    tests.iter().all(|test| of_any_kind(test).unwrap_or(!test.so))
}
