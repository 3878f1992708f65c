//! Builds the mail: header fields and bodies from an envelope and a rendered content (RFC 5322, RFC 2045). What comes from
//! data can fill a header's value or a body, and can never begin a header, a part or a command.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MaybeString, Message, MultiPart, SinglePart};

use super::address::{AddressError, recipient, without_controls};
use super::sender::Origin;
use super::{Content, Envelope, mail_files};

/// RFC 5322 section 2.1.1 allows 998 characters a line; a word cannot be folded, and the field's name stands before it.
const LONGEST_WORD: usize = 900;
/// The first millisecond of the year 10000, which a Date header cannot show.
const YEAR_10000: i64 = 253_402_300_800_000;

/// A mail ready to leave.
#[derive(Debug)]
pub struct Mail {
    /// Where the mail's fate is reported to: MAIL FROM.
    pub from: Address,
    pub to: Address,
    /// Header and body with CRLF line ends, not dot-stuffed; ASCII throughout (no server need offer 8BITMIME), but for addresses in the
    /// header.
    pub text: String,
}

impl Mail {
    /// Whether only servers that offer SMTPUTF8 (RFC 6531) can take it: an address in it is not ASCII.
    pub fn needs_smtputf8(&self) -> bool {
        !(is_ascii(&self.from) && is_ascii(&self.to) && self.text.is_ascii())
    }
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
    #[error("the file {0} of media type “{1}” cannot be put into a mail: give it an ending that says what it is")]
    File(String, String),
    #[error("the mail came out with characters that are not ASCII (please report it: they should have been encoded)")]
    NotAscii,
    #[error("the mail could not be put together: {0}")]
    Build(#[from] lettre::error::Error),
}

/// Builds the mail from `origin` to the envelope's recipient: one part, or `multipart/alternative` when there are both a text
/// and an HTML body; with the files that go with it around that.
pub fn build(origin: Origin, envelope: &Envelope, content: Content) -> Result<Mail, MailError> {
    let Origin { from, reply_to, return_path } = origin;
    let to = recipient(&envelope.to)?;
    let ascii = [Some(&from), reply_to.as_ref()].into_iter().flatten().map(|mailbox| &mailbox.email).chain([&to]).all(is_ascii);
    // Given the envelope, the builder need not read it out of its own headers, which it cannot do for every address.
    let route = lettre::address::Envelope::new(Some(from.email.clone()), vec![to.clone()])?;
    let mut builder = Message::builder()
        .envelope(route)
        .from(from)
        .to(Mailbox::new(None, to.clone()))
        .date(date(envelope.date)?)
        .message_id(Some(message_id(&envelope.message_id)?));
    if let Some(subject) = &content.subject {
        builder = builder.subject(header_text("Subject", subject)?);
    }
    if let Some(reply_to) = reply_to {
        builder = builder.reply_to(reply_to);
    }
    for (name, value) in &envelope.headers {
        builder = builder.raw_header(header(name, value)?);
    }
    let message = match (content.text, content.html) {
        (text, html) if !content.files.is_empty() => {
            builder.multipart(mail_files::around(text.map(body), html.map(body), content.files)?)
        }
        (Some(text), Some(html)) => builder.multipart(
            MultiPart::alternative().singlepart(SinglePart::plain(body(text))).singlepart(SinglePart::html(body(html))),
        ),
        (None, Some(html)) => builder.singlepart(SinglePart::html(body(html))),
        (text, None) => builder.singlepart(SinglePart::plain(body(text.unwrap_or_default()))),
    }?;
    let text = String::from_utf8(message.formatted()).ok().filter(|text| !ascii || text.is_ascii());
    Ok(Mail { from: return_path, to, text: text.ok_or(MailError::NotAscii)? })
}

fn is_ascii(address: &Address) -> bool {
    // A domain is in punycode.
    address.user().is_ascii()
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

/// A body for the builder to encode: as bytes where that is the same, because it then does not look for line ends again.
fn body(text: String) -> MaybeString {
    let text = lines(text);
    match text.is_ascii() {
        true => MaybeString::Binary(text.into_bytes()),
        false => MaybeString::String(text),
    }
}

/// The text with CRLF for every line end and without NUL, which mail does not allow (RFC 5321 section 2.3.8: a bare CR or LF
/// is not a line end, and servers that take it for one can be made to see a second message).
fn lines(text: String) -> String {
    // Counting is many times faster than searching, and most texts need no more.
    let bytes = text.as_bytes();
    let count = |wanted: u8| bytes.iter().filter(|byte| **byte == wanted).count();
    let (cr, lf) = (count(b'\r'), count(b'\n'));
    let ends = match cr {
        0 => 0,
        _ => bytes.windows(2).filter(|pair| *pair == b"\r\n").count(),
    };
    if count(0) == 0 && cr == ends && lf == ends {
        return text;
    }
    let text = text.replace('\0', "");
    let mut out = String::with_capacity(text.len() + cr + lf);
    for line in text.split_inclusive('\n') {
        let whole = line.strip_suffix('\n');
        let line = whole.map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        out.push_str(&line.replace('\r', "\r\n"));
        out.push_str(whole.map_or("", |_| "\r\n"));
    }
    out
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
