//! Finds names of segments that do not exist.
//!
//! # What it does
//! Looks up the `segment:` of every condition and trigger among the shared segments of all files under workflows/.
//!
//! # Why is this bad
//! Nobody would ever match.
//!
//! # Example
//! ```yaml
//! audience: { segment: subscribres }
//! segments:
//!   subscribers: { topic: offers }
//! ```
//!
//! # Use instead
//! ```yaml
//! audience: { segment: subscribers }
//! segments:
//!   subscribers: { topic: offers }
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    // A file that could not be read may hold what seems to be missing.
    if project.set_aside.files {
        return;
    }
    let lowered = project.segments().map(|segment| segment.name.as_str());
    let known: BTreeSet<&str> = lowered.chain(project.set_aside.segments.iter().map(String::as_str)).collect();
    for named in project.notes().flat_map(|notes| &notes.segments) {
        if !known.contains(named.name.as_str()) {
            let message = format!("there is no segment `{}`", named.name);
            let help = report.suggestion(&named.name, known.iter().copied(), "segments");
            report.error("unknown-segment", &named.at, message, help);
        }
    }
}
