//! Warns of marketing mails that lead to no way out.
//!
//! # What it does
//! Looks at every send by mail that is not `transactional: true`, and in its template, with layout and partials, for `unsubscribe_url` or
//! `preferences_url`. Where there is none, a plain link is added at the end of the message.
//!
//! # Why is this bad
//! A mail that cannot be stopped is reported as spam, and forbidden in many countries. The link that is added knows nothing of your design.
//!
//! # Example
//! ```html
//! <p>Everything is on sale.</p>
//! ```
//!
//! # Use instead
//! ```html
//! <p>Everything is on sale.</p>
//! <p><a href="{{unsubscribe_url}}">Unsubscribe</a></p>
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    let sends = project.workflows().flat_map(|workflow| &workflow.notes.sends).filter(|send| !send.transactional);
    for named in sends.filter_map(|send| send.template.as_ref()) {
        let by_mail = project
            .library
            .templates
            .get(&named.name)
            .is_some_and(|template| template.channel.as_deref().is_none_or(|channel| channel == "email"));
        let Some(origin) = project.library.origins.get(&named.name).filter(|_| by_mail && seen.insert(&named.name)) else {
            continue;
        };
        for facts in origin.facts.iter().filter(|facts| !facts.leads_out) {
            let message = "this mail is sent as marketing and has no link to unsubscribe: one is added at its end";
            let help = "link to {{unsubscribe_url}} or {{preferences_url}}, here or in the layout; or say `transactional: true` where it is sent";
            report.warning("no-unsubscribe-link", &facts.at, message, help);
        }
    }
}
