//! Warns of senders that nobody can answer.
//!
//! # What it does
//! Looks at the senders of the channel `email` and of the topics for names such as noreply, no-reply and donotreply, unless answers go
//! to another address.
//!
//! # Why is this bad
//! People who cannot answer use the spam button instead, and mailbox providers count that, and the answers they miss.
//!
//! # Example
//! ```yaml
//! channels: { email: { from: Shop <noreply@shop.example> } }
//! ```
//!
//! # Use instead
//! ```yaml
//! channels: { email: { from: Shop <hello@shop.example> } }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for sender in project.settings_notes.senders.iter().filter(|sender| !sender.answered_elsewhere) {
        let (mailbox, _) = sender.address.rsplit_once('@').unwrap_or((&sender.address, ""));
        let letters: String = mailbox.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if letters.contains("noreply") || letters.contains("donotreply") {
            let help = "send from an address that somebody reads, or add a `reply_to`";
            report.warning("noreply-sender", &sender.at, "nobody can answer this sender", help);
        }
    }
}
