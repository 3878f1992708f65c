//! Everything that is held about one person, in one piece.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsl::contract::CONSENT_EVENTS;
use dsl::model::Settings;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::audience::subscribed;
use crate::cli::export::{EventLine, RunLine, event_line};
use crate::cli::messages::MessageRow;
use crate::cli::names::Names;
use crate::cli::suppression::SuppressedLine;
use crate::clock::{Clock, WallClock};
use crate::instant;
use crate::kernel::{address_of, message_id};
use crate::standing::{Definitions, Happened, Moment};
use crate::state::{ConsentEntry, Contact, Run, Said, Suppressed};
use crate::store::{Result, SqliteStore, Store};

/// How many events are shown.
const LATEST: usize = 50;

/// How much of what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The latest events.
    Latest,
    /// Every event, and the history of every run.
    Everything,
}

/// Times are RFC 3339 in the project's zone.
#[derive(Debug, Serialize)]
pub struct Person {
    pub id: String,
    /// Other ids that lead here.
    pub other_ids: Vec<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    /// Known by an anonymous id only.
    pub anonymous: bool,
    pub erased: bool,
    pub attributes: Map<String, Value>,
    /// What is worked out about the person, as it is now.
    pub traits: BTreeMap<String, Value>,
    pub consents: Vec<ConsentLine>,
    /// Everything that was said of topics, the oldest first.
    pub consent_log: Vec<ConsentLogLine>,
    /// Addresses of the person that get nothing.
    pub suppressed: Vec<SuppressedLine>,
    pub segments: Vec<SegmentLine>,
    pub runs: Vec<RunWithLog>,
    pub messages: Vec<MessageRow>,
    /// The latest first.
    pub events: Vec<EventLine<Value>>,
    /// There are older events.
    pub more_events: bool,
}

#[derive(Debug, Serialize)]
pub struct ConsentLine {
    pub topic: String,
    pub subscribed: bool,
    /// The person said nothing: it is the topic's default.
    pub by_default: bool,
    /// Since when it waits to be confirmed (double opt-in).
    pub pending: Option<String>,
    /// When that was said, where it is known.
    pub since: Option<String>,
    /// By what it was said: a link in a message, or another event; by their ids.
    pub source: Option<String>,
}

/// One thing that was said of a topic.
#[derive(Debug, Serialize)]
pub struct ConsentLogLine {
    pub at: String,
    /// `all`: every topic.
    pub topic: String,
    pub said: Said,
    /// By which way it came.
    pub source: String,
    /// The message whose link was used, or that was complained about.
    pub message: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct SegmentLine {
    pub name: String,
    pub since: String,
}

#[derive(Debug, Serialize)]
pub struct RunWithLog {
    #[serde(flatten)]
    pub run: RunLine,
    pub key: String,
    /// When the runner looks at it next, at the latest.
    pub due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub vars: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<LogLine>,
}

#[derive(Debug, Serialize)]
pub struct LogLine {
    pub at: String,
    pub kind: &'static str,
    pub step: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub detail: Map<String, Value>,
}

impl Person {
    /// # Errors
    /// Those of the store.
    pub fn of(
        store: &mut SqliteStore,
        settings: &Settings,
        definitions: Option<&Definitions>,
        mut contact: Contact,
        extent: Extent,
    ) -> Result<Person> {
        let zone = instant::project_zone(settings);
        let now = WallClock.now();
        // Without definitions the lists are what is known for sure.
        let mut segments = store.lists_of(contact.id)?;
        if let Some(definitions) = definitions {
            let moment = Moment::of(store, now)?;
            let worked_out = definitions.look(store, contact, Happened::Nothing, moment)?;
            segments = definitions.segments_of(store, &worked_out)?;
            contact = worked_out.contact;
        }
        let mut names = Names::of(store)?;
        let id = contact.id;
        let limit = if extent == Extent::Latest { LATEST + 1 } else { usize::MAX };
        let mut events = store.latest_events(id, limit)?;
        let more_events = extent == Extent::Latest && events.len() > LATEST;
        events.truncate(limit.saturating_sub(1).max(LATEST));
        let identity = store.identity()?;
        let uid = names.contact(store, id)?;
        let events = events.into_iter().map(|row| event_line(row, uid.clone(), &identity, &zone)).collect();
        let mut messages = Vec::new();
        for message in store.messages_of(id)? {
            let sent = message_id(&message, settings, &identity);
            let workflow = names.workflow(message.workflow);
            messages.push(MessageRow::new(message, uid.clone(), workflow, sent, &zone));
        }
        let suppressed = suppressed(store, &contact, settings, &messages, &zone)?;
        let mut runs = Vec::new();
        for run in store.runs_of(id)? {
            let workflow = names.workflow(run.workflow);
            runs.push(run_with_log(store, run, (uid.clone(), workflow), extent, &zone)?);
        }
        Ok(Person {
            other_ids: store.aliases(id)?,
            consents: consents(store, &contact, settings, &zone)?,
            consent_log: contact.consent.log.iter().map(|entry| consent_log_line(entry, &zone)).collect(),
            suppressed,
            segments: segments
                .into_iter()
                .map(|(name, since)| SegmentLine { name, since: instant::text(since, &zone) })
                .collect(),
            id: contact.uid,
            email: contact.email,
            phone: contact.phone,
            locale: contact.locale,
            time_zone: contact.time_zone,
            anonymous: contact.anonymous,
            erased: contact.erased,
            attributes: Arc::unwrap_or_clone(contact.attributes),
            traits: contact.traits.iter().map(|(name, value)| (name.clone(), value.at(now).into_owned())).collect(),
            runs,
            messages,
            events,
            more_events,
        })
    }
}

fn run_with_log(
    store: &mut SqliteStore,
    run: Run,
    (contact, workflow): (String, String),
    extent: Extent,
    zone: &TimeZone,
) -> Result<RunWithLog> {
    let log = if extent == Extent::Everything { store.run_log(run.id)? } else { Vec::new() };
    let line = |entry: crate::state::LogEntry| LogLine {
        at: instant::text(entry.at, zone),
        kind: entry.kind.word(),
        step: entry.step,
        detail: entry.detail,
    };
    let all = extent == Extent::Everything;
    Ok(RunWithLog {
        key: run.key.clone(),
        due: run.due.map(|due| instant::text(due, zone)),
        event: run.state.event.clone().filter(|_| all),
        vars: if all { run.state.vars.clone() } else { Map::new() },
        history: log.into_iter().map(line).collect(),
        run: RunLine::of(run, contact, workflow, zone),
    })
}

fn consent_log_line(entry: &ConsentEntry, zone: &TimeZone) -> ConsentLogLine {
    ConsentLogLine {
        at: instant::text(entry.at, zone),
        topic: entry.topic.clone(),
        said: entry.said,
        source: entry.source.clone(),
        message: entry.message.map(|message| message.to_string()),
    }
}

/// What the suppression list says of every address at which the person is, or was, written to.
fn suppressed(
    store: &mut SqliteStore,
    contact: &Contact,
    settings: &Settings,
    messages: &[MessageRow],
    zone: &TimeZone,
) -> Result<Vec<SuppressedLine>> {
    let now = WallClock.now();
    let own = settings
        .channels
        .iter()
        .filter_map(|(name, channel)| Some((name.as_str(), address_of(contact, channel.to.as_ref()?, now)?)));
    let written = messages.iter().filter_map(|row| Some((row.channel.as_str(), row.to.clone()?)));
    let all: BTreeSet<(&str, String)> =
        own.chain(written).map(|(channel, address)| (channel, Suppressed::normal(channel, &address))).collect();
    let mut lines = Vec::new();
    for (channel, address) in all {
        lines.extend(store.suppressed(channel, &address)?.map(|row| SuppressedLine::of(row, zone)));
    }
    Ok(lines)
}

/// Every topic of the project, and what the person said about others.
fn consents(store: &mut SqliteStore, contact: &Contact, settings: &Settings, zone: &TimeZone) -> Result<Vec<ConsentLine>> {
    let mut said = Vec::new();
    for name in CONSENT_EVENTS {
        for event in store.events(contact.id, name, i64::MIN, false)? {
            said.push((event, name == "subscribed"));
        }
    }
    said.sort_by_key(|(event, _)| (event.at, event.id));
    let consent = &contact.consent;
    let topics: BTreeSet<&String> = settings.topics.keys().chain(consent.topics.keys()).chain(consent.pending.keys()).collect();
    let line = |topic: &String| {
        let subscribed = match settings.topics.contains_key(topic) {
            true => subscribed(contact, settings, topic),
            false => contact.consent.topics.get(topic).copied().unwrap_or(false),
        };
        let about = |event: &crate::state::Event| {
            let about = event.properties.get("topic").and_then(Value::as_str);
            about.is_some_and(|about| about == topic || about == "all")
        };
        let latest = said.iter().rev().find(|(event, _)| about(event)).filter(|(_, yes)| *yes == subscribed);
        ConsentLine {
            topic: topic.clone(),
            subscribed,
            by_default: !contact.consent.none && !contact.consent.topics.contains_key(topic),
            pending: contact.consent.pending.get(topic).map(|since| instant::text(*since, zone)),
            since: latest.map(|(event, _)| instant::text(event.at, zone)),
            source: latest.map(|(event, _)| match event.message {
                Some(message) => format!("message {message}"),
                None => format!("event {}", event.id),
            }),
        }
    };
    Ok(topics.into_iter().map(line).collect())
}
