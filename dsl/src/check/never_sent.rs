//! Finds waits for messages that the workflow never sends.
//!
//! # What it does
//! Looks up the template of every `message:` condition in a `wait_for` among the messages that the workflow's steps send, and, where the wait asks for nothing
//! else, among those sent on some way to it.
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

use std::collections::{BTreeSet, HashSet};

use super::paths::Paths;
use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::lower::WorkflowUnit;
use crate::model::{Condition, StepIndex, StepKind};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let inline: HashSet<&str> = project.workflows().flat_map(|workflow| workflow.inline.keys()).map(String::as_str).collect();
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
            if project.template_names.contains(&named.name) || inline.contains(named.name.as_str()) {
                let message = format!("no step of this workflow sends `{}`, so this can never come true", named.name);
                let help = report.suggestion(&named.name, sent.iter().copied(), "it sends");
                report.error("never-sent", &named.at, message, help);
            }
        }
        too_early(workflow, report);
    }
}

/// Says which waits stand before everything that could send what they wait for.
fn too_early(workflow: &WorkflowUnit, report: &mut Report<'_>) {
    let steps = &workflow.model.steps;
    let awaited = |index: StepIndex| match &steps.get(index)?.kind {
        StepKind::WaitFor { condition: Condition::Message(message), .. } => message.template.as_deref(),
        _ => None,
    };
    let waits: Vec<(StepIndex, &str)> = (0..steps.len()).filter_map(|index| Some((index, awaited(index)?))).collect();
    let Some(paths) = (!waits.is_empty()).then(|| Paths::of(steps)).flatten() else { return };
    for (wait, name) in waits {
        let sends: Vec<StepIndex> = (0..steps.len())
            .filter(|index| matches!(&steps[*index].kind, StepKind::Send(send) if send.template == name))
            .collect();
        let sent_before = paths.after(sends.iter().copied()).get(wait) == Some(&true);
        if let (Some(first), false, Some(at)) = (sends.first(), sent_before, workflow.step_places.get(wait)) {
            let message = format!("`{name}` is not sent before this wait, so this can never come true");
            let mut diagnostic =
                Diagnostic::error("never-sent", at.clone(), message).help("wait for it behind the step that sends it");
            if let Some(place) = workflow.step_places.get(*first) {
                diagnostic = diagnostic.related(place.clone(), "it is sent here");
            }
            report.push(diagnostic);
        }
    }
}
