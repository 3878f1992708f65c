//! Finds messages that have nothing for the channel they are sent by.
//!
//! # What it does
//! Looks, at every send of a template, at the channels it goes to: the step's, else the template's, else email. A channel other than email carries
//! `NAME.CHANNEL.hbs`, or else the mail's text.
//!
//! # Why is this bad
//! An empty message would be sent.
//!
//! # Example
//! ```yaml
//! - send: code      # there is only templates/code.sms.hbs
//!   channel: email
//! ```
//!
//! # Use instead
//! ```yaml
//! - send: code
//!   channel: sms
//! ```

use std::collections::HashMap;

use super::{Project, Report};
use crate::diagnostic::Location;
use crate::model::{StepKind, TemplateSource};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for workflow in project.workflows() {
        let mut places: HashMap<&str, &Location> = HashMap::new();
        for named in workflow.notes.sends.iter().filter_map(|note| note.template.as_ref()) {
            places.entry(named.name.as_str()).or_insert(&named.at);
        }
        for step in &workflow.model.steps {
            let StepKind::Send(send) = &step.kind else { continue };
            let Some(template) = project.library.templates.get(&send.template).filter(|_| !send.inline) else { continue };
            let first = send.channel.as_ref().or(template.channel.as_ref()).map_or("email", String::as_str);
            let channels = std::iter::once(first).chain(send.or_channels.iter().map(String::as_str));
            // What is broken is reported where it is read.
            for channel in channels.filter(|channel| !has_body(template, channel) && has_any(template)) {
                let message = format!("`{}` has no body for the channel `{channel}`", send.template);
                let ending = if channel == "email" { "html" } else { channel };
                let help = format!("write templates/{}.{ending}.hbs, or send it by another channel", send.template);
                if let Some(at) = places.get(send.template.as_str()) {
                    report.error("missing-body", at, message, Some(help));
                }
            }
        }
    }
}

/// Whether some language of the template has something for the channel.
fn has_body(template: &TemplateSource, channel: &str) -> bool {
    let plain = (&template.html, &template.text, &template.bodies);
    let mut all =
        std::iter::once(plain).chain(template.locales.values().map(|variant| (&variant.html, &variant.text, &variant.bodies)));
    all.any(|(html, text, bodies)| html.is_some() || text.is_some() || (channel != "email" && bodies.contains_key(channel)))
}

fn has_any(template: &TemplateSource) -> bool {
    has_body(template, "email")
        || !template.bodies.is_empty()
        || template.locales.values().any(|variant| !variant.bodies.is_empty())
}
