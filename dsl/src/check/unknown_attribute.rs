//! Finds attributes and event properties that the data contract does not know.
//!
//! # What it does
//! Looks up every `contact.NAME` in schemas/contact.schema.json and among the traits, and every `event.NAME` in the schema of the event it is about.
//! With `contract: open` in campaignd.yaml this is a warning.
//!
//! # Why is this bad
//! A misspelt attribute is always missing: the condition silently never holds.
//!
//! # Example
//! ```yaml
//! audience: { contact.contry: DE }
//! ```
//!
//! # Use instead
//! ```yaml
//! audience: { contact.country: DE }
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::contract::Declared;
use crate::lower::{EventScope, ValueNote};
use crate::model::Root;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for (notes, events) in project.notes_with_events() {
        for value in &notes.values {
            let of_the_run = value.path.root == Root::Event && value.scope == EventScope::Run;
            if of_the_run && events.as_ref().is_some_and(BTreeSet::is_empty) {
                let message = format!("`{}` is never there: no event starts this workflow", value.path);
                report.error("unknown-attribute", &value.at, message, None);
            } else if let Some(known) = unknown(project, value, events.as_ref(), report.suggestions > 0) {
                let last = value.path.keys.last().map(String::as_str).unwrap_or_default();
                let what = if value.path.root == Root::Contact { "attribute" } else { "property" };
                let message = format!("the data contract knows no {what} `{}`", value.path);
                let help = report.suggestion(last, known.iter().map(String::as_str), "known there");
                report.contract("unknown-attribute", &value.at, message, help, project.open());
            }
        }
    }
}

/// The names that are known there, if this one is not; without `names` none of them.
fn unknown(project: &Project<'_>, value: &ValueNote, events: Option<&BTreeSet<String>>, names: bool) -> Option<BTreeSet<String>> {
    let declared = project.declared(value, events, names);
    if declared.is_empty() {
        return None;
    }
    let mut known = BTreeSet::new();
    for declared in declared {
        match declared {
            Declared::Unknown(names) => known.extend(names),
            Declared::Open | Declared::Known(_) => return None,
        }
    }
    Some(known)
}
