//! Warns of segments that nobody, or everybody, is in.
//!
//! # What it does
//! Looks at the tests of one value, and at the numbers of one event, that must hold together: spans of numbers and of time that exclude each other, `is`
//! and `one_of` that name nothing that the others leave, something and its opposite; and at those of which one is enough, whether they leave anything out. What the
//! segments that it names ask for counts as well.
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

use super::certain::{Certain, Fact};
use super::{Project, Report};
use crate::diagnostic::Diagnostic;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let certain = Certain::new(project);
    for segment in project.segments() {
        let Some(fact) = Fact::of_segment(segment) else { continue };
        let say = |who: &str, help: &str| {
            let message = format!("{who} is in the segment `{}`, whatever is known of them", segment.name);
            Diagnostic::warning("constant-segment", segment.at.clone(), message).help(help)
        };
        if let Some(conflict) = certain.refute(&[], &[fact]).filter(|conflict| !conflict.of_contract) {
            let mut diagnostic = say("nobody", "what must hold together here excludes each other");
            if conflict.with == conflict.at {
                diagnostic = diagnostic.related(conflict.at.location(), "this can never hold");
            } else {
                diagnostic = diagnostic.related(conflict.with.location(), "this");
                diagnostic = diagnostic.related(conflict.at.location(), "and this exclude each other");
            }
            report.push(diagnostic);
        } else if certain.refute(&[], &[fact.not()]).is_some_and(|conflict| !conflict.of_contract) {
            report.push(say("everybody", "what it asks for leaves nobody out"));
        }
    }
}
