//! The project's settings, with every default filled in. Texts that may hold `${NAME}` are [`Secret`]s and are resolved by
//! the runner, never here: the language knows no environment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Path;
use crate::time::{Duration, Window};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub project: String,
    /// IANA name, known to exist.
    pub time_zone: String,
    pub locale: String,
    /// The public base of links, without a trailing slash.
    pub url: Option<String>,
    /// The store's file, relative to the project.
    pub store: String,
    /// Always holds `email`.
    pub channels: BTreeMap<String, Channel>,
    pub topics: BTreeMap<String, Topic>,
    pub quiet_hours: Option<Window>,
    pub frequency: Vec<FrequencyCap>,
    pub spread: Duration,
    pub http: Http,
    pub stop_within: Duration,
    pub grace: Duration,
    pub retention: Retention,
    /// What becomes of contacts and events that break the data contract.
    pub invalid_data: InvalidData,
    /// Whether opens and clicks are tracked where the topic says nothing.
    #[serde(default)]
    pub tracking: Tracking,
    #[serde(default)]
    pub bounces: Bounces,
    /// By the name under which `call` steps ask for them.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// Hosts on private addresses that may be called: names or addresses, in lower case.
    #[serde(default)]
    pub private_hosts: Vec<String>,
    /// `contract: open`: what the data contract does not know is a warning, not an error.
    pub open_contract: bool,
}

/// How long what happened is kept; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Retention {
    /// Events, by when they happened.
    pub events: Option<Duration>,
    /// Messages that are finished and ended runs with their history, by when they ended.
    pub messages: Option<Duration>,
}

/// What becomes of data that breaks the data contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum InvalidData {
    /// Left out, and reported to whoever brought it.
    #[default]
    Reject,
    /// Stored all the same, and reported.
    Accept,
}

/// A text in which `${NAME}` stands for a value from the environment. Never printed: its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// `Shop <hello@shop.example>`; required for email over SMTP.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    /// `bounces@shop.example`; each message gets an address of its own made from it.
    pub return_path: Option<String>,
    /// Where a contact is reached. `None`: the channel reaches a place (a chat room), not a person.
    pub to: Option<Path>,
    pub deliver: Deliver,
    /// At least 1.
    pub connections: usize,
    pub rate: Option<Rate>,
    /// For each recipient's domain that is not in `domains`.
    pub per_domain: DomainLimit,
    /// By domain, in lower case.
    pub domains: BTreeMap<String, DomainLimit>,
    pub dkim: Vec<Dkim>,
    pub retry: Retry,
    pub on_unknown: OnUnknown,
}

/// How much may go to one recipient's domain.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct DomainLimit {
    /// Messages under way at once; at least 1.
    pub connections: Option<usize>,
    pub rate: Option<Rate>,
}

/// A key that mails are signed with (RFC 6376).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dkim {
    pub domain: String,
    pub selector: String,
    /// The private key in PEM, or the path of its file relative to the project.
    pub key: Secret,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deliver {
    /// A folder of .eml files, relative to the project.
    Outbox(String),
    /// `smtp://` or `smtps://` with optional user, password, port and `?tls=required|opportunistic|none`.
    Smtp(Secret),
    /// An HTTP request for each message.
    Http(HttpDelivery),
    /// A provider whose requests are known, and what it needs to be told.
    Preset(Preset, BTreeMap<String, Secret>),
    /// Answers `sent` at once and keeps nothing: `null:`, for benchmarks.
    Null,
}

/// A POST for each message. Every text is a template over the message's data and its `body`, and may hold `${NAME}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpDelivery {
    pub url: Secret,
    pub headers: BTreeMap<String, Secret>,
    pub body: DeliveryBody,
    /// The Standard Webhooks secret that each request is signed with.
    pub sign: Option<Secret>,
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryBody {
    Json(Map<String, Value>),
    /// application/x-www-form-urlencoded.
    Form(BTreeMap<String, Secret>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    Twilio,
    Vonage,
    AliyunSms,
    Fcm,
    Slack,
    Wecom,
}

impl Preset {
    /// The options it needs, and those it takes besides.
    pub fn options(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Preset::Twilio => (&["account", "token", "from"], &["url"]),
            Preset::Vonage => (&["key", "secret", "from"], &["url"]),
            Preset::AliyunSms => (&["key_id", "key_secret", "sign_name", "template_code"], &["url"]),
            Preset::Fcm => (&["service_account"], &["url"]),
            Preset::Slack | Preset::Wecom => (&["webhook"], &[]),
        }
    }
}

/// What is tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tracking {
    pub opens: bool,
    pub clicks: bool,
}

/// Mails that come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bounces {
    /// So many soft bounces in `soft_within` and the address gets nothing any more.
    pub soft_count: u32,
    pub soft_within: Duration,
    /// A folder, relative to the project.
    pub maildir: Option<String>,
    /// By name.
    pub webhooks: BTreeMap<String, Webhook>,
}

impl Default for Bounces {
    fn default() -> Bounces {
        let soft_within = Duration(30 * Duration::DAY.millis());
        Bounces { soft_count: 5, soft_within, maildir: None, webhooks: BTreeMap::new() }
    }
}

/// A provider's webhook, and what its signature is checked with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Webhook {
    pub provider: Provider,
    /// Always there but for `dsn`, which takes the write keys.
    pub key: Option<Secret>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    Ses,
    Sendgrid,
    Mailgun,
    Postmark,
    /// Raw messages (RFC 3464, RFC 5965).
    Dsn,
}

/// So many per span.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// How a refused-for-now message is tried again: after `first`, doubling up to `most`, for at most `for_`, then failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub first: Duration,
    pub most: Duration,
    #[serde(rename = "for")]
    pub for_: Duration,
}

/// What becomes of a message that was in flight when the runner died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    #[default]
    Hold,
    Resend,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Topic {
    pub title: Option<String>,
    pub description: Option<String>,
    /// Whether a contact who has said nothing counts as subscribed.
    pub subscribed_by_default: bool,
    /// Double opt-in.
    pub confirm: bool,
    /// The sender of this topic's mails, if not the channel's.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    /// The project's where the topic says nothing.
    pub tracking: Tracking,
}

/// At most so many marketing messages per contact in any span of this length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyCap {
    pub at_most: u32,
    pub per: Duration,
    /// `None` is `any`.
    pub topic: Option<String>,
    /// `None` is `any`.
    pub channel: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// `HOST:PORT`.
    pub listen: String,
    pub keys: Vec<Secret>,
}
