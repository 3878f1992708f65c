//! Warns of marketing sends that need nobody's consent.
//!
//! # What it does
//! Looks at every send that is not `transactional: true` and for which neither the step, nor the template, nor the workflow names
//! a topic.
//!
//! # Why is this bad
//! Such a message goes to whoever has not unsubscribed from everything.
//!
//! # Example
//! ```yaml
//! workflow: sale
//! steps:
//!   - send: sale
//! ```
//!
//! # Use instead
//! ```yaml
//! workflow: sale
//! topic: offers
//! steps:
//!   - send: sale
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for send in project.workflows().flat_map(|workflow| &workflow.notes.sends).filter(|send| !send.has_topic) {
        let message = "this marketing message has no topic: it goes to whoever has not unsubscribed from everything";
        let help = "name a `topic` here or for the workflow, or say `transactional: true`";
        report.warning("missing-topic", &send.at, message, help);
    }
}
