//! Warns of experiments in which everybody is given the same.
//!
//! # What it does
//! Counts the variants of each experiment that have a weight above 0.
//!
//! # Why is this bad
//! With one variant there is nothing to compare.
//!
//! # Example
//! ```yaml
//! - experiment: subject
//!   variants:
//!     question: { weight: 100, steps: [{ send: question }] }
//!     plain: { weight: 0, steps: [{ send: plain }] }
//! ```
//!
//! # Use instead
//! ```yaml
//! - experiment: subject
//!   variants:
//!     question: { weight: 50, steps: [{ send: question }] }
//!     plain: { weight: 50, steps: [{ send: plain }] }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for at in project.workflows().filter(|workflow| !workflow.notes.partial).flat_map(|workflow| &workflow.notes.lonely) {
        let message = "only one variant has a weight above 0: everybody new is given the same";
        let help = "give another one a weight; one without steps is a hold-out, with which the first can be compared";
        report.warning("experiment-of-one", at, message, help);
    }
}
