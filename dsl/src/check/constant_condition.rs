//! Warns of conditions that never hold, or always.
//!
//! # What it does
//! Looks at `audience`, `where`, `exit_when`, `goal`, `wait_for`, `when`, `until` and the conditions of traits as at those of segments: at tests of one value
//! and counts of one event that exclude each other.
//!
//! # Why is this bad
//! A wait whose condition never holds always ends by its timeout, a case that never holds is never taken, and an audience that never holds lets nobody in.
//!
//! # Example
//! ```yaml
//! - wait_for: { event: order_completed, where: { event.total: { above: 100, below: 50 } } }
//!   within: 3 days
//! ```
//!
//! # Use instead
//! ```yaml
//! - wait_for: { event: order_completed, where: { event.total: { above: 50, below: 100 } } }
//!   within: 3 days
//! ```

use super::constant_segment::{ALWAYS, NEVER};
use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let workflows = project.workflows().map(|workflow| &workflow.notes);
    for constant in workflows.chain(project.traits().map(|unit| &unit.notes)).flat_map(|notes| &notes.constants) {
        let (message, help) = if constant.always { ("this always holds", ALWAYS) } else { ("this can never hold", NEVER) };
        report.warning("constant-condition", &constant.at, message, help);
    }
}
