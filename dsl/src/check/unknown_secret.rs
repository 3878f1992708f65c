//! Reports secrets that the settings do not have.
//!
//! # What it does
//! Looks up each `{{secrets.NAME}}` in a call's headers, and each call's `sign`, under `secrets` in campaignd.yaml.
//!
//! # Why is this bad
//! The call could not be made.
//!
//! # Example
//! ```yaml
//! - call: { post: "https://crm.example/tickets", sign: crn }
//! ```
//!
//! # Use instead
//! ```yaml
//! # campaignd.yaml
//! secrets: { crm: "${CRM_WEBHOOK_SECRET}" }
//! # the workflow
//! - call: { post: "https://crm.example/tickets", sign: crm }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings else { return };
    for named in project.notes().flat_map(|notes| &notes.secrets) {
        if !settings.secrets.contains_key(&named.name) {
            let message = format!("there is no secret `{}` in campaignd.yaml", named.name);
            let help = report
                .suggestion(&named.name, settings.secrets.keys().map(String::as_str), "secrets")
                .unwrap_or_else(|| format!("add `secrets: {{ {}: \"${{NAME}}\" }}` to campaignd.yaml", named.name));
            report.error("unknown-secret", &named.at, message, Some(help));
        }
    }
}
