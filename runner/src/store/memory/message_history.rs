//! What was said to a contact so far, and what became of it.

use dsl::model::Fate;
use serde_json::{Value, json};

use super::MemoryStore;
use super::events::since;
use super::messages::Row;
use super::refusal::known;
use crate::state::{ContactId, Event, EventId, MessageId, RunId};
use crate::store::{FateRow, Slot};

/// The id of what is answered from messages: the highest, so that it comes after every event of its millisecond.
const AFTER_EVENTS: EventId = EventId(i64::MAX);

impl MemoryStore {
    /// The messages to the contact that were sent from this time on, the oldest first.
    fn sent(&self, contact: ContactId, from: i64) -> impl Iterator<Item = (u32, &Row)> {
        let sent = known(contact.0).map_or(&[][..], |contact| self.messages.sent.of(contact, 0));
        since(sent, from).iter().filter_map(|(_, id)| Some((*id, self.messages.row((*id).into())?)))
    }

    /// The event `message_sent`, which no row of events stands for.
    pub(super) fn sent_events(&self, contact: ContactId, from: i64, bare: bool) -> Vec<Event> {
        let properties = |row: &Row| {
            json!({
                "template": &**self.names.text(row.template),
                "workflow": self.workflows.name(row.workflow),
                "step": &**self.names.text(row.step),
                "channel": &**self.names.text(row.channel),
            })
        };
        let event = |(id, row): (u32, &Row)| Event {
            id: AFTER_EVENTS,
            at: row.at,
            properties: if bare { Value::Null } else { properties(row) },
            message: Some(MessageId(id.into())),
        };
        self.sent(contact, from).map(event).collect()
    }

    pub(super) fn fates_of(&self, contact: ContactId, fate: Fate, from: i64) -> Vec<FateRow> {
        if fate == Fate::Sent {
            let row = |(_, row): (u32, &Row)| FateRow {
                id: AFTER_EVENTS,
                at: row.at,
                template: self.names.string(row.template),
                run: Some(RunId(row.run.into())),
            };
            return self.sent(contact, from).map(row).collect();
        }
        let by_people = fate.by_people();
        let mut fates = Vec::new();
        for (id, event) in self.events.rows_of(&self.names, contact, fate.event(), from) {
            if by_people && self.events.property(event, "machine") == Some(&Value::Bool(true)) {
                continue;
            }
            let message = event.message().and_then(|message| self.messages.row(message));
            let said = || self.events.property(event, "template").and_then(Value::as_str).unwrap_or_default().to_owned();
            fates.push(FateRow {
                id: EventId(id.into()),
                at: event.at,
                template: message.map_or_else(said, |row| self.names.string(row.template)),
                run: message.map(|row| RunId(row.run.into())),
            });
        }
        fates
    }

    pub(super) fn slots_of(&self, contact: ContactId, after: i64) -> Vec<Slot> {
        let slots = known(contact.0).map_or(&[][..], |contact| self.messages.slots.of(contact, 0));
        let latest = slots.iter().rev().take_while(|(at, _)| *at > after);
        let slot = |(at, id): &(i64, u32)| {
            let row = self.messages.row((*id).into())?;
            let topic = row.topic.map(|topic| self.names.string(topic));
            Some(Slot { at: *at, topic, channel: self.names.string(row.channel) })
        };
        latest.filter_map(slot).collect()
    }

    pub(super) fn latest_of(&self, contact: ContactId, template: &str, workflow: Option<&str>) -> Option<MessageId> {
        let template = self.names.find(template)?;
        let workflow = match workflow {
            Some(name) => Some(known(self.workflows.find(name)?.0)?),
            None => None,
        };
        let is = |row: &Row| row.template == template && row.attempts > 0 && workflow.is_none_or(|one| one == row.workflow);
        let ids = self.messages.ids_of(contact).iter();
        let begun = ids.filter_map(|id| Some((*id, self.messages.row((*id).into())?))).filter(|(_, row)| is(row));
        begun.map(|(id, row)| (row.at, id)).max().map(|(_, id)| MessageId(id.into()))
    }
}
