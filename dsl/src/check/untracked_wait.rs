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

use std::collections::HashMap;

use super::{Project, Report};
use crate::model::{Condition, Fate, MessageCondition, Send, Settings, StepKind, Tracking, Workflow};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings else { return };
    for workflow in project.workflows() {
        let sends = sends(&workflow.model);
        for (step, at) in workflow.model.steps.iter().zip(&workflow.step_places) {
            let StepKind::WaitFor { condition, .. } = &step.kind else { continue };
            let untracked = |awaited: &MessageCondition| {
                let on: fn(&Tracking) -> bool = match awaited.is {
                    Fate::Opened => |tracking| tracking.opens,
                    Fate::Clicked => |tracking| tracking.clicks,
                    _ => return false,
                };
                !tracked(project, settings, sends.get(&awaited.template.as_deref()), on)
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

/// The sends of each template, and under no name all of them.
fn sends(workflow: &Workflow) -> HashMap<Option<&str>, Vec<&Send>> {
    let mut sends: HashMap<Option<&str>, Vec<&Send>> = HashMap::new();
    for step in &workflow.steps {
        if let StepKind::Send(send) = &step.kind {
            sends.entry(Some(send.template.as_str())).or_default().push(send);
            sends.entry(None).or_default().push(send);
        }
    }
    sends
}

/// How many sends a wait is held against.
const MOST: usize = 200;

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
fn tracked(project: &Project<'_>, settings: &Settings, sends: Option<&Vec<&Send>>, on: fn(&Tracking) -> bool) -> bool {
    let Some(sends) = sends.filter(|sends| sends.len() <= MOST) else { return true };
    sends.iter().any(|send| {
        let topic = send.topic.as_ref().and_then(|topic| settings.topics.get(topic));
        // Other channels' providers report what becomes of a message.
        project.channel_of(send) != "email" || topic.map_or(on(&settings.tracking), |topic| on(&topic.tracking))
    })
}
