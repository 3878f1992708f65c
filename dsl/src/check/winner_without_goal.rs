//! Finds experiments that are decided by a goal which the workflow does not have.
//!
//! # What it does
//! Looks for `winner: { metric: goal }` in workflows without `goal:`.
//!
//! # Why is this bad
//! Nothing would ever count for any variant, and the experiment would never be decided.
//!
//! # Example
//! ```yaml
//! workflow: welcome
//! steps:
//!   - experiment: subject
//!     variants:
//!       question: { weight: 50, steps: [{ send: question }] }
//!       plain: { weight: 50, steps: [{ send: plain }] }
//!     winner: { metric: goal, after: 1000 }
//! ```
//!
//! # Use instead
//! ```yaml
//! workflow: welcome
//! goal: { event: order_completed, within: 7 days }
//! steps:
//!   - experiment: subject
//!     variants:
//!       question: { weight: 50, steps: [{ send: question }] }
//!       plain: { weight: 50, steps: [{ send: plain }] }
//!     winner: { metric: goal, after: 1000 }
//! ```

use super::{Project, Report};
use crate::model::Metric;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    // In a workflow of which something was set aside, that may be the goal.
    let without = project.workflows().filter(|workflow| workflow.model.goal.is_none() && !workflow.notes.partial);
    for winner in without.flat_map(|workflow| &workflow.notes.winners).filter(|winner| winner.metric == Metric::Goal) {
        let message = "the workflow has no `goal`, so no variant can ever win by it".to_owned();
        let help = "give the workflow a `goal`, or decide by `clicked` or `opened`".to_owned();
        report.error("winner-without-goal", &winner.at, message, Some(help));
    }
}
