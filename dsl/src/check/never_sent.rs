//! Finds waits for messages that the workflow never sends.
//!
//! # What it does
//! Looks up the template of every `message:` condition in a `wait_for` among the messages that the workflow's steps send, and, where the wait cannot do
//! without it, among those sent on some way to it.
//!
//! # Why is this bad
//! A `wait_for` on a message means this run's own message: one that another workflow sends does not count. Nothing
//! ever becomes of the one that is named.
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
use crate::model::{Condition, Step, StepIndex, StepKind};

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
                let message = format!("no step of this workflow sends `{}`, so nothing ever becomes of it here", named.name);
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
    let waits: Vec<(StepIndex, &Condition)> = steps
        .iter()
        .enumerate()
        .filter_map(|(index, step)| match &step.kind {
            StepKind::WaitFor { condition, .. } if speaks_of_messages(condition) => Some((index, condition)),
            _ => None,
        })
        .collect();
    let Some(paths) = (!waits.is_empty()).then(|| Paths::of(steps)).flatten() else { return };
    for (wait, condition) in waits {
        let sent = |name: Option<&String>| -> Vec<StepIndex> {
            let is_it =
                |step: &Step| matches!(&step.kind, StepKind::Send(send) if name.is_none_or(|name| *name == send.template));
            steps.iter().enumerate().filter(|(_, step)| is_it(step)).map(|(index, _)| index).collect()
        };
        // What is sent nowhere in the workflow is said of its name.
        let late = |name: Option<&String>| {
            let sends = sent(name);
            let before = paths.after(sends.iter().copied()).get(wait) == Some(&true);
            (!before && (name.is_none() || !sends.is_empty())).then_some(sends)
        };
        if let (Some((name, sends)), Some(at)) = (needs_later(condition, &late), workflow.step_places.get(wait)) {
            let what = name.map_or("no message".to_owned(), |name| format!("`{name}`"));
            let is = if name.is_some() { "is not sent" } else { "is sent" };
            let message = format!("{what} {is} before this wait, so this can never come true");
            let mut diagnostic =
                Diagnostic::error("never-sent", at.clone(), message).help("wait for it behind the step that sends it");
            if let Some(place) = sends.first().and_then(|first| workflow.step_places.get(*first)) {
                diagnostic = diagnostic.related(place.clone(), "it is sent here");
            }
            report.push(diagnostic);
        }
    }
}

fn speaks_of_messages(condition: &Condition) -> bool {
    match condition {
        Condition::Message(_) => true,
        Condition::All(parts) | Condition::Any(parts) => parts.iter().any(speaks_of_messages),
        _ => false,
    }
}

/// A message without which the condition cannot come true, and which is not sent in time: its name (`None`: any at all), and where it is sent.
fn needs_later<'c>(
    condition: &'c Condition,
    late: &impl Fn(Option<&String>) -> Option<Vec<StepIndex>>,
) -> Option<(Option<&'c String>, Vec<StepIndex>)> {
    match condition {
        Condition::Message(message) => Some((message.template.as_ref(), late(message.template.as_ref())?)),
        Condition::All(parts) => parts.iter().find_map(|part| needs_later(part, late)),
        Condition::Any(parts) => {
            let mut all = parts.iter().map(|part| needs_later(part, late));
            let first = all.next()??;
            all.all(|other| other.is_some()).then_some(first)
        }
        _ => None,
    }
}
