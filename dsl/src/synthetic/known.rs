//! The audience held against the project: its data contract, its events, and what follows what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Reading;
use super::values::samples;
use crate::contract::{Declared, Fault, MESSAGE_EVENTS};
use crate::diagnostic::{Diagnostic, Location};
use crate::model::{Cause, Distribution, Drawn, SyntheticAudience};
use crate::place::{At, suggestion};

/// How many things that are wrong with one value are told.
const TOLD: usize = 3;

impl Reading<'_> {
    /// What the data contract does not know is an error; with an open contract, a warning.
    fn unknown(&mut self, code: &'static str, at: Location, message: String, help: Option<String>) {
        let open = self.catalog.settings.open_contract;
        let diagnostic = if open { Diagnostic::warning(code, at, message) } else { Diagnostic::error(code, at, message) };
        self.out.push(Diagnostic { help, ..diagnostic });
    }

    /// What follows must have something to follow, and nothing goes in a circle for ever.
    pub(super) fn check_follows(&mut self, audience: &SyntheticAudience, at: &At<'_>) {
        let reactions: BTreeSet<&str> = audience.reactions.iter().flat_map(reaction_events).collect();
        let made: BTreeSet<&str> = audience.sources.iter().map(|source| source.event.as_str()).chain(reactions).collect();
        for (index, source) in audience.sources.iter().enumerate() {
            let Cause::Event { follows, template, chance, .. } = &source.cause else { continue };
            let here = at.item(index);
            if !made.contains(follows.as_str()) {
                let message = format!("nothing in this audience makes `{follows}` happen");
                let help =
                    suggestion(follows, made.iter().copied(), "what happens").unwrap_or_else(|| "add it to `events`".to_owned());
                self.error("unknown-event", &here.key("follows"), message, help);
            }
            if template.is_some() && !MESSAGE_EVENTS.contains(&follows.as_str()) {
                let message = format!("`{follows}` is about no message");
                self.error(
                    "misplaced-key",
                    &here.key("template"),
                    message,
                    "`template` goes with `message_clicked` and the like",
                );
            }
            if *chance >= 1.0 && certain(audience, follows, &source.event) {
                let message = format!("`{}` always leads to itself again: it would never end", source.event);
                self.error("invalid-number", &here.key("follows"), message, "give it a `chance` below 100%");
            }
        }
    }

    /// Names and values by the data contract.
    pub(super) fn hold_against_contract(&mut self, audience: &SyntheticAudience, root: &At<'_>) {
        let contract = self.catalog.contract.clone();
        let here = root.key("profile").key("attributes");
        for (name, _) in &audience.profile.attributes {
            if contract.is_trait(name) {
                let message = format!("`{name}` is a trait: it is worked out and cannot be given");
                self.error("set-trait", &here.key(name), message, "leave it out");
            } else if let Declared::Unknown(known) = contract.contact_attribute(std::slice::from_ref(name)) {
                let message = format!("the data contract knows no attribute `contact.{name}`");
                let help = suggestion(name, known.iter().map(String::as_str), "known there");
                self.unknown("unknown-attribute", here.key(name).key_location(), message, help);
            }
        }
        let mut base = Map::from_iter([("id".to_owned(), Value::from("x-1"))]);
        base.insert("email".to_owned(), "x-1@example.com".into());
        self.hold(&audience.profile.attributes, &base, &here, "a contact", |sample| contract.contact_faults(sample));
        for (index, source) in audience.sources.iter().enumerate() {
            let at = root.key("events").item(index);
            self.source_against_contract(&source.event, &source.properties, &at);
        }
    }

    fn source_against_contract(&mut self, event: &str, properties: &[(String, Drawn)], at: &At<'_>) {
        let contract = self.catalog.contract.clone();
        if dsl_reserved(event) {
            let message = format!("`{event}` is an event of the runner itself");
            self.error("reserved-event", &at.key("event"), message, "what messages make people do stands in `reactions`");
            return;
        }
        if let Declared::Unknown(known) = contract.event(event) {
            let help = suggestion(event, known.iter().map(String::as_str), "events");
            let message = format!("there is no event `{event}` under schemas/events/");
            self.unknown("unknown-event", at.key("event").location(), message, help);
            return;
        }
        let here = at.key("with");
        for (name, _) in properties {
            if let Declared::Unknown(known) = contract.event_property(event, std::slice::from_ref(name)) {
                let message = format!("the data contract knows no property `event.{name}` of `{event}`");
                let help = suggestion(name, known.iter().map(String::as_str), "known there");
                self.unknown("unknown-attribute", here.key(name).key_location(), message, help);
            }
        }
        let place = if here.is_written() { here } else { at.key("event") };
        // What is taken over from another event is not known here.
        if properties.iter().all(|(_, drawn)| !matches!(drawn.how, Distribution::Same(_))) {
            self.hold(properties, &Map::new(), &place, &format!("`{event}`"), |sample| contract.event_faults(event, sample));
        }
    }

    /// Looks at every value that may be drawn, and at what is missing where nobody has a value that need not be there.
    fn hold(
        &mut self,
        drawn: &[(String, Drawn)],
        base: &Map<String, Value>,
        at: &At<'_>,
        what: &str,
        faults: impl Fn(&Value) -> Vec<Fault>,
    ) {
        let all: BTreeMap<&str, Vec<Value>> = drawn.iter().map(|(name, drawn)| (name.as_str(), samples(&drawn.how))).collect();
        let mut first = base.clone();
        for (name, values) in &all {
            first.extend(values.first().map(|value| ((*name).to_owned(), value.clone())));
        }
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut look = |sample: Map<String, Value>| {
            for fault in faults(&Value::Object(sample)) {
                let key = fault.at.split(['.', '[']).next().unwrap_or_default().to_owned();
                told.entry(key).or_default().insert(fault.words);
            }
        };
        look(first.clone());
        for (name, values) in &all {
            for value in values.iter().skip(1) {
                let mut sample = first.clone();
                sample.insert((*name).to_owned(), value.clone());
                look(sample);
            }
        }
        for (name, _) in drawn.iter().filter(|(_, drawn)| drawn.chance < 1.0) {
            let mut sample = first.clone();
            sample.remove(name);
            look(sample);
        }
        for (key, words) in told {
            let place = if all.contains_key(key.as_str()) { at.key(&key) } else { at.clone() };
            for words in words.into_iter().take(TOLD) {
                let help = "values must be as the files under schemas/ say";
                self.error("wrong-type", &place, format!("{what} would break the data contract: {words}"), help);
            }
        }
    }
}

fn dsl_reserved(event: &str) -> bool {
    crate::contract::event_properties(event).is_some()
}

/// The events that a reaction is.
fn reaction_events(reaction: &crate::model::Reaction) -> Vec<&'static str> {
    let acts = [
        (&reaction.opened, "message_opened"),
        (&reaction.clicked, "message_clicked"),
        (&reaction.complained, "message_complained"),
        (&reaction.bounced, "message_bounced"),
        (&reaction.unsubscribed, "unsubscribed"),
    ];
    acts.into_iter().filter(|(act, _)| act.is_some()).map(|(_, event)| event).collect()
}

/// Whether `to` leads to `from` without fail.
fn certain(audience: &SyntheticAudience, from: &str, to: &str) -> bool {
    let mut reached = BTreeSet::from([to]);
    let mut open = vec![to];
    while let Some(event) = open.pop() {
        for source in &audience.sources {
            let always = matches!(&source.cause, Cause::Event { follows, chance, .. } if follows == event && *chance >= 1.0);
            if always && reached.insert(&source.event) {
                open.push(&source.event);
            }
        }
    }
    reached.contains(from)
}
