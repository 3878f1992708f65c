//! Finds moves to steps that do not exist.
//!
//! # What it does
//! Looks up every target of `moved:` among the workflow's step ids.
//!
//! # Why is this bad
//! Runs whose step is gone would have nowhere to go.
//!
//! # Example
//! ```yaml
//! moved: { wait-2-days: wait-3-dys }
//! steps:
//!   - wait: 3 days
//! ```
//!
//! # Use instead
//! ```yaml
//! moved: { wait-2-days: wait-3-days }
//! steps:
//!   - wait: 3 days
//! ```

use std::collections::HashSet;

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for workflow in project.workflows().filter(|workflow| !workflow.notes.partial) {
        if workflow.notes.moved.is_empty() {
            continue;
        }
        let ids = || workflow.model.steps.iter().map(|step| step.id.as_str());
        let known: HashSet<&str> = ids().collect();
        for named in workflow.notes.moved.iter().filter(|named| !known.contains(named.name.as_str())) {
            let message = format!("there is no step `{}` in this workflow", named.name);
            let help = report.suggestion(&named.name, ids(), "steps");
            report.error("unknown-step", &named.at, message, help);
        }
    }
}
