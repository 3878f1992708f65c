//! Finds names of workflows that do not exist.
//!
//! # What it does
//! Looks up the workflow of every `start` step and every `workflow:` condition.
//!
//! # Why is this bad
//! Nothing would start, and the condition could never hold.
//!
//! # Example
//! ```yaml
//! steps:
//!   - start: onbording
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - start: onboarding
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    // A file that could not be read may hold what seems to be missing.
    if project.set_aside.files {
        return;
    }
    let lowered = project.workflows().map(|workflow| workflow.model.name.as_str());
    let known: BTreeSet<&str> = lowered.chain(project.set_aside.workflows.iter().map(String::as_str)).collect();
    for named in project.notes().flat_map(|notes| notes.workflows.iter().chain(&notes.started)) {
        if !known.contains(named.name.as_str()) {
            let message = format!("there is no workflow `{}`", named.name);
            let help = report.suggestion(&named.name, known.iter().copied(), "workflows");
            report.error("unknown-workflow", &named.at, message, help);
        }
    }
}
