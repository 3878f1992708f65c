//! Making the job of a message: its envelope, its header fields, and what its template sees.

use std::sync::Arc;

use dsl::model::{CONFIRMING, Deliver, Provider, Send, Settings, Topic, Tracking};
use serde_json::{Map, Value, json};

use super::runs::holds_template;
use super::{Kernel, Prepared};
use crate::audience::contact_json;
use crate::channels::{Content, Envelope, Job};
use crate::render::{Addressee, Rendered};
use crate::state::*;
use crate::store::Result;
use crate::tokens::{Purpose, Token};
use crate::tracking;

/// A message's Message-ID (RFC 5322 section 3.6.4) without angle brackets: the same for every attempt, and different for every other message
/// in the world. `identity` is the store's.
pub fn message_id(message: &Message, settings: &Settings, identity: &str) -> String {
    let from = settings.channels.get(&message.channel).and_then(|channel| channel.from.as_deref());
    let domain = from.and_then(|from| from.rsplit_once('@')).map(|(_, domain)| domain.trim_end_matches('>').trim());
    let domain = domain.filter(|domain| !domain.is_empty() && domain.is_ascii()).unwrap_or("campaignd.invalid");
    format!("{}.{}.{}.{identity}@{domain}", message.run, message.visit, message.step)
}

/// What links begin with: the project's public address, or where this runner listens.
pub(crate) fn public_base(settings: &Settings) -> String {
    settings.url.clone().unwrap_or_else(|| format!("http://{}", settings.http.listen))
}

/// One click in the mail program ends it (RFC 2369 section 3.2, RFC 8058 section 3.1). Only where the world can reach the address.
pub(crate) fn unsubscribe_headers(marketing: bool, settings: &Settings, url: &str) -> Vec<(&'static str, String)> {
    if !marketing || settings.url.is_none() {
        return Vec::new();
    }
    vec![("List-Unsubscribe", format!("<{url}>")), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())]
}

/// What complaints are counted by at providers that report them in sums: up to three labels of ours, then whose mail it is.
fn feedback_id(message: &Message, workflow: &str, project: &str) -> String {
    let label = |text: &str| {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
        text.chars().map(plain).take(40).collect::<String>()
    };
    let topic = message.topic.as_deref().unwrap_or("none");
    format!("{}:{}:{}:{}", label(&message.template), label(workflow), label(topic), label(project))
}

/// What is tracked of a message. `None`: the world cannot reach the address that links would lead to.
fn tracking_of(message: &Message, settings: &Settings) -> Option<Tracking> {
    settings.url.as_ref()?;
    let topic = message.topic.as_ref().and_then(|topic| settings.topics.get(topic));
    Some(topic.map_or(settings.tracking, |topic| topic.tracking))
}

/// The topic that the run asks to confirm.
fn asked_for<'r>(workflow: &str, run: &'r Run) -> Option<&'r str> {
    run.state.event.as_ref().filter(|_| workflow == CONFIRMING).and_then(|event| event["topic"].as_str())
}

/// What the links in a message lead to.
struct Links {
    unsubscribe: String,
    preferences: String,
    /// Of a mail that asks to confirm a subscription.
    confirm: Option<String>,
}

impl Kernel {
    fn links(&self, message: &Message, workflow: &str, run: &Run) -> Links {
        let base = public_base(&self.plan.catalog.settings);
        let token = |purpose, topic: Option<String>| {
            self.signer.sign(purpose, &Token { contact: message.contact, message: message.id, topic })
        };
        let preferences = token(Purpose::Preferences, message.topic.clone());
        Links {
            unsubscribe: format!("{base}/u/{preferences}"),
            preferences: format!("{base}/preferences/{preferences}"),
            confirm: asked_for(workflow, run)
                .map(|topic| format!("{base}/confirm/{}", token(Purpose::Confirm, Some(topic.to_owned())))),
        }
    }

    /// Stands in for links that nobody follows: the names are there, and what they lead to is signed for nobody.
    fn no_links(&self, workflow: &str, run: &Run) -> Links {
        let base = public_base(&self.plan.catalog.settings);
        Links {
            unsubscribe: format!("{base}/u/0"),
            preferences: format!("{base}/preferences/0"),
            confirm: asked_for(workflow, run).map(|_| format!("{base}/confirm/0")),
        }
    }

    fn envelope(&self, message: &Message, workflow: &str, links: &Links) -> Envelope {
        let settings = &self.plan.catalog.settings;
        let envelope = Envelope {
            to: message.to.clone().unwrap_or_default(),
            message_id: message_id(message, settings, &self.identity),
            date: self.now,
            ..Envelope::default()
        };
        if message.channel != "email" {
            return envelope;
        }
        let mut headers = unsubscribe_headers(message.marketing, settings, &links.unsubscribe);
        headers.push(("Feedback-ID", feedback_id(message, workflow, &settings.project)));
        let return_token = self.signer.sign_return(message.id);
        if settings.bounces.webhooks.values().any(|webhook| webhook.provider == Provider::Postmark) {
            // It replaces Message-IDs by its own; this comes back in its webhooks (there it is cut at 80 characters).
            headers.push(("X-PM-Metadata-campaignd", return_token.clone()));
        }
        let topic: Option<&Topic> = message.topic.as_ref().and_then(|topic| settings.topics.get(topic));
        Envelope {
            headers,
            from: topic.and_then(|topic| topic.from.clone()),
            reply_to: topic.and_then(|topic| topic.reply_to.clone()),
            return_token: Some(return_token),
            ..envelope
        }
    }

    /// Records that the sending begins, and makes the job.
    pub(super) fn claim(
        &mut self,
        mut message: Message,
        run: &Run,
        contact: Contact,
        prepared: Arc<Prepared>,
        send: &Send,
    ) -> Result<Job> {
        self.begin_sending(&mut message, run)?;
        let settings = self.plan.catalog.settings.clone();
        let workflow = prepared.program.definition.workflow.name.as_str();
        let links = if self.subjects_only { self.no_links(workflow, run) } else { self.links(&message, workflow, run) };
        let envelope = if self.subjects_only { Envelope::default() } else { self.envelope(&message, workflow, &links) };
        let now = self.now;
        let (event, vars, with) = (run.state.event.clone(), run.state.vars.clone(), send.with.clone());
        let tracking = tracking_of(&message, &settings).filter(|tracking| tracking.opens || tracking.clicks);
        let tracking = tracking.map(|tracking| (tracking, self.signer.clone(), public_base(&settings)));
        let (template, id, message_id) = (message.template, message.id, envelope.message_id.clone());
        let channel = settings.channels.get(&message.channel);
        let by_request = channel.is_some_and(|channel| matches!(channel.deliver, Deliver::Http(_) | Deliver::Preset(..)));
        let whom = Token { contact: contact.id, message: id, topic: message.topic };
        let (channel, marketing, zone) = (message.channel, message.marketing, self.zone_of(&contact));
        let subjects_only = self.subjects_only;
        let compose = move || {
            let to = Addressee {
                channel: &channel,
                locale: contact.locale.as_deref(),
                project_locale: &settings.locale,
                zone,
                marketing,
                now,
            };
            let mut data = run_data(&contact, &settings, now, event, vars);
            data.insert("message".to_owned(), json!({ "id": message_id }));
            data.insert("unsubscribe_url".to_owned(), Value::String(links.unsubscribe));
            data.insert("preferences_url".to_owned(), Value::String(links.preferences));
            data.extend(links.confirm.map(|url| ("confirm_url".to_owned(), Value::String(url))));
            if holds_template(&with) {
                let (with, problems) = prepared.templates.render_with(&with, &Value::Object(data.clone()), &to);
                if let Some(problem) = problems.into_iter().next() {
                    return Err(problem);
                }
                data.extend(with);
            } else {
                data.extend(with);
            }
            let data = Value::Object(data);
            if subjects_only {
                let make = || {
                    let rendered = prepared.templates.render(&template, &data, &to).map_err(|error| error.to_string())?;
                    prepared.files(&rendered).map(|_| rendered.subject)
                };
                let subject = prepared.templates.outcome(&template, &data, &to, make)?;
                return Ok(Content { subject, ..Content::default() });
            }
            let mut rendered = prepared.templates.render(&template, &data, &to).map_err(|error| error.to_string())?;
            if let (Some(html), Some((tracking, signer, base))) = (&mut rendered.html, tracking) {
                *html = tracking::prepare(html, &base, &signer, id, &whom, tracking);
            }
            let files = prepared.files(&rendered)?;
            let data = by_request.then_some(data);
            let Rendered { subject, html, text, .. } = rendered;
            Ok(Content { subject, html, text, data, files, ..Content::default() })
        };
        Ok(Job { message: id, envelope, compose: Box::new(compose) })
    }

    /// Committed before the first byte leaves.
    pub(super) fn begin_sending(&mut self, message: &mut Message, run: &Run) -> Result<()> {
        message.status = MessageStatus::Sending;
        message.definition = run.definition;
        message.attempts += 1;
        message.at = self.now;
        message.error = None;
        // A marketing message takes its slot of the frequency caps with the first attempt; of the others it is only known when that was.
        message.taken_at.get_or_insert(self.now);
        self.store.update_message(message)
    }
}

/// What every template of a run sees.
pub(super) fn run_data(
    contact: &Contact,
    settings: &Settings,
    now: i64,
    event: Option<Value>,
    vars: Map<String, Value>,
) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("contact".to_owned(), contact_json(contact, settings, now));
    data.insert("event".to_owned(), event.unwrap_or_else(|| Value::Object(Map::new())));
    data.insert("vars".to_owned(), Value::Object(vars));
    data
}
