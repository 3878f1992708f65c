//! Finds events that the data contract does not know.
//!
//! # What it does
//! Looks up every event that a trigger, a condition, a trait or a `record` step names under schemas/events/. A project without
//! event schemas has no contract for events. Reserved events (`message_clicked`, `unsubscribed`) are always known, and so are
//! `page`, `screen` and `group` from the tracking API. With `contract: open` in campaignd.yaml this is a warning.
//!
//! # Why is this bad
//! An event that nobody sends starts nothing.
//!
//! # Example
//! ```yaml
//! trigger: { event: cart_update }
//! ```
//!
//! # Use instead
//! ```yaml
//! trigger: { event: cart_updated }
//! ```

use super::{Project, Report};
use crate::contract::Declared;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for named in project.notes().flat_map(|notes| notes.events.iter().chain(&notes.recorded)) {
        if project.contract.declares_event(&named.name) {
            continue;
        }
        if let Declared::Unknown(known) = project.contract.event_with(&named.name, report.suggestions > 0) {
            let message = format!("there is no event `{}` under schemas/events/", named.name);
            let help = report.suggestion(&named.name, known.iter().map(String::as_str), "events");
            report.contract("unknown-event", &named.at, message, help, project.open());
        }
    }
}
