//! What SQL cannot say exactly, as functions that SQL can call: they run the very code that checks one contact in memory.
//!
//! - `value_meets(test, time_zone, value)` and, for attributes and traits, `value_meets(test, time_zone, attributes, traits)`: a test of one value
//! - `events_meet(test, properties)`: an aggregate over a contact's events, in order of time
//!
//! They are registered once for each connection; what a query asks stands in a table that they hold, under the number `test`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use dsl::model::{Condition, EventCondition, Path, Predicate, Settings};
use jiff::tz::TimeZone;
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use crate::audience::{Scope, meets_all, subscribed, value_at, verdict};
use crate::instant::project_zone;
use crate::state::{Contact, Event, EventId};
use crate::store::sqlite::db::backend;
use crate::store::{Question, Result};

/// Zones that are kept; there are fewer, but contacts may name what they like.
const ZONES_KEPT: usize = 1_024;

/// One thing that a function is asked.
pub(super) enum Test {
    Value {
        path: Path,
        tests: Vec<Predicate>,
        from: Source,
    },
    Topic(String),
    /// Whether the events, which its filter has let through, are what it asks for.
    Events(EventCondition),
}

/// What the function is handed to find the value in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The column of a built-in field.
    Field,
    /// The column of consents.
    Consent,
    /// Attributes and traits.
    Contact,
    /// The properties of the event at hand.
    Event,
}

/// The functions' side of a connection.
pub(in crate::store::sqlite) struct Functions {
    asked: Arc<Mutex<Option<Asked>>>,
}

/// What one query asks.
struct Asked {
    tests: Vec<Test>,
    settings: Settings,
    now: i64,
    project_zone: TimeZone,
    zones: HashMap<String, Option<TimeZone>>,
}

/// Why a call has no answer: the text ends up in the error of the query.
type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Functions {
    pub(in crate::store::sqlite) fn register(conn: &Connection) -> Result<Functions> {
        let doing = "set up its connection";
        let functions = Functions { asked: Arc::default() };
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
        for arguments in [3, 4] {
            let asked = functions.asked.clone();
            conn.create_scalar_function("value_meets", arguments, flags, move |call| {
                with(&asked, |asked| asked.value_meets(call)).map_err(rusqlite::Error::UserFunctionError)
            })
            .map_err(backend(doing))?;
        }
        conn.create_aggregate_function("events_meet", 2, flags, EventsMeet(functions.asked.clone())).map_err(backend(doing))?;
        Ok(functions)
    }

    /// From now on calls are about these tests.
    pub(super) fn ask(&self, question: &Question<'_>, tests: Vec<Test>) {
        let asked = Asked {
            tests,
            settings: question.settings.clone(),
            now: question.now,
            project_zone: project_zone(question.settings),
            zones: HashMap::new(),
        };
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
    }
}

fn with<R>(
    asked: &Mutex<Option<Asked>>,
    act: impl FnOnce(&mut Asked) -> std::result::Result<R, Failed>,
) -> std::result::Result<R, Failed> {
    match asked.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
        Some(asked) => act(asked),
        None => Err("nothing was asked".into()),
    }
}

impl Asked {
    fn value_meets(&mut self, call: &Context<'_>) -> std::result::Result<bool, Failed> {
        let zone = self.zone(call.get_raw(1))?;
        let scope = Scope::outside(self.now, &zone, &self.settings, &NO_SEGMENTS);
        let mut contact = Contact::new("");
        let (path, tests, from) = match self.tests.get(number(call)?) {
            Some(Test::Value { path, tests, from }) => (path, tests, *from),
            Some(Test::Topic(topic)) => {
                contact.consent = json(call.get_raw(2))?;
                return Ok(subscribed(&contact, &self.settings, topic));
            }
            _ => return Err("there is no such test of a value".into()),
        };
        let mut event = None;
        match from {
            Source::Field => {
                let text = text(call.get_raw(2))?.map(str::to_owned);
                match path.keys.first().map(String::as_str) {
                    Some("id") => contact.uid = text.unwrap_or_default(),
                    Some("email") => contact.email = text,
                    Some("phone") => contact.phone = text,
                    Some("locale") => contact.locale = text,
                    _ => contact.time_zone = text,
                }
            }
            Source::Consent => contact.consent = json(call.get_raw(2))?,
            Source::Contact => {
                contact.attributes = json(call.get_raw(2))?;
                contact.traits = json(call.get_raw(3))?;
            }
            Source::Event => event = Some(Value::Object(json(call.get_raw(2))?)),
        }
        let scope = Scope { event: event.as_ref(), ..scope };
        Ok(meets_all(tests, value_at(path, &contact, &scope).as_deref(), &scope).holds)
    }

    /// The contact's zone; the project's for none or an unknown one.
    fn zone(&mut self, name: ValueRef<'_>) -> std::result::Result<TimeZone, Failed> {
        let Some(name) = text(name)? else { return Ok(self.project_zone.clone()) };
        if !self.zones.contains_key(name) {
            if self.zones.len() >= ZONES_KEPT {
                self.zones.clear();
            }
            self.zones.insert(name.to_owned(), dsl::time::zone(name));
        }
        Ok(self.zones.get(name).cloned().flatten().unwrap_or_else(|| self.project_zone.clone()))
    }
}

/// Conditions on values name none.
static NO_SEGMENTS: BTreeMap<String, Condition> = BTreeMap::new();

struct EventsMeet(Arc<Mutex<Option<Asked>>>);

/// The events gone through so far.
struct Gathered {
    test: usize,
    events: Vec<Event>,
}

impl Aggregate<Gathered, Option<bool>> for EventsMeet {
    fn init(&self, call: &mut Context<'_>) -> rusqlite::Result<Gathered> {
        Ok(Gathered { test: number(call).map_err(rusqlite::Error::UserFunctionError)?, events: Vec::new() })
    }

    fn step(&self, call: &mut Context<'_>, gathered: &mut Gathered) -> rusqlite::Result<()> {
        let properties = json::<Map<String, Value>>(call.get_raw(1)).map_err(rusqlite::Error::UserFunctionError)?;
        // Neither which events they are nor when they happened matters any more.
        gathered.events.push(Event { id: EventId(0), at: 0, properties: Value::Object(properties), message: None });
        Ok(())
    }

    /// Null where there are no events: the function is not even told what was asked.
    fn finalize(&self, _: &mut Context<'_>, gathered: Option<Gathered>) -> rusqlite::Result<Option<bool>> {
        let Some(Gathered { test, events }) = gathered else { return Ok(None) };
        let counted: Vec<&Event> = events.iter().collect();
        let answer = with(&self.0, |asked| {
            let Some(Test::Events(condition)) = asked.tests.get(test) else {
                return Err("there is no such test of events".into());
            };
            let scope = Scope::outside(asked.now, &asked.project_zone, &asked.settings, &NO_SEGMENTS);
            Ok(verdict(condition, &counted, &scope))
        });
        answer.map(Some).map_err(rusqlite::Error::UserFunctionError)
    }
}

/// Which test is meant: the first argument.
fn number(call: &Context<'_>) -> std::result::Result<usize, Failed> {
    Ok(usize::try_from(call.get_raw(0).as_i64()?)?)
}

fn text(value: ValueRef<'_>) -> std::result::Result<Option<&str>, Failed> {
    Ok(value.as_str_or_null()?)
}

fn json<T: serde::de::DeserializeOwned + Default>(value: ValueRef<'_>) -> std::result::Result<T, Failed> {
    match text(value)? {
        Some(text) => Ok(serde_json::from_str(text)?),
        None => Ok(T::default()),
    }
}
