//! Channels: how a message leaves. A channel has a fixed number of connections, each with a worker of its own that carries
//! one message at a time; it is never handed more messages than it has connections, so that a crash leaves at most one per
//! connection in doubt.
//!
//! Architecture invariant: a channel knows no engine, no store and no template; it is handed an envelope and a way to make
//! the content. It makes one attempt for each job it is given: trying again, and how fast, is decided by who hands over.

mod address;
mod compose;
mod desk;
mod dkim;
mod http;
mod local;
mod mail;
mod mail_files;
pub mod outbox;
mod pool;
mod sender;
mod smtp;
mod smtp_url;
mod written;

use std::sync::Arc;

use dsl::model::Call;
use serde_json::Value;

use crate::state::MessageId;

pub use dkim::{DkimError, DkimKey, KeyText, Record};
pub use http::{Carried, HttpError, HttpOptions, HttpWay};
pub use pool::{ChannelError, ChannelOptions, ChannelPool, Delivery, ReportTo, Timeouts};
pub use sender::{SenderError, SenderOptions};
pub use smtp_url::{Security, SmtpUrl, SmtpUrlError};
pub use written::{Speaks, Written, judged};

/// One message to carry. Everything the rules of sending decide has been decided.
pub struct Job {
    pub message: MessageId,
    pub envelope: Envelope,
    /// Makes the content, on the worker. An error is final: the message fails with it.
    pub compose: Box<dyn FnOnce() -> Result<Content, String> + Send>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The recipient's address, as the contact's data has it: not yet checked.
    pub to: String,
    /// Without angle brackets: `run.visit.step.store@domain`; stable over attempts.
    pub message_id: String,
    /// The Date header, ms since 1970 UTC.
    pub date: i64,
    /// More header fields: fixed names, values that a renderer may have made from data.
    pub headers: Vec<(&'static str, String)>,
    /// The sender of the message's topic, where it is another than the channel's: `News <news@shop.example>`.
    pub from: Option<String>,
    /// Where answers go, where it is elsewhere than the channel says.
    pub reply_to: Option<String>,
    /// What tells this message's return path from all others, where the channel has a return path.
    pub return_token: Option<String>,
}

/// A rendered message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Content {
    pub subject: Option<String>,
    pub html: Option<String>,
    pub text: Option<String>,
    /// The data the message was made of, for channels that make a request of it; absent for mail.
    pub data: Option<Value>,
    /// The request of a `call` step; its texts are still to be rendered with `data`.
    pub call: Option<Call>,
    pub files: Vec<File>,
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub media_type: String,
    pub bytes: Arc<[u8]>,
    /// The HTML body shows it under this Content-ID (RFC 2392), without angle brackets; else it is an attachment.
    pub content_id: Option<String>,
}

/// The mail as it would leave but for its signatures, by RFC 5322: header and body with CRLF line ends.
///
/// # Errors
/// In words: what keeps it from being put together.
pub fn eml(from: &str, envelope: &Envelope, content: Content) -> Result<String, String> {
    let options = SenderOptions { from: Some(from.to_owned()), ..SenderOptions::default() };
    let sender = sender::Sender::of_folder(&options).map_err(|error| error.to_string())?;
    compose::mail(&sender, envelope, content).map(|mail| mail.text)
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub message: MessageId,
    pub subject: Option<String>,
    pub outcome: Outcome,
    /// How long the delivery took, without waiting for a free connection.
    pub took: std::time::Duration,
    /// What a refusal says of the recipient.
    pub refusal: Option<Refusal>,
    /// The other side's answer to a call: JSON where it was that, else text.
    pub answer: Option<Value>,
}

impl Report {
    /// A report that says nothing but what became of the message.
    pub fn new(message: MessageId, subject: Option<String>, outcome: Outcome, took: std::time::Duration) -> Report {
        Report { message, subject, outcome, took, refusal: None, answer: None }
    }
}

/// Why a recipient's side does not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub kind: RefusalKind,
    /// The enhanced status code (RFC 3463): `5.1.1`, or a provider's own word.
    pub status: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// There is no such address: nothing sent to it will ever arrive.
    Hard,
    /// The address is there and takes nothing at the moment: mailbox full, too large and the like.
    Soft,
    /// The message or its sender is not liked, or something else is wrong that says nothing of the address.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it.
    Sent,
    /// Nothing was taken; worth trying again later.
    Deferred(String),
    /// Refused for good.
    Failed(String),
    /// The connection was lost after the content was given and before the answer came: it may have been taken.
    Unknown(String),
}
