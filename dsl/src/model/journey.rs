//! Journey tests: what happens to somebody, and what must come of it. They are read for `validate` and `test`; no runner ever sees them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::diagnostic::Location;

/// One file of tests.
#[derive(Debug, Clone, PartialEq)]
pub struct Suite {
    /// Relative to the project.
    pub file: String,
    pub workflow: String,
    /// When each test begins, in ms since 1970 UTC.
    pub start: i64,
    /// Varies the spread after quiet hours and windows.
    pub seed: String,
    pub journeys: Vec<Journey>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    pub name: String,
    /// Where its name stands.
    pub at: Location,
    pub given: Given,
    /// In order of time; what is before the start first.
    pub timeline: Vec<Entry>,
    pub expect: Vec<Expectation>,
    /// Every step must be listed.
    pub steps: bool,
    /// What happens in other workflows must be listed, too.
    pub all_workflows: bool,
    /// In ms since 1970 UTC.
    pub until: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Given {
    /// As rows of a contact file; at least one, each with its `id`.
    pub contacts: Vec<Map<String, Value>>,
    /// Everybody is in them: of a static one on its list, of another whatever its condition says.
    pub segments: BTreeSet<String>,
    /// By channel; `call`: of who is called.
    pub channels: BTreeMap<String, Vec<Answer>>,
    /// The variants that everybody gets, by experiment.
    pub experiments: BTreeMap<String, String>,
}

/// What somebody answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Taken,
    /// Everything was given, and nothing came back.
    Silence,
    /// A mail server's reply, or a status with words.
    Said(String),
    Called {
        status: u16,
        json: Value,
    },
}

/// Something that happens from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// ms since 1970 UTC.
    pub at: i64,
    /// The contact's id.
    pub contact: String,
    pub what: Happening,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    Event {
        name: String,
        properties: Map<String, Value>,
    },
    /// By name of the attribute; null removes.
    Set(Map<String, Value>),
    Subscribe(String),
    /// `all`: from everything.
    Unsubscribe(String),
    Confirm(String),
    Erase,
    Enroll {
        workflow: String,
        with: Map<String, Value>,
    },
    Join(String),
    Leave(String),
}

/// Something that must come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Where it is written.
    pub at: Location,
    /// As it is written, on one line.
    pub text: String,
    pub when: Option<When>,
    /// The contact's id.
    pub contact: Option<String>,
    /// `None`: the one that is tested.
    pub workflow: Option<String>,
    pub what: Expected,
}

/// Times are ms since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    At(i64),
    /// Both included.
    Between(i64, i64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    Send(ExpectedMessage),
    Skip {
        template: String,
        step: Option<String>,
        reason: Option<String>,
        channel: Option<String>,
    },
    Exit {
        reason: String,
        detail: Option<String>,
    },
    Enter,
    Goal,
    /// What happens at a step.
    Step {
        /// The word of outputs (`wait`, `branch` …); `None`: whatever it is.
        kind: Option<String>,
        step: String,
        /// What must be said of it, by the names of outputs. `until` is in ms since 1970 UTC.
        detail: Map<String, Value>,
    },
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExpectedMessage {
    /// Or the step's id for a message written in the workflow.
    pub template: String,
    pub step: Option<String>,
    /// All of them stand in it.
    pub subject: Vec<String>,
    pub body: Vec<String>,
    pub to: Option<String>,
    pub channel: Option<String>,
    /// `sent`, `failed` or `unknown`.
    pub status: String,
    /// The name of the file it is compared with.
    pub snapshot: Option<String>,
}
