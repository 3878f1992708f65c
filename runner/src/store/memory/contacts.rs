//! Contacts: the profile, the consents, and where they stand.

use std::sync::Arc;

use serde_json::Value;

use super::joining::Aliases;
use super::names::Names;
use super::refusal::{Refusal, known, place, small};
use super::rows::{Lists, Rows};
use super::table::Index;
use super::valued::Valued;
use crate::audience::walk;
use crate::standing::Standing;
use crate::state::{Contact, ContactId, TraitValue, Traits, Upkeep};
use crate::store::timers::{Line, Timers};
use crate::store::{ContactValues, Result, ValuesPage, ZoneFilter};

#[derive(Default)]
pub(super) struct Contacts {
    /// Without what is in `stood`.
    rows: Rows<Box<Contact>>,
    stood: Rows<Box<Stood>>,
    uids: Index<u32>,
    /// Who has this e-mail address, in small letters; in order of id.
    emails: Index<Vec<u32>>,
    /// By the number of a zone (0: without one) those who are not erased.
    zones: Lists<u32>,
    zone_names: Names,
    pub(super) aliases: Aliases,
    valued: Valued,
}

/// Where a contact stands.
#[derive(Default)]
struct Stood {
    traits: Arc<Traits>,
    upkeep: Upkeep,
    standing: Option<Standing>,
}

impl Contacts {
    pub(super) fn find(&self, id: ContactId) -> Option<Contact> {
        known(id.0).and_then(|id| self.full(id))
    }

    fn full(&self, id: u32) -> Option<Contact> {
        let mut contact = Contact::clone(self.rows.get(id)?);
        if let Some(stood) = self.stood.get(id) {
            contact.traits = stood.traits.clone();
            contact.upkeep = stood.upkeep;
        }
        Some(contact)
    }

    pub(super) fn id_of(&self, uid: &str) -> Option<ContactId> {
        match self.uids.get(uid) {
            Some(id) => Some(ContactId((*id).into())),
            None => self.aliases.find(uid),
        }
    }

    pub(super) fn newest(&self) -> ContactId {
        ContactId(self.rows.newest().map_or(0, i64::from))
    }

    pub(super) fn of_email(&self, email: &str) -> Option<ContactId> {
        let oldest = *self.emails.get(email.to_ascii_lowercase().as_str())?.first()?;
        Some(ContactId(oldest.into()))
    }

    /// The same for one that may be known already, by its uid, an alias or its e-mail address.
    pub(super) fn insert_unknown(&mut self, contact: &Contact) -> Result<Option<ContactId>> {
        let of_email = contact.email.as_deref().and_then(|email| self.of_email(email));
        if of_email.is_some() || self.aliases.find(&contact.uid).is_some() {
            return Ok(None);
        }
        if self.uids.get(contact.uid.as_str()).is_some() {
            self.rows.skip();
            return Ok(None);
        }
        self.insert(contact).map(Some)
    }

    pub(super) fn insert(&mut self, contact: &Contact) -> Result<ContactId> {
        if self.uids.get(contact.uid.as_str()).is_some() {
            return Err(Refusal::Taken.when("add a contact"));
        }
        let id = self.rows.next();
        let row = profile(contact, id);
        self.uids.put(Arc::from(row.uid.as_str()), id);
        if let Some(email) = &row.email {
            self.add_email(email, id);
        }
        if !row.erased {
            let zone = self.zone(row.time_zone.as_deref());
            self.zones.insert(zone, 0, id);
        }
        self.rows.add(row);
        self.valued.touch(id);
        Ok(ContactId(id.into()))
    }

    pub(super) fn update(&mut self, contact: &Contact) -> Result<()> {
        let doing = "write a contact";
        let id = small(contact.id.0, doing)?;
        let was = self.rows.get(id).ok_or_else(|| Refusal::NoRow.when(doing))?;
        let old_uid = (was.uid != contact.uid).then(|| was.uid.clone());
        let old_email = (was.email != contact.email).then(|| was.email.clone());
        let moved = was.time_zone != contact.time_zone || was.erased != contact.erased;
        let old_zone = (moved && !was.erased).then(|| was.time_zone.clone());
        if let Some(old) = old_uid {
            if self.uids.get(contact.uid.as_str()).is_some() {
                return Err(Refusal::Taken.when(doing));
            }
            self.uids.remove(&old);
            self.uids.put(Arc::from(contact.uid.as_str()), id);
        }
        if let Some(old) = old_email {
            if let Some(old) = old {
                self.remove_email(&old, id);
            }
            if let Some(email) = &contact.email {
                self.add_email(email, id);
            }
        }
        if let Some(old) = old_zone {
            let zone = self.zone(old.as_deref());
            self.zones.remove(zone, 0, &id);
        }
        if moved && !contact.erased {
            let zone = self.zone(contact.time_zone.as_deref());
            self.zones.insert(zone, 0, id);
        }
        self.rows.put(id, Some(profile(contact, id)));
        self.valued.touch(id);
        Ok(())
    }

    /// Takes the row away, with where the contact stood.
    pub(super) fn remove(&mut self, id: u32, timers: &mut Timers) {
        let Some(was) = self.rows.get(id) else { return };
        let (uid, email, zone) = (was.uid.clone(), was.email.clone(), was.time_zone.clone());
        self.uids.remove(&uid);
        if let Some(email) = email {
            self.remove_email(&email, id);
        }
        let zone = self.zone(zone.as_deref());
        self.zones.remove(zone, 0, &id);
        self.rows.put(id, None);
        self.stand(id, Stood::default(), timers);
    }

    /// Nothing is left of where the contact stands but of which version it was.
    pub(super) fn forget_standing(&mut self, id: u32, timers: &mut Timers) {
        let version = self.stood.get(id).map_or(0, |stood| stood.upkeep.version);
        self.stand(id, Stood { upkeep: Upkeep { version, recheck: None }, ..Stood::default() }, timers);
    }

    pub(super) fn standing(&self, id: ContactId) -> Option<Standing> {
        self.stood.get(known(id.0)?)?.standing.clone()
    }

    pub(super) fn set_standing(&mut self, contact: &Contact, standing: &Standing, timers: &mut Timers) -> Result<()> {
        let doing = "write where a contact stands";
        let id = small(contact.id.0, doing)?;
        if self.rows.get(id).is_none() {
            return Err(Refusal::NoRow.when(doing));
        }
        let (traits, upkeep) = (contact.traits.clone(), contact.upkeep);
        self.stand(id, Stood { traits, upkeep, standing: Some(standing.clone()) }, timers);
        Ok(())
    }

    fn stand(&mut self, id: u32, stood: Stood, timers: &mut Timers) {
        let was = self.stood.get(id).and_then(|stood| stood.upkeep.recheck);
        if was != stood.upkeep.recheck {
            timers.change(Line::Contacts, id.into(), was, stood.upkeep.recheck);
        }
        self.stood.put(id, Some(Box::new(stood)));
        self.valued.touch(id);
    }

    /// Those who are not erased, in order of id.
    fn living(&self, after: ContactId) -> impl Iterator<Item = (u32, &Contact)> {
        self.rows.after(place(after.0)).map(|(id, contact)| (id, &**contact)).filter(|(_, contact)| !contact.erased)
    }

    pub(super) fn page(&self, after: ContactId, limit: usize) -> Vec<Contact> {
        self.living(after).take(limit).filter_map(|(id, _)| self.full(id)).collect()
    }

    /// Of those who are not erased, after this one, the first for whom `wanted` holds, which is told how far they are worked out.
    pub(super) fn page_where(&self, after: ContactId, limit: usize, wanted: impl Fn(&Contact, Upkeep) -> bool) -> Vec<Contact> {
        let upkeep = |id: u32| self.stood.get(id).map_or_else(Upkeep::default, |stood| stood.upkeep);
        let wanted = self.living(after).filter(|(id, contact)| wanted(contact, upkeep(*id)));
        wanted.take(limit).filter_map(|(id, _)| self.full(id)).collect()
    }

    pub(super) fn after(&self, after: ContactId, zone: ZoneFilter<'_>, limit: usize) -> Vec<ContactId> {
        let id = |id: u32| ContactId(id.into());
        let zone = match zone {
            ZoneFilter::All => return self.living(after).take(limit).map(|(contact, _)| id(contact)).collect(),
            ZoneFilter::In(None) => 0,
            ZoneFilter::In(Some(zone)) => match self.zone_names.find(zone) {
                Some(zone) => zone.number(),
                None => return Vec::new(),
            },
        };
        let all = self.zones.of(zone, 0);
        let (first, after) = (all.partition_point(|one| i64::from(*one) <= after.0), limit);
        all[first..].iter().take(after).map(|contact| id(*contact)).collect()
    }

    pub(super) fn zones(&self) -> Vec<Option<String>> {
        let here = |number: u32| !self.zones.of(number, 0).is_empty();
        let mut zones: Vec<Option<String>> = here(0).then_some(None).into_iter().collect();
        let named = self.zone_names.all().filter(|(zone, _)| here(zone.number()));
        zones.extend(named.map(|(_, name)| Some(name.to_string())));
        zones.sort_unstable();
        zones
    }

    pub(super) fn values(&mut self, after: ContactId, paths: &[&[String]], limit: usize) -> ValuesPage {
        if self.valued.knows(paths) {
            for id in self.valued.take_stale() {
                let row = self.rows.get(id).filter(|contact| !contact.erased).map(|contact| self.values_of(id, contact, paths));
                self.valued.put(id, row);
            }
        } else {
            let row = |(id, contact): (u32, &Contact)| (id, self.values_of(id, contact, paths));
            let rows = self.living(ContactId(0)).map(row).collect();
            self.valued.remember(paths, rows);
        }
        self.valued.page(place(after.0), limit)
    }

    /// `None` when nothing lies at any of the paths.
    fn values_of(&self, id: u32, contact: &Contact, paths: &[&[String]]) -> Option<Arc<ContactValues>> {
        let values: Vec<_> = paths.iter().map(|keys| self.value(id, contact, keys)).collect();
        if values.iter().all(Option::is_none) {
            return None;
        }
        Some(Arc::new(ContactValues { contact: ContactId(id.into()), time_zone: contact.time_zone.clone(), values }))
    }

    /// Traits hold plain values: nothing lies deeper in them.
    fn value(&self, id: u32, contact: &Contact, keys: &[String]) -> Option<TraitValue> {
        let (first, rest) = keys.split_first()?;
        let of_traits = self.stood.get(id).and_then(|stood| stood.traits.get(first));
        let found = match of_traits {
            Some(TraitValue::Plain(Value::Null)) | None => walk(contact.attributes.get(first)?, rest)?.clone().into(),
            Some(value) if rest.is_empty() => value.clone(),
            Some(_) => return None,
        };
        Some(found)
    }

    pub(super) fn outdated(&self, version: i64, now: i64, after: ContactId, limit: usize) -> Vec<ContactId> {
        let due = |id: u32| self.stood.get(id).map_or(version != 0, |stood| stood.is_outdated(version, now));
        let due = self.living(after).map(|(id, _)| id).filter(|id| due(*id));
        due.take(limit).map(|id| ContactId(id.into())).collect()
    }

    fn zone(&mut self, name: Option<&str>) -> u32 {
        name.map_or(0, |name| self.zone_names.number(name).number())
    }

    fn add_email(&mut self, email: &str, id: u32) {
        let email: Arc<str> = Arc::from(email.to_ascii_lowercase());
        let mut whose = self.emails.get(&*email).cloned().unwrap_or_default();
        whose.push(id);
        whose.sort_unstable();
        self.emails.put(email, whose);
    }

    fn remove_email(&mut self, email: &str, id: u32) {
        let email = email.to_ascii_lowercase();
        let left: Vec<u32> = self.emails.get(email.as_str()).into_iter().flatten().copied().filter(|one| *one != id).collect();
        if left.is_empty() {
            self.emails.remove(&email);
        } else {
            self.emails.put(Arc::from(email), left);
        }
    }

    pub(super) fn commit(&mut self) {
        self.rows.commit();
        self.stood.commit();
        self.uids.commit();
        self.emails.commit();
        self.zones.commit();
        self.zone_names.commit();
        self.aliases.commit();
    }

    pub(super) fn rollback(&mut self) {
        // It may have seen what is undone now.
        self.valued.forget();
        self.rows.rollback();
        self.stood.rollback();
        self.uids.rollback();
        self.emails.rollback();
        self.zones.rollback();
        self.zone_names.rollback();
        self.aliases.rollback();
    }
}

impl Stood {
    fn is_outdated(&self, version: i64, now: i64) -> bool {
        self.upkeep.version != version || self.upkeep.recheck.is_some_and(|recheck| recheck <= now)
    }
}

/// What is written with the contact: its traits are written for themselves.
fn profile(contact: &Contact, id: u32) -> Box<Contact> {
    Box::new(Contact {
        id: ContactId(id.into()),
        uid: contact.uid.clone(),
        email: contact.email.clone(),
        phone: contact.phone.clone(),
        locale: contact.locale.clone(),
        time_zone: contact.time_zone.clone(),
        attributes: contact.attributes.clone(),
        traits: Arc::default(),
        upkeep: Upkeep::default(),
        consent: contact.consent.clone(),
        anonymous: contact.anonymous,
        erased: contact.erased,
    })
}
