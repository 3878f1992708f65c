//! campaignd.yaml as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::MapOr;

/// The project's settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsFile {
    /// The project's name.
    pub project: String,
    /// The zone of contacts without one, and of schedules: an IANA name.
    pub time_zone: Option<String>,
    /// The language of contacts without one; default en.
    pub locale: Option<String>,
    /// The public base of links, unsubscribe pages and webhooks: https://mail.shop.example
    pub url: Option<String>,
    /// Where everything is kept; default sqlite:state/campaignd.db
    pub store: Option<String>,
    /// How messages leave, by channel.
    pub channels: Option<BTreeMap<String, Channel>>,
    /// What contacts can subscribe to, by name.
    pub topics: Option<BTreeMap<String, Topic>>,
    /// When and how often contacts may get messages.
    pub limits: Option<Limits>,
    /// Whether opens and clicks are tracked (in a later release).
    pub tracking: Option<Tracking>,
    /// How long what happened is kept; without it, for ever.
    pub retention: Option<Retention>,
    /// The HTTP interface.
    pub http: Option<Http>,
    /// How long a stop waits for messages that are on their way; default 20 seconds.
    pub stop_within: Option<String>,
    /// How late a missed firing may still run; default 1 hour.
    pub grace: Option<String>,
    /// closed (default): unknown attributes and events are errors. open: they are warnings.
    pub contract: Option<ContractMode>,
    /// What becomes of contacts and events that break the data contract. reject (default): left out and reported. accept: stored and
    /// reported.
    pub invalid_data: Option<InvalidData>,
}

/// What becomes of data that breaks the data contract.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InvalidData {
    Reject,
    Accept,
}

/// How strict the data contract is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ContractMode {
    Open,
    Closed,
}

/// A way for messages to leave.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Channel {
    /// The sender: Shop <hello@shop.example>
    pub from: Option<String>,
    /// smtp://host:port, smtps://user:${SMTP_PASSWORD}@host:465, outbox:DIR/ (the default) or null:
    pub deliver: Option<MapOr<DeliverCall, String>>,
    /// How many connections at once; default 16.
    pub connections: Option<u32>,
    /// How many messages at most: "50 per second".
    pub rate: Option<String>,
    /// Signatures for outgoing mail (in a later release).
    pub dkim: Option<Dkim>,
    /// How a message that was refused for now is tried again.
    pub retry: Option<Retry>,
    /// What becomes of a message in doubt after a crash: hold (default) or resend.
    pub on_unknown: Option<OnUnknown>,
}

/// Delivery by an HTTP request (in a later release).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "part of the language and of its schema; such channels come in a later release")]
pub(crate) struct DeliverCall {
    /// The URL to POST to.
    pub post: String,
    /// Headers, by name.
    pub headers: Option<BTreeMap<String, String>>,
    /// The body, as JSON.
    pub json: Option<Map<String, Value>>,
}

/// DKIM signatures.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "part of the language and of its schema; signing comes in a later release")]
pub(crate) struct Dkim {
    /// The signing domain.
    pub domain: String,
    /// The selector under that domain.
    pub selector: String,
    /// The key's file.
    pub key: String,
}

/// After `first`, doubling up to `most`, for at most `for`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retry {
    /// The first pause; default 1 second.
    pub first: Option<String>,
    /// The longest pause; default 5 minutes.
    pub most: Option<String>,
    /// How long in all; default 2 days.
    #[serde(rename = "for")]
    pub span: Option<String>,
}

/// What becomes of a message in doubt after a crash.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnUnknown {
    Hold,
    Resend,
}

/// Something contacts can subscribe to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Topic {
    /// What people read on the preference page.
    pub title: Option<String>,
    /// What holds for contacts who have said nothing; default unsubscribed.
    pub default: Option<TopicDefault>,
    /// Double opt-in (in a later release).
    pub confirm: Option<bool>,
}

/// What holds for contacts who have said nothing.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TopicDefault {
    Subscribed,
    Unsubscribed,
}

/// When and how often contacts may get messages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    /// No marketing in this span of the contact's local day: 21:00-08:00
    pub quiet_hours: Option<String>,
    /// At most so many marketing messages per contact, rolling.
    pub frequency: Option<Vec<Frequency>>,
    /// Over how long what piled up is spread; default 15 minutes.
    pub spread: Option<String>,
}

/// `{ at_most: 3, per: 7 days, topic: any }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Frequency {
    /// How many.
    pub at_most: u32,
    /// In any span of this length: "7 days".
    pub per: String,
    /// Of this topic; default any.
    pub topic: Option<String>,
}

/// What is tracked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tracking {
    /// Opens, by an image.
    pub opens: Option<bool>,
    /// Clicks, by rewritten links.
    pub clicks: Option<bool>,
}

/// How long what happened is kept: at least 1 day.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    /// Events, by when they happened: "400 days".
    pub events: Option<String>,
    /// Messages and ended runs, by when they ended: "400 days".
    pub messages: Option<String>,
}

/// The HTTP interface.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    /// Where it listens; default 127.0.0.1:8420
    pub listen: Option<String>,
    /// The write keys: "${CAMPAIGND_WRITE_KEY}"
    pub keys: Option<Vec<String>>,
}
