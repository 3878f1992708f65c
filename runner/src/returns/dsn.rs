//! Delivery status notifications (RFC 3464, RFC 6533).

use super::fields::{Fields, bare};
use super::{Came, classify, status, words};

/// How many recipients of one report are looked at: our mails have one, lists behind it may have more.
const MOST_RECIPIENTS: usize = 50;

/// What a report says of one recipient.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub address: Option<String>,
    pub what: Came,
    pub status: Option<String>,
    pub detail: Option<String>,
}

/// A whole report.
#[derive(Debug, Default)]
pub struct Report {
    /// Every recipient of whom it says something final.
    pub recipients: Vec<Told>,
    /// Fields about the mail as a whole that hold its envelope sender.
    pub sender: Option<String>,
    /// Its Message-ID, where the report itself names it.
    pub message_id: Option<String>,
}

/// What a `message/delivery-status` says. Delays, relays into systems that report nothing, and lists that pass it on say nothing final.
pub fn read(text: &str) -> Report {
    let mut report = Report::default();
    for block in Fields::blocks(text, MOST_RECIPIENTS + 1) {
        let keep = |known: &mut Option<String>, name: &str| {
            if known.is_none() {
                *known = block.get(name).map(str::to_owned);
            }
        };
        // Some servers' own fields.
        keep(&mut report.sender, "x-postfix-sender");
        keep(&mut report.message_id, "x-original-message-id");
        report.recipients.extend(recipient(&block));
    }
    report
}

fn recipient(block: &Fields) -> Option<Told> {
    let final_recipient = block.get("final-recipient").map(address);
    // As we named it; the final one is what a forward made of it.
    let address = block.get("original-recipient").map(address).or(final_recipient).filter(|address| address.contains('@'));
    let given = block.get("status").unwrap_or_default();
    let diagnostic = block.get("diagnostic-code").map_or("", without_type);
    let action = block.get("action").unwrap_or_default().to_ascii_lowercase();
    let what = if action.starts_with("fail") || (action.is_empty() && given.starts_with('5')) {
        // A code of success beside it is of no use.
        classify(if given.starts_with('2') { "" } else { given }, diagnostic)
    } else if action.starts_with("delivered") {
        Came::Delivered
    } else {
        return None;
    };
    let status = match what {
        Came::Delivered => words(given),
        _ => status::told(given, diagnostic).or_else(|| words(given)),
    };
    Some(Told { address: address.map(str::to_owned), what, status, detail: words(diagnostic) })
}

/// The address of `rfc822; ada@example.com`.
fn address(field: &str) -> &str {
    bare(without_type(field))
}

/// `smtp; 550 …` without its type. What has no type stays whole.
fn without_type(field: &str) -> &str {
    match field.split_once(';') {
        Some((kind, rest)) if kind.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => rest.trim(),
        _ => field.trim(),
    }
}
