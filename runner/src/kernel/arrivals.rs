//! What arrives: from channels, from ingest, and from other processes by way of the inbox.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::consent::Statement;
use super::tracked::MACHINE;
use super::{CHUNK, ConsentChange, Input, Kernel, Work};
use crate::ingest::{Occurrence, What};
use crate::standing::Happened;
use crate::state::*;
use crate::store::{InboxItem, Result, Store};

impl Kernel {
    pub(super) fn take(&mut self, input: &Input) -> Result<()> {
        self.silent = matches!(input, Input::History(_) | Input::Known(_));
        let taken = self.take_in(input);
        self.silent = false;
        taken
    }

    fn take_in(&mut self, input: &Input) -> Result<()> {
        match input {
            Input::Report(report) => self.message_reported(report),
            Input::Contact(contact) | Input::Known(contact) => self.take_contact(contact, false),
            Input::Occurrence(occurrence) => self.take_occurrence(occurrence, true),
            Input::History(occurrence) => self.take_occurrence(occurrence, false),
            Input::Returned(notice) => self.returned(notice),
            Input::Consent(change) => self.consent_changed(change),
            Input::Tracked(tracked) => self.tracked(tracked),
            Input::Identify(who) => self.identify(who),
            Input::Alias(alias) => self.alias(alias),
            Input::Enroll { workflow, contact, with } => match self.contact_of(contact, false)? {
                Some(contact) => self.start_by_name(workflow, contact, Value::Object(with.clone()), 0),
                None => Ok(()),
            },
        }
    }

    /// `fresh`: it may start and end things; otherwise it only counts.
    fn take_occurrence(&mut self, occurrence: &Occurrence, fresh: bool) -> Result<()> {
        let Some(contact) = self.contact_of(&occurrence.contact, occurrence.anonymous)? else { return Ok(()) };
        match &occurrence.what {
            // That somebody asked is for the runner to say; whoever sends it asks.
            What::Event { name, properties, .. } if name == dsl::contract::ASKED_EVENT => {
                match properties.get("topic").and_then(Value::as_str).filter(|topic| self.must_confirm(topic, "event")) {
                    Some(topic) => {
                        let said = Statement { topic, subscribe: true, at: occurrence.at, source: "event", message: None };
                        self.ask_to_confirm(contact, &said, 0, fresh)
                    }
                    None => Ok(()),
                }
            }
            What::Event { name, properties, id } => {
                let message = message_of_fate(&mut *self.store, contact, name, properties)?;
                let mut properties = properties.clone();
                if dsl::contract::CONSENT_EVENTS.contains(&name.as_str()) {
                    // Which way it came is not for others to say.
                    properties.insert("source".to_owned(), "event".into());
                }
                let event = NewEvent { contact, name: name.clone(), at: occurrence.at, properties, uid: id.clone(), message };
                self.store_event(event, 0, fresh)
            }
            What::Set(fields) => self.set_fields(contact, fields),
            What::Subscribe(topic) => {
                let said = Statement { topic, subscribe: true, at: occurrence.at, source: "event", message: None };
                self.set_consent(contact, &said, 0, fresh)
            }
            What::Unsubscribe(topic) => {
                let said = Statement { topic, subscribe: false, at: occurrence.at, source: "event", message: None };
                self.set_consent(contact, &said, 0, fresh)
            }
            What::Confirm(topic) => self.consent_changed(&ConsentChange {
                contact: occurrence.contact.clone(),
                said: vec![(topic.clone(), Said::Confirmed)],
                at: occurrence.at,
                source: "confirmation",
                message: None,
            }),
            What::Erase => self.erase(contact),
        }
    }

    /// Stores an event (once) and, when it is fresh, queues what follows from it.
    pub(super) fn store_event(&mut self, event: NewEvent, depth: u32, fresh: bool) -> Result<()> {
        let said = statement(&event.name, &event.properties, event.at, "event");
        if let Some(said) = said.as_ref().filter(|said| said.subscribe && self.must_confirm(said.topic, said.source)) {
            return self.ask_to_confirm(event.contact, said, depth, fresh);
        }
        self.catch_up(event.contact, &event.name)?;
        let Some(id) = self.store.insert_event(&event, self.now)? else { return Ok(()) };
        self.last_event = id;
        self.tally.events += 1;
        let NewEvent { contact, name, at, properties, message, .. } = event;
        let stored = Event { id, at, properties: Value::Object(properties), message };
        let follows = self.work.len();
        self.event_counts(contact, &name, &stored)?;
        self.measure(&name, &stored)?;
        self.consent_event(contact, &name, &stored, "event")?;
        if fresh && depth < super::CHAIN {
            // Before the segments that it brings the contact into: a run that the event ends keeps nobody out of what they start.
            self.work.insert(follows, Work::Event { contact, name: Arc::from(name), event: stored, depth });
        } else if fresh {
            tracing::warn!(event = name, "workflows go on starting each other by this event: the chain is cut here");
        }
        Ok(())
    }

    /// `otherwise`: by which way it came, where it does not say so itself.
    fn consent_event(&mut self, contact: ContactId, name: &str, event: &Event, otherwise: &str) -> Result<()> {
        let Value::Object(properties) = &event.properties else { return Ok(()) };
        match statement(name, properties, event.at, otherwise) {
            Some(said) if says_the_latest(&mut *self.store, contact, said.topic, said.subscribe, event.at)? => {
                self.apply_consent(contact, &said)
            }
            _ => Ok(()),
        }
    }

    /// Acts on what other processes left. True when there may be more.
    pub(super) fn take_inbox(&mut self) -> Result<bool> {
        if !self.inbox {
            return Ok(false);
        }
        let items = self.store.inbox(1)?;
        let Some((id, _, item)) = items.into_iter().next() else {
            self.inbox = false;
            return Ok(false);
        };
        self.take_item(item)?;
        self.follow_up()?;
        self.store.drop_inbox(id)?;
        Ok(true)
    }

    fn take_item(&mut self, item: InboxItem) -> Result<()> {
        match item {
            InboxItem::Contacts(ids) => {
                for id in ids {
                    let Some(contact) = self.find_contact(id)? else { continue };
                    let contact = self.look(contact, Happened::Anything)?;
                    // What it was before is not known: every date timer is set anew (but for what may have fired at this very instant), and
                    // open runs look.
                    self.set_date_timers(&contact, None, self.now)?;
                    self.know_zone(contact.time_zone.as_deref())?;
                    self.work.push_back(Work::Changed { contact: contact.id });
                    // What follows is each contact's own, however many came together.
                    self.follow_up()?;
                }
                Ok(())
            }
            InboxItem::Events { first, last } => self.take_events(first, last, true),
            InboxItem::History { first, last } => {
                self.silent = true;
                let taken = self.take_events(first, last, false);
                self.silent = false;
                taken
            }
            InboxItem::Enroll { workflow, contact, with } => self.start_by_name(&workflow, contact, Value::Object(with), 0),
            InboxItem::Erase(contact) => self.erase(contact),
            InboxItem::Resend(message) => self.resend(message),
            InboxItem::Returned(notice) => self.returned(&notice),
            InboxItem::Pause(workflow) => self.set_paused(&workflow, true),
            InboxItem::Resume(workflow) => self.set_paused(&workflow, false),
            InboxItem::Migrate(migration) => self.begin_migrating(migration),
        }
    }

    /// Events that another process stored, in the order in which it did. `fresh`: they may start and end things; otherwise they only count.
    fn take_events(&mut self, first: EventId, last: EventId, fresh: bool) -> Result<()> {
        debug_assert!(last.0 - first.0 < 100 * CHUNK as i64, "imports are written in chunks");
        for id in first.0..=last.0 {
            let Some(stored) = self.store.event(EventId(id))? else { continue };
            self.tally.events += 1;
            let follows = self.work.len();
            self.event_counts(stored.contact, &stored.name, &stored.event)?;
            self.measure(&stored.name, &stored.event)?;
            if !fresh {
                continue;
            }
            self.consent_event(stored.contact, &stored.name, &stored.event, "import")?;
            let event = Work::Event { contact: stored.contact, name: Arc::from(stored.name), event: stored.event, depth: 0 };
            self.work.insert(follows, event);
            self.follow_up()?;
        }
        Ok(())
    }
}

/// The message that a fate is about: the latest of that template to the contact. What a machine did is about none.
pub(crate) fn message_of_fate(
    store: &mut dyn Store,
    contact: ContactId,
    name: &str,
    properties: &Map<String, Value>,
) -> Result<Option<MessageId>> {
    let by_machine = properties.get(MACHINE) == Some(&Value::Bool(true));
    if dsl::model::Fate::from_event(name).is_none() || by_machine {
        return Ok(None);
    }
    let Some(template) = properties.get("template").and_then(Value::as_str) else { return Ok(None) };
    store.latest_message(contact, template, properties.get("workflow").and_then(Value::as_str))
}

/// What an event says about consent, and by which way that came.
fn statement<'a>(name: &str, properties: &'a Map<String, Value>, at: i64, otherwise: &'a str) -> Option<Statement<'a>> {
    let (topic, subscribe) = consent_said(name, properties)?;
    let source = properties.get("source").and_then(Value::as_str).unwrap_or(otherwise);
    let message = properties.get("message").and_then(Value::as_i64).map(MessageId);
    Some(Statement { topic, subscribe, at, source, message })
}

/// What an event says about consent: the topic, and whether the contact wants it.
pub(crate) fn consent_said<'a>(name: &str, properties: &'a Map<String, Value>) -> Option<(&'a str, bool)> {
    let subscribe = match name {
        "subscribed" => true,
        "unsubscribed" => false,
        _ => return None,
    };
    Some((properties.get("topic").and_then(Value::as_str)?, subscribe))
}

/// Whether nothing that the contact said later contradicts it. Events come late and out of order; an old yes must not undo a newer no.
pub(crate) fn says_the_latest(store: &mut dyn Store, contact: ContactId, topic: &str, subscribe: bool, at: i64) -> Result<bool> {
    for name in dsl::contract::CONSENT_EVENTS {
        for later in store.events(contact, name, at.saturating_add(1), false)? {
            let about = later.properties.get("topic").and_then(Value::as_str).unwrap_or_default();
            if about == topic || about == "all" || (topic == "all" && subscribe) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
