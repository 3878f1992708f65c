//! One row of a contact file.

use serde_json::{Map, Value};

use super::json::shown;
use super::{ContactInput, ContactRow, Expected};
use crate::kernel::normal_email;

type Fields = Map<String, Value>;

/// Reads a contact from an object of the form that JSON Lines have: built-in fields, `attributes`, and every other key an attribute. With `by_email`
/// an e-mail address serves where there is no id.
///
/// # Errors
/// Why the row is rejected.
pub(super) fn read(expected: &Expected, mut fields: Fields, by_email: bool) -> Result<(ContactRow, Vec<String>), String> {
    let id = id(&mut fields, "id")?;
    let mut text = |name| text(&mut fields, name);
    let (email, phone, locale, time_zone) = (text("email")?, text("phone")?, text("locale")?, text("time_zone")?);
    let email = email.map(|email| if email.trim().len() == email.len() { email } else { email.trim().to_owned() });
    if email.as_deref().is_some_and(|email| email.contains(char::is_control)) {
        return Err("`email` holds control characters".to_owned());
    }
    let named = id.is_some();
    let id = match (id, &email) {
        (Some(id), _) => id,
        (None, Some(email)) if by_email && !email.is_empty() => normal_email(email),
        (None, _) if by_email => return Err("there is neither an `id` nor an `email`".to_owned()),
        (None, _) => return Err("there is no `id`".to_owned()),
    };
    let topics = match fields.remove("topics") {
        None | Some(Value::Null) => None,
        Some(topics) => Some(texts(topics).ok_or("`topics` must be a list of topic names")?),
    };
    let mut attributes = match fields.remove("attributes") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(attributes)) => attributes,
        Some(_) => return Err("`attributes` must be an object".to_owned()),
    };
    if let Some(name) =
        ["id", "email", "phone", "locale", "time_zone", "topics"].into_iter().find(|name| attributes.contains_key(*name))
    {
        return Err(format!("`{name}` is no attribute; it stands beside `attributes`"));
    }
    for (name, value) in fields {
        if attributes.contains_key(&name) {
            return Err(format!("{} is given twice, once under `attributes`", shown(&name)));
        }
        attributes.insert(name, value);
    }
    let contact = ContactInput { id, email, phone, locale, time_zone, topics, attributes };
    let mut warnings = expected.held_against(expected.contract.check_contact(&as_json(&contact)))?;
    warnings.extend(zone_warning(contact.time_zone.as_deref()));
    warnings.extend(contact.topics.iter().flatten().filter_map(|topic| expected.topic_warning(topic)));
    Ok((ContactRow { contact, named, subscribed: None }, warnings))
}

/// What to say of a zone that is not known.
pub(crate) fn zone_warning(zone: Option<&str>) -> Option<String> {
    let unknown = zone.is_some_and(|zone| !dsl::time::known_zone(zone));
    unknown.then(|| "the `time_zone` is not an IANA name that is known here; the project's is used".to_owned())
}

/// A text that identifies something.
///
/// # Errors
/// When it is no text, empty or holds control characters.
pub(super) fn id(fields: &mut Fields, name: &str) -> Result<Option<String>, String> {
    match text(fields, name)? {
        Some(id) if id.is_empty() => Err(format!("`{name}` is empty")),
        Some(id) if id.contains(char::is_control) => Err(format!("`{name}` holds control characters")),
        other => Ok(other),
    }
}

/// A text or nothing; null counts as nothing.
///
/// # Errors
/// When it is something else.
pub(super) fn text(fields: &mut Fields, name: &str) -> Result<Option<String>, String> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` must be text")),
    }
}

fn texts(value: Value) -> Option<Vec<String>> {
    let Value::Array(items) = value else { return None };
    let text = |item| match item {
        Value::String(text) => Some(text),
        _ => None,
    };
    items.into_iter().map(text).collect()
}

/// The way the data contract looks at a contact.
fn as_json(contact: &ContactInput) -> Value {
    let mut all = contact.attributes.clone();
    all.insert("id".to_owned(), contact.id.clone().into());
    let built_in =
        [("email", &contact.email), ("phone", &contact.phone), ("locale", &contact.locale), ("time_zone", &contact.time_zone)];
    for (name, value) in built_in {
        if let Some(value) = value {
            all.insert(name.to_owned(), value.clone().into());
        }
    }
    if let Some(topics) = &contact.topics {
        all.insert("topics".to_owned(), topics.clone().into());
    }
    Value::Object(all)
}
