//! Conditions as an in-memory check of one contact, and when the answer can change with time alone.
//!
//! Architecture invariant: pure; what it needs to know of the contact it asks of [`Facts`].

mod aggregate;
mod date;
mod event;
mod fading;
mod message;
mod pattern;
mod predicate;
mod reach;
mod value;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;

use dsl::model::{Condition, Fate, Settings, WorkflowState};
use serde_json::{Map, Value};

use crate::state::{Contact, Event, Mark, RunId};
use crate::store::{FateRow, RunHistory};

pub(crate) use aggregate::{decimal, neumaier};
pub(crate) use event::{turns, verdict};
pub(crate) use fading::crosses;
pub(crate) use predicate::meets_all;
pub(crate) use reach::Reach;
pub(crate) use value::BUILT_IN;
pub use value::{contact_json, contact_value, subscribed, value_at, walk};

/// What is known of one contact at one moment.
pub trait Facts {
    /// Why a fact could not be had.
    type Error;

    fn contact(&self) -> &Contact;
    /// See [`crate::store::Store::events`]. There may be older ones too, and properties though they were not asked for.
    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>, Self::Error>;
    /// The contact's latest events of this name, oldest first and without properties: all there are, or at least so many of those that have happened by
    /// `now`, with all that are dated later.
    fn latest_events(&mut self, name: &str, _now: i64, _least: usize) -> Result<Rc<Vec<Event>>, Self::Error> {
        self.events(name, i64::MIN, true)
    }
    /// See [`crate::store::Store::fates`].
    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>, Self::Error>;
    /// Whether the contact is on the list of this static segment.
    fn listed(&mut self, segment: &str) -> Result<bool, Self::Error>;
    /// The contact's runs of this workflow, of any key.
    fn workflow(&mut self, name: &str) -> Result<RunHistory, Self::Error>;
}

/// From where a condition is looked at.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub now: i64,
    /// The contact's zone, or the project's where the contact has none or an unknown one.
    pub zone: &'a jiff::tz::TimeZone,
    pub settings: &'a Settings,
    pub segments: &'a BTreeMap<String, Condition>,
    /// The properties of the event at hand.
    pub event: Option<&'a Value>,
    pub vars: Option<&'a Map<String, Value>>,
    /// What `since: entry` means; `None` outside a run (then everything counts).
    pub entry: Option<Mark>,
    /// What `since: step` means.
    pub step: Option<Mark>,
    /// From when event and message conditions count that say neither `within` nor `since`.
    pub default_since: Option<Mark>,
    /// Message conditions are about this run's own messages (wait_for).
    pub own_run: Option<RunId>,
}

impl<'a> Scope<'a> {
    /// From outside any run, as segments are looked at: no event is at hand, and everything that ever happened counts.
    pub fn outside(
        now: i64,
        zone: &'a jiff::tz::TimeZone,
        settings: &'a Settings,
        segments: &'a BTreeMap<String, Condition>,
    ) -> Scope<'a> {
        Scope {
            now,
            zone,
            settings,
            segments,
            event: None,
            vars: None,
            entry: None,
            step: None,
            default_since: None,
            own_run: None,
        }
    }
}

/// Whether a condition holds now, and the earliest later time at which that may change though nothing happens to the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    pub holds: bool,
    pub recheck: Option<i64>,
}

impl Truth {
    /// An answer that time alone does not change.
    fn fixed(holds: bool) -> Truth {
        Truth { holds, recheck: None }
    }
}

/// Whether the condition holds for the contact at `scope.now`.
///
/// # Errors
/// Only those of `facts`.
pub fn check<F: Facts>(condition: &Condition, scope: &Scope<'_>, facts: &mut F) -> Result<Truth, F::Error> {
    Evaluation { facts, segments: scope.segments, inside: Vec::new(), depth: 0 }.check(condition, scope)
}

/// Whether a condition over `event.*` alone holds for an event of these properties.
pub(crate) fn holds_of_event(condition: &Condition, properties: &Value, scope: &Scope<'_>) -> Truth {
    struct NoFacts(Contact);
    impl Facts for NoFacts {
        type Error = std::convert::Infallible;

        fn contact(&self) -> &Contact {
            &self.0
        }

        fn events(&mut self, _: &str, _: i64, _: bool) -> Result<Rc<Vec<Event>>, Self::Error> {
            Ok(Rc::default())
        }

        fn fates(&mut self, _: Fate, _: i64) -> Result<Vec<FateRow>, Self::Error> {
            Ok(Vec::new())
        }

        fn listed(&mut self, _: &str) -> Result<bool, Self::Error> {
            Ok(false)
        }

        fn workflow(&mut self, _: &str) -> Result<RunHistory, Self::Error> {
            Ok(RunHistory::default())
        }
    }
    let Ok(truth) = check(condition, &Scope { event: Some(properties), ..*scope }, &mut NoFacts(Contact::new("")));
    truth
}

/// Conditions inside conditions, through segments too, that are looked into; beyond them the answer is no. What a file may hold nests
/// far less: this is here so that nothing whatever exhausts the stack.
const DEEPEST: usize = 256;

/// One check under way.
struct Evaluation<'a, F> {
    facts: &'a mut F,
    segments: &'a BTreeMap<String, Condition>,
    /// The segments being looked into.
    inside: Vec<&'a str>,
    depth: usize,
}

impl<'a, F: Facts> Evaluation<'a, F> {
    fn check(&mut self, condition: &'a Condition, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        if self.depth >= DEEPEST {
            return Ok(Truth::fixed(false));
        }
        self.depth += 1;
        let truth = self.answer(condition, scope);
        self.depth -= 1;
        truth
    }

    fn answer(&mut self, condition: &'a Condition, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        Ok(match condition {
            Condition::All(parts) => self.combine(parts, false, scope)?,
            Condition::Any(parts) => self.combine(parts, true, scope)?,
            Condition::None(parts) => opposite(self.combine(parts, true, scope)?),
            Condition::Not(part) => opposite(self.check(part, scope)?),
            Condition::Value { path, tests } => {
                let contact = self.facts.contact();
                let value = value_at(path, contact, scope);
                let truth = meets_all(tests, value.as_deref(), scope);
                match fading::at(path, contact) {
                    Some(fading) => Truth { recheck: fading::turns(tests, fading, scope), ..truth },
                    None => truth,
                }
            }
            Condition::Event(event) => self.event(event, scope)?,
            Condition::Message(message) => self.message(message, scope)?,
            Condition::Segment(name) => self.segment(name, scope)?,
            Condition::Listed(list) => Truth::fixed(self.facts.listed(list)?),
            Condition::Topic(topic) => Truth::fixed(subscribed(self.facts.contact(), scope.settings, topic)),
            Condition::Workflow { name, is } => Truth::fixed(stands(&self.facts.workflow(name)?, *is)),
        })
    }

    /// One part with the answer `deciding` settles the whole, and until that part changes nothing else matters; otherwise any
    /// part may turn it. Parts that need no facts are asked first, as they cost next to nothing.
    fn combine(&mut self, parts: &'a [Condition], deciding: bool, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        let mut recheck = None;
        let asked = |cheap| parts.iter().filter(move |part| is_cheap(part) == cheap);
        for part in asked(true).chain(asked(false)) {
            let truth = self.check(part, scope)?;
            if truth.holds == deciding {
                return Ok(truth);
            }
            recheck = earliest(recheck, truth.recheck);
        }
        Ok(Truth { holds: !deciding, recheck })
    }

    /// A segment is about the contact alone, wherever it is asked from. Nobody is in a segment that there is not, or that needs itself.
    fn segment(&mut self, name: &str, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        let Some((name, condition)) = self.segments.get_key_value(name) else {
            return Ok(Truth::fixed(false));
        };
        if self.inside.contains(&name.as_str()) {
            return Ok(Truth::fixed(false));
        }
        self.inside.push(name);
        let alone = Scope { event: None, vars: None, entry: None, step: None, default_since: None, own_run: None, ..*scope };
        let truth = self.check(condition, &alone);
        self.inside.pop();
        truth
    }
}

fn is_cheap(condition: &Condition) -> bool {
    matches!(condition, Condition::Value { .. } | Condition::Topic(_))
}

fn opposite(truth: Truth) -> Truth {
    Truth { holds: !truth.holds, ..truth }
}

fn stands(history: &RunHistory, is: WorkflowState) -> bool {
    match is {
        WorkflowState::Active => history.open.is_some(),
        WorkflowState::Completed => history.completed,
        WorkflowState::Exited => history.exited,
        WorkflowState::Never => *history == RunHistory::default(),
    }
}

/// The earlier of two times of which either may not come.
pub(crate) fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
