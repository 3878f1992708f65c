//! What comes back of messages that were sent: bounces, complaints and deliveries, read from mails and from providers' webhooks.
//!
//! Architecture invariant: nothing here touches the state. Whatever arrives becomes [`Notice`]s, which the kernel acts on.

/// What somebody else says became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The token of the message's own return path.
    pub token: Option<String>,
    /// The message's Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// The channel that it is about.
    pub channel: String,
    /// Whom it was sent to, as the other side says. Believed only where neither token nor Message-ID lead to a message of ours.
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
