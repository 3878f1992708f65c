//! Where a contact can be reached: the address on a channel, the suppression list, and which of several channels is taken.

use dsl::model::Path;
use serde_json::Value;

use super::Kernel;
use crate::dispatch::Skip;
use crate::state::*;
use crate::store::Result;

impl Kernel {
    /// The contact's address on this channel, or why there is none to write to. Empty for a channel that reaches a place.
    pub(super) fn reach(&mut self, contact: &Contact, channel: &str) -> Result<std::result::Result<String, Skip>> {
        let plan = self.plan.clone();
        let Some(settings) = plan.catalog.settings.channels.get(channel) else { return Ok(Err(Skip::NoAddress)) };
        let Some(path) = &settings.to else { return Ok(Ok(String::new())) };
        let Some(address) = address_of(contact, path, self.now) else { return Ok(Err(Skip::NoAddress)) };
        let suppressed = self.store.suppressed(channel, &Suppressed::normal(channel, &address))?;
        Ok(if suppressed.is_some() { Err(Skip::Suppressed) } else { Ok(address) })
    }

    /// Of the several channels that a send names, the first on which the contact can be reached. `None`: on none of them, or it names one only.
    pub(super) fn reached_on(&mut self, contact: &Contact, first: &str, others: &[String]) -> Result<Option<String>> {
        if others.is_empty() {
            return Ok(None);
        }
        for channel in std::iter::once(first).chain(others.iter().map(String::as_str)) {
            if self.reach(contact, channel)?.is_ok() {
                return Ok(Some(channel.to_owned()));
            }
        }
        Ok(None)
    }
}

/// What lies at this path under `contact`, as an address: a text or a number, not empty.
pub(crate) fn address_of(contact: &Contact, path: &Path, now: i64) -> Option<String> {
    let (first, rest) = path.keys.split_first()?;
    let field = |field: &Option<String>| field.clone().map(Value::String);
    let value = match first.as_str() {
        "email" => field(&contact.email),
        "phone" => field(&contact.phone),
        "id" => Some(Value::String(contact.uid.clone())),
        name => match contact.traits.get(name) {
            Some(value) => Some(value.at(now).into_owned()),
            None => contact.attributes.get(name).cloned(),
        },
    };
    let found = rest.iter().try_fold(value?, |value, key| value.get(key).cloned())?;
    let text = match found {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}
