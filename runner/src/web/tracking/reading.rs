//! What the calls of the tracking spec mean: inputs for the kernel, or what is wrong, at its place.

use axum::http::StatusCode;
use dsl::contract::Fault;
use dsl::model::InvalidData;
use dsl::time::parse_date;
use serde::Serialize;
use serde_json::{Map, Value};

use super::halves::mended;
use super::wire::{self, Given, Item};
use crate::ingest::{Alias, ContactInput, Expected, Identification, Occurrence, What, zone_warning};
use crate::kernel::Input;
use crate::web::problem::Problem;

/// The longest id and the longest name of an event, in characters.
pub(crate) const LONGEST_ID: usize = 1000;
/// The whole numbers that every JSON reader reads exactly (RFC 8259, section 6).
pub(crate) const EXACT: i64 = (1 << 53) - 1;

/// What is asked: the last part of the address, or an item's `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Identify,
    Track,
    Page,
    Screen,
    Group,
    Alias,
    Batch,
    /// A batch of what happened long ago: it counts, and starts nothing.
    Import,
}

/// Against what a body is held.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// When it was received: ms since 1970 UTC.
    pub now: i64,
    pub expected: &'a Expected,
}

/// What a body holds.
#[derive(Debug)]
pub struct Taken {
    /// In the order of the body.
    pub inputs: Vec<Input>,
    pub rejected: Vec<Rejected>,
}

/// What is to be reported of a body, whatever became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// How many contacts break the data contract, let through or not.
    pub contacts: u64,
    /// The same for events.
    pub events: u64,
    /// What is odd about what was taken, without the data.
    pub warnings: Vec<String>,
}

/// An item of a batch that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejected {
    pub index: usize,
    pub message_id: Option<String>,
    #[serde(flatten)]
    pub problem: Problem,
}

/// Reads a body.
///
/// # Errors
/// When nothing in it can be used: what is wrong with the whole, or with the first item.
pub fn read(call: Call, body: &str, moment: Moment<'_>, notes: &mut Notes) -> Result<Taken, Problem> {
    let body = &*mended(body);
    match call {
        Call::Batch | Call::Import => read_batch(call, body, moment, notes),
        _ => {
            let given = wire::single(body).map_err(|words| Problem::whole("invalid_json", words))?;
            let input = Reading { moment, notes, sent_at: None, history: false }.given(given, Some(call))?;
            Ok(Taken { inputs: vec![input], rejected: Vec::new() })
        }
    }
}

fn read_batch(call: Call, body: &str, moment: Moment<'_>, notes: &mut Notes) -> Result<Taken, Problem> {
    let batch = wire::batch(body).map_err(|words| Problem::whole("invalid_json", words))?;
    let batch = batch.ok_or_else(not_an_object)?;
    if let Some(wrong) = batch.wrong {
        return Err(Problem::whole("invalid", wrong));
    }
    let sent_at = time(batch.sent_at, "sentAt", moment.expected)?;
    let Some(items) = batch.items else {
        return Err(Problem::at("batch", "missing", "there must be a list `batch`"));
    };
    if batch.too_many {
        return Err(Problem::at("batch", "invalid", "there are more items than one batch may have; send several"));
    }
    if items.is_empty() {
        return Err(Problem::at("batch", "missing", "the batch is empty"));
    }
    let mut taken = Taken { inputs: Vec::with_capacity(items.len()), rejected: Vec::new() };
    let mut reading = Reading { moment, notes, sent_at, history: call == Call::Import };
    for (index, given) in items.into_iter().enumerate() {
        let message_id = match &given {
            Given::Item(item) => item.message_id.as_str().map(str::to_owned),
            Given::Other | Given::Unreadable(_) => None,
        };
        match reading.given(given, None) {
            Ok(input) => taken.inputs.push(input),
            Err(problem) => {
                let problem = problem.within(&format!("batch[{index}]"));
                taken.rejected.push(Rejected { index, message_id, problem });
            }
        }
    }
    match taken.rejected.first() {
        Some(first) if taken.inputs.is_empty() => Err(first.problem.clone()),
        _ => Ok(taken),
    }
}

/// One item being read.
struct Reading<'a, 'm> {
    moment: Moment<'m>,
    notes: &'a mut Notes,
    /// The batch's.
    sent_at: Option<i64>,
    history: bool,
}

/// Who did it.
struct Who {
    id: String,
    anonymous: bool,
}

impl Reading<'_, '_> {
    /// `call` is what the address says; without it the item's `type` does.
    fn given(&mut self, given: Given, call: Option<Call>) -> Result<Input, Problem> {
        let mut item = match given {
            Given::Item(item) => item,
            Given::Other => return Err(not_an_object()),
            Given::Unreadable(words) => return Err(Problem::whole("invalid_json", words)),
        };
        if let Some(wrong) = item.wrong.take() {
            return Err(Problem::whole("invalid", wrong));
        }
        let call = match call {
            Some(call) => call,
            None => kind(std::mem::take(&mut item.kind))?,
        };
        let at = self.time_of(&mut item)?;
        let message_id = id(std::mem::take(&mut item.message_id), "messageId")?;
        match call {
            Call::Identify => self.identify(*item, message_id),
            Call::Alias => alias(*item, message_id),
            Call::Track => {
                let name = id(std::mem::take(&mut item.event), "event")?;
                let name = name.ok_or_else(|| Problem::at("event", "missing", "there must be an `event`: its name"))?;
                let properties = object(std::mem::take(&mut item.properties), "properties")?;
                self.event(*item, name, properties, "properties", at, message_id)
            }
            Call::Page => self.view("page", *item, at, message_id),
            Call::Screen => self.view("screen", *item, at, message_id),
            Call::Group => {
                let group = id(std::mem::take(&mut item.group_id), "groupId")?;
                let group = group.ok_or_else(|| Problem::at("groupId", "missing", "there must be a `groupId`"))?;
                let mut properties = object(std::mem::take(&mut item.traits), "traits")?;
                properties.insert("group_id".to_owned(), group.into());
                self.event(*item, "group".to_owned(), properties, "traits", at, message_id)
            }
            Call::Batch | Call::Import => Err(unknown_type()),
        }
    }

    /// When it happened: by the sender's clock, put right by how far that was off when it was sent; never in the future.
    fn time_of(&self, item: &mut Item) -> Result<i64, Problem> {
        let now = self.moment.now;
        let read = |value: &mut Value, field| time(std::mem::take(value), field, self.moment.expected);
        let timestamp = read(&mut item.timestamp, "timestamp")?;
        let original = read(&mut item.original_timestamp, "originalTimestamp")?;
        let sent_at = read(&mut item.sent_at, "sentAt")?.or(self.sent_at);
        let Some(at) = timestamp.or(original) else { return Ok(now) };
        let at = sent_at.map_or(at, |sent_at| at.saturating_add(now.saturating_sub(sent_at)));
        Ok(at.clamp(jiff::Timestamp::MIN.as_millisecond(), now))
    }

    fn identify(&mut self, item: Item, message_id: Option<String>) -> Result<Input, Problem> {
        let person = id(item.user_id, "userId")?;
        let anonymous = id(item.anonymous_id, "anonymousId")?;
        let anonymous_only = person.is_none();
        let (id, anonymous) = match (person, anonymous) {
            (Some(person), anonymous) => (person, anonymous),
            (None, Some(anonymous)) => (anonymous, None),
            (None, None) => return Err(nobody()),
        };
        let mut traits = object(item.traits, "traits")?;
        // The person's id in the sender's own database; who it is about has been said.
        traits.remove("id");
        let traits = Value::Object(traits);
        let faults = self.moment.expected.faults_of_values(&traits);
        self.breach(faults, "traits", |notes| &mut notes.contacts)?;
        let Value::Object(traits) = traits else { return Err(not_an_object()) };
        let contact = contact(id, traits)?;
        self.notes.warnings.extend(zone_warning(contact.time_zone.as_deref()));
        Ok(Input::Identify(Identification { contact, anonymous, anonymous_only, message_id }))
    }

    /// A page or a screen that was seen.
    fn view(&mut self, event: &str, mut item: Item, at: i64, message_id: Option<String>) -> Result<Input, Problem> {
        let mut properties = object(std::mem::take(&mut item.properties), "properties")?;
        for (value, field) in [(&mut item.name, "name"), (&mut item.category, "category")] {
            match std::mem::take(value) {
                Value::Null => {}
                Value::String(text) => drop(properties.insert(field.to_owned(), text.into())),
                _ => return Err(not_text(field)),
            }
        }
        self.event(item, event.to_owned(), properties, "properties", at, message_id)
    }

    /// `place` is where the properties stood.
    fn event(
        &mut self,
        item: Item,
        name: String,
        properties: Map<String, Value>,
        place: &str,
        at: i64,
        message_id: Option<String>,
    ) -> Result<Input, Problem> {
        let who = match (id(item.user_id, "userId")?, id(item.anonymous_id, "anonymousId")?) {
            (Some(id), _) => Who { id, anonymous: false },
            (None, Some(id)) => Who { id, anonymous: true },
            (None, None) => return Err(nobody()),
        };
        let properties = Value::Object(properties);
        let faults = self.moment.expected.contract.event_faults(&name, &properties);
        self.breach(faults, place, |notes| &mut notes.events)?;
        let Value::Object(properties) = properties else { return Err(not_an_object()) };
        let what = What::Event { name, properties, id: message_id };
        let occurrence = Occurrence { at, contact: who.id, anonymous: who.anonymous, what };
        let grace = self.moment.expected.settings.grace.millis();
        let fresh = !self.history && at >= self.moment.now.saturating_sub(grace);
        Ok(if fresh { Input::Occurrence(occurrence) } else { Input::History(occurrence) })
    }

    /// What breaks the data contract is counted, and refused or let through as the settings say.
    fn breach(&mut self, faults: Vec<Fault>, place: &str, count: impl FnOnce(&mut Notes) -> &mut u64) -> Result<(), Problem> {
        let Some(fault) = faults.into_iter().next() else { return Ok(()) };
        *count(self.notes) += 1;
        if self.moment.expected.settings.invalid_data == InvalidData::Accept {
            return Ok(());
        }
        let place = match fault.at.as_str() {
            "" => place.to_owned(),
            at if at.starts_with('[') => format!("{place}{at}"),
            at => format!("{place}.{at}"),
        };
        Err(Problem::at(place, "contract", fault.words))
    }
}

/// The contact's own fields, and everything else as attributes.
fn contact(id: String, mut traits: Map<String, Value>) -> Result<ContactInput, Problem> {
    let mut text = |name: &str| match traits.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(not_text(name).within("traits")),
    };
    let (email, phone, locale, time_zone) = (text("email")?, text("phone")?, text("locale")?, text("time_zone")?);
    if email.as_deref().is_some_and(|email| email.contains(char::is_control)) {
        return Err(Problem::at("traits.email", "invalid", "`email` holds control characters"));
    }
    let topics = match traits.remove("topics") {
        None | Some(Value::Null) => None,
        Some(Value::Array(topics)) => Some(topics.into_iter().map(topic).collect::<Result<_, _>>()?),
        Some(_) => return Err(no_topics()),
    };
    Ok(ContactInput { id, email, phone, locale, time_zone, topics, attributes: traits })
}

fn topic(value: Value) -> Result<String, Problem> {
    match value {
        Value::String(topic) => Ok(topic),
        _ => Err(no_topics()),
    }
}

fn alias(item: Item, message_id: Option<String>) -> Result<Input, Problem> {
    let needed = |value, field| {
        id(value, field)?.ok_or_else(|| Problem::at(field, "missing", "there must be a `previousId` and a `userId`"))
    };
    let previous = needed(item.previous_id, "previousId")?;
    let contact = needed(item.user_id, "userId")?;
    Ok(Input::Alias(Alias { previous, contact, message_id }))
}

fn kind(value: Value) -> Result<Call, Problem> {
    match value.as_str() {
        Some("identify") => Ok(Call::Identify),
        Some("track") => Ok(Call::Track),
        Some("page") => Ok(Call::Page),
        Some("screen") => Ok(Call::Screen),
        Some("group") => Ok(Call::Group),
        Some("alias") => Ok(Call::Alias),
        _ => Err(unknown_type()),
    }
}

/// A text that names something; whole numbers are taken as their text, and nothing and an empty text are the same.
fn id(value: Value, field: &str) -> Result<Option<String>, Problem> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        Value::Number(number) => match whole(&number) {
            Some(whole) => whole.to_string(),
            None => return Err(Problem::at(field, "invalid", format!("`{field}` must be text or a whole number"))),
        },
        _ => return Err(not_text(field)),
    };
    if text.contains(char::is_control) {
        return Err(Problem::at(field, "invalid", format!("`{field}` holds control characters")));
    }
    if text.len() > LONGEST_ID && text.chars().count() > LONGEST_ID {
        return Err(Problem::at(field, "invalid", format!("`{field}` is longer than {LONGEST_ID} characters")));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// 7 and 7.0 are the same number in JSON.
fn whole(number: &serde_json::Number) -> Option<i64> {
    let exact = |whole: &i64| (-EXACT..=EXACT).contains(whole);
    let from_fraction = || number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() <= EXACT as f64);
    number.as_i64().or_else(|| from_fraction().map(|value| value as i64)).filter(exact)
}

fn time(value: Value, field: &'static str, expected: &Expected) -> Result<Option<i64>, Problem> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => match parse_date(&text) {
            Some(date) => Ok(Some(date.instant(&expected.zone))),
            None => Err(no_time(field)),
        },
        _ => Err(no_time(field)),
    }
}

fn object(value: Value, field: &str) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(object) => Ok(object),
        _ => Err(Problem::at(field, "invalid", format!("`{field}` must be an object"))),
    }
}

fn no_time(field: &'static str) -> Problem {
    Problem::at(field, "invalid", format!("`{field}` is no time; write it like 2026-03-29T09:00:00.000Z"))
}

fn no_topics() -> Problem {
    Problem::at("traits.topics", "invalid", "`topics` must be a list of topic names")
}

fn not_text(field: &str) -> Problem {
    Problem::at(field, "invalid", format!("`{field}` must be text"))
}

fn not_an_object() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid", "there must be a JSON object here")
}

fn unknown_type() -> Problem {
    Problem::at("type", "invalid", "`type` must be identify, track, page, screen, group or alias")
}

fn nobody() -> Problem {
    Problem::at("userId", "missing", "there must be a `userId` or an `anonymousId`")
}
