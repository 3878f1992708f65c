//! Who was given which variant of an experiment, what came of it, and how experiments were decided.

use dsl::model::Metric;

use super::names::{Names, Sym};
use super::refusal::{Refusal, known, small};
use super::table::Table;
use crate::state::{Assignment, ContactId, Contest, Measured, VariantCount, WorkflowId};
use crate::store::Result;

#[derive(Default)]
pub(super) struct Experiments {
    /// By contact, workflow and experiment.
    given: Table<(u32, i64, Sym), Given>,
    /// By workflow, experiment and variant.
    counts: Table<(i64, Sym, Sym), Counts>,
    contests: Table<(i64, Sym), Contest>,
}

#[derive(Clone, Copy)]
struct Given {
    variant: Sym,
    at: i64,
    measured: Option<Measured>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    assigned: u64,
    opened: u64,
    clicked: u64,
    goals: u64,
    value: f64,
}

impl Experiments {
    pub(super) fn variant(&self, names: &Names, workflow: WorkflowId, experiment: &str, contact: ContactId) -> Option<String> {
        let place = (known(contact.0)?, workflow.0, names.find(experiment)?);
        self.given.get(&place).map(|given| names.string(given.variant))
    }

    pub(super) fn assign(&mut self, names: &mut Names, assignment: &Assignment) -> Result<()> {
        let Assignment { contact, workflow, at, measured, .. } = assignment;
        let contact = small(contact.0, "write an assignment")?;
        let experiment = names.number(&assignment.experiment);
        let variant = names.number(&assignment.variant);
        // Nothing has come of it yet.
        let fresh = measured.map(|measured| Measured::new(measured.run, measured.since));
        self.given.put((contact, workflow.0, experiment), Given { variant, at: *at, measured: fresh });
        if measured.is_some() {
            let place = (workflow.0, experiment, variant);
            let counts = self.counts.get(&place).copied().unwrap_or_default();
            self.counts.put(place, Counts { assigned: counts.assigned + 1, ..counts });
        }
        Ok(())
    }

    pub(super) fn of_contact(&self, names: &Names, contact: ContactId) -> Vec<Assignment> {
        let Some(id) = known(contact.0) else { return Vec::new() };
        let read = |(&(_, workflow, experiment), given): (&(u32, i64, Sym), &Given)| Assignment {
            contact,
            workflow: WorkflowId(workflow),
            experiment: names.string(experiment),
            variant: names.string(given.variant),
            at: given.at,
            measured: given.measured,
        };
        self.given.range(all_of(id)).map(read).collect()
    }

    /// Notes when, and counts it, where it was not noted before.
    pub(super) fn reached(
        &mut self,
        names: &mut Names,
        assignment: &Assignment,
        metric: Metric,
        at: i64,
        value: Option<f64>,
    ) -> Result<bool> {
        let doing = "write what came of a variant";
        let Assignment { contact, workflow, measured: Some(asked), .. } = assignment else { return Ok(false) };
        let experiment = names.number(&assignment.experiment);
        let variant = names.number(&assignment.variant);
        let place = (small(contact.0, doing)?, workflow.0, experiment);
        let Some(given) = self.given.get(&place).copied() else { return Ok(false) };
        let Some(measured) = given.measured.filter(|measured| measured.run == asked.run) else { return Ok(false) };
        if measured.reached(metric).is_some() {
            return Ok(false);
        }
        let noted = match metric {
            Metric::Opened => Measured { opened_at: Some(at), ..measured },
            Metric::Clicked => Measured { clicked_at: Some(at), ..measured },
            Metric::Goal => Measured { goal_at: Some(at), ..measured },
        };
        self.given.put(place, Given { measured: Some(Measured { value: value.or(measured.value), ..noted }), ..given });
        let place = (workflow.0, experiment, variant);
        let mut counts = *self.counts.get(&place).ok_or_else(|| Refusal::NoRow.when(doing))?;
        match metric {
            Metric::Opened => counts.opened += 1,
            Metric::Clicked => counts.clicked += 1,
            Metric::Goal => counts.goals += 1,
        }
        counts.value += value.unwrap_or(0.0);
        self.counts.put(place, counts);
        Ok(true)
    }

    pub(super) fn counts(&self, names: &Names, workflow: Option<WorkflowId>) -> Vec<VariantCount> {
        let asked = self.counts.iter().filter(|((of, ..), _)| workflow.is_none_or(|workflow| workflow.0 == *of));
        let read = |(&(workflow, experiment, variant), counts): (&(i64, Sym, Sym), &Counts)| VariantCount {
            workflow: WorkflowId(workflow),
            experiment: names.string(experiment),
            variant: names.string(variant),
            assigned: counts.assigned,
            opened: counts.opened,
            clicked: counts.clicked,
            goals: counts.goals,
            value: counts.value,
        };
        let mut counts: Vec<VariantCount> = asked.map(read).collect();
        counts.sort_by(|a, b| (a.workflow, &a.experiment, &a.variant).cmp(&(b.workflow, &b.experiment, &b.variant)));
        counts
    }

    pub(super) fn remove_all(&mut self, contact: u32) {
        self.given.remove_all(all_of(contact), |_, _| true);
    }

    /// One person counts once in an experiment.
    pub(super) fn join(&mut self, from: u32, into: u32) {
        let moving: Vec<(i64, Sym, Given)> =
            self.given.range(all_of(from)).map(|((_, workflow, experiment), given)| (*workflow, *experiment, *given)).collect();
        for (workflow, experiment, given) in moving {
            if !self.given.contains_key(&(into, workflow, experiment)) {
                self.given.put((into, workflow, experiment), given);
                continue;
            }
            let place = (workflow, experiment, given.variant);
            let Some((measured, counts)) = given.measured.zip(self.counts.get(&place).copied()) else { continue };
            let less = |number: u64, at: Option<i64>| number.saturating_sub(at.is_some().into());
            let left = Counts {
                assigned: counts.assigned.saturating_sub(1),
                opened: less(counts.opened, measured.opened_at),
                clicked: less(counts.clicked, measured.clicked_at),
                goals: less(counts.goals, measured.goal_at),
                value: counts.value - measured.value.unwrap_or(0.0),
            };
            self.counts.put(place, left);
        }
        self.remove_all(from);
    }

    pub(super) fn contest(&self, names: &Names, workflow: WorkflowId, experiment: &str) -> Option<Contest> {
        self.contests.get(&(workflow.0, names.find(experiment)?)).cloned()
    }

    pub(super) fn contests(&self) -> Vec<Contest> {
        let mut contests: Vec<Contest> = self.contests.values().cloned().collect();
        contests.sort_by(|a, b| (a.workflow, &a.experiment).cmp(&(b.workflow, &b.experiment)));
        contests
    }

    pub(super) fn set_contest(&mut self, names: &mut Names, contest: &Contest) {
        let experiment = names.number(&contest.experiment);
        self.contests.put((contest.workflow.0, experiment), contest.clone());
    }

    pub(super) fn drop_contest(&mut self, names: &mut Names, workflow: WorkflowId, experiment: &str) {
        self.contests.remove(&(workflow.0, names.number(experiment)));
    }

    pub(super) fn commit(&mut self) {
        self.given.commit();
        self.counts.commit();
        self.contests.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.given.rollback();
        self.counts.rollback();
        self.contests.rollback();
    }
}

/// What a contact was given.
fn all_of(contact: u32) -> std::ops::RangeInclusive<(u32, i64, Sym)> {
    (contact, i64::MIN, Sym::FIRST)..=(contact, i64::MAX, Sym::LAST)
}
