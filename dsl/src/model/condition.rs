//! Conditions: one vocabulary for audiences, filters, branches, waits, goals and segments.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::Duration;

/// A question about one contact that is either so or not so at a given moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Every one holds; an empty list holds.
    All(Vec<Condition>),
    /// At least one holds; an empty list does not.
    Any(Vec<Condition>),
    /// None holds.
    None(Vec<Condition>),
    /// The one does not hold.
    Not(Box<Condition>),
    /// All the predicates hold for the value at `path`.
    Value {
        path: Path,
        tests: Vec<Predicate>,
    },
    Event(EventCondition),
    Message(MessageCondition),
    /// The contact is in the named segment (looked up in the definition).
    Segment(String),
    /// The contact is on the list of this static segment: the whole condition of a segment `{ list: true }`.
    Listed(String),
    /// The contact is subscribed to the topic.
    Topic(String),
    Workflow {
        name: String,
        is: WorkflowState,
    },
}

impl Condition {
    /// The conditions directly inside this one, the filter of an event among them. A segment's is not: it is only named.
    pub fn inside(&self) -> impl Iterator<Item = &Condition> {
        let (parts, part): (&[Condition], Option<&Condition>) = match self {
            Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => (parts, None),
            Condition::Not(part) => (&[], Some(part)),
            Condition::Event(event) => (&[], event.filter.as_deref()),
            Condition::Value { .. }
            | Condition::Message(_)
            | Condition::Segment(_)
            | Condition::Listed(_)
            | Condition::Topic(_)
            | Condition::Workflow { .. } => (&[], None),
        };
        parts.iter().chain(part)
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    Contact,
    /// The event at hand: the one being matched, else the one that started the run.
    Event,
    /// The run's own variables.
    Vars,
}

/// `contact.address.city` is root `contact`, keys `address`, `city`. There is always at least one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Path {
    pub root: Root,
    pub keys: Vec<String>,
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.root {
            Root::Contact => "contact",
            Root::Event => "event",
            Root::Vars => "vars",
        })?;
        self.keys.iter().try_for_each(|key| write!(f, ".{key}"))
    }
}

/// A test of one value. A missing value (absent or null) satisfies only `Exists(false)`, `IsNot` and `NoneOf`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    Is(Value),
    IsNot(Value),
    OneOf(Vec<Value>),
    NoneOf(Vec<Value>),
    Above(f64),
    AtLeast(f64),
    Below(f64),
    AtMost(f64),
    /// A text contains this text, or a list this element.
    Contains(Value),
    StartsWith(String),
    EndsWith(String),
    /// An unanchored regular expression in linear-time syntax, already known to compile.
    Matches(String),
    Exists(bool),
    Before(When),
    After(When),
    /// A date that lies in the past, at most this long ago.
    WithinLast(Duration),
    /// A date that lies in the future, at most this far ahead.
    WithinNext(Duration),
}

/// A moment to compare a date with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    Now,
    /// "30 days ago"
    Ago(Duration),
    /// "in 30 days"
    Ahead(Duration),
    /// A date ("2026-03-29": its first instant), a date with a time, either in the contact's zone, or an instant with
    /// an offset; kept as written, already known to parse with `time::parse_date`.
    Date(String),
}

/// The contact did something: at least one such event, unless `count` says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventCondition {
    pub name: String,
    /// `where`: a condition over `event.*` (and `contact.*`, `vars.*`) that each counted event must meet.
    pub filter: Option<Box<Condition>>,
    /// Predicates over the number of matching events. `None`: at least one.
    pub count: Option<Vec<Predicate>>,
    pub aggregates: Vec<Aggregate>,
    /// Only events this recent count.
    pub within: Option<Duration>,
    pub since: Option<Since>,
}

/// `sum: { of: event.total, above: 500 }`. The sum of nothing is 0; avg, min and max of nothing are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    pub function: AggregateFunction,
    /// A path under `event`. Values that are not numbers are left out.
    pub of: Path,
    pub tests: Vec<Predicate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateFunction {
    Sum,
    Avg,
    Min,
    Max,
}

/// From where in the run events count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    Entry,
    Step,
}

/// Something happened to a message to this contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageCondition {
    /// `None` is `any`.
    pub template: Option<String>,
    pub is: Fate,
    pub within: Option<Duration>,
    pub since: Option<Since>,
}

/// What can happen to a message. Each is also a reserved event, `message_<fate>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Sent,
    Delivered,
    Opened,
    Clicked,
    Bounced,
    Complained,
}

impl Fate {
    pub const ALL: [Fate; 6] = [Fate::Sent, Fate::Delivered, Fate::Opened, Fate::Clicked, Fate::Bounced, Fate::Complained];

    /// The word used in definitions.
    pub fn word(self) -> &'static str {
        match self {
            Fate::Sent => "sent",
            Fate::Delivered => "delivered",
            Fate::Opened => "opened",
            Fate::Clicked => "clicked",
            Fate::Bounced => "bounced",
            Fate::Complained => "complained",
        }
    }

    /// The reserved event's name.
    pub fn event(self) -> &'static str {
        match self {
            Fate::Sent => "message_sent",
            Fate::Delivered => "message_delivered",
            Fate::Opened => "message_opened",
            Fate::Clicked => "message_clicked",
            Fate::Bounced => "message_bounced",
            Fate::Complained => "message_complained",
        }
    }

    /// Only what people do makes it so: an event that says `machine: true` (a scanner, a mail provider's proxy) does not count.
    pub fn by_people(self) -> bool {
        matches!(self, Fate::Opened | Fate::Clicked)
    }

    /// The fate that a reserved event's name stands for.
    pub fn from_event(name: &str) -> Option<Fate> {
        Fate::ALL.into_iter().find(|fate| fate.event() == name)
    }
}

/// How a contact stands to another workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowState {
    /// Has an open run.
    Active,
    /// Has a run that ended as completed or goal.
    Completed,
    /// Has a run that ended in any other way.
    Exited,
    /// Never had a run.
    Never,
}
