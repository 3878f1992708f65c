//! The port's calls, each handed to the file of its subject.

use dsl::model::{Fate, Metric};

use super::timers::Line;
use super::{
    Place, SqliteStore, conditions, contacts, erase, events, experiments, figures, inbox, joining, lists, log, message_history,
    messages, properties, rates, received, retention, runs, standings, suppressed, tally, time_triggers, workflows,
};
use crate::standing::Standing;
use crate::state::*;
use crate::store::*;

impl Store for SqliteStore {
    fn begin(&mut self) -> Result<()> {
        self.begin_transaction()
    }

    fn commit(&mut self) -> Result<()> {
        self.commit_transaction()
    }

    fn rollback(&mut self) {
        self.undo()
    }

    fn contact(&mut self, id: ContactId) -> Result<Option<Contact>> {
        contacts::find(self, id)
    }

    fn contact_id(&mut self, uid: &str) -> Result<Option<ContactId>> {
        contacts::id_of(&self.db, uid)
    }

    fn newest_contact(&mut self) -> Result<ContactId> {
        contacts::newest(&self.db)
    }

    fn contact_of_email(&mut self, email: &str) -> Result<Option<ContactId>> {
        contacts::of_email(&self.db, email)
    }

    fn set_alias(&mut self, uid: &str, contact: ContactId) -> Result<()> {
        joining::set_alias(&self.db, uid, contact)
    }

    fn aliases(&mut self, contact: ContactId) -> Result<Vec<String>> {
        joining::of_contact(&self.db, contact)
    }

    fn joined_to(&mut self, was: ContactId) -> Result<Option<ContactId>> {
        joining::joined_to(&self.db, was)
    }

    fn join_contacts(&mut self, from: ContactId, into: ContactId) -> Result<()> {
        joining::join(self, from, into)
    }

    fn standing(&mut self, contact: ContactId) -> Result<Option<Standing>> {
        standings::find(&self.db, contact)
    }

    fn set_standing(&mut self, contact: &Contact, standing: &Standing) -> Result<()> {
        standings::set(self, contact, standing)
    }

    fn contact_values(&mut self, after: ContactId, paths: &[&[String]], limit: usize) -> Result<ValuesPage> {
        contacts::values(&self.db, after, paths, limit)
    }

    fn due_rechecks(&mut self, now: i64, limit: usize) -> Result<Vec<ContactId>> {
        Ok(self.timers()?.due(Line::Contacts, now, limit).map(ContactId).collect())
    }

    fn next_recheck(&mut self) -> Result<Option<i64>> {
        Ok(self.timers()?.next(Line::Contacts))
    }

    fn matching(&mut self, question: &Question<'_>, after: ContactId, limit: usize) -> Result<Vec<ContactId>> {
        conditions::matching(self, question, after, limit)
    }

    fn count_matching(&mut self, question: &Question<'_>) -> Result<u64> {
        conditions::count(self, question)
    }

    fn outdated(&mut self, version: i64, now: i64, after: ContactId, limit: usize) -> Result<Vec<ContactId>> {
        conditions::outdated(&self.db, version, now, after, limit)
    }

    fn listed(&mut self, contact: ContactId, list: &str) -> Result<bool> {
        lists::holds(&self.db, &mut self.names, contact, list)
    }

    fn set_listed(&mut self, contact: ContactId, list: &str, on: bool, now: i64) -> Result<bool> {
        lists::set(&self.db, &mut self.names, contact, list, on, now)
    }

    fn lists_of(&mut self, contact: ContactId) -> Result<Vec<(String, i64)>> {
        lists::of_contact(&self.db, contact)
    }

    fn expire(&mut self, old: Old, before: i64, after: i64, limit: usize) -> Result<Expired> {
        retention::expire(self, old, before, after, limit)
    }

    fn received(&mut self, id: &str) -> Result<Option<String>> {
        received::find(&self.db, id)
    }

    fn remember_received(&mut self, id: &str, answer: &str, now: i64) -> Result<()> {
        received::remember(&self.db, id, answer, now)
    }

    fn forget_received(&mut self, before: i64, limit: usize) -> Result<usize> {
        received::forget(&self.db, before, limit)
    }

    fn insert_contact(&mut self, contact: &Contact, now: i64) -> Result<ContactId> {
        contacts::insert(self, contact, now)
    }

    fn insert_unknown_contact(&mut self, contact: &Contact, now: i64) -> Result<Option<ContactId>> {
        contacts::insert_unknown(&self.db, contact, now)
    }

    fn contact_page(&mut self, after: ContactId, limit: usize) -> Result<Vec<Contact>> {
        contacts::page(&self.db, after, limit)
    }

    fn update_contact(&mut self, contact: &Contact, now: i64) -> Result<()> {
        contacts::update(self, contact, now)
    }

    fn contacts_after(&mut self, after: ContactId, zone: ZoneFilter<'_>, limit: usize) -> Result<Vec<ContactId>> {
        contacts::after(&self.db, after, zone, limit)
    }

    fn contact_zones(&mut self) -> Result<Vec<Option<String>>> {
        contacts::zones(&self.db)
    }

    fn erase_contact(&mut self, id: ContactId, now: i64) -> Result<()> {
        erase::erase(self, id, now)
    }

    fn insert_event(&mut self, event: &NewEvent, now: i64) -> Result<Option<EventId>> {
        let id = events::insert(&self.db, &mut self.names, event, now)?;
        self.recent.last_event = id.or(self.recent.last_event);
        Ok(id)
    }

    fn events(&mut self, contact: ContactId, name: &str, from: i64, bare: bool) -> Result<Vec<Event>> {
        events::of_contact(&self.db, &mut self.names, contact, name, from, bare)
    }

    fn newest_events(&mut self, contact: ContactId, name: &str, limit: usize) -> Result<Vec<Event>> {
        events::newest(&self.db, &mut self.names, contact, name, limit)
    }

    fn event(&mut self, id: EventId) -> Result<Option<StoredEvent>> {
        events::find(&self.db, &mut self.names, id)
    }

    fn event_of_uid(&mut self, uid: &str) -> Result<Option<EventId>> {
        events::of_uid(&self.db, uid)
    }

    fn event_page(&mut self, after: EventId, limit: usize) -> Result<Vec<EventRow>> {
        events::page(&self.db, &mut self.names, after, limit)
    }

    fn latest_events(&mut self, contact: ContactId, limit: usize) -> Result<Vec<EventRow>> {
        events::latest(&self.db, &mut self.names, contact, limit)
    }

    fn last_event(&mut self) -> Result<EventId> {
        let inside = self.db.in_transaction();
        if let Some(last) = self.recent.last_event.filter(|_| inside) {
            return Ok(last);
        }
        let last = events::last(&self.db)?;
        self.recent.last_event = Some(last).filter(|_| inside);
        Ok(last)
    }

    fn workflow_id(&mut self, name: &str) -> Result<WorkflowId> {
        workflows::id_of(&self.db, name)
    }

    fn find_workflow(&mut self, name: &str) -> Result<Option<WorkflowId>> {
        workflows::find(&self.db, name)
    }

    fn workflow_name(&mut self, id: WorkflowId) -> Result<Option<String>> {
        workflows::name_of(&self.db, id)
    }

    fn workflows(&mut self) -> Result<Vec<WorkflowRow>> {
        workflows::all(&self.db)
    }

    fn set_workflow(&mut self, row: &WorkflowRow) -> Result<()> {
        workflows::set(&self.db, row)
    }

    fn put_definition(&mut self, workflow: WorkflowId, hash: &str, canonical: &str, now: i64) -> Result<DefinitionId> {
        workflows::put_definition(&self.db, workflow, hash, canonical, now)
    }

    fn definition(&mut self, id: DefinitionId) -> Result<Option<String>> {
        workflows::definition(&self.db, id)
    }

    fn put_asset(&mut self, hash: &str, bytes: &[u8]) -> Result<()> {
        workflows::put_asset(&self.db, hash, bytes)
    }

    fn asset(&mut self, hash: &str) -> Result<Option<Vec<u8>>> {
        workflows::asset(&self.db, hash)
    }

    fn drop_unused_definitions(&mut self) -> Result<usize> {
        workflows::drop_unused(&self.db)
    }

    fn insert_run(&mut self, run: &Run) -> Result<Option<RunId>> {
        runs::insert(self, run)
    }

    fn run(&mut self, id: RunId) -> Result<Option<Run>> {
        runs::find(self, id)
    }

    fn update_run(&mut self, run: &Run) -> Result<()> {
        runs::update(self, run)
    }

    fn open_runs(&mut self, contact: ContactId) -> Result<Vec<Run>> {
        runs::open_of_contact(self, contact)
    }

    fn runs_of(&mut self, contact: ContactId) -> Result<Vec<Run>> {
        runs::of_contact(self, contact)
    }

    fn run_page(&mut self, after: RunId, limit: usize) -> Result<Vec<Run>> {
        runs::page(self, after, limit)
    }

    fn open_runs_of(&mut self, workflow: WorkflowId, after: Option<(ContactId, RunId)>, limit: usize) -> Result<Vec<Run>> {
        runs::open_of_workflow(self, workflow, after, limit)
    }

    fn last_entry(&mut self, contact: ContactId, workflow: WorkflowId, key: &str) -> Result<LastEntry> {
        runs::last_entry(&self.db, contact, workflow, key)
    }

    fn run_history(&mut self, contact: ContactId, workflow: WorkflowId, key: Option<&str>) -> Result<RunHistory> {
        runs::history(&self.db, contact, workflow, key)
    }

    fn due_runs(&mut self, now: i64, limit: usize) -> Result<Vec<RunId>> {
        runs::due(self, now, limit)
    }

    fn next_due_run(&mut self) -> Result<Option<i64>> {
        Ok(self.timers()?.next(Line::Runs))
    }

    fn park_run(&mut self, id: RunId) -> Result<()> {
        runs::park(self, id)
    }

    fn log(&mut self, entry: &LogEntry) -> Result<()> {
        log::write(self, entry)
    }

    fn run_log(&mut self, run: RunId) -> Result<Vec<LogEntry>> {
        log::of_run(self, run)
    }

    fn assignment(&mut self, workflow: WorkflowId, experiment: &str, contact: ContactId) -> Result<Option<String>> {
        experiments::variant(&self.db, &mut self.names, workflow, experiment, contact)
    }

    fn assign(&mut self, assignment: &Assignment) -> Result<()> {
        experiments::assign(&self.db, &mut self.names, assignment)
    }

    fn assignments_of(&mut self, contact: ContactId) -> Result<Vec<Assignment>> {
        experiments::of_contact(&self.db, &mut self.names, contact)
    }

    fn reached(&mut self, assignment: &Assignment, metric: Metric, at: i64, value: Option<f64>) -> Result<bool> {
        experiments::reached(&self.db, &mut self.names, assignment, metric, at, value)
    }

    fn variant_counts(&mut self, workflow: Option<WorkflowId>) -> Result<Vec<VariantCount>> {
        experiments::counts(&self.db, &mut self.names, workflow)
    }

    fn contest(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<Contest>> {
        experiments::contest(&self.db, &mut self.names, workflow, experiment)
    }

    fn contests(&mut self) -> Result<Vec<Contest>> {
        experiments::contests(&self.db, &mut self.names)
    }

    fn set_contest(&mut self, contest: &Contest) -> Result<()> {
        experiments::set_contest(&self.db, &mut self.names, contest)
    }

    fn drop_contest(&mut self, workflow: WorkflowId, experiment: &str) -> Result<()> {
        experiments::drop_contest(&self.db, &mut self.names, workflow, experiment)
    }

    fn insert_message(&mut self, message: &Message) -> Result<MessageId> {
        messages::insert(self, message)
    }

    fn message(&mut self, id: MessageId) -> Result<Option<Message>> {
        messages::find(self, id)
    }

    fn update_message(&mut self, message: &Message) -> Result<()> {
        messages::update(self, message)
    }

    fn due_messages(&mut self, channel: &str, now: i64, limit: usize) -> Result<Vec<MessageId>> {
        messages::due(self, channel, now, limit)
    }

    fn next_due_message(&mut self, channel: &str) -> Result<Option<i64>> {
        messages::next_due(self, channel)
    }

    fn park_message(&mut self, id: MessageId) -> Result<()> {
        messages::park(self, id)
    }

    fn unpark(&mut self, workflow: WorkflowId) -> Result<()> {
        runs::unpark(self, workflow)?;
        messages::unpark(self, workflow)
    }

    fn messages_in_doubt(&mut self) -> Result<Vec<MessageId>> {
        messages::in_doubt(&self.db)
    }

    fn redirect_message(&mut self, id: MessageId, channel: &str) -> Result<()> {
        messages::redirect(self, id, channel)
    }

    fn suppress(&mut self, suppressed: &Suppressed) -> Result<()> {
        suppressed::add(&self.db, &mut self.names, suppressed)
    }

    fn allow_address(&mut self, channel: &str, address: &str) -> Result<bool> {
        suppressed::remove(&self.db, &mut self.names, channel, address)
    }

    fn suppressed(&mut self, channel: &str, address: &str) -> Result<Option<Suppressed>> {
        suppressed::find(&self.db, &mut self.names, channel, address)
    }

    fn suppressed_after(&mut self, after: Option<(&str, &str)>, limit: usize) -> Result<Vec<Suppressed>> {
        suppressed::after(&self.db, after, limit)
    }

    fn slots_taken(&mut self, contact: ContactId, after: i64) -> Result<Vec<Slot>> {
        message_history::slots_taken(&self.db, &mut self.names, contact, after)
    }

    fn fates(&mut self, contact: ContactId, fate: Fate, from: i64) -> Result<Vec<FateRow>> {
        message_history::fates(&self.db, &mut self.names, contact, fate, from)
    }

    fn latest_message(&mut self, contact: ContactId, template: &str, workflow: Option<&str>) -> Result<Option<MessageId>> {
        message_history::latest(&self.db, &mut self.names, contact, template, workflow)
    }

    fn messages_after(&mut self, after: MessageId, status: Option<MessageStatus>, limit: usize) -> Result<Vec<Message>> {
        messages::after(self, after, status, limit)
    }

    fn messages_of(&mut self, contact: ContactId) -> Result<Vec<Message>> {
        messages::of_contact(self, contact)
    }

    fn schedules(&mut self) -> Result<Vec<ScheduleRow>> {
        time_triggers::schedules(&self.db)
    }

    fn set_schedule(&mut self, row: &ScheduleRow) -> Result<()> {
        time_triggers::set_schedule(&self.db, row)
    }

    fn drop_schedule(&mut self, workflow: WorkflowId, trigger: &str, zone: &str) -> Result<()> {
        time_triggers::drop_schedule(&self.db, workflow, trigger, zone)
    }

    fn sweeps(&mut self) -> Result<Vec<Sweep>> {
        let inside = self.db.in_transaction();
        if self.recent.no_sweeps && inside {
            return Ok(Vec::new());
        }
        let sweeps = time_triggers::sweeps(&self.db)?;
        self.recent.no_sweeps = sweeps.is_empty() && inside;
        Ok(sweeps)
    }

    fn insert_sweep(&mut self, sweep: &Sweep) -> Result<i64> {
        self.recent.no_sweeps = false;
        time_triggers::insert_sweep(&self.db, sweep)
    }

    fn set_sweep_cursor(&mut self, sweep: i64, cursor: ContactId) -> Result<()> {
        time_triggers::set_sweep_cursor(&self.db, sweep, cursor)
    }

    fn drop_sweep(&mut self, sweep: i64) -> Result<()> {
        time_triggers::drop_sweep(&self.db, sweep)
    }

    fn set_date_timer(&mut self, workflow: WorkflowId, trigger: &str, contact: ContactId, at: Option<i64>) -> Result<()> {
        self.recent.next_date = None;
        time_triggers::set_date_timer(&self.db, &mut self.names, workflow, trigger, contact, at)
    }

    fn due_date_timers(&mut self, now: i64, limit: usize) -> Result<Vec<DateTimer>> {
        if self.next_date_timer()?.is_none_or(|next| next > now) {
            return Ok(Vec::new());
        }
        time_triggers::due_date_timers(&self.db, &mut self.names, now, limit)
    }

    fn next_date_timer(&mut self) -> Result<Option<i64>> {
        // Only the runner sets them.
        let own = !matches!(self.place, Place::Beside);
        if let Some(next) = self.recent.next_date.filter(|_| own) {
            return Ok(next);
        }
        let next = time_triggers::next_date_timer(&self.db)?;
        self.recent.next_date = Some(next).filter(|_| own);
        Ok(next)
    }

    fn drop_date_timers(&mut self, workflow: WorkflowId, trigger: &str) -> Result<()> {
        self.recent.next_date = None;
        time_triggers::drop_date_timers(&self.db, &mut self.names, workflow, trigger)
    }

    fn push_inbox(&mut self, item: &InboxItem, now: i64) -> Result<()> {
        inbox::push(&self.db, item, now)
    }

    fn inbox(&mut self, limit: usize) -> Result<Vec<(i64, i64, InboxItem)>> {
        inbox::oldest(&self.db, limit)
    }

    fn drop_inbox(&mut self, id: i64) -> Result<()> {
        inbox::remove(&self.db, id)
    }

    fn changed_outside(&mut self) -> Result<bool> {
        self.other_process_wrote()
    }

    fn count(&mut self, workflow: WorkflowId, what: &str, by: i64) -> Result<()> {
        self.tally_of_transaction("write a counter")?.count(workflow, what, by);
        Ok(())
    }

    fn counters(&mut self) -> Result<Vec<(WorkflowId, String, i64)>> {
        tally::counters(&mut self.tally, &self.db)
    }

    fn add_goal_value(&mut self, workflow: WorkflowId, value: f64) -> Result<()> {
        figures::add_goal_value(&self.db, workflow, value)
    }

    fn goal_values(&mut self) -> Result<Vec<(WorkflowId, f64)>> {
        figures::goal_values(&self.db)
    }

    fn message_figures(&mut self, workflow: Option<WorkflowId>) -> Result<Vec<MessageFigures>> {
        figures::of_messages(&self.db, &mut self.names, workflow)
    }

    fn active(&mut self) -> Result<Vec<(WorkflowId, String, i64)>> {
        runs::active(&self.db)
    }

    fn entries_since(&mut self, from: i64) -> Result<Vec<Entries>> {
        rates::entries(&self.db, from)
    }

    fn queued_since(&mut self, from: i64) -> Result<Vec<(WorkflowId, String, u64)>> {
        rates::queued(&self.db, &mut self.names, from)
    }

    fn happened_since(&mut self, name: &str, from: i64) -> Result<Happened> {
        rates::happened(&self.db, &mut self.names, name, from)
    }

    fn message_counts(&mut self) -> Result<Vec<(MessageStatus, i64)>> {
        tally::message_counts(&mut self.tally, &self.db)
    }

    fn due_count(&mut self, now: i64) -> Result<(i64, Option<i64>)> {
        let (runs, first_run) = runs::due_count(&self.db, now)?;
        let (messages, first_message) = messages::due_count(&self.db, now)?;
        Ok((runs + messages, first_run.into_iter().chain(first_message).min()))
    }

    fn property(&mut self, name: &str) -> Result<Option<String>> {
        properties::find(&self.db, name)
    }

    fn set_property(&mut self, name: &str, value: &str) -> Result<()> {
        properties::set(&self.db, name, value)
    }

    fn remove_property(&mut self, name: &str) -> Result<bool> {
        properties::remove(&self.db, name)
    }

    fn any_property(&mut self, beginning: &str) -> Result<bool> {
        properties::any(&self.db, beginning)
    }

    fn secret(&mut self) -> Result<String> {
        properties::secret(&self.db)
    }

    fn identity(&mut self) -> Result<String> {
        properties::identity(&self.db)
    }
}
