//! Finds predicates that the data contract's type can never satisfy.
//!
//! # What it does
//! Compares each predicate with the type that the data contract gives the attribute or property.
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
            let Some(kinds) = kinds(project.declared(value, events.as_ref())) else {
                continue;
            };
            for test in value.tests.iter().filter(|test| !kinds.iter().any(|kinds| possible(test.wants, *kinds))) {
                let is = kinds.iter().map(|kinds| words(has(*kinds))).collect::<Vec<_>>().join(" or ");
                let message = format!(
                    "`{}` goes with {} here, but `{}` is {is} in the data contract",
                    test.word,
                    words(test.wants),
                    value.path
                );
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
    Wants { text: kinds.text || kinds.date, number: kinds.number, boolean: kinds.boolean, list: kinds.list }
}

fn possible(wants: Wants, kinds: Kinds) -> bool {
    let has = has(kinds);
    let anything = wants.text && wants.number && wants.boolean && wants.list;
    anything
        || (wants.text && has.text)
        || (wants.number && has.number)
        || (wants.boolean && has.boolean)
        || (wants.list && has.list)
}

fn words(wants: Wants) -> String {
    let kinds = [(wants.text, "text"), (wants.number, "a number"), (wants.boolean, "true or false"), (wants.list, "a list")];
    let named: Vec<&str> = kinds.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    if named.is_empty() { "a mapping".to_owned() } else { named.join(" or ") }
}
