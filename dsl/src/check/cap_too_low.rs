//! Warns of messages that a frequency cap never lets through.
//!
//! # What it does
//! Goes through every workflow as slowly as its waits allow, and counts the messages that each cap under `limits: frequency` is about. One that finds the cap full is
//! skipped with `when_capped: skip`, and otherwise held for at most 3 days.
//!
//! # Why is this bad
//! The last messages of the sequence reach nobody who went through the first ones.
//!
//! # Example
//! ```yaml
//! # campaignd.yaml says `frequency: [{ at_most: 1, per: 7 days, topic: any }]`
//! steps:
//!   - send: sale
//!   - wait: 1 day
//!   - send: last-chance
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - send: sale
//!   - wait: 6 days
//!   - send: last-chance
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::lower::WorkflowUnit;
use crate::model::{FrequencyCap, Send, Settings, Step, StepIndex, StepKind, Wait, WhenCapped};
use crate::time::{Duration, Weekdays};

/// How long a message waits for its place.
const HELD: i64 = 3 * Duration::DAY.millis();
/// How many steps are looked at in one workflow, over all ways through it.
const MOST: usize = 500;
/// How many caps are looked at.
const MOST_CAPS: usize = 16;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings else { return };
    for workflow in project.workflows() {
        let mut seen = BTreeSet::new();
        for (cap, place) in settings.frequency.iter().zip(&project.settings_notes.caps).take(MOST_CAPS) {
            for index in blocked(project, settings, workflow, cap) {
                let Some(at) = workflow.step_places.get(index).filter(|_| seen.insert(index)) else { continue };
                let message = format!(
                    "the cap of {} in {} is full when this is due, however long the waits before it take",
                    cap.at_most, cap.per
                );
                let help = "wait longer before it, send less, or raise the cap in campaignd.yaml";
                report.push(Diagnostic::warning("cap-too-low", at.clone(), message).help(help).related(place.clone(), "the cap"));
            }
        }
    }
}

/// The sends that find the cap full on some way through the workflow.
fn blocked(project: &Project<'_>, settings: &Settings, workflow: &WorkflowUnit, cap: &FrequencyCap) -> BTreeSet<StepIndex> {
    let steps = &workflow.model.steps;
    let counts = |send: &Send| {
        let topic = cap.topic.as_ref().is_none_or(|topic| send.topic.as_ref() == Some(topic));
        let channel = cap.channel.as_ref().is_none_or(|channel| project.channel_of(send) == channel);
        !send.transactional && topic && channel
    };
    let mut blocked = BTreeSet::new();
    let few = steps.iter().filter(|step| matches!(&step.kind, StepKind::Send(send) if counts(send))).count();
    let repeats = steps.iter().any(|step| matches!(step.kind, StepKind::Repeat(_)));
    if few == 0 || (few <= cap.at_most as usize && !repeats) {
        return blocked;
    }
    let mut open = vec![Way::default()];
    let mut looked = 0;
    while let Some(mut way) = open.pop() {
        let Some(step) = way.at.and_then(|at| steps.get(at)) else { continue };
        looked += 1;
        if looked > MOST {
            break;
        }
        if let (StepKind::Send(send), Some(index)) = (&step.kind, way.at)
            && counts(send)
            && !way.send(send, cap, slack(send, settings))
        {
            blocked.insert(index);
        }
        way.on(step, &mut open);
    }
    blocked
}

/// How much later than its step is reached a message may leave.
fn slack(send: &Send, settings: &Settings) -> i64 {
    let by_window = send.window.map_or(0, |window| if window.weekdays == Weekdays::ALL { 1 } else { 7 });
    let by_quiet_hours = i64::from(settings.quiet_hours.is_some());
    (by_window + by_quiet_hours) * Duration::DAY.millis()
}

/// One way through a workflow, as far as it was gone.
#[derive(Clone)]
struct Way {
    at: Option<StepIndex>,
    /// In ms since the beginning, at the latest.
    now: i64,
    /// When messages left.
    sent: Vec<i64>,
    /// The passes of each repeat that is open: how many, and when the first began.
    passes: BTreeMap<StepIndex, (u32, i64)>,
}

impl Default for Way {
    fn default() -> Way {
        Way { at: Some(0), now: 0, sent: Vec::new(), passes: BTreeMap::new() }
    }
}

impl Way {
    /// Sends a message; says whether it left.
    fn send(&mut self, send: &Send, cap: &FrequencyCap, slack: i64) -> bool {
        let place = self.sent.len().checked_sub(cap.at_most as usize);
        let free = match place {
            None => self.now,
            Some(first) => self.sent.get(first).map_or(i64::MAX, |sent| sent.saturating_add(cap.per.millis())),
        };
        let patience = slack + if send.when_capped == WhenCapped::Wait { HELD } else { 0 };
        let leaves = free <= self.now.saturating_add(patience);
        if leaves {
            self.now = self.now.max(free);
            self.sent.push(self.now);
        } else if send.when_capped == WhenCapped::Wait {
            self.now = self.now.saturating_add(HELD);
        }
        leaves
    }

    /// Goes on behind the step, by each of its ways.
    fn on(mut self, step: &Step, open: &mut Vec<Way>) {
        let mut go = |way: &Way, to: Option<StepIndex>, later: i64| {
            let now = way.now.saturating_add(later);
            open.push(Way { at: to, now, ..way.clone() });
        };
        match &step.kind {
            StepKind::Wait(wait) => go(&self, step.next, longest(wait)),
            StepKind::WaitFor { within, then, otherwise, .. } => {
                let within = within.map_or(i64::MAX / 4, |within| within.millis());
                go(&self, *then, within);
                if otherwise != then {
                    go(&self, *otherwise, within);
                }
            }
            StepKind::Branch { cases } => {
                let ways: BTreeSet<Option<StepIndex>> = cases.iter().map(|case| case.to).chain([step.next]).collect();
                ways.into_iter().for_each(|to| go(&self, to, 0));
            }
            StepKind::Experiment { variants, .. } => {
                let ways: BTreeSet<Option<StepIndex>> =
                    variants.iter().filter(|variant| variant.weight > 0.0).map(|variant| variant.to).collect();
                ways.into_iter().for_each(|to| go(&self, to, 0));
            }
            StepKind::Repeat(repeat) => {
                let Some(at) = self.at else { return };
                let now = self.now;
                let (done, began) = *self.passes.entry(at).or_insert((0, now));
                if done >= repeat.times {
                    self.passes.remove(&at);
                    go(&self, step.next, 0);
                } else {
                    let every = repeat.every.map_or(0, |every| every.millis());
                    self.now = now.max(began.saturating_add(every.saturating_mul(i64::from(done))));
                    self.passes.insert(at, (done + 1, began));
                    go(&self, Some(repeat.body), 0);
                }
            }
            StepKind::Exit { .. } => {}
            _ => go(&self, step.next, 0),
        }
    }
}

/// The longest that a wait takes, in ms.
fn longest(wait: &Wait) -> i64 {
    let until = |weekdays: &Weekdays| if *weekdays == Weekdays::ALL { 1 } else { 7 } * Duration::DAY.millis();
    match wait {
        Wait::For(span) => span.millis(),
        Wait::Dates { days, weekdays, .. } => days.saturating_mul(Duration::DAY.millis()).saturating_add(until(weekdays)),
        Wait::Until { weekdays, .. } => until(weekdays),
        // Anything: what was sent before is long ago.
        Wait::UntilDate { .. } => i64::MAX / 4,
    }
}
