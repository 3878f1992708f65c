//! Conditions against one contact's facts: by example, and generated ones against an evaluation that is too simple to be wrong.

pub(crate) mod generated;
mod history;
mod oracle;
mod standing;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::rc::Rc;

use dsl::model::{Condition, Fate, Http, Path, Root, Settings, Topic};
use dsl::time::Duration;
use serde_json::{Map, Value, json};

use super::{Facts, Scope, Truth, check};
use crate::state::{Contact, ContactId, Event, EventId, Mark, RunId};
use crate::store::{FateRow, RunHistory};

/// One contact and everything that condition checks may ask about them.
#[derive(Debug, Clone)]
struct World {
    contact: Contact,
    /// By name, each in order of time and id.
    events: BTreeMap<String, Vec<Event>>,
    fates: BTreeMap<Fate, Vec<FateRow>>,
    workflows: BTreeMap<String, RunHistory>,
    /// Static segments the contact is on.
    lists: BTreeSet<String>,
    settings: Settings,
    segments: BTreeMap<String, Condition>,
    /// Of the contact.
    zone: &'static str,
    event: Option<Value>,
    vars: Option<Map<String, Value>>,
    entry: Option<Mark>,
    step: Option<Mark>,
    default_since: Option<Mark>,
    own_run: Option<RunId>,
}

impl World {
    fn new() -> World {
        World {
            contact: Contact {
                id: ContactId(1),
                email: Some("ada@example.com".into()),
                locale: Some("de-AT".into()),
                ..Contact::new("ada")
            },
            events: BTreeMap::new(),
            fates: BTreeMap::new(),
            workflows: BTreeMap::new(),
            lists: BTreeSet::new(),
            settings: settings(),
            segments: BTreeMap::new(),
            zone: "UTC",
            event: None,
            vars: None,
            entry: None,
            step: None,
            default_since: None,
            own_run: None,
        }
    }

    fn with_attributes(attributes: Value) -> World {
        let mut world = World::new();
        world.contact.attributes = object(attributes).into();
        world
    }

    /// Adds an event; events are told apart by the order in which they are added.
    fn did(mut self, name: &str, at: i64, properties: Value) -> World {
        let id = EventId(1 + self.events.values().map(Vec::len).sum::<usize>() as i64);
        let events = self.events.entry(name.to_owned()).or_default();
        events.push(Event { id, at, properties, message: None });
        events.sort_by_key(|event| (event.at, event.id));
        self
    }

    fn fate(mut self, fate: Fate, at: i64, template: &str, run: i64) -> World {
        let id = EventId(1 + self.fates.values().map(Vec::len).sum::<usize>() as i64);
        let rows = self.fates.entry(fate).or_default();
        rows.push(FateRow { id, at, template: template.to_owned(), run: Some(RunId(run)) });
        rows.sort_by_key(|row| (row.at, row.id));
        self
    }

    fn segment(mut self, name: &str, condition: Condition) -> World {
        self.segments.insert(name.to_owned(), condition);
        self
    }

    /// The answer and what was read to find it.
    fn check(&self, condition: &Condition, now: i64) -> (Truth, Vec<String>) {
        let zone = dsl::time::zone(self.zone).expect("a known zone");
        let mut facts = Recorded { world: self, reads: Vec::new() };
        let scope = Scope {
            now,
            zone: &zone,
            settings: &self.settings,
            segments: &self.segments,
            event: self.event.as_ref(),
            vars: self.vars.as_ref(),
            entry: self.entry,
            step: self.step,
            default_since: self.default_since,
            own_run: self.own_run,
        };
        let Ok(truth) = check(condition, &scope, &mut facts);
        (truth, facts.reads)
    }
}

/// Hands out a world's facts just as a store would, and notes what was asked.
struct Recorded<'a> {
    world: &'a World,
    reads: Vec<String>,
}

impl Facts for Recorded<'_> {
    type Error = Infallible;

    fn contact(&self) -> &Contact {
        &self.world.contact
    }

    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>, Infallible> {
        self.reads.push(format!("{name} {}{}", since(from), if bare { " bare" } else { "" }));
        let mut events = self.world.events.get(name).cloned().unwrap_or_default();
        events.retain(|event| event.at >= from);
        if bare {
            events.iter_mut().for_each(|event| event.properties = Value::Null);
        }
        Ok(Rc::new(events))
    }

    /// As few as may be.
    fn latest_events(&mut self, name: &str, now: i64, least: usize) -> Result<Rc<Vec<Event>>, Infallible> {
        self.reads.push(format!("{name} latest {least}"));
        let mut events = self.world.events.get(name).cloned().unwrap_or_default();
        let happened = events.iter().filter(|event| event.at <= now).count();
        events.drain(..happened.saturating_sub(least));
        events.iter_mut().for_each(|event| event.properties = Value::Null);
        Ok(Rc::new(events))
    }

    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>, Infallible> {
        self.reads.push(format!("{} {}", fate.word(), since(from)));
        let mut rows = self.world.fates.get(&fate).cloned().unwrap_or_default();
        rows.retain(|row| row.at >= from);
        Ok(rows)
    }

    fn listed(&mut self, segment: &str) -> Result<bool, Infallible> {
        self.reads.push(format!("list {segment}"));
        Ok(self.world.lists.contains(segment))
    }

    fn workflow(&mut self, name: &str) -> Result<RunHistory, Infallible> {
        self.reads.push(format!("workflow {name}"));
        Ok(self.world.workflows.get(name).copied().unwrap_or_default())
    }
}

fn since(from: i64) -> String {
    if from == i64::MIN { "all".to_owned() } else { format!("from {from}") }
}

pub(crate) fn settings() -> Settings {
    let topic = |subscribed_by_default| Topic { subscribed_by_default, ..Topic::default() };
    Settings {
        project: "shop".into(),
        time_zone: "UTC".into(),
        locale: "en".into(),
        url: None,
        store: "state/campaignd.db".into(),
        channels: BTreeMap::new(),
        topics: [("news".to_owned(), topic(true)), ("offers".to_owned(), topic(false))].into(),
        quiet_hours: None,
        frequency: Vec::new(),
        spread: Duration::MINUTE,
        http: Http { listen: "127.0.0.1:0".into(), keys: Vec::new() },
        stop_within: Duration::SECOND,
        grace: Duration::HOUR,
        retention: Default::default(),
        invalid_data: Default::default(),
        tracking: Default::default(),
        bounces: Default::default(),
        secrets: BTreeMap::new(),
        private_hosts: Vec::new(),
        open_contract: false,
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

/// A path as people write it.
pub(crate) fn path(text: &str) -> Path {
    let (root, keys) = text.split_once('.').expect("a root and a key");
    let root = match root {
        "contact" => Root::Contact,
        "event" => Root::Event,
        "vars" => Root::Vars,
        other => panic!("{other} is no root"),
    };
    Path { root, keys: keys.split('.').map(str::to_owned).collect() }
}

/// A condition in the model's JSON, in which paths are written as people do.
pub(crate) fn condition(mut json: Value) -> Condition {
    write_out_paths(&mut json);
    serde_json::from_value(json).expect("a condition")
}

fn write_out_paths(json: &mut Value) {
    match json {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member.as_str()) {
                    ("path" | "of", Some(text)) => *member = json!(path(text)),
                    _ => write_out_paths(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(write_out_paths),
        _ => {}
    }
}

/// The condition at time `now` gives this answer, to be looked at again then.
fn expect(world: &World, json: Value, now: i64, holds: bool, recheck: Option<i64>) {
    let (truth, _) = world.check(&condition(json.clone()), now);
    assert_eq!(truth, Truth { holds, recheck }, "{json} at {now}");
}

pub(crate) fn value(path: &str, test: Value) -> Value {
    json!({"value": {"path": path, "tests": [test]}})
}

pub(crate) fn event(name: &str, more: Value) -> Value {
    let mut event = json!({"name": name, "filter": null, "count": null, "aggregates": [], "within": null, "since": null});
    object(more).into_iter().for_each(|(key, value)| event[key] = value);
    json!({"event": event})
}

fn message(template: Option<&str>, more: Value) -> Value {
    let mut message = json!({"template": template, "is": "clicked", "within": null, "since": null});
    object(more).into_iter().for_each(|(key, value)| message[key] = value);
    json!({"message": message})
}
