//! Questions about a contact's topics, as links in messages ask them. Nothing here changes anything.

use super::Kernel;
use crate::audience;
use crate::standing::contact_row;
use crate::state::MessageId;
use crate::store::Result;
use crate::tokens::{Purpose, Token};

/// What the pages behind a link may know of whoever it was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// The contact's uid.
    pub contact: String,
    /// As given; may be no language at all.
    pub locale: Option<String>,
    /// The message that held the link.
    pub message: MessageId,
    /// What the link is about; `None`: every topic.
    pub about: Option<TopicState>,
    /// All the project's, in order of their names.
    pub topics: Vec<TopicState>,
    /// Leads to the preference page.
    pub token: String,
    /// ms since 1970 UTC.
    pub now: i64,
}

/// A topic, and where the contact stands with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicState {
    pub name: String,
    /// The name, where the project gives no title.
    pub title: String,
    pub description: Option<String>,
    pub subscribed: bool,
    /// Asked for, and to be confirmed.
    pub pending: bool,
}

impl Kernel {
    /// What a link's token leads to. `None` for a forged one, and for a contact who is gone.
    ///
    /// # Errors
    /// Those of the store.
    pub fn preferences(&mut self, purpose: Purpose, text: &str, now: i64) -> Result<Option<Preferences>> {
        let Some((token, uid)) = self.open_token(purpose, text)? else { return Ok(None) };
        let Some(id) = self.store.contact_id(&uid)? else { return Ok(None) };
        let Some(contact) = contact_row(&mut *self.store, id)? else { return Ok(None) };
        let settings = &self.plan.catalog.settings;
        let state = |name: &str| {
            let topic = settings.topics.get(name);
            TopicState {
                name: name.to_owned(),
                title: topic.and_then(|topic| topic.title.clone()).unwrap_or_else(|| name.to_owned()),
                description: topic.and_then(|topic| topic.description.clone()),
                subscribed: audience::subscribed(&contact, settings, name),
                pending: contact.consent.pending.contains_key(name),
            }
        };
        let again = Token { contact: id, message: token.message, topic: token.topic.clone() };
        Ok(Some(Preferences {
            contact: uid,
            locale: contact.locale.clone(),
            message: token.message,
            about: token.topic.as_deref().map(state),
            topics: settings.topics.keys().map(|name| state(name)).collect(),
            token: self.signer.sign(Purpose::Preferences, &again),
            now,
        }))
    }
}
