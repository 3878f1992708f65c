//! What came from outside: what was left for the runner to do, and what must not count twice.

use super::refusal::{Refusal, known};
use super::rows::Rows;
use super::table::Table;
use crate::state::ContactId;
use crate::store::{InboxItem, Result};

#[derive(Default)]
pub(super) struct Inbox(Rows<(i64, InboxItem)>);

impl Inbox {
    pub(super) fn push(&mut self, item: &InboxItem, now: i64) {
        self.0.add((now, item.clone()));
    }

    pub(super) fn oldest(&self, limit: usize) -> Vec<(i64, i64, InboxItem)> {
        self.0.from(0).take(limit).map(|(id, (at, item))| (id.into(), *at, item.clone())).collect()
    }

    pub(super) fn remove(&mut self, id: i64) {
        if let Some(id) = known(id).filter(|id| self.0.get(*id).is_some()) {
            self.0.put(id, None);
        }
    }

    /// Removes what would enrol the contact.
    pub(super) fn forget(&mut self, contact: ContactId) {
        let about = |item: &InboxItem| matches!(item, InboxItem::Enroll { contact: one, .. } if *one == contact);
        let gone: Vec<u32> = self.0.from(0).filter(|(_, (_, item))| about(item)).map(|(id, _)| id).collect();
        for id in gone {
            self.0.put(id, None);
        }
    }

    pub(super) fn commit(&mut self) {
        self.0.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.0.rollback();
    }
}

/// When, and what was answered, by id.
#[derive(Default)]
pub(super) struct Received(Table<String, (i64, String)>);

impl Received {
    pub(super) fn find(&self, id: &str) -> Option<String> {
        self.0.get(id).map(|(_, answer)| answer.clone())
    }

    pub(super) fn remember(&mut self, id: &str, answer: &str, now: i64) -> Result<()> {
        if self.0.contains_key(id) {
            return Err(Refusal::Taken.when("write what was received"));
        }
        self.0.put(id.to_owned(), (now, answer.to_owned()));
        Ok(())
    }

    pub(super) fn forget(&mut self, before: i64, limit: usize) -> usize {
        let old = self.0.iter().filter(|(_, (at, _))| *at < before);
        let mut old: Vec<(i64, String)> = old.map(|(id, (at, _))| (*at, id.clone())).collect();
        old.sort_unstable();
        old.truncate(limit);
        for (_, id) in &old {
            self.0.remove(id);
        }
        old.len()
    }

    pub(super) fn commit(&mut self) {
        self.0.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.0.rollback();
    }
}
