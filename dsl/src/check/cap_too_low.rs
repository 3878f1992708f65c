//! Warns of messages that a frequency cap never lets through.
//!
//! # What it does
//! Goes every way through a workflow, with the messages as far apart as its waits, windows and quiet hours allow, and counts those that each cap under
//! `limits: frequency` is about. One that finds a cap full is held for at most 3 days, and then skipped. One that says `when_capped: skip` may be skipped: of it is
//! told only where it is, every time. Conditions are not looked into: any case of a branch may be taken in any pass of a `repeat`.
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

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::pace::{Span, between_passes, of_wait, until_opening};
use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::lower::WorkflowUnit;
use crate::model::{FrequencyCap, Repeat, Send, Settings, Step, StepIndex, StepKind, WhenCapped};
use crate::time::Duration;

/// How long a message waits for its place.
const HELD: i64 = 3 * Duration::DAY.millis();
/// How many steps are looked at in one workflow, over all ways through it, and in a project.
const MOST: usize = 2_000;
const MOST_OF_ALL: usize = 200_000;
/// How many caps are looked at.
const MOST_CAPS: usize = 16;
/// Ways on which more messages count are not compared with each other.
const MOST_SENT: usize = 32;
/// How many of the messages that fill a cap are named.
const NAMED: usize = 3;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings.filter(|settings| !settings.frequency.is_empty()) else { return };
    let mut left = MOST_OF_ALL;
    for workflow in project.workflows() {
        let search = Search::new(project, settings, workflow);
        for (index, full) in search.blocked(&mut left) {
            let Some(at) = workflow.step_places.get(index) else { continue };
            let Some(cap) = settings.frequency.get(full.cap) else { continue };
            let lets = if full.leaves { "keeps this from whoever was sent all before it" } else { "never lets this through" };
            let message = format!("the cap of {} in {} {lets}, however long the waits before it take", cap.at_most, cap.per);
            let help = "wait longer before it, send less, or raise the cap in campaignd.yaml";
            let mut diagnostic = Diagnostic::warning("cap-too-low", at.clone(), message).help(help);
            if let Some(place) = project.settings_notes.caps.get(full.cap) {
                diagnostic = diagnostic.related(place.clone(), "the cap");
            }
            let others = full.by.iter().filter(|by| **by != index).filter_map(|by| workflow.step_places.get(*by));
            for place in others.take(NAMED) {
                diagnostic = diagnostic.related(place.clone(), "sent before it");
            }
            report.push(diagnostic);
        }
    }
}

/// A message that left on the way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sent {
    step: StepIndex,
    /// In ms since the beginning: as long before whatever follows as can be.
    at: i64,
    /// When it leaves if all since the last fixed point goes as fast as can be.
    early: i64,
}

/// Why a message does not leave.
struct Full {
    cap: usize,
    /// It leaves on another way, or in another pass.
    leaves: bool,
    by: BTreeSet<StepIndex>,
}

/// What becomes of a message over all visits.
#[derive(Default)]
struct Fate {
    leaves: bool,
    full: Option<Full>,
}

struct Search<'a> {
    settings: &'a Settings,
    steps: &'a [Step],
    /// For each step, which caps count its message.
    counted: Vec<Vec<usize>>,
}

impl<'a> Search<'a> {
    fn new(project: &Project<'_>, settings: &'a Settings, workflow: &'a WorkflowUnit) -> Search<'a> {
        let steps = &workflow.model.steps;
        let counts = |cap: &FrequencyCap, send: &Send| {
            let topic = cap.topic.as_ref().is_none_or(|topic| send.topic.as_ref() == Some(topic));
            // On which of several channels it leaves is not known.
            let one = send.or_channels.is_empty();
            let channel = cap.channel.as_ref().is_none_or(|channel| one && project.channel_of(send) == channel);
            !send.transactional && topic && channel
        };
        let of_step = |step: &Step| match &step.kind {
            StepKind::Send(send) => {
                let caps = settings.frequency.iter().take(MOST_CAPS).enumerate();
                caps.filter(|(_, cap)| counts(cap, send)).map(|(index, _)| index).collect()
            }
            _ => Vec::new(),
        };
        Search { settings, steps, counted: steps.iter().map(of_step).collect() }
    }

    /// Whether there are as many messages as some cap has places.
    fn may_be_full(&self) -> bool {
        let repeats = self.steps.iter().any(|step| matches!(step.kind, StepKind::Repeat(_)));
        self.settings.frequency.iter().take(MOST_CAPS).enumerate().any(|(cap, limit)| {
            let sends = self.counted.iter().filter(|caps| caps.contains(&cap)).count();
            sends > 0 && (repeats || sends > limit.at_most as usize)
        })
    }

    /// The sends that a cap never lets through on some way, and which.
    fn blocked(&self, left: &mut usize) -> BTreeMap<StepIndex, Full> {
        let mut fates: BTreeMap<StepIndex, Fate> = BTreeMap::new();
        let forks = self
            .steps
            .iter()
            .any(|step| matches!(step.kind, StepKind::Branch { .. } | StepKind::WaitFor { .. } | StepKind::Experiment { .. }));
        let mut seen = HashSet::new();
        let mut open = if self.may_be_full() { vec![Way { at: Some(0), ..Way::default() }] } else { Vec::new() };
        let mut looked = 0;
        while let Some(mut way) = open.pop() {
            let Some((index, step)) = way.at.and_then(|at| Some((at, self.steps.get(at)?))) else { continue };
            looked += 1;
            if looked > MOST || *left == 0 {
                break;
            }
            *left -= 1;
            if forks && way.sent.len() <= MOST_SENT && !seen.insert(way.relative()) {
                continue;
            }
            if let StepKind::Send(send) = &step.kind {
                self.send(&mut way, index, send, fates.entry(index).or_default());
            }
            way.on(step, &mut open);
        }
        let told = |(index, fate): (StepIndex, Fate)| {
            let may_be_skipped =
                matches!(&self.steps.get(index)?.kind, StepKind::Send(send) if send.when_capped == WhenCapped::Skip);
            // Where not all ways were gone, one on which it leaves may be among the others.
            let told = !may_be_skipped || (!fate.leaves && looked <= MOST && *left > 0);
            fate.full.filter(|_| told).map(|full| (index, Full { leaves: fate.leaves, ..full }))
        };
        fates.into_iter().filter_map(told).collect()
    }

    /// Sends a message as late as can be, and notes what becomes of it.
    fn send(&self, way: &mut Way, index: StepIndex, send: &Send, fate: &mut Fate) {
        way.pass_time(until_opening(send, self.settings));
        let longest = self.settings.frequency.iter().take(MOST_CAPS).map(|cap| cap.per.millis()).max().unwrap_or_default();
        way.sent.retain(|sent| way.late.saturating_sub(sent.at) < longest);
        let counted = self.counted.get(index).map(Vec::as_slice).unwrap_or_default();
        let mut free = way.late;
        let mut full = None;
        for cap in counted {
            let Some(limit) = self.settings.frequency.get(*cap) else { continue };
            let among = way.sent.iter().rev().filter(|sent| self.counted.get(sent.step).is_some_and(|caps| caps.contains(cap)));
            let latest: Vec<&Sent> = among.take(limit.at_most as usize).collect();
            let at = match latest.last() {
                Some(last) if latest.len() >= limit.at_most as usize => last.at.saturating_add(limit.per.millis()),
                None if limit.at_most == 0 => i64::MAX,
                _ => continue,
            };
            if at > free {
                free = at;
                full = Some(Full { cap: *cap, leaves: false, by: latest.iter().map(|sent| sent.step).collect() });
            }
        }
        let patience = if send.when_capped == WhenCapped::Wait { HELD } else { 0 };
        if free <= way.late.saturating_add(patience) {
            fate.leaves = true;
            way.late = free;
            way.sent.push(Sent { step: index, at: free, early: way.early });
        } else {
            fate.full = fate.full.take().or(full);
            way.late = way.late.saturating_add(patience);
        }
    }
}

/// Where a way is, and what lies behind it, by how long ago: ways that are alike in this go on alike.
type Relative = (Option<StepIndex>, i64, Vec<Sent>, Vec<(StepIndex, u32, i64)>);

/// One way through a workflow, as far as it was gone.
#[derive(Clone, Default)]
struct Way {
    at: Option<StepIndex>,
    /// In ms since the beginning: if all takes as long as can be.
    late: i64,
    /// If all since the last fixed point takes as little as can be.
    early: i64,
    sent: Vec<Sent>,
    /// The passes of each repeat that is open: how many, and when the last one began.
    passes: BTreeMap<StepIndex, (u32, i64)>,
}

impl Way {
    /// What is to come depends on nothing else.
    fn relative(&self) -> Relative {
        let now = self.late;
        let sent = self.sent.iter().map(|sent| Sent { at: now - sent.at, early: now - sent.early, ..sent.clone() });
        let passes = self.passes.iter().map(|(step, (done, began))| (*step, *done, now - began));
        (self.at, now - self.early, sent.collect(), passes.collect())
    }

    fn pass_time(&mut self, span: Span) {
        self.early = self.early.saturating_add(span.least);
        self.late = self.late.saturating_add(span.most);
    }

    /// Goes on behind the step, by each of its ways.
    fn on(mut self, step: &Step, open: &mut Vec<Way>) {
        let to = |mut way: Way, to: Option<StepIndex>, span: Span| {
            way.pass_time(span);
            way.at = to;
            way
        };
        let at_once = Span::default();
        let mut fork = |way: &Way, ways: BTreeSet<Option<StepIndex>>| {
            open.extend(ways.into_iter().rev().map(|next| to(way.clone(), next, at_once)));
        };
        match &step.kind {
            StepKind::Wait(wait) => open.push(to(self, step.next, of_wait(wait))),
            StepKind::WaitFor { within, then, otherwise, .. } => {
                let most = within.map_or(Span::EVER, |within| within.millis());
                if within.is_some() && otherwise != then {
                    open.push(to(self.clone(), *otherwise, Span { least: most, most }));
                }
                open.push(to(self, *then, Span { least: 0, most }));
            }
            StepKind::Branch { cases } => fork(&self, cases.iter().map(|case| case.to).chain([step.next]).collect()),
            StepKind::Experiment { variants, .. } => {
                fork(&self, variants.iter().filter(|variant| variant.weight > 0.0).map(|variant| variant.to).collect());
            }
            StepKind::Repeat(repeat) => {
                let Some(at) = self.at else { return };
                self.repeat(at, repeat);
                let over = !self.passes.contains_key(&at);
                open.push(to(self, if over { step.next } else { Some(repeat.body) }, at_once));
            }
            StepKind::Exit { .. } => {}
            _ => open.push(to(self, step.next, at_once)),
        }
    }

    /// Begins the next pass, or ends the repeat. Passes begin at fixed times: the slowness of one takes nothing from the next.
    fn repeat(&mut self, at: StepIndex, repeat: &Repeat) {
        let (done, began) = self.passes.get(&at).copied().unwrap_or((0, self.late));
        if done >= repeat.times {
            self.passes.remove(&at);
            return;
        }
        if done == 0 {
            self.sent.iter_mut().for_each(|sent| sent.early = sent.at);
            self.early = self.late;
        } else if let Some(begins) = between_passes(repeat, began).filter(|begins| *begins >= self.early) {
            let now = self.late.max(begins);
            for sent in &mut self.sent {
                // The farther of the two: all late, or all early and then the fixed time.
                sent.at = sent.at.min(sent.early.saturating_add(now - begins));
                sent.early = sent.at;
            }
            (self.late, self.early) = (now, now);
        }
        self.passes.insert(at, (done + 1, self.late));
    }
}
