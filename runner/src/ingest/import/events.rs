//! Events and what else happened: whose it is, whether it is there already, and what it does at once.

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Import;
use crate::ingest::{ContactInput, Occurrence, What};
use crate::kernel::{Origin, Statement, consent_said, message_of_fate, says_the_latest, set_field};
use crate::state::*;
use crate::store::{InboxItem, Result, StoreError};

impl Import<'_> {
    /// Stores events, and does at once what other occurrences do to their contacts. What is older than the settings' grace counts as history
    /// and starts nothing.
    pub(super) fn occurrence(&mut self, occurrence: Occurrence, now: i64) -> Result<()> {
        let Some(id) = self.whose(&occurrence, now)? else {
            self.counts.erased += 1;
            return Ok(());
        };
        match &occurrence.what {
            What::Event { name, properties, id: uid } => self.event(id, &occurrence, (name, properties, uid.clone()), now)?,
            What::Subscribe(topic) => self.event(id, &occurrence, ("subscribed", &about(topic), None), now)?,
            What::Confirm(topic) => self.event(id, &occurrence, ("subscribed", &by_confirmation(topic), None), now)?,
            What::Unsubscribe(topic) => self.event(id, &occurrence, ("unsubscribed", &about(topic), None), now)?,
            What::Set(fields) if self.anyone_erased && self.gives_address_of_erased(id, &addresses(fields))? => {
                self.counts.erased += 1;
            }
            What::Set(fields) => {
                let set = |contact: &mut Contact| {
                    for (name, value) in fields {
                        set_field(contact, std::slice::from_ref(name), value.clone());
                    }
                };
                if self.change(id, now, set)? {
                    self.counts.changed += 1;
                } else {
                    self.counts.unchanged += 1;
                }
            }
            What::Erase => {
                // What was said before comes first in the inbox, as it does in the file.
                self.leave_word(now)?;
                self.store.push_inbox(&InboxItem::Erase(id), now)?;
                self.counts.changed += 1;
            }
        }
        Ok(())
    }

    /// The contact, made if need be; `None` for one who was erased.
    fn whose(&mut self, occurrence: &Occurrence, now: i64) -> Result<Option<ContactId>> {
        let uid = &occurrence.contact;
        if let Some(id) = self.store.contact_id(uid)? {
            return Ok(Some(id));
        }
        // The exports of mail tools know people by their address only.
        if uid.contains('@')
            && let Some(id) = self.store.contact_of_email(uid.trim())?
        {
            return Ok(Some(id));
        }
        if occurrence.what == What::Erase || (self.anyone_erased && self.suppression.holds_id(self.store, uid)?) {
            return Ok(None);
        }
        let contact = ContactInput { id: uid.clone(), ..ContactInput::default() };
        let id = self.store.insert_contact(&contact.into_contact(&self.topics, Origin { at: now, source: "import" }), now)?;
        self.word.contacts.insert(id);
        Ok(Some(id))
    }

    fn event(
        &mut self,
        contact: ContactId,
        occurrence: &Occurrence,
        (name, properties, uid): (&str, &Map<String, Value>, Option<String>),
        now: i64,
    ) -> Result<()> {
        let event = NewEvent {
            contact,
            name: name.to_owned(),
            at: occurrence.at,
            properties: properties.clone(),
            uid,
            message: message_of_fate(self.store, contact, name, properties)?,
        };
        let stored = match &event.uid {
            Some(uid) if self.is_ours(uid)? => None,
            Some(_) => self.store.insert_event(&event, now)?,
            None => self.insert_without_id(event, &occurrence.contact, now)?,
        };
        let Some(id) = stored else {
            self.counts.unchanged += 1;
            return Ok(());
        };
        self.counts.added += 1;
        if let Some((topic, subscribe)) = consent_said(name, properties)
            && says_the_latest(self.store, contact, topic, subscribe, occurrence.at)?
        {
            let source = properties.get("source").and_then(Value::as_str).unwrap_or("import");
            let said = Statement { topic, subscribe, at: occurrence.at, source, message: None };
            self.change(contact, now, |contact| Arc::make_mut(&mut contact.consent).take(&said))?;
        }
        let grace = self.settings.grace.millis();
        let fresh = occurrence.at >= now.saturating_sub(grace);
        match self.word.events.last_mut() {
            Some((_, last, known)) if last.0 + 1 == id.0 && *known == fresh => *last = id,
            _ => self.word.events.push((id, id, fresh)),
        }
        Ok(())
    }

    /// An export of this store gave the event its id, and the event is still there.
    fn is_ours(&mut self, uid: &str) -> Result<bool> {
        match uid.strip_prefix(&self.own_ids).and_then(|number| number.parse().ok()) {
            Some(number) => Ok(self.store.event(EventId(number))?.is_some()),
            None => Ok(false),
        }
    }

    /// The id of an event that came without one is made of its content and counted up: two events of one file that are equal in everything are two,
    /// and the same file again brings nothing new.
    fn insert_without_id(&mut self, mut event: NewEvent, contact: &str, now: i64) -> Result<Option<EventId>> {
        let damaged = |error: serde_json::Error| StoreError::Damaged { what: "event", why: error.to_string() };
        let content = serde_json::to_vec(&(contact, event.at, &event.name, &event.properties)).map_err(damaged)?;
        let hex: String = Sha256::digest(content)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        let uid = |number: u64| format!("import:{hex}:{number}");
        event.uid = Some(uid(0));
        if let Some(id) = self.store.insert_event(&event, now)? {
            return Ok(Some(id));
        }
        if self.store.event_of_uid(&uid(0))?.is_none_or(|there| there <= self.since) {
            return Ok(None);
        }
        // A twin earlier in this file. Their numbers have no gaps: the first free one is found by steps that double, then halve.
        let (mut taken, mut step) = (0, 1);
        while self.store.event_of_uid(&uid(taken + step))?.is_some() {
            taken += step;
            step *= 2;
        }
        let mut free = taken + step;
        while free - taken > 1 {
            let middle = taken + (free - taken) / 2;
            match self.store.event_of_uid(&uid(middle))? {
                Some(_) => taken = middle,
                None => free = middle,
            }
        }
        event.uid = Some(uid(free));
        self.store.insert_event(&event, now)
    }
}

/// The addresses among the values that are set.
fn addresses(fields: &Map<String, Value>) -> ContactInput {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    ContactInput { email: text("email"), phone: text("phone"), ..ContactInput::default() }
}

fn by_confirmation(topic: &str) -> Map<String, Value> {
    let mut properties = about(topic);
    properties.insert("source".to_owned(), "confirmation".into());
    properties
}

fn about(topic: &str) -> Map<String, Value> {
    Map::from_iter([("topic".to_owned(), Value::String(topic.to_owned()))])
}
