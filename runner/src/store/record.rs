//! Rows that only the store and its callers pass between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::model::Fate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::returns::Notice;
use crate::state::*;

/// Which contacts a sweep goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneFilter<'a> {
    All,
    /// Those whose `time_zone` is exactly this; `None`: those without one.
    In(Option<&'a str>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub contact: ContactId,
    pub name: String,
    pub event: Event,
}

/// A stored event as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub contact: ContactId,
    pub name: String,
    pub event: Event,
    /// The id it came with.
    pub uid: Option<String>,
}

/// A workflow as the runner last put it in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRow {
    pub id: WorkflowId,
    pub name: String,
    /// `None`: never in force.
    pub definition: Option<DefinitionId>,
    /// live, draft, paused or closed; `closed` when its file is gone.
    pub status: String,
    /// `pause` was asked for by command: holds over reloads until `resume`.
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastEntry {
    pub open: Option<RunId>,
    pub last_entered: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunHistory {
    pub open: Option<RunId>,
    pub last_entered: Option<i64>,
    /// Some run ended as completed or goal.
    pub completed: bool,
    /// Some run ended in another way.
    pub exited: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FateRow {
    pub id: EventId,
    pub at: i64,
    pub template: String,
    pub run: Option<RunId>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRow {
    pub workflow: WorkflowId,
    /// Names the trigger by its content.
    pub trigger: String,
    /// IANA name.
    pub zone: String,
    pub next: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Ignored when inserted.
    pub id: i64,
    pub workflow: WorkflowId,
    pub trigger: String,
    pub kind: SweepKind,
    /// The last contact that was dealt with; `ContactId(0)` at the start.
    pub cursor: ContactId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepKind {
    /// A broadcast that fired at this time, to the contacts of these zones.
    Broadcast { at: i64, zones: Zones },
    /// Sets the date timers of all contacts after a definition changed.
    DateTimers,
    /// Works out where all contacts stand after a trait or a segment changed.
    Audience,
    /// Takes the ranks of all contacts from new cut points.
    Ranks,
}

/// Whose turn it is in a broadcast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zones {
    All,
    /// Contacts without a zone of their own.
    None,
    One(String),
}

impl Zones {
    /// Whether a contact of this zone is among them.
    pub fn holds(&self, zone: Option<&str>) -> bool {
        match self {
            Zones::All => true,
            Zones::None => zone.is_none(),
            Zones::One(one) => zone == Some(one.as_str()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateTimer {
    pub workflow: WorkflowId,
    pub trigger: String,
    pub contact: ContactId,
    pub at: i64,
}

/// Some values of one contact.
#[derive(Debug, Clone, PartialEq)]
pub struct ContactValues {
    pub contact: ContactId,
    pub time_zone: Option<String>,
    /// One for each path that was asked for; `None`: missing.
    pub values: Vec<Option<TraitValue>>,
}

/// The values of some contacts, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct ValuesPage {
    /// Of each contact with a value.
    pub rows: Vec<Arc<ContactValues>>,
    /// The last contact that was looked at; `None`: there was none any more.
    pub last: Option<ContactId>,
}

/// A place under the frequency caps that a marketing message took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// ms since 1970 UTC.
    pub at: i64,
    pub topic: Option<String>,
    pub channel: String,
}

/// What became of the messages of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFigures {
    pub workflow: WorkflowId,
    pub step: String,
    pub template: String,
    pub by_status: BTreeMap<MessageStatus, u64>,
    /// Those skipped, by why.
    pub skipped: BTreeMap<String, u64>,
    /// How many messages it happened to, however often; not what machines did.
    pub fates: BTreeMap<Fate, u64>,
    /// After how many the contact unsubscribed from something by the message's own links.
    pub unsubscribed: u64,
}

/// How many entered a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entries {
    pub workflow: WorkflowId,
    /// When anybody entered first.
    pub first: i64,
    /// Since the time that was asked for.
    pub number: u64,
}

/// How often something happened, and to how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Happened {
    pub number: u64,
    pub contacts: u64,
}

/// What is deleted when it is old enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Old {
    /// By when they happened; but for those about consent.
    Events,
    /// That are finished, by when they were.
    Messages,
    /// The histories of runs, by when the runs ended.
    RunLogs,
}

/// What was deleted of one stretch of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// The contacts it was about, in order.
    pub contacts: Vec<ContactId>,
    /// The last row that was looked at; `None`: there are no more.
    pub next: Option<i64>,
}

/// Something that another process left for the runner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxItem {
    /// These contacts were added or changed.
    Contacts(Vec<ContactId>),
    /// The events of this range of ids were stored and have not been acted on.
    Events {
        first: EventId,
        last: EventId,
    },
    /// The same of events that are too old to start anything: they only count.
    History {
        first: EventId,
        last: EventId,
    },
    Enroll {
        workflow: String,
        contact: ContactId,
        with: Map<String, Value>,
    },
    /// End the contact's runs and remove everything that is held about the person.
    Erase(ContactId),
    /// Queue a message in doubt (or failed) once more.
    Resend(MessageId),
    /// What somebody else says became of a message.
    Returned(Box<Notice>),
    Pause(String),
    Resume(String),
    /// Move runs that are under an older definition to the one in force.
    Migrate(Migration),
}

/// Where the runs of a workflow go that an edit left under an older definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Migration {
    pub workflow: String,
    /// Old step to new step: whoever stands there goes there, whether the old step is gone or not.
    #[serde(default)]
    pub moves: BTreeMap<String, String>,
    /// Where those go whose step is gone and of whom nothing else says it.
    #[serde(default)]
    pub rest: Option<String>,
}
