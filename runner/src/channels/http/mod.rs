//! Channels that make an HTTP request for each message: one written out in the settings, or that of a known provider. The requests of `call`
//! steps go the same way.

mod calls;
mod draft;
mod form;
mod presets;
mod sign;
mod verdict;
mod workers;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use dsl::model::{HttpDelivery, Preset, Secret};
use serde_json::{Map, Value, json};

use self::calls::Calls;
use self::form::Form;
use self::presets::{Fcm, Provider};
use self::sign::SigningKey;
use self::verdict::Verdict;
use super::{Content, Envelope, Outcome, Refusal, compose};
use crate::http_client::{Answer, Connections, Trouble};
use crate::render::RenderError;

pub use calls::judged_call;
pub use verdict::judged_status;
pub use workers::start;

/// How long a provider's answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A channel of requests, with everything that was in the environment put in. Its `Debug` shows no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpOptions {
    /// Hosts on private addresses that may be called all the same.
    pub private_hosts: Vec<String>,
    pub way: HttpWay,
}

#[derive(Debug, Clone, PartialEq)]
pub enum HttpWay {
    Request(HttpDelivery),
    /// A provider and its options; `service_account` is the JSON itself.
    Preset(Preset, BTreeMap<String, Secret>),
    /// What `call` steps ask for, with the project's secrets by name.
    Calls(BTreeMap<String, Secret>),
}

/// Why a channel's requests can never work. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error(transparent)]
    Template(#[from] RenderError),
    #[error("`{0}` cannot be a header's name")]
    HeaderName(String),
    #[error("the secret to sign with is no base64 behind whsec_: copy it whole, or give one without that beginning")]
    SigningKey,
    #[error("the option `{0}` is missing")]
    Option(&'static str),
    #[error(
        "`service_account` is no key file of a Google service account (JSON with project_id, client_email and private_key): download one in the Firebase console, under project settings, service accounts"
    )]
    ServiceAccount,
}

/// How requests are made.
pub enum Way {
    Request(Box<Written>),
    Preset(Box<dyn Provider>),
    Fcm(Box<Fcm>),
    Calls(Calls),
}

/// A request as the settings write it.
pub struct Written {
    form: Form,
    sign: Option<SigningKey>,
    timeout: Duration,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    pub outcome: Outcome,
    pub refusal: Option<Refusal>,
    pub answer: Option<Value>,
}

impl Carried {
    /// What says nothing but what became of the message.
    fn of(outcome: Outcome) -> Carried {
        Carried { outcome, refusal: None, answer: None }
    }

    fn failed(why: impl ToString) -> Carried {
        Carried::of(Outcome::Failed(why.to_string()))
    }
}

impl From<Verdict> for Carried {
    fn from(verdict: Verdict) -> Carried {
        Carried { outcome: verdict.outcome, refusal: verdict.refusal, answer: None }
    }
}

/// A message as providers see it.
pub struct Message<'a> {
    pub to: &'a str,
    pub subject: Option<&'a str>,
    pub body: &'a str,
    /// What the step's `with` gave, where it is text, number or boolean.
    pub with: Vec<(&'a str, String)>,
    /// The Message-ID without its domain: the same over attempts.
    pub id: &'a str,
    /// ms since 1970 UTC.
    pub now: i64,
}

impl Way {
    /// Compiles the channel's texts. `name` is the channel's.
    pub fn read(name: &str, options: &HttpOptions) -> Result<Way, HttpError> {
        Ok(match &options.way {
            HttpWay::Request(delivery) => {
                let form = Form::of_delivery(&format!("channels.{name}.deliver"), delivery)?;
                let sign = delivery.sign.as_ref().map(|secret| SigningKey::read(&secret.0)).transpose()?;
                let timeout = Duration::from_millis(delivery.timeout.millis().unsigned_abs());
                Way::Request(Box::new(Written { form, sign, timeout }))
            }
            HttpWay::Preset(Preset::Fcm, options) => Way::Fcm(Box::new(Fcm::read(options)?)),
            HttpWay::Preset(preset, options) => Way::Preset(presets::read(*preset, options)?),
            HttpWay::Calls(secrets) => Way::Calls(Calls::new(secrets)),
        })
    }

    /// Makes the request of one message; `now` is the machine's time, in ms since 1970 UTC.
    pub async fn carry(&self, connections: &mut Connections, envelope: &Envelope, content: Content, now: i64) -> Carried {
        let id = envelope.message_id.split('@').next().unwrap_or_default();
        match self {
            Way::Request(written) => {
                let data = data(envelope, &content);
                let made = compose::caught(|| written.form.draft(&data, None)?.ready(id, written.sign.as_ref(), now));
                let request = match made {
                    Ok(request) => request,
                    Err(why) => return Carried::failed(why),
                };
                judged(connections.send(request, written.timeout).await, verdict::by_status)
            }
            Way::Preset(provider) => {
                let made = message(envelope, &content, id, now).and_then(|message| provider.draft(&message));
                let request = match made.and_then(|draft| draft.ready(id, None, now)) {
                    Ok(request) => request,
                    Err(why) => return Carried::failed(why),
                };
                judged(connections.send(request, PATIENCE).await, |answer| provider.verdict(answer))
            }
            Way::Fcm(fcm) => match message(envelope, &content, id, now) {
                Ok(message) => fcm.carry(connections, &message).await,
                Err(why) => Carried::failed(why),
            },
            Way::Calls(calls) => calls.carry(connections, id, content, now).await,
        }
    }

    /// Whether the other side is told apart a request from the same one made again, so that making it again does no harm.
    pub fn is_idempotent(&self) -> bool {
        matches!(self, Way::Calls(_))
    }
}

/// What an exchange means for a message, of which nobody can say whether it was taken when there is no answer.
fn judged(exchanged: Result<Answer, Trouble>, verdict: impl FnOnce(&Answer) -> Verdict) -> Carried {
    match exchanged {
        Ok(answer) => verdict(&answer).into(),
        Err(trouble) if trouble.is_final() => Carried::failed(trouble),
        Err(trouble) if trouble.is_in_doubt() => {
            Carried::of(Outcome::Unknown(format!("after the request had been given, {trouble}")))
        }
        Err(trouble) => Carried::of(Outcome::Deferred(trouble.to_string())),
    }
}

/// What a request's texts are rendered with.
fn data(envelope: &Envelope, content: &Content) -> Value {
    let mut data = match &content.data {
        Some(Value::Object(data)) => data.clone(),
        _ => Map::new(),
    };
    data.entry("message").or_insert_with(|| json!({ "id": envelope.message_id }));
    data.insert("to".to_owned(), Value::String(envelope.to.clone()));
    data.insert("body".to_owned(), Value::String(content.text.clone().unwrap_or_default()));
    for (name, part) in [("subject", &content.subject), ("html", &content.html)] {
        if let Some(part) = part {
            data.insert(name.to_owned(), Value::String(part.clone()));
        }
    }
    Value::Object(data)
}

fn message<'a>(envelope: &'a Envelope, content: &'a Content, id: &'a str, now: i64) -> Result<Message<'a>, String> {
    /// Texts at the top of the data that no `with` gave.
    const LINKS: [&str; 3] = ["unsubscribe_url", "preferences_url", "confirm_url"];
    let body = content.text.as_deref().filter(|body| !body.trim().is_empty()).ok_or("the message has no text to send")?;
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let given = content.data.as_ref().and_then(Value::as_object).into_iter().flatten();
    let with = given.filter(|(name, _)| !LINKS.contains(&name.as_str()));
    let with = with.filter_map(|(name, value)| Some((name.as_str(), scalar(value)?))).collect();
    Ok(Message { to: &envelope.to, subject: content.subject.as_deref(), body, with, id, now })
}
