//! A run's history: an entry for each thing that happened.

use serde_json::{Map, Value};

use super::RunId;

#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    pub run: RunId,
    /// Counts a run's entries from 0.
    pub number: u32,
    pub at: i64,
    pub kind: LogKind,
    /// The step's id; empty for an entry that belongs to no step.
    pub step: String,
    /// What there is to say beyond that: `until`, `taken`, `variant`, `reason` and the like.
    pub detail: Map<String, Value>,
}

/// The numbers are stored: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogKind {
    Enter = 1,
    Send = 2,
    Skip = 3,
    Wait = 4,
    Branch = 5,
    Assign = 6,
    Set = 7,
    Record = 8,
    Subscribe = 9,
    Unsubscribe = 10,
    Start = 11,
    Goal = 12,
    Follow = 13,
    Exit = 14,
    Call = 15,
}

impl LogKind {
    pub const ALL: [LogKind; 15] = [
        LogKind::Enter,
        LogKind::Send,
        LogKind::Skip,
        LogKind::Wait,
        LogKind::Branch,
        LogKind::Assign,
        LogKind::Set,
        LogKind::Record,
        LogKind::Subscribe,
        LogKind::Unsubscribe,
        LogKind::Start,
        LogKind::Goal,
        LogKind::Follow,
        LogKind::Exit,
        LogKind::Call,
    ];

    /// The word used in outputs.
    pub fn word(self) -> &'static str {
        match self {
            LogKind::Enter => "enter",
            LogKind::Send => "send",
            LogKind::Skip => "skip",
            LogKind::Wait => "wait",
            LogKind::Branch => "branch",
            LogKind::Assign => "assign",
            LogKind::Set => "set",
            LogKind::Record => "record",
            LogKind::Subscribe => "subscribe",
            LogKind::Unsubscribe => "unsubscribe",
            LogKind::Start => "start",
            LogKind::Goal => "goal",
            LogKind::Follow => "follow",
            LogKind::Exit => "exit",
            LogKind::Call => "call",
        }
    }

    pub fn from_number(number: i64) -> Option<LogKind> {
        LogKind::ALL.into_iter().find(|kind| *kind as i64 == number)
    }
}
