//! Messages: queued by runs, handed to channels when the rules of sending let them, and what comes back.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::{Fate, OnUnknown, Send, Settings, StepKind, Tracking};
use serde_json::{Map, Value, json};

use super::runs::holds_template;
use super::{CHAIN, CHAIN_BREAKS, Kernel, Prepared};
use crate::audience::contact_json;
use crate::channels::{Content, Envelope, Job, Outcome, Report};
use crate::dispatch::{Case, Decision, RateLimit, Skip, next_attempt};
use crate::engine::{self, MessageEnd, Queue};
use crate::standing::Cause;
use crate::state::*;
use crate::store::Result;
use crate::tokens::{Purpose, Token};
use crate::tracking;

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
        settings.channels.iter().map(|(name, channel)| (Arc::from(name.as_str()), fresh(channel))).collect()
    }
}

/// A message's Message-ID (RFC 5322 section 3.6.4) without angle brackets: the same for every attempt, and different for every other message
/// in the world. `identity` is the store's.
pub fn message_id(message: &Message, settings: &Settings, identity: &str) -> String {
    let from = settings.channels.get(&message.channel).and_then(|channel| channel.from.as_deref());
    let domain = from.and_then(|from| from.rsplit_once('@')).map(|(_, domain)| domain.trim_end_matches('>').trim());
    let domain = domain.filter(|domain| !domain.is_empty() && domain.is_ascii()).unwrap_or("campaignd.invalid");
    format!("{}.{}.{}.{identity}@{domain}", message.run, message.visit, message.step)
}

/// What links begin with: the project's public address, or where this runner listens.
fn public_base(settings: &Settings) -> String {
    settings.url.clone().unwrap_or_else(|| format!("http://{}", settings.http.listen))
}

/// One click in the mail program ends it (RFC 2369 section 3.2, RFC 8058 section 3.1). Only where the world can reach the address.
fn unsubscribe_headers(message: &Message, settings: &Settings, url: &str) -> Vec<(&'static str, String)> {
    if !message.marketing || settings.url.is_none() {
        return Vec::new();
    }
    vec![("List-Unsubscribe", format!("<{url}>")), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())]
}

/// What is tracked of a message. `None`: the world cannot reach the address that links would lead to.
fn tracking(message: &Message, settings: &Settings) -> Option<Tracking> {
    settings.url.as_ref()?;
    let topic = message.topic.as_ref().and_then(|topic| settings.topics.get(topic));
    Some(topic.map_or(settings.tracking, |topic| topic.tracking))
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

    pub(super) fn queue_message(&mut self, queue: Queue, run: &Run, prepared: &Prepared) -> Result<MessageId> {
        let source = prepared.program.definition.templates.get(&queue.template);
        let channel = queue.channel.or_else(|| source.and_then(|source| source.channel.clone()));
        self.store.insert_message(&Message {
            id: MessageId(0),
            run: run.id,
            contact: run.contact,
            workflow: run.workflow,
            definition: run.definition,
            step: queue.step,
            visit: queue.visit,
            template: queue.template,
            channel: channel.unwrap_or_else(|| "email".to_owned()),
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

    /// Hands out as many messages as there are free connections and the rate allows.
    pub(super) fn dispatch(&mut self, jobs: &mut Vec<(Arc<str>, Job)>) -> Result<()> {
        let mut names: Vec<Arc<str>> = self.channels.keys().cloned().collect();
        names.sort();
        for name in names {
            while let Some(channel) = self.channels.get(&name) {
                if channel.free == 0 || channel.blocked_until > self.now {
                    break;
                }
                let due = self.store.due_messages(&name, self.now, channel.free)?;
                if due.is_empty() {
                    break;
                }
                for id in due {
                    if !self.try_send(&name, id, jobs)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Decides about one due message. False when the channel's rate lets nothing more leave now.
    fn try_send(&mut self, name: &Arc<str>, id: MessageId, jobs: &mut Vec<(Arc<str>, Job)>) -> Result<bool> {
        let Some(mut message) = self.store.message(id)? else { return Ok(true) };
        if self.is_frozen(message.workflow) || message.status != MessageStatus::Queued {
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
        let step = prepared.program.step(&message.step).and_then(|index| prepared.program.definition.workflow.steps.get(index));
        let Some(StepKind::Send(send)) = step.map(|step| &step.kind) else {
            message.error = Some("the step that sends it is gone".to_owned());
            self.settle(&mut message, MessageStatus::Skipped)?;
            return self.message_done(&message, &mut run, &mut contact, &prepared, MessageEnd::Skipped).map(|()| true);
        };
        let plan = self.plan.clone();
        let case = Case {
            now: self.now,
            message: &message,
            contact: &contact,
            zone: &zone,
            settings: &plan.catalog.settings,
            workflow: &prepared.program.definition.workflow,
            send,
            seed: &self.seed,
        };
        let slots = match case.cap_span() {
            Some(span) => self.store.slots_taken(contact.id, self.now - span.millis())?,
            None => Vec::new(),
        };
        match case.decide(&slots) {
            Decision::Hold { until, capped } => {
                message.due = until;
                if capped {
                    message.capped_at.get_or_insert(self.now);
                    message.error = Some("held: over a frequency cap".to_owned());
                }
                self.store.update_message(&message)?;
            }
            Decision::Skip(skip) => {
                message.error = Some(skip.word().to_owned());
                self.settle(&mut message, MessageStatus::Skipped)?;
                let detail = Map::from_iter([("reason".to_owned(), Value::String(skip.word().to_owned()))]);
                self.log(&mut run, &contact, LogKind::Skip, message.step.clone(), detail, Some(&message))?;
                let how = match skip {
                    Skip::Overdue(action) => MessageEnd::Overdue(action),
                    skip if skip.unreachable() => MessageEnd::Unreachable,
                    _ => MessageEnd::Skipped,
                };
                self.message_done(&message, &mut run, &mut contact, &prepared, how)?;
            }
            Decision::Send(to) => {
                if let Some(channel) = self.channels.get_mut(name) {
                    if let Some(Err(next)) = channel.rate.as_mut().map(|rate| rate.take(self.now)) {
                        channel.blocked_until = next;
                        return Ok(false);
                    }
                    channel.free -= 1;
                }
                message.to = Some(to);
                jobs.push((name.clone(), self.claim(message, &run, contact, prepared.clone(), send)?));
            }
        }
        Ok(true)
    }

    /// Records that the sending begins, and makes the job.
    fn claim(&mut self, mut message: Message, run: &Run, contact: Contact, prepared: Arc<Prepared>, send: &Send) -> Result<Job> {
        message.status = MessageStatus::Sending;
        message.definition = run.definition;
        message.attempts += 1;
        message.at = self.now;
        message.error = None;
        if message.marketing && message.taken_at.is_none() {
            message.taken_at = Some(self.now);
        }
        self.store.update_message(&message)?;
        let settings = self.plan.catalog.settings.clone();
        let message_id = message_id(&message, &settings, &self.identity);
        let whom = Token { contact: message.contact, message: message.id, topic: message.topic.clone() };
        let token = self.signer.sign(Purpose::Preferences, &whom);
        let base = public_base(&settings);
        let (unsubscribe_url, preferences_url) = (format!("{base}/u/{token}"), format!("{base}/preferences/{token}"));
        let envelope = Envelope {
            to: message.to.clone().unwrap_or_default(),
            message_id: message_id.clone(),
            date: self.now,
            headers: unsubscribe_headers(&message, &settings, &unsubscribe_url),
            from: None,
            reply_to: None,
            return_token: Some(self.signer.sign_return(message.id)),
        };
        let tracking = tracking(&message, &settings).map(|tracking| (tracking, self.signer.clone()));
        let now = self.now;
        let (event, vars, with) = (run.state.event.clone(), run.state.vars.clone(), send.with.clone());
        let template = message.template;
        let compose = move || {
            let mut data = Map::new();
            data.insert("contact".to_owned(), contact_json(&contact, &settings, now));
            data.insert("event".to_owned(), event.unwrap_or_else(|| Value::Object(Map::new())));
            data.insert("vars".to_owned(), Value::Object(vars));
            data.insert("message".to_owned(), json!({ "id": message_id }));
            data.insert("unsubscribe_url".to_owned(), Value::String(unsubscribe_url));
            data.insert("preferences_url".to_owned(), Value::String(preferences_url));
            if holds_template(&with) {
                let (with, problems) = prepared.templates.render_with(&with, &Value::Object(data.clone()));
                if let Some(problem) = problems.into_iter().next() {
                    return Err(problem);
                }
                data.extend(with);
            } else {
                data.extend(with);
            }
            let mut rendered = prepared.templates.render(&template, &Value::Object(data)).map_err(|error| error.to_string())?;
            if let (Some(html), Some((tracking, signer))) = (&mut rendered.html, tracking) {
                *html = tracking::prepare(html, &base, &signer, whom.message, &whom, tracking);
            }
            Ok(Content { subject: rendered.subject, html: rendered.html, text: rendered.text, ..Content::default() })
        };
        Ok(Job { message: message.id, envelope, compose: Box::new(compose) })
    }

    /// Gives a message a state that it stays in. One that was not sent gives back its slot of the frequency caps.
    fn settle(&mut self, message: &mut Message, status: MessageStatus) -> Result<()> {
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

    /// A channel reports on a message it carried.
    pub(super) fn message_reported(&mut self, report: &Report) -> Result<()> {
        let Some(mut message) = self.store.message(report.message)? else { return Ok(()) };
        if let Some(channel) = self.channels.get_mut(&*message.channel) {
            channel.free = (channel.free + 1).min(channel.connections);
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
            Outcome::Sent => (MessageStatus::Sent, None),
            Outcome::Failed(error) => (MessageStatus::Failed, silent(error)),
            Outcome::Unknown(error) => (MessageStatus::Unknown, silent(error)),
            Outcome::Deferred(error) => {
                let channel = self.plan.catalog.settings.channels.get(&message.channel);
                let began = message.taken_at.unwrap_or(message.created_at);
                let key = format!("{}.{}", message.run, message.visit);
                let next = channel.and_then(|channel| next_attempt(channel.retry, &key, message.attempts, began, self.now));
                let run_open = self.store.run(message.run)?.is_some_and(|run| run.ended.is_none());
                if let Some(next) = next.filter(|_| run_open) {
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
        self.left(&message)
    }

    fn resends(&self, message: &Message) -> bool {
        let channel = self.plan.catalog.settings.channels.get(&message.channel);
        channel.is_some_and(|channel| channel.on_unknown == OnUnknown::Resend)
    }

    fn requeue(&mut self, message: &mut Message) -> Result<()> {
        message.status = MessageStatus::Queued;
        message.due = self.now;
        message.at = self.now;
        self.store.update_message(message)
    }

    /// A message left, or is in doubt, or failed: it is logged and its run goes on.
    fn left(&mut self, message: &Message) -> Result<()> {
        let Some(mut run) = self.store.run(message.run)? else { return Ok(()) };
        let mut contact = self.load_contact(message.contact)?;
        let prepared = self.prepared_for(&run)?;
        let mut detail = Map::new();
        if message.status != MessageStatus::Sent {
            detail.insert("status".to_owned(), message.status.word().into());
        }
        self.log(&mut run, &contact, LogKind::Send, message.step.clone(), detail, Some(message))?;
        let depth = run.state.depth;
        self.message_done(message, &mut run, &mut contact, &prepared, MessageEnd::Left)?;
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
    fn sent_event(&self, message: &Message) -> Event {
        let workflow = self.in_force.get(message.workflow).map_or("", |current| &current.name);
        let properties = json!({
            "template": message.template, "workflow": workflow, "step": message.step, "channel": message.channel,
        });
        Event { id: EventId(i64::MAX), at: self.now, properties, message: Some(message.id) }
    }

    /// The run that stands on the message goes on.
    fn message_done(
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
                self.left(&message)?;
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
