//! What the engine asks about one contact, answered from the store.

use std::rc::Rc;

use dsl::model::Fate;

use crate::audience::Facts;
use crate::engine::RunFacts;
use crate::state::{Contact, Event, WorkflowId};
use crate::store::{FateRow, RunHistory, Store, StoreError};

pub(super) struct StoreFacts<'a> {
    pub store: &'a mut dyn Store,
    pub contact: &'a Contact,
    /// The workflow whose run is looked at.
    pub workflow: WorkflowId,
}

impl Facts for StoreFacts<'_> {
    type Error = StoreError;

    fn contact(&self) -> &Contact {
        self.contact
    }

    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>, StoreError> {
        self.store.events(self.contact.id, name, from, bare).map(Rc::new)
    }

    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>, StoreError> {
        self.store.fates(self.contact.id, fate, from)
    }

    fn listed(&mut self, segment: &str) -> Result<bool, StoreError> {
        self.store.listed(self.contact.id, segment)
    }

    fn workflow(&mut self, name: &str) -> Result<RunHistory, StoreError> {
        let id = self.store.workflow_id(name)?;
        self.store.run_history(self.contact.id, id, None)
    }
}

impl RunFacts for StoreFacts<'_> {
    fn assignment(&mut self, experiment: &str) -> Result<Option<String>, StoreError> {
        self.store.assignment(self.workflow, experiment, self.contact.id)
    }
}
