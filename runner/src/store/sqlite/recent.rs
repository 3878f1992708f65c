//! Contacts, runs and messages read or written lately, and what every turn asks, so that what a message's way through the turns asks for again
//! and again is not read again.
//!
//! Write-through, and only used inside a transaction: nobody else can write then, and whether somebody did before is asked at its beginning. Large
//! records are not kept, so the memory stays bounded.

use std::collections::HashMap;

use crate::state::{Contact, EventId, Message, Run};

/// How many records of a kind a generation holds; two are kept.
const MOST: usize = 1_024;
/// Records whose JSON or text is longer than this are not kept, in bytes.
const LONGEST: usize = 4 * 1024;

#[derive(Default)]
pub(super) struct Recent {
    contacts: Generations<Contact>,
    runs: Generations<Run>,
    messages: Generations<Message>,
    /// The highest event id.
    pub(super) last_event: Option<EventId>,
    /// When the next date timer is due, if any is.
    pub(super) next_date: Option<Option<i64>>,
    /// There is no sweep.
    pub(super) no_sweeps: bool,
    /// `PRAGMA data_version` when the records were read.
    version: i64,
}

impl Recent {
    /// A transaction begins; what was kept is still true if nobody else has written since.
    pub(super) fn begin(&mut self, version: i64) {
        if self.version != version {
            self.clear();
            self.version = version;
        }
    }

    /// Forgets everything: the transaction was undone, or rows were changed in bulk.
    pub(super) fn clear(&mut self) {
        self.contacts.clear();
        self.runs.clear();
        self.messages.clear();
        self.last_event = None;
        self.next_date = None;
        self.no_sweeps = false;
    }

    pub(super) fn contact(&self, id: i64) -> Option<&Contact> {
        self.contacts.get(id)
    }

    /// `length` is that of the contact's JSON.
    pub(super) fn keep_contact(&mut self, contact: &Contact, length: usize) {
        self.contacts.keep(contact.id.0, contact, length);
    }

    pub(super) fn contact_mut(&mut self, id: i64) -> Option<&mut Contact> {
        self.contacts.get_mut(id)
    }

    pub(super) fn forget_contact(&mut self, id: i64) {
        self.contacts.forget(id);
    }

    pub(super) fn run(&self, id: i64) -> Option<&Run> {
        self.runs.get(id)
    }

    /// An ended run is read from its row: it keeps less than it had.
    pub(super) fn keep_run(&mut self, run: &Run, length: usize) {
        let length = if run.ended.is_some() { usize::MAX } else { length };
        self.runs.keep(run.id.0, run, length);
    }

    pub(super) fn message(&self, id: i64) -> Option<&Message> {
        self.messages.get(id)
    }

    pub(super) fn keep_message(&mut self, message: &Message) {
        let texts = [&message.to, &message.subject, &message.error];
        let length = texts.into_iter().flatten().map(String::len).sum();
        self.messages.keep(message.id.0, message, length);
    }
}

/// The records written or first read last, and those of the time before.
struct Generations<T> {
    young: HashMap<i64, T>,
    old: HashMap<i64, T>,
}

impl<T> Default for Generations<T> {
    fn default() -> Generations<T> {
        Generations { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T: Clone> Generations<T> {
    fn get(&self, id: i64) -> Option<&T> {
        self.young.get(&id).or_else(|| self.old.get(&id))
    }

    fn get_mut(&mut self, id: i64) -> Option<&mut T> {
        match self.young.get_mut(&id) {
            Some(record) => Some(record),
            None => self.old.get_mut(&id),
        }
    }

    fn keep(&mut self, id: i64, record: &T, length: usize) {
        if length > LONGEST {
            self.forget(id);
            return;
        }
        if self.young.len() >= MOST && !self.young.contains_key(&id) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, record.clone());
    }

    fn forget(&mut self, id: i64) {
        self.young.remove(&id);
        self.old.remove(&id);
    }

    fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
