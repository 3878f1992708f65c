//! Changes of contacts: from outside, and by steps.

use std::sync::Arc;

use dsl::model::Path;
use dsl::time;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::consent::Origin;
use super::upkeep::differences;
use super::{Kernel, Work};
use crate::engine;
use crate::ingest::ContactInput;
use crate::instant::project_zone;
use crate::standing::Happened;
use crate::state::*;
use crate::store::Result;

impl Kernel {
    /// The contact's zone; the project's where it has none or an unknown one.
    pub(super) fn zone_of(&self, contact: &Contact) -> TimeZone {
        self.zone_or_projects(contact.time_zone.as_deref())
    }

    /// The zone of this name; the project's for none or an unknown one.
    pub(super) fn zone_or_projects(&self, name: Option<&str>) -> TimeZone {
        name.and_then(time::zone).unwrap_or_else(|| project_zone(&self.plan.catalog.settings))
    }

    /// The contact of this uid, made if need be; `None` for one who was erased. `anonymous`: one that is made is known by this id only.
    pub(super) fn contact_of(&mut self, uid: &str, anonymous: bool) -> Result<Option<ContactId>> {
        match self.store.contact_id(uid)? {
            Some(id) => Ok(Some(id)),
            None if self.was_erased(uid)? => Ok(None),
            None => {
                let contact = Contact { anonymous, ..Contact::new(uid) };
                let id = self.store.insert_contact(&contact, self.now)?;
                self.contact_made(Contact { id, ..contact })?;
                Ok(Some(id))
            }
        }
    }

    /// Who was erased is not made anew by an event that comes late.
    pub(super) fn was_erased(&mut self, uid: &str) -> Result<bool> {
        self.suppression.holds_id(&mut *self.store, uid)
    }

    /// Adds a contact, or changes what is given of it. What is said of somebody who was erased is said of nobody. `anonymous`: the id says nothing of who
    /// it is; otherwise whoever was known by nothing else is a person from now on.
    pub(super) fn take_contact(&mut self, input: &ContactInput, anonymous: bool) -> Result<()> {
        let topics: Vec<String> = self.plan.catalog.settings.topics.keys().cloned().collect();
        let from = Origin { at: self.now, source: if self.silent { "import" } else { "api" } };
        match self.without_unconfirmed(input, from)? {
            None => self.put_contact(input, &topics, from, anonymous),
            Some((certain, asked)) => {
                self.put_contact(&certain, &topics, from, anonymous)?;
                self.ask_for(&input.id, &asked, from)
            }
        }
    }

    fn put_contact(&mut self, input: &ContactInput, topics: &[String], from: Origin, anonymous: bool) -> Result<()> {
        match self.store.contact_id(&input.id)? {
            None if self.suppression.holds_person(&mut *self.store, input)? => Ok(()),
            None => {
                let mut contact = Contact { anonymous, ..input.clone().into_contact(topics, from) };
                contact.id = self.store.insert_contact(&contact, self.now)?;
                self.contact_made(contact)
            }
            Some(id) => {
                let old = self.load_contact(id)?;
                if self.suppression.holds_new_address(&mut *self.store, &old, input)? {
                    return Ok(());
                }
                let mut contact = old.clone();
                input.apply_to(&mut contact, topics, from);
                contact.anonymous &= anonymous;
                self.save_contact(&mut contact, &old)
            }
        }
    }

    /// Writes a contact that was changed; its traits are then as they are with that.
    pub(super) fn save_contact(&mut self, contact: &mut Contact, old: &Contact) -> Result<()> {
        if contact == old {
            return Ok(());
        }
        self.store.update_contact(contact, self.now)?;
        let causes = differences(old, contact);
        *contact = self.look(contact.clone(), Happened::Causes(&causes))?;
        self.contact_changed(contact, Some(old))?;
        self.work.push_back(Work::Changed { contact: contact.id });
        Ok(())
    }

    fn contact_made(&mut self, contact: Contact) -> Result<()> {
        let contact = self.first_look(contact)?;
        self.contact_changed(&contact, None)
    }

    /// Date triggers and schedules in the contact's zone move with it.
    pub(super) fn contact_changed(&mut self, contact: &Contact, old: Option<&Contact>) -> Result<()> {
        self.set_date_timers(contact, old, self.now - 1)?;
        self.know_zone(contact.time_zone.as_deref())
    }

    /// Sets attributes and built-in fields by their names.
    pub(super) fn set_fields(&mut self, id: ContactId, fields: &Map<String, Value>) -> Result<()> {
        let old = self.load_contact(id)?;
        let mut contact = old.clone();
        for (name, value) in fields {
            set_field(&mut contact, std::slice::from_ref(name), value.clone());
        }
        self.save_contact(&mut contact, &old)
    }

    /// Ends the contact's runs and removes everything that is held about the person.
    pub(super) fn erase(&mut self, id: ContactId) -> Result<()> {
        let Some(contact) = self.store.contact(id)? else {
            // Joined to another contact since that was asked for.
            return self.store.joined_to(id)?.map_or(Ok(()), |into| self.erase(into));
        };
        if contact.erased {
            return Ok(());
        }
        for mut run in self.store.open_runs(id)? {
            self.end_run(&mut run, &contact, EndReason::Erased, None)?;
        }
        let blank = Contact { attributes: Arc::default(), time_zone: None, ..contact.clone() };
        self.set_date_timers(&blank, Some(&contact), self.now)?;
        let aliases = self.store.aliases(id)?;
        self.suppression.add(&mut *self.store, &contact, &aliases)?;
        let messages = self.store.messages_of(id)?;
        messages.iter().for_each(|message| self.forget_mail(message));
        self.store.erase_contact(id, self.now)?;
        self.forget_suppressed(&contact, &messages)
    }
}

/// Sets one attribute or built-in field (email, phone, locale, time_zone); null removes. The id and the topics stay as they are: they are no
/// attributes.
pub(crate) fn set_field(contact: &mut Contact, keys: &[String], value: Value) {
    let text = || value.as_str().map(str::to_owned);
    match keys {
        [name] if name == "email" => contact.email = text(),
        [name] if name == "phone" => contact.phone = text(),
        [name] if name == "locale" => contact.locale = text(),
        [name] if name == "time_zone" => contact.time_zone = text(),
        [name, ..] if name == "id" || name == "topics" => {}
        _ => {
            let path = Path { root: dsl::model::Root::Contact, keys: keys.to_vec() };
            engine::assign(Arc::make_mut(&mut contact.attributes), &path, value);
        }
    }
}

impl ContactInput {
    /// A new contact; `topics` are all the project's, and `from` says when and by which way it came.
    pub fn into_contact(self, topics: &[String], from: Origin) -> Contact {
        let mut contact = Contact::new(&self.id);
        self.apply_to(&mut contact, topics, from);
        contact
    }

    /// What is given replaces what is known.
    pub fn apply_to(&self, contact: &mut Contact, topics: &[String], from: Origin) {
        let fields = [
            (&self.email, &mut contact.email),
            (&self.phone, &mut contact.phone),
            (&self.locale, &mut contact.locale),
            (&self.time_zone, &mut contact.time_zone),
        ];
        for (given, known) in fields {
            if given.is_some() {
                known.clone_from(given);
            }
        }
        if let Some(given) = &self.topics {
            Arc::make_mut(&mut contact.consent).replace(given, topics, from);
        }
        if self.attributes.is_empty() {
            return;
        }
        let attributes = Arc::make_mut(&mut contact.attributes);
        for (name, value) in &self.attributes {
            if value.is_null() {
                attributes.remove(name);
            } else {
                attributes.insert(name.clone(), value.clone());
            }
        }
    }
}
