//! A message: one thing said to one contact by one visit of a run to a send step.

use super::{ContactId, DefinitionId, MessageId, RunId, WorkflowId};

/// The channel of what `call` steps ask of other systems: no contact is written to.
pub const CALLS: &str = "call";

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub id: MessageId,
    pub run: RunId,
    pub contact: ContactId,
    pub workflow: WorkflowId,
    /// The definition it is rendered with.
    pub definition: DefinitionId,
    pub step: String,
    /// The run's visit that made it ([`super::RunState::visit`]): with run and step it makes the Message-ID.
    pub visit: u32,
    pub template: String,
    pub channel: String,
    pub topic: Option<String>,
    pub marketing: bool,
    pub status: MessageStatus,
    pub to: Option<String>,
    pub subject: Option<String>,
    /// How often its sending was begun.
    pub attempts: u32,
    /// Why it failed, was skipped or put off, or what is in doubt.
    pub error: Option<String>,
    /// When it was queued.
    pub created_at: i64,
    /// When it may be looked at; only meaningful while queued.
    pub due: i64,
    /// When its sending was first begun: a marketing message takes its slot of the frequency caps then, and gives it
    /// back (`None`) when it is skipped or fails.
    pub taken_at: Option<i64>,
    /// When its status last changed.
    pub at: i64,
    /// When a queued message was first found over a frequency cap.
    pub capped_at: Option<i64>,
}

/// queued → sending → sent | failed | skipped | unknown; a message refused for now goes back to queued. The numbers are stored:
/// never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageStatus {
    Queued = 1,
    /// Committed before the first byte leaves.
    Sending = 2,
    Sent = 3,
    Failed = 4,
    Skipped = 5,
    /// The runner or the connection died while it was in flight.
    Unknown = 6,
    /// A call that was answered: see [`CALLS`].
    Called = 7,
}

impl MessageStatus {
    pub const ALL: [MessageStatus; 7] = [
        MessageStatus::Queued,
        MessageStatus::Sending,
        MessageStatus::Sent,
        MessageStatus::Failed,
        MessageStatus::Skipped,
        MessageStatus::Unknown,
        MessageStatus::Called,
    ];

    /// The word used in outputs.
    pub fn word(self) -> &'static str {
        match self {
            MessageStatus::Queued => "queued",
            MessageStatus::Sending => "sending",
            MessageStatus::Sent => "sent",
            MessageStatus::Failed => "failed",
            MessageStatus::Skipped => "skipped",
            MessageStatus::Unknown => "unknown",
            MessageStatus::Called => "called",
        }
    }

    pub fn from_number(number: i64) -> Option<MessageStatus> {
        MessageStatus::ALL.into_iter().find(|status| *status as i64 == number)
    }

    pub fn from_word(word: &str) -> Option<MessageStatus> {
        MessageStatus::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Nothing more will become of it.
    pub fn is_final(self) -> bool {
        !matches!(self, MessageStatus::Queued | MessageStatus::Sending)
    }
}
