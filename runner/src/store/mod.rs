//! The store port: what the runner asks of a durable state, and nothing about how it is kept.
//!
//! Every call that changes something belongs to a transaction: `begin`, changes, `commit`. What one transaction holds is durable together
//! or not at all, and is durable once `commit` has returned. Calls that only read may stand outside a transaction; a change without one is refused, and
//! so is a change of a row that is not there. After a refused change the transaction goes on without it.
//! Names handed in (workflows, events) are texts; a store may number them inside.
//!
//! Architecture invariants: no SQL outside the implementation; no rule of the language in here: the store finds and keeps, it decides nothing
//! but uniqueness.

#[cfg(test)]
pub(crate) mod both;
#[cfg(test)]
mod conformance;
mod facts;
mod memory;
mod question;
mod record;
pub mod sqlite;
mod timers;

pub use facts::StoredFacts;
pub use memory::MemoryStore;
pub use question::{Outdated, Question};
pub use record::*;
pub use sqlite::SqliteStore;

use dsl::model::Metric;
use serde_json::Map;

use crate::standing::Standing;
use crate::state::*;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("another runner holds the store {0}; stop it first, or give this project a store of its own")]
    Held(String),
    #[error("the store {0} was written by a newer campaignd (layout {1}); use that version or restore a backup")]
    Newer(String, i64),
    #[error("the store holds a {what} that cannot be read: {why}; restore a backup, or report this")]
    Damaged { what: &'static str, why: String },
    #[error("the store could not {doing}: {source}")]
    Backend {
        doing: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

pub type Result<T> = std::result::Result<T, StoreError>;

pub trait Store: Send {
    fn begin(&mut self) -> Result<()>;
    /// When it fails, the transaction was undone as by `rollback`.
    fn commit(&mut self) -> Result<()>;
    /// Undoes the open transaction, in memory too; does nothing when none is open.
    fn rollback(&mut self);

    // Contacts

    fn contact(&mut self, id: ContactId) -> Result<Option<Contact>>;
    /// The contact of this uid, or the one that an alias of this name leads to.
    fn contact_id(&mut self, uid: &str) -> Result<Option<ContactId>>;
    /// The contact of the highest id; 0 when there is none.
    fn newest_contact(&mut self) -> Result<ContactId>;
    /// The oldest contact with this e-mail address, whatever the case of its letters.
    fn contact_of_email(&mut self, email: &str) -> Result<Option<ContactId>>;
    /// From now on this uid, which no contact has as its own, leads to the contact; an alias it had before is replaced.
    fn set_alias(&mut self, uid: &str, contact: ContactId) -> Result<()>;
    /// The other names that lead to the contact, in order.
    fn aliases(&mut self, contact: ContactId) -> Result<Vec<String>>;
    /// The contact that this row was joined to, if it was.
    fn joined_to(&mut self, was: ContactId) -> Result<Option<ContactId>>;
    /// Makes two contacts one: events, messages, runs, assignments, aliases and static segments of `from` become those of `into`, the row of `from`
    /// goes, and its uid leads to `into`. Where both have an assignment or a membership, that of `into` stays. Refused while both have an open
    /// run of the same workflow and key: end one first. The profile of `into` stays as it is.
    fn join_contacts(&mut self, from: ContactId, into: ContactId) -> Result<()>;
    /// `contact.id` is ignored. The uid must be new.
    fn insert_contact(&mut self, contact: &Contact, now: i64) -> Result<ContactId>;
    /// The same for a contact that may be known already: when its uid is a contact's or an alias, or its e-mail address belongs to a contact,
    /// nothing is added, and the answer is `None`. Costs less than asking first.
    fn insert_unknown_contact(&mut self, contact: &Contact, now: i64) -> Result<Option<ContactId>>;
    fn update_contact(&mut self, contact: &Contact, now: i64) -> Result<()>;
    /// Contacts that are not erased, in order of id, after `after`.
    fn contact_page(&mut self, after: ContactId, limit: usize) -> Result<Vec<Contact>>;
    /// Contacts that are not erased, in order of id, after `after`.
    fn contacts_after(&mut self, after: ContactId, zone: ZoneFilter<'_>, limit: usize) -> Result<Vec<ContactId>>;
    /// Every distinct `time_zone` among the contacts; cheap however many contacts there are.
    fn contact_zones(&mut self) -> Result<Vec<Option<String>>>;
    /// Removes everything personal that is held about the contact in any table: profile, events, what messages were sent to and said, what
    /// runs remember. The row stays, erased, under a uid that cannot be guessed from the old one. Refused while the contact has
    /// open runs: end them first, and skip their messages.
    fn erase_contact(&mut self, id: ContactId, now: i64) -> Result<()>;

    // Traits and segments

    /// What is kept about where the contact stands, under the version of [`Contact::upkeep`].
    fn standing(&mut self, contact: ContactId) -> Result<Option<Standing>>;
    /// Writes the contact's traits and upkeep, and what is kept beside.
    fn set_standing(&mut self, contact: &Contact, standing: &Standing) -> Result<()>;
    /// What lies at these paths under `contact`, of contacts that are not erased, in order of id, after `after`: of the first of traits and attributes that
    /// has the first key. `limit` contacts are looked at; those of whom nothing lies there are left out. Costs far less than reading the contacts.
    fn contact_values(&mut self, after: ContactId, paths: &[&[String]], limit: usize) -> Result<ValuesPage>;
    /// Contacts whose [`Upkeep::recheck`] is `<= now`, the longest due first. They stay due until their standing is written.
    fn due_rechecks(&mut self, now: i64, limit: usize) -> Result<Vec<ContactId>>;
    fn next_recheck(&mut self) -> Result<Option<i64>>;

    // Conditions over all contacts

    /// Contacts for whom the condition holds, in order of id, after `after`; nobody who is erased.
    fn matching(&mut self, question: &Question<'_>, after: ContactId, limit: usize) -> Result<Vec<ContactId>>;
    fn count_matching(&mut self, question: &Question<'_>) -> Result<u64>;
    /// Contacts, not erased, whose traits are to be worked out anew: they were worked out under another version, or time has changed them
    /// by `now`. In order of id, after `after`.
    fn outdated(&mut self, version: i64, now: i64, after: ContactId, limit: usize) -> Result<Vec<ContactId>>;

    // Static segments

    fn listed(&mut self, contact: ContactId, list: &str) -> Result<bool>;
    /// Puts the contact on the list or takes it off; false when that changed nothing.
    fn set_listed(&mut self, contact: ContactId, list: &str, on: bool, now: i64) -> Result<bool>;
    /// The lists the contact is on, and since when; in order of name.
    fn lists_of(&mut self, contact: ContactId) -> Result<Vec<(String, i64)>>;

    // The suppression list

    /// Puts an address on the list. One that is on it already stays as it was, unless a complaint comes after a bounce.
    fn suppress(&mut self, suppressed: &Suppressed) -> Result<()>;
    /// Takes an address off the list; false when it was not on it.
    fn allow_address(&mut self, channel: &str, address: &str) -> Result<bool>;
    /// What is said of this address (compared as it is: see [`Suppressed::normal`]).
    fn suppressed(&mut self, channel: &str, address: &str) -> Result<Option<Suppressed>>;
    /// The list in order of channel and address, after this one of both.
    fn suppressed_after(&mut self, after: Option<(&str, &str)>, limit: usize) -> Result<Vec<Suppressed>>;

    // Retention

    /// Deletes what of the next `limit` rows after the row `after` is from before this time.
    fn expire(&mut self, old: Old, before: i64, after: i64, limit: usize) -> Result<Expired>;

    // What was received

    /// The answer that was given when this id was received first.
    fn received(&mut self, id: &str) -> Result<Option<String>>;
    /// Remembers an id that was not received before, and the answer.
    fn remember_received(&mut self, id: &str, answer: &str, now: i64) -> Result<()>;
    /// Forgets some of what was received before this time; gives how many.
    fn forget_received(&mut self, before: i64, limit: usize) -> Result<usize>;

    // Events

    /// `None`: an event of this uid is stored already.
    fn insert_event(&mut self, event: &NewEvent, now: i64) -> Result<Option<EventId>>;
    /// A contact's events of this name with `at >= from`, oldest first (by time, then id). `message_sent` is answered from the messages that were
    /// sent, with the properties template, workflow, step and channel. With `bare` the properties and the message are left out.
    fn events(&mut self, contact: ContactId, name: &str, from: i64, bare: bool) -> Result<Vec<Event>>;
    /// A contact's latest events of this name, newest first (by time, then id), without properties and message. Not for `message_sent`.
    fn newest_events(&mut self, contact: ContactId, name: &str, limit: usize) -> Result<Vec<Event>>;
    fn event(&mut self, id: EventId) -> Result<Option<StoredEvent>>;
    /// The event of this uid.
    fn event_of_uid(&mut self, uid: &str) -> Result<Option<EventId>>;
    /// Stored events of all contacts in order of id, after `after`.
    fn event_page(&mut self, after: EventId, limit: usize) -> Result<Vec<EventRow>>;
    /// A contact's stored events of any name, the latest first (by time, then id).
    fn latest_events(&mut self, contact: ContactId, limit: usize) -> Result<Vec<EventRow>>;
    /// The highest id given so far, 0 before the first.
    fn last_event(&mut self) -> Result<EventId>;

    // Definitions

    /// The row of the workflow of this name, made if need be.
    fn workflow_id(&mut self, name: &str) -> Result<WorkflowId>;
    /// The row of the workflow of this name, if there is one.
    fn find_workflow(&mut self, name: &str) -> Result<Option<WorkflowId>>;
    fn workflow_name(&mut self, id: WorkflowId) -> Result<Option<String>>;
    fn workflows(&mut self) -> Result<Vec<WorkflowRow>>;
    fn set_workflow(&mut self, row: &WorkflowRow) -> Result<()>;
    /// Keeps a definition under its workflow and hash; a known one answers with its row. A row's id is never given again.
    fn put_definition(&mut self, workflow: WorkflowId, hash: &str, canonical: &str, now: i64) -> Result<DefinitionId>;
    /// Its canonical text.
    fn definition(&mut self, id: DefinitionId) -> Result<Option<String>>;
    /// Keeps the bytes of a file that definitions name by their hash.
    fn put_asset(&mut self, hash: &str, bytes: &[u8]) -> Result<()>;
    /// Its bytes.
    fn asset(&mut self, hash: &str) -> Result<Option<Vec<u8>>>;
    /// Removes definitions that no open run, no unfinished message and no workflow's row refers to, with the files that
    /// only they name; gives the number of definitions.
    fn drop_unused_definitions(&mut self) -> Result<usize>;

    // Runs

    /// `None`: the contact has an open run of this workflow and key. `run.id` is ignored.
    fn insert_run(&mut self, run: &Run) -> Result<Option<RunId>>;
    fn run(&mut self, id: RunId) -> Result<Option<Run>>;
    /// Writes everything that changes in a run: definition, step, state, due, ended. An ended run keeps no state but its counters
    /// (the rest reads as that of a run that is ready and remembers nothing), is never due, and cannot be opened again.
    fn update_run(&mut self, run: &Run) -> Result<()>;
    fn open_runs(&mut self, contact: ContactId) -> Result<Vec<Run>>;
    /// A contact's runs, open and ended, in order of id.
    fn runs_of(&mut self, contact: ContactId) -> Result<Vec<Run>>;
    /// Runs of all contacts, open and ended, in order of id, after `after`.
    fn run_page(&mut self, after: RunId, limit: usize) -> Result<Vec<Run>>;
    /// Open runs of one workflow in order of contact, after `after`.
    fn open_runs_of(&mut self, workflow: WorkflowId, after: Option<(ContactId, RunId)>, limit: usize) -> Result<Vec<Run>>;
    /// The contact's open run of this workflow and key, and when the latest of its runs was entered; costs the same however many there were.
    fn last_entry(&mut self, contact: ContactId, workflow: WorkflowId, key: &str) -> Result<LastEntry>;
    /// The contact's runs of this workflow, of this key or (`None`) of any.
    fn run_history(&mut self, contact: ContactId, workflow: WorkflowId, key: Option<&str>) -> Result<RunHistory>;
    /// Open runs with `due <= now`, the longest due first. They stay due until updated or parked.
    fn due_runs(&mut self, now: i64, limit: usize) -> Result<Vec<RunId>>;
    /// The earliest due of all runs that are not parked.
    fn next_due_run(&mut self) -> Result<Option<i64>>;
    /// Takes a due run (of a paused workflow) out of `due_runs` until `unpark` or an update of the run; forgotten at the end of
    /// the process. `park_message` is the same for a queued message.
    fn park_run(&mut self, id: RunId) -> Result<()>;

    // Log and experiments

    /// An entry whose number the run has already fails, at the latest when the transaction is committed.
    fn log(&mut self, entry: &LogEntry) -> Result<()>;
    fn run_log(&mut self, run: RunId) -> Result<Vec<LogEntry>>;
    fn assignment(&mut self, workflow: WorkflowId, experiment: &str, contact: ContactId) -> Result<Option<String>>;
    /// Replaces an assignment there may be, and counts it if it is measured. Nothing may have come of it yet.
    fn assign(&mut self, assignment: &Assignment) -> Result<()>;
    /// What the contact was given, in order of workflow and experiment.
    fn assignments_of(&mut self, contact: ContactId) -> Result<Vec<Assignment>>;
    /// The contact did it, as the first time counts: notes when, and counts it. False where the assignment is not measured, or it was noted before.
    fn reached(&mut self, assignment: &Assignment, metric: Metric, at: i64, value: Option<f64>) -> Result<bool>;
    /// What came of every variant that anybody was given, kept exactly, with the transaction; in order of workflow, experiment and variant.
    fn variant_counts(&mut self, workflow: Option<WorkflowId>) -> Result<Vec<VariantCount>>;
    /// How far the experiment is with finding a winner.
    fn contest(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<Contest>>;
    /// In order of workflow and experiment.
    fn contests(&mut self) -> Result<Vec<Contest>>;
    /// Writes it, in place of what may be there.
    fn set_contest(&mut self, contest: &Contest) -> Result<()>;
    fn drop_contest(&mut self, workflow: WorkflowId, experiment: &str) -> Result<()>;

    // Messages

    /// `message.id` is ignored.
    fn insert_message(&mut self, message: &Message) -> Result<MessageId>;
    fn message(&mut self, id: MessageId) -> Result<Option<Message>>;
    /// Writes everything that can change in a message: definition, step, status, to, subject, attempts, error, due, taken_at, at, capped_at.
    fn update_message(&mut self, message: &Message) -> Result<()>;
    /// Queued messages of the channel with `due <= now`, the longest due first. They stay due until updated or parked.
    fn due_messages(&mut self, channel: &str, now: i64, limit: usize) -> Result<Vec<MessageId>>;
    fn next_due_message(&mut self, channel: &str) -> Result<Option<i64>>;
    fn park_message(&mut self, id: MessageId) -> Result<()>;
    /// A queued message is to leave by another channel.
    fn redirect_message(&mut self, id: MessageId, channel: &str) -> Result<()>;
    /// Makes the parked runs and messages of the workflow due again.
    fn unpark(&mut self, workflow: WorkflowId) -> Result<()>;
    /// Messages whose sending had begun when the process ended: status `sending`.
    fn messages_in_doubt(&mut self) -> Result<Vec<MessageId>>;
    /// Slots that marketing messages to this contact took after `after`, latest first.
    fn slots_taken(&mut self, contact: ContactId, after: i64) -> Result<Vec<Slot>>;
    /// What happened to messages to this contact, `at >= from`, oldest first. `Sent` is answered from the messages (id: the highest there is, so it
    /// comes after every event of its millisecond), the others from events.
    fn fates(&mut self, contact: ContactId, fate: dsl::model::Fate, from: i64) -> Result<Vec<FateRow>>;
    /// The latest message to this contact of this template (and, if given, workflow) whose sending was begun: the one whose status
    /// changed last.
    fn latest_message(&mut self, contact: ContactId, template: &str, workflow: Option<&str>) -> Result<Option<MessageId>>;
    /// Messages in order of id, after `after`, of this status if given.
    fn messages_after(&mut self, after: MessageId, status: Option<MessageStatus>, limit: usize) -> Result<Vec<Message>>;

    /// The messages to a contact, in order of id.
    fn messages_of(&mut self, contact: ContactId) -> Result<Vec<Message>>;

    // Time-driven triggers

    /// When a schedule (one per workflow, trigger and zone) fires next.
    fn schedules(&mut self) -> Result<Vec<ScheduleRow>>;
    /// Makes or changes a schedule; `next: None` keeps the row without a next firing.
    fn set_schedule(&mut self, row: &ScheduleRow) -> Result<()>;
    fn drop_schedule(&mut self, workflow: WorkflowId, trigger: &str, zone: &str) -> Result<()>;
    /// Work that goes through all contacts in chunks, its place kept with each chunk.
    fn sweeps(&mut self) -> Result<Vec<Sweep>>;
    fn insert_sweep(&mut self, sweep: &Sweep) -> Result<i64>;
    fn set_sweep_cursor(&mut self, sweep: i64, cursor: ContactId) -> Result<()>;
    fn drop_sweep(&mut self, sweep: i64) -> Result<()>;
    /// When a date trigger fires next for one contact; `None` removes it.
    fn set_date_timer(&mut self, workflow: WorkflowId, trigger: &str, contact: ContactId, at: Option<i64>) -> Result<()>;
    fn due_date_timers(&mut self, now: i64, limit: usize) -> Result<Vec<DateTimer>>;
    fn next_date_timer(&mut self) -> Result<Option<i64>>;
    fn drop_date_timers(&mut self, workflow: WorkflowId, trigger: &str) -> Result<()>;

    // What other processes left to be done, counters, properties

    fn push_inbox(&mut self, item: &InboxItem, now: i64) -> Result<()>;
    /// The oldest items, in order, with their ids and the time they were left.
    fn inbox(&mut self, limit: usize) -> Result<Vec<(i64, i64, InboxItem)>>;
    fn drop_inbox(&mut self, id: i64) -> Result<()>;
    /// Whether another process has written since this was last asked. Cheap enough to ask several times a second.
    fn changed_outside(&mut self) -> Result<bool>;
    /// Adds to a counter of a workflow (`entered`, `ignored`, `completed`, `exit:<reason>`, …); kept exactly, with the transaction.
    fn count(&mut self, workflow: WorkflowId, what: &str, by: i64) -> Result<()>;
    fn counters(&mut self) -> Result<Vec<(WorkflowId, String, i64)>>;
    /// Adds to what the goals of the workflow were worth.
    fn add_goal_value(&mut self, workflow: WorkflowId, value: f64) -> Result<()>;
    /// Of every workflow whose goals were worth something.
    fn goal_values(&mut self) -> Result<Vec<(WorkflowId, f64)>>;
    /// What became of the messages that are still kept, by workflow, step and template (none of calls), in that order; reads every message and every
    /// event about one.
    fn message_figures(&mut self, workflow: Option<WorkflowId>) -> Result<Vec<MessageFigures>>;
    /// Open runs per workflow and per step; reads every open run.
    fn active(&mut self) -> Result<Vec<(WorkflowId, String, i64)>>;
    /// Of every workflow that anybody ever entered, in order; reads every run.
    fn entries_since(&mut self, from: i64) -> Result<Vec<Entries>>;
    /// Messages queued at `from` or later and still kept, by workflow and step (none of calls), in that order; reads every message.
    fn queued_since(&mut self, from: i64) -> Result<Vec<(WorkflowId, String, u64)>>;
    /// Events of this name with `at >= from`; reads every event.
    fn happened_since(&mut self, name: &str, from: i64) -> Result<Happened>;
    fn message_counts(&mut self) -> Result<Vec<(MessageStatus, i64)>>;
    /// How many runs and messages are due by `now`, and the earliest due among them; reads every open run and queued message.
    fn due_count(&mut self, now: i64) -> Result<(i64, Option<i64>)>;
    /// A small named text, such as what the runner last loaded.
    fn property(&mut self, name: &str) -> Result<Option<String>>;
    fn set_property(&mut self, name: &str, value: &str) -> Result<()>;
    /// False when there was none of this name.
    fn remove_property(&mut self, name: &str) -> Result<bool>;
    /// Whether there is a property whose name begins like this.
    fn any_property(&mut self, beginning: &str) -> Result<bool>;
    /// A random text, made once for each store: makes Message-IDs unique in the world.
    fn identity(&mut self) -> Result<String>;
    /// Another, which never leaves the store: signs what stands in links.
    fn secret(&mut self) -> Result<String>;
}

/// `with` data of an enrolment and the like.
pub type Data = Map<String, serde_json::Value>;
