//! Warns of templates that nothing sends.
//!
//! # What it does
//! Looks up every template under templates/ among the messages that workflows send.
//!
//! # Why is this bad
//! Either the step that should send it is missing, or it is in the way of whoever looks for the one that is sent.
//!
//! # Example
//! ```text
//! templates/welcome.html.hbs
//! templates/welcome-old.html.hbs     # no workflow says `send: welcome-old`
//! ```
//!
//! # Use instead
//! ```text
//! templates/welcome.html.hbs
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    // What could not be read may be what sends it.
    if project.set_aside.files || !project.set_aside.workflows.is_empty() || project.workflows().any(|unit| unit.notes.partial) {
        return;
    }
    let sends = project.workflows().flat_map(|workflow| &workflow.notes.sends);
    let sent: BTreeSet<&str> = sends.filter_map(|send| send.template.as_ref()).map(|named| named.name.as_str()).collect();
    for (name, origin) in &project.library.origins {
        if let Some(at) = origin.written().filter(|_| !sent.contains(name.as_str())) {
            let message = format!("no workflow sends `{name}`");
            report.warning("unused-template", &at, &message, "send it, or remove its files");
        }
    }
}
