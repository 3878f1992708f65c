//! Finds experiments that are to have a winner with fewer than two variants that could win.
//!
//! # What it does
//! Counts the variants of an experiment with `winner:` that have steps and a weight above 0. A variant without steps is a hold-out: it is
//! measured, and cannot win.
//!
//! # Why is this bad
//! With one variant there is nothing to compare it with, and it would never be declared the winner.
//!
//! # Example
//! ```yaml
//! steps:
//!   - experiment: reminder
//!     variants:
//!       mail: { weight: 90, steps: [{ send: reminder }] }
//!       nothing: { weight: 10 }
//!     winner: { metric: goal, after: 1000 }
//! ```
//!
//! # Use instead
//! Leave `winner` out: `campaignd report` compares the variant with the hold-out.
//! ```yaml
//! steps:
//!   - experiment: reminder
//!     variants:
//!       mail: { weight: 90, steps: [{ send: reminder }] }
//!       nothing: { weight: 10 }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for winner in project.workflows().flat_map(|workflow| &workflow.notes.winners).filter(|winner| winner.rivals < 2) {
        let found = if winner.rivals == 0 { "no variant" } else { "only one variant" };
        let message = format!("{found} of this experiment has steps and a weight above 0: a winner needs two to choose from");
        let help = "leave `winner` out; `campaignd report` compares variants with the hold-out".to_owned();
        report.error("winner-without-rival", &winner.at, message, Some(help));
    }
}
