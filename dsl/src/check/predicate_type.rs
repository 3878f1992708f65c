//! Finds predicates that the data contract's type can never satisfy.
//!
//! # What it does
//! Compares each predicate with the type that the data contract gives the attribute or property, or that the trait has.
//!
//! # Why is this bad
//! Numbers and text never compare: the condition silently never holds.
//!
//! # Example
//! ```yaml
//! audience: { contact.country: { above: 5 } }
//! ```
//!
//! # Use instead
//! ```yaml
//! audience: { contact.age: { above: 5 } }
//! ```

use super::{Project, Report};
use crate::contract::{Declared, Kinds};
use crate::lower::Wants;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for (notes, events) in project.notes_with_events() {
        for value in notes.values.iter().filter(|value| !value.tests.is_empty()) {
            let Some(kinds) = kinds(project.declared(value, events.as_ref(), false)) else {
                continue;
            };
            // That a trait is set at all is said elsewhere.
            let tests = value.tests.iter().filter(|test| test.word != "set" || project.trait_of(&value.path).is_none());
            for test in tests.filter(|test| !kinds.iter().any(|kinds| possible(test.wants, *kinds))) {
                let is = kinds.iter().map(|kinds| words(has(*kinds))).collect::<Vec<_>>().join(" or ");
                let word = test.word;
                let wanted = words(test.wants);
                let path = &value.path;
                let by = if project.trait_of(path).is_some() { "as a trait" } else { "in the data contract" };
                let message = format!("`{word}` goes with {wanted} here, but `{path}` is {is} {by}");
                report.error("predicate-type", &test.at, message, None);
            }
        }
    }
}

/// The types a value may have; `None` if nothing is known of them.
fn kinds(declared: Vec<Declared>) -> Option<Vec<Kinds>> {
    let mut kinds = Vec::new();
    for declared in declared {
        match declared {
            Declared::Known(known) => kinds.push(known),
            Declared::Open => return None,
            Declared::Unknown(_) => {}
        }
    }
    kinds.dedup();
    (!kinds.is_empty()).then_some(kinds)
}

fn has(kinds: Kinds) -> Wants {
    Wants { text: kinds.text || kinds.date, number: kinds.number, boolean: kinds.boolean, list: kinds.list, date: kinds.date }
}

fn possible(wants: Wants, kinds: Kinds) -> bool {
    let has = has(kinds);
    let anything = wants.text && wants.number && wants.boolean && wants.list;
    anything
        || (wants.text && has.text)
        || (wants.number && has.number)
        || (wants.boolean && has.boolean)
        || (wants.list && has.list)
        || (wants.date && has.date)
}

fn words(wants: Wants) -> String {
    let kinds = [
        (wants.text, "text"),
        (wants.number, "a number"),
        (wants.date && !wants.text, "a date"),
        (wants.boolean, "true or false"),
        (wants.list, "a list"),
    ];
    let named: Vec<&str> = kinds.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    if named.is_empty() { "a mapping".to_owned() } else { named.join(" or ") }
}
