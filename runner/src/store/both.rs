//! Both kinds of store at once, for tests: every call goes to both, and both must give the same answer.

use dsl::model::{Fate, Metric};

use super::*;

/// What a kernel does on it, it does on a store in SQLite and on one in memory.
pub(crate) struct Both {
    sqlite: SqliteStore,
    memory: MemoryStore,
}

impl Both {
    pub(crate) fn new() -> Both {
        Both { sqlite: SqliteStore::in_memory().unwrap(), memory: MemoryStore::new() }
    }
}

/// The answer, if it is the same.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(call: &str, sqlite: Result<T>, memory: Result<T>) -> Result<T> {
    match (sqlite, memory) {
        (Ok(sqlite), Ok(memory)) => {
            assert!(sqlite == memory, "{call}: in SQLite {sqlite:?}, in memory {memory:?}");
            Ok(sqlite)
        }
        (Err(why), Err(_)) => Err(why),
        (sqlite, memory) => panic!("{call}: in SQLite {sqlite:?}, in memory {memory:?}"),
    }
}

macro_rules! both {
    ($($call:ident($($name:ident: $kind:ty),*) $gives:ty;)*) => {
        impl Store for Both {
            fn rollback(&mut self) {
                self.sqlite.rollback();
                self.memory.rollback();
            }

            $(fn $call(&mut self, $($name: $kind),*) -> Result<$gives> {
                same(stringify!($call), self.sqlite.$call($($name),*), self.memory.$call($($name),*))
            })*
        }
    };
}

both! {
    begin() ();
    commit() ();
    contact(id: ContactId) Option<Contact>;
    contact_id(uid: &str) Option<ContactId>;
    newest_contact() ContactId;
    contact_of_email(email: &str) Option<ContactId>;
    set_alias(uid: &str, contact: ContactId) ();
    aliases(contact: ContactId) Vec<String>;
    joined_to(was: ContactId) Option<ContactId>;
    join_contacts(from: ContactId, into: ContactId) ();
    insert_contact(contact: &Contact, now: i64) ContactId;
    insert_unknown_contact(contact: &Contact, now: i64) Option<ContactId>;
    update_contact(contact: &Contact, now: i64) ();
    contact_page(after: ContactId, limit: usize) Vec<Contact>;
    contacts_after(after: ContactId, zone: ZoneFilter<'_>, limit: usize) Vec<ContactId>;
    contact_zones() Vec<Option<String>>;
    erase_contact(id: ContactId, now: i64) ();
    standing(contact: ContactId) Option<Standing>;
    set_standing(contact: &Contact, standing: &Standing) ();
    contact_values(after: ContactId, paths: &[&[String]], limit: usize) ValuesPage;
    due_rechecks(now: i64, limit: usize) Vec<ContactId>;
    next_recheck() Option<i64>;
    matching(question: &Question<'_>, after: ContactId, limit: usize) Vec<ContactId>;
    count_matching(question: &Question<'_>) u64;
    outdated(version: i64, now: i64, after: ContactId, limit: usize) Vec<ContactId>;
    listed(contact: ContactId, list: &str) bool;
    set_listed(contact: ContactId, list: &str, on: bool, now: i64) bool;
    lists_of(contact: ContactId) Vec<(String, i64)>;
    suppress(suppressed: &Suppressed) ();
    allow_address(channel: &str, address: &str) bool;
    suppressed(channel: &str, address: &str) Option<Suppressed>;
    suppressed_after(after: Option<(&str, &str)>, limit: usize) Vec<Suppressed>;
    expire(old: Old, before: i64, after: i64, limit: usize) Expired;
    received(id: &str) Option<String>;
    remember_received(id: &str, answer: &str, now: i64) ();
    forget_received(before: i64, limit: usize) usize;
    insert_event(event: &NewEvent, now: i64) Option<EventId>;
    events(contact: ContactId, name: &str, from: i64, bare: bool) Vec<Event>;
    newest_events(contact: ContactId, name: &str, limit: usize) Vec<Event>;
    event(id: EventId) Option<StoredEvent>;
    event_of_uid(uid: &str) Option<EventId>;
    event_page(after: EventId, limit: usize) Vec<EventRow>;
    latest_events(contact: ContactId, limit: usize) Vec<EventRow>;
    last_event() EventId;
    workflow_id(name: &str) WorkflowId;
    find_workflow(name: &str) Option<WorkflowId>;
    workflow_name(id: WorkflowId) Option<String>;
    workflows() Vec<WorkflowRow>;
    set_workflow(row: &WorkflowRow) ();
    put_definition(workflow: WorkflowId, hash: &str, canonical: &str, now: i64) DefinitionId;
    definition(id: DefinitionId) Option<String>;
    put_asset(hash: &str, bytes: &[u8]) ();
    asset(hash: &str) Option<Vec<u8>>;
    drop_unused_definitions() usize;
    insert_run(run: &Run) Option<RunId>;
    run(id: RunId) Option<Run>;
    update_run(run: &Run) ();
    open_runs(contact: ContactId) Vec<Run>;
    runs_of(contact: ContactId) Vec<Run>;
    run_page(after: RunId, limit: usize) Vec<Run>;
    open_runs_of(workflow: WorkflowId, after: Option<(ContactId, RunId)>, limit: usize) Vec<Run>;
    last_entry(contact: ContactId, workflow: WorkflowId, key: &str) LastEntry;
    run_history(contact: ContactId, workflow: WorkflowId, key: Option<&str>) RunHistory;
    due_runs(now: i64, limit: usize) Vec<RunId>;
    next_due_run() Option<i64>;
    park_run(id: RunId) ();
    log(entry: &LogEntry) ();
    run_log(run: RunId) Vec<LogEntry>;
    assignment(workflow: WorkflowId, experiment: &str, contact: ContactId) Option<String>;
    assign(assignment: &Assignment) ();
    assignments_of(contact: ContactId) Vec<Assignment>;
    reached(assignment: &Assignment, metric: Metric, at: i64, value: Option<f64>) bool;
    variant_counts(workflow: Option<WorkflowId>) Vec<VariantCount>;
    contest(workflow: WorkflowId, experiment: &str) Option<Contest>;
    contests() Vec<Contest>;
    set_contest(contest: &Contest) ();
    drop_contest(workflow: WorkflowId, experiment: &str) ();
    insert_message(message: &Message) MessageId;
    message(id: MessageId) Option<Message>;
    update_message(message: &Message) ();
    due_messages(channel: &str, now: i64, limit: usize) Vec<MessageId>;
    next_due_message(channel: &str) Option<i64>;
    park_message(id: MessageId) ();
    redirect_message(id: MessageId, channel: &str) ();
    unpark(workflow: WorkflowId) ();
    messages_in_doubt() Vec<MessageId>;
    slots_taken(contact: ContactId, after: i64) Vec<Slot>;
    fates(contact: ContactId, fate: Fate, from: i64) Vec<FateRow>;
    latest_message(contact: ContactId, template: &str, workflow: Option<&str>) Option<MessageId>;
    messages_after(after: MessageId, status: Option<MessageStatus>, limit: usize) Vec<Message>;
    messages_of(contact: ContactId) Vec<Message>;
    schedules() Vec<ScheduleRow>;
    set_schedule(row: &ScheduleRow) ();
    drop_schedule(workflow: WorkflowId, trigger: &str, zone: &str) ();
    sweeps() Vec<Sweep>;
    insert_sweep(sweep: &Sweep) i64;
    set_sweep_cursor(sweep: i64, cursor: ContactId) ();
    drop_sweep(sweep: i64) ();
    set_date_timer(workflow: WorkflowId, trigger: &str, contact: ContactId, at: Option<i64>) ();
    due_date_timers(now: i64, limit: usize) Vec<DateTimer>;
    next_date_timer() Option<i64>;
    drop_date_timers(workflow: WorkflowId, trigger: &str) ();
    push_inbox(item: &InboxItem, now: i64) ();
    inbox(limit: usize) Vec<(i64, i64, InboxItem)>;
    drop_inbox(id: i64) ();
    changed_outside() bool;
    count(workflow: WorkflowId, what: &str, by: i64) ();
    counters() Vec<(WorkflowId, String, i64)>;
    add_goal_value(workflow: WorkflowId, value: f64) ();
    goal_values() Vec<(WorkflowId, f64)>;
    message_figures(workflow: Option<WorkflowId>) Vec<MessageFigures>;
    active() Vec<(WorkflowId, String, i64)>;
    entries_since(from: i64) Vec<Entries>;
    queued_since(from: i64) Vec<(WorkflowId, String, u64)>;
    happened_since(name: &str, from: i64) Happened;
    message_counts() Vec<(MessageStatus, i64)>;
    due_count(now: i64) (i64, Option<i64>);
    property(name: &str) Option<String>;
    set_property(name: &str, value: &str) ();
    remove_property(name: &str) bool;
    any_property(beginning: &str) bool;
    identity() String;
    secret() String;
}
