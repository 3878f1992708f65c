//! Static segments: lists of contacts.

use super::names::{Names, Sym};
use super::refusal::{known, small};
use super::table::Table;
use crate::state::ContactId;
use crate::store::Result;

/// Since when, by contact and list.
#[derive(Default)]
pub(super) struct Members(Table<(u32, Sym), i64>);

impl Members {
    pub(super) fn holds(&self, names: &Names, contact: ContactId, list: &str) -> bool {
        if self.0.is_empty() {
            return false;
        }
        known(contact.0).zip(names.find(list)).is_some_and(|place| self.0.contains_key(&place))
    }

    pub(super) fn set(&mut self, names: &mut Names, contact: ContactId, list: &str, on: bool, now: i64) -> Result<bool> {
        let place = (small(contact.0, "write a list")?, names.number(list));
        if !on {
            return Ok(self.0.remove(&place));
        }
        let new = !self.0.contains_key(&place);
        if new {
            self.0.put(place, now);
        }
        Ok(new)
    }

    pub(super) fn of_contact(&self, names: &Names, contact: ContactId) -> Vec<(String, i64)> {
        let Some(contact) = known(contact.0) else { return Vec::new() };
        let mut lists: Vec<(String, i64)> = self.of(contact).map(|((_, list), since)| (names.string(*list), *since)).collect();
        lists.sort_unstable();
        lists
    }

    fn of(&self, contact: u32) -> impl Iterator<Item = (&(u32, Sym), &i64)> {
        self.0.range((contact, Sym::FIRST)..=(contact, Sym::LAST))
    }

    pub(super) fn remove_all(&mut self, contact: u32) {
        self.0.remove_all((contact, Sym::FIRST)..=(contact, Sym::LAST), |_, _| true);
    }

    /// Where both are on a list, the other's membership stays.
    pub(super) fn join(&mut self, from: u32, into: u32) {
        let moving: Vec<(Sym, i64)> = self.of(from).map(|((_, list), since)| (*list, *since)).collect();
        for (list, since) in moving {
            if !self.0.contains_key(&(into, list)) {
                self.0.put((into, list), since);
            }
        }
        self.remove_all(from);
    }

    pub(super) fn commit(&mut self) {
        self.0.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.0.rollback();
    }
}
