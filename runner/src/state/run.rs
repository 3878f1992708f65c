//! A run: one contact's way through one workflow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ContactId, DefinitionId, EventId, MessageId, RunId, WorkflowId};

#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub contact: ContactId,
    pub workflow: WorkflowId,
    pub definition: DefinitionId,
    /// The value of the trigger's key, as text; empty where there is none.
    pub key: String,
    pub entered_at: i64,
    /// The id of the step the run stands on, or stood on when it ended.
    pub step: String,
    pub state: RunState,
    /// When the run must be looked at next though nothing happens to its contact; `None` while it waits for an event or a
    /// message only.
    pub due: Option<i64>,
    pub ended: Option<Ended>,
}

/// What a run remembers besides where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Counts arrivals at steps: with the run's id it names one visit to one step.
    #[serde(rename = "n")]
    pub visit: u32,
    /// Number of log entries written so far.
    #[serde(rename = "l")]
    pub logged: u32,
    #[serde(rename = "s")]
    pub stage: Stage,
    /// When the step was reached.
    #[serde(rename = "b")]
    pub began: Mark,
    /// From when events count for exit_when and goal: the time of the event that started the run, or of entry.
    #[serde(rename = "e")]
    pub since: Mark,
    /// The properties of the event that started the run.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
    #[serde(rename = "v", default, skip_serializing_if = "Map::is_empty")]
    pub vars: Map<String, Value>,
    /// Passes through repeats that the run is inside of, by step id.
    #[serde(rename = "r", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passes: BTreeMap<String, Pass>,
    /// How many things followed from one another up to the run's entry.
    #[serde(rename = "d", default, skip_serializing_if = "is_zero")]
    pub depth: u32,
    /// The goal was met (with `stay`).
    #[serde(rename = "g", default, skip_serializing_if = "std::ops::Not::not")]
    pub goal_met: bool,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A point in the order of events: those strictly after it count. Events of the same millisecond are ordered by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark(pub i64, pub EventId);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// Passes begun.
    pub done: u32,
    /// When the latest one began.
    pub began: i64,
}

/// How far the run is with the step it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Not yet begun.
    #[serde(rename = "r")]
    Ready,
    /// Until this time.
    #[serde(rename = "w")]
    Waiting(i64),
    /// For a condition, at the latest until this time.
    #[serde(rename = "f")]
    WaitingFor(Option<i64>),
    /// Until this message is sent, failed, skipped or unknown.
    #[serde(rename = "m")]
    Sending(MessageId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub at: i64,
    pub reason: EndReason,
    /// An exit step's reason, an error.
    pub detail: Option<String>,
}

/// Why a run ended. The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndReason {
    Completed = 1,
    Goal = 2,
    ExitWhen = 3,
    Exit = 4,
    Unreachable = 5,
    Overdue = 6,
    Failed = 7,
    Erased = 8,
    Superseded = 9,
}

impl EndReason {
    pub const ALL: [EndReason; 9] = [
        EndReason::Completed,
        EndReason::Goal,
        EndReason::ExitWhen,
        EndReason::Exit,
        EndReason::Unreachable,
        EndReason::Overdue,
        EndReason::Failed,
        EndReason::Erased,
        EndReason::Superseded,
    ];

    /// The word used in outputs.
    pub fn word(self) -> &'static str {
        match self {
            EndReason::Completed => "completed",
            EndReason::Goal => "goal",
            EndReason::ExitWhen => "exit_when",
            EndReason::Exit => "exit",
            EndReason::Unreachable => "unreachable",
            EndReason::Overdue => "overdue",
            EndReason::Failed => "failed",
            EndReason::Erased => "erased",
            EndReason::Superseded => "superseded",
        }
    }

    pub fn from_number(number: i64) -> Option<EndReason> {
        EndReason::ALL.into_iter().find(|reason| *reason as i64 == number)
    }
}
