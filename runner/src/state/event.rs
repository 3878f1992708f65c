//! What a contact did, or what happened to a message or a consent of theirs.

use serde_json::{Map, Value};

use super::{ContactId, EventId, MessageId};

#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub contact: ContactId,
    pub name: String,
    /// When it happened, as its source says.
    pub at: i64,
    pub properties: Map<String, Value>,
    /// The source's id; the same id counts once. `None`: cannot be recognised again.
    pub uid: Option<String>,
    /// For a message's fate: the message it happened to.
    pub message: Option<MessageId>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub at: i64,
    pub properties: Value,
    pub message: Option<MessageId>,
}
