//! What rows are called in outputs: contacts by their uid, workflows by their name.

use std::collections::HashMap;

use crate::state::{ContactId, WorkflowId};
use crate::store::{Result, Store};

pub struct Names {
    contacts: HashMap<ContactId, String>,
    workflows: HashMap<WorkflowId, String>,
}

impl Names {
    /// # Errors
    /// Those of the store.
    pub fn of(store: &mut dyn Store) -> Result<Names> {
        let workflows = store.workflows()?.into_iter().map(|row| (row.id, row.name)).collect();
        Ok(Names { contacts: HashMap::new(), workflows })
    }

    /// Forgets the contacts: what one of them did stands together, so that they need be kept for a page only.
    pub fn next_page(&mut self) {
        self.contacts.clear();
    }

    /// The contact's uid; empty for one that is gone.
    ///
    /// # Errors
    /// Those of the store.
    pub fn contact(&mut self, store: &mut dyn Store, id: ContactId) -> Result<String> {
        if let Some(uid) = self.contacts.get(&id) {
            return Ok(uid.clone());
        }
        let uid = store.contact(id)?.map_or_else(String::new, |contact| contact.uid);
        self.contacts.insert(id, uid.clone());
        Ok(uid)
    }

    /// The workflow's name; empty for one that is gone.
    pub fn workflow(&self, id: WorkflowId) -> String {
        self.workflows.get(&id).cloned().unwrap_or_default()
    }
}
