//! Warns of waits for opens and clicks that nobody tracks.
//!
//! # What it does
//! Looks at every `wait_for` for a message to be `opened` or `clicked`, and at `tracking:` of the settings and of the topics by which this workflow sends that
//! message.
//!
//! # Why is this bad
//! Without tracking, opens and clicks are only known when a mail provider reports them from outside. Otherwise the wait always ends by its timeout: everybody is taken for
//! somebody who did not click.
//!
//! # Example
//! ```yaml
//! - send: sale
//! - wait_for: { message: sale, is: clicked }
//!   within: 2 days
//! ```
//!
//! # Use instead
//! In campaignd.yaml:
//! ```yaml
//! tracking: { clicks: true }
//! ```

use super::{Project, Report};
use crate::model::{Condition, Fate, MessageCondition, Settings, StepKind, Tracking, Workflow};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings else { return };
    for workflow in project.workflows() {
        for (step, at) in workflow.model.steps.iter().zip(&workflow.step_places) {
            let StepKind::WaitFor { condition, .. } = &step.kind else { continue };
            let untracked = |awaited: &MessageCondition| {
                let on: fn(&Tracking) -> bool = match awaited.is {
                    Fate::Opened => |tracking| tracking.opens,
                    Fate::Clicked => |tracking| tracking.clicks,
                    _ => return false,
                };
                !tracked(project, settings, &workflow.model, awaited, on)
            };
            if let Some(awaited) = needed(condition, &untracked) {
                let message = format!(
                    "nobody tracks whether this is {}: unless it is reported from outside, this never comes true",
                    awaited.is.word()
                );
                let help = "turn `tracking` on in campaignd.yaml, for all or for the message's topic";
                report.warning("untracked-wait", at, &message, help);
            }
        }
    }
}

/// What nobody tracks, and without which the condition cannot come true.
fn needed<'c>(condition: &'c Condition, untracked: &impl Fn(&MessageCondition) -> bool) -> Option<&'c MessageCondition> {
    match condition {
        Condition::Message(awaited) => untracked(awaited).then_some(awaited),
        Condition::All(parts) => parts.iter().find_map(|part| needed(part, untracked)),
        Condition::Any(parts) => {
            let mut all = parts.iter().map(|part| needed(part, untracked));
            let first = all.next()??;
            all.all(|other| other.is_some()).then_some(first)
        }
        _ => None,
    }
}

/// Whether some message that this may be about is tracked; one that is not sent here is another rule's.
fn tracked(
    project: &Project<'_>,
    settings: &Settings,
    workflow: &Workflow,
    awaited: &MessageCondition,
    on: fn(&Tracking) -> bool,
) -> bool {
    let mut sends = workflow.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Send(send) if awaited.template.as_ref().is_none_or(|name| *name == send.template) => Some(send),
        _ => None,
    });
    let mut none = true;
    let any = sends.any(|send| {
        none = false;
        let topic = send.topic.as_ref().and_then(|topic| settings.topics.get(topic));
        // Other channels' providers report what becomes of a message.
        project.channel_of(send) != "email" || topic.map_or(on(&settings.tracking), |topic| on(&topic.tracking))
    });
    any || none
}
