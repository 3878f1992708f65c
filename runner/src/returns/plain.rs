//! Bounces that are written for people only, as qmail and old Exchange servers send them: best effort. They are told from answers of people and
//! machines by who sends them and what they are called, and must come back to a return path of ours, which says which message they are about.

use super::fields::bare;
use super::mime::Mail;
use super::{Came, classify, status, words};

/// Names of mailboxes that bounces come from.
const DAEMONS: [&str; 4] = ["mailer-daemon", "postmaster", "mail-daemon", "mailerdaemon"];

/// How bounces are called.
const SUBJECTS: [&str; 12] = [
    "failure notice",
    "undeliver",
    "delivery status notification",
    "delivery failure",
    "delivery failed",
    "delivery has failed",
    "mail delivery",
    "returned mail",
    "returned to sender",
    "delivery notification",
    "delivery error",
    "unzustellbar",
];

/// Not for good yet.
const DELAYED: [&str; 4] = ["delayed", "delay)", "warning:", "still being retried"];

/// What comes before the copy of what we sent: its words are not the server's.
const COPIES: [&str; 8] = [
    "--- below this line is a copy",
    "this is a copy of the message",
    "original message headers",
    "----- original message",
    "-----original message",
    "--- the header of the original message",
    "--- enclosed is a copy",
    "message header follows",
];

/// What came of the message, with a code and the server's words.
pub fn read(mail: &Mail) -> Option<(Came, Option<String>, Option<String>)> {
    if !is_bounce(mail) {
        return None;
    }
    let text = mail.texts.first().map(|text| before_copy(text))?;
    // The words that matter stand close to the top.
    let text: String = text.chars().take(4000).collect();
    let line = telling_line(&text)?;
    Some((classify("", &text), status::told("", &text), words(line)))
}

fn is_bounce(mail: &Mail) -> bool {
    let header = |name: &str| mail.headers.get(name).unwrap_or_default().to_lowercase();
    let (from, subject) = (header("from"), header("subject"));
    let answers = header("auto-submitted").starts_with("auto-replied") || !header("x-autoreply").is_empty();
    let delayed = DELAYED.iter().any(|word| subject.contains(word));
    let mailbox = bare(&from).split('@').next().unwrap_or_default();
    let daemon = DAEMONS.contains(&mailbox) || mail.headers.get("return-path").map(str::trim) == Some("<>");
    let called = SUBJECTS.iter().any(|words| subject.contains(words));
    !delayed && daemon && called && (!answers || DAEMONS.contains(&mailbox))
}

fn before_copy(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    let end = COPIES.iter().filter_map(|words| lower.find(words)).min().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// The first line that holds a code, or says that there is no such address.
fn telling_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| status::says_something(line))
}
