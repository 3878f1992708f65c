//! One value tested: equality, order, texts and lists. Dates are [`super::date`]'s.

use dsl::model::Predicate;
use serde_json::{Number, Value};

use super::{Scope, Truth, date, pattern};

/// Whether the value (`None`: missing) meets all the tests.
pub(crate) fn meets_all(tests: &[Predicate], value: Option<&Value>, scope: &Scope<'_>) -> Truth {
    let mut recheck = None;
    for test in tests {
        let truth = meets(test, value, scope);
        if !truth.holds {
            return truth;
        }
        recheck = super::earliest(recheck, truth.recheck);
    }
    Truth { holds: true, recheck }
}

fn meets(test: &Predicate, value: Option<&Value>, scope: &Scope<'_>) -> Truth {
    let Some(value) = value else {
        return Truth::fixed(matches!(test, Predicate::Exists(false) | Predicate::IsNot(_) | Predicate::NoneOf(_)));
    };
    let number = |accept: &dyn Fn(f64) -> bool| value.as_f64().is_some_and(accept);
    let text = |accept: &dyn Fn(&str) -> bool| value.as_str().is_some_and(accept);
    Truth::fixed(match test {
        Predicate::Is(other) => equal(value, other),
        Predicate::IsNot(other) => !equal(value, other),
        Predicate::OneOf(others) => others.iter().any(|other| equal(value, other)),
        Predicate::NoneOf(others) => !others.iter().any(|other| equal(value, other)),
        Predicate::Above(limit) => number(&|it| it > *limit),
        Predicate::AtLeast(limit) => number(&|it| it >= *limit),
        Predicate::Below(limit) => number(&|it| it < *limit),
        Predicate::AtMost(limit) => number(&|it| it <= *limit),
        Predicate::Contains(part) => contains(value, part),
        Predicate::StartsWith(start) => text(&|it| it.starts_with(start.as_str())),
        Predicate::EndsWith(end) => text(&|it| it.ends_with(end.as_str())),
        Predicate::Matches(expression) => text(&|it| pattern::matches(expression, it)),
        Predicate::Exists(wanted) => *wanted,
        Predicate::Before(when) => return date::before(value, when, scope),
        Predicate::After(when) => return date::after(value, when, scope),
        Predicate::WithinLast(span) => return date::within_last(value, *span, scope),
        Predicate::WithinNext(span) => return date::within_next(value, *span, scope),
    })
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(list), part) => list.iter().any(|element| equal(element, part)),
        _ => false,
    }
}

/// Equality of values as people mean it: 5 is 5.0, also inside lists and objects, and `"5"` is neither.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => equal_numbers(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len() && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| equal(left, right)))
        }
        _ => left == right,
    }
}

/// Whole numbers are compared as such: ids beyond 2^53 would run together as floating-point numbers.
fn equal_numbers(left: &Number, right: &Number) -> bool {
    if left.is_f64() || right.is_f64() {
        return left.as_f64() == right.as_f64();
    }
    left == right
}
