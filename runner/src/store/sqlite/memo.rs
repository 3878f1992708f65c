//! What the open transaction has read or written of runs and messages, so that a change knows what was before without reading the row again.
//!
//! Holds only while the transaction does: then nobody else can write.

use std::collections::HashMap;

use crate::state::MessageStatus;

#[derive(Default)]
pub(super) struct Memo {
    /// When an open run is due; an ended one: never.
    pub(super) runs: HashMap<i64, Option<i64>>,
    /// Status, and when it is due if it is queued.
    pub(super) messages: HashMap<i64, (MessageStatus, Option<i64>)>,
}

impl Memo {
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.messages.clear();
    }
}
