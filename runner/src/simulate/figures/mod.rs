//! A simulation in numbers, counted as it goes: what is kept grows with the people and the days, not with what happens.

mod holds;
mod pressure;
mod workflow;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use holds::{Cause, HoldFigures, Holds};
pub use pressure::Pressure;
pub use workflow::{MessageFigures, StepFigures, WorkflowFigures};

use super::{Line, Told};
use crate::state::{LogKind, MessageStatus};

/// Counts what a simulation tells.
#[derive(Debug, Default)]
pub struct Figures {
    pub workflows: BTreeMap<String, WorkflowFigures>,
    /// Messages sent, by date in the project's zone.
    pub days: BTreeMap<String, u64>,
    pub pressure: Pressure,
    pub holds: Holds,
}

impl Figures {
    /// Counts the workflow though nothing may happen in it.
    pub fn expect(&mut self, workflow: &str) {
        self.workflows.entry(workflow.to_owned()).or_default();
    }

    pub fn count(&mut self, told: &Told) {
        match told {
            Told::Line(line) => self.line(line),
            Told::Hold(hold) => self.holds.hold(hold),
        }
    }

    fn line(&mut self, line: &Line) {
        if !self.workflows.contains_key(&line.workflow) {
            self.expect(&line.workflow);
        }
        if let Some(workflow) = self.workflows.get_mut(&line.workflow) {
            workflow.count(line);
        }
        let Some(sent) = &line.sent else { return };
        if matches!(line.kind, LogKind::Send | LogKind::Skip) {
            self.holds.done(line, sent);
        }
        if sent.status == Some(MessageStatus::Sent) {
            self.pressure.sent(&line.contact, line.instant);
            match self.days.get_mut(date(line)) {
                Some(count) => *count += 1,
                None => {
                    self.days.insert(date(line).to_owned(), 1);
                }
            }
        }
    }

    /// All messages that were sent.
    pub fn sent(&self) -> u64 {
        self.days.values().sum()
    }

    /// The day with the most messages, the earliest of several.
    pub fn busiest(&self) -> Option<(&str, u64)> {
        let most = self.days.iter().max_by_key(|(date, count)| (**count, std::cmp::Reverse(*date)));
        most.map(|(date, count)| (date.as_str(), *count))
    }

    /// Messages that were not sent, by reason.
    pub fn skipped(&self) -> BTreeMap<&str, u64> {
        let mut reasons = BTreeMap::new();
        for workflow in self.workflows.values() {
            for ((_, reason), skips) in &workflow.skips {
                *reasons.entry(reason.as_str()).or_default() += skips.count;
            }
        }
        reasons
    }
}

/// The date in the project's zone.
fn date(line: &Line) -> &str {
    line.at.get(..10).unwrap_or_default()
}
