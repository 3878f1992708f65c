//! Contacts that turn out to be one person: an anonymous id is identified, or two ids are said to be one person's.

use std::sync::Arc;

use super::Kernel;
use crate::ingest::{Alias, Identification};
use crate::standing::Happened;
use crate::state::*;
use crate::store::Result;

impl Kernel {
    pub(super) fn identify(&mut self, who: &Identification) -> Result<()> {
        if self.came_before(who.message_id.as_deref())? {
            return Ok(());
        }
        let unknown = self.store.contact_id(&who.contact.id)?.is_none();
        // Asked before anything is made for them: to a contact that is there this would look like news of another person.
        if unknown && self.suppression.holds_person(&mut *self.store, &who.contact)? {
            return Ok(());
        }
        if let Some(anonymous) = &who.anonymous {
            // Only who is known by nothing else is joined: whoever can write events must not take over another person by naming their id.
            self.join(anonymous, &who.contact.id, true)?;
        }
        self.take_contact(&who.contact, who.anonymous_only)
    }

    pub(super) fn alias(&mut self, alias: &Alias) -> Result<()> {
        if self.came_before(alias.message_id.as_deref())? {
            return Ok(());
        }
        self.join(&alias.previous, &alias.contact, false)
    }

    /// Whether a message of this id was taken already; from now on it was.
    fn came_before(&mut self, message: Option<&str>) -> Result<bool> {
        let Some(message) = message else { return Ok(false) };
        let id = self.suppression.name_of_received("message", message);
        if self.store.received(&id)?.is_some() {
            return Ok(true);
        }
        self.store.remember_received(&id, "", self.now)?;
        Ok(false)
    }

    /// What is known under `previous` goes over to `uid`, and what comes under it later too, in whatever order the two come.
    fn join(&mut self, previous: &str, uid: &str, only_anonymous: bool) -> Result<()> {
        if previous == uid {
            return Ok(());
        }
        let from = match self.store.contact_id(previous)? {
            Some(id) => Some(self.load_contact(id)?),
            // What led to somebody who was erased leads to nobody else.
            None if self.was_erased(previous)? => return Ok(()),
            None => None,
        };
        // An id that leads to somebody by an alias only is no contact of its own: it leads to the other one from now on.
        let own = from.filter(|from| from.uid == previous);
        if own.as_ref().is_some_and(|own| only_anonymous && !own.anonymous) {
            tracing::debug!("an identify names as anonymous id what is a contact's own: they are not joined");
            return Ok(());
        }
        match (own, self.store.contact_id(uid)?) {
            (Some(from), None) if !self.was_erased(uid)? => self.rename(from, uid),
            (_, None) => match self.contact_of(uid, false)? {
                Some(into) => self.store.set_alias(previous, into),
                None => Ok(()),
            },
            (None, Some(into)) => self.store.set_alias(previous, into),
            (Some(from), Some(into)) if from.id == into => Ok(()),
            (Some(from), Some(into)) => self.merge(&from, into),
        }
    }

    /// The first thing heard of a person is who they were before.
    fn rename(&mut self, from: Contact, uid: &str) -> Result<()> {
        let mut contact = Contact { uid: uid.to_owned(), anonymous: false, ..from.clone() };
        self.save_contact(&mut contact, &from)?;
        self.store.set_alias(&from.uid, contact.id)
    }

    /// Makes two contacts one. What is known of `into` stays, what is missing comes from the other one.
    fn merge(&mut self, from: &Contact, into: ContactId) -> Result<()> {
        let open = self.store.open_runs(into)?;
        for mut run in self.store.open_runs(from.id)? {
            // A contact has one open run of a workflow and key: that of the person stays.
            if open.iter().any(|other| other.workflow == run.workflow && other.key == run.key) {
                self.end_run(&mut run, from, EndReason::Superseded, None)?;
            }
        }
        // As they are before anything comes along.
        let old = self.load_contact(into)?;
        self.store.join_contacts(from.id, into)?;
        let mut contact = old.clone();
        fill(&mut contact.email, &from.email);
        fill(&mut contact.phone, &from.phone);
        fill(&mut contact.locale, &from.locale);
        fill(&mut contact.time_zone, &from.time_zone);
        let attributes = Arc::make_mut(&mut contact.attributes);
        for (name, value) in from.attributes.iter() {
            attributes.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Arc::make_mut(&mut contact.consent).join(&from.consent);
        if contact != old {
            self.store.update_contact(&contact, self.now)?;
        }
        // All in one look: in between they would be somebody who never was.
        let contact = self.look(contact, Happened::OtherEvents)?;
        self.contact_changed(&contact, Some(&old))?;
        self.work.push_back(super::Work::Changed { contact: into });
        Ok(())
    }
}

fn fill(known: &mut Option<String>, other: &Option<String>) {
    if known.is_none() {
        known.clone_from(other);
    }
}
