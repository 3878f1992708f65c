//! Warns of mails that Gmail cuts off.
//!
//! # What it does
//! Counts the bytes of each HTML body as it is sent, but for the data: with layout and partials, MJML made into HTML, styles on their elements.
//! Gmail shows the first 102 KiB of it.
//!
//! # Why is this bad
//! What stands behind that is hidden behind a link that few follow: often the way to unsubscribe.
//!
//! # Example
//! ```html
//! <mj-section><!-- fifty of these --></mj-section>
//! ```
//!
//! # Use instead
//! ```html
//! <mj-section><!-- the best five, and a link to the others --></mj-section>
//! ```

use super::{Project, Report};
use crate::template::SHOWN;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for facts in project.library.origins.values().flat_map(|origin| &origin.facts).filter(|facts| facts.size > SHOWN) {
        let message = format!("this mail's HTML is {} KiB long; Gmail shows 102 KiB of it", facts.size / 1024);
        report.warning("message-too-large", &facts.at, &message, "shorten it, or link to the rest");
    }
}
