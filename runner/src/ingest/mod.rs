//! Ingest: contacts and what happens to them, as they come in; reading them from files, and writing them to the store.
//!
//! A file is read row by row, in constant memory. A row that cannot be used is rejected with its line and a reason in words that never hold
//! the data itself; the rest goes on.

mod ahead;
mod contact;
mod event;
mod import;
pub(crate) mod json;
mod lines;
mod reader;
mod table;
#[cfg(test)]
mod tests;
mod tools;

pub use ahead::{CHUNK, Chunk, read_ahead};
pub(crate) use contact::zone_warning;
pub use import::{Checkpoint, Counts, Import, ImportOptions, Incoming, own_event_id};
pub use lines::Place;
pub use reader::{Cells, Expected, Format, OpenError, Reader, Rejection, Row, Source, open};
pub use table::{Columns, attribute_cell};
pub use tools::{Mapping, Tool};

use serde_json::{Map, Value};

/// A contact as an import, a simulation or the API gives it: what is given replaces what is known, the rest stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContactInput {
    /// The id that people and other systems use; never empty.
    pub id: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    /// The topics the contact is subscribed to: complete, all others are unsubscribed. `None`: nothing said.
    pub topics: Option<Vec<String>>,
    /// Null removes an attribute.
    pub attributes: Map<String, Value>,
}

/// A contact as a row of an import gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactRow {
    pub contact: ContactInput,
    /// False: the row has no id. The contact is found by e-mail address; a new one gets that, in lower case, as its id.
    pub named: bool,
    /// What a mail tool's export says: whether the contact is subscribed there.
    pub subscribed: Option<bool>,
}

/// Something that happened to a contact.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    /// ms since 1970 UTC.
    pub at: i64,
    /// The contact's uid; a contact not known yet is made.
    pub contact: String,
    /// Whoever did it is known by an anonymous id only: a contact that is made for it is one that an identify or alias joins to a person.
    pub anonymous: bool,
    pub what: What,
}

/// What is said of a person, and by which anonymous id they were known before.
#[derive(Debug, Clone, PartialEq)]
pub struct Identification {
    /// `contact.id` is the person's id; or the anonymous one itself, where that is all there is.
    pub contact: ContactInput,
    /// Joined to the contact: its events and runs come along.
    pub anonymous: Option<String>,
    /// `contact.id` is an anonymous id: a contact that is made for it is anonymous.
    pub anonymous_only: bool,
    /// The same id counts once.
    pub message_id: Option<String>,
}

/// Two ids are one person's.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// What is known under this id goes over to the other one.
    pub previous: String,
    pub contact: String,
    /// The same id counts once.
    pub message_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum What {
    Event {
        name: String,
        properties: Map<String, Value>,
        /// The same id counts once.
        id: Option<String>,
    },
    /// New values of attributes and built-in fields (email, phone, locale, time_zone); null removes.
    Set(Map<String, Value>),
    Subscribe(String),
    /// `all`: from everything.
    Unsubscribe(String),
    /// A subscription that was asked for before is confirmed (double opt-in).
    Confirm(String),
    Erase,
}
