//! A contact and what they agreed to.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::{ContactId, MessageId};

/// A copy is cheap: what there may be much of is shared until it is changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: ContactId,
    /// The id that people and other systems use.
    pub uid: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    /// IANA name as given; may be unknown, then the project's applies.
    pub time_zone: Option<String>,
    /// Everything else that is known; never holds null.
    pub attributes: Arc<Map<String, Value>>,
    /// What is worked out about the contact, by the name of the trait. A trait without a value is left out.
    pub traits: Arc<Traits>,
    pub upkeep: Upkeep,
    pub consent: Arc<Consent>,
    /// Known by an anonymous id only, until an identify or alias joins it to a person.
    pub anonymous: bool,
    /// Erased: nothing but the row is left, and nobody is written to.
    pub erased: bool,
}

impl Contact {
    /// One of whom nothing is known but the id; not stored yet.
    pub fn new(uid: &str) -> Contact {
        Contact {
            id: ContactId(0),
            uid: uid.to_owned(),
            email: None,
            phone: None,
            locale: None,
            time_zone: None,
            attributes: Arc::default(),
            traits: Arc::default(),
            upkeep: Upkeep::default(),
            consent: Arc::default(),
            anonymous: false,
            erased: false,
        }
    }
}

/// How far the traits and segments of a contact are worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Upkeep {
    /// Of the definitions; 0: not at all.
    pub version: i64,
    /// When time alone may change something, in ms since 1970 UTC.
    pub recheck: Option<i64>,
}

pub type Traits = BTreeMap<String, TraitValue>;

/// The value of a trait. Stored as it is written by serde: a plain value (never an object), or the object of one that fades.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Value", into = "Value")]
pub enum TraitValue {
    Plain(Value),
    /// A number that is worth half after every span.
    Fading(Fading),
}

/// `value` at the time `at`; half of it `halves_every` ms later, and so on. Times are ms since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fading {
    #[serde(rename = "v")]
    pub value: f64,
    #[serde(rename = "t")]
    pub at: i64,
    #[serde(rename = "h")]
    pub halves_every: i64,
}

impl Fading {
    /// What it is worth at this time.
    pub fn at(&self, now: i64) -> f64 {
        self.value * (-((now - self.at) as f64) / self.halves_every as f64).exp2()
    }
}

impl TraitValue {
    /// The value at this time (ms since 1970 UTC).
    pub fn at(&self, now: i64) -> Cow<'_, Value> {
        match self {
            TraitValue::Plain(value) => Cow::Borrowed(value),
            TraitValue::Fading(fading) => Cow::Owned(Number::from_f64(fading.at(now)).map_or(Value::Null, Value::Number)),
        }
    }
}

impl From<Value> for TraitValue {
    fn from(value: Value) -> TraitValue {
        if !value.is_object() {
            return TraitValue::Plain(value);
        }
        match Fading::deserialize(&value) {
            Ok(fading) => TraitValue::Fading(fading),
            Err(_) => TraitValue::Plain(value),
        }
    }
}

impl From<TraitValue> for Value {
    fn from(value: TraitValue) -> Value {
        match value {
            TraitValue::Plain(value) => value,
            TraitValue::Fading(fading) => serde_json::to_value(fading).unwrap_or_default(),
        }
    }
}

/// What a contact said about topics. A topic not in here has the settings' default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Consent {
    /// Unsubscribed from everything: the settings' defaults do not apply, only topics asked for since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub none: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, bool>,
    /// Topics that were asked for and wait to be confirmed (double opt-in): since when, in ms since 1970 UTC.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pending: BTreeMap<String, i64>,
    /// Every change, oldest first: how the consent came about can be proven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<ConsentEntry>,
}

/// One thing a contact said about one topic, or about all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentEntry {
    /// ms since 1970 UTC.
    pub at: i64,
    /// `all`: every topic.
    pub topic: String,
    pub said: Said,
    /// By which way it came: `import`, `api`, `event`, `one_click`, `page`, `confirmation`, `step`, `complaint`, ….
    pub source: String,
    /// The message whose link was used, or that a complaint was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Subscribed,
    Unsubscribed,
    /// Subscribed, and to be confirmed.
    Asked,
    /// Asked for before, and confirmed.
    Confirmed,
}
