//! campaignd.yaml as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{MapOr, OneOrMany};

/// The project's settings.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsFile {
    /// The project's name.
    pub project: String,
    /// The zone of contacts without one, and of schedules: an IANA name.
    #[schemars(extend("examples" = ["Europe/Berlin", "UTC"]))]
    pub time_zone: Option<String>,
    /// The language of contacts without one; default en.
    pub locale: Option<String>,
    /// The public base of links, unsubscribe pages and webhooks: https://mail.shop.example
    pub url: Option<String>,
    /// Where everything is kept; default sqlite:state/campaignd.db
    #[schemars(extend("examples" = ["sqlite:state/campaignd.db"]))]
    pub store: Option<String>,
    /// How messages leave, by channel.
    pub channels: Option<BTreeMap<String, Channel>>,
    /// What contacts can subscribe to, by name.
    pub topics: Option<BTreeMap<String, Topic>>,
    /// When and how often contacts may get messages.
    pub limits: Option<Limits>,
    /// Whether opens and clicks are tracked; default: neither. A topic may say otherwise.
    pub tracking: Option<Tracking>,
    /// What becomes of mails that come back, and where reports of them arrive.
    pub bounces: Option<Bounces>,
    /// Values that calls and webhooks need, by the name under which `call` steps ask for them: crm: "${CRM_TOKEN}"
    pub secrets: Option<BTreeMap<String, String>>,
    /// Hosts on private, loopback or link-local addresses that calls and HTTP channels may reach all the same: crm.internal, 127.0.0.1
    pub private_hosts: Option<Vec<String>>,
    /// How long what happened is kept; without it, for ever.
    pub retention: Option<Retention>,
    /// The HTTP interface.
    pub http: Option<Http>,
    /// How long a stop waits for messages that are on their way; default 20 seconds.
    #[schemars(extend("examples" = ["20 seconds"]))]
    pub stop_within: Option<String>,
    /// How late a missed firing may still run; default 1 hour.
    #[schemars(extend("examples" = ["1 hour"]))]
    pub grace: Option<String>,
    /// What warnings are in this project: error, warning (the default) or off, by code. missing-topic: error
    pub rules: Option<BTreeMap<String, RuleLevel>>,
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

/// How bad something is in this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RuleLevel {
    Error,
    Warning,
    Off,
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
    /// Where answers go, if not to the sender: Shop <service@shop.example>
    pub reply_to: Option<String>,
    /// Where mail servers report what they could not deliver: bounces@shop.example. Each message gets an address of its own
    /// (bounces+TOKEN@shop.example), so that it is known again.
    pub return_path: Option<String>,
    /// Where a contact is reached: a path such as contact.phone. Default: contact.email for email, else the first `contact.` value that the
    /// request names; a request that names none reaches a place, not a person.
    pub to: Option<String>,
    /// smtp://host:port, smtps://user:${SMTP_PASSWORD}@host:465, outbox:DIR/ (the default for email) or null:; for other channels an HTTP
    /// request, or a preset.
    pub deliver: Option<MapOr<DeliverCall, String>>,
    /// How many connections at once; default 16.
    pub connections: Option<u32>,
    /// How many messages at most: "50 per second".
    pub rate: Option<String>,
    /// The same for each recipient's domain (the part of an e-mail address behind the @).
    pub per_domain: Option<DomainLimit>,
    /// For some domains other limits than `per_domain`, by domain.
    pub domains: Option<BTreeMap<String, DomainLimit>>,
    /// Signatures for outgoing mail: one, or a list (RSA and Ed25519 side by side).
    pub dkim: Option<OneOrMany<Dkim>>,
    /// How a message that was refused for now is tried again.
    pub retry: Option<Retry>,
    /// What becomes of a message in doubt after a crash: hold (default) or resend.
    pub on_unknown: Option<OnUnknown>,
}

/// How much may go to one recipient's domain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DomainLimit {
    /// How many messages may be under way at once.
    pub connections: Option<u32>,
    /// How many messages at most: "10 per second".
    pub rate: Option<String>,
}

/// Delivery by an HTTP request. Texts in it are templates: `{{contact.phone}}`, `{{body}}`, `{{subject}}`, `{{message.id}}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliverCall {
    /// The URL to POST to.
    pub post: Option<String>,
    /// Headers, by name.
    pub headers: Option<BTreeMap<String, String>>,
    /// The body, as JSON.
    pub json: Option<Map<String, Value>>,
    /// The body, as form fields.
    pub form: Option<BTreeMap<String, String>>,
    /// Signs each request in the Standard Webhooks way, with this secret: "${WEBHOOK_SECRET}"
    pub sign: Option<String>,
    /// How long an answer is waited for; default 10 seconds.
    pub timeout: Option<String>,
    /// A known provider instead of a request: twilio, vonage, aliyun_sms, fcm, slack or wecom.
    pub preset: Option<Preset>,
    /// What the preset needs (see the reference): account, token, from, ...
    pub options: Option<BTreeMap<String, String>>,
}

/// Providers whose requests are known.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Preset {
    Twilio,
    Vonage,
    AliyunSms,
    Fcm,
    Slack,
    Wecom,
}

/// Mails that come back.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bounces {
    /// After so many soft bounces (mailbox full and the like) the address gets nothing any more.
    pub soft: Option<SoftBounces>,
    /// A Maildir into which bounces and complaints are delivered; it is read and its mails are moved from new/ to cur/.
    pub maildir: Option<String>,
    /// Webhooks of mail providers, by the name in their address: https://…/v1/bounces/NAME
    pub webhooks: Option<BTreeMap<String, Webhook>>,
}

/// `{ count: 5, within: 30 days }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SoftBounces {
    /// How many; default 5.
    #[schemars(range(min = 1, max = 1000))]
    pub count: Option<u32>,
    /// In which span; default 30 days.
    pub within: Option<String>,
}

/// A webhook of a mail provider.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Whose it is: ses, sendgrid, mailgun, postmark, or dsn (raw messages, with a write key).
    pub provider: Provider,
    /// What its signature is checked with: sendgrid: the public key; mailgun: the signing key; postmark: `user:password` of the webhook's
    /// basic authentication; ses: the topic's ARN.
    pub key: Option<String>,
}

/// Mail providers whose webhooks are known.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    Ses,
    Sendgrid,
    Mailgun,
    Postmark,
    Dsn,
}

/// DKIM signatures.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dkim {
    /// The signing domain.
    pub domain: String,
    /// The selector under that domain.
    pub selector: String,
    /// The private key (PEM: RSA or Ed25519), or its file: "${DKIM_KEY_FILE}"
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
    /// What the preference page says of it.
    pub description: Option<String>,
    /// Double opt-in: whoever subscribes gets a mail, and is subscribed once they confirm.
    pub confirm: Option<bool>,
    /// The sender of this topic's mails, if not the channel's: News <news@shop.example>
    pub from: Option<String>,
    /// Where answers to this topic's mails go.
    pub reply_to: Option<String>,
    /// Whether opens and clicks of this topic's mails are tracked; default: as in the project.
    pub tracking: Option<Tracking>,
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
    #[schemars(extend("examples" = ["21:00-08:00"]))]
    pub quiet_hours: Option<String>,
    /// At most so many marketing messages per contact, rolling.
    pub frequency: Option<Vec<Frequency>>,
    /// Over how long what piled up is spread; default 15 minutes.
    #[schemars(extend("examples" = ["15 minutes"]))]
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
    /// On this channel; default any.
    pub channel: Option<String>,
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
    #[schemars(extend("examples" = ["127.0.0.1:8420"]))]
    pub listen: Option<String>,
    /// The write keys: "${CAMPAIGND_WRITE_KEY}"
    pub keys: Option<Vec<String>>,
}
