//! Effects: what the engine wants done. They are applied in order, in the transaction of the transition that made them.

use dsl::model::Path;
use serde_json::{Map, Value};

use crate::state::{EndReason, LogKind, MessageId};

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// For the run's history.
    Log {
        kind: LogKind,
        step: String,
        detail: Map<String, Value>,
    },
    /// A message to be sent when the rules of sending let it; the run's stage takes the message's id.
    Queue(Queue),
    /// The run ended: a message of it that is still held must not leave.
    Cancel {
        message: MessageId,
        reason: EndReason,
    },
    /// New values of contact attributes; `Null` removes.
    SetContact(Vec<(Path, Value)>),
    Consent {
        topic: String,
        subscribe: bool,
    },
    /// `with` is as written: texts that hold `{{` are still to be rendered.
    Record {
        event: String,
        with: Map<String, Value>,
    },
    Start {
        workflow: String,
        with: Map<String, Value>,
    },
    Assign {
        experiment: String,
        variant: String,
        /// What comes of it counts: the experiment is not decided yet.
        measured: bool,
    },
    /// The goal was met, and what it was worth.
    Goal {
        value: Option<f64>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub step: String,
    pub visit: u32,
    pub template: String,
    /// `None`: the template's channel, else email.
    pub channel: Option<String>,
    pub topic: Option<String>,
    pub marketing: bool,
}

impl Effect {
    /// A log entry; `detail` is an object.
    pub fn log(kind: LogKind, step: &str, detail: Value) -> Effect {
        let detail = match detail {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        Effect::Log { kind, step: step.to_owned(), detail }
    }
}
