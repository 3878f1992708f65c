//! Finds variables that no step ever sets.
//!
//! # What it does
//! Looks up every `vars.NAME` in conditions and waits among the names that the workflow's `set` steps give.
//!
//! In a template and in any text with `{{ }}`, every variable is looked up: in the data contract, in `needs`, in what `with` gives
//! and in what `set` steps set.
//!
//! # Why is this bad
//! The variable is always missing: the condition silently never holds.
//!
//! # Example
//! ```yaml
//! - set: { vars.stage: offered }
//! - branch:
//!     - when: { vars.stge: offered }
//!       steps: [exit]
//! ```
//!
//! # Use instead
//! ```yaml
//! - set: { vars.stage: offered }
//! - branch:
//!     - when: { vars.stage: offered }
//!       steps: [exit]
//! ```

use super::{Project, Report};
use crate::model::Root;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for workflow in project.workflows().filter(|workflow| !workflow.notes.partial) {
        let known = &workflow.notes.variables;
        for value in workflow.notes.values.iter().filter(|value| value.path.root == Root::Vars) {
            let name = value.path.keys.first().map(String::as_str).unwrap_or_default();
            if !known.contains(name) {
                let message = format!("no step of this workflow sets `vars.{name}`");
                let help = report.suggestion(name, known.iter().map(String::as_str), "variables that are set");
                report.error("unknown-variable", &value.at, message, help);
            }
        }
    }
}
