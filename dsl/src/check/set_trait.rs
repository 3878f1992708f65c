//! Finds `set` steps that write to a trait.
//!
//! # What it does
//! Looks up every `contact.NAME` under `set` among the traits.
//!
//! # Why is this bad
//! A trait is worked out from what is known of the contact: what a step writes would be overwritten, or never be seen.
//!
//! # Example
//! ```yaml
//! steps:
//!   - set: { contact.lifetime_value: 0 }
//! traits:
//!   lifetime_value: { sum: event.total, of: order_completed }
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - set: { contact.value_reset_at: now }
//! traits:
//!   lifetime_value: { sum: event.total, of: order_completed }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for named in project.notes().flat_map(|notes| &notes.assigned) {
        if project.contract.is_trait(&named.name) {
            let message = format!("`contact.{}` is a trait: it is worked out, and cannot be set", named.name);
            let help = "set an attribute of another name, or record an event that the trait looks at";
            report.error("set-trait", &named.at, message, Some(help.to_owned()));
        }
    }
}
