//! The data contract: what `schemas/contact.schema.json` and `schemas/events/NAME.schema.json` say about the data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

/// The compiled contract of a project. What it has no schema for is not checked.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    /// `None`: the project has no contact schema and any attribute is allowed.
    contact: Option<Arc<jsonschema::Validator>>,
    /// Empty: the project has no event schemas and any event is allowed.
    events: BTreeMap<String, Arc<jsonschema::Validator>>,
}

impl Contract {
    /// What is wrong with these attributes (built-in fields included: id, email, phone, locale, time_zone, topics), in
    /// words; empty when all is well. Messages never hold the data itself.
    pub fn check_contact(&self, attributes: &Value) -> Vec<String> {
        let _ = (&self.contact, attributes);
        Vec::new()
    }

    /// What is wrong with this event's properties. An event that no schema declares is wrong once the project declares any
    /// (reserved events are always declared).
    pub fn check_event(&self, name: &str, properties: &Value) -> Vec<String> {
        let _ = (&self.events, name, properties);
        Vec::new()
    }
}

/// What the contract says of one attribute or property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared {
    /// Nothing is declared at all (no schema), or the schema is open at this place: anything goes.
    Open,
    /// Declared with these types.
    Known(Kinds),
    /// Not declared; the names that are, for a suggestion.
    Unknown(Vec<String>),
}

/// The JSON types a value may have, and whether a text is a date (`format: date` or `date-time`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    pub text: bool,
    pub number: bool,
    pub boolean: bool,
    pub list: bool,
    pub object: bool,
    pub date: bool,
}

impl Contract {
    /// Reads the files under schemas/ that are the contract (path relative to the project → text).
    pub fn load(_files: &BTreeMap<String, String>) -> (Contract, Vec<crate::diagnostic::Diagnostic>) {
        (Contract::default(), Vec::new())
    }

    pub fn contact_attribute(&self, _keys: &[String]) -> Declared {
        Declared::Open
    }

    pub fn event_property(&self, _event: &str, _keys: &[String]) -> Declared {
        Declared::Open
    }

    /// `Open` when the project declares no events; reserved events are always known (as `Known` with `object`).
    pub fn event(&self, _name: &str) -> Declared {
        Declared::Open
    }
}
