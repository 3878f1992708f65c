//! What channels report on the messages they carried, and what becomes of those in doubt.

use std::sync::Arc;

use dsl::model::{Fate, OnUnknown, Retry};
use serde_json::{Map, json};

use super::{CHAIN, CHAIN_BREAKS, Kernel, Prepared};
use crate::channels::{Outcome, RefusalKind, Report};
use crate::dispatch::{domain_of, next_attempt};
use crate::engine::{self, MessageEnd};
use crate::returns::{Came, Notice};
use crate::state::*;
use crate::store::Result;

impl Kernel {
    /// A channel reports on a message it carried.
    pub(super) fn message_reported(&mut self, report: &Report) -> Result<()> {
        let Some(mut message) = self.store.message(report.message)? else { return Ok(()) };
        if let Some(channel) = self.channels.get_mut(&*message.channel) {
            channel.free = (channel.free + 1).min(channel.connections);
        }
        if let Some(domain) = message.to.as_deref().and_then(domain_of) {
            self.domains.left(&Arc::from(message.channel.as_str()), &domain);
        }
        if message.status != MessageStatus::Sending {
            return Ok(());
        }
        // Somebody erased while it was under way: what comes back says nothing of them any more.
        let erased = self.store.contact(message.contact)?.is_none_or(|contact| contact.erased);
        if erased {
            self.forget_mail(&message);
        } else {
            message.subject.clone_from(&report.subject);
        }
        let silent = |error: &String| (!erased).then(|| error.clone());
        let (status, error) = match &report.outcome {
            Outcome::Sent if message.channel == CALLS => (MessageStatus::Called, None),
            Outcome::Sent => (MessageStatus::Sent, None),
            Outcome::Failed(error) => (MessageStatus::Failed, silent(error)),
            Outcome::Unknown(error) => (MessageStatus::Unknown, silent(error)),
            Outcome::Deferred(error) => {
                let began = message.taken_at.unwrap_or(message.created_at);
                let key = format!("{}.{}", message.run, message.visit);
                let run = self.store.run(message.run)?.filter(|run| run.ended.is_none());
                let retry = run.map(|run| self.retry_of(&message, &run)).transpose()?.flatten();
                let next = retry.and_then(|retry| next_attempt(retry, &key, message.attempts, began, self.now));
                if let Some(next) = next {
                    message.status = MessageStatus::Queued;
                    message.due = next;
                    message.at = self.now;
                    message.error = Some(error.clone());
                    return self.store.update_message(&message);
                }
                (MessageStatus::Failed, silent(&format!("given up: {error}")))
            }
        };
        if status == MessageStatus::Unknown && !erased && self.resends(&message) {
            message.error = error;
            return self.requeue(&mut message);
        }
        message.error = error;
        self.settle(&mut message, status)?;
        if !erased && status == MessageStatus::Failed {
            // The run still stands on the message: what it asks next knows of the bounce, and a bounce that ends it does.
            self.refused(&message, report)?;
            self.follow_up()?;
        }
        self.left(&message, report.answer.as_ref())?;
        self.follow_up()
    }

    /// What the other side's refusal says of the recipient.
    fn refused(&mut self, message: &Message, report: &Report) -> Result<()> {
        let Some(refusal) = &report.refusal else { return Ok(()) };
        let what = match refusal.kind {
            RefusalKind::Hard => Came::HardBounce,
            RefusalKind::Soft => Came::SoftBounce,
            RefusalKind::Other => Came::Blocked,
        };
        let notice = Notice {
            token: None,
            message_id: None,
            channel: message.channel.clone(),
            address: None,
            what,
            status: refusal.status.clone(),
            detail: message.error.clone(),
            at: self.now,
            source: message.channel.clone(),
            vouched: true,
        };
        self.message_returned(message, &notice)
    }

    /// How what failed for now is tried again; `None`: not at all.
    fn retry_of(&mut self, message: &Message, run: &Run) -> Result<Option<Retry>> {
        if message.channel == CALLS {
            let prepared = self.prepared_for(run)?;
            return Ok(self.call_of(&prepared, message).map(|call| call.retry));
        }
        Ok(self.plan.catalog.settings.channels.get(&message.channel).map(|channel| channel.retry))
    }

    fn resends(&self, message: &Message) -> bool {
        let channel = self.plan.catalog.settings.channels.get(&message.channel);
        // Whoever is called knows a call that comes twice by its key.
        message.channel == CALLS || channel.is_some_and(|channel| channel.on_unknown == OnUnknown::Resend)
    }

    fn requeue(&mut self, message: &mut Message) -> Result<()> {
        message.status = MessageStatus::Queued;
        message.due = self.now;
        message.at = self.now;
        self.store.update_message(message)
    }

    /// A message left, or is in doubt, or failed: it is logged and its run goes on.
    fn left(&mut self, message: &Message, answer: Option<&serde_json::Value>) -> Result<()> {
        let Some(mut run) = self.store.run(message.run)? else { return Ok(()) };
        let mut contact = self.load_contact(message.contact)?;
        let prepared = self.prepared_for(&run)?;
        let mut detail = Map::new();
        if !matches!(message.status, MessageStatus::Sent | MessageStatus::Called) {
            detail.insert("status".to_owned(), message.status.word().into());
        }
        let kind = if message.channel == CALLS { LogKind::Call } else { LogKind::Send };
        let how = match (kind, message.status) {
            (LogKind::Call, MessageStatus::Called) => {
                self.save_answer(message, &mut run, &prepared, answer);
                MessageEnd::Left
            }
            (LogKind::Call, _) => MessageEnd::CallFailed(message.error.clone().unwrap_or_default()),
            _ => MessageEnd::Left,
        };
        if let (LogKind::Call, Some(error)) = (kind, &message.error) {
            detail.insert("error".to_owned(), error.clone().into());
        }
        self.log(&mut run, &contact, kind, message.step.clone(), detail, Some(message))?;
        let depth = run.state.depth;
        self.message_done(message, &mut run, &mut contact, &prepared, how)?;
        if message.status == MessageStatus::Sent && self.in_force.sent_matters {
            let soon = self.now - run.entered_at < CHAIN_BREAKS;
            self.sent_happened(message, &contact, if soon { depth + 1 } else { 1 })?;
        }
        Ok(())
    }

    /// message_sent is not stored as an event (the message is), but whoever listens is told.
    fn sent_happened(&mut self, message: &Message, contact: &Contact, depth: u32) -> Result<()> {
        if depth >= CHAIN {
            tracing::warn!("workflows go on starting each other by message_sent: the chain is cut here");
            return Ok(());
        }
        let event = self.sent_event(message);
        self.work.push_back(super::Work::Event { contact: contact.id, name: Fate::Sent.event().into(), event, depth });
        Ok(())
    }

    /// The event that a message which was just sent stands for.
    pub(super) fn sent_event(&self, message: &Message) -> Event {
        let workflow = self.in_force.get(message.workflow).map_or("", |current| &current.name);
        let properties = json!({
            "template": message.template, "workflow": workflow, "step": message.step, "channel": message.channel,
        });
        Event { id: EventId(i64::MAX), at: self.now, properties, message: Some(message.id) }
    }

    /// The run that stands on the message goes on.
    pub(super) fn message_done(
        &mut self,
        message: &Message,
        run: &mut Run,
        contact: &mut Contact,
        prepared: &Prepared,
        how: MessageEnd,
    ) -> Result<()> {
        if run.ended.is_some() || run.state.stage != Stage::Sending(message.id) {
            return self.store.update_run(run);
        }
        let plan = self.plan.clone();
        let zone = self.zone_of(contact);
        let visits = run.state.visit;
        let effects = engine::message_ended(&prepared.program, run, self.moment(&plan, &zone), how);
        self.tally.steps += u64::from(run.state.visit - visits);
        self.apply(effects, run, contact, prepared, 0)?;
        if self.is_frozen(run.workflow) {
            // The step is over; the next one begins when the workflow is resumed.
            run.due = Some(self.now);
            return self.store.update_run(run);
        }
        self.run_on(run, contact, None, 0)?;
        self.follow_up()
    }

    /// After a crash: what was in flight is in doubt, and the channel's policy says what becomes of it.
    pub(super) fn settle_doubts(&mut self) -> Result<()> {
        for id in self.store.messages_in_doubt()? {
            let Some(mut message) = self.store.message(id)? else { continue };
            message.error = Some("the runner stopped while it was in flight".to_owned());
            if self.resends(&message) {
                self.requeue(&mut message)?;
            } else {
                self.settle(&mut message, MessageStatus::Unknown)?;
                self.left(&message, None)?;
            }
        }
        self.follow_up()
    }

    /// A person decided that a message in doubt, or failed, is to be sent once more.
    pub(super) fn resend(&mut self, id: MessageId) -> Result<()> {
        match self.store.message(id)? {
            Some(mut message) if matches!(message.status, MessageStatus::Unknown | MessageStatus::Failed) => {
                self.requeue(&mut message)
            }
            _ => Ok(()),
        }
    }
}
