//! What happened in one workflow.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::super::Line;
use super::date;
use crate::state::{LogKind, MessageStatus};

/// How many people are named who were skipped for the same reason at the same step.
const NAMED: usize = 5;

#[derive(Debug, Default)]
pub struct WorkflowFigures {
    pub entered: u64,
    pub left: u64,
    /// By reason, `completed` among them.
    pub exits: BTreeMap<String, u64>,
    /// By template.
    pub messages: BTreeMap<String, MessageFigures>,
    /// By step id.
    pub steps: BTreeMap<String, StepFigures>,
    /// By step and reason.
    pub skips: BTreeMap<(String, String), SkipFigures>,
    /// How often each variant was given, by experiment.
    pub experiments: BTreeMap<String, BTreeMap<String, u64>>,
    /// How often the goal was met.
    pub goals: u64,
    /// What those were worth; `None`: nothing is said of it.
    pub goal_value: Option<f64>,
    /// Messages sent, by date in the project's zone.
    pub days: BTreeMap<String, u64>,
    /// Where runs wait, by run.
    waiting: HashMap<String, String>,
}

#[derive(Debug, Default)]
pub struct MessageFigures {
    pub sent: u64,
    pub failed: u64,
    /// By reason.
    pub skipped: BTreeMap<String, u64>,
    /// The dates of the first and the last that was sent.
    pub dates: Option<(String, String)>,
}

/// What happened at one step.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct StepFigures {
    /// How often it was done: a message sent, a wait begun, a way chosen.
    pub done: u64,
    pub failed: u64,
    pub skipped: u64,
    /// How often each way was taken: `then`, `otherwise`, a case's number from 1 on, `-` for no case, a variant's name.
    pub ways: BTreeMap<String, u64>,
    /// How many runs ended here before their time.
    pub ended: u64,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SkipFigures {
    pub count: u64,
    /// Some of those it happened to.
    pub contacts: Vec<String>,
}

impl WorkflowFigures {
    pub(super) fn count(&mut self, line: &Line) {
        let reason = || line.detail.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !self.waiting.is_empty() && line.kind != LogKind::Wait {
            self.waiting.remove(&line.run);
        }
        match line.kind {
            LogKind::Enter => self.entered += 1,
            LogKind::Exit => {
                self.left += 1;
                let reason = reason();
                if !line.step.is_empty() && reason != "completed" && reason != "exit" {
                    self.step(&line.step).ended += 1;
                }
                if reason == "exit" {
                    self.step(&line.step).done += 1;
                }
                *self.exits.entry(reason).or_default() += 1;
            }
            LogKind::Goal => self.goal(line),
            LogKind::Send | LogKind::Skip => self.message(line, reason),
            LogKind::Wait => {
                self.step(&line.step).done += 1;
                self.waiting.insert(line.run.clone(), line.step.clone());
            }
            LogKind::Branch => self.way(line, line.detail.get("taken")),
            LogKind::Assign => {
                let experiment = text(line.detail.get("experiment"));
                let variant = text(line.detail.get("variant"));
                *self.experiments.entry(experiment).or_default().entry(variant).or_default() += 1;
                self.way(line, line.detail.get("variant"));
            }
            LogKind::Follow => {}
            _ => self.step(&line.step).done += 1,
        }
    }

    fn step(&mut self, step: &str) -> &mut StepFigures {
        if !self.steps.contains_key(step) {
            self.steps.insert(step.to_owned(), StepFigures::default());
        }
        self.steps.entry(step.to_owned()).or_default()
    }

    fn goal(&mut self, line: &Line) {
        self.goals += 1;
        if let Some(value) = line.detail.get("value").and_then(Value::as_f64) {
            *self.goal_value.get_or_insert(0.0) += value;
        }
    }

    fn way(&mut self, line: &Line, taken: Option<&Value>) {
        let way = text(taken);
        // A wait_for was counted when it began.
        let counted = matches!(way.as_str(), "then" | "otherwise") && line.kind == LogKind::Branch;
        let step = self.step(&line.step);
        step.done += u64::from(!counted);
        *step.ways.entry(way).or_default() += 1;
    }

    fn message(&mut self, line: &Line, reason: impl Fn() -> String) {
        let Some(sent) = &line.sent else { return };
        let status = sent.status;
        let messages = self.messages.entry(sent.template.clone()).or_default();
        match status {
            Some(MessageStatus::Sent) => {
                messages.sent += 1;
                let date = date(line).to_owned();
                match &mut messages.dates {
                    Some((_, last)) if *last == date => {}
                    Some((_, last)) => last.clone_from(&date),
                    none => *none = Some((date.clone(), date.clone())),
                }
                *self.days.entry(date).or_default() += 1;
                self.step(&line.step).done += 1;
            }
            Some(_) => {
                messages.failed += 1;
                self.step(&line.step).failed += 1;
            }
            None => {
                let reason = reason();
                *messages.skipped.entry(reason.clone()).or_default() += 1;
                self.step(&line.step).skipped += 1;
                let skips = self.skips.entry((line.step.clone(), reason)).or_default();
                skips.count += 1;
                if skips.contacts.len() < NAMED && !skips.contacts.contains(&line.contact) {
                    skips.contacts.push(line.contact.clone());
                }
            }
        }
    }

    /// How many runs are still inside.
    pub fn inside(&self) -> u64 {
        self.entered.saturating_sub(self.left)
    }

    /// How many runs wait at each step at the end.
    pub fn waiting(&self) -> BTreeMap<&str, u64> {
        let mut steps = BTreeMap::new();
        self.waiting.values().for_each(|step| *steps.entry(step.as_str()).or_default() += 1);
        steps
    }
}

/// `-` where there is nothing.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    }
}
