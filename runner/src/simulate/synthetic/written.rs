//! An audience written down while it is at work, in the form that `--contacts` and `--events` read.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::super::{Coming, Line};
use crate::ingest::{ContactInput, Occurrence, What};
use crate::instant;

/// Passes on what comes, and writes each thing down on its way.
pub struct Written<C> {
    pub coming: C,
    pub to: Option<Box<dyn Write>>,
    pub zone: TimeZone,
}

impl<C: Coming> Coming for Written<C> {
    fn next_at(&mut self) -> Option<i64> {
        self.coming.next_at()
    }

    fn take(&mut self) -> io::Result<Option<Occurrence>> {
        let next = self.coming.take()?;
        if let (Some(occurrence), Some(to)) = (&next, &mut self.to) {
            row(to, &occurrence_row(occurrence, &self.zone))?;
        }
        Ok(next)
    }

    fn saw(&mut self, line: &Line) {
        self.coming.saw(line);
    }

    fn taken(&self) -> u64 {
        self.coming.taken()
    }
}

/// One row of JSON Lines.
///
/// # Errors
/// Those of writing.
pub fn row(to: &mut dyn Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// A contact as a row of a contact file.
pub fn contact_row(contact: &ContactInput) -> Value {
    let own =
        [("email", &contact.email), ("phone", &contact.phone), ("locale", &contact.locale), ("time_zone", &contact.time_zone)];
    let mut fields = Map::from_iter([("id".to_owned(), Value::from(contact.id.as_str()))]);
    fields.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
    fields.extend(contact.topics.as_ref().map(|topics| ("topics".to_owned(), json!(topics))));
    if !contact.attributes.is_empty() {
        fields.insert("attributes".to_owned(), Value::Object(contact.attributes.clone()));
    }
    Value::Object(fields)
}

/// What happened as a row of an event file.
fn occurrence_row(occurrence: &Occurrence, zone: &TimeZone) -> Value {
    let mut fields = Map::from_iter([
        ("at".to_owned(), Value::from(instant::text(occurrence.at, zone))),
        ("contact".to_owned(), Value::from(occurrence.contact.as_str())),
    ]);
    let mut say = |key: &str, value: Value| fields.insert(key.to_owned(), value);
    match &occurrence.what {
        What::Event { name, properties, id } => {
            say("event", name.as_str().into());
            if !properties.is_empty() {
                say("properties", Value::Object(properties.clone()));
            }
            if let Some(id) = id {
                say("id", id.as_str().into());
            }
        }
        What::Set(values) => {
            say("set", Value::Object(values.clone()));
        }
        What::Subscribe(topic) => {
            say("subscribe", topic.as_str().into());
        }
        What::Unsubscribe(topic) => {
            say("unsubscribe", topic.as_str().into());
        }
        What::Confirm(topic) => {
            say("confirm", topic.as_str().into());
        }
        What::Erase => {
            say("erase", true.into());
        }
    }
    Value::Object(fields)
}
