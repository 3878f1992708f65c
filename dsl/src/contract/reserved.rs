//! What every project has without declaring it: a contact's own fields, and the events that the runner records.

use super::{Declared, Kinds};

/// The fields that every contact may have.
pub const CONTACT_FIELDS: [&str; 6] = ["id", "email", "phone", "locale", "time_zone", "topics"];

/// What happens to a message, as events.
pub const MESSAGE_EVENTS: [&str; 6] =
    ["message_sent", "message_delivered", "message_opened", "message_clicked", "message_bounced", "message_complained"];

/// What happens to consent, as events.
pub const CONSENT_EVENTS: [&str; 2] = ["subscribed", "unsubscribed"];

/// What the tracking API's calls of these names are stored as: always declared; a project may give them a schema.
pub const TRACKING_EVENTS: [&str; 3] = ["page", "screen", "group"];

/// A subscription was asked for that is still to be confirmed.
pub const ASKED_EVENT: &str = "subscription_asked";

const MESSAGE_PROPERTIES: [&str; 8] = ["template", "workflow", "step", "channel", "url", "bounce", "status", MACHINE];
const CONSENT_PROPERTIES: [&str; 3] = ["topic", "source", "message"];
const ASKED_PROPERTIES: [&str; 3] = ["topic", "title", "source"];
/// Not a person but a program opened the message, or followed the link.
const MACHINE: &str = "machine";

const TEXT: Kinds = Kinds { text: true, number: false, boolean: false, list: false, object: false, date: false };
const BOOLEAN: Kinds = Kinds { text: false, number: false, boolean: true, list: false, object: false, date: false };
const LIST: Kinds = Kinds { text: false, number: false, boolean: false, list: true, object: false, date: false };

/// What is known of a contact's own field, if the keys name one.
pub(super) fn contact_field(keys: &[String]) -> Option<Declared> {
    let (first, rest) = keys.split_first()?;
    if !CONTACT_FIELDS.contains(&first.as_str()) {
        return None;
    }
    Some(match (first.as_str(), rest) {
        ("topics", []) => Declared::Known(LIST),
        ("topics", [index]) if index.parse::<usize>().is_ok() => Declared::Known(TEXT),
        (_, []) => Declared::Known(TEXT),
        _ => Declared::Unknown(Vec::new()),
    })
}

/// The properties of a reserved event; `None` for any other.
pub fn event_properties(event: &str) -> Option<&'static [&'static str]> {
    if MESSAGE_EVENTS.contains(&event) {
        Some(&MESSAGE_PROPERTIES)
    } else if CONSENT_EVENTS.contains(&event) {
        Some(&CONSENT_PROPERTIES)
    } else if event == ASKED_EVENT {
        Some(&ASKED_PROPERTIES)
    } else {
        None
    }
}

pub(super) fn event_property(properties: &[&str], keys: &[String]) -> Declared {
    match keys {
        [] => Declared::Known(Kinds { object: true, ..Kinds::default() }),
        [key] if key == MACHINE && properties.contains(&MACHINE) => Declared::Known(BOOLEAN),
        [key] if properties.contains(&key.as_str()) => Declared::Known(TEXT),
        _ => Declared::Unknown(properties.iter().map(|name| (*name).to_owned()).collect()),
    }
}
