//! Checks each message against the data it is sent with.
//!
//! # What it does
//! Hands every send's template, and every text in a workflow that holds `{{ }}`, to the template checker, together with the
//! events that can start the workflow, what `with` gives and what `set` steps set.
//!
//! # Why is this bad
//! A variable that is not there would stop the message when it is due.
//!
//! # Example
//! ```yaml
//! - send: { subject: "Hello {{contact.fist_name}}", text: "Welcome!" }
//! ```
//!
//! # Use instead
//! ```yaml
//! - send: { subject: "Hello {{contact.first_name}}", text: "Welcome!" }
//! ```

use std::collections::{BTreeSet, HashSet};

use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::halves::in_halves;
use crate::lower::WorkflowUnit;
use crate::template::{InlineText, Variables, Words};

/// How much text is looked at, in bytes: one that is long and sent with ever other data would be looked at again and again.
const MOST: usize = 64 * 1024 * 1024;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let workflows: Vec<&WorkflowUnit> = project.workflows().collect();
    let all = workflows.len();
    let found = in_halves(&workflows, |workflows| {
        let left = if workflows.len() < all { MOST / 2 } else { MOST };
        let mut uses = Uses { project, words: Words::new(project.library), seen: HashSet::new(), left, found: Vec::new() };
        workflows.iter().for_each(|workflow| uses.workflow(workflow));
        uses.found
    });
    found.into_iter().for_each(|found| report.all(found));
}

/// A template, and what may make a difference to it: the events, and of the data given and the variables set those that it names.
type Use<'a> = (&'a str, (BTreeSet<String>, bool), BTreeSet<String>, BTreeSet<String>);

struct Uses<'a, 'p> {
    project: &'p Project<'a>,
    words: Words<'a>,
    seen: HashSet<Use<'a>>,
    left: usize,
    found: Vec<Diagnostic>,
}

impl<'a> Uses<'a, '_> {
    fn workflow(&mut self, workflow: &'a WorkflowUnit) {
        let project = self.project;
        let events = project.events_of(workflow);
        let eventless = events.as_ref().is_some_and(BTreeSet::is_empty);
        let events = events.unwrap_or_default();
        let vars = &workflow.notes.variables;
        for send in &workflow.notes.sends {
            let Some(template) = &send.template else { continue };
            let Some(source) = project.library.templates.get(&template.name) else { continue };
            let mut named = |names: &BTreeSet<String>| {
                names.iter().filter(|name| self.words.holds(&template.name, source, name)).cloned().collect()
            };
            let (with, vars) = (named(&send.with), named(vars));
            let key = (template.name.as_str(), (events.clone(), eventless), with, vars);
            if self.seen.contains(&key) || !self.affords(project.library.weight(&template.name)) {
                continue;
            }
            // Suggestions are made of all that is given.
            let variables = Variables {
                contract: project.contract,
                events: &events,
                eventless,
                with: &send.with,
                vars: &workflow.notes.variables,
                open: project.open(),
            };
            self.found.extend(project.library.check_use(&template.name, &variables));
            self.seen.insert(key);
        }
        for text in &workflow.notes.texts {
            if !self.affords(project.library.weight_of(&text.text)) {
                continue;
            }
            let inline = InlineText { text: &text.text, file: &text.at.file, line: text.line, column: text.column };
            let variables = Variables {
                contract: project.contract,
                events: &events,
                eventless,
                with: &text.with,
                vars,
                open: project.open(),
            };
            self.found.extend(project.library.check_inline(&inline, &variables));
        }
    }

    fn affords(&mut self, weight: usize) -> bool {
        match self.left.checked_sub(weight) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
