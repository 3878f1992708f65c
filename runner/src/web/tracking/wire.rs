//! The calls of the tracking spec as they come over the wire: JSON read once, every value still as it was given.
//!
//! Nothing in an item keeps the body as a whole from being read, however wrong it is: only what is no JSON does.

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::ingest::json::{Strict, given_twice, not_json};

/// The most items that a batch may have: more than fit into a body, unless they are empty.
const MOST_ITEMS: usize = 30_000;

/// One call, or one item of a batch. What was not given is null.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub kind: Value,
    pub user_id: Value,
    pub anonymous_id: Value,
    pub previous_id: Value,
    pub group_id: Value,
    pub message_id: Value,
    pub event: Value,
    pub name: Value,
    pub category: Value,
    pub properties: Value,
    pub traits: Value,
    pub timestamp: Value,
    pub original_timestamp: Value,
    pub sent_at: Value,
    /// What is wrong with the object itself.
    pub wrong: Option<String>,
}

/// What stands at a place where an object should.
#[derive(Debug)]
pub(super) enum Given {
    Item(Box<Item>),
    /// Something that is no object.
    Other,
    /// What cannot be read, in words, while what stands beside it can: nested too deeply, or a number or a text that nothing can hold.
    Unreadable(String),
}

/// The body of `batch` and `import`. What was not given is null.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// `None`: there is no list.
    pub items: Option<Vec<Given>>,
    /// There are more than are read.
    pub too_many: bool,
    pub sent_at: Value,
    pub wrong: Option<String>,
}

/// The body of a single call.
///
/// # Errors
/// In words, when it is no JSON.
pub(super) fn single(body: &str) -> Result<Given, String> {
    read(body, One)
}

/// The body of several; `None` when it is no object.
///
/// # Errors
/// In words, when it is no JSON.
pub(super) fn batch(body: &str) -> Result<Option<Batch>, String> {
    // What cannot be read as one may still be several of which one cannot be read.
    read(body, Several { apart: false }).or_else(|_| read(body, Several { apart: true }))
}

fn read<'de, S: DeserializeSeed<'de>>(body: &'de str, seed: S) -> Result<S::Value, String> {
    let mut reader = serde_json::Deserializer::from_str(body);
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| format!("{} at line {} column {}", not_json(&error), error.line(), error.column()))
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Type,
    UserId,
    AnonymousId,
    PreviousId,
    GroupId,
    MessageId,
    Event,
    Name,
    Category,
    Properties,
    Traits,
    Timestamp,
    OriginalTimestamp,
    SentAt,
    Batch,
    #[serde(other)]
    Other,
}

impl Key {
    fn word(self) -> &'static str {
        match self {
            Key::Type => "type",
            Key::UserId => "userId",
            Key::AnonymousId => "anonymousId",
            Key::PreviousId => "previousId",
            Key::GroupId => "groupId",
            Key::MessageId => "messageId",
            Key::Event => "event",
            Key::Name => "name",
            Key::Category => "category",
            Key::Properties => "properties",
            Key::Traits => "traits",
            Key::Timestamp => "timestamp",
            Key::OriginalTimestamp => "originalTimestamp",
            Key::SentAt => "sentAt",
            Key::Batch => "batch",
            Key::Other => "other",
        }
    }
}

/// Which keys were there.
#[derive(Default)]
struct Seen(u32);

impl Seen {
    /// What is wrong when the key was there already.
    fn again(&mut self, key: Key) -> Option<String> {
        let bit = 1 << key as u32;
        let again = self.0 & bit != 0;
        self.0 |= bit;
        again.then(|| given_twice(key.word()))
    }
}

impl Item {
    fn field(&mut self, key: Key) -> Option<&mut Value> {
        Some(match key {
            Key::Type => &mut self.kind,
            Key::UserId => &mut self.user_id,
            Key::AnonymousId => &mut self.anonymous_id,
            Key::PreviousId => &mut self.previous_id,
            Key::GroupId => &mut self.group_id,
            Key::MessageId => &mut self.message_id,
            Key::Event => &mut self.event,
            Key::Name => &mut self.name,
            Key::Category => &mut self.category,
            Key::Properties => &mut self.properties,
            Key::Traits => &mut self.traits,
            Key::Timestamp => &mut self.timestamp,
            Key::OriginalTimestamp => &mut self.original_timestamp,
            Key::SentAt => &mut self.sent_at,
            Key::Batch | Key::Other => return None,
        })
    }
}

/// Makes a visitor's answers for everything that is neither an object nor a list.
macro_rules! scalars {
    ($answer:expr) => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("any JSON value")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok($answer)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($answer)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($answer)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($answer)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($answer)
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($answer)
        }
    };
}

/// The same for a list.
macro_rules! no_list {
    ($answer:expr) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok($answer)
        }
    };
}

macro_rules! any {
    ($seed:ty => $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $seed {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }
    };
}

struct One;
any!(One => Given);

impl<'de> Visitor<'de> for One {
    type Value = Given;

    scalars!(Given::Other);
    no_list!(Given::Other);

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Given, A::Error> {
        let mut item = Box::<Item>::default();
        let (mut seen, twice) = (Seen::default(), Cell::default());
        while let Some(key) = members.next_key::<Key>()? {
            match item.field(key) {
                Some(field) => {
                    *field = members.next_value_seed(Strict { twice: &twice })?;
                    item.wrong = seen.again(key).or(item.wrong);
                }
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        if let Some(key) = twice.take() {
            item.wrong = Some(given_twice(&key));
        }
        Ok(Given::Item(item))
    }
}

struct Several {
    /// Every item is read by itself, which takes longer.
    apart: bool,
}
any!(Several => Option<Batch>);

impl<'de> Visitor<'de> for Several {
    type Value = Option<Batch>;

    scalars!(None);
    no_list!(None);

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<Batch>, A::Error> {
        let mut batch = Batch::default();
        let mut seen = Seen::default();
        while let Some(key) = members.next_key::<Key>()? {
            match key {
                Key::Batch => {
                    let Listed { items, too_many } = members.next_value_seed(List { apart: self.apart })?;
                    (batch.items, batch.too_many) = (items, too_many);
                }
                // A key that it names twice is no time either.
                Key::SentAt => batch.sent_at = members.next_value_seed(Strict { twice: &Cell::default() })?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                    continue;
                }
            }
            batch.wrong = seen.again(key).or(batch.wrong);
        }
        Ok(Some(batch))
    }
}

fn by_itself(item: &RawValue) -> Given {
    read(item.get(), One).unwrap_or_else(Given::Unreadable)
}

struct List {
    apart: bool,
}
any!(List => Listed);

#[derive(Default)]
struct Listed {
    items: Option<Vec<Given>>,
    too_many: bool,
}

impl<'de> Visitor<'de> for List {
    type Value = Listed;

    scalars!(Listed::default());

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Listed, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Listed::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
        let mut items = Vec::new();
        let mut too_many = false;
        while items.len() < MOST_ITEMS
            && let Some(item) = if self.apart { list.next_element()?.map(by_itself) } else { list.next_element_seed(One)? }
        {
            items.push(item);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            too_many = true;
        }
        Ok(Listed { items: Some(items), too_many })
    }
}
