//! The data contract: what `schemas/contact.schema.json` and `schemas/events/NAME.schema.json` say about the data.

mod built_in;
mod expansion;
mod limits;
mod names;
mod reserved;
mod schema;
mod traits;

use std::collections::BTreeMap;
use std::sync::Arc;

use saphyr::{LoadableYamlNode, MarkedYaml, YamlData};
use serde_json::{Map, Value};

pub use self::limits::Limits;
use self::names::shown;
pub use self::reserved::{ASKED_EVENT, CONSENT_EVENTS, CONTACT_FIELDS, MESSAGE_EVENTS, TRACKING_EVENTS, event_properties};
use self::schema::Schema;
use self::traits::Traits;
use crate::diagnostic::{Diagnostic, Location};
use crate::model::Trait;
use crate::pattern::Budget;

pub(crate) const CONTACT_FILE: &str = "schemas/contact.schema.json";
pub(crate) const EVENTS_FOLDER: &str = "schemas/events/";
pub(crate) const SCHEMA_ENDING: &str = ".schema.json";
/// The largest schema that is read, in bytes.
const MAX_SCHEMA: usize = 1024 * 1024;

/// The compiled contract of a project. What it has no schema for is not checked. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    /// `None`: the project has no contact schema and any attribute is allowed.
    contact: Option<Arc<Schema>>,
    /// Empty: the project has no event schemas and any event is allowed.
    events: Arc<BTreeMap<String, Schema>>,
    /// What is worked out for every contact.
    traits: Arc<Traits>,
}

/// One thing that is wrong with data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands, `address.lines[0]`; empty: the whole.
    pub at: String,
    /// What is wrong, in words that never hold the data itself.
    pub words: String,
}

impl Fault {
    fn of(at: &str, words: String) -> Fault {
        Fault { at: at.to_owned(), words }
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
    /// Reads the files under schemas/ that are the contract (path relative to the project → text). A schema that can't be used is reported
    /// and then counts as absent (an event's: as declared without properties).
    pub fn load(files: &BTreeMap<String, String>) -> (Contract, Vec<Diagnostic>) {
        let mut diagnostics = Vec::new();
        let mut contact = None;
        let mut events = BTreeMap::new();
        let mut patterns = Budget::default();
        for (file, text) in files {
            let event = file.strip_prefix(EVENTS_FOLDER).and_then(|name| name.strip_suffix(SCHEMA_ENDING));
            if file == CONTACT_FILE {
                contact = read(file, text, &CONTACT_FIELDS, &mut patterns, &mut diagnostics).map(Arc::new);
            } else if let Some(event) = event {
                if event_properties(event).is_some() {
                    let words = format!("`{event}` is an event of the runner itself and can't be declared");
                    diagnostics.push(invalid(
                        file,
                        text,
                        (0, 0),
                        words,
                        Some("remove this file, or rename the event".to_owned()),
                    ));
                } else if let Some(schema) = read(file, text, &[], &mut patterns, &mut diagnostics) {
                    events.insert(event.to_owned(), schema);
                } else if let Ok(open) = Schema::compile(Value::Object(Default::default()), &[], &mut patterns) {
                    events.insert(event.to_owned(), open);
                }
            }
        }
        (Contract { contact, events: Arc::new(events), traits: Arc::default() }, diagnostics)
    }

    /// The same with these traits under `contact`. A trait without a form was set aside: anything may be asked of it. With `more`, there
    /// are traits that nobody could read, and no name under `contact` is known to be wrong.
    pub(crate) fn with_traits(self, traits: BTreeMap<String, Option<Trait>>, more: bool) -> Contract {
        Contract { traits: Arc::new(Traits { known: traits, more }), ..self }
    }

    /// What is wrong with these attributes (built-in fields included: id, email, phone, locale, time_zone, topics), in
    /// words; empty when all is well. Messages never hold the data itself. A null counts as missing.
    pub fn check_contact(&self, attributes: &Value) -> Vec<String> {
        words_of(self.contact_faults(attributes))
    }

    /// The same, with the places.
    pub fn contact_faults(&self, attributes: &Value) -> Vec<Fault> {
        let Some(object) = attributes.as_object() else {
            return vec![Fault::of("", "a contact's attributes must be an object".to_owned())];
        };
        let mut wrong = built_in::faults(object);
        if let Some(schema) = &self.contact {
            for fault in faults(schema, attributes, object) {
                if !wrong.contains(&fault) {
                    wrong.push(fault);
                }
            }
        }
        wrong
    }

    /// What is wrong with this event's properties. An event that no schema declares is wrong once the project declares any
    /// (reserved events and those of the tracking API are always declared). A null counts as missing.
    pub fn check_event(&self, name: &str, properties: &Value) -> Vec<String> {
        words_of(self.event_faults(name, properties))
    }

    /// The same, with the places.
    pub fn event_faults(&self, name: &str, properties: &Value) -> Vec<Fault> {
        let Some(object) = properties.as_object() else {
            return vec![Fault::of("", "an event's properties must be an object".to_owned())];
        };
        match self.events.get(name) {
            Some(schema) => faults(schema, properties, object),
            None if self.events.is_empty() || always_declared(name) => Vec::new(),
            None => {
                let words = match shown(name) {
                    Some(name) => format!("no schema declares the event `{name}`; add {EVENTS_FOLDER}{name}{SCHEMA_ENDING}"),
                    None => format!("no schema under {EVENTS_FOLDER} declares this event"),
                };
                vec![Fault::of("", words)]
            }
        }
    }

    /// What is declared of `contact.KEYS`, traits included. A number as a key is a place in a list.
    pub fn contact_attribute(&self, keys: &[String]) -> Declared {
        self.contact_attribute_with(keys, true)
    }

    /// The same; without `names`, those that are declared are not listed: there may be very many.
    pub(crate) fn contact_attribute_with(&self, keys: &[String], names: bool) -> Declared {
        if let Some(declared) = self.trait_value(keys) {
            return declared;
        }
        let from_schema = self.contact.as_ref().map_or(Declared::Open, |schema| schema.lookup(keys, names));
        match (reserved::contact_field(keys), from_schema) {
            (Some(_), known @ Declared::Known(_)) => known,
            (Some(built_in), _) => built_in,
            (None, Declared::Unknown(_)) if self.traits.more && keys.len() == 1 => Declared::Open,
            (None, Declared::Unknown(mut known)) => {
                if keys.len() == 1 && names {
                    known.extend(CONTACT_FIELDS.iter().map(|name| (*name).to_owned()));
                    known.extend(self.traits.known.keys().cloned());
                    known.sort();
                    known.dedup();
                }
                Declared::Unknown(known)
            }
            (None, known) => known,
        }
    }

    /// The only texts that `contract.KEYS` may be, by the schema or the trait; `None` where they are not listed.
    pub fn contact_texts(&self, keys: &[String]) -> Option<Vec<String>> {
        match keys.first().and_then(|name| self.traits.known.get(name)) {
            Some(known) => match known.as_ref().filter(|_| keys.len() == 1)? {
                Trait::Tier { tiers, .. } => Some(tiers.iter().map(|(name, _)| name.clone()).collect()),
                Trait::FirstMatch { cases, otherwise } => {
                    Some(cases.iter().map(|(name, _)| name).chain(otherwise).cloned().collect())
                }
                _ => None,
            },
            None => self.contact.as_ref()?.texts(keys),
        }
    }

    /// The same for `event.KEYS` of this event.
    pub fn event_texts(&self, event: &str, keys: &[String]) -> Option<Vec<String>> {
        self.events.get(event)?.texts(keys)
    }

    /// The attributes that the contract declares by name, in order of name.
    pub fn contact_attributes(&self) -> Vec<String> {
        let declared = self.contact.as_ref().map_or_else(Vec::new, |schema| schema.properties());
        declared.into_iter().filter(|name| !CONTACT_FIELDS.contains(&name.as_str())).collect()
    }

    /// Whether every contact that obeys the contract has a value at `contact.KEYS`. True as well where nothing is declared.
    pub fn contact_always_has(&self, keys: &[String]) -> bool {
        if let Some(always) = self.traits.always_has(keys) {
            return always;
        }
        let Some(schema) = &self.contact else {
            return true;
        };
        // Only who can be written to gets a message, and topics are a list even when it is empty.
        let built_in = matches!(keys.first().map(String::as_str), Some("id" | "email" | "topics"));
        built_in || schema.requires(keys) || self.contact_attribute(keys) == Declared::Open
    }

    /// Whether every event of this name that obeys the contract has a value at `event.KEYS`. False where nothing is declared.
    pub fn event_always_has(&self, event: &str, keys: &[String]) -> bool {
        let in_list = keys.iter().any(|key| key.parse::<usize>().is_ok());
        !in_list && self.events.get(event).is_some_and(|schema| schema.requires(keys))
    }

    /// Whether the contact schema itself declares an attribute of this name.
    pub fn declares_attribute(&self, name: &str) -> bool {
        self.contact.as_ref().is_some_and(|schema| schema.declares(name))
    }

    /// Whether `contact.NAME` is worked out by a trait.
    pub fn is_trait(&self, name: &str) -> bool {
        self.traits.known.contains_key(name)
    }

    /// Whether `contact.KEYS` is, holds or is part of personal data: email, phone, what the contact schema marks with `"x-personal": true`,
    /// and traits that show such a property of an event.
    pub fn personal_attribute(&self, keys: &[String]) -> bool {
        match keys.first().map(String::as_str) {
            None => false,
            Some("email" | "phone") => true,
            Some(name) => match self.traits.known.get(name) {
                Some(definition) => {
                    let shown = definition.as_ref().and_then(traits::shows);
                    shown.is_some_and(|(event, of)| self.personal_property(event, &of.keys))
                }
                None => self.contact.as_ref().is_some_and(|schema| schema.personal(keys)),
            },
        }
    }

    /// The same of `event.KEYS` for this event: what its schema marks with `"x-personal": true`.
    pub fn personal_property(&self, event: &str, keys: &[String]) -> bool {
        self.events.get(event).is_some_and(|schema| schema.personal(keys))
    }

    /// What is declared of `event.KEYS` for this event. Of an event that is itself not declared nothing is known.
    pub fn event_property(&self, event: &str, keys: &[String]) -> Declared {
        self.event_property_with(event, keys, true)
    }

    /// The same; without `names`, those that are declared are not listed.
    pub(crate) fn event_property_with(&self, event: &str, keys: &[String], names: bool) -> Declared {
        match (self.events.get(event), event_properties(event)) {
            (Some(schema), _) => schema.lookup(keys, names),
            (None, Some(properties)) => reserved::event_property(properties, keys),
            (None, None) => Declared::Open,
        }
    }

    /// `Open` when the project declares no events; reserved events and those of the tracking API are always known (as `Known` with
    /// `object`).
    pub fn event(&self, name: &str) -> Declared {
        self.event_with(name, true)
    }

    /// Whether the event is declared, or any is allowed.
    pub(crate) fn declares_event(&self, name: &str) -> bool {
        self.events.is_empty() || self.events.contains_key(name) || always_declared(name)
    }

    /// The same as [`Contract::event`]; without `names`, those that are declared are not listed.
    pub(crate) fn event_with(&self, name: &str, names: bool) -> Declared {
        if self.events.contains_key(name) || always_declared(name) {
            Declared::Known(Kinds { object: true, ..Kinds::default() })
        } else if self.events.is_empty() {
            Declared::Open
        } else if !names {
            Declared::Unknown(Vec::new())
        } else {
            let reserved = MESSAGE_EVENTS
                .iter()
                .chain(&CONSENT_EVENTS)
                .chain([&ASKED_EVENT])
                .chain(&TRACKING_EVENTS)
                .map(|name| (*name).to_owned());
            Declared::Unknown(self.events.keys().cloned().chain(reserved).collect())
        }
    }
}

fn always_declared(event: &str) -> bool {
    event_properties(event).is_some() || TRACKING_EVENTS.contains(&event)
}

fn words_of(faults: Vec<Fault>) -> Vec<String> {
    faults.into_iter().map(|fault| fault.words).collect()
}

/// What the schema has against the data, in which a null counts as missing. Good data is neither copied nor looked at twice.
fn faults(schema: &Schema, data: &Value, members: &Map<String, Value>) -> Vec<Fault> {
    if members.values().any(Value::is_null) {
        let there = members.iter().filter(|(_, value)| !value.is_null());
        return schema.check(&Value::Object(there.map(|(key, value)| (key.clone(), value.clone())).collect()));
    }
    schema.check(data)
}

fn read(file: &str, text: &str, always: &[&str], patterns: &mut Budget, diagnostics: &mut Vec<Diagnostic>) -> Option<Schema> {
    if text.len() > MAX_SCHEMA {
        let words = format!("this schema is {} KiB long; at most {} KiB are read", text.len() / 1024, MAX_SCHEMA / 1024);
        diagnostics.push(invalid(file, text, (0, 0), words, None));
        return None;
    }
    let source = match serde_json::from_str::<Value>(text) {
        Ok(source) => source,
        Err(error) => {
            // serde_json counts columns in bytes; a column of 0 is the end of the line before.
            let (line, column) = (error.line().max(1), error.column().max(1));
            let line_text = text.lines().nth(line - 1).unwrap_or_default();
            let column = line_text.get(..column - 1).map_or(column, |before| before.chars().count() + 1);
            let message = format!("this is not JSON: {}", without_position(&error.to_string()));
            diagnostics.push(invalid(file, text, (line, column), message, None));
            return None;
        }
    };
    match Schema::compile(source, always, patterns) {
        Ok(schema) => Some(schema),
        Err(bad) => {
            diagnostics.push(invalid(file, text, position_of(text, &bad.pointer), bad.words, bad.help.map(str::to_owned)));
            None
        }
    }
}

/// serde_json ends its messages with " at line 3 column 4".
fn without_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

/// A diagnostic at a line and column, both from 1; (0, 0) is the beginning of the file.
fn invalid(file: &str, text: &str, at: (usize, usize), message: String, help: Option<String>) -> Diagnostic {
    let (line, column) = (at.0.max(1), at.1.max(1));
    let end_column = text.lines().nth(line - 1).map_or(column, |text| text.trim_end().chars().count() + 1).max(column);
    let location = Location { file: file.to_owned(), line, column, end_line: line, end_column };
    Diagnostic { help, ..Diagnostic::error("invalid-contract", location, message) }
}

/// Where a JSON pointer's value stands: JSON is YAML as well, and the YAML reader keeps places.
fn position_of(text: &str, pointer: &str) -> (usize, usize) {
    let Ok(documents) = MarkedYaml::load_from_str(text) else {
        return (1, 1);
    };
    let Some(mut node) = documents.first() else {
        return (1, 1);
    };
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        let next = match &node.data {
            YamlData::Mapping(members) => {
                members.iter().find(|(key, _)| key.data.as_str() == Some(&segment)).map(|(_, value)| value)
            }
            YamlData::Sequence(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    (node.span.start.line(), node.span.start.col() + 1)
}

#[cfg(test)]
mod tests;
