//! Contacts that turn out to be one person: other names for a contact, and two contacts made one.

use std::sync::Arc;

use super::MemoryStore;
use super::refusal::{Refusal, known, small};
use super::rows::Lists;
use super::table::Table;
use crate::state::ContactId;
use crate::store::Result;

const DOING: &str = "join two contacts";

/// Other names that lead to contacts.
#[derive(Default)]
pub(super) struct Aliases {
    rows: Table<Arc<str>, Alias>,
    /// The same by contact.
    of_contact: Lists<Arc<str>>,
    /// Which name was the own one of a contact whose row is gone.
    gone: Table<u32, Arc<str>>,
}

#[derive(Clone, Copy)]
struct Alias {
    contact: u32,
    /// The row of a contact that was joined to this one.
    was: Option<u32>,
}

impl Aliases {
    pub(super) fn find(&self, uid: &str) -> Option<ContactId> {
        self.rows.get(uid).map(|alias| ContactId(alias.contact.into()))
    }

    pub(super) fn of_contact(&self, contact: ContactId) -> Vec<String> {
        let names = known(contact.0).map_or(&[][..], |contact| self.of_contact.of(contact, 0));
        names.iter().map(|name| name.to_string()).collect()
    }

    pub(super) fn joined_to(&self, was: ContactId) -> Option<ContactId> {
        self.find(self.gone.get(&known(was.0)?)?)
    }

    pub(super) fn set(&mut self, uid: &str, contact: ContactId) -> Result<()> {
        let contact = small(contact.0, "write an alias")?;
        // Whose row the name once was does not become another's with it.
        let was = self.rows.get(uid).filter(|alias| alias.contact == contact).and_then(|alias| alias.was);
        self.put(Arc::from(uid), Alias { contact, was });
        Ok(())
    }

    fn put(&mut self, uid: Arc<str>, alias: Alias) {
        self.remove(&uid);
        self.of_contact.insert(alias.contact, 0, uid.clone());
        if let Some(was) = alias.was {
            self.gone.put(was, uid.clone());
        }
        self.rows.put(uid, alias);
    }

    fn remove(&mut self, uid: &Arc<str>) {
        let Some(alias) = self.rows.get(uid).copied() else { return };
        self.of_contact.remove(alias.contact, 0, uid);
        if let Some(was) = alias.was {
            self.gone.remove(&was);
        }
        self.rows.remove(uid);
    }

    pub(super) fn remove_all(&mut self, contact: u32) {
        for uid in self.of_contact.of(contact, 0).to_vec() {
            self.remove(&uid);
        }
    }

    /// What led to the one leads to the other, and so does the own name of the one.
    fn join(&mut self, from: u32, uid: Option<&str>, into: u32) {
        for name in self.of_contact.of(from, 0).to_vec() {
            let was = self.rows.get(&name).and_then(|alias| alias.was);
            self.put(name, Alias { contact: into, was });
        }
        if let Some(uid) = uid {
            self.put(Arc::from(uid), Alias { contact: into, was: Some(from) });
        }
    }

    pub(super) fn commit(&mut self) {
        self.rows.commit();
        self.of_contact.commit();
        self.gone.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.rows.rollback();
        self.of_contact.rollback();
        self.gone.rollback();
    }
}

pub(super) fn join(store: &mut MemoryStore, from: ContactId, into: ContactId) -> Result<()> {
    let (from_id, into_id) = (small(from.0, DOING)?, small(into.0, DOING)?);
    if store.runs.have_the_same_open(from_id, into_id) {
        return Err(Refusal::OpenRuns.when(DOING));
    }
    store.experiments.join(from_id, into_id);
    store.events.join(from_id, into_id);
    store.runs.join(from_id, into_id);
    store.messages.join(from_id, into_id);
    store.members.join(from_id, into_id);
    let uid = store.contacts.find(from).map(|contact| contact.uid);
    store.contacts.aliases.join(from_id, uid.as_deref(), into_id);
    store.time_triggers.remove_date_timers_of(from_id);
    store.contacts.remove(from_id, &mut store.timers);
    Ok(())
}
