//! Finds sends that lack data which their template needs.
//!
//! # What it does
//! Compares the `needs:` of each template with the `with:` of the steps that send it.
//!
//! # Why is this bad
//! The message would have a hole where the data belongs.
//!
//! # Example
//! ```yaml
//! # templates/discount.html.hbs says `needs: [coupon]`
//! - send: discount
//! ```
//!
//! # Use instead
//! ```yaml
//! - send: discount
//!   with: { coupon: SAVE10 }
//! ```

use super::{Project, Report};
use crate::place::list;

/// How many names the help writes out.
const MOST: usize = 24;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for send in project.workflows().flat_map(|workflow| &workflow.notes.sends) {
        let Some(template) = &send.template else {
            continue;
        };
        let missing = project.library.missing_needs(&template.name, &send.with);
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().map(String::as_str).collect();
            let message = format!("the template `{}` needs {}, which `with` does not give", template.name, list(&names));
            let example: Vec<String> = names.iter().take(MOST).map(|name| format!("{name}: ...")).collect();
            report.error("missing-needs", &send.at, message, Some(format!("add `with: {{ {} }}`", example.join(", "))));
        }
    }
}
