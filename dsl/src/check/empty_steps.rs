//! Warns of empty lists of steps.
//!
//! # What it does
//! Looks for `steps`, `then` and `otherwise` that hold nothing.
//!
//! # Why is this bad
//! Something was probably forgotten. An arm in which nothing happens can be left out.
//!
//! # Example
//! ```yaml
//! - wait_for: { event: order_completed }
//!   within: 1 day
//!   then: []
//!   otherwise:
//!     - send: reminder
//! ```
//!
//! # Use instead
//! ```yaml
//! - wait_for: { event: order_completed }
//!   within: 1 day
//!   otherwise:
//!     - send: reminder
//! ```

use super::{Project, Report};
use crate::lower::StepNote;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for step in project.steps() {
        if let StepNote::Empty(at) = step {
            report.warning("empty-steps", at, "this list of steps is empty", "add a step, or leave the list out");
        }
    }
}
