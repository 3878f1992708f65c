//! One thing that happened, as a line of JSON.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::dispatch::Holding;
use crate::instant;
use crate::kernel::Happening;
use crate::state::{CALLS, LogKind, MessageId, MessageStatus};

/// One thing that happened to one run, with its texts as the outputs have them.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// When, in ms since 1970 UTC.
    pub instant: i64,
    /// The same in RFC 3339 with the project's offset.
    pub at: String,
    pub contact: String,
    pub workflow: String,
    pub run: String,
    /// Empty where it belongs to no step.
    pub step: String,
    pub kind: LogKind,
    pub sent: Option<Sent>,
    /// The message it is about, of `send` and `skip`.
    pub message: Option<MessageId>,
    /// `until`, `taken`, `variant`, `reason` and the like; `until` as `at` is written.
    pub detail: Map<String, Value>,
    pub html: Option<String>,
    pub text: Option<String>,
    /// Whether the bodies are written.
    pub bodies: bool,
}

/// What a line says of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    pub channel: String,
    /// The template's name, or the step's id for an inline message.
    pub template: String,
    pub to: Option<String>,
    pub subject: Option<String>,
    /// `None` for a message that was skipped.
    pub status: Option<MessageStatus>,
    /// Why it failed.
    pub error: Option<String>,
    /// Whose consent it needed; not written.
    pub topic: Option<String>,
    /// Since when it might have left, in ms since 1970 UTC; not written.
    pub due: i64,
}

/// A message that had to wait.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    /// When, in ms since 1970 UTC.
    pub instant: i64,
    pub workflow: String,
    pub message: MessageId,
    pub why: Holding,
}

impl Line {
    pub(super) fn of(happening: &Happening<'_>, zone: &TimeZone) -> Line {
        let mut detail = happening.detail.clone();
        if let Some(until) = detail.get("until").and_then(Value::as_i64) {
            detail.insert("until".to_owned(), instant::text(until, zone).into());
        }
        // `workflow` is the run's own; the one that a step starts has its own name.
        if let Some(started) = detail.remove("workflow") {
            detail.insert("starts".to_owned(), started);
        }
        if happening.kind != LogKind::Call {
            detail.remove("status");
        }
        let left = happening.kind == LogKind::Send;
        // A call is no message to anybody.
        let message = happening.message.filter(|message| message.channel != CALLS);
        let sent = message.map(|message| Sent {
            channel: message.channel.clone(),
            template: message.template.clone(),
            to: message.to.clone().filter(|_| left),
            subject: message.subject.clone().filter(|_| left),
            status: Some(message.status).filter(|_| left),
            error: message.error.clone().filter(|_| left),
            topic: message.topic.clone(),
            due: message.due,
        });
        Line {
            instant: happening.at,
            at: instant::text(happening.at, zone),
            contact: happening.contact.to_owned(),
            workflow: happening.workflow.to_owned(),
            run: happening.run.to_string(),
            step: happening.step.to_owned(),
            kind: happening.kind,
            sent,
            message: message.map(|message| message.id),
            detail,
            html: None,
            text: None,
            bodies: false,
        }
    }
}

/// The keys always come in this order; one that has no value is left out.
impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at", &self.at)?;
        map.serialize_entry("contact", &self.contact)?;
        map.serialize_entry("workflow", &self.workflow)?;
        map.serialize_entry("run", &self.run)?;
        if !self.step.is_empty() {
            map.serialize_entry("step", &self.step)?;
        }
        map.serialize_entry("kind", self.kind.word())?;
        if let Some(sent) = &self.sent {
            map.serialize_entry("channel", &sent.channel)?;
            map.serialize_entry("template", &sent.template)?;
            let status = sent.status.map(|status| status.word().to_owned());
            let rest = [("to", &sent.to), ("subject", &sent.subject), ("status", &status), ("error", &sent.error)];
            for (key, value) in rest.into_iter().filter(|(_, value)| value.is_some()) {
                map.serialize_entry(key, value)?;
            }
        }
        for (key, value) in &self.detail {
            map.serialize_entry(key, value)?;
        }
        if self.bodies && self.kind == LogKind::Send {
            map.serialize_entry("html", &self.html)?;
            map.serialize_entry("text", &self.text)?;
        }
        map.end()
    }
}
