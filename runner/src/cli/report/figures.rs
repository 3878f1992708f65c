//! What a report says, as it is written in JSON. Rates are fractions; times are RFC 3339 in the project's zone.

use std::collections::BTreeMap;

use dsl::model::{Definition, Fate};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::super::status::shown;
use super::experiments::{ExperimentReport, experiments};
use crate::daemon::passages;
use crate::instant;
use crate::state::MessageStatus;
use crate::store::{MessageFigures, Result, Store, StoreError, WorkflowRow};

#[derive(Debug, Serialize)]
pub struct Report {
    pub project: String,
    pub at: String,
    /// By name.
    pub workflows: Vec<WorkflowReport>,
}

#[derive(Debug, Serialize)]
pub struct WorkflowReport {
    pub name: String,
    pub status: String,
    pub entered: i64,
    pub active: i64,
    pub completed: i64,
    /// By reason, but for `completed`.
    pub exited: BTreeMap<String, i64>,
    /// `None`: it has no goal.
    pub goal: Option<GoalReport>,
    pub messages: Vec<MessageReport>,
    pub experiments: Vec<ExperimentReport>,
}

/// The goal as runs met it.
#[derive(Debug, Serialize)]
pub struct GoalReport {
    pub met: i64,
    /// Of those who entered; `None`: nobody did.
    pub rate: Option<f64>,
    /// What the goals were worth together; `None` where the goal has no `value`.
    pub value: Option<f64>,
}

/// What became of the messages of one step, of those that are still kept.
#[derive(Debug, Serialize)]
pub struct MessageReport {
    pub step: String,
    pub template: String,
    pub sent: u64,
    /// As far as it was told.
    pub delivered: u64,
    pub opened: u64,
    pub clicked: u64,
    pub bounced: u64,
    pub complained: u64,
    /// After how many the contact unsubscribed by its links.
    pub unsubscribed: u64,
    pub failed: u64,
    pub unknown: u64,
    /// Queued, or on their way.
    pub waiting: u64,
    /// By reason.
    pub skipped: BTreeMap<String, u64>,
}

impl Report {
    /// Nothing has run.
    pub fn empty(project: &str, now: i64, zone: &TimeZone) -> Report {
        Report { project: project.to_owned(), at: instant::text(now, zone), workflows: Vec::new() }
    }

    /// Every workflow that has been in force, or the one that is wanted.
    ///
    /// # Errors
    /// Those of the store.
    pub fn read(&mut self, store: &mut dyn Store, wanted: Option<&str>, now: i64, zone: &TimeZone) -> Result<()> {
        let mut passages = passages(store)?;
        let goals: BTreeMap<_, _> =
            store.counters()?.into_iter().filter(|row| row.1 == "goal").map(|row| (row.0, row.2)).collect();
        let values: BTreeMap<_, _> = store.goal_values()?.into_iter().collect();
        let rows = store.workflows()?.into_iter().filter(|row| wanted.is_none_or(|wanted| row.name == wanted));
        let rows: Vec<WorkflowRow> = rows.collect();
        let only = rows.first().filter(|_| wanted.is_some()).map(|row| row.id);
        let mut messages: BTreeMap<_, Vec<MessageReport>> = BTreeMap::new();
        if !rows.is_empty() {
            for figures in store.message_figures(only)? {
                messages.entry(figures.workflow).or_default().push(MessageReport::of(figures));
            }
        }
        for row in rows {
            let Some(definition) = definition(store, &row)? else { continue };
            let passed = passages.remove(&row.id).unwrap_or_default();
            let goal = definition.workflow.goal.as_ref().map(|goal| {
                let met = goals.get(&row.id).copied().unwrap_or_default();
                let value = goal.value.as_ref().map(|_| values.get(&row.id).copied().unwrap_or_default());
                GoalReport { met, rate: (passed.entered > 0).then(|| met as f64 / passed.entered as f64), value }
            });
            let mut messages = messages.remove(&row.id).unwrap_or_default();
            in_order(&mut messages, &definition);
            self.workflows.push(WorkflowReport {
                status: shown(&row).to_owned(),
                active: passed.active(),
                entered: passed.entered,
                completed: passed.completed,
                exited: passed.exited,
                goal,
                messages,
                experiments: experiments(store, row.id, &definition.workflow, now, zone)?,
                name: row.name,
            });
        }
        self.workflows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }
}

/// `None`: the workflow has never been in force.
fn definition(store: &mut dyn Store, row: &WorkflowRow) -> Result<Option<Definition>> {
    let Some(id) = row.definition else { return Ok(None) };
    let damaged = |why: String| StoreError::Damaged { what: "definition", why };
    let text = store.definition(id)?.ok_or_else(|| damaged(format!("row {id} is missing")))?;
    serde_json::from_str(&text).map(Some).map_err(|error| damaged(error.to_string()))
}

/// As the workflow has its steps; steps that are gone come last.
fn in_order(messages: &mut [MessageReport], definition: &Definition) {
    let place = |step: &str| {
        let place = definition.workflow.steps.iter().position(|known| known.id == step);
        place.unwrap_or(usize::MAX)
    };
    messages.sort_by_key(|message| place(&message.step));
}

impl MessageReport {
    fn of(figures: MessageFigures) -> MessageReport {
        let status = |status: MessageStatus| figures.by_status.get(&status).copied().unwrap_or_default();
        let fate = |fate: Fate| figures.fates.get(&fate).copied().unwrap_or_default();
        MessageReport {
            sent: status(MessageStatus::Sent),
            delivered: fate(Fate::Delivered),
            opened: fate(Fate::Opened),
            clicked: fate(Fate::Clicked),
            bounced: fate(Fate::Bounced),
            complained: fate(Fate::Complained),
            unsubscribed: figures.unsubscribed,
            failed: status(MessageStatus::Failed),
            unknown: status(MessageStatus::Unknown),
            waiting: status(MessageStatus::Queued) + status(MessageStatus::Sending),
            skipped: figures.skipped,
            step: figures.step,
            template: figures.template,
        }
    }
}
