//! One contact's facts as they stand in the store: what conditions ask about them.

use std::rc::Rc;

use dsl::model::Fate;

use super::{FateRow, Result, RunHistory, Store, StoreError};
use crate::audience::Facts;
use crate::state::{Contact, Event};

/// How many events are taken to be dated in the future, of one contact and name: nearly always none. With more of them all are read.
const FUTURE: usize = 4;

pub struct StoredFacts<'a> {
    pub store: &'a mut dyn Store,
    pub contact: &'a Contact,
}

impl Facts for StoredFacts<'_> {
    type Error = StoreError;

    fn contact(&self) -> &Contact {
        self.contact
    }

    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>> {
        self.store.events(self.contact.id, name, from, bare).map(Rc::new)
    }

    fn latest_events(&mut self, name: &str, now: i64, least: usize) -> Result<Rc<Vec<Event>>> {
        // What was sent is read from the messages.
        if name == Fate::Sent.event() {
            return self.events(name, i64::MIN, true);
        }
        let limit = least.saturating_add(FUTURE);
        let mut events = self.store.newest_events(self.contact.id, name, limit)?;
        if events.len() == limit && events.iter().filter(|event| event.at <= now).count() < least.max(1) {
            return self.events(name, i64::MIN, true);
        }
        events.reverse();
        Ok(Rc::new(events))
    }

    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>> {
        self.store.fates(self.contact.id, fate, from)
    }

    fn listed(&mut self, segment: &str) -> Result<bool> {
        self.store.listed(self.contact.id, segment)
    }

    /// A workflow that the store does not know has had nobody in it.
    fn workflow(&mut self, name: &str) -> Result<RunHistory> {
        match self.store.find_workflow(name)? {
            Some(id) => self.store.run_history(self.contact.id, id, None),
            None => Ok(RunHistory::default()),
        }
    }
}
