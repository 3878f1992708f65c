//! The project's settings, with every default filled in. Texts that may hold `${NAME}` are [`Secret`]s and are resolved by
//! the runner, never here: the language knows no environment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
    pub deliver: Deliver,
    /// At least 1.
    pub connections: usize,
    pub rate: Option<Rate>,
    pub retry: Retry,
    pub on_unknown: OnUnknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deliver {
    /// A folder of .eml files, relative to the project.
    Outbox(String),
    /// `smtp://` or `smtps://` with optional user, password, port and `?tls=required|opportunistic|none`.
    Smtp(Secret),
    /// Answers `sent` at once and keeps nothing: `null:`, for benchmarks.
    Null,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    pub title: Option<String>,
    /// Whether a contact who has said nothing counts as subscribed.
    pub subscribed_by_default: bool,
    /// Double opt-in.
    pub confirm: bool,
}

/// At most so many marketing messages per contact in any span of this length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyCap {
    pub at_most: u32,
    pub per: Duration,
    /// `None` is `any`.
    pub topic: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// `HOST:PORT`.
    pub listen: String,
    pub keys: Vec<Secret>,
}
