//! What comes back of messages that were sent: bounces, complaints and deliveries, read from mails and from providers' webhooks.
//!
//! `mail` is the way in for mails: `mime` takes them apart within limits, `dsn`, `arf` and `plain` read the forms there are, `token` finds
//! the return path's token, `status` says what a code says of an address. `maildir` is a folder of such mails.
//!
//! Architecture invariants: nothing here touches the state; whatever arrives becomes [`Notice`]s, which the kernel acts on. Anybody can
//! write such mails: no input makes this panic or run for long, and nothing in here decides whether one is believed.

mod arf;
mod dsn;
mod fields;
mod mail;
pub mod maildir;
mod mime;
mod plain;
mod status;
#[cfg(test)]
mod tests;
mod token;

pub use mail::{Arrival, LONGEST, read_mail};
pub use status::classify;
pub use token::token_in;

use serde::{Deserialize, Serialize};

/// What somebody else says became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The token of the message's own return path.
    pub token: Option<String>,
    /// The message's Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// The channel that it is about.
    pub channel: String,
    /// Whom it was sent to, as the other side says. Believed only where neither token nor Message-ID lead to a message of ours, and who
    /// says it is known ([`Notice::vouched`]).
    pub address: Option<String>,
    pub what: Came,
    /// The enhanced status code (RFC 3463), or a provider's own word.
    pub status: Option<String>,
    /// The other side's words.
    pub detail: Option<String>,
    /// ms since 1970 UTC.
    pub at: i64,
    /// By which way it came: a webhook's name, `maildir`, `bounce`, `smtp`.
    pub source: String,
    /// Who says it is known, by a signature or a key. A mail may be anybody's: it must prove by its token or Message-ID that it is about
    /// a message of ours.
    #[serde(default)]
    pub vouched: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// It arrived.
    Delivered,
    /// There is no such address: it gets nothing any more.
    HardBounce,
    /// The address takes nothing at the moment.
    SoftBounce,
    /// It was not taken for a reason that says nothing of the address (policy, content, reputation).
    Blocked,
    /// Its reader calls it unwanted: the address gets nothing any more, and the contact is unsubscribed from everything.
    Complaint,
}

/// The longest words of the other side that are kept, in characters.
const LONGEST_DETAIL: usize = 500;

/// Words of the other side on one line, without control characters, cut to [`LONGEST_DETAIL`].
pub(crate) fn words(text: &str) -> Option<String> {
    let mut line = String::new();
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()).filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if let Some((end, _)) = line.char_indices().nth(LONGEST_DETAIL) {
            line.truncate(end);
            break;
        }
    }
    (!line.is_empty()).then_some(line)
}
