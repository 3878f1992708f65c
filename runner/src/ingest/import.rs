//! Writing what was read into a store beside a runner that may be running: in short transactions, with word left in the inbox.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use dsl::model::Settings;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ContactInput, Occurrence, What};
use crate::kernel::{consent_said, erased_key, message_of_fate, says_the_latest, set_field};
use crate::state::*;
use crate::store::{InboxItem, Result, Store, StoreError};

/// How many rows are written in one transaction.
pub const CHUNK: usize = 1000;

/// What became of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// New contacts, or events that were not stored yet.
    pub added: u64,
    /// Known contacts of whom something is new; for events: what changes a contact.
    pub changed: u64,
    /// What the store held already.
    pub unchanged: u64,
    /// Rows about contacts who were erased: they are not made anew.
    pub erased: u64,
}

/// An import that is going on. Importing the same file again changes nothing, so one that was cut off is simply started again.
pub struct Import<'a> {
    store: &'a mut dyn Store,
    settings: Arc<Settings>,
    topics: Vec<String>,
    identity: String,
    /// How often an event of this content came in this file, by the beginning of its hash: 16 bytes for each event without an id.
    seen: HashMap<u64, u32>,
    dry_run: bool,
    pub counts: Counts,
}

/// What the runner is to be told about a chunk, in order.
#[derive(Default)]
struct Word {
    contacts: BTreeSet<ContactId>,
    /// Ranges of ids of events that are fresh.
    events: Vec<(EventId, EventId)>,
}

impl<'a> Import<'a> {
    /// With `dry_run` everything is tried, counted and undone.
    ///
    /// # Errors
    /// Those of the store.
    pub fn new(store: &'a mut dyn Store, settings: Arc<Settings>, dry_run: bool) -> Result<Import<'a>> {
        let topics = settings.topics.keys().cloned().collect();
        let identity = store.identity()?;
        Ok(Import { store, settings, topics, identity, seen: HashMap::new(), dry_run, counts: Counts::default() })
    }

    /// Adds contacts or changes what is given of them, in one transaction.
    ///
    /// # Errors
    /// Those of the store; nothing of the chunk is written then.
    pub fn contacts(&mut self, chunk: &[ContactInput], now: i64) -> Result<()> {
        self.transaction(|import| {
            let mut word = Word::default();
            for input in chunk {
                import.contact(input, &mut word, now)?;
            }
            import.leave_word(&mut word, now)
        })
    }

    /// Stores events, and does at once what other occurrences do to their contacts; in one transaction. What is older than the settings' grace
    /// counts as history and starts nothing.
    ///
    /// # Errors
    /// Those of the store; nothing of the chunk is written then.
    pub fn occurrences(&mut self, chunk: &[Occurrence], now: i64) -> Result<()> {
        self.transaction(|import| {
            let mut word = Word::default();
            for occurrence in chunk {
                import.occurrence(occurrence, &mut word, now)?;
            }
            import.leave_word(&mut word, now)
        })
    }

    fn transaction(&mut self, act: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.store.begin()?;
        let done = act(self);
        if self.dry_run || done.is_err() {
            self.store.rollback();
            return done;
        }
        self.store.commit()
    }

    fn leave_word(&mut self, word: &mut Word, now: i64) -> Result<()> {
        let word = std::mem::take(word);
        if !word.contacts.is_empty() {
            self.store.push_inbox(&InboxItem::Contacts(word.contacts.into_iter().collect()), now)?;
        }
        for (first, last) in word.events {
            self.store.push_inbox(&InboxItem::Events { first, last }, now)?;
        }
        Ok(())
    }

    fn contact(&mut self, input: &ContactInput, word: &mut Word, now: i64) -> Result<()> {
        match self.store.contact_id(&input.id)? {
            None if self.was_erased(&input.id)? => self.counts.erased += 1,
            None => {
                let contact = input.clone().into_contact(&self.topics);
                word.contacts.insert(self.store.insert_contact(&contact, now)?);
                self.counts.added += 1;
            }
            Some(id) => {
                let topics = self.topics.clone();
                if self.change(id, word, now, |contact| input.apply_to(contact, &topics))? {
                    self.counts.changed += 1;
                } else {
                    self.counts.unchanged += 1;
                }
            }
        }
        Ok(())
    }

    /// True when the contact is another one afterwards.
    fn change(&mut self, id: ContactId, word: &mut Word, now: i64, change: impl FnOnce(&mut Contact)) -> Result<bool> {
        let missing = || StoreError::Damaged { what: "contact", why: format!("row {id} is missing") };
        let old = self.store.contact(id)?.ok_or_else(missing)?;
        let mut contact = old.clone();
        change(&mut contact);
        if contact == old {
            return Ok(false);
        }
        self.store.update_contact(&contact, now)?;
        word.contacts.insert(id);
        Ok(true)
    }

    fn was_erased(&mut self, uid: &str) -> Result<bool> {
        Ok(self.store.property(&erased_key(&self.identity, uid))?.is_some())
    }

    fn occurrence(&mut self, occurrence: &Occurrence, word: &mut Word, now: i64) -> Result<()> {
        let id = match self.store.contact_id(&occurrence.contact)? {
            Some(id) => id,
            None if occurrence.what == What::Erase || self.was_erased(&occurrence.contact)? => {
                self.counts.erased += 1;
                return Ok(());
            }
            None => {
                let contact = ContactInput { id: occurrence.contact.clone(), ..ContactInput::default() };
                let id = self.store.insert_contact(&contact.into_contact(&self.topics), now)?;
                word.contacts.insert(id);
                id
            }
        };
        match &occurrence.what {
            What::Event { name, properties, id: uid } => {
                self.event(id, occurrence, (name, properties, uid.clone()), word, now)?
            }
            What::Subscribe(topic) => self.event(id, occurrence, ("subscribed", &about(topic), None), word, now)?,
            What::Unsubscribe(topic) => self.event(id, occurrence, ("unsubscribed", &about(topic), None), word, now)?,
            What::Set(fields) => {
                let set = |contact: &mut Contact| {
                    for (name, value) in fields {
                        set_field(contact, std::slice::from_ref(name), value.clone());
                    }
                };
                if self.change(id, word, now, set)? {
                    self.counts.changed += 1;
                } else {
                    self.counts.unchanged += 1;
                }
            }
            What::Erase => {
                // What was said before comes first in the inbox, as it does in the file.
                self.leave_word(word, now)?;
                self.store.push_inbox(&InboxItem::Erase(id), now)?;
                self.counts.changed += 1;
            }
        }
        Ok(())
    }

    fn event(
        &mut self,
        contact: ContactId,
        occurrence: &Occurrence,
        (name, properties, uid): (&str, &Map<String, Value>, Option<String>),
        word: &mut Word,
        now: i64,
    ) -> Result<()> {
        let uid = match uid {
            Some(uid) => uid,
            None => self.derived_id(occurrence, name, properties)?,
        };
        let event = NewEvent {
            contact,
            name: name.to_owned(),
            at: occurrence.at,
            properties: properties.clone(),
            uid: Some(uid),
            message: message_of_fate(&mut *self.store, contact, name, properties)?,
        };
        let Some(id) = self.store.insert_event(&event, now)? else {
            self.counts.unchanged += 1;
            return Ok(());
        };
        self.counts.added += 1;
        if let Some((topic, subscribe)) = consent_said(name, properties)
            && says_the_latest(&mut *self.store, contact, topic, subscribe, occurrence.at)?
        {
            self.change(contact, word, now, |contact| contact.consent.change(topic, subscribe))?;
        }
        let grace = self.settings.grace.millis();
        if occurrence.at >= now.saturating_sub(grace) {
            match word.events.last_mut() {
                Some((_, last)) if last.0 + 1 == id.0 => *last = id,
                _ => word.events.push((id, id)),
            }
        }
        Ok(())
    }

    /// An id for an event that came without one: the same for the same event of the same file, imported again. Two events that are equal in
    /// everything are told apart by their order.
    fn derived_id(&mut self, occurrence: &Occurrence, name: &str, properties: &Map<String, Value>) -> Result<String> {
        let damaged = |error: serde_json::Error| StoreError::Damaged { what: "event", why: error.to_string() };
        let content = serde_json::to_vec(&(&occurrence.contact, occurrence.at, name, properties)).map_err(damaged)?;
        let digest = Sha256::digest(content);
        let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let beginning = digest[..8].iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        let number = self.seen.entry(beginning).or_default();
        *number += 1;
        Ok(format!("import:{hex}:{number}"))
    }
}

fn about(topic: &str) -> Map<String, Value> {
    Map::from_iter([("topic".to_owned(), Value::String(topic.to_owned()))])
}
