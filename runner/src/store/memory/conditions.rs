//! Conditions asked of all contacts at once: of each, one after the other, by the check in memory.

use dsl::model::{Condition, Predicate, Root, Settings};
use serde_json::Value;

use super::MemoryStore;
use crate::audience::subscribed;
use crate::state::{Contact, ContactId, Upkeep};
use crate::store::{Outdated, Question, Result, Store};

/// How many contacts are read at a time, at most.
const PAGE: usize = 256;

impl MemoryStore {
    pub(super) fn all_matching(&mut self, question: &Question<'_>, after: ContactId, limit: usize) -> Result<Vec<ContactId>> {
        let mut found = Vec::new();
        self.each_matching(question, after, PAGE.min(limit), |contact| {
            found.push(contact);
            found.len() < limit
        })?;
        found.truncate(limit);
        Ok(found)
    }

    pub(super) fn number_matching(&mut self, question: &Question<'_>) -> Result<u64> {
        let mut number = 0;
        self.each_matching(question, ContactId(0), PAGE, |_| {
            number += 1;
            true
        })?;
        Ok(number)
    }

    /// Hands on whom the condition holds for until it is told that this is enough.
    fn each_matching(
        &mut self,
        question: &Question<'_>,
        mut after: ContactId,
        page: usize,
        mut sink: impl FnMut(ContactId) -> bool,
    ) -> Result<()> {
        let possible = |contact: &Contact| may_hold(question.condition, question.settings, contact);
        let included = |upkeep: Upkeep| match question.outdated {
            Outdated::Include(version) => is_outdated(upkeep, version, question.now),
            Outdated::Ignore | Outdated::Exclude(_) => false,
        };
        loop {
            let page = self.contacts.page_where(after, page, |contact, upkeep| possible(contact) || included(upkeep));
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for contact in page {
                if self.counts_as_matching(question, &contact)? && !sink(contact.id) {
                    return Ok(());
                }
            }
        }
    }

    fn counts_as_matching(&mut self, question: &Question<'_>, contact: &Contact) -> Result<bool> {
        let outdated = |version: i64| is_outdated(contact.upkeep, version, question.now);
        match question.outdated {
            Outdated::Include(version) if outdated(version) => return Ok(true),
            Outdated::Exclude(version) if outdated(version) => return Ok(false),
            _ => {}
        }
        Ok(question.check(self as &mut dyn Store, contact)?.holds)
    }
}

/// Whether traits are to be worked out anew.
fn is_outdated(upkeep: Upkeep, version: i64, now: i64) -> bool {
    upkeep.version != version || upkeep.recheck.is_some_and(|recheck| recheck <= now)
}

/// False when the condition cannot hold for what it asks of zone and topics: a broadcast at the contacts' own time asks for one zone after the other, and most
/// contacts need not be looked at more closely.
fn may_hold(condition: &Condition, settings: &Settings, contact: &Contact) -> bool {
    match condition {
        Condition::All(all) => all.iter().all(|condition| may_hold(condition, settings, contact)),
        Condition::Topic(topic) => subscribed(contact, settings, topic),
        Condition::Value { path, tests } if path.root == Root::Contact && path.keys == ["time_zone"] => {
            tests.iter().all(|test| match test {
                Predicate::Is(Value::String(zone)) => contact.time_zone.as_ref() == Some(zone),
                Predicate::Exists(false) => contact.time_zone.is_none(),
                _ => true,
            })
        }
        _ => true,
    }
}
