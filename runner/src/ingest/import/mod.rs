//! Writing what was read into a store beside a runner that may be running: in short transactions, with word left in the inbox.

mod contacts;
mod events;

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::model::Settings;
use serde::{Deserialize, Serialize};

use super::{ContactRow, Occurrence, Place, Rejection, Row};
use crate::kernel::Suppression;
use crate::state::*;
use crate::store::{InboxItem, Result, Store, StoreError};

/// What became of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// New contacts, or events that were not stored yet.
    pub added: u64,
    /// Known contacts of whom something is new; for events: what changes a contact.
    pub changed: u64,
    /// What the store held already.
    pub unchanged: u64,
    /// Rows whose id was not known and whose e-mail address was: they are about its contact, who has that id as well now.
    pub merged: u64,
    /// Rows about contacts who were erased: they are not made anew.
    pub erased: u64,
}

/// How far an import has come; kept in the store with what was written up to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub place: Place,
    /// How many rows were rejected up to there.
    pub rejected: u64,
    counts: Counts,
    /// The last event there was before the import began.
    since: EventId,
}

/// What is done with contacts besides.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// Everything is tried, counted and undone.
    pub dry_run: bool,
    /// The static segment that every contact of the file is put on.
    pub segment: Option<String>,
    /// The topic that a mail tool's column about consent is meant for.
    pub topic: Option<String>,
}

/// A row that can be written.
pub trait Incoming: super::Source {
    /// Writes it; gives why not, in words that do not hold the data.
    ///
    /// # Errors
    /// Those of the store.
    fn write(self, import: &mut Import<'_>, now: i64) -> Result<Written>;
}

/// The inner error is why the row is refused.
pub type Written = std::result::Result<(), &'static str>;

/// An import that is going on. Importing the same file again changes nothing.
pub struct Import<'a> {
    store: &'a mut dyn Store,
    settings: Arc<Settings>,
    topics: Vec<String>,
    options: ImportOptions,
    suppression: Suppression,
    /// What the ids begin with that an export gives to events of this store that have none.
    own_ids: String,
    /// Somebody was erased from this store at some time; as of the beginning of the transaction.
    anyone_erased: bool,
    /// The last event there was before the import began: what is newer came in this file, or at the same time.
    since: EventId,
    word: Word,
    pub counts: Counts,
}

/// What the runner is to be told about a chunk, in order.
#[derive(Default)]
struct Word {
    contacts: BTreeSet<ContactId>,
    /// Ranges of ids of events, and whether they are fresh.
    events: Vec<(EventId, EventId, bool)>,
}

impl<'a> Import<'a> {
    /// # Errors
    /// Those of the store.
    pub fn new(store: &'a mut dyn Store, settings: Arc<Settings>, options: ImportOptions) -> Result<Import<'a>> {
        Ok(Import {
            topics: settings.topics.keys().cloned().collect(),
            suppression: Suppression::of(store)?,
            own_ids: own_event_id(&store.identity()?, ""),
            anyone_erased: true,
            since: store.last_event()?,
            word: Word::default(),
            counts: Counts::default(),
            settings,
            options,
            store,
        })
    }

    /// How far an import of this key had come that was cut off.
    ///
    /// # Errors
    /// Those of the store. A checkpoint that cannot be read is none.
    pub fn checkpoint(&mut self, key: &str) -> Result<Option<Checkpoint>> {
        Ok(self.store.property(&property(key))?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Takes over what an import that was cut off knew.
    pub fn go_on(&mut self, checkpoint: &Checkpoint) {
        self.counts = checkpoint.counts;
        self.since = checkpoint.since;
    }

    /// # Errors
    /// Those of the store.
    pub fn begin(&mut self) -> Result<()> {
        self.store.begin()?;
        self.anyone_erased = self.suppression.any(self.store)?;
        Ok(())
    }

    /// Writes a chunk of rows in the open transaction; gives those that cannot be used.
    ///
    /// # Errors
    /// Those of the store; the transaction was undone then.
    pub fn chunk<T: Incoming>(&mut self, rows: Vec<Row<T>>, now: i64) -> Result<Vec<Rejection>> {
        let done = self.write(rows, now);
        if done.is_err() {
            self.store.rollback();
        }
        done
    }

    /// Makes the transaction durable, with how far the import has come: `rejected` rows were, up to `place`. A dry run undoes it.
    ///
    /// # Errors
    /// Those of the store; the transaction was undone then.
    pub fn commit(&mut self, key: Option<&str>, place: Place, rejected: u64) -> Result<()> {
        if let Some(key) = key {
            let checkpoint = Checkpoint { place, rejected, counts: self.counts, since: self.since };
            let text = serde_json::to_string(&checkpoint)
                .map_err(|error| StoreError::Damaged { what: "checkpoint of an import", why: error.to_string() });
            if let Err(error) = text.and_then(|text| self.store.set_property(&property(key), &text)) {
                self.store.rollback();
                return Err(error);
            }
        }
        self.end_transaction()
    }

    /// Nothing is left to go on with: the file has been read to its end.
    ///
    /// # Errors
    /// Those of the store.
    pub fn finish(&mut self, key: Option<&str>) -> Result<()> {
        let Some(key) = key else { return Ok(()) };
        self.store.begin()?;
        if let Err(error) = self.store.remove_property(&property(key)) {
            self.store.rollback();
            return Err(error);
        }
        self.end_transaction()
    }

    fn end_transaction(&mut self) -> Result<()> {
        if self.options.dry_run {
            self.store.rollback();
            return Ok(());
        }
        self.store.commit()
    }

    fn write<T: Incoming>(&mut self, rows: Vec<Row<T>>, now: i64) -> Result<Vec<Rejection>> {
        let mut refused = Vec::new();
        for Row { line, value, text, .. } in rows {
            if let Err(reason) = value.write(self, now)? {
                refused.push(Rejection { line, reason: reason.to_owned(), row: Some(text) });
            }
        }
        self.leave_word(now)?;
        Ok(refused)
    }

    fn leave_word(&mut self, now: i64) -> Result<()> {
        let word = std::mem::take(&mut self.word);
        if !word.contacts.is_empty() {
            self.store.push_inbox(&InboxItem::Contacts(word.contacts.into_iter().collect()), now)?;
        }
        for (first, last, fresh) in word.events {
            let item = if fresh { InboxItem::Events { first, last } } else { InboxItem::History { first, last } };
            self.store.push_inbox(&item, now)?;
        }
        Ok(())
    }

    /// True when the contact is another one afterwards.
    fn change(&mut self, id: ContactId, now: i64, change: impl FnOnce(&mut Contact)) -> Result<bool> {
        let missing = || StoreError::Damaged { what: "contact", why: format!("row {id} is missing") };
        let old = self.store.contact(id)?.ok_or_else(missing)?;
        let mut contact = old.clone();
        change(&mut contact);
        if contact == old {
            return Ok(false);
        }
        self.store.update_contact(&contact, now)?;
        self.word.contacts.insert(id);
        Ok(true)
    }
}

impl Incoming for ContactRow {
    fn write(self, import: &mut Import<'_>, now: i64) -> Result<Written> {
        import.contact(self, now)
    }
}

impl Incoming for Occurrence {
    fn write(self, import: &mut Import<'_>, now: i64) -> Result<Written> {
        import.occurrence(self, now).map(Ok)
    }
}

fn property(key: &str) -> String {
    format!("import:{key}")
}

/// The id under which an export lists an event that came without one: when it comes back to the same store, it is there already.
pub fn own_event_id(identity: &str, event: impl std::fmt::Display) -> String {
    format!("campaignd:{identity}:{event}")
}
