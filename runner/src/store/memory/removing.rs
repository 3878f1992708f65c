//! What is taken away: everything personal of a contact who is erased, and what is older than it is to be kept.

use super::MemoryStore;
use super::refusal::{Refusal, small};
use crate::state::{Contact, ContactId};
use crate::store::{Expired, Old, Result};

/// What a contact said about consent is kept: it proves why they were written to.
const KEPT: [&str; 2] = ["subscribed", "unsubscribed"];

impl MemoryStore {
    /// Logs and the rest of a run stay countable, without what they said.
    pub(super) fn erase(&mut self, contact: ContactId) -> Result<()> {
        let doing = "erase a contact";
        let id = small(contact.0, doing)?;
        if self.runs.is_any_open(id) {
            return Err(Refusal::OpenRuns.when(doing));
        }
        if self.contacts.find(contact).is_none() {
            return Err(Refusal::NoRow.when(doing));
        }
        // Comes out the same each time: nobody outside sees it.
        let uid = format!("erased-{:032x}", contact.0);
        self.contacts.update(&Contact { id: contact, erased: true, ..Contact::new(&uid) })?;
        self.contacts.forget_standing(id, &mut self.timers);
        self.contacts.aliases.remove_all(id);
        self.members.remove_all(id);
        self.events.remove_all(id);
        self.messages.erase(id);
        for run in self.runs.ids_of(id) {
            self.log.erase(run);
        }
        self.runs.erase(id);
        self.experiments.remove_all(id);
        self.time_triggers.remove_date_timers_of(id);
        self.inbox.forget(contact);
        Ok(())
    }

    pub(super) fn expire_old(&mut self, old: Old, before: i64, after: i64, limit: usize) -> Expired {
        let last = match old {
            Old::Events => self.events.after(after).take(limit).last().map(|(id, _)| id),
            Old::Messages => self.messages.rows(after).take(limit).last().map(|(id, _)| id),
            Old::RunLogs => self.runs.after(after).take(limit).last(),
        };
        let Some(last) = last else { return Expired { contacts: Vec::new(), next: None } };
        let mut contacts: Vec<ContactId> = match old {
            Old::Events => self.expire_events(before, after, last),
            Old::Messages => self.expire_messages(before, after, last),
            Old::RunLogs => self.expire_logs(before, after, last),
        };
        contacts.sort_unstable();
        contacts.dedup();
        Expired { contacts, next: Some(last.into()) }
    }

    fn expire_events(&mut self, before: i64, after: i64, last: u32) -> Vec<ContactId> {
        let kept = KEPT.map(|name| self.names.find(name));
        let stretch = self.events.after(after).take_while(|(id, _)| *id <= last);
        let gone: Vec<(u32, u32)> = stretch
            .filter(|(_, event)| event.at < before && !kept.contains(&Some(event.name)))
            .map(|(id, event)| (id, event.contact))
            .collect();
        for (id, _) in &gone {
            self.events.remove(*id);
        }
        gone.into_iter().map(|(_, contact)| ContactId(contact.into())).collect()
    }

    fn expire_messages(&mut self, before: i64, after: i64, last: u32) -> Vec<ContactId> {
        let stretch = self.messages.rows(after).take_while(|(id, _)| *id <= last);
        let gone: Vec<(u32, u32)> = stretch
            .filter(|(_, message)| message.at < before && message.status.is_final())
            .map(|(id, message)| (id, message.contact))
            .collect();
        for (id, _) in &gone {
            self.messages.remove(*id);
        }
        gone.into_iter().map(|(_, contact)| ContactId(contact.into())).collect()
    }

    /// Nothing depends on histories.
    fn expire_logs(&mut self, before: i64, after: i64, last: u32) -> Vec<ContactId> {
        let gone: Vec<u32> = self.runs.ended(after, last).filter(|(_, at)| *at < before).map(|(id, _)| id).collect();
        for run in gone {
            self.log.remove(run);
        }
        Vec::new()
    }
}
