//! A workflow: who enters, when, and what happens to them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Condition, Path, Step, Trigger};
use crate::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Workflow {
    pub name: String,
    pub description: Option<String>,
    pub status: Status,
    pub triggers: Vec<Trigger>,
    /// Must hold to enter.
    pub audience: Option<Condition>,
    pub reentry: Reentry,
    pub while_active: WhileActive,
    pub exit_when: Option<Condition>,
    pub goal: Option<Goal>,
    /// The consent that marketing sends need where neither step nor template names one (already resolved in the steps).
    pub topic: Option<String>,
    pub in_flight: InFlight,
    /// Old step id to new step id, for runs that stand on a step that is gone.
    pub moved: BTreeMap<String, String>,
    pub overdue: Option<Overdue>,
    /// Flat; a run begins at index 0.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    #[default]
    Live,
    /// Checked, never run (unless named in simulate).
    Draft,
    /// Lets nobody in and freezes those inside; their waits keep their due times.
    Paused,
    /// Lets nobody in, those inside finish.
    Closed,
}

/// Whether a contact (per key, if given) may enter again once no run is open. Already resolved: `always` for schedule and yearly date
/// triggers that say nothing, else `once`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reentry {
    Once,
    Always,
    /// Counts from the last entry.
    After(Duration),
}

/// What an entry does while the contact has an open run (per key, if given).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum WhileActive {
    /// The entry is dropped and counted.
    #[default]
    Ignore,
    /// The open run ends as superseded.
    Restart,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    pub condition: Condition,
    /// Counts from entry.
    pub within: Option<Duration>,
    /// A path under `event`: what the goal was worth, from the event that met it.
    pub value: Option<Path>,
    /// The run goes on after the goal is met.
    pub stay: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum InFlight {
    /// Runs inside continue with a new definition from the step they stand on.
    #[default]
    Follow,
    /// Runs inside finish as they began.
    Pinned,
}

/// What becomes of a send that is late by more than `after`, after a pause or downtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    pub after: Duration,
    pub action: OverdueAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverdueAction {
    Run,
    Skip,
    Exit,
}
