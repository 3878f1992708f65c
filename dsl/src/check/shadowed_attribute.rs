//! Warns of traits with the name of an attribute.
//!
//! # What it does
//! Looks up every trait's name in schemas/contact.schema.json.
//!
//! # Why is this bad
//! `contact.NAME` is the trait's value then, everywhere: the attribute that is stored under the name is never seen again.
//!
//! # Example
//! ```yaml
//! # schemas/contact.schema.json declares `lifetime_value`
//! traits:
//!   lifetime_value: { sum: event.total, of: order_completed }
//! ```
//!
//! # Use instead
//! ```yaml
//! # schemas/contact.schema.json declares no `lifetime_value`
//! traits:
//!   lifetime_value: { sum: event.total, of: order_completed }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for unit in project.traits().filter(|unit| project.contract.declares_attribute(&unit.name)) {
        let message = format!("the contact schema declares an attribute `{}` as well; the trait is what counts", unit.name);
        let help = "remove the attribute from schemas/contact.schema.json, or give the trait another name";
        report.warning("shadowed-attribute", &unit.at, &message, help);
    }
}
