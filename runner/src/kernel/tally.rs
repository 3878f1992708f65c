//! What a turn did, counted for those who watch the runner: part of a turn's answer, so that a turn that failed counts nothing.

use std::collections::BTreeMap;

use crate::state::MessageStatus;

/// Numbers since the turn before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Steps begun by runs.
    pub steps: u64,
    /// Events stored, or taken over from another process that stored them.
    pub events: u64,
    /// Messages that reached a final status, by channel and status.
    pub messages: BTreeMap<(String, MessageStatus), u64>,
}

impl Tally {
    pub(super) fn message(&mut self, channel: &str, status: MessageStatus) {
        *self.messages.entry((channel.to_owned(), status)).or_default() += 1;
    }
}
