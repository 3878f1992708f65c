//! Messages on their way, and their channels' due queues.

use super::moment::Moment;
use super::names::{Names, Sym};
use super::refusal::{Refusal, known, place, small};
use super::rows::{Lists, Rows};
use super::table::Table;
use crate::state::{ContactId, DefinitionId, Message, MessageId, MessageStatus, RunId, WorkflowId};
use crate::store::Result;
use crate::store::timers::{Line, Timers};

const DOING: &str = "write a message";

#[derive(Default)]
pub(super) struct Messages {
    rows: Rows<Row>,
    /// Those to a contact.
    of_contact: Lists<u32>,
    /// Those to a contact that were sent: when, and which.
    pub(super) sent: Lists<(i64, u32)>,
    /// Those to a contact that hold a slot of the frequency caps: since when, and which.
    pub(super) slots: Lists<(i64, u32)>,
    /// Queued or sending.
    unfinished: Table<u32, ()>,
    /// By the number of the status, of all there ever were.
    counts: Counts,
    /// What they were when the transaction began.
    kept: Counts,
}

type Counts = [i64; MessageStatus::ALL.len() + 1];

/// A message as it is kept.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) run: u32,
    pub(super) contact: u32,
    pub(super) workflow: u32,
    definition: u32,
    pub(super) step: Sym,
    visit: u32,
    pub(super) template: Sym,
    pub(super) channel: Sym,
    pub(super) topic: Option<Sym>,
    pub(super) attempts: u32,
    pub(super) marketing: bool,
    pub(super) status: MessageStatus,
    pub(super) created_at: i64,
    due: i64,
    taken_at: Moment,
    pub(super) at: i64,
    capped_at: Moment,
    to: Option<Box<str>>,
    subject: Option<Box<str>>,
    pub(super) error: Option<Box<str>>,
}

impl Row {
    /// When it stands in a queue.
    fn queued(&self) -> Option<i64> {
        (self.status == MessageStatus::Queued).then_some(self.due)
    }

    fn line(&self) -> Line {
        Line::Messages(self.channel.number().into())
    }

    fn slot(&self) -> Option<i64> {
        self.taken_at.get().filter(|_| self.marketing)
    }

    fn sent(&self) -> Option<i64> {
        (self.status == MessageStatus::Sent).then_some(self.at)
    }
}

fn boxed(text: &Option<String>) -> Option<Box<str>> {
    text.as_deref().map(Box::from)
}

fn owned(text: &Option<Box<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

impl Messages {
    pub(super) fn insert(&mut self, names: &mut Names, timers: &mut Timers, message: &Message) -> Result<MessageId> {
        let channel = names.number(&message.channel);
        let topic = message.topic.as_deref().map(|topic| names.number(topic));
        let row = Row {
            run: small(message.run.0, DOING)?,
            contact: small(message.contact.0, DOING)?,
            workflow: small(message.workflow.0, DOING)?,
            definition: small(message.definition.0, DOING)?,
            step: names.number(&message.step),
            visit: message.visit,
            template: names.number(&message.template),
            channel,
            topic,
            attempts: message.attempts,
            marketing: message.marketing,
            status: message.status,
            created_at: message.created_at,
            due: message.due,
            taken_at: Moment::from(message.taken_at),
            at: message.at,
            capped_at: Moment::from(message.capped_at),
            to: boxed(&message.to),
            subject: boxed(&message.subject),
            error: boxed(&message.error),
        };
        let (contact, status, line, due, sent, slot) =
            (row.contact, row.status, row.line(), row.queued(), row.sent(), row.slot());
        let id = self.rows.add(row);
        self.of_contact.insert(contact, 0, id);
        self.counts[status as usize] += 1;
        if !status.is_final() {
            self.unfinished.put(id, ());
        }
        if let Some(due) = due {
            timers.add(line, due, id.into());
        }
        relist(&mut self.sent, contact, id, None, sent);
        relist(&mut self.slots, contact, id, None, slot);
        Ok(MessageId(id.into()))
    }

    pub(super) fn find(&self, names: &Names, id: MessageId) -> Option<Message> {
        self.full(names, known(id.0)?)
    }

    pub(super) fn row(&self, id: i64) -> Option<&Row> {
        self.rows.get(known(id)?)
    }

    fn full(&self, names: &Names, id: u32) -> Option<Message> {
        let row = self.rows.get(id)?;
        Some(Message {
            id: MessageId(id.into()),
            run: RunId(row.run.into()),
            contact: ContactId(row.contact.into()),
            workflow: WorkflowId(row.workflow.into()),
            definition: DefinitionId(row.definition.into()),
            step: names.string(row.step),
            visit: row.visit,
            template: names.string(row.template),
            channel: names.string(row.channel),
            topic: row.topic.map(|topic| names.string(topic)),
            marketing: row.marketing,
            status: row.status,
            to: owned(&row.to),
            subject: owned(&row.subject),
            attempts: row.attempts,
            error: owned(&row.error),
            created_at: row.created_at,
            due: row.due,
            taken_at: row.taken_at.get(),
            at: row.at,
            capped_at: row.capped_at.get(),
        })
    }

    pub(super) fn update(&mut self, names: &mut Names, timers: &mut Timers, message: &Message) -> Result<()> {
        let id = small(message.id.0, DOING)?;
        let was = self.rows.get(id).ok_or_else(|| Refusal::NoRow.when(DOING))?;
        let row = Row {
            definition: small(message.definition.0, DOING)?,
            step: names.number(&message.step),
            status: message.status,
            to: boxed(&message.to),
            subject: boxed(&message.subject),
            attempts: message.attempts,
            error: boxed(&message.error),
            due: message.due,
            taken_at: Moment::from(message.taken_at),
            at: message.at,
            capped_at: Moment::from(message.capped_at),
            ..*was
        };
        timers.change(row.line(), id.into(), was.queued(), row.queued());
        relist(&mut self.sent, row.contact, id, was.sent(), row.sent());
        relist(&mut self.slots, row.contact, id, was.slot(), row.slot());
        self.counts[was.status as usize] -= 1;
        self.counts[row.status as usize] += 1;
        match (was.status.is_final(), row.status.is_final()) {
            (false, true) => drop(self.unfinished.remove(&id)),
            (true, false) => self.unfinished.put(id, ()),
            _ => {}
        }
        self.rows.put(id, Some(row));
        Ok(())
    }

    /// Moves a queued message from one channel's queue to another's.
    pub(super) fn redirect(&mut self, names: &mut Names, timers: &mut Timers, id: MessageId, channel: &str) -> Result<()> {
        let row = self.row(id.0).filter(|row| row.status == MessageStatus::Queued);
        let (from, due) = row.map(|row| (row.line(), row.due)).ok_or_else(|| Refusal::NoRow.when(DOING))?;
        let channel = names.number(channel);
        self.rows.change(small(id.0, DOING)?, |row| row.channel = channel);
        timers.change(from, id.0, Some(due), None);
        timers.change(Line::Messages(channel.number().into()), id.0, None, Some(due));
        Ok(())
    }

    pub(super) fn park(&self, timers: &mut Timers, id: MessageId) {
        if let Some(row) = self.row(id.0)
            && let Some(due) = row.queued()
        {
            timers.remove(row.line(), due, id.0);
        }
    }

    pub(super) fn unpark(&self, timers: &mut Timers, workflow: WorkflowId) {
        for (id, row) in self.unfinished().filter(|(_, row)| i64::from(row.workflow) == workflow.0) {
            if let Some(due) = row.queued() {
                timers.add(row.line(), due, id.into());
            }
        }
    }

    fn unfinished(&self) -> impl Iterator<Item = (u32, &Row)> {
        self.unfinished.keys().filter_map(|id| Some((*id, self.rows.get(*id)?)))
    }

    pub(super) fn in_doubt(&self) -> Vec<MessageId> {
        let sending = self.unfinished().filter(|(_, row)| row.status == MessageStatus::Sending);
        sending.map(|(id, _)| MessageId(id.into())).collect()
    }

    pub(super) fn after(&self, names: &Names, after: MessageId, status: Option<MessageStatus>, limit: usize) -> Vec<Message> {
        let rows = self.rows.after(place(after.0)).filter(|(_, row)| status.is_none_or(|status| row.status == status));
        rows.take(limit).filter_map(|(id, _)| self.full(names, id)).collect()
    }

    pub(super) fn of_contact(&self, names: &Names, contact: ContactId) -> Vec<Message> {
        self.ids_of(contact).iter().filter_map(|id| self.full(names, *id)).collect()
    }

    /// In order.
    pub(super) fn ids_of(&self, contact: ContactId) -> &[u32] {
        known(contact.0).map_or(&[], |contact| self.of_contact.of(contact, 0))
    }

    /// When the queued ones are due that are due by then.
    pub(super) fn due_by(&self, now: i64) -> impl Iterator<Item = i64> {
        self.unfinished().filter_map(|(_, row)| row.queued()).filter(move |due| *due <= now)
    }

    /// The definitions that unfinished messages are made with.
    pub(super) fn definitions(&self) -> impl Iterator<Item = u32> {
        self.unfinished().map(|(_, row)| row.definition)
    }

    pub(super) fn counts(&self) -> Vec<(MessageStatus, i64)> {
        let counts = MessageStatus::ALL.into_iter().map(|status| (status, self.counts[status as usize]));
        counts.filter(|(_, number)| *number != 0).collect()
    }

    /// The rows after this one.
    pub(super) fn rows(&self, after: i64) -> impl Iterator<Item = (u32, &Row)> {
        self.rows.after(place(after))
    }

    pub(super) fn remove(&mut self, id: u32) {
        let Some(row) = self.rows.get(id) else { return };
        let (contact, sent, slot) = (row.contact, row.sent(), row.slot());
        self.of_contact.remove(contact, 0, &id);
        relist(&mut self.sent, contact, id, sent, None);
        relist(&mut self.slots, contact, id, slot, None);
        self.rows.put(id, None);
    }

    /// Leaves nothing personal in the messages to a contact.
    pub(super) fn erase(&mut self, contact: u32) {
        for id in self.of_contact.of(contact, 0) {
            self.rows.change(*id, |row| (row.to, row.subject, row.error) = (None, None, None));
        }
    }

    pub(super) fn join(&mut self, from: u32, into: u32) {
        for id in self.of_contact.of(from, 0) {
            self.rows.change(*id, |row| row.contact = into);
        }
        self.of_contact.join(from, into);
        self.sent.join(from, into);
        self.slots.join(from, into);
    }

    pub(super) fn commit(&mut self) {
        self.rows.commit();
        self.of_contact.commit();
        self.sent.commit();
        self.slots.commit();
        self.unfinished.commit();
        self.kept = self.counts;
    }

    pub(super) fn rollback(&mut self) {
        self.rows.rollback();
        self.of_contact.rollback();
        self.sent.rollback();
        self.slots.rollback();
        self.unfinished.rollback();
        self.counts = self.kept;
    }
}

/// Takes a message from its place in a list to another.
fn relist(list: &mut Lists<(i64, u32)>, contact: u32, id: u32, from: Option<i64>, to: Option<i64>) {
    if from == to {
        return;
    }
    if let Some(at) = from {
        list.remove(contact, 0, &(at, id));
    }
    if let Some(at) = to {
        list.insert(contact, 0, (at, id));
    }
}
