//! What is counted of workflows, and what their goals were worth.

use super::names::{Names, Sym};
use super::table::Table;
use crate::state::WorkflowId;

#[derive(Default)]
pub(super) struct Counters {
    numbers: Table<(i64, Sym), i64>,
    /// Of what is counted.
    whats: Names,
    goals: Table<i64, f64>,
}

impl Counters {
    pub(super) fn count(&mut self, workflow: WorkflowId, what: &str, by: i64) {
        let place = (workflow.0, self.whats.number(what));
        let number = self.numbers.get(&place).copied().unwrap_or_default();
        self.numbers.put(place, number + by);
    }

    pub(super) fn all(&self) -> Vec<(WorkflowId, String, i64)> {
        let row = |((workflow, what), number): (&(i64, Sym), &i64)| (WorkflowId(*workflow), self.whats.string(*what), *number);
        let mut all: Vec<(WorkflowId, String, i64)> = self.numbers.iter().map(row).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn add_goal_value(&mut self, workflow: WorkflowId, value: f64) {
        let sum = self.goals.get(&workflow.0).map_or(value, |sum| sum + value);
        self.goals.put(workflow.0, sum);
    }

    pub(super) fn goal_values(&self) -> Vec<(WorkflowId, f64)> {
        self.goals.iter().map(|(workflow, sum)| (WorkflowId(*workflow), *sum)).collect()
    }

    pub(super) fn commit(&mut self) {
        self.numbers.commit();
        self.whats.commit();
        self.goals.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.numbers.rollback();
        self.whats.rollback();
        self.goals.rollback();
    }
}
