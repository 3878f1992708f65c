//! Finds steps that record an event of the system's own.
//!
//! # What it does
//! Looks for `record` steps with the name of a reserved event: what happens to messages and to consent.
//!
//! # Why is this bad
//! `message_clicked` means that a message was clicked; a step that only says so would make every report wrong.
//!
//! # Example
//! ```yaml
//! - record: message_clicked
//! ```
//!
//! # Use instead
//! ```yaml
//! - record: survey_requested
//! ```

use super::{Project, Report};
use crate::model::Fate;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for named in project.notes().flat_map(|notes| &notes.recorded) {
        let consent = matches!(named.name.as_str(), "subscribed" | "unsubscribed");
        if consent || Fate::from_event(&named.name).is_some() {
            let message = format!("`{}` is an event of the system's own and cannot be recorded by a step", named.name);
            let help = consent.then(|| "use the steps `subscribe` and `unsubscribe`".to_owned());
            report.error("reserved-event", &named.at, message, help);
        }
    }
}
