//! Warns of links and images that travel without encryption.
//!
//! # What it does
//! Looks for addresses that begin with `http://` in links and images of templates, layouts and partials.
//!
//! # Why is this bad
//! Anybody on the way can see and change what is opened; programs warn of it or show no such images.
//!
//! # Example
//! ```html
//! <a href="http://shop.example/sale">Sale</a>
//! ```
//!
//! # Use instead
//! ```html
//! <a href="https://shop.example/sale">Sale</a>
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for at in project.library.insecure_addresses() {
        report.warning("insecure-link", at, "this address is not encrypted", "write https://");
    }
}
