//! Warns of data that is given to a message which does not use it.
//!
//! # What it does
//! Looks for every name under `with` of a send by mail in the template, its layouts and the partials that they use.
//!
//! # Why is this bad
//! It is probably misspelt here or there: the message says something else than was meant.
//!
//! # Example
//! ```yaml
//! # templates/discount.html.hbs prints {{default code "SAVE5"}}
//! - send: discount
//!   with: { coupon: SAVE10 }
//! ```
//!
//! # Use instead
//! ```yaml
//! - send: discount
//!   with: { code: SAVE10 }
//! ```

use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::model::StepKind;
use crate::template::Words;

/// How much text of messages in workflows is looked at, in bytes: each with all partials that it names.
const MOST: usize = 16 * 1024 * 1024;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut words = Words::new(project.library);
    let mut left = MOST;
    for workflow in project.workflows().filter(|workflow| !workflow.notes.partial) {
        let sends = workflow.model.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Send(send) => Some(send),
            _ => None,
        });
        // A channel's request may hold any of it.
        let by_mail = sends
            .zip(&workflow.notes.sends)
            .filter(|(send, note)| !note.with.is_empty() && send.or_channels.is_empty() && project.channel_of(send) == "email");
        for (send, note) in by_mail {
            let inline = workflow.inline.get(&send.template).filter(|_| send.inline);
            let weight = inline.map_or(0, |inline| project.library.weight_of_message(inline));
            let Some(rest) = left.checked_sub(weight) else { continue };
            left = rest;
            let inline = inline.map(|inline| words.of(inline));
            let named = project.library.templates.get_key_value(&send.template);
            let mut holds = |word: &str| match (&inline, named) {
                (Some(inline), _) => inline.contains(word),
                (None, Some((name, template))) => words.holds(name, template, word),
                (None, None) => true,
            };
            for name in note.with.iter().filter(|name| !holds(name)) {
                let what = if send.inline { "this message".to_owned() } else { format!("`{}`", send.template) };
                let message = format!("{what} does not use `{name}`");
                report.push(
                    Diagnostic::warning("unused-with", note.at.clone(), message)
                        .help("remove it from `with`, or use it in the template"),
                );
            }
        }
    }
}
