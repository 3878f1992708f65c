//! Warns of mails that are laid out in HTML and written in nothing else.
//!
//! # What it does
//! Looks for templates that have an HTML body with tables or images, or an MJML body, and no text body, in each of their languages. A text part is
//! then made from the HTML. That of HTML without tables and images reads as it was written, and needs no other.
//!
//! # Why is this bad
//! Tables lose their order in text, and images their meaning. Some people and some watches show nothing but the text, and filters against
//! spam look at it.
//!
//! # Example
//! ```text
//! templates/welcome.mjml.hbs
//! ```
//!
//! # Use instead
//! ```text
//! templates/welcome.mjml.hbs
//! templates/welcome.txt.hbs
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for facts in project.library.origins.values().flat_map(|origin| &origin.facts) {
        if facts.laid_out && !facts.has_text {
            let message = "this mail has no text part: one is made from the HTML";
            report.warning(
                "missing-text-part",
                &facts.at,
                message,
                "write the same in a few plain words, in a file that ends in .txt.hbs",
            );
        }
    }
}
