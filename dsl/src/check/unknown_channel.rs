//! Finds channels that the settings do not declare.
//!
//! # What it does
//! Looks up the `channel` of every send under `channels:` in campaignd.yaml; `email` is always there.
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
use crate::place::suggestion;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    if project.settings.is_none() {
        return;
    }
    let channels = &project.settings_notes.channels;
    for named in project.notes().flat_map(|notes| &notes.channels).chain(&project.settings_notes.limited) {
        if !channels.contains(&named.name) {
            let message = format!("there is no channel `{}` in campaignd.yaml", named.name);
            let help = suggestion(&named.name, channels.iter().map(String::as_str), "channels");
            report.error("unknown-channel", &named.at, message, help);
        }
    }
}
