//! Warns of segments that nobody, or everybody, is in.
//!
//! # What it does
//! Looks at the tests of one value, and at the counts of one event, that must hold together: spans of numbers and of time that exclude each other, `is`
//! and `one_of` that name nothing that the others leave, something and its opposite.
//!
//! # Why is this bad
//! A segment that nobody is in makes whatever waits for it wait for ever; one that everybody is in says nothing.
//!
//! # Example
//! ```yaml
//! segments:
//!   middle: { contact.age: { above: 65, below: 18 } }
//! ```
//!
//! # Use instead
//! ```yaml
//! segments:
//!   middle: { contact.age: { above: 18, below: 65 } }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for segment in project.segments() {
        for constant in &segment.notes.constants {
            let who = if constant.always { "everybody" } else { "nobody" };
            let message = format!("{who} is in the segment `{}`, whatever is known of them", segment.name);
            let help = if constant.always { ALWAYS } else { NEVER };
            report.warning("constant-segment", &constant.at, &message, help);
        }
    }
}

pub(super) const NEVER: &str = "what must hold together here excludes each other";
pub(super) const ALWAYS: &str = "one part of this always holds";
