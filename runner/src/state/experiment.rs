//! Experiments: who was given which variant, what came of it, and how it was decided.

use dsl::model::Metric;
use serde::{Deserialize, Serialize};

use super::{ContactId, Mark, RunId, WorkflowId};
use crate::experiment::{Looks, Method};

/// The variant a contact was given in an experiment of a workflow. Times are ms since 1970 UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    pub contact: ContactId,
    pub workflow: WorkflowId,
    pub experiment: String,
    pub variant: String,
    /// 0: by a release that did not note it.
    pub at: i64,
    /// `None`: it does not count, as the experiment was decided by then, or it is from a release that did not measure.
    pub measured: Option<Measured>,
}

/// What came of the variant in the run that was given it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    pub run: RunId,
    /// From when events count for the run's goal; `None`: it had been met before.
    pub since: Option<Mark>,
    /// When one of the run's messages was first opened.
    pub opened_at: Option<i64>,
    pub clicked_at: Option<i64>,
    pub goal_at: Option<i64>,
    /// What the goal was worth.
    pub value: Option<f64>,
}

impl Measured {
    /// Nothing came of it yet.
    pub fn new(run: RunId, since: Option<Mark>) -> Measured {
        Measured { run, since, opened_at: None, clicked_at: None, goal_at: None, value: None }
    }

    /// When it came to this.
    pub fn reached(&self, metric: Metric) -> Option<i64> {
        match metric {
            Metric::Opened => self.opened_at,
            Metric::Clicked => self.clicked_at,
            Metric::Goal => self.goal_at,
        }
    }
}

/// What came of a variant: measured contacts, also those erased since.
#[derive(Debug, Clone, PartialEq)]
pub struct VariantCount {
    pub workflow: WorkflowId,
    pub experiment: String,
    pub variant: String,
    pub assigned: u64,
    pub opened: u64,
    pub clicked: u64,
    pub goals: u64,
    /// The sum of what the goals were worth.
    pub value: f64,
}

impl VariantCount {
    pub fn reached(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Opened => self.opened,
            Metric::Clicked => self.clicked,
            Metric::Goal => self.goals,
        }
    }
}

/// How far an experiment with a winner is.
#[derive(Debug, Clone, PartialEq)]
pub struct Contest {
    pub workflow: WorkflowId,
    pub experiment: String,
    /// What the looks were at.
    pub metric: Metric,
    pub looks: Looks,
    pub winner: Option<Won>,
}

/// The variant that everybody gets, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Won {
    pub variant: String,
    /// ms since 1970 UTC.
    pub at: i64,
    pub metric: Metric,
    /// As it stood, of the variants that could win.
    pub figures: Vec<Figure>,
    /// The largest p against another variant, how it was found, and below what it had to be.
    pub p: f64,
    pub method: Method,
    pub needed: f64,
}

/// A variant's part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub variant: String,
    pub assigned: u64,
    pub reached: u64,
}
