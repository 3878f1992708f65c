//! A condition asked of all contacts at once, and the same of one: the two must agree.

use std::collections::BTreeMap;

use dsl::model::{Condition, Settings};

use super::{Result, Store, StoredFacts};
use crate::audience::{self, Scope, Truth};
use crate::instant::project_zone;
use crate::state::Contact;

/// A condition as it is looked at from outside any run: there is no event at hand, and everything that ever happened counts.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub condition: &'a Condition,
    /// What it may name.
    pub segments: &'a BTreeMap<String, Condition>,
    pub settings: &'a Settings,
    /// In ms since 1970 UTC.
    pub now: i64,
    pub outdated: Outdated,
}

/// What becomes of contacts whose traits are to be worked out anew: whether the condition holds for them cannot be told by what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outdated {
    /// They are judged by the traits they have.
    Ignore,
    /// They count as matching, whatever they are: those of another version than this one, and those that time has changed.
    Include(i64),
    /// They are left out.
    Exclude(i64),
}

impl Question<'_> {
    /// The answer for one contact by the traits it has, and when time alone may change it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn check(&self, store: &mut dyn Store, contact: &Contact) -> Result<Truth> {
        let zone = contact.time_zone.as_deref().and_then(dsl::time::zone).unwrap_or_else(|| project_zone(self.settings));
        audience::check(self.condition, &self.scope(&zone), &mut StoredFacts { store, contact })
    }

    pub(super) fn scope<'s>(&'s self, zone: &'s jiff::tz::TimeZone) -> Scope<'s> {
        Scope::outside(self.now, zone, self.settings, self.segments)
    }
}
