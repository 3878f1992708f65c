//! Warns of mails that are a picture and say nothing.
//!
//! # What it does
//! Looks for HTML bodies that show images and hold next to no text.
//!
//! # Why is this bad
//! Many programs show no images before they are asked to, and read nothing aloud from one; filters against spam know this kind of mail.
//!
//! # Example
//! ```html
//! <a href="https://shop.example"><img src="images/everything.png" alt="Sale"></a>
//! ```
//!
//! # Use instead
//! ```html
//! <img src="images/header.png" alt="Shop">
//! <p>Everything is a third off until Sunday.</p>
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for facts in project.library.origins.values().flat_map(|origin| &origin.facts).filter(|facts| facts.image_only) {
        let help = "write what the images say as text, beside them";
        report.warning("image-only", &facts.at, "this mail shows images and says next to nothing", help);
    }
}
