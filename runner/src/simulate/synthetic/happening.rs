//! What somebody is about to do, in the order in which it will be done.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::chance::Chance;
use crate::ingest::What;

/// Something that will happen, unless the end comes first.
pub struct Next {
    /// ms since 1970 UTC.
    pub at: i64,
    /// By number.
    pub person: u32,
    /// Among what one person does at one time.
    pub order: u64,
    pub what: Pending,
}

pub enum Pending {
    /// What a person says of themselves.
    Said(Box<What>),
    /// The next event of a process, and what the ones after it are drawn from.
    Process {
        index: u32,
        chance: Chance,
    },
    Event(Box<Happens>),
}

/// An event whose properties are known.
pub struct Happens {
    pub event: String,
    pub properties: Map<String, Value>,
    /// What follows from it is drawn from this.
    pub identity: u64,
}

impl Next {
    /// What has this bit in its order comes after what people say of themselves.
    pub const LATE: u64 = 1 << 63;

    fn key(&self) -> (i64, u32, u64) {
        (self.at, self.person, self.order)
    }
}

impl Happens {
    /// As something that happened to this contact. Taking leave is said, not recorded, so that it is heeded.
    pub fn what(self, contact: &str) -> What {
        if self.event == "unsubscribed" {
            let topic = self.properties.get("topic").and_then(Value::as_str);
            return What::Unsubscribe(topic.unwrap_or("all").to_owned());
        }
        let id = format!("{contact}-{:016x}", self.identity);
        What::Event { name: self.event, properties: self.properties, id: Some(id) }
    }
}

/// The other way round: the largest of a heap is to be the earliest.
impl Ord for Next {
    fn cmp(&self, other: &Next) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Next) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Next) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Next {}
