//! Builds the mail: header fields and bodies from an envelope and a rendered content (RFC 5322, RFC 2045). What comes from
//! data can fill a header's value or a body, and can never begin a header, a part or a command.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::address::{AddressError, recipient, without_controls};
use super::{Content, Envelope};

/// RFC 5322 section 2.1.1 allows 998 characters a line; a word cannot be folded, and the field's name stands before it.
const LONGEST_WORD: usize = 900;
/// The first millisecond of the year 10000, which a Date header cannot show.
const YEAR_10000: i64 = 253_402_300_800_000;

/// A mail ready to leave.
#[derive(Debug)]
pub struct Mail {
    pub from: Address,
    pub to: Address,
    /// Header and body with CRLF line ends, ASCII throughout, not dot-stuffed.
    pub bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("the message's date, {0} ms since 1970, cannot be written in a mail: it must lie between 1970 and 9999")]
    Date(i64),
    #[error("“{0}” cannot be a Message-ID: give the project a `url` with a plain host name")]
    MessageId(String),
    #[error("{0} has a word of more than {LONGEST_WORD} characters, which cannot be put into a mail's header: shorten it")]
    LongWord(&'static str),
    #[error("“{0}” cannot be a header field's name")]
    HeaderName(&'static str),
    #[error("the mail could not be put together: {0}")]
    Build(#[from] lettre::error::Error),
}

/// Builds the mail from `from` to the envelope's recipient: one part, or `multipart/alternative` when there are both a text
/// and an HTML body.
pub fn build(from: &Mailbox, envelope: &Envelope, content: Content) -> Result<Mail, MailError> {
    let to = recipient(&envelope.to)?;
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .date(date(envelope.date)?)
        .message_id(Some(message_id(&envelope.message_id)?));
    if let Some(subject) = &content.subject {
        builder = builder.subject(header_text("Subject", subject)?);
    }
    for (name, value) in &envelope.headers {
        builder = builder.raw_header(header(name, value)?);
    }
    let message = match (content.text, content.html) {
        (Some(text), Some(html)) => builder.multipart(
            MultiPart::alternative().singlepart(SinglePart::plain(lines(text))).singlepart(SinglePart::html(lines(html))),
        ),
        (None, Some(html)) => builder.singlepart(SinglePart::html(lines(html))),
        (text, None) => builder.singlepart(SinglePart::plain(lines(text.unwrap_or_default()))),
    }?;
    Ok(Mail { from: from.email.clone(), to, bytes: message.formatted() })
}

fn date(ms: i64) -> Result<SystemTime, MailError> {
    match u64::try_from(ms) {
        Ok(since_1970) if ms < YEAR_10000 => Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(since_1970)),
        _ => Err(MailError::Date(ms)),
    }
}

fn message_id(id: &str) -> Result<String, MailError> {
    let fits = id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b'>');
    match id.split_once('@') {
        Some((left, right)) if fits && !left.is_empty() && !right.is_empty() && id.len() <= LONGEST_WORD => Ok(format!("<{id}>")),
        _ => Err(MailError::MessageId(without_controls(id))),
    }
}

fn header(name: &'static str, value: &str) -> Result<HeaderValue, MailError> {
    // The builder's own check of names lets line breaks through.
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let checked = HeaderName::new_from_ascii(name.to_owned());
    match checked {
        Ok(checked) if fits => Ok(HeaderValue::new(checked, header_text(name, value)?)),
        _ => Err(MailError::HeaderName(name)),
    }
}

fn header_text(name: &'static str, value: &str) -> Result<String, MailError> {
    let clean = without_controls(value);
    if clean.split(' ').any(|word| word.is_ascii() && word.len() > LONGEST_WORD) {
        return Err(MailError::LongWord(name));
    }
    Ok(clean)
}

/// The text with CRLF for every line end and without NUL, which mail does not allow (RFC 5321 section 2.3.8: a bare CR or LF
/// is not a line end, and servers that take it for one can be made to see a second message).
fn lines(text: String) -> String {
    let bytes = text.as_bytes();
    let clean = bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'\n' => at > 0 && bytes[at - 1] == b'\r',
        b'\r' => bytes.get(at + 1) == Some(&b'\n'),
        byte => *byte != 0,
    });
    if clean {
        return text;
    }
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                out.push_str("\r\n");
            }
            '\n' => out.push_str("\r\n"),
            '\0' => {}
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
