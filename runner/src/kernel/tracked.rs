//! Opens and clicks that this runner's own links and images tell of.

use dsl::model::Fate;
use dsl::time::Duration;
use serde_json::{Map, Value};

use super::Kernel;
use crate::state::*;
use crate::store::Result;

/// A mail is opened once in this time: programs fetch its image again whenever it is shown.
const OPENED_AGAIN: i64 = Duration::HOUR.millis();
/// A link is clicked once in this time: a double click is one click.
const CLICKED_AGAIN: i64 = Duration::MINUTE.millis();

/// An open or a click.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    pub message: MessageId,
    /// Where the link leads that was clicked; `None`: the message was opened.
    pub url: Option<String>,
    /// A program did it, and no person: it is an event of the contact, but the message does not count as opened or clicked.
    pub machine: bool,
    /// ms since 1970 UTC.
    pub at: i64,
}

impl Tracked {
    pub fn fate(&self) -> Fate {
        if self.url.is_some() { Fate::Clicked } else { Fate::Opened }
    }
}

impl Kernel {
    /// Stores it as an event of whoever the message was sent to, unless the same was just told. Nothing for a message that is gone, was never sent,
    /// or whose contact is erased.
    pub(super) fn tracked(&mut self, tracked: &Tracked) -> Result<()> {
        let Some(message) = self.store.message(tracked.message)?.filter(|message| message.attempts > 0) else { return Ok(()) };
        let Some(contact) = self.store.contact(message.contact)?.filter(|contact| !contact.erased) else { return Ok(()) };
        let name = tracked.fate().event();
        let properties = self.said_of(&message, tracked);
        // What a machine did is not said of the message: `message: x, is: opened` asks for what people do.
        let about = (!tracked.machine).then_some(message.id);
        let again = if tracked.url.is_some() { CLICKED_AGAIN } else { OPENED_AGAIN };
        let recent = self.store.events(contact.id, name, tracked.at.saturating_sub(again - 1), false)?;
        let same = |event: &Event| event.message == about && event.properties == properties;
        if recent.iter().any(same) {
            return Ok(());
        }
        let Value::Object(properties) = properties else { return Ok(()) };
        let event =
            NewEvent { contact: contact.id, name: name.to_owned(), at: tracked.at, properties, uid: None, message: about };
        self.store_event(event, 0, true)
    }

    fn said_of(&self, message: &Message, tracked: &Tracked) -> Value {
        let workflow = self.in_force.get(message.workflow).map_or("", |current| &current.name);
        let texts = [
            ("template", message.template.as_str()),
            ("workflow", workflow),
            ("step", &message.step),
            ("channel", &message.channel),
        ];
        let mut properties: Map<String, Value> = texts.map(|(name, text)| (name.to_owned(), text.into())).into_iter().collect();
        if let Some(url) = &tracked.url {
            properties.insert("url".to_owned(), url.as_str().into());
        }
        if tracked.machine {
            properties.insert(MACHINE.to_owned(), true.into());
        }
        Value::Object(properties)
    }
}

/// The property of an open or a click that a program made.
pub(crate) const MACHINE: &str = "machine";
