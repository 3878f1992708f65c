//! What the engine asks about one contact and run, answered from the store.

use std::rc::Rc;

use dsl::model::Fate;

use crate::audience::Facts;
use crate::engine::RunFacts;
use crate::state::{Contact, Event, WorkflowId};
use crate::store::{FateRow, RunHistory, StoreError, StoredFacts};

pub(super) struct FactsOfRun<'a> {
    pub stored: StoredFacts<'a>,
    /// The workflow whose run is looked at.
    pub workflow: WorkflowId,
}

impl Facts for FactsOfRun<'_> {
    type Error = StoreError;

    fn contact(&self) -> &Contact {
        self.stored.contact
    }

    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>, StoreError> {
        self.stored.events(name, from, bare)
    }

    fn latest_events(&mut self, name: &str, now: i64, least: usize) -> Result<Rc<Vec<Event>>, StoreError> {
        self.stored.latest_events(name, now, least)
    }

    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>, StoreError> {
        self.stored.fates(fate, from)
    }

    fn listed(&mut self, segment: &str) -> Result<bool, StoreError> {
        self.stored.listed(segment)
    }

    fn workflow(&mut self, name: &str) -> Result<RunHistory, StoreError> {
        self.stored.workflow(name)
    }
}

impl RunFacts for FactsOfRun<'_> {
    fn assignment(&mut self, experiment: &str) -> Result<Option<String>, StoreError> {
        self.stored.store.assignment(self.workflow, experiment, self.stored.contact.id)
    }
}
