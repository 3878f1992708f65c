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

use super::{Project, Report};
use crate::diagnostic::Location;
use crate::lower::WorkflowUnit;
use crate::template::{InlineText, Variables};

/// How much text is looked at, in bytes: one that is long and sent with ever other data would be looked at again and again.
const MOST: usize = 64 * 1024 * 1024;
/// How much is said of one template, over all its uses.
const MOST_TOLD: usize = 1_000;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut uses = Uses { project, words: HashMap::new(), seen: HashSet::new(), told: HashMap::new(), left: MOST };
    for workflow in project.workflows() {
        uses.workflow(workflow, report);
    }
}

/// A template, and what may make a difference to it: the events, and of the data given and the variables set those that it names.
type Use<'a> = (&'a str, BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

struct Uses<'a, 'p> {
    project: &'p Project<'a>,
    /// The words of each template.
    words: HashMap<&'a str, HashSet<String>>,
    seen: HashSet<Use<'a>>,
    /// What was said of each template: the next use of it has mostly the same troubles.
    told: HashMap<&'a str, HashSet<(Location, String)>>,
    left: usize,
}

impl<'a> Uses<'a, '_> {
    fn workflow(&mut self, workflow: &'a WorkflowUnit, report: &mut Report<'_>) {
        let project = self.project;
        let events = project.events_of(workflow).unwrap_or_default();
        let vars = &workflow.notes.variables;
        for send in &workflow.notes.sends {
            let Some(template) = &send.template else { continue };
            let Some(source) = project.library.templates.get(&template.name) else { continue };
            let words = self.words.entry(template.name.as_str()).or_insert_with(|| project.library.words(source));
            let named = |names: &BTreeSet<String>| names.iter().filter(|name| words.contains(*name)).cloned().collect();
            let (with, vars) = (named(&send.with), named(vars));
            let key = (template.name.as_str(), events.clone(), with, vars);
            let told = self.told.get(template.name.as_str()).map_or(0, HashSet::len);
            if self.seen.contains(&key) || told >= MOST_TOLD || !self.affords(project.library.weight(&template.name)) {
                continue;
            }
            // Suggestions are made of all that is given.
            let variables = Variables {
                contract: project.contract,
                events: &events,
                with: &send.with,
                vars: &workflow.notes.variables,
                open: project.open(),
                suggestions: Cell::new(report.suggestions),
            };
            let mut found = project.library.check_use(&template.name, &variables);
            report.suggestions = variables.suggestions.get();
            let told = self.told.entry(template.name.as_str()).or_default();
            found.retain(|found| told.insert((found.location.clone(), found.message.clone())));
            report.all(found);
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
                with: &text.with,
                vars,
                open: project.open(),
                suggestions: Cell::new(report.suggestions),
            };
            report.all(project.library.check_inline(&inline, &variables));
            report.suggestions = variables.suggestions.get();
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
