//! What comes back of messages: bounces, complaints, deliveries.

use dsl::model::Fate;
use serde_json::{Map, Value};

use super::Kernel;
use super::consent::Statement;
use crate::returns::{Came, Notice};
use crate::state::*;
use crate::store::Result;

impl Kernel {
    pub(super) fn returned(&mut self, notice: &Notice) -> Result<()> {
        match self.message_of(notice)? {
            Some(message) => self.message_returned(&message, notice),
            None => self.address_returned(notice),
        }
    }

    /// The message that a notice is about, if it is one of ours.
    fn message_of(&mut self, notice: &Notice) -> Result<Option<Message>> {
        let by_token = notice.token.as_deref().and_then(|token| self.signer.open_return(token));
        if let Some(message) = by_token {
            return self.store.message(message);
        }
        let Some((run, visit)) = notice.message_id.as_deref().and_then(|id| self.run_and_visit(id)) else { return Ok(None) };
        let Some(run) = self.store.run(run)? else { return Ok(None) };
        let messages = self.store.messages_of(run.contact)?;
        Ok(messages.into_iter().find(|message| message.run == run.id && message.visit == visit))
    }

    /// A Message-ID taken apart, if this store made it: `run.visit.step.identity@domain`.
    fn run_and_visit(&self, id: &str) -> Option<(RunId, u32)> {
        let (left, _) = id.trim().trim_matches(['<', '>']).split_once('@')?;
        let left = left.strip_suffix(&self.identity)?.strip_suffix('.')?;
        let mut parts = left.splitn(3, '.');
        Some((RunId(parts.next()?.parse().ok()?), parts.next()?.parse().ok()?))
    }

    pub(super) fn message_returned(&mut self, message: &Message, notice: &Notice) -> Result<()> {
        let Some(fate) = fate(notice.what) else { return Ok(()) };
        let workflow = self.in_force.get(message.workflow).map_or_else(String::new, |current| current.name.to_string());
        let mut properties = Map::from_iter([
            ("template".to_owned(), Value::String(message.template.clone())),
            ("workflow".to_owned(), Value::String(workflow)),
            ("step".to_owned(), Value::String(message.step.clone())),
            ("channel".to_owned(), Value::String(message.channel.clone())),
        ]);
        if let Some(status) = &notice.status {
            properties.insert("status".to_owned(), Value::String(status.clone()));
        }
        if fate == Fate::Bounced {
            properties.insert("bounce".to_owned(), Value::String(bounce_word(notice.what).to_owned()));
        }
        // The same thing is often told twice, by the server's refusal and by a webhook.
        let uid = format!("returned:{}:{}:{}", message.id, fate.event(), bounce_word(notice.what));
        let event = NewEvent {
            contact: message.contact,
            name: fate.event().to_owned(),
            at: notice.at,
            properties,
            uid: Some(uid),
            message: Some(message.id),
        };
        self.store_event(event, 0, true)?;
        let Some(address) = message.to.clone() else { return Ok(()) };
        self.heed(Some(message), &message.channel, &address, notice)
    }

    /// About no message of ours that is known: only what is certain is believed.
    fn address_returned(&mut self, notice: &Notice) -> Result<()> {
        match (&notice.address, notice.what) {
            (Some(address), Came::HardBounce | Came::Complaint) => self.heed(None, &notice.channel, address, notice),
            _ => Ok(()),
        }
    }

    /// What follows for the address, and for whoever has it.
    fn heed(&mut self, message: Option<&Message>, channel: &str, address: &str, notice: &Notice) -> Result<()> {
        let why = match notice.what {
            Came::HardBounce => Why::Bounced,
            Came::Complaint => Why::Complained,
            Came::SoftBounce if self.bounced_too_often(message, notice.at)? => Why::Bounced,
            Came::SoftBounce | Came::Blocked | Came::Delivered => return Ok(()),
        };
        let detail = [notice.status.as_deref(), notice.detail.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.store.suppress(&Suppressed {
            channel: channel.to_owned(),
            address: Suppressed::normal(channel, address),
            why,
            at: notice.at,
            source: notice.source.clone(),
            detail: (!detail.is_empty()).then_some(detail),
        })?;
        if why == Why::Complained {
            let contact = match message {
                Some(message) => Some(message.contact),
                None => self.store.contact_of_email(address)?,
            };
            if let Some(contact) = contact {
                let message = message.map(|message| message.id);
                let said = Statement { topic: "all", subscribe: false, at: notice.at, source: "complaint", message };
                self.set_consent(contact, &said, 0, true)?;
            }
        }
        Ok(())
    }

    /// Whether the soft bounces of the contact's messages, this one among them, are as many as the settings bear.
    fn bounced_too_often(&mut self, message: Option<&Message>, at: i64) -> Result<bool> {
        let Some(message) = message else { return Ok(false) };
        let bounces = self.plan.catalog.settings.bounces.clone();
        let events = self.store.events(message.contact, Fate::Bounced.event(), at - bounces.soft_within.millis(), false)?;
        let soft = events.iter().filter(|event| {
            event.properties["bounce"] == bounce_word(Came::SoftBounce) && event.properties["channel"] == message.channel.as_str()
        });
        Ok(soft.count() >= bounces.soft_count as usize)
    }
}

fn fate(what: Came) -> Option<Fate> {
    match what {
        Came::Delivered => Some(Fate::Delivered),
        Came::HardBounce | Came::SoftBounce | Came::Blocked => Some(Fate::Bounced),
        Came::Complaint => Some(Fate::Complained),
    }
}

/// The property `bounce` of message_bounced.
fn bounce_word(what: Came) -> &'static str {
    match what {
        Came::HardBounce => "hard",
        Came::SoftBounce => "soft",
        _ => "blocked",
    }
}
