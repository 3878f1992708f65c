//! Shared traits.

use super::condition::Setting;
use super::notes::{EventScope, Named, Notes, TestNote, ValueNote, Wants};
use super::{Lowerer, TraitUnit};
use crate::contract::CONTACT_FIELDS;
use crate::diagnostic::Diagnostic;
use crate::model::{Condition, EventsTrait, Path, Points, Root, Trait, TraitFunction};
use crate::place::At;
use crate::surface::{self, WorkflowFile};

const NUMBER: Wants = Wants { text: false, number: true, boolean: false, list: false, date: false };
const NUMBER_OR_DATE: Wants = Wants { date: true, ..NUMBER };
/// A trait's value is a plain one.
const PLAIN: Wants = Wants { text: true, boolean: true, ..NUMBER };

/// A trait over events, whichever its verb.
struct Written<'f> {
    verb: &'static str,
    function: TraitFunction,
    /// What stands at the verb.
    subject: &'f str,
    /// The event's name, where the subject is a property.
    of: Option<&'f str>,
    filter: Option<&'f surface::Condition>,
    within: Option<&'f String>,
}

impl Lowerer<'_> {
    pub(super) fn traits(&mut self, file: &WorkflowFile, root: &At<'_>) -> Vec<TraitUnit> {
        let mut units = Vec::new();
        for (name, form) in file.traits.iter().flatten() {
            let at = root.key("traits").key(name);
            self.key_name(name, "a trait", &at);
            if CONTACT_FIELDS.contains(&name.as_str()) {
                let message = format!("`{name}` is a field of every contact and cannot be worked out");
                let diagnostic = Diagnostic::error("invalid-name", at.key_location(), message);
                self.diagnostics.push(diagnostic.help("give the trait another name"));
            }
            let model = self.one_trait(form, &at);
            let notes = std::mem::take(&mut self.notes);
            units.extend(model.map(|model| TraitUnit { name: name.clone(), at: at.key_location(), model, notes }));
        }
        // Of a trait that could not be lowered nothing is looked at.
        self.notes = Notes::default();
        units
    }

    fn one_trait(&mut self, form: &surface::Trait, at: &At<'_>) -> Option<Trait> {
        match form {
            surface::Trait::Rank(form) => {
                let by = self.contact_value(&form.rank, "rank", NUMBER_OR_DATE, &at.key("rank"))?;
                Some(Trait::Rank { by, into: form.into })
            }
            surface::Trait::Tier(form) => {
                let by = self.contact_value(&form.by, "by", NUMBER, &at.key("by"))?;
                Some(Trait::Tier { by, tiers: self.tiers(form, &at.key("tiers")) })
            }
            surface::Trait::Score(form) => {
                let here = at.key("score");
                let points = form.score.iter().enumerate().map(|(index, entry)| self.points(entry, &here.item(index))).collect();
                let halves_every = self.optional_span(form.halves_every.as_ref(), &at.key("halves_every"));
                Some(Trait::Score { points, halves_every })
            }
            surface::Trait::FirstMatch(form) => Some(self.first_match(form, &at.key("first_match"))),
            events => self.over_events(&written(events)?, at).map(Trait::Events),
        }
    }

    fn over_events(&mut self, written: &Written<'_>, at: &At<'_>) -> Option<EventsTrait> {
        let here = at.key(written.verb);
        if written.of.is_none() && written.subject.starts_with("event.") {
            let message = format!("`{}` is a property, but of which event?", written.subject);
            self.error_help("missing-key", &here, message, "add `of: NAME`, the event's name");
            return None;
        }
        let (event, event_at) = match written.of {
            Some(event) => (event, at.key("of")),
            None => (written.subject, here.clone()),
        };
        self.notes.events.push(Named { name: event.to_owned(), at: event_at.location() });
        let of = match written.of {
            Some(event) => Some(self.property(written, event, &here)?),
            None => None,
        };
        Some(EventsTrait {
            function: written.function,
            event: event.to_owned(),
            of,
            filter: self.filter(written.filter, event, at),
            within: self.optional_span(written.within, &at.key("within")),
        })
    }

    /// The property that is looked at: any plain value for the first and the last, a number for what is worked out.
    fn property(&mut self, written: &Written<'_>, event: &str, at: &At<'_>) -> Option<Path> {
        let path = self.path(written.subject, &[Root::Event], at)?;
        let wants = if matches!(written.function, TraitFunction::First | TraitFunction::Last) { PLAIN } else { NUMBER };
        let tests = vec![TestNote::new(written.verb, wants, at.location())];
        let scope = EventScope::Named(event.to_owned());
        self.notes.values.push(ValueNote { path: path.clone(), at: at.location(), scope, tests });
        Some(path)
    }

    fn filter(&mut self, form: Option<&surface::Condition>, event: &str, at: &At<'_>) -> Option<Box<Condition>> {
        form.map(|form| Box::new(self.condition(&form.0, &at.key("where"), &Setting::event_alone(event))))
    }

    /// An attribute, or another trait.
    fn contact_value(&mut self, text: &str, word: &'static str, wants: Wants, at: &At<'_>) -> Option<Path> {
        let path = self.path(text, &[Root::Contact], at)?;
        let tests = vec![TestNote::new(word, wants, at.location())];
        self.notes.values.push(ValueNote { path: path.clone(), at: at.location(), scope: EventScope::Nothing, tests });
        Some(path)
    }

    fn tiers(&mut self, form: &surface::TierTrait, at: &At<'_>) -> Vec<(String, f64)> {
        let mut tiers: Vec<(String, f64)> = Vec::with_capacity(form.tiers.len());
        for name in at.keys(form.tiers.keys()) {
            let here = at.key(name);
            self.value_name(name, &here);
            let Some(least) = form.tiers.get(name).copied() else { continue };
            if let Some((other, _)) = tiers.iter().find(|(_, value)| *value == least) {
                let message = format!("`{other}` and `{name}` begin at the same value: nobody would ever be `{name}`");
                self.error("invalid-number", &here, message);
            }
            tiers.push((name.clone(), least));
        }
        tiers.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        tiers
    }

    fn points(&mut self, form: &surface::Points, at: &At<'_>) -> Points {
        self.notes.events.push(Named { name: form.event.clone(), at: at.key("event").location() });
        Points { event: form.event.clone(), filter: self.filter(form.filter.as_ref(), &form.event, at), points: form.points }
    }

    fn first_match(&mut self, form: &surface::FirstMatchTrait, at: &At<'_>) -> Trait {
        let mut cases = Vec::with_capacity(form.first_match.len());
        // The mapping that was read is sorted; what counts is the order in the file.
        for name in at.keys(form.first_match.keys()) {
            let here = at.key(name);
            self.value_name(name, &here);
            if let Some(condition) = form.first_match.get(name) {
                cases.push((name.clone(), self.condition(&condition.0, &here, &Setting::segment())));
            }
        }
        Trait::FirstMatch { cases, otherwise: form.otherwise.clone() }
    }

    /// The name of a tier or a case is the trait's value, so that it may be any text but nothing at all.
    fn value_name(&mut self, name: &str, at: &At<'_>) {
        if name.trim().is_empty() {
            let diagnostic = Diagnostic::error("invalid-name", at.key_location(), "this name is empty");
            self.diagnostics.push(diagnostic.help("write the text that the trait is to have"));
        }
    }
}

/// `None` for a trait that is not about events.
fn written(form: &surface::Trait) -> Option<Written<'_>> {
    macro_rules! over {
        ($form:ident, $verb:ident, $function:ident, $of:expr) => {
            Some(Written {
                verb: stringify!($verb),
                function: TraitFunction::$function,
                subject: &$form.$verb,
                of: $of,
                filter: $form.filter.as_ref(),
                within: $form.within.as_ref(),
            })
        };
    }
    match form {
        surface::Trait::Sum(form) => over!(form, sum, Sum, Some(&form.of)),
        surface::Trait::Avg(form) => over!(form, avg, Avg, Some(&form.of)),
        surface::Trait::Min(form) => over!(form, min, Min, Some(&form.of)),
        surface::Trait::Max(form) => over!(form, max, Max, Some(&form.of)),
        surface::Trait::Count(form) => over!(form, count, Count, None),
        surface::Trait::First(form) => over!(form, first, First, form.of.as_deref()),
        surface::Trait::Last(form) => over!(form, last, Last, form.of.as_deref()),
        surface::Trait::Rank(_) | surface::Trait::Tier(_) | surface::Trait::Score(_) | surface::Trait::FirstMatch(_) => None,
    }
}
