//! From nested lists of steps to one flat list, wired by index.

use std::collections::BTreeMap;

use super::Lowerer;
use super::ids::{Arm, arms, size, step_size};
use super::notes::StepNote;
use super::workflow::Flow;
use crate::diagnostic::Location;
use crate::model::{Step as FlatStep, StepIndex, TemplateSource};
use crate::place::At;
use crate::surface::Step;

/// The list that is being made.
pub(super) struct Wiring<'t> {
    pub topic: Option<&'t str>,
    ids: std::vec::IntoIter<String>,
    steps: Vec<FlatStep>,
    pub inline: BTreeMap<String, TemplateSource>,
    lines: BTreeMap<String, usize>,
    places: Vec<Location>,
}

/// Where the arms of a step begin, and where one without steps leads.
pub(super) struct Entries {
    pub arms: Vec<Option<StepIndex>>,
    pub body: StepIndex,
}

impl Lowerer<'_> {
    pub(super) fn flow(&mut self, steps: &[Step], topic: Option<&str>, at: &At<'_>) -> Flow {
        let ids = self.ids(steps, at);
        let mut wiring = Wiring {
            topic,
            ids: ids.into_iter(),
            steps: Vec::new(),
            inline: BTreeMap::new(),
            lines: BTreeMap::new(),
            places: Vec::new(),
        };
        if steps.is_empty() {
            self.notes.steps.push(StepNote::Empty(at.location()));
        }
        self.list(steps, at, None, &mut wiring);
        Flow { steps: wiring.steps, inline: wiring.inline, lines: wiring.lines, places: wiring.places }
    }

    fn list(&mut self, steps: &[Step], at: &At<'_>, after: Option<StepIndex>, wiring: &mut Wiring<'_>) {
        let mut ended = false;
        for (position, step) in steps.iter().enumerate() {
            let here = at.item(position);
            if ended {
                self.notes.steps.push(StepNote::Unreachable(here.location()));
            }
            let index = wiring.steps.len();
            let next = if position + 1 == steps.len() { after } else { Some(index + step_size(step)) };
            self.place(step, &here, next, wiring);
            // One warning for all the steps after an exit.
            ended = !ended && ends(step);
        }
    }

    fn place(&mut self, step: &Step, at: &At<'_>, next: Option<StepIndex>, wiring: &mut Wiring<'_>) {
        let index = wiring.steps.len();
        let id = wiring.ids.next().unwrap_or_default();
        let arms = arms(step, at);
        let mut start = index + 1;
        let mut entries = Entries { arms: Vec::with_capacity(arms.len()), body: start };
        for arm in &arms {
            entries.arms.push(if arm.steps.is_empty() { next } else { Some(start) });
            start += size(arm.steps);
        }
        let place = at.location();
        wiring.lines.insert(id.clone(), place.line);
        wiring.places.push(place);
        let kind = self.step(step, &id, &entries, at, wiring);
        let goes_on = !matches!(step, Step::Exit(_) | Step::ExitWord);
        wiring.steps.push(FlatStep { id, kind, next: next.filter(|_| goes_on) });
        // A repeat with nothing to repeat is an error, not a warning.
        let repeats = matches!(step, Step::Repeat(_));
        let after = if repeats { Some(index) } else { next };
        for Arm { steps, at } in &arms {
            if steps.is_empty() && at.value().is_some() && !repeats {
                self.notes.steps.push(StepNote::Empty(at.key_location()));
            }
            self.list(steps, at, after, wiring);
        }
    }
}

/// No run gets past this step.
fn ends(step: &Step) -> bool {
    let all_end = |steps: &[Step]| steps.iter().any(ends);
    match step {
        Step::Exit(_) | Step::ExitWord => true,
        Step::Branch(form) => {
            form.branch.iter().any(|case| case.when.is_none()) && form.branch.iter().all(|case| all_end(&case.steps))
        }
        Step::WaitFor(form) => {
            let otherwise = form.within.is_none() || form.otherwise.as_deref().is_some_and(all_end);
            otherwise && form.then.as_deref().is_some_and(all_end)
        }
        Step::Experiment(form) => {
            // Also one that nobody is given any more: whoever was, keeps it.
            !form.variants.is_empty() && form.variants.values().all(|variant| variant.steps.as_deref().is_some_and(all_end))
        }
        // Without `until` there always is a first pass.
        Step::Repeat(form) => form.repeat.until.is_none() && all_end(&form.repeat.steps),
        _ => false,
    }
}
