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

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::lower::{EventScope, ValueNote};
use crate::model::Root;
use crate::place::{did_you_mean, list};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut lists = Lists { project, known: HashMap::new() };
    for (notes, events) in project.notes_with_events() {
        let events = events.is_some().then_some(&notes.triggers);
        for value in notes.values.iter().filter(|value| value.tests.iter().any(|test| !test.texts.is_empty())) {
            let Some(allowed) = lists.of(value, events) else { continue };
            let texts = value.tests.iter().flat_map(|test| &test.texts);
            for (text, at) in texts.filter(|(text, _)| !allowed.iter().any(|list| list.names.contains(text))) {
                let message = format!("`{}` is never `{text}`", value.path);
                let mut diagnostic = Diagnostic::warning("impossible-value", at.clone(), message);
                if report.may_suggest() {
                    let known: Vec<&str> = allowed.iter().flat_map(|list| &list.in_order).map(String::as_str).collect();
                    diagnostic = diagnostic.help(match did_you_mean(text, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it is one of {}", list(&known)),
                    });
                }
                report.push(diagnostic);
            }
        }
    }
}

/// The only texts that a value may be.
struct Listed {
    in_order: Vec<String>,
    names: HashSet<String>,
}

/// The lists of the data contract, each read once. Those of events go by the event's name.
struct Lists<'a, 'p> {
    project: &'p Project<'a>,
    known: HashMap<(Option<&'a str>, &'a [String]), Option<Rc<Listed>>>,
}

impl<'a> Lists<'a, '_> {
    /// All that the value may be; `None` where anything may be.
    fn of(&mut self, value: &'a ValueNote, events: Option<&'a BTreeSet<String>>) -> Option<Vec<Rc<Listed>>> {
        let keys = value.path.keys.as_slice();
        match (value.path.root, &value.scope) {
            (Root::Contact, _) => Some(vec![self.list(None, keys)?]),
            (Root::Event, EventScope::Named(event)) => Some(vec![self.list(Some(event), keys)?]),
            // Of several events, any may bring it.
            (Root::Event, EventScope::Run) => {
                let lists: Option<Vec<Rc<Listed>>> = events?.iter().map(|event| self.list(Some(event), keys)).collect();
                lists.filter(|lists| lists.iter().any(|list| !list.in_order.is_empty()))
            }
            (Root::Event, EventScope::Nothing) | (Root::Vars, _) => None,
        }
    }

    fn list(&mut self, event: Option<&'a str>, keys: &'a [String]) -> Option<Rc<Listed>> {
        let contract = self.project.contract;
        let read = || {
            let in_order = event.map_or_else(|| contract.contact_texts(keys), |event| contract.event_texts(event, keys))?;
            Some(Rc::new(Listed { names: in_order.iter().cloned().collect(), in_order }))
        };
        self.known.entry((event, keys)).or_insert_with(read).clone()
    }
}
