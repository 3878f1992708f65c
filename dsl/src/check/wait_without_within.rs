//! Warns of waits that may never end.
//!
//! # What it does
//! Looks for `wait_for` steps without `within`.
//!
//! # Why is this bad
//! Whoever never does what is waited for stays inside for ever.
//!
//! # Example
//! ```yaml
//! - wait_for: { event: order_completed }
//! ```
//!
//! # Use instead
//! ```yaml
//! - wait_for: { event: order_completed }
//!   within: 7 days
//! ```

use super::{Project, Report};
use crate::lower::StepNote;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for step in project.steps() {
        if let StepNote::Endless(at) = step {
            let message = "this wait has no `within`: whoever never does it waits for ever";
            report.warning("wait-without-within", at, message, "add `within`, such as `within: 3 days`");
        }
    }
}
