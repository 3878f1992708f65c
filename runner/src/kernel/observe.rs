//! Watching a kernel: every log entry as it happens, for simulations and tests.

use serde_json::{Map, Value};

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

pub trait Observer: Send {
    fn happened(&mut self, happening: &Happening<'_>);
}
