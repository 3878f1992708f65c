//! Warns of a condition that asks for a value which the data contract does not allow.
//!
//! # What it does
//! Compares the texts that a value must be with those that the data contract lists for it (`enum`), or that a trait's tiers are called.
//!
//! # Why is this bad
//! It is probably misspelt, and holds for nobody: nobody enters, waits in vain, or takes that branch.
//!
//! # Example
//! ```yaml
//! # the contract says "stage": { "enum": ["welcomed", "onboarded"] }
//! audience: { contact.stage: onborded }
//! ```
//!
//! # Use instead
//! ```yaml
//! audience: { contact.stage: onboarded }
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::lower::{EventScope, ValueNote};
use crate::model::Root;
use crate::place::did_you_mean;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for (notes, events) in project.notes_with_events() {
        for value in notes.values.iter().filter(|value| value.tests.iter().any(|test| !test.texts.is_empty())) {
            let Some(allowed) = allowed(project, value, events.as_ref()) else { continue };
            let known = || allowed.iter().map(String::as_str);
            for (text, at) in value.tests.iter().flat_map(|test| &test.texts).filter(|(text, _)| !allowed.contains(text)) {
                let message = format!("`{}` is never `{text}`", value.path);
                let help = match did_you_mean(text, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it is one of {}", known().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")),
                };
                report.push(Diagnostic::warning("impossible-value", at.clone(), message).help(help));
            }
        }
    }
}

/// All that the value may be; `None` where anything may be.
fn allowed(project: &Project<'_>, value: &ValueNote, events: Option<&BTreeSet<String>>) -> Option<Vec<String>> {
    let keys = &value.path.keys;
    let of_event = |event: &String| project.contract.event_texts(event, keys);
    match (value.path.root, &value.scope) {
        (Root::Contact, _) => project.contract.contact_texts(keys),
        (Root::Event, EventScope::Named(event)) => of_event(event),
        // Of several events, any may bring it.
        (Root::Event, EventScope::Run) => {
            let lists: Option<Vec<Vec<String>>> = events?.iter().map(of_event).collect();
            lists.map(|lists| lists.concat()).filter(|all| !all.is_empty())
        }
        (Root::Event, EventScope::Nothing) | (Root::Vars, _) => None,
    }
}
