//! Warns of steps whose ids an edit would renumber.
//!
//! # What it does
//! Looks for steps on which a run can stand (`send`, `wait`, `wait_for`, `repeat`, `call`) that have no `id` and would all be called the same, so that they are
//! numbered: `wait-2-days`, `wait-2-days-2`.
//!
//! # Why is this bad
//! Runs are remembered by the id of the step they stand on. Another such step before them, or one less, and the numbers move: those who wait at the second would
//! go on from the third.
//!
//! # Example
//! ```yaml
//! steps:
//!   - wait: 2 days
//!   - send: guide
//!   - wait: 2 days
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - wait: 2 days
//!   - send: guide
//!   - wait: 2 days
//!     id: after-the-guide
//! ```

use super::{Project, Report};
use crate::diagnostic::Diagnostic;

/// So many of the others are named.
const MOST: usize = 8;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for repeated in project.workflows().filter(|workflow| !workflow.notes.partial).flat_map(|workflow| &workflow.notes.repeated) {
        let [first, others @ ..] = repeated.places.as_slice() else { continue };
        let Some(second) = others.first() else { continue };
        let (count, name) = (repeated.places.len(), &repeated.name);
        let message = format!("{count} steps here are called `{name}`, and numbered: an edit would renumber them");
        let mut diagnostic = Diagnostic::warning("renumbered-step", second.clone(), message);
        diagnostic = diagnostic
            .help("give all of them but one an `id`; in a live workflow the ids they have now")
            .related(first.clone(), "the first of them");
        for other in others.iter().skip(1).take(MOST) {
            diagnostic = diagnostic.related(other.clone(), "another one");
        }
        report.push(diagnostic);
    }
}
