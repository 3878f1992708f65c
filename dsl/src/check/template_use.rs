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

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::lower::WorkflowUnit;
use crate::template::{InlineText, Variables};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for workflow in project.workflows() {
        uses(project, workflow, report);
    }
}

fn uses(project: &Project<'_>, workflow: &WorkflowUnit, report: &mut Report<'_>) {
    let events = project.events_of(workflow).unwrap_or_default();
    let vars = &workflow.notes.variables;
    let mut seen: BTreeSet<(&str, &BTreeSet<String>)> = BTreeSet::new();
    for send in &workflow.notes.sends {
        let Some(template) = &send.template else {
            continue;
        };
        if project.library.templates.contains_key(&template.name) && seen.insert((&template.name, &send.with)) {
            let variables =
                Variables { contract: project.contract, events: &events, with: &send.with, vars, open: project.open() };
            report.all(project.library.check_use(&template.name, &variables));
        }
    }
    for text in &workflow.notes.texts {
        let inline = InlineText { text: &text.text, file: &text.at.file, line: text.line, column: text.column };
        let variables = Variables { contract: project.contract, events: &events, with: &text.with, vars, open: project.open() };
        report.all(project.library.check_inline(&inline, &variables));
    }
}
