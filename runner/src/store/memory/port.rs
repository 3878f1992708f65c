//! The port's calls, each handed to the file of its subject.

use std::ops::Bound;

use dsl::model::{Fate, Metric};

use super::{MemoryStore, joining};
use crate::standing::Standing;
use crate::state::*;
use crate::store::timers::Line;
use crate::store::*;

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<()> {
        self.begin_transaction()
    }
    fn commit(&mut self) -> Result<()> {
        self.commit_transaction()
    }
    fn rollback(&mut self) {
        self.undo();
    }

    // Contacts

    fn contact(&mut self, id: ContactId) -> Result<Option<Contact>> {
        Ok(self.contacts.find(id))
    }
    fn contact_id(&mut self, uid: &str) -> Result<Option<ContactId>> {
        Ok(self.contacts.id_of(uid))
    }
    fn newest_contact(&mut self) -> Result<ContactId> {
        Ok(self.contacts.newest())
    }
    fn contact_of_email(&mut self, email: &str) -> Result<Option<ContactId>> {
        Ok(self.contacts.of_email(email))
    }
    fn set_alias(&mut self, uid: &str, contact: ContactId) -> Result<()> {
        self.inside("write an alias")?;
        self.contacts.aliases.set(uid, contact)
    }
    fn aliases(&mut self, contact: ContactId) -> Result<Vec<String>> {
        Ok(self.contacts.aliases.of_contact(contact))
    }
    fn joined_to(&mut self, was: ContactId) -> Result<Option<ContactId>> {
        Ok(self.contacts.aliases.joined_to(was))
    }
    fn join_contacts(&mut self, from: ContactId, into: ContactId) -> Result<()> {
        self.inside("join two contacts")?;
        joining::join(self, from, into)
    }
    fn insert_contact(&mut self, contact: &Contact, _now: i64) -> Result<ContactId> {
        self.inside("add a contact")?;
        self.contacts.insert(contact)
    }
    fn insert_unknown_contact(&mut self, contact: &Contact, _now: i64) -> Result<Option<ContactId>> {
        self.inside("add a contact")?;
        self.contacts.insert_unknown(contact)
    }
    fn update_contact(&mut self, contact: &Contact, _now: i64) -> Result<()> {
        self.inside("write a contact")?;
        self.contacts.update(contact)
    }
    fn contact_page(&mut self, after: ContactId, limit: usize) -> Result<Vec<Contact>> {
        Ok(self.contacts.page(after, limit))
    }
    fn contacts_after(&mut self, after: ContactId, zone: ZoneFilter<'_>, limit: usize) -> Result<Vec<ContactId>> {
        Ok(self.contacts.after(after, zone, limit))
    }
    fn contact_zones(&mut self) -> Result<Vec<Option<String>>> {
        Ok(self.contacts.zones())
    }
    fn erase_contact(&mut self, id: ContactId, _now: i64) -> Result<()> {
        self.inside("erase a contact")?;
        self.erase(id)
    }

    // Traits and segments

    fn standing(&mut self, contact: ContactId) -> Result<Option<Standing>> {
        Ok(self.contacts.standing(contact))
    }
    fn set_standing(&mut self, contact: &Contact, standing: &Standing) -> Result<()> {
        self.inside("write where a contact stands")?;
        self.contacts.set_standing(contact, standing, &mut self.timers)
    }
    fn contact_values(&mut self, after: ContactId, paths: &[&[String]], limit: usize) -> Result<ValuesPage> {
        Ok(self.contacts.values(after, paths, limit))
    }
    fn due_rechecks(&mut self, now: i64, limit: usize) -> Result<Vec<ContactId>> {
        Ok(self.timers.due(Line::Contacts, now, limit).map(ContactId).collect())
    }
    fn next_recheck(&mut self) -> Result<Option<i64>> {
        Ok(self.timers.next(Line::Contacts))
    }

    // Conditions over all contacts

    fn matching(&mut self, question: &Question<'_>, after: ContactId, limit: usize) -> Result<Vec<ContactId>> {
        self.all_matching(question, after, limit)
    }
    fn count_matching(&mut self, question: &Question<'_>) -> Result<u64> {
        self.number_matching(question)
    }
    fn outdated(&mut self, version: i64, now: i64, after: ContactId, limit: usize) -> Result<Vec<ContactId>> {
        Ok(self.contacts.outdated(version, now, after, limit))
    }

    // Static segments

    fn listed(&mut self, contact: ContactId, list: &str) -> Result<bool> {
        Ok(self.members.holds(&self.names, contact, list))
    }
    fn set_listed(&mut self, contact: ContactId, list: &str, on: bool, now: i64) -> Result<bool> {
        self.inside("write a list")?;
        self.members.set(&mut self.names, contact, list, on, now)
    }
    fn lists_of(&mut self, contact: ContactId) -> Result<Vec<(String, i64)>> {
        Ok(self.members.of_contact(&self.names, contact))
    }

    // The suppression list

    fn suppress(&mut self, suppressed: &Suppressed) -> Result<()> {
        self.inside("write the suppression list")?;
        self.suppressed.add(suppressed);
        Ok(())
    }
    fn allow_address(&mut self, channel: &str, address: &str) -> Result<bool> {
        self.inside("write the suppression list")?;
        Ok(self.suppressed.remove(channel, address))
    }
    fn suppressed(&mut self, channel: &str, address: &str) -> Result<Option<Suppressed>> {
        Ok(self.suppressed.find(channel, address))
    }
    fn suppressed_after(&mut self, after: Option<(&str, &str)>, limit: usize) -> Result<Vec<Suppressed>> {
        Ok(self.suppressed.after(after, limit))
    }

    // Retention

    fn expire(&mut self, old: Old, before: i64, after: i64, limit: usize) -> Result<Expired> {
        self.inside("delete what is too old")?;
        Ok(self.expire_old(old, before, after, limit))
    }

    // What was received

    fn received(&mut self, id: &str) -> Result<Option<String>> {
        Ok(self.received.find(id))
    }
    fn remember_received(&mut self, id: &str, answer: &str, now: i64) -> Result<()> {
        self.inside("write what was received")?;
        self.received.remember(id, answer, now)
    }
    fn forget_received(&mut self, before: i64, limit: usize) -> Result<usize> {
        self.inside("forget what was received")?;
        Ok(self.received.forget(before, limit))
    }

    // Events

    fn insert_event(&mut self, event: &NewEvent, _now: i64) -> Result<Option<EventId>> {
        self.inside("write an event")?;
        self.events.insert(&mut self.names, event)
    }
    fn events(&mut self, contact: ContactId, name: &str, from: i64, bare: bool) -> Result<Vec<Event>> {
        if name == Fate::Sent.event() {
            return Ok(self.sent_events(contact, from, bare));
        }
        Ok(self.events.of_contact(&self.names, contact, name, from, bare))
    }
    fn newest_events(&mut self, contact: ContactId, name: &str, limit: usize) -> Result<Vec<Event>> {
        Ok(self.events.newest(&self.names, contact, name, limit))
    }
    fn event(&mut self, id: EventId) -> Result<Option<StoredEvent>> {
        Ok(self.events.find(&self.names, id))
    }
    fn event_of_uid(&mut self, uid: &str) -> Result<Option<EventId>> {
        Ok(self.events.of_uid(uid))
    }
    fn event_page(&mut self, after: EventId, limit: usize) -> Result<Vec<EventRow>> {
        Ok(self.events.page(&self.names, after, limit))
    }
    fn latest_events(&mut self, contact: ContactId, limit: usize) -> Result<Vec<EventRow>> {
        Ok(self.events.latest(&self.names, contact, limit))
    }
    fn last_event(&mut self) -> Result<EventId> {
        Ok(self.events.last())
    }

    // Definitions

    fn workflow_id(&mut self, name: &str) -> Result<WorkflowId> {
        if let Some(id) = self.workflows.find(name) {
            return Ok(id);
        }
        self.inside("write a workflow")?;
        Ok(self.workflows.add(name))
    }
    fn find_workflow(&mut self, name: &str) -> Result<Option<WorkflowId>> {
        Ok(self.workflows.find(name))
    }
    fn workflow_name(&mut self, id: WorkflowId) -> Result<Option<String>> {
        Ok(self.workflows.name_of(id))
    }
    fn workflows(&mut self) -> Result<Vec<WorkflowRow>> {
        Ok(self.workflows.all())
    }
    fn set_workflow(&mut self, row: &WorkflowRow) -> Result<()> {
        self.inside("write a workflow")?;
        self.workflows.set(row)
    }
    fn put_definition(&mut self, workflow: WorkflowId, hash: &str, canonical: &str, _now: i64) -> Result<DefinitionId> {
        if let Some(id) = self.workflows.find_definition(workflow, hash) {
            return Ok(id);
        }
        self.inside("write a definition")?;
        Ok(self.workflows.add_definition(workflow, hash, canonical))
    }
    fn definition(&mut self, id: DefinitionId) -> Result<Option<String>> {
        Ok(self.workflows.definition(id))
    }
    fn put_asset(&mut self, hash: &str, bytes: &[u8]) -> Result<()> {
        self.inside("write a file")?;
        self.workflows.put_asset(hash, bytes);
        Ok(())
    }
    fn asset(&mut self, hash: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.workflows.asset(hash))
    }
    fn drop_unused_definitions(&mut self) -> Result<usize> {
        self.inside("remove definitions")?;
        Ok(self.drop_unused())
    }

    // Runs

    fn insert_run(&mut self, run: &Run) -> Result<Option<RunId>> {
        self.inside("write a run")?;
        self.runs.insert(&mut self.names, &mut self.timers, run)
    }
    fn run(&mut self, id: RunId) -> Result<Option<Run>> {
        Ok(self.runs.find(&self.names, id))
    }
    fn update_run(&mut self, run: &Run) -> Result<()> {
        self.inside("write a run")?;
        self.runs.update(&mut self.names, &mut self.timers, run)
    }
    fn open_runs(&mut self, contact: ContactId) -> Result<Vec<Run>> {
        Ok(self.runs.open_of_contact(&self.names, contact))
    }
    fn runs_of(&mut self, contact: ContactId) -> Result<Vec<Run>> {
        Ok(self.runs.of_contact(&self.names, contact))
    }
    fn run_page(&mut self, after: RunId, limit: usize) -> Result<Vec<Run>> {
        Ok(self.runs.page(&self.names, after, limit))
    }
    fn open_runs_of(&mut self, workflow: WorkflowId, after: Option<(ContactId, RunId)>, limit: usize) -> Result<Vec<Run>> {
        Ok(self.runs.open_of_workflow(&self.names, workflow, after, limit))
    }
    fn last_entry(&mut self, contact: ContactId, workflow: WorkflowId, key: &str) -> Result<LastEntry> {
        Ok(self.runs.last_entry(contact, workflow, key))
    }
    fn run_history(&mut self, contact: ContactId, workflow: WorkflowId, key: Option<&str>) -> Result<RunHistory> {
        Ok(self.runs.history(contact, workflow, key))
    }
    fn due_runs(&mut self, now: i64, limit: usize) -> Result<Vec<RunId>> {
        Ok(self.timers.due(Line::Runs, now, limit).map(RunId).collect())
    }
    fn next_due_run(&mut self) -> Result<Option<i64>> {
        Ok(self.timers.next(Line::Runs))
    }
    fn park_run(&mut self, id: RunId) -> Result<()> {
        self.runs.park(&mut self.timers, id);
        Ok(())
    }

    // Log and experiments

    fn log(&mut self, entry: &LogEntry) -> Result<()> {
        self.inside("write a log entry")?;
        self.log.write(&mut self.names, entry)
    }
    fn run_log(&mut self, run: RunId) -> Result<Vec<LogEntry>> {
        Ok(self.log.of_run(&self.names, run))
    }
    fn assignment(&mut self, workflow: WorkflowId, experiment: &str, contact: ContactId) -> Result<Option<String>> {
        Ok(self.experiments.variant(&self.names, workflow, experiment, contact))
    }
    fn assign(&mut self, assignment: &Assignment) -> Result<()> {
        self.inside("write an assignment")?;
        self.experiments.assign(&mut self.names, assignment)
    }
    fn assignments_of(&mut self, contact: ContactId) -> Result<Vec<Assignment>> {
        Ok(self.experiments.of_contact(&self.names, contact))
    }
    fn reached(&mut self, assignment: &Assignment, metric: Metric, at: i64, value: Option<f64>) -> Result<bool> {
        self.inside("write what came of a variant")?;
        self.experiments.reached(&mut self.names, assignment, metric, at, value)
    }
    fn variant_counts(&mut self, workflow: Option<WorkflowId>) -> Result<Vec<VariantCount>> {
        Ok(self.experiments.counts(&self.names, workflow))
    }
    fn contest(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<Contest>> {
        Ok(self.experiments.contest(&self.names, workflow, experiment))
    }
    fn contests(&mut self) -> Result<Vec<Contest>> {
        Ok(self.experiments.contests())
    }
    fn set_contest(&mut self, contest: &Contest) -> Result<()> {
        self.inside("write a contest")?;
        self.experiments.set_contest(&mut self.names, contest);
        Ok(())
    }
    fn drop_contest(&mut self, workflow: WorkflowId, experiment: &str) -> Result<()> {
        self.inside("forget a contest")?;
        self.experiments.drop_contest(&mut self.names, workflow, experiment);
        Ok(())
    }

    // Messages

    fn insert_message(&mut self, message: &Message) -> Result<MessageId> {
        self.inside("write a message")?;
        self.messages.insert(&mut self.names, &mut self.timers, message)
    }
    fn message(&mut self, id: MessageId) -> Result<Option<Message>> {
        Ok(self.messages.find(&self.names, id))
    }
    fn update_message(&mut self, message: &Message) -> Result<()> {
        self.inside("write a message")?;
        self.messages.update(&mut self.names, &mut self.timers, message)
    }
    fn due_messages(&mut self, channel: &str, now: i64, limit: usize) -> Result<Vec<MessageId>> {
        let Some(line) = self.line(channel) else { return Ok(Vec::new()) };
        Ok(self.timers.due(line, now, limit).map(MessageId).collect())
    }
    fn next_due_message(&mut self, channel: &str) -> Result<Option<i64>> {
        Ok(self.line(channel).and_then(|line| self.timers.next(line)))
    }
    fn park_message(&mut self, id: MessageId) -> Result<()> {
        self.messages.park(&mut self.timers, id);
        Ok(())
    }
    fn redirect_message(&mut self, id: MessageId, channel: &str) -> Result<()> {
        self.inside("write a message")?;
        self.messages.redirect(&mut self.names, &mut self.timers, id, channel)
    }
    fn unpark(&mut self, workflow: WorkflowId) -> Result<()> {
        self.runs.unpark(&mut self.timers, workflow);
        self.messages.unpark(&mut self.timers, workflow);
        Ok(())
    }
    fn messages_in_doubt(&mut self) -> Result<Vec<MessageId>> {
        Ok(self.messages.in_doubt())
    }
    fn slots_taken(&mut self, contact: ContactId, after: i64) -> Result<Vec<Slot>> {
        Ok(self.slots_of(contact, after))
    }
    fn fates(&mut self, contact: ContactId, fate: Fate, from: i64) -> Result<Vec<FateRow>> {
        Ok(self.fates_of(contact, fate, from))
    }
    fn latest_message(&mut self, contact: ContactId, template: &str, workflow: Option<&str>) -> Result<Option<MessageId>> {
        Ok(self.latest_of(contact, template, workflow))
    }
    fn messages_after(&mut self, after: MessageId, status: Option<MessageStatus>, limit: usize) -> Result<Vec<Message>> {
        Ok(self.messages.after(&self.names, after, status, limit))
    }
    fn messages_of(&mut self, contact: ContactId) -> Result<Vec<Message>> {
        Ok(self.messages.of_contact(&self.names, contact))
    }

    // Time-driven triggers

    fn schedules(&mut self) -> Result<Vec<ScheduleRow>> {
        Ok(self.time_triggers.schedules())
    }
    fn set_schedule(&mut self, row: &ScheduleRow) -> Result<()> {
        self.inside("write a schedule")?;
        self.time_triggers.set_schedule(row);
        Ok(())
    }
    fn drop_schedule(&mut self, workflow: WorkflowId, trigger: &str, zone: &str) -> Result<()> {
        self.inside("remove a schedule")?;
        self.time_triggers.drop_schedule(workflow, trigger, zone);
        Ok(())
    }
    fn sweeps(&mut self) -> Result<Vec<Sweep>> {
        Ok(self.time_triggers.sweeps())
    }
    fn insert_sweep(&mut self, sweep: &Sweep) -> Result<i64> {
        self.inside("write a sweep")?;
        Ok(self.time_triggers.insert_sweep(sweep))
    }
    fn set_sweep_cursor(&mut self, sweep: i64, cursor: ContactId) -> Result<()> {
        self.inside("write a sweep")?;
        self.time_triggers.set_sweep_cursor(sweep, cursor)
    }
    fn drop_sweep(&mut self, sweep: i64) -> Result<()> {
        self.inside("remove a sweep")?;
        self.time_triggers.drop_sweep(sweep);
        Ok(())
    }
    fn set_date_timer(&mut self, workflow: WorkflowId, trigger: &str, contact: ContactId, at: Option<i64>) -> Result<()> {
        self.inside("write a date timer")?;
        self.time_triggers.set_date_timer(&mut self.names, workflow, trigger, contact, at)
    }
    fn due_date_timers(&mut self, now: i64, limit: usize) -> Result<Vec<DateTimer>> {
        Ok(self.time_triggers.due_date_timers(&self.names, now, limit))
    }
    fn next_date_timer(&mut self) -> Result<Option<i64>> {
        Ok(self.time_triggers.next_date_timer())
    }
    fn drop_date_timers(&mut self, workflow: WorkflowId, trigger: &str) -> Result<()> {
        self.inside("remove date timers")?;
        self.time_triggers.drop_date_timers(&self.names, workflow, trigger);
        Ok(())
    }

    // What other processes left to be done, counters, properties

    fn push_inbox(&mut self, item: &InboxItem, now: i64) -> Result<()> {
        self.inside("leave an item in the inbox")?;
        self.inbox.push(item, now);
        Ok(())
    }
    fn inbox(&mut self, limit: usize) -> Result<Vec<(i64, i64, InboxItem)>> {
        Ok(self.inbox.oldest(limit))
    }
    fn drop_inbox(&mut self, id: i64) -> Result<()> {
        self.inside("empty the inbox")?;
        self.inbox.remove(id);
        Ok(())
    }
    fn changed_outside(&mut self) -> Result<bool> {
        // Nobody else can.
        Ok(false)
    }
    fn count(&mut self, workflow: WorkflowId, what: &str, by: i64) -> Result<()> {
        self.inside("write a counter")?;
        self.counters.count(workflow, what, by);
        Ok(())
    }
    fn counters(&mut self) -> Result<Vec<(WorkflowId, String, i64)>> {
        Ok(self.counters.all())
    }
    fn add_goal_value(&mut self, workflow: WorkflowId, value: f64) -> Result<()> {
        self.inside("write what a goal was worth")?;
        self.counters.add_goal_value(workflow, value);
        Ok(())
    }
    fn goal_values(&mut self) -> Result<Vec<(WorkflowId, f64)>> {
        Ok(self.counters.goal_values())
    }
    fn message_figures(&mut self, workflow: Option<WorkflowId>) -> Result<Vec<MessageFigures>> {
        Ok(self.figures(workflow))
    }
    fn active(&mut self) -> Result<Vec<(WorkflowId, String, i64)>> {
        Ok(self.runs.active(&self.names))
    }
    fn entries_since(&mut self, from: i64) -> Result<Vec<Entries>> {
        Ok(self.entries(from))
    }
    fn queued_since(&mut self, from: i64) -> Result<Vec<(WorkflowId, String, u64)>> {
        Ok(self.queued(from))
    }
    fn happened_since(&mut self, name: &str, from: i64) -> Result<Happened> {
        Ok(self.number_of(name, from))
    }
    fn message_counts(&mut self) -> Result<Vec<(MessageStatus, i64)>> {
        Ok(self.messages.counts())
    }
    fn due_count(&mut self, now: i64) -> Result<(i64, Option<i64>)> {
        let due = || self.runs.due_by(now).chain(self.messages.due_by(now));
        Ok((due().count() as i64, due().min()))
    }
    fn property(&mut self, name: &str) -> Result<Option<String>> {
        Ok(self.properties.get(name).cloned())
    }
    fn set_property(&mut self, name: &str, value: &str) -> Result<()> {
        self.inside("write a property")?;
        self.properties.put(name.to_owned(), value.to_owned());
        Ok(())
    }
    fn remove_property(&mut self, name: &str) -> Result<bool> {
        self.inside("remove a property")?;
        Ok(self.properties.remove(name))
    }
    fn any_property(&mut self, beginning: &str) -> Result<bool> {
        let mut names = self.properties.range::<str, _>((Bound::Included(beginning), Bound::Unbounded));
        Ok(names.next().is_some_and(|(name, _)| name.starts_with(beginning)))
    }
    fn identity(&mut self) -> Result<String> {
        self.secret_text("identity")
    }
    fn secret(&mut self) -> Result<String> {
        self.secret_text("secret")
    }
}
