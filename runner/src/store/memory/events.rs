//! Events: what contacts did, and what happened to messages.

use std::sync::Arc;

use serde_json::Value;

use super::names::{Names, Sym};
use super::pairs::Pairs;
use super::refusal::{known, place, small};
use super::rows::{Lists, Rows};
use super::table::Index;
use crate::state::{ContactId, Event, EventId, MessageId, NewEvent};
use crate::store::{EventRow, Result, StoredEvent};

#[derive(Default)]
pub(super) struct Events {
    rows: Rows<Row>,
    uids: Index<u32>,
    /// By contact and name: when, and which.
    by_name: Lists<(i64, u32)>,
    /// The names of properties.
    keys: Names,
}

/// An event as it is kept.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) contact: u32,
    pub(super) name: Sym,
    pub(super) at: i64,
    message: Option<Box<i64>>,
    uid: Option<Arc<str>>,
    properties: Pairs,
}

impl Row {
    pub(super) fn message(&self) -> Option<i64> {
        self.message.as_deref().copied()
    }
}

impl Events {
    pub(super) fn insert(&mut self, names: &mut Names, event: &NewEvent) -> Result<Option<EventId>> {
        let contact = small(event.contact.0, "write an event")?;
        let name = names.number(&event.name);
        if event.uid.as_deref().is_some_and(|uid| self.uids.get(uid).is_some()) {
            self.rows.skip();
            return Ok(None);
        }
        let uid: Option<Arc<str>> = event.uid.as_deref().map(Arc::from);
        let message = event.message.map(|message| Box::new(message.0));
        let properties = Pairs::new(&event.properties, &mut self.keys);
        let id = self.rows.add(Row { contact, name, at: event.at, message, uid: uid.clone(), properties });
        if let Some(uid) = uid {
            self.uids.put(uid, id);
        }
        self.by_name.insert(contact, name.number(), (event.at, id));
        Ok(Some(EventId(id.into())))
    }

    fn list(&self, names: &Names, contact: ContactId, name: &str) -> &[(i64, u32)] {
        match names.find(name).zip(known(contact.0)) {
            Some((name, contact)) => self.by_name.of(contact, name.number()),
            None => &[],
        }
    }

    pub(super) fn of_contact(&self, names: &Names, contact: ContactId, name: &str, from: i64, bare: bool) -> Vec<Event> {
        let read = |(at, id): &(i64, u32)| if bare { Some(bare_event(*at, *id)) } else { self.event(*id) };
        since(self.list(names, contact, name), from).iter().filter_map(read).collect()
    }

    /// The events of this contact and name from this time on, oldest first, with their rows.
    pub(super) fn rows_of(&self, names: &Names, contact: ContactId, name: &str, from: i64) -> impl Iterator<Item = (u32, &Row)> {
        since(self.list(names, contact, name), from).iter().filter_map(|(_, id)| Some((*id, self.rows.get(*id)?)))
    }

    pub(super) fn newest(&self, names: &Names, contact: ContactId, name: &str, limit: usize) -> Vec<Event> {
        self.list(names, contact, name).iter().rev().take(limit).map(|(at, id)| bare_event(*at, *id)).collect()
    }

    fn event(&self, id: u32) -> Option<Event> {
        let row = self.rows.get(id)?;
        let properties = Value::Object(row.properties.map(&self.keys));
        Some(Event { id: EventId(id.into()), at: row.at, message: row.message().map(MessageId), properties })
    }

    pub(super) fn property<'r>(&self, row: &'r Row, key: &str) -> Option<&'r Value> {
        row.properties.get(&self.keys, key)
    }

    pub(super) fn find(&self, names: &Names, id: EventId) -> Option<StoredEvent> {
        let EventRow { contact, name, event, .. } = self.listed(names, known(id.0)?)?;
        Some(StoredEvent { contact, name, event })
    }

    fn listed(&self, names: &Names, id: u32) -> Option<EventRow> {
        let row = self.rows.get(id)?;
        Some(EventRow {
            contact: ContactId(row.contact.into()),
            name: names.string(row.name),
            event: self.event(id)?,
            uid: row.uid.as_deref().map(str::to_owned),
        })
    }

    pub(super) fn of_uid(&self, uid: &str) -> Option<EventId> {
        self.uids.get(uid).map(|id| EventId((*id).into()))
    }

    pub(super) fn page(&self, names: &Names, after: EventId, limit: usize) -> Vec<EventRow> {
        self.rows.after(place(after.0)).take(limit).filter_map(|(id, _)| self.listed(names, id)).collect()
    }

    pub(super) fn latest(&self, names: &Names, contact: ContactId, limit: usize) -> Vec<EventRow> {
        let Some(contact) = known(contact.0) else { return Vec::new() };
        // Of none of the names more than the limit can be among them.
        let ends = self.by_name.lanes(contact).flat_map(|(_, list)| list.iter().rev().take(limit));
        let mut latest: Vec<(i64, u32)> = ends.copied().collect();
        latest.sort_unstable_by(|a, b| b.cmp(a));
        latest.into_iter().take(limit).filter_map(|(_, id)| self.listed(names, id)).collect()
    }

    pub(super) fn last(&self) -> EventId {
        EventId(self.rows.last().into())
    }

    pub(super) fn after(&self, after: i64) -> impl Iterator<Item = (u32, &Row)> {
        self.rows.after(place(after))
    }

    pub(super) fn remove(&mut self, id: u32) {
        let Some(row) = self.rows.get(id) else { return };
        let (contact, name, at, uid) = (row.contact, row.name, row.at, row.uid.clone());
        self.by_name.remove(contact, name.number(), &(at, id));
        if let Some(uid) = uid {
            self.uids.remove(&uid);
        }
        self.rows.put(id, None);
    }

    pub(super) fn remove_all(&mut self, contact: u32) {
        let all: Vec<u32> = self.by_name.lanes(contact).flat_map(|(_, list)| list.iter().rev().map(|(_, id)| *id)).collect();
        for id in all {
            self.remove(id);
        }
    }

    pub(super) fn join(&mut self, from: u32, into: u32) {
        let all: Vec<u32> = self.by_name.lanes(from).flat_map(|(_, list)| list.iter().map(|(_, id)| *id)).collect();
        for id in all {
            self.rows.change(id, |row| row.contact = into);
        }
        self.by_name.join(from, into);
    }

    pub(super) fn commit(&mut self) {
        self.rows.commit();
        self.uids.commit();
        self.by_name.commit();
        self.keys.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.rows.rollback();
        self.uids.rollback();
        self.by_name.rollback();
        self.keys.rollback();
    }
}

/// The part of a list in order of time that begins at this time.
pub(super) fn since(list: &[(i64, u32)], from: i64) -> &[(i64, u32)] {
    &list[list.partition_point(|(at, _)| *at < from)..]
}

fn bare_event(at: i64, id: u32) -> Event {
    Event { id: EventId(id.into()), at, properties: Value::Null, message: None }
}
