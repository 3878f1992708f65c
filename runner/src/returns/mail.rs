//! Mails that come back, as notices.

use super::fields::{Fields, bare};
use super::mime::Mail;
use super::token::token_in;
use super::{Came, Notice, arf, dsn, plain};

/// How much of a mail is read, in bytes: reports stand before the copy of what was sent.
pub const LONGEST: usize = 1024 * 1024;

/// Fields in which a mail server says whom a mail was for, the most certain first.
const RECIPIENTS: [&str; 7] =
    ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-apparently-to", "apparently-to", "to"];

/// How a mail came.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// As in [`Notice::source`].
    pub source: &'a str,
    /// As in [`Notice::vouched`].
    pub vouched: bool,
    /// Whom the envelope names, where that is known.
    pub recipient: Option<&'a str>,
    /// ms since 1970 UTC.
    pub now: i64,
}

/// What a mail says became of messages. Empty for whatever is no report: answers of people and of machines, delays, feedback that is no
/// complaint. Reads at most [`LONGEST`] bytes.
pub fn read_mail(raw: &[u8], arrival: &Arrival<'_>) -> Vec<Notice> {
    let mail = Mail::read(&raw[..raw.len().min(LONGEST)]);
    let original = mail.original.as_ref();
    let to = arrival.recipient.into_iter().chain(RECIPIENTS.iter().flat_map(|name| mail.headers.all(name)));
    let token = to.into_iter().find_map(token_in);
    let make = |token: Option<String>, message_id: Option<String>, address: Option<String>, what: Came| Notice {
        token,
        message_id,
        channel: "email".to_owned(),
        address,
        what,
        status: None,
        detail: None,
        at: mail.date.filter(|date| (1..=arrival.now).contains(date)).unwrap_or(arrival.now),
        source: arrival.source.to_owned(),
        vouched: arrival.vouched,
    };
    let returned = |field: &str| original.and_then(|original| original.get(field));
    let by_return_path = || returned("return-path").and_then(token_in);
    if let Some(feedback) = &mail.feedback {
        let Some(complaint) = arf::read(feedback, original) else { return Vec::new() };
        let token = feedback.get("original-mail-from").and_then(token_in).or_else(by_return_path).or(token);
        let notice = make(token, returned("message-id").and_then(id), complaint.address, Came::Complaint);
        return vec![Notice { status: Some(complaint.kind), ..notice }];
    }
    if let Some(text) = &mail.status {
        let report = dsn::read(text);
        let token = token.or_else(|| report.sender.as_deref().and_then(token_in)).or_else(by_return_path);
        let message_id = returned("message-id").or(report.message_id.as_deref()).and_then(id).or_else(|| answered(&mail.headers));
        let notice = |told: dsn::Told| {
            let notice = make(token.clone(), message_id.clone(), told.address, told.what);
            Notice { status: told.status, detail: told.detail, ..notice }
        };
        return report.recipients.into_iter().map(notice).collect();
    }
    if let Some(complaint) = original.and_then(arf::attached) {
        let notice = make(by_return_path().or(token), returned("message-id").and_then(id), complaint.address, Came::Complaint);
        return vec![Notice { status: Some(complaint.kind), ..notice }];
    }
    // Only the token proves what such a mail is about.
    match token.is_some().then(|| plain::read(&mail)).flatten() {
        Some((what, status, detail)) => vec![Notice { status, detail, ..make(token, None, None, what) }],
        None => Vec::new(),
    }
}

/// The mail that it answers: reports name what they are about in that way, too (RFC 5322 section 3.6.4).
fn answered(headers: &Fields) -> Option<String> {
    headers.get("in-reply-to").and_then(id)
}

fn id(field: &str) -> Option<String> {
    let id = bare(field);
    (id.contains('@') && id.len() <= 998).then(|| id.to_owned())
}
