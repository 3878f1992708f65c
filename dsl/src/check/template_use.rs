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

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Project, Report, SUGGESTIONS};
use crate::diagnostic::{Diagnostic, Location};
use crate::halves::in_halves;
use crate::lower::WorkflowUnit;
use crate::template::{InlineText, Variables, Words};

/// How much text is looked at, in bytes: one that is long and sent with ever other data would be looked at again and again.
const MOST: usize = 64 * 1024 * 1024;
/// How much is said of one template, over all its uses.
const MOST_TOLD: usize = 1_000;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let workflows: Vec<&WorkflowUnit> = project.workflows().collect();
    let all = workflows.len();
    let found = in_halves(&workflows, |workflows| {
        let left = if workflows.len() < all { MOST / 2 } else { MOST };
        let mut uses = Uses {
            project,
            words: Words::new(project.library),
            seen: HashSet::new(),
            told: HashMap::new(),
            suggestions: SUGGESTIONS,
            left,
            found: Vec::new(),
        };
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
    /// What was said of each template: the next use of it has mostly the same troubles.
    told: HashMap<&'a str, HashSet<(Location, String)>>,
    /// How often what was probably meant may still be looked for.
    suggestions: usize,
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
            let told = self.told.get(template.name.as_str()).map_or(0, HashSet::len);
            if self.seen.contains(&key) || told >= MOST_TOLD || !self.affords(project.library.weight(&template.name)) {
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
                suggestions: Cell::new(self.suggestions),
            };
            let mut found = project.library.check_use(&template.name, &variables);
            self.suggestions = variables.suggestions.get();
            let told = self.told.entry(template.name.as_str()).or_default();
            found.retain(|found| told.insert((found.location.clone(), found.message.clone())));
            self.found.extend(found);
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
                suggestions: Cell::new(self.suggestions),
            };
            self.found.extend(project.library.check_inline(&inline, &variables));
            self.suggestions = variables.suggestions.get();
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
