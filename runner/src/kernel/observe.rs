//! Watching a kernel: every log entry as it happens, and messages that must wait, for simulations and tests.

use serde_json::{Map, Value};

use crate::dispatch::Holding;
use crate::state::{LogKind, Message, RunId};

/// One thing that happened to one run.
pub struct Happening<'a> {
    pub at: i64,
    /// The contact's uid.
    pub contact: &'a str,
    pub workflow: &'a str,
    pub run: RunId,
    pub step: &'a str,
    pub kind: LogKind,
    pub detail: &'a Map<String, Value>,
    /// For `send` and `skip`.
    pub message: Option<&'a Message>,
}

/// A message may not leave yet: it is looked at again at `until` (ms since 1970 UTC, as `at`).
pub struct Held<'a> {
    pub at: i64,
    /// The contact's uid.
    pub contact: &'a str,
    pub workflow: &'a str,
    pub message: &'a Message,
    pub why: Holding,
    pub until: i64,
}

pub trait Observer: Send {
    fn happened(&mut self, happening: &Happening<'_>);

    /// Nothing is logged of it: it may be told, and told again of the same message.
    fn held(&mut self, _held: &Held<'_>) {}
}
