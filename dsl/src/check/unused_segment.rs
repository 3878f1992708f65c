//! Warns of segments that nothing uses.
//!
//! # What it does
//! Looks up every segment among those that conditions and triggers name. Static segments (`list: true`) are for imports and the API, too, and are left out.
//!
//! # Why is this bad
//! It is worked out for every contact, for nothing; or what should use it names another one.
//!
//! # Example
//! ```yaml
//! segments:
//!   subscribers: { topic: offers }
//!   readers: { topic: news }          # nothing says `segment: readers`
//! ```
//!
//! # Use instead
//! ```yaml
//! segments:
//!   subscribers: { topic: offers }
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::model::Condition;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    if project.set_aside.files || !project.set_aside.workflows.is_empty() || project.workflows().any(|unit| unit.notes.partial) {
        return;
    }
    let used: BTreeSet<&str> = project.notes().flat_map(|notes| &notes.segments).map(|named| named.name.as_str()).collect();
    for segment in project.segments() {
        let listed = matches!(segment.condition, Condition::Listed(_));
        if !listed && !used.contains(segment.name.as_str()) {
            let message = format!("nothing uses the segment `{}`", segment.name);
            let help = "remove it, or allow it if people look at it with `campaignd segment`";
            report.warning("unused-segment", &segment.at, &message, help);
        }
    }
}
