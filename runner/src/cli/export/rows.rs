//! The rows of exports: contacts and events in the form that `import` reads, and runs.

use std::sync::Arc;
use std::vec::IntoIter;

use dsl::contract::Contract;
use dsl::model::Settings;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::PAGE;
use crate::audience::subscribed;
use crate::cli::names::Names;
use crate::ingest::{attribute_cell, own_event_id};
use crate::instant;
use crate::state::{Consent, Contact, ContactId, EndReason, EventId, Run, RunId};
use crate::store::{EventRow, Result, SqliteStore, Store};

/// Rows that are read page by page, each with the id that the next page comes after.
struct Pages<T> {
    page: IntoIter<T>,
    after: i64,
}

impl<T> Pages<T> {
    fn new() -> Pages<T> {
        Pages { page: Vec::new().into_iter(), after: 0 }
    }

    /// `read` gives the rows after an id; true says that a new page has begun.
    fn next(&mut self, read: impl FnOnce(i64) -> Result<Vec<T>>, id: impl Fn(&T) -> i64) -> Result<Option<(T, bool)>> {
        if let Some(row) = self.page.next() {
            return Ok(Some((row, false)));
        }
        let page = read(self.after)?;
        if let Some(last) = page.last() {
            self.after = id(last);
        }
        self.page = page.into_iter();
        Ok(self.page.next().map(|row| (row, true)))
    }
}

/// A contact, as a line of JSON Lines.
#[derive(Debug, Serialize)]
pub struct ContactLine {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    /// `None`: the contact has said nothing, so that the topics' defaults apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    topics: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
}

impl ContactLine {
    fn of(contact: Contact, settings: &Settings) -> ContactLine {
        let topics = (*contact.consent != Consent::default()).then(|| topics(&contact, settings));
        let Contact { uid, email, phone, locale, time_zone, attributes, .. } = contact;
        ContactLine { id: uid, email, phone, locale, time_zone, topics, attributes: Arc::unwrap_or_clone(attributes) }
    }
}

/// The topics that the contact is subscribed to, with those it asked for that the settings do not know any more.
fn topics(contact: &Contact, settings: &Settings) -> Vec<String> {
    let known = settings.topics.keys().filter(|topic| subscribed(contact, settings, topic)).cloned();
    let asked = contact.consent.topics.iter().filter(|(topic, yes)| **yes && !settings.topics.contains_key(*topic));
    known.chain(asked.map(|(topic, _)| topic.clone())).collect()
}

pub struct Contacts<'a> {
    store: SqliteStore,
    settings: &'a Settings,
    pages: Pages<Contact>,
}

impl Contacts<'_> {
    pub fn new(store: SqliteStore, settings: &Settings) -> Contacts<'_> {
        Contacts { store, settings, pages: Pages::new() }
    }
}

impl Iterator for Contacts<'_> {
    type Item = Result<ContactLine>;

    fn next(&mut self) -> Option<Result<ContactLine>> {
        let store = &mut self.store;
        let row = self.pages.next(|after| store.contact_page(ContactId(after), PAGE), |contact| contact.id.0).transpose()?;
        Some(row.map(|(contact, _)| ContactLine::of(contact, self.settings)))
    }
}

/// The columns of contacts in CSV: the attributes that the contract declares each have one, and the rest stands as JSON in the last.
pub struct ContactColumns<'a> {
    contract: &'a Contract,
    attributes: Vec<String>,
}

const FIELDS: [&str; 6] = ["id", "email", "phone", "locale", "time_zone", "topics"];
const REST: &str = "attributes";

impl ContactColumns<'_> {
    pub fn of(contract: &Contract) -> ContactColumns<'_> {
        let attributes = contract.contact_attributes().into_iter().filter(|name| name != REST && name.trim() == name);
        ContactColumns { attributes: attributes.filter(|name| !name.is_empty()).collect(), contract }
    }

    pub fn header(&self) -> Vec<String> {
        let fields = FIELDS.map(str::to_owned).into_iter();
        fields.chain(self.attributes.iter().cloned()).chain([REST.to_owned()]).collect()
    }

    pub fn cells(&self, contact: ContactLine) -> Vec<String> {
        let ContactLine { id, email, phone, locale, time_zone, topics, mut attributes } = contact;
        let mut cells = vec![id];
        cells.extend([email, phone, locale, time_zone].map(Option::unwrap_or_default));
        cells.push(topics.map_or_else(String::new, |topics| topics_cell(&topics)));
        for name in &self.attributes {
            // What would not come back as it is stands with the rest.
            let cell = attributes.get(name).and_then(|value| attribute_cell(self.contract, name, value));
            if cell.is_some() {
                attributes.remove(name);
            }
            cells.push(cell.unwrap_or_default());
        }
        cells.push(if attributes.is_empty() { String::new() } else { Value::Object(attributes).to_string() });
        cells
    }
}

/// An empty cell would say nothing, so that no topic at all is written as an empty list.
fn topics_cell(topics: &[String]) -> String {
    let plain = |topic: &String| topic.chars().all(|character| character.is_alphanumeric() || "-_.".contains(character));
    if !topics.is_empty() && topics.iter().all(|topic| !topic.is_empty() && plain(topic)) {
        return topics.join(";");
    }
    Value::from(topics.to_vec()).to_string()
}

/// An event; the properties are an object, in CSV its text.
#[derive(Debug, Serialize)]
pub struct EventLine<P> {
    at: String,
    contact: String,
    event: String,
    properties: P,
    id: String,
}

pub const EVENT_COLUMNS: [&str; 5] = ["at", "contact", "event", "properties", "id"];

impl EventLine<Value> {
    /// When and what, on one line.
    pub fn line(&self) -> String {
        let properties =
            if self.properties.as_object().is_none_or(Map::is_empty) { String::new() } else { format!("  {}", self.properties) };
        format!("{}  {}{properties}", self.at, self.event)
    }

    pub fn flat(self) -> EventLine<String> {
        let EventLine { at, contact, event, properties, id } = self;
        let properties = if properties.as_object().is_none_or(Map::is_empty) { String::new() } else { properties.to_string() };
        EventLine { at, contact, event, properties, id }
    }
}

pub struct Events {
    store: SqliteStore,
    zone: TimeZone,
    identity: String,
    pages: Pages<EventRow>,
    names: Names,
}

impl Events {
    /// # Errors
    /// Those of the store.
    pub fn new(mut store: SqliteStore, settings: &Settings) -> Result<Events> {
        let (identity, names) = (store.identity()?, Names::of(&mut store)?);
        Ok(Events { store, zone: instant::project_zone(settings), identity, pages: Pages::new(), names })
    }

    fn row(&mut self) -> Result<Option<EventLine<Value>>> {
        let store = &mut self.store;
        let row = self.pages.next(|after| store.event_page(EventId(after), PAGE), |row| row.event.id.0)?;
        let Some((row, new_page)) = row else { return Ok(None) };
        if new_page {
            self.names.next_page();
        }
        let contact = self.names.contact(&mut self.store, row.contact)?;
        Ok(Some(event_line(row, contact, &self.identity, &self.zone)))
    }
}

/// `contact` is the uid. An event without an id of its own gets one by which this store knows it again.
pub fn event_line(row: EventRow, contact: String, identity: &str, zone: &TimeZone) -> EventLine<Value> {
    let id = row.uid.unwrap_or_else(|| own_event_id(identity, row.event.id));
    EventLine { at: instant::text(row.event.at, zone), contact, event: row.name, properties: row.event.properties, id }
}

impl Iterator for Events {
    type Item = Result<EventLine<Value>>;

    fn next(&mut self) -> Option<Result<EventLine<Value>>> {
        self.row().transpose()
    }
}

/// A run, open or ended.
#[derive(Debug, Serialize)]
pub struct RunLine {
    pub id: String,
    pub contact: String,
    pub workflow: String,
    /// On which it stands, or stood when it ended.
    pub step: String,
    /// active, completed (also by its goal) or exited.
    pub status: &'static str,
    pub entered_at: String,
    pub ended_at: Option<String>,
    pub reason: Option<&'static str>,
    pub detail: Option<String>,
}

pub const RUN_COLUMNS: [&str; 9] = ["id", "contact", "workflow", "step", "status", "entered_at", "ended_at", "reason", "detail"];

impl RunLine {
    pub fn of(run: Run, contact: String, workflow: String, zone: &TimeZone) -> RunLine {
        let status = match run.ended.as_ref().map(|ended| ended.reason) {
            None => "active",
            Some(EndReason::Completed | EndReason::Goal) => "completed",
            Some(_) => "exited",
        };
        let reason = run.ended.as_ref().map(|ended| ended.reason.word());
        let ended_at = run.ended.as_ref().map(|ended| instant::text(ended.at, zone));
        RunLine {
            id: run.id.to_string(),
            contact,
            workflow,
            step: run.step,
            status,
            entered_at: instant::text(run.entered_at, zone),
            ended_at,
            reason,
            detail: run.ended.and_then(|ended| ended.detail),
        }
    }
}

pub struct Runs {
    store: SqliteStore,
    zone: TimeZone,
    pages: Pages<Run>,
    names: Names,
}

impl Runs {
    /// # Errors
    /// Those of the store.
    pub fn new(mut store: SqliteStore, settings: &Settings) -> Result<Runs> {
        let names = Names::of(&mut store)?;
        Ok(Runs { store, zone: instant::project_zone(settings), pages: Pages::new(), names })
    }

    fn row(&mut self) -> Result<Option<RunLine>> {
        let store = &mut self.store;
        let row = self.pages.next(|after| store.run_page(RunId(after), PAGE), |run| run.id.0)?;
        let Some((run, new_page)) = row else { return Ok(None) };
        if new_page {
            self.names.next_page();
        }
        let contact = self.names.contact(&mut self.store, run.contact)?;
        let workflow = self.names.workflow(run.workflow);
        Ok(Some(RunLine::of(run, contact, workflow, &self.zone)))
    }
}

impl Iterator for Runs {
    type Item = Result<RunLine>;

    fn next(&mut self) -> Option<Result<RunLine>> {
        self.row().transpose()
    }
}
