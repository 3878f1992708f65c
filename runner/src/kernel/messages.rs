//! Messages: queued by runs, and handed to channels when the rules of sending let them.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::{Fate, Send, Settings, StepKind};
use serde_json::{Map, Value};

use super::observe::Held;
use super::{Kernel, Prepared};
use crate::channels::Job;
use crate::dispatch::{Case, Decision, Holding, RateLimit, Skip, domain_of, limit_of};
use crate::engine::{MessageEnd, Queue};
use crate::standing::Cause;
use crate::state::*;
use crate::store::Result;

/// How many calls may be under way at once.
const CALLS_AT_ONCE: usize = 16;
/// How many messages a turn puts aside at most because their recipients' domains have no place for them.
const PUT_ASIDE: usize = 1000;

/// What the kernel knows of a channel's present.
#[derive(Clone)]
pub(super) struct ChannelState {
    pub connections: usize,
    /// Connections that carry nothing.
    pub free: usize,
    pub rate: Option<RateLimit>,
    /// The rate lets nothing leave before this time.
    pub blocked_until: i64,
}

impl ChannelState {
    pub fn of(settings: &Settings) -> HashMap<Arc<str>, ChannelState> {
        let fresh = |channel: &dsl::model::Channel| ChannelState {
            connections: channel.connections,
            free: channel.connections,
            rate: channel.rate.map(RateLimit::new),
            blocked_until: i64::MIN,
        };
        let calls = ChannelState { connections: CALLS_AT_ONCE, free: CALLS_AT_ONCE, rate: None, blocked_until: i64::MIN };
        let named = settings.channels.iter().map(|(name, channel)| (Arc::from(name.as_str()), fresh(channel)));
        named.chain([(Arc::from(CALLS), calls)]).collect()
    }
}

impl Kernel {
    /// Takes over changed connections and rates; what is in flight stays counted.
    pub(super) fn reset_channels(&mut self, settings: &Settings) {
        let mut channels = ChannelState::of(settings);
        for (name, channel) in &mut channels {
            let Some(old) = self.channels.get(name) else { continue };
            let busy = old.connections - old.free;
            channel.free = channel.connections.saturating_sub(busy);
            if self.plan.catalog.settings.channels.get(&**name).map(|channel| channel.rate)
                == settings.channels.get(&**name).map(|channel| channel.rate)
            {
                channel.rate = old.rate;
                channel.blocked_until = old.blocked_until;
            }
        }
        self.channels = channels;
    }

    pub(super) fn queue_message(&mut self, queue: Queue, run: &Run, contact: &Contact, prepared: &Prepared) -> Result<MessageId> {
        let first = queue.channel.clone().unwrap_or_else(|| channel_of_template(prepared, &queue.template));
        let others = send_of(prepared, &queue.step).map(|send| send.or_channels.as_slice()).unwrap_or_default();
        let channel = self.reached_on(contact, &first, others)?.unwrap_or(first);
        self.store.insert_message(&Message {
            id: MessageId(0),
            run: run.id,
            contact: run.contact,
            workflow: run.workflow,
            definition: run.definition,
            step: queue.step,
            visit: queue.visit,
            template: queue.template,
            channel,
            topic: queue.topic,
            marketing: queue.marketing,
            status: MessageStatus::Queued,
            to: None,
            subject: None,
            attempts: 0,
            error: None,
            created_at: self.now,
            due: self.late_since.unwrap_or(self.now),
            taken_at: None,
            at: self.now,
            capped_at: None,
        })
    }

    /// The run ended: a message of it that has not left does not leave any more.
    pub(super) fn cancel_message(&mut self, id: MessageId, reason: EndReason) -> Result<()> {
        let Some(mut message) = self.store.message(id)? else { return Ok(()) };
        if message.status == MessageStatus::Queued {
            message.error = Some(format!("cancelled: {}", reason.word()));
            self.settle(&mut message, MessageStatus::Skipped)?;
        }
        Ok(())
    }

    /// Hands out as many messages as there are free connections and the rates allow. True when there is more to look at.
    pub(super) fn dispatch(&mut self, jobs: &mut Vec<(Arc<str>, Job)>) -> Result<bool> {
        let mut names: Vec<Arc<str>> = self.channels.keys().cloned().collect();
        names.sort();
        let mut put_aside = 0;
        for name in names {
            while let Some(free) = self.free_places(&name) {
                let waited: Vec<MessageId> = self.domains.call(&name, self.now).into_iter().collect();
                let due = if waited.is_empty() { self.store.due_messages(&name, self.now, free)? } else { waited };
                if due.is_empty() {
                    break;
                }
                for id in due {
                    if self.free_places(&name).is_none() {
                        break;
                    }
                    put_aside += usize::from(!self.try_send(&name, id, jobs)?);
                    if put_aside == PUT_ASIDE {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// How many messages the channel can take now; `None`: none at all.
    fn free_places(&mut self, name: &str) -> Option<usize> {
        let channel = self.channels.get_mut(name)?;
        if let Some(next) = channel.rate.as_ref().and_then(|rate| rate.free_at(self.now)) {
            channel.blocked_until = next;
        }
        (channel.free > 0 && channel.blocked_until <= self.now).then_some(channel.free)
    }

    /// Decides about one due message. False when it was put aside, because its recipient's domain has no place for it.
    fn try_send(&mut self, name: &Arc<str>, id: MessageId, jobs: &mut Vec<(Arc<str>, Job)>) -> Result<bool> {
        let Some(mut message) = self.store.message(id)? else { return Ok(true) };
        if self.is_frozen(message.workflow) || message.status != MessageStatus::Queued || *message.channel != **name {
            self.store.park_message(id)?;
            return Ok(true);
        }
        let Some(mut run) = self.store.run(message.run)? else {
            message.error = Some("its run is missing".to_owned());
            return self.settle(&mut message, MessageStatus::Failed).map(|()| true);
        };
        let mut contact = self.load_contact(message.contact)?;
        let zone = self.zone_of(&contact);
        let prepared = self.follow_if_changed(&mut run, &mut contact, &zone)?;
        if let Some(call) = self.call_of(&prepared, &message).filter(|_| message.channel == CALLS && !contact.erased) {
            self.take_place(name);
            jobs.push((name.clone(), self.claim_call(message, &run, contact, call)?));
            return Ok(true);
        }
        let Some(send) = send_of(&prepared, &message.step).filter(|_| message.channel != CALLS) else {
            message.error = Some("the step that sends it is gone".to_owned());
            self.settle(&mut message, MessageStatus::Skipped)?;
            return self.message_done(&message, &mut run, &mut contact, &prepared, MessageEnd::Skipped).map(|()| true);
        };
        let reach = self.reach(&contact, &message.channel)?;
        let plan = self.plan.clone();
        let case = Case {
            now: self.now,
            message: &message,
            contact: &contact,
            zone: &zone,
            settings: &plan.catalog.settings,
            workflow: &prepared.program.definition.workflow,
            send,
            reach: &reach,
            seed: &self.seed,
        };
        let slots = match case.cap_span() {
            Some(span) => self.store.slots_taken(contact.id, self.now - span.millis())?,
            None => Vec::new(),
        };
        match case.decide(&slots) {
            Decision::Hold { until, why } => {
                if let Some(observer) = &mut self.observer {
                    let workflow = &prepared.program.definition.workflow.name;
                    observer.held(&Held { at: self.now, contact: &contact.uid, workflow, message: &message, why, until });
                }
                message.due = until;
                if why == Holding::Cap {
                    message.capped_at.get_or_insert(self.now);
                    message.error = Some("held: over a frequency cap".to_owned());
                }
                self.store.update_message(&message)?;
            }
            Decision::Skip(skip) => {
                let first = send.channel.clone().unwrap_or_else(|| channel_of_template(&prepared, &message.template));
                let nowhere = matches!(skip, Skip::NoAddress | Skip::Suppressed);
                match if nowhere { self.reached_on(&contact, &first, &send.or_channels)? } else { None } {
                    Some(channel) => self.store.redirect_message(id, &channel)?,
                    None => self.skip(message, &mut run, &mut contact, &prepared, skip)?,
                }
            }
            Decision::Send(to) => {
                let channel = plan.catalog.settings.channels.get(&**name);
                let domain = if &**name == "email" { domain_of(&to) } else { None };
                let limited = domain.and_then(|domain| Some((limit_of(channel?, &domain)?, domain)));
                if let Some((limit, domain)) = limited
                    && !self.domains.take(name, &domain, limit, self.now)
                {
                    self.store.park_message(id)?;
                    self.domains.wait(name, &domain, id);
                    return Ok(false);
                }
                self.take_place(name);
                message.to = Some(to);
                jobs.push((name.clone(), self.claim(message, &run, contact, prepared.clone(), send)?));
            }
        }
        Ok(true)
    }

    fn take_place(&mut self, name: &str) {
        if let Some(channel) = self.channels.get_mut(name) {
            channel.free -= 1;
            if let Some(Err(next)) = channel.rate.as_mut().map(|rate| rate.take(self.now)) {
                channel.blocked_until = next;
            }
        }
    }

    fn skip(
        &mut self,
        mut message: Message,
        run: &mut Run,
        contact: &mut Contact,
        prepared: &Prepared,
        skip: Skip,
    ) -> Result<()> {
        message.error = Some(skip.word().to_owned());
        self.settle(&mut message, MessageStatus::Skipped)?;
        let detail = Map::from_iter([("reason".to_owned(), Value::String(skip.word().to_owned()))]);
        self.log(run, contact, LogKind::Skip, message.step.clone(), detail, Some(&message))?;
        let how = match skip {
            Skip::Overdue(action) => MessageEnd::Overdue(action),
            skip if skip.unreachable() => MessageEnd::Unreachable,
            _ => MessageEnd::Skipped,
        };
        self.message_done(&message, run, contact, prepared, how)
    }

    /// Gives a message a state that it stays in. One that was not sent gives back its slot of the frequency caps.
    pub(super) fn settle(&mut self, message: &mut Message, status: MessageStatus) -> Result<()> {
        message.status = status;
        message.at = self.now;
        self.tally.message(&message.channel, status);
        if matches!(status, MessageStatus::Failed | MessageStatus::Skipped) {
            message.taken_at = None;
        }
        self.store.update_message(message)?;
        if status == MessageStatus::Sent && self.definitions.audience.heeds(&Cause::Event(Fate::Sent.event().to_owned())) {
            let event = self.sent_event(message);
            self.event_counts(message.contact, Fate::Sent.event(), &event)?;
        }
        Ok(())
    }
}

/// The send step of this id.
fn send_of<'p>(prepared: &'p Prepared, step: &str) -> Option<&'p Send> {
    let index = prepared.program.step(step)?;
    match &prepared.program.definition.workflow.steps.get(index)?.kind {
        StepKind::Send(send) => Some(send),
        _ => None,
    }
}

fn channel_of_template(prepared: &Prepared, template: &str) -> String {
    let source = prepared.program.definition.templates.get(template);
    source.and_then(|source| source.channel.clone()).unwrap_or_else(|| "email".to_owned())
}
