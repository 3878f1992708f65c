//! The store in the memory of this process, for simulations and tests: nothing of it is ever written anywhere.
//!
//! It answers as [`super::SqliteStore`] does, many times faster. Rows are compact (names are numbers, what is mostly missing takes no space), since a
//! simulation of a year holds millions of them. Each subject keeps a journal of what the open transaction changed; see [`rows`].
//!
//! Architecture invariants: nothing in here is random, and no order of a hash map is ever seen: equal calls give equal answers.

mod conditions;
mod contacts;
mod counters;
mod events;
mod experiments;
mod figures;
mod joining;
mod log;
mod members;
mod message_history;
mod messages;
mod moment;
mod names;
mod pairs;
mod port;
mod rates;
mod received;
mod refusal;
mod removing;
mod rows;
mod runs;
mod suppressed;
mod table;
#[cfg(test)]
mod tests;
mod time_triggers;
mod valued;
mod workflows;

use self::contacts::Contacts;
use self::counters::Counters;
use self::events::Events;
use self::experiments::Experiments;
use self::log::Log;
use self::members::Members;
use self::messages::Messages;
use self::names::Names;
use self::received::{Inbox, Received};
use self::refusal::Refusal;
use self::runs::Runs;
use self::suppressed::List;
use self::table::Table;
use self::time_triggers::TimeTriggers;
use self::workflows::Workflows;
use super::timers::{Line, Timers};
use super::{Result, StoreError};

/// What it is told apart by, and signs with: nothing of it leaves the process.
const SECRETS: [&str; 2] = ["identity", "secret"];

/// The [`super::Store`] in memory.
pub struct MemoryStore {
    /// A transaction is open.
    open: bool,
    /// Of steps, templates, events, channels, topics, lists, experiments, variants and triggers.
    names: Names,
    contacts: Contacts,
    members: Members,
    suppressed: List,
    events: Events,
    workflows: Workflows,
    runs: Runs,
    log: Log,
    experiments: Experiments,
    messages: Messages,
    time_triggers: TimeTriggers,
    inbox: Inbox,
    received: Received,
    counters: Counters,
    properties: Table<String, String>,
    timers: Timers,
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new()
    }
}

impl MemoryStore {
    /// One with nothing in it.
    pub fn new() -> MemoryStore {
        let mut properties = Table::default();
        for name in SECRETS {
            properties.put(name.to_owned(), "simulation".to_owned());
        }
        properties.commit();
        MemoryStore {
            open: false,
            names: Names::default(),
            contacts: Contacts::default(),
            members: Members::default(),
            suppressed: List::default(),
            events: Events::default(),
            workflows: Workflows::default(),
            runs: Runs::default(),
            log: Log::default(),
            experiments: Experiments::default(),
            messages: Messages::default(),
            time_triggers: TimeTriggers::default(),
            inbox: Inbox::default(),
            received: Received::default(),
            counters: Counters::default(),
            properties,
            timers: Timers::default(),
        }
    }

    /// The same for callers who watch what happens and never ask for the histories of runs: they are not kept, and read as empty.
    pub fn without_logs() -> MemoryStore {
        let mut store = MemoryStore::new();
        store.log.off = true;
        store
    }

    /// Changes belong to a transaction.
    fn inside(&self, doing: &'static str) -> Result<()> {
        if self.open { Ok(()) } else { Err(Refusal::NoTransaction.when(doing)) }
    }

    /// The queue of a channel.
    fn line(&self, channel: &str) -> Option<Line> {
        self.names.find(channel).map(|channel| Line::Messages(channel.number().into()))
    }

    fn secret_text(&self, name: &'static str) -> Result<String> {
        let missing = || StoreError::Damaged { what: "property", why: format!("its {name} is missing") };
        self.properties.get(name).cloned().ok_or_else(missing)
    }

    fn begin_transaction(&mut self) -> Result<()> {
        if self.open {
            return Err(Refusal::Inside.when("begin a transaction"));
        }
        self.open = true;
        Ok(())
    }

    fn commit_transaction(&mut self) -> Result<()> {
        if let Err(refusal) = self.inside("commit a transaction") {
            self.undo();
            return Err(refusal);
        }
        self.open = false;
        self.names.commit();
        self.contacts.commit();
        self.members.commit();
        self.suppressed.commit();
        self.events.commit();
        self.workflows.commit();
        self.runs.commit();
        self.log.commit();
        self.experiments.commit();
        self.messages.commit();
        self.time_triggers.commit();
        self.inbox.commit();
        self.received.commit();
        self.counters.commit();
        self.properties.commit();
        self.timers.commit();
        Ok(())
    }

    fn undo(&mut self) {
        self.open = false;
        self.contacts.rollback();
        self.members.rollback();
        self.suppressed.rollback();
        self.events.rollback();
        self.workflows.rollback();
        self.runs.rollback();
        self.log.rollback();
        self.experiments.rollback();
        self.messages.rollback();
        self.time_triggers.rollback();
        self.inbox.rollback();
        self.received.rollback();
        self.counters.rollback();
        self.properties.rollback();
        self.timers.rollback();
        self.names.rollback();
    }
}
