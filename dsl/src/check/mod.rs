//! The checks that look at more than one place: a file for each rule. A rule file's own documentation is what `campaignd
//! explain` shows.

mod cap_too_low;
mod certain;
mod constant_condition;
mod constant_segment;
mod dkim_domain;
mod duplicate_name;
mod empty_steps;
mod experiment_of_one;
mod image_only;
mod impossible_value;
mod insecure_link;
mod message_too_large;
mod missing_body;
mod missing_needs;
mod missing_text_part;
mod missing_topic;
mod moved;
mod never_sent;
mod no_consent;
mod no_opening;
mod no_unsubscribe_link;
mod noreply_sender;
mod pace;
mod paths;
mod personal_key;
mod predicate_type;
mod project;
mod renumbered_step;
mod reserved_event;
pub(crate) mod secret_in_file;
mod segment_cycle;
mod set_trait;
mod shadowed_attribute;
mod starts;
mod template_use;
mod unknown_attribute;
mod unknown_channel;
mod unknown_event;
mod unknown_secret;
mod unknown_segment;
mod unknown_template;
mod unknown_topic;
mod unknown_variable;
mod unknown_workflow;
mod unreachable_step;
mod untracked_wait;
mod unused_segment;
mod unused_template;
mod unused_with;
mod wait_without_within;
mod winner_without_goal;
mod winner_without_rival;
mod winner_without_tracking;
mod workflow_loop;

use crate::diagnostic::{Diagnostic, Location};
use crate::halves::in_halves;
use crate::place::suggestion;
pub(crate) use project::{Project, SetAside};

/// Every rule.
const RULES: [fn(&Project<'_>, &mut Report<'_>); 49] = [
    cap_too_low::check,
    constant_condition::check,
    constant_segment::check,
    dkim_domain::check,
    duplicate_name::check,
    empty_steps::check,
    experiment_of_one::check,
    image_only::check,
    impossible_value::check,
    insecure_link::check,
    message_too_large::check,
    missing_body::check,
    missing_needs::check,
    missing_text_part::check,
    missing_topic::check,
    moved::check,
    never_sent::check,
    no_consent::check,
    no_opening::check,
    no_unsubscribe_link::check,
    noreply_sender::check,
    personal_key::check,
    predicate_type::check,
    renumbered_step::check,
    reserved_event::check,
    secret_in_file::check,
    segment_cycle::check,
    set_trait::check,
    shadowed_attribute::check,
    template_use::check,
    unknown_attribute::check,
    unknown_channel::check,
    unknown_event::check,
    unknown_secret::check,
    unknown_segment::check,
    unknown_template::check,
    unknown_topic::check,
    unknown_variable::check,
    unknown_workflow::check,
    unreachable_step::check,
    untracked_wait::check,
    unused_segment::check,
    unused_template::check,
    unused_with::check,
    wait_without_within::check,
    winner_without_goal::check,
    winner_without_rival::check,
    winner_without_tracking::check,
    workflow_loop::check,
];

/// Runs every rule.
pub(crate) fn all(project: &Project<'_>, out: &mut Vec<Diagnostic>) {
    let found = in_halves(&RULES, |rules| {
        let mut out = Vec::new();
        for rule in rules {
            rule(project, &mut Report { out: &mut out, suggestions: SUGGESTIONS, room: MOST });
        }
        out
    });
    out.extend(found.into_iter().flatten());
}

/// How often a rule says what was probably meant: each time all names there are have to be compared, and nobody reads more.
const SUGGESTIONS: usize = 200;

/// How much a rule says of a whole project: more than is ever shown, so that what comments allow can be taken out before.
const MOST: usize = 50_000;

/// Where the rules put what they find.
struct Report<'o> {
    out: &'o mut Vec<Diagnostic>,
    /// How many more suggestions the rule at hand may make.
    suggestions: usize,
    /// How much more the rule at hand may say.
    room: usize,
}

impl Report<'_> {
    fn error(&mut self, code: &'static str, at: &Location, message: String, help: Option<String>) {
        self.push(Diagnostic { help, ..Diagnostic::error(code, at.clone(), message) });
    }

    fn warning(&mut self, code: &'static str, at: &Location, message: &str, help: &str) {
        self.push(Diagnostic::warning(code, at.clone(), message).help(help));
    }

    /// What the data contract does not know: an error, or with an open contract a warning.
    fn contract(&mut self, code: &'static str, at: &Location, message: String, help: Option<String>, open: bool) {
        let diagnostic =
            if open { Diagnostic::warning(code, at.clone(), message) } else { Diagnostic::error(code, at.clone(), message) };
        self.push(Diagnostic { help, ..diagnostic });
    }

    /// "did you mean `x`?", else the list of what there is, else nothing.
    fn suggestion<'a>(&mut self, written: &str, candidates: impl IntoIterator<Item = &'a str>, kind: &str) -> Option<String> {
        if self.may_suggest() { suggestion(written, candidates, kind) } else { None }
    }

    /// Whether one more suggestion may be made; it then counts as made.
    fn may_suggest(&mut self) -> bool {
        let before = self.suggestions;
        self.suggestions = before.saturating_sub(1);
        before > 0
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        if let Some(room) = self.room.checked_sub(1) {
            self.room = room;
            self.out.push(diagnostic);
        }
    }

    fn all(&mut self, found: Vec<Diagnostic>) {
        found.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }
}

#[cfg(test)]
mod tests;
