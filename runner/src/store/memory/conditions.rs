//! Conditions asked of all contacts at once: of each, one after the other, by the check in memory.

use super::MemoryStore;
use crate::state::{Contact, ContactId};
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
        loop {
            let page = self.contacts.page(after, page);
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
        let outdated = |version: i64| {
            contact.upkeep.version != version || contact.upkeep.recheck.is_some_and(|recheck| recheck <= question.now)
        };
        match question.outdated {
            Outdated::Include(version) if outdated(version) => return Ok(true),
            Outdated::Exclude(version) if outdated(version) => return Ok(false),
            _ => {}
        }
        Ok(question.check(self as &mut dyn Store, contact)?.holds)
    }
}
