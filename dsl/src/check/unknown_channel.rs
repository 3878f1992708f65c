//! Finds channels that the settings do not declare.
//!
//! # What it does
//! Looks up the `channel` of every send and every template, also that of a file's name (`code.sms.hbs`), under `channels:` in campaignd.yaml; `email` is always there.
//!
//! # Why is this bad
//! The message could never leave.
//!
//! # Example
//! ```yaml
//! - send: reminder
//!   channel: emial
//! ```
//!
//! # Use instead
//! ```yaml
//! - send: reminder
//!   channel: email
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    if project.settings.is_none() {
        return;
    }
    let channels = &project.settings_notes.channels;
    let sends = project.notes().flat_map(|notes| &notes.channels).chain(&project.settings_notes.limited);
    let sends = sends.map(|named| (&named.name, &named.at));
    let templates = project.library.origins.values().flat_map(|origin| &origin.channels).map(|(name, at)| (name, at));
    for (name, at) in sends.chain(templates) {
        if !channels.contains(name) {
            let message = format!("there is no channel `{name}` in campaignd.yaml");
            let help = report.suggestion(name, channels.iter().map(String::as_str), "channels");
            report.error("unknown-channel", at, message, help);
        }
    }
}
