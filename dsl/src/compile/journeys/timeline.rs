//! What happens from outside in a test.

use serde_json::{Map, Value};

use super::Reader;
use super::index::Ids;
use crate::model::journey::{Entry, Happening};
use crate::place::At;
use crate::surface::journey::{Happens, TimelineEntry};

/// Fields of a contact that are changed in a way of their own.
const NOT_SET: [(&str, &str); 2] = [("id", "the `id` of a contact stays"), ("topics", "use `subscribe` and `unsubscribe`")];

impl Reader<'_> {
    /// Entries in order. One without a usable time or person is left out; it is an error.
    pub(super) fn timeline(&mut self, entries: &[TimelineEntry], ids: &Ids, at: &At<'_>) -> Vec<Entry> {
        let mut all: Vec<Entry> = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let at = at.item(index);
            let what = self.happening(entry, &at);
            let happens = happens(entry);
            let contact = self.whom(happens, ids, &at);
            let time = self.time(happens.at, &at.key("at"));
            let (Some(time), Some(contact), Some(what)) = (time, contact, what) else { continue };
            if self.whole && all.last().is_some_and(|last| last.at > time) {
                let help = "put the entries into the order in which they happen";
                self.error(
                    "test-order",
                    &at.key("at"),
                    "this is earlier than the entry above it".to_owned(),
                    Some(help.to_owned()),
                );
            }
            if self.whole && time < self.start && matches!(what, Happening::Enroll { .. }) {
                self.error("test-time", &at.key("at"), "nobody can be enrolled before the start".to_owned(), None);
            }
            all.push(Entry { at: time, contact, what });
        }
        all
    }

    fn whom(&mut self, happens: Happens<'_>, ids: &Ids, at: &At<'_>) -> Option<String> {
        match (happens.contact, ids.in_order.as_slice()) {
            (Some(id), _) => {
                self.person(id, ids, &at.key("contact"));
                Some(id.clone())
            }
            (None, [only]) => Some(only.clone()),
            (None, []) => None,
            (None, _) => {
                let help = Some("write `contact: ID`".to_owned());
                self.error(
                    "test-name",
                    at,
                    "there are several contacts, and this does not say to whom it happens".to_owned(),
                    help,
                );
                None
            }
        }
    }

    fn happening(&mut self, entry: &TimelineEntry, at: &At<'_>) -> Option<Happening> {
        Some(match entry {
            TimelineEntry::Event(entry) => {
                let properties = entry.with.clone().unwrap_or_default();
                self.event(&entry.event, &properties, at);
                Happening::Event { name: entry.event.clone(), properties }
            }
            TimelineEntry::Set(entry) => Happening::Set(self.set(&entry.set, &at.key("set"))),
            TimelineEntry::Subscribe(entry) => {
                self.topic(&entry.subscribe, &at.key("subscribe"));
                Happening::Subscribe(entry.subscribe.clone())
            }
            TimelineEntry::Unsubscribe(entry) => {
                if entry.unsubscribe != "all" {
                    self.topic(&entry.unsubscribe, &at.key("unsubscribe"));
                }
                Happening::Unsubscribe(entry.unsubscribe.clone())
            }
            TimelineEntry::Confirm(entry) => {
                self.topic(&entry.confirm, &at.key("confirm"));
                Happening::Confirm(entry.confirm.clone())
            }
            TimelineEntry::Erase(_) => Happening::Erase,
            TimelineEntry::Enroll(entry) => {
                self.enrolled(&entry.enroll, &at.key("enroll"));
                Happening::Enroll { workflow: entry.enroll.clone(), with: entry.with.clone().unwrap_or_default() }
            }
            TimelineEntry::Join(entry) => {
                self.segment(&entry.join, true, &at.key("join"));
                Happening::Join(entry.join.clone())
            }
            TimelineEntry::Leave(entry) => {
                self.segment(&entry.leave, true, &at.key("leave"));
                Happening::Leave(entry.leave.clone())
            }
        })
    }

    /// `{ contact.country: AT }` by the attributes' names.
    fn set(&mut self, values: &Map<String, Value>, at: &At<'_>) -> Map<String, Value> {
        let mut set = Map::new();
        for (path, value) in values {
            let place = at.key(path).key_location();
            let Some(name) = path.strip_prefix("contact.").filter(|name| !name.is_empty() && !name.contains('.')) else {
                let help = "write `contact.NAME`; of what nests, the whole";
                let message = format!("`{path}` is no attribute of the contact");
                self.error_at("test-data", place, message, Some(help.to_owned()));
                continue;
            };
            if let Some((_, why)) = NOT_SET.iter().find(|(field, _)| *field == name) {
                self.error_at("test-data", place, format!("`{path}` cannot be set: {why}"), None);
                continue;
            }
            let one = Map::from_iter([(name.to_owned(), value.clone())]);
            let before = self.out.len();
            self.attributes(&one, at, true);
            // They are about `NAME`, which stands here as `contact.NAME`.
            for found in self.out.iter_mut().skip(before) {
                found.location = at.key(path).location();
            }
            set.extend(one);
        }
        set
    }
}

fn happens(entry: &TimelineEntry) -> Happens<'_> {
    match entry {
        TimelineEntry::Event(entry) => entry.happens(),
        TimelineEntry::Set(entry) => entry.happens(),
        TimelineEntry::Subscribe(entry) => entry.happens(),
        TimelineEntry::Unsubscribe(entry) => entry.happens(),
        TimelineEntry::Confirm(entry) => entry.happens(),
        TimelineEntry::Erase(entry) => entry.happens(),
        TimelineEntry::Enroll(entry) => entry.happens(),
        TimelineEntry::Join(entry) => entry.happens(),
        TimelineEntry::Leave(entry) => entry.happens(),
    }
}
