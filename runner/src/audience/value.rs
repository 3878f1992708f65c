//! What `contact.*`, `event.*` and `vars.*` stand for: the values that conditions test and templates show.

use std::borrow::Cow;

use dsl::model::{Path, Root, Settings, Topic};
use serde_json::{Map, Value};

use super::Scope;
use crate::state::{Contact, TraitValue};

/// What a path stands for; `None` when it is missing, which null is too.
pub fn value_at<'v>(path: &Path, contact: &'v Contact, scope: &Scope<'v>) -> Option<Cow<'v, Value>> {
    match path.root {
        Root::Contact => contact_value(contact, scope.settings, &path.keys, scope.now),
        Root::Event => walk(scope.event?, &path.keys).map(Cow::Borrowed),
        Root::Vars => value_in(scope.vars?, &path.keys).map(Cow::Borrowed),
    }
}

/// What `contact.<keys>` stands for at this time: a field that every contact has, else a trait, else an attribute; `None` when it is missing.
pub fn contact_value<'v>(contact: &'v Contact, settings: &Settings, keys: &[String], now: i64) -> Option<Cow<'v, Value>> {
    let (first, rest) = keys.split_first()?;
    // The built-in fields hold texts and a list, and traits plain values, so nothing lies deeper.
    let value = match (built_in(contact, settings, first), contact.traits.get(first)) {
        (Some(field), _) => field.filter(|_| rest.is_empty()).map(Cow::Owned),
        (None, Some(TraitValue::Plain(value))) => Some(Cow::Borrowed(value)).filter(|_| rest.is_empty()),
        (None, Some(fading)) => Some(fading.at(now)).filter(|_| rest.is_empty()),
        (None, None) => value_in(&contact.attributes, keys).map(Cow::Borrowed),
    };
    value.filter(|value| !value.is_null())
}

/// The `contact` object that templates see: the built-in fields and the traits beside the attributes, those that are missing left out.
pub fn contact_json(contact: &Contact, settings: &Settings, now: i64) -> Value {
    let mut object = Map::clone(&contact.attributes);
    object.extend(contact.traits.iter().map(|(name, value)| (name.clone(), value.at(now).into_owned())));
    for name in BUILT_IN {
        match built_in(contact, settings, name).flatten() {
            Some(value) => object.insert(name.to_owned(), value),
            None => object.remove(name),
        };
    }
    Value::Object(object)
}

/// Whether the contact is subscribed to the topic. Nobody is subscribed to a topic that the settings do not know.
pub fn subscribed(contact: &Contact, settings: &Settings, topic: &str) -> bool {
    let said = || contact.consent.topics.get(topic).copied();
    let known = settings.topics.get(topic);
    // Who refused everything has what they asked for since, and none of the defaults.
    let unless_said = |known: &Topic| known.subscribed_by_default && !contact.consent.none;
    !contact.erased && known.is_some_and(|known| said().unwrap_or_else(|| unless_said(known)))
}

/// What lies at `keys` under `value`; keys name members of objects only. `None` when it is missing, which null is too.
pub fn walk<'v>(value: &'v Value, keys: &[String]) -> Option<&'v Value> {
    keys.iter().try_fold(value, |value, key| value.as_object()?.get(key)).filter(|value| !value.is_null())
}

fn value_in<'v>(object: &'v Map<String, Value>, keys: &[String]) -> Option<&'v Value> {
    let (first, rest) = keys.split_first()?;
    walk(object.get(first)?, rest)
}

pub(crate) const BUILT_IN: [&str; 6] = ["id", "email", "phone", "locale", "time_zone", "topics"];

/// The field of this name; the outer `None` when there is no such field, the inner when this contact has no value for it.
fn built_in(contact: &Contact, settings: &Settings, name: &str) -> Option<Option<Value>> {
    let text = |text: &Option<String>| text.clone().map(Value::String);
    Some(match name {
        "id" => Some(Value::String(contact.uid.clone())),
        "email" => text(&contact.email),
        "phone" => text(&contact.phone),
        "locale" => text(&contact.locale),
        "time_zone" => text(&contact.time_zone),
        "topics" => Some(settings.topics.keys().filter(|topic| subscribed(contact, settings, topic)).cloned().collect()),
        _ => return None,
    })
}
