//! The ways through a workflow's steps: which step may follow which.

use crate::model::{Step, StepIndex, StepKind};

/// Longer workflows are not followed from each of their steps: that would take the square of their length.
const MOST: usize = 500;

/// The steps of a workflow, as a graph.
pub(super) struct Paths {
    next: Vec<Vec<StepIndex>>,
}

impl Paths {
    /// `None` for a workflow of more than 500 steps.
    pub(super) fn of(steps: &[Step]) -> Option<Paths> {
        (steps.len() <= MOST).then(|| Paths { next: steps.iter().map(successors).collect() })
    }

    /// Which steps can come after one of these, by any way; a step comes after itself only in a circle.
    pub(super) fn after(&self, from: impl IntoIterator<Item = StepIndex>) -> Vec<bool> {
        let mut reached = vec![false; self.next.len()];
        let mut open: Vec<StepIndex> = from.into_iter().collect();
        while let Some(index) = open.pop() {
            for next in self.next.get(index).into_iter().flatten() {
                if let Some(reached) = reached.get_mut(*next).filter(|reached| !**reached) {
                    *reached = true;
                    open.push(*next);
                }
            }
        }
        reached
    }

    /// These steps, and those that can come after one of them.
    pub(super) fn from(&self, begin: impl IntoIterator<Item = StepIndex>) -> Vec<bool> {
        self.without(begin, |_| false)
    }

    /// The same, without going on behind a step that stops.
    pub(super) fn without(&self, begin: impl IntoIterator<Item = StepIndex>, stops: impl Fn(StepIndex) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.next.len()];
        let mut open: Vec<StepIndex> = begin.into_iter().collect();
        while let Some(index) = open.pop() {
            let Some(reached) = reached.get_mut(index).filter(|reached| !**reached) else { continue };
            *reached = true;
            if !stops(index) {
                open.extend(self.next.get(index).into_iter().flatten());
            }
        }
        reached
    }

    /// Which steps a run can come to from its beginning without passing a step that holds it up; those steps themselves among them.
    pub(super) fn at_once(&self, steps: &[Step]) -> Vec<bool> {
        let mut reached = vec![false; self.next.len()];
        let mut open: Vec<StepIndex> = vec![0];
        while let Some(index) = open.pop() {
            let (Some(step), Some(seen)) = (steps.get(index), reached.get_mut(index)) else { continue };
            if std::mem::replace(seen, true) || holds_up(step) {
                continue;
            }
            open.extend(self.next.get(index).into_iter().flatten());
        }
        reached
    }
}

/// Whether a run stands here for a while. A message may leave at once, and a call be answered.
fn holds_up(step: &Step) -> bool {
    match &step.kind {
        StepKind::Wait(_) | StepKind::WaitFor { .. } => true,
        StepKind::Send(send) => send.window.is_some(),
        _ => false,
    }
}

/// Where a run can go from a step.
pub(super) fn successors(step: &Step) -> Vec<StepIndex> {
    let mut all: Vec<StepIndex> = step.next.into_iter().collect();
    match &step.kind {
        StepKind::WaitFor { then, otherwise, .. } => {
            all.clear();
            all.extend(then.iter().chain(otherwise));
        }
        StepKind::Branch { cases } => all.extend(cases.iter().filter_map(|case| case.to)),
        StepKind::Experiment { variants, .. } => all.extend(variants.iter().filter_map(|variant| variant.to)),
        StepKind::Repeat(repeat) => all.push(repeat.body),
        _ => {}
    }
    all.sort_unstable();
    all.dedup();
    all
}
