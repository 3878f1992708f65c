//! Finds waits for messages that the workflow never sends.
//!
//! # What it does
//! Looks up the template of every `message:` condition in a `wait_for` among the messages that the workflow's steps send.
//!
//! # Why is this bad
//! A `wait_for` on a message means this run's own message: one that another workflow sends does not count. The wait would
//! always end by its timeout, or never.
//!
//! # Example
//! ```yaml
//! steps:
//!   - send: welcome
//!   - wait_for: { message: cart-reminder, is: clicked }
//!     within: 1 day
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - send: welcome
//!   - wait_for: { message: welcome, is: clicked }
//!     within: 1 day
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::model::StepKind;
use crate::place::suggestion;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    // In a workflow of which something was set aside, that may be what sends it.
    for workflow in project.workflows().filter(|workflow| !workflow.notes.partial) {
        let sent: BTreeSet<&str> = workflow
            .model
            .steps
            .iter()
            .filter_map(|step| match &step.kind {
                StepKind::Send(send) => Some(send.template.as_str()),
                _ => None,
            })
            .collect();
        for named in workflow.notes.awaited.iter().filter(|named| !sent.contains(named.name.as_str())) {
            // A name that nothing has is reported as such.
            let known = project.template_names.contains(&named.name)
                || project.workflows().any(|workflow| workflow.inline.contains_key(&named.name));
            if known {
                let message = format!("no step of this workflow sends `{}`, so this can never come true", named.name);
                report.error("never-sent", &named.at, message, suggestion(&named.name, sent.iter().copied(), "it sends"));
            }
        }
    }
}
