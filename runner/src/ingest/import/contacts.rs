//! Contacts: who a row is about, and what is written of them.

use std::sync::Arc;

use serde_json::Value;

use super::{Import, Written};
use crate::ingest::{ContactInput, ContactRow};
use crate::kernel::{Origin, Statement, normal_email};
use crate::state::{Contact, ContactId};
use crate::store::Result;

const TWO_PEOPLE: &str = "its `id` is one contact's and its `email` another's, so it is not clear whom it is about: look at both with \
     `campaignd contact show`, then correct the row, or erase the contact that should not be there";

/// Who a row is about.
enum Found {
    Known(ContactId),
    /// Known by e-mail address, while the row's id is new.
    Merged(ContactId),
    Nobody,
    TwoPeople,
}

impl Import<'_> {
    pub(super) fn contact(&mut self, row: ContactRow, now: i64) -> Result<Written> {
        let ContactRow { contact: mut input, named, subscribed } = row;
        let erased = self.anyone_erased && self.suppression.holds_person(self.store, &input)?;
        if !erased {
            match self.add(input, subscribed, now)? {
                None => return Ok(Ok(())),
                Some(known) => input = known,
            }
        }
        match self.find(&input, named)? {
            Found::TwoPeople => return Ok(Err(TWO_PEOPLE)),
            Found::Nobody => self.counts.erased += 1,
            Found::Known(id) if erased && self.gives_address_of_erased(id, &input)? => self.counts.erased += 1,
            Found::Known(id) => self.known(id, false, &input, subscribed, now)?,
            // An id that was erased does not come back by way of somebody else's address.
            Found::Merged(_) if erased && self.suppression.holds_id(self.store, &input.id)? => self.counts.erased += 1,
            Found::Merged(id) => {
                self.store.set_alias(&input.id, id)?;
                self.known(id, true, &input, subscribed, now)?;
            }
        }
        Ok(Ok(()))
    }

    /// Most rows are new, and this finds out without asking first. Gives a row back that is not.
    fn add(&mut self, input: ContactInput, subscribed: Option<bool>, now: i64) -> Result<Option<ContactInput>> {
        let from = Origin { at: now, source: "import" };
        let plain = input.topics.is_none() && !input.attributes.values().any(Value::is_null);
        // What can be turned into the contact and back need not be copied.
        let (copy, mut contact) = if plain {
            let ContactInput { id: uid, email, phone, locale, time_zone, attributes, .. } = input;
            (None, Contact { uid, email, phone, locale, time_zone, attributes: Arc::new(attributes), ..Contact::new("") })
        } else {
            let contact = input.clone().into_contact(&self.topics, from);
            (Some(input), contact)
        };
        say(subscribed, &mut contact, self.options.topic.as_deref(), from);
        if let Some(id) = self.store.insert_unknown_contact(&contact, now)? {
            self.word.contacts.insert(id);
            self.counts.added += 1;
            self.list(id, now)?;
            return Ok(None);
        }
        Ok(Some(copy.unwrap_or_else(|| {
            let Contact { uid: id, email, phone, locale, time_zone, attributes, .. } = contact;
            ContactInput { id, email, phone, locale, time_zone, topics: None, attributes: Arc::unwrap_or_clone(attributes) }
        })))
    }

    fn known(&mut self, id: ContactId, merged: bool, input: &ContactInput, subscribed: Option<bool>, now: i64) -> Result<()> {
        let topics = std::mem::take(&mut self.topics);
        let topic = self.options.topic.clone();
        let from = Origin { at: now, source: "import" };
        let changed = self.change(id, now, |contact| {
            input.apply_to(contact, &topics, from);
            contact.anonymous = false;
            say(subscribed, contact, topic.as_deref(), from);
        });
        self.topics = topics;
        let listed = self.list(id, now)?;
        let count = match (merged, changed? || listed) {
            (true, _) => &mut self.counts.merged,
            (false, true) => &mut self.counts.changed,
            (false, false) => &mut self.counts.unchanged,
        };
        *count += 1;
        Ok(())
    }

    fn find(&mut self, input: &ContactInput, named: bool) -> Result<Found> {
        let by_email = match &input.email {
            Some(email) => self.store.contact_of_email(email)?,
            None => None,
        };
        if !named && let Some(id) = by_email {
            return Ok(Found::Known(id));
        }
        Ok(match (self.store.contact_id(&input.id)?, by_email) {
            (Some(id), Some(other)) if id != other && !self.has_email(id, input)? => Found::TwoPeople,
            (Some(id), _) => Found::Known(id),
            (None, Some(other)) => Found::Merged(other),
            (None, None) => Found::Nobody,
        })
    }

    /// Whether the row would give the contact an address of somebody who was erased.
    pub(super) fn gives_address_of_erased(&mut self, id: ContactId, input: &ContactInput) -> Result<bool> {
        match self.store.contact(id)? {
            Some(known) => self.suppression.holds_new_address(self.store, &known, input),
            None => Ok(false),
        }
    }

    /// Several contacts may have one address, if they had it before.
    fn has_email(&mut self, id: ContactId, input: &ContactInput) -> Result<bool> {
        let known = self.store.contact(id)?.and_then(|contact| contact.email);
        Ok(known.as_deref().map(normal_email) == input.email.as_deref().map(normal_email))
    }

    /// Puts the contact on the list that is asked for; true when it was not there.
    fn list(&mut self, id: ContactId, now: i64) -> Result<bool> {
        let Some(segment) = &self.options.segment else { return Ok(false) };
        let new = self.store.set_listed(id, segment, true, now)?;
        if new {
            self.word.contacts.insert(id);
        }
        Ok(new)
    }
}

/// What a mail tool's export says about the topic that it is meant for.
fn say(subscribed: Option<bool>, contact: &mut Contact, topic: Option<&str>, from: Origin) {
    if let (Some(subscribe), Some(topic)) = (subscribed, topic) {
        Arc::make_mut(&mut contact.consent).take(&Statement {
            topic,
            subscribe,
            at: from.at,
            source: from.source,
            message: None,
        });
    }
}
