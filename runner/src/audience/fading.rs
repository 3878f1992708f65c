//! Values that fade: when a number that halves every so often passes a limit.

use dsl::model::{Path, Predicate, Root};
use serde_json::Value;

use super::predicate::meets_all;
use super::{Scope, earliest};
use crate::state::{Contact, Fading, TraitValue};

/// The value at this path, if it is one that fades.
pub(super) fn at<'c>(path: &Path, contact: &'c Contact) -> Option<&'c Fading> {
    match (path.root, &path.keys[..]) {
        (Root::Contact, [name]) => match contact.traits.get(name)? {
            TraitValue::Fading(fading) => Some(fading),
            TraitValue::Plain(_) => None,
        },
        _ => None,
    }
}

/// When the answer of some of these tests turns by fading alone.
pub(super) fn turns(tests: &[Predicate], fading: &Fading, scope: &Scope<'_>) -> Option<i64> {
    tests.iter().fold(None, |next, test| {
        let turn = limits(test).into_iter().fold(None, |next, limit| {
            let holds = |value: f64| meets_all(std::slice::from_ref(test), Some(&Value::from(value)), scope).holds;
            earliest(next, crosses(fading, limit, scope.now, holds))
        });
        earliest(next, turn)
    })
}

/// The numbers at which the answer can change.
fn limits(test: &Predicate) -> Vec<f64> {
    match test {
        Predicate::Above(limit) | Predicate::AtLeast(limit) | Predicate::Below(limit) | Predicate::AtMost(limit) => vec![*limit],
        Predicate::Is(value) | Predicate::IsNot(value) => value.as_f64().into_iter().collect(),
        Predicate::OneOf(values) | Predicate::NoneOf(values) => values.iter().filter_map(Value::as_f64).collect(),
        _ => Vec::new(),
    }
}

/// The first millisecond after `now` at which `holds` answers otherwise than now, because the value passes the limit.
pub(crate) fn crosses(fading: &Fading, limit: f64, now: i64, holds: impl Fn(f64) -> bool) -> Option<i64> {
    // Solved for the time at which the value is the limit; what rounding may do to it is looked at.
    let halvings = (fading.value / limit).log2();
    let at = fading.at as f64 + halvings * fading.halves_every as f64;
    if !at.is_finite() || at < now as f64 - 2.0 || at > 1e17 {
        return None;
    }
    let before = holds(fading.at(now));
    let near = at.floor() as i64;
    (near - 2..=near + 3).find(|time| *time > now && holds(fading.at(*time)) != before)
}
