//! The data of tests, held against the data contract.

use serde_json::{Map, Value};

use super::Reader;
use crate::contract::{CONTACT_FIELDS, Declared, Fault, MESSAGE_EVENTS};
use crate::place::At;

impl Reader<'_> {
    /// A contact's attributes; `some`: others may be known already.
    pub(super) fn attributes(&mut self, values: &Map<String, Value>, at: &At<'_>, some: bool) {
        let contract = self.project.contract;
        let mut faults = contract.contact_faults(&Value::Object(values.clone()));
        if some {
            let missing = contract.contact_faults(&Value::Object(Map::new()));
            faults.retain(|fault| !missing.contains(fault));
        }
        for fault in faults {
            self.fault(&fault, at);
        }
        for name in values.keys().filter(|name| *name != "attributes" && !CONTACT_FIELDS.contains(&name.as_str())) {
            let place = at.key(name).key_location();
            if contract.is_trait(name) {
                let message = format!("`{name}` is a trait: it is worked out, and what is written here counts for nothing");
                let help = "let happen what it counts: events with a negative `at` under `given.events`";
                self.error_at("test-data", place, message, Some(help.to_owned()));
            } else if let Declared::Unknown(known) =
                contract.contact_attribute_with(std::slice::from_ref(name), self.suggestions > 0)
            {
                let message = format!("the data contract knows no attribute `contact.{name}`");
                let help = self.suggestion(name, known.iter().map(String::as_str), "known there");
                self.warning("unknown-attribute", place, message, help);
            }
        }
    }

    /// An event; `at` is the entry.
    pub(super) fn event(&mut self, name: &str, properties: &Map<String, Value>, at: &At<'_>) {
        let contract = self.project.contract;
        if let Declared::Unknown(known) = contract.event_with(name, self.suggestions > 0) {
            let message = format!("there is no event `{name}` under schemas/events/");
            let help = self.suggestion(name, known.iter().map(String::as_str), "events");
            return self.error("unknown-event", &at.key("event"), message, help);
        }
        let with = at.key("with");
        let place = if with.is_written() { with } else { at.key("event") };
        for fault in contract.event_faults(name, &Value::Object(properties.clone())) {
            self.fault(&fault, &place);
        }
        for key in properties.keys() {
            if let Declared::Unknown(known) = contract.event_property_with(name, std::slice::from_ref(key), self.suggestions > 0)
            {
                let message = format!("the data contract knows no property `event.{key}` of `{name}`");
                let help = self.suggestion(key, known.iter().map(String::as_str), "known there");
                self.warning("unknown-attribute", place.key(key).key_location(), message, help);
            }
        }
        if MESSAGE_EVENTS.contains(&name) {
            self.fate(properties, &place);
        }
    }

    /// The fate of a message says of which.
    fn fate(&mut self, properties: &Map<String, Value>, at: &At<'_>) {
        let Some(template) = properties.get("template").and_then(Value::as_str) else {
            let help = "write `with: { template: NAME }`";
            return self.error("test-data", at, "this does not say which message it is about".to_owned(), Some(help.to_owned()));
        };
        if !self.is_message(template) {
            let steps = self.steps_of(None);
            let help = self.suggestion(template, steps.sent.iter().copied(), "messages");
            self.error("unknown-template", &at.key("template"), format!("there is no message `{template}`"), help);
        }
    }

    fn fault(&mut self, fault: &Fault, at: &At<'_>) {
        let mut place = at.clone();
        for part in fault.at.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty()) {
            let next = place.key(part);
            if !next.is_written() {
                break;
            }
            place = next;
        }
        self.broken(place.location(), fault.words.clone());
    }
}
