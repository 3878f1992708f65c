//! What comes back of messages: bounces, complaints, deliveries.

use std::collections::BTreeSet;

use dsl::model::Fate;
use serde_json::{Map, Value};

use super::Kernel;
use super::consent::Statement;
use super::reaching::address_of;
use crate::returns::{Came, Notice};
use crate::state::*;
use crate::store::Result;

impl Kernel {
    pub(super) fn returned(&mut self, notice: &Notice) -> Result<()> {
        match self.message_of(notice)? {
            About::Message(message) => self.message_returned(&message, notice),
            About::Address => self.address_returned(notice),
            About::Nothing => {
                tracing::info!(source = notice.source, "something came back that does not prove to be about a message of ours");
                Ok(())
            }
        }
    }

    /// What a notice is about. A mail may be anybody's, so it is believed when it came to a return path that was given to one message alone; with a
    /// Message-ID only if it knows whom that message went to.
    fn message_of(&mut self, notice: &Notice) -> Result<About> {
        let otherwise = if notice.vouched { About::Address } else { About::Nothing };
        if let Some(token) = &notice.token {
            match self.signer.open_return(token) {
                Some(message) => return Ok(self.store.message(message)?.map_or(otherwise, About::of)),
                None if !notice.vouched => return Ok(About::Nothing),
                None => {}
            }
        }
        let Some((run, visit, step)) = notice.message_id.as_deref().and_then(|id| self.parts_of(id)) else {
            return Ok(otherwise);
        };
        let Some(run) = self.store.run(run)? else { return Ok(otherwise) };
        let messages = self.store.messages_of(run.contact)?;
        let found = messages.into_iter().find(|message| message.run == run.id && message.visit == visit && message.step == step);
        Ok(found.filter(|message| went_to(message, notice)).map_or(otherwise, About::of))
    }

    /// A Message-ID taken apart, if this store made it: `run.visit.step.identity@domain`.
    fn parts_of(&self, id: &str) -> Option<(RunId, u32, String)> {
        let (left, _) = id.trim().trim_matches(['<', '>']).split_once('@')?;
        let left = left.strip_suffix(&self.identity)?.strip_suffix('.')?;
        let mut parts = left.splitn(3, '.');
        Some((RunId(parts.next()?.parse().ok()?), parts.next()?.parse().ok()?, parts.next()?.to_owned()))
    }

    pub(super) fn message_returned(&mut self, message: &Message, notice: &Notice) -> Result<()> {
        let Some(fate) = fate(notice.what) else { return Ok(()) };
        // Nothing is written down about who was erased.
        let Some(address) = message.to.clone() else { return Ok(()) };
        // The same thing is often told twice, by the server's refusal and by a webhook; what the contact said since stands.
        let uid = format!("returned:{}:{}:{}", message.id, fate.event(), bounce_word(notice.what));
        if self.store.event_of_uid(&uid)?.is_some() {
            return Ok(());
        }
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
        let event = NewEvent {
            contact: message.contact,
            name: fate.event().to_owned(),
            at: notice.at.min(self.now),
            properties,
            uid: Some(uid),
            message: Some(message.id),
        };
        self.store_event(event, 0, true)?;
        self.heed(Some(message), &message.channel, &address, notice)
    }

    /// About no message of ours that is known, by somebody who is: only what is certain is believed.
    fn address_returned(&mut self, notice: &Notice) -> Result<()> {
        let (Some(address), Came::HardBounce | Came::Complaint) = (&notice.address, notice.what) else { return Ok(()) };
        let known = self.store.suppressed(&notice.channel, &Suppressed::normal(&notice.channel, address))?;
        if known.is_some_and(|known| known.why == Why::Complained || notice.what == Came::HardBounce) {
            return Ok(());
        }
        // An address of somebody who was erased is not written down again.
        if self.store.contact_of_email(address)?.is_none() && self.was_erased(address)? {
            return Ok(());
        }
        self.heed(None, &notice.channel, address, notice)
    }

    /// What follows for the address, and for whoever has it.
    fn heed(&mut self, message: Option<&Message>, channel: &str, address: &str, notice: &Notice) -> Result<()> {
        let why = match notice.what {
            Came::HardBounce => Why::Bounced,
            Came::Complaint => Why::Complained,
            Came::SoftBounce if self.bounced_too_often(message, address, notice.at.min(self.now))? => Why::Bounced,
            Came::SoftBounce | Came::Blocked | Came::Delivered => return Ok(()),
        };
        let detail = [notice.status.as_deref(), notice.detail.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        self.store.suppress(&Suppressed {
            channel: channel.to_owned(),
            address: Suppressed::normal(channel, address),
            why,
            at: notice.at.min(self.now),
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
                let at = notice.at.min(self.now);
                let said = Statement { topic: "all", subscribe: false, at, source: "complaint", message };
                self.set_consent(contact, &said, 0, true)?;
            }
        }
        Ok(())
    }

    /// Whether so many of the contact's messages to this address bounced softly, this one among them, as the settings bear.
    fn bounced_too_often(&mut self, message: Option<&Message>, address: &str, at: i64) -> Result<bool> {
        let Some(message) = message else { return Ok(false) };
        let bounces = self.plan.catalog.settings.bounces.clone();
        let events = self.store.events(message.contact, Fate::Bounced.event(), at - bounces.soft_within.millis(), false)?;
        let address = Suppressed::normal(&message.channel, address);
        let mut count = 0;
        for event in events.iter().filter(|event| event.properties["bounce"] == bounce_word(Came::SoftBounce)) {
            let Some(bounced) = event.message.map(|id| self.store.message(id)).transpose()?.flatten() else { continue };
            let same = bounced.to.as_ref().is_some_and(|to| Suppressed::normal(&bounced.channel, to) == address);
            count += u32::from(same && bounced.channel == message.channel);
        }
        Ok(count >= bounces.soft_count)
    }

    /// Takes the addresses of somebody who was just erased off the list, but for what somebody else has, too.
    pub(super) fn forget_suppressed(&mut self, contact: &Contact, messages: &[Message]) -> Result<()> {
        let plan = self.plan.clone();
        let own = plan.catalog.settings.channels.iter().filter_map(|(name, channel)| {
            let address = address_of(contact, channel.to.as_ref()?, self.now)?;
            Some((name.as_str(), address))
        });
        let written = messages.iter().filter_map(|message| Some((message.channel.as_str(), message.to.clone()?)));
        let all: BTreeSet<(&str, String)> =
            own.chain(written).map(|(channel, address)| (channel, Suppressed::normal(channel, &address))).collect();
        for (channel, address) in all {
            if self.store.contact_of_email(&address)?.is_none() {
                self.store.allow_address(channel, &address)?;
            }
        }
        Ok(())
    }
}

/// What a notice is about.
enum About {
    Message(Box<Message>),
    /// The address that it names.
    Address,
    Nothing,
}

impl About {
    /// One that never left cannot come back.
    fn of(message: Message) -> About {
        if message.attempts > 0 { About::Message(Box::new(message)) } else { About::Nothing }
    }
}

/// Whether the message went to whom the notice names. A complaint need not name anybody: many reports leave that out.
fn went_to(message: &Message, notice: &Notice) -> bool {
    let normal = |address: &str| Suppressed::normal(&message.channel, address);
    match (&notice.address, &message.to) {
        (Some(named), Some(to)) => normal(named) == normal(to),
        (None, Some(_)) => notice.vouched || notice.what == Came::Complaint,
        (_, None) => false,
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
