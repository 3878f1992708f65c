//! Finds sends of templates that do not exist.
//!
//! # What it does
//! Looks up the template of every `send` and every `message:` condition among the files under templates/.
//!
//! # Why is this bad
//! The message could never be sent, and the condition could never hold.
//!
//! # Example
//! ```yaml
//! steps:
//!   - send: wellcome
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - send: welcome
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::lower::Named;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let read = project.library.templates.keys().map(String::as_str);
    let templates: BTreeSet<&str> = read.chain(project.template_names.iter().map(String::as_str)).collect();
    for named in project.workflows().flat_map(|workflow| &workflow.notes.sends).filter_map(|send| send.template.as_ref()) {
        unknown(named, &templates, report);
    }
    // An inline message is known by its step's id.
    let inline = project.workflows().flat_map(|workflow| workflow.inline.keys()).map(String::as_str);
    // So is one that was set aside.
    let partial = project.workflows().filter(|workflow| workflow.notes.partial);
    let set_aside = partial.flat_map(|workflow| &workflow.model.steps).map(|step| step.id.as_str());
    let known: BTreeSet<&str> = templates.iter().copied().chain(inline).chain(set_aside).collect();
    for named in project.notes().flat_map(|notes| &notes.messages) {
        unknown(named, &known, report);
    }
}

fn unknown(named: &Named, known: &BTreeSet<&str>, report: &mut Report<'_>) {
    if !known.contains(named.name.as_str()) {
        let message = format!("there is no template `{}` under templates/", named.name);
        let help = report.suggestion(&named.name, known.iter().copied(), "templates");
        report.error("unknown-template", &named.at, message, help);
    }
}
