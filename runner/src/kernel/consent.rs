//! Consent: what contacts say of topics, by whatever way it comes, and how that is kept so that it can be proven.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{ConsentChange, Kernel};
use crate::ingest::ContactInput;
use crate::state::*;
use crate::store::Result;

/// One thing said about one topic.
#[derive(Debug, Clone)]
pub(crate) struct Statement<'a> {
    /// May be `all`.
    pub topic: &'a str,
    pub subscribe: bool,
    pub at: i64,
    /// See [`ConsentEntry::source`].
    pub source: &'a str,
    pub message: Option<MessageId>,
}

/// When something came, and by which way: see [`ConsentEntry::source`].
#[derive(Debug, Clone, Copy)]
pub struct Origin {
    /// ms since 1970 UTC.
    pub at: i64,
    pub source: &'static str,
}

impl Kernel {
    /// What somebody said by a page or a mail program: they acted on a mail that reached them, so nothing is to be confirmed.
    pub(super) fn consent_changed(&mut self, change: &ConsentChange) -> Result<()> {
        let Some(id) = self.store.contact_id(&change.contact)? else { return Ok(()) };
        for (topic, said) in &change.said {
            let contact = self.load_contact(id)?;
            let subscribe = match said {
                Said::Subscribed => true,
                Said::Unsubscribed => false,
                Said::Confirmed if contact.consent.pending.contains_key(topic) && self.reached(&contact, change.message)? => true,
                // Confirmed before, taken back since, or asked of another address: an old link changes nothing.
                Said::Confirmed | Said::Asked => continue,
            };
            if contact.consent.already(topic, subscribe) {
                continue;
            }
            let statement = Statement { topic, subscribe, at: change.at, source: change.source, message: change.message };
            self.set_consent(id, &statement, 0, true)?;
        }
        Ok(())
    }

    /// Whether the message went to the address that the contact has now: a link in it proves nothing of any other.
    fn reached(&mut self, contact: &Contact, message: Option<MessageId>) -> Result<bool> {
        let Some(message) = message else { return Ok(true) };
        let to = self.store.message(message)?.and_then(|message| message.to);
        let normal = |address: &String| Suppressed::normal("email", address);
        Ok(to.is_none() || to.as_ref().map(normal) == contact.email.as_ref().map(normal))
    }

    /// Changes consent and records it as an event.
    pub(super) fn set_consent(&mut self, id: ContactId, said: &Statement<'_>, depth: u32, fresh: bool) -> Result<()> {
        if self.load_contact(id)?.erased {
            return Ok(());
        }
        let name = if said.subscribe { "subscribed" } else { "unsubscribed" };
        let mut properties = Map::from_iter([
            ("topic".to_owned(), Value::String(said.topic.to_owned())),
            ("source".to_owned(), Value::String(said.source.to_owned())),
        ]);
        if let Some(message) = said.message {
            properties.insert("message".to_owned(), message.0.into());
        }
        let event = NewEvent { contact: id, name: name.to_owned(), at: said.at, properties, uid: None, message: None };
        self.store_event(event, depth, fresh)
    }

    /// What an event named subscribed or unsubscribed does to the contact's consent.
    pub(super) fn apply_consent(&mut self, id: ContactId, said: &Statement<'_>) -> Result<()> {
        let old = self.load_contact(id)?;
        let mut contact = old.clone();
        Arc::make_mut(&mut contact.consent).take(said);
        self.save_contact(&mut contact, &old)
    }

    /// Whether a subscription to this topic by this way is only one once it has been confirmed.
    pub(super) fn must_confirm(&self, topic: &str, source: &str) -> bool {
        let confirms = self.plan.catalog.settings.topics.get(topic).is_some_and(|topic| topic.confirm);
        confirms && !matches!(source, "confirmation" | "page" | "import")
    }

    /// What is given without the topics that are to be confirmed first, and those. Whoever is subscribed to one already stays so. `None`: nothing is
    /// said of topics, or nothing is ever confirmed.
    pub(super) fn without_unconfirmed(
        &mut self,
        input: &ContactInput,
        from: Origin,
    ) -> Result<Option<(ContactInput, Vec<String>)>> {
        let confirms = self.plan.catalog.settings.topics.values().any(|topic| topic.confirm);
        let Some(given) = input.topics.as_ref().filter(|_| confirms) else { return Ok(None) };
        let known = match self.store.contact_id(&input.id)? {
            Some(id) => self.load_contact(id)?.consent,
            None => Arc::default(),
        };
        let subscribed = |topic: &String| known.topics.get(topic) == Some(&true);
        let (asked, certain): (Vec<String>, Vec<String>) =
            given.iter().cloned().partition(|topic| self.must_confirm(topic, from.source) && !subscribed(topic));
        Ok(Some((ContactInput { topics: Some(certain), ..input.clone() }, asked)))
    }

    /// Asks for what was taken out. What else was asked for before is not wanted any more: the list is complete.
    pub(super) fn ask_for(&mut self, uid: &str, topics: &[String], from: Origin) -> Result<()> {
        let Some(id) = self.store.contact_id(uid)? else { return Ok(()) };
        let old = self.load_contact(id)?;
        let mut contact = old.clone();
        Arc::make_mut(&mut contact.consent).pending.retain(|topic, _| topics.contains(topic));
        self.save_contact(&mut contact, &old)?;
        // Whoever was asked is not asked again because they are named again.
        for topic in topics.iter().filter(|topic| !old.consent.pending.contains_key(*topic)) {
            let said = Statement { topic, subscribe: true, at: from.at, source: from.source, message: None };
            self.ask_to_confirm(id, &said, 0, true)?;
        }
        Ok(())
    }

    /// Somebody asked for a topic that is to be confirmed: a mail asks them to. Not `fresh`: they asked
    /// long ago, and nothing is sent because of that any more.
    pub(super) fn ask_to_confirm(&mut self, id: ContactId, said: &Statement<'_>, depth: u32, fresh: bool) -> Result<()> {
        let old = self.load_contact(id)?;
        if old.erased || old.consent.topics.get(said.topic) == Some(&true) {
            return Ok(());
        }
        let mut contact = old.clone();
        if fresh {
            Arc::make_mut(&mut contact.consent).pending.insert(said.topic.to_owned(), said.at);
        }
        Arc::make_mut(&mut contact.consent).record(Said::Asked, said);
        self.save_contact(&mut contact, &old)?;
        let title = self.plan.catalog.settings.topics.get(said.topic).and_then(|topic| topic.title.as_deref());
        let properties = Map::from_iter([
            ("topic".to_owned(), Value::from(said.topic)),
            ("title".to_owned(), Value::from(title.unwrap_or(said.topic))),
            ("source".to_owned(), Value::from(said.source)),
        ]);
        let name = dsl::contract::ASKED_EVENT.to_owned();
        let event = NewEvent { contact: id, name, at: said.at, properties, uid: None, message: None };
        self.store_event(event, depth, fresh)
    }
}

/// Of two stances the one that was taken later.
fn later(one: Option<(bool, Option<i64>)>, other: Option<(bool, Option<i64>)>) -> Option<bool> {
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other).map(|(wanted, _)| wanted),
    };
    Some(match (one.1, other.1) {
        (Some(first), Some(second)) if first > second => one.0,
        (Some(first), Some(second)) if first < second => other.0,
        _ => one.0 && other.0,
    })
}

impl Consent {
    /// Two contacts turn out to be one person: what was said last counts, a refusal where nobody knows which was last, and refusing everything under
    /// either name.
    pub(super) fn join(&mut self, other: &Consent) {
        let topics: BTreeSet<&String> = self.topics.keys().chain(other.topics.keys()).collect();
        let joined: BTreeMap<String, bool> = topics
            .into_iter()
            .filter_map(|topic| Some((topic.clone(), later(self.stance(topic), other.stance(topic))?)))
            .collect();
        let mut log = std::mem::take(&mut self.log);
        log.extend(other.log.iter().filter(|entry| !log.contains(entry)).cloned().collect::<Vec<_>>());
        log.sort_by_key(|entry| entry.at);
        self.none |= other.none;
        self.topics = joined;
        self.log = log;
        for (topic, at) in &other.pending {
            self.pending.entry(topic.clone()).or_insert(*at);
        }
        let Consent { topics, pending, log, .. } = self;
        pending.retain(|topic, asked| {
            let since =
                log.iter().rfind(|entry| entry.said == Said::Unsubscribed && (entry.topic == *topic || entry.topic == "all"));
            topics.get(topic) != Some(&true) && since.is_none_or(|refused| refused.at <= *asked)
        });
    }

    /// What the contact wants of this topic, and since when as far as that is known; `None`: nothing was said.
    fn stance(&self, topic: &str) -> Option<(bool, Option<i64>)> {
        let wanted = self.topics.get(topic).copied().or(self.none.then_some(false))?;
        let heeds = |entry: &&ConsentEntry| entry.said != Said::Asked && (entry.topic == topic || entry.topic == "all");
        Some((wanted, self.log.iter().rev().find(heeds).map(|entry| entry.at)))
    }

    /// `all`: every topic at once. Who has refused everything and then asks for one topic gets that one and nothing else.
    pub fn change(&mut self, topic: &str, subscribe: bool) {
        if topic == "all" {
            self.none = !subscribe;
            self.topics.clear();
            if !subscribe {
                self.pending.clear();
            }
            return;
        }
        self.topics.insert(topic.to_owned(), subscribe);
        self.pending.remove(topic);
    }

    /// What was said changes the consent, and is kept.
    pub(crate) fn take(&mut self, said: &Statement<'_>) {
        let word = match (said.subscribe, said.source) {
            (true, "confirmation") => Said::Confirmed,
            (true, _) => Said::Subscribed,
            (false, _) => Said::Unsubscribed,
        };
        self.change(said.topic, said.subscribe);
        self.record(word, said);
    }

    /// These topics and no others, of those there are.
    pub(super) fn replace(&mut self, given: &[String], topics: &[String], from: Origin) {
        let before = std::mem::take(&mut self.topics);
        // Who is given as subscribed to nothing is not subscribed to what the project thinks of later either.
        self.none = given.is_empty();
        self.topics = topics.iter().map(|topic| (topic.clone(), given.contains(topic))).collect();
        self.topics.extend(given.iter().map(|topic| (topic.clone(), true)));
        let changed: Vec<(String, bool)> = self
            .topics
            .iter()
            .filter(|(topic, subscribed)| before.get(*topic).copied().unwrap_or_default() != **subscribed)
            .map(|(topic, subscribed)| (topic.clone(), *subscribed))
            .collect();
        for (topic, subscribe) in changed {
            let said = Statement { topic: &topic, subscribe, at: from.at, source: from.source, message: None };
            self.record(if subscribe { Said::Subscribed } else { Said::Unsubscribed }, &said);
        }
    }

    /// Saying it once more would change nothing.
    fn already(&self, topic: &str, subscribe: bool) -> bool {
        match topic {
            "all" => !subscribe && self.none && self.topics.values().all(|subscribed| !subscribed) && self.pending.is_empty(),
            _ => self.topics.get(topic) == Some(&subscribe) && !self.pending.contains_key(topic),
        }
    }

    fn record(&mut self, word: Said, said: &Statement<'_>) {
        let entry = ConsentEntry {
            at: said.at,
            topic: said.topic.to_owned(),
            said: word,
            source: said.source.to_owned(),
            message: said.message,
        };
        // What an import wrote down is told to the runner once more.
        if !self.log.contains(&entry) {
            self.log.push(entry);
        }
    }
}
