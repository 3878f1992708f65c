//! Conditions as an in-memory check of one contact, and when the answer can change with time alone.
//!
//! Architecture invariant: pure; what it needs to know of the contact it asks of [`Facts`].

use std::collections::BTreeMap;

use dsl::model::{Condition, Fate, Settings};
use serde_json::{Map, Value};

use crate::state::{Contact, Event, Mark, RunId};
use crate::store::{FateRow, RunHistory};

/// What is known of one contact at one moment.
pub trait Facts {
    type Error;

    fn contact(&self) -> &Contact;
    /// See [`crate::store::Store::events`].
    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Vec<Event>, Self::Error>;
    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>, Self::Error>;
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

/// Whether a condition holds now, and the earliest later time at which that may change though nothing happens to the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    pub holds: bool,
    pub recheck: Option<i64>,
}

/// # Errors
/// Only those of `facts`.
pub fn check<F: Facts>(_condition: &Condition, _scope: &Scope<'_>, _facts: &mut F) -> Result<Truth, F::Error> {
    Ok(Truth { holds: false, recheck: None })
}
