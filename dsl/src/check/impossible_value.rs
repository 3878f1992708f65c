//! Warns of a value that the data contract does not allow, where a condition asks for it or `set` gives it.
//!
//! # What it does
//! Holds the values that conditions name (`is`, `one_of`, `is_not`, `none_of`, `contains`) and that `set` steps give against the data contract (`enum`, `const`, `pattern`,
//! `format`, lengths, `minimum`, `maximum`), or against the names of a trait's tiers; and the numbers with which `above`, `at_least`, `below` and `at_most` compare against
//! the least and the greatest that there can be.
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

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::certain::none_meets;
use super::{Project, Report};
use crate::contract::{Contract, Limits};
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::{EventScope, TestNote, ValueNote};
use crate::model::{Change, InvalidData, Predicate, Root, StepKind};
use crate::place::{did_you_mean, list};

/// How much of schemas is looked through, over a project.
const MOST: usize = 1_000_000;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut left = MOST;
    let free = free_numbers(project);
    for (notes, events) in project.notes_with_events() {
        let asks = |test: &TestNote| !test.values.is_empty() || test.number.is_some();
        for value in notes.values.iter().filter(|value| value.tests.iter().any(asks)) {
            let contract = project.contract;
            match (value.path.root, &value.scope) {
                (Root::Contact, _) => {
                    let bounded = free.as_ref().is_some_and(|free| !free.contains(value.path.keys.as_slice()));
                    Place { contract, value, events: None, bounded }.check(&mut left, report);
                }
                (Root::Event, EventScope::Named(event)) => {
                    Place { contract, value, events: Some(vec![event]), bounded: free.is_some() }.check(&mut left, report);
                }
                (Root::Event, EventScope::Run) => {
                    let events = events.iter().flat_map(BTreeSet::iter).map(String::as_str).collect();
                    Place { contract, value, events: Some(events), bounded: free.is_some() }.check(&mut left, report);
                }
                (Root::Event, EventScope::Nothing) | (Root::Vars, _) => {}
            }
        }
    }
}

/// A place at which a value is asked for or given.
struct Place<'a> {
    contract: &'a Contract,
    value: &'a ValueNote,
    /// The events that may bring it; `None`: it is the contact's own.
    events: Option<Vec<&'a str>>,
    /// Numbers are within what the data contract says.
    bounded: bool,
}

/// The attributes to which steps add, whatever the data contract says of the sum. `None`: no number is held to it (`invalid_data: accept`).
fn free_numbers<'a>(project: &Project<'a>) -> Option<HashSet<&'a [String]>> {
    project.settings.filter(|settings| settings.invalid_data == InvalidData::Reject)?;
    let steps = project.workflows().flat_map(|workflow| &workflow.model.steps);
    let assignments = steps.filter_map(|step| match &step.kind {
        StepKind::Set(assignments) => Some(assignments),
        _ => None,
    });
    let added = assignments.flatten().filter(|one| one.path.root == Root::Contact && matches!(one.change, Change::Add(_)));
    Some(added.map(|one| one.path.keys.as_slice()).collect())
}

impl Place<'_> {
    fn check(&self, left: &mut usize, report: &mut Report<'_>) {
        for test in &self.value.tests {
            if let Some((number, predicate)) = test.number.and_then(|number| Some((number, compared(test.word, number)?))) {
                self.number(test, number, &predicate, report);
            }
            for (value, at) in &test.values {
                let Some(rest) = left.checked_sub(self.width()) else { return };
                *left = rest;
                if let Some(fault) = self.fault(test.word, value) {
                    self.tell(test.word, value, fault, at, report);
                }
            }
        }
    }

    /// What whoever may bring the value has against it; `None` if nothing, or if one of several has nothing.
    fn fault(&self, word: &str, value: &Value) -> Option<Fault> {
        let keys = &self.value.path.keys;
        if self.is_trait() {
            let names = self.contract.contact_texts(keys)?;
            let known = value.as_str().is_none_or(|text| word == "contains" || names.iter().any(|name| name == text));
            return (!known).then_some(Fault::OneOf(names));
        }
        let in_list = word == "contains" && self.holds_lists();
        if word == "contains" && !in_list {
            return None;
        }
        let of = |event: Option<&str>| self.contract.fault(event, keys, value, in_list);
        let words = match &self.events {
            None => of(None)?,
            Some(events) => {
                let mut faults = events.iter().map(|event| of(Some(event)));
                let first = faults.next()??;
                faults.all(|fault| fault.is_some()).then_some(first)?
            }
        };
        let texts = match &self.events {
            None => self.contract.contact_texts(keys),
            Some(events) => {
                let lists: Option<Vec<Vec<String>>> = events.iter().map(|event| self.contract.event_texts(event, keys)).collect();
                lists.map(|lists| lists.concat())
            }
        };
        Some(texts.map_or(Fault::Says(words), Fault::OneOf))
    }

    fn tell(&self, word: &str, value: &Value, fault: Fault, at: &Location, report: &mut Report<'_>) {
        let (path, value) = (&self.value.path, shown(value));
        let message = match word {
            "set" => format!("the data contract does not let `{path}` be `{value}`"),
            "contains" => format!("`{path}` never contains `{value}`"),
            _ => format!("`{path}` is never `{value}`"),
        };
        let help = match fault {
            Fault::Says(words) => format!("the data contract says: {words}"),
            Fault::OneOf(names) => match did_you_mean(&value, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it is one of {}", list(&names.iter().map(String::as_str).collect::<Vec<_>>())),
            },
        };
        report.push(Diagnostic::warning("impossible-value", at.clone(), message).help(help));
    }

    fn number(&self, test: &TestNote, number: f64, predicate: &Predicate, report: &mut Report<'_>) {
        if !self.bounded && !self.is_trait() {
            return;
        }
        let limits = self.limits();
        if limits.is_empty() || !limits.iter().all(|limits| none_meets(predicate, limits)) {
            return;
        }
        let (path, word) = (&self.value.path, test.word.replace('_', " "));
        let message = format!("`{path}` is never {word} {number}");
        let by = if self.is_trait() { "as a trait, it is" } else { "the data contract says that it is" };
        let mut diagnostic = Diagnostic::warning("impossible-value", test.at.clone(), message);
        if let Some(words) = limits.first().and_then(between) {
            diagnostic = diagnostic.help(format!("{by} {words}"));
        }
        report.push(diagnostic);
    }

    /// What is known of the value, for each that may bring it.
    fn limits(&self) -> Vec<Limits> {
        let keys = &self.value.path.keys;
        match &self.events {
            // A number that always is there is never outside of its limits: that is said of the condition.
            None if self.is_trait() => self
                .contract
                .trait_limits(keys)
                .map(|(limits, _)| limits)
                .filter(|limits| limits.values.is_none())
                .into_iter()
                .collect(),
            None => vec![self.contract.contact_limits(keys)],
            Some(events) => events.iter().map(|event| self.contract.event_limits(event, keys)).collect(),
        }
    }

    fn is_trait(&self) -> bool {
        self.events.is_none() && self.value.path.keys.first().is_some_and(|name| self.contract.is_trait(name))
    }

    fn holds_lists(&self) -> bool {
        let keys = &self.value.path.keys;
        let lists = |declared| matches!(declared, crate::contract::Declared::Known(kinds) if kinds.list && !kinds.text);
        match &self.events {
            None => lists(self.contract.contact_attribute(keys)),
            Some(events) => events.iter().all(|event| lists(self.contract.event_property(event, keys))),
        }
    }

    fn width(&self) -> usize {
        match &self.events {
            None => self.contract.width(None, &self.value.path.keys),
            Some(events) => events.iter().map(|event| self.contract.width(Some(event), &self.value.path.keys)).sum(),
        }
    }
}

/// Why a value cannot be.
enum Fault {
    /// It is always one of these.
    OneOf(Vec<String>),
    Says(String),
}

fn compared(word: &str, number: f64) -> Option<Predicate> {
    Some(match word {
        "above" => Predicate::Above(number),
        "at_least" => Predicate::AtLeast(number),
        "below" => Predicate::Below(number),
        "at_most" => Predicate::AtMost(number),
        _ => return None,
    })
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// "at least 0 and at most 150"
fn between(limits: &Limits) -> Option<String> {
    if let Some(values) = &limits.values {
        let values: Vec<String> = values.iter().filter(|value| !value.is_null()).map(shown).collect();
        return Some(format!("one of {}", list(&values.iter().map(String::as_str).collect::<Vec<_>>())));
    }
    let low = limits.low.map(|(at, included)| format!("{} {at}", if included { "at least" } else { "above" }));
    let high = limits.high.map(|(at, included)| format!("{} {at}", if included { "at most" } else { "below" }));
    let both: Vec<String> = low.into_iter().chain(high).collect();
    (!both.is_empty()).then(|| both.join(" and "))
}
