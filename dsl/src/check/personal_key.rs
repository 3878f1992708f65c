//! Warns of triggers whose key is personal data.
//!
//! # What it does
//! Looks up the `key:` of every event trigger in the event's schema: `"x-personal": true` marks what is personal.
//!
//! # Why is this bad
//! A key is stored with every run and shown in reports, simulations and logs.
//!
//! # Example
//! ```yaml
//! # schemas/events/cart_updated.schema.json says `"buyer": { "type": "string", "x-personal": true }`
//! trigger: { event: cart_updated, key: event.buyer }
//! ```
//!
//! # Use instead
//! ```yaml
//! trigger: { event: cart_updated, key: event.cart_id }
//! ```

use super::{Project, Report};
use crate::lower::EventScope;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for value in project.notes().flat_map(|notes| &notes.keys) {
        if let EventScope::Named(event) = &value.scope
            && project.contract.personal_property(event, &value.path.keys)
        {
            let message = format!("`{}` is personal data; a key is stored with every run and shown in outputs", value.path);
            let help = "use a property that says nothing about a person, such as an order's or a cart's number";
            report.warning("personal-key", &value.at, &message, help);
        }
    }
}
