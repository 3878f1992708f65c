//! Warns of steps that no run ever comes to.
//!
//! # What it does
//! Looks for steps after an `exit` (or after a branch whose every case exits), and for cases after one without `when`.
//!
//! # Why is this bad
//! What is never reached was probably meant to be.
//!
//! # Example
//! ```yaml
//! steps:
//!   - exit
//!   - send: goodbye
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - send: goodbye
//!   - exit
//! ```

use super::{Project, Report};
use crate::lower::StepNote;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for step in project.steps() {
        if let StepNote::Unreachable(at) = step {
            let help = "what stands before it always ends the run, or is always taken";
            report.warning("unreachable-step", at, "nobody ever comes here", help);
        }
    }
}
