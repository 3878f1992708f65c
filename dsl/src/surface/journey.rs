//! A file of journey tests, tests/**/*.test.yaml, as written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::union::{by_verb, read};
use super::{OneOrMany, Scalar};

/// Journey tests of one workflow: what happens to somebody, and what must come of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestFile {
    /// The workflow that is tested.
    pub workflow: String,
    /// The time at which every test begins, virtual: 2026-03-27T09:00:00+01:00. Without an offset it is in the project's zone.
    pub start: String,
    /// Varies the spread after quiet hours and windows.
    pub seed: Option<Scalar>,
    /// The tests. Each has a world of its own.
    #[schemars(length(min = 1))]
    pub tests: Vec<Test>,
}

/// One journey and what is expected of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Test {
    /// What it shows, in words; unique in the file.
    pub name: String,
    /// What is so before the start.
    pub given: Given,
    /// What happens from outside, in order of time.
    #[serde(default)]
    pub timeline: Vec<TimelineEntry>,
    /// Every message and the end, in order. What else happens (skips, waits, branches …) may be listed too.
    pub expect: Vec<Expectation>,
    /// true: every step must be listed.
    #[serde(default)]
    pub steps: bool,
    /// `all`: what happens in other workflows must be listed, too. Else only what happens in the one that is tested.
    pub workflows: Option<Workflows>,
    /// How long it goes on: "10 days" from start, or a time. Default: until all is over, at most a year.
    pub until: Option<String>,
}

/// Whose messages must be listed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workflows {
    All,
}

/// What is so before the start.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// Who it is about: `{ id: ada, email: ada@example.com, country: DE, topics: [offers] }`. A list of topics is complete; without it the
    /// topics' defaults hold.
    pub contact: Option<Map<String, Value>>,
    /// Several of them.
    pub contacts: Option<Vec<Map<String, Value>>>,
    /// Segments that everybody is in for the whole test, whatever their conditions say; of a static one: is on the list at the start.
    pub segments: Option<Vec<String>>,
    /// What happened before: entries as in the timeline, with a negative `at`.
    pub events: Option<Vec<TimelineEntry>>,
    /// What channels answer, in order; then everything is taken. `call` answers the `call` steps.
    pub channels: Option<BTreeMap<String, Vec<Answer>>>,
    /// Which variant everybody gets, by experiment.
    pub experiments: Option<BTreeMap<String, String>>,
}

/// `ok`, `timeout`, or what a server says: `451 try later`; for calls also `{ status: 200, json: {…} }`.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Words(String),
    Called(CallAnswer),
}

/// An answer to a `call` step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallAnswer {
    /// The HTTP status.
    #[schemars(range(min = 200, max = 599))]
    pub status: u16,
    /// The body.
    pub json: Option<Value>,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ Value::Object(_) => read(value).map(Answer::Called),
            Value::Number(status) => Ok(Answer::Words(status.to_string())),
            other => read(other).map(Answer::Words),
        }
    }
}

impl JsonSchema for Answer {
    fn schema_name() -> Cow<'static, str> {
        "Answer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let called = generator.subschema_for::<CallAnswer>();
        let words = json!({ "type": "string", "examples": ["ok", "timeout", "451 try later", "550 5.1.1 no such user"] });
        json_schema!({
            "description": "`ok`, `timeout`, or what a server says: `451 try later`; for calls also `{ status: 200, json: {…} }`.",
            "anyOf": [words, { "type": "integer" }, called],
        })
    }
}

by_verb! {
    /// Something that happens from outside.
    TimelineEntry {
        "event" => Event(TimelineEvent),
        "set" => Set(TimelineSet),
        "subscribe" => Subscribe(TimelineSubscribe),
        "unsubscribe" => Unsubscribe(TimelineUnsubscribe),
        "confirm" => Confirm(TimelineConfirm),
        "erase" => Erase(TimelineErase),
        "enroll" => Enroll(TimelineEnroll),
        "join" => Join(TimelineJoin),
        "leave" => Leave(TimelineLeave),
    }
}

by_verb! {
    /// Something that must come of it.
    Expectation {
        "send" => Send(ExpectedSend),
        "skip" => Skip(ExpectedSkip),
        "exit" => Exit(ExpectedExit),
        "wait" => Wait(ExpectedWait),
        "branch" => Branch(ExpectedBranch),
        "assign" => Assign(ExpectedAssign),
        "set" => Set(ExpectedSet),
        "record" => Record(ExpectedRecord),
        "subscribe" => Subscribe(ExpectedSubscribe),
        "unsubscribe" => Unsubscribe(ExpectedUnsubscribe),
        "start" => Start(ExpectedStart),
        "call" => Call(ExpectedCall),
        "goal" => Goal(ExpectedGoal),
        "enter" => Enter(ExpectedEnter),
        "step" => Step(ExpectedStep),
    }
}

/// What every entry of a timeline says besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Happens<'a> {
    pub at: &'a str,
    pub contact: Option<&'a String>,
}

/// What every expectation may say besides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub at: Option<&'a String>,
    pub between: Option<&'a [String; 2]>,
    pub contact: Option<&'a String>,
    pub workflow: Option<&'a String>,
}

macro_rules! timeline {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
            /// When: "30m" from start, or a time. What is before the start counts and starts nothing.
            pub at: String,
            /// To whom, where there are several contacts: the id.
            pub contact: Option<String>,
        }

        impl $name {
            pub(crate) fn happens(&self) -> Happens<'_> {
                Happens { at: &self.at, contact: self.contact.as_ref() }
            }
        }
    )+};
}

macro_rules! expected {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$field_doc])* pub $field: $type,)+
            /// When, exactly: "25h" from start, or a time.
            pub at: Option<String>,
            /// When, where it is spread: from the first to the last of the two, both included.
            pub between: Option<[String; 2]>,
            /// Whose it is, where there are several contacts: the id.
            pub contact: Option<String>,
            /// Where it happens, if not in the workflow that is tested.
            pub workflow: Option<String>,
        }

        impl $name {
            pub(crate) fn seen(&self) -> Seen<'_> {
                Seen {
                    at: self.at.as_ref(),
                    between: self.between.as_ref(),
                    contact: self.contact.as_ref(),
                    workflow: self.workflow.as_ref(),
                }
            }
        }
    )+};
}

timeline! {
    /// An event arrives.
    TimelineEvent {
        /// Its name. The fate of a message is one, too: `message_clicked`, with its template.
        event: String,
        /// Its properties.
        with: Option<Map<String, Value>>,
    }
    /// Attributes of the contact change.
    TimelineSet {
        /// The new values: `{ contact.country: AT }`; null removes.
        #[schemars(extend("minProperties" = 1))]
        set: Map<String, Value>,
    }
    /// The contact subscribes.
    TimelineSubscribe {
        /// The topic.
        subscribe: String,
    }
    /// The contact unsubscribes.
    TimelineUnsubscribe {
        /// The topic, or `all`.
        unsubscribe: String,
    }
    /// The contact confirms a subscription that was asked for.
    TimelineConfirm {
        /// The topic.
        confirm: String,
    }
    /// The contact is erased.
    TimelineErase {
        /// Always true.
        #[schemars(extend("const" = true))]
        #[expect(dead_code, reason = "its presence is all it says")]
        erase: bool,
    }
    /// The contact is enrolled by hand.
    TimelineEnroll {
        /// The workflow.
        enroll: String,
        /// What becomes `event.*` of the run.
        with: Option<Map<String, Value>>,
    }
    /// The contact is put on the list of a static segment.
    TimelineJoin {
        /// The segment.
        join: String,
    }
    /// The contact is taken off the list of a static segment.
    TimelineLeave {
        /// The segment.
        leave: String,
    }
}

/// What became of a message.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SendStatus {
    Sent,
    Failed,
    Unknown,
}

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SkipReason {
    NoAddress,
    Suppressed,
    Unsubscribed,
    Erased,
    Capped,
    Overdue,
    NoOpening,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ExitReason {
    Completed,
    Goal,
    ExitWhen,
    Exit,
    Unreachable,
    Overdue,
    Failed,
    Erased,
    Superseded,
}

expected! {
    /// A message leaves.
    ExpectedSend {
        /// The template, or the step's id for a message written in the workflow.
        send: String,
        /// The step's id, where several send it.
        step: Option<String>,
        /// What stands in the subject: a text, or several.
        subject: Option<OneOrMany<String>>,
        /// What stands in the text or the HTML: a text, or several. Line breaks count as spaces.
        body: Option<OneOrMany<String>>,
        /// The address it goes to.
        to: Option<String>,
        /// The channel.
        channel: Option<String>,
        /// What became of it: sent (default), failed or unknown.
        status: Option<SendStatus>,
        /// The whole message is as it was when it was last looked at: the name of a file under tests/snapshots/, written by `campaignd test --update`.
        snapshot: Option<String>,
    }
    /// A message is not sent.
    ExpectedSkip {
        /// The template, or the step's id for a message written in the workflow.
        skip: String,
        /// The step's id, where several send it.
        step: Option<String>,
        /// Why.
        reason: Option<SkipReason>,
        /// The channel.
        channel: Option<String>,
    }
    /// A run ends.
    ExpectedExit {
        /// Why.
        exit: ExitReason,
        /// The reason of the exit step, or what went wrong.
        detail: Option<String>,
    }
    /// A wait, a wait_for or a repeat begins to wait.
    ExpectedWait {
        /// The step's id.
        wait: String,
        /// Until when: "25h" from start, or a time.
        until: Option<String>,
    }
    /// A branch or a wait_for is decided.
    ExpectedBranch {
        /// The step's id.
        branch: String,
        /// The number of the branch's case from 1, or `none`; of a wait_for: then or otherwise.
        taken: Option<Scalar>,
    }
    /// An experiment gives a variant.
    ExpectedAssign {
        /// The step's id.
        assign: String,
        /// The variant.
        variant: Option<String>,
    }
    /// A set step is done.
    ExpectedSet {
        /// The step's id.
        set: String,
        /// What it sets, or some of it: `{ contact.stage: welcomed }`.
        values: Option<Map<String, Value>>,
    }
    /// A record step is done.
    ExpectedRecord {
        /// The step's id.
        record: String,
        /// The event.
        event: Option<String>,
    }
    /// A subscribe step is done.
    ExpectedSubscribe {
        /// The step's id.
        subscribe: String,
    }
    /// An unsubscribe step is done.
    ExpectedUnsubscribe {
        /// The step's id.
        unsubscribe: String,
    }
    /// A start step is done.
    ExpectedStart {
        /// The step's id.
        start: String,
    }
    /// A call step has its answer.
    ExpectedCall {
        /// The step's id.
        call: String,
        /// Whether it was answered well (called), or not (failed).
        status: Option<CallStatus>,
    }
    /// The goal is met.
    ExpectedGoal {
        /// Always true.
        #[schemars(extend("const" = true))]
        #[expect(dead_code, reason = "its presence is all it says")]
        goal: bool,
    }
    /// The contact enters.
    ExpectedEnter {
        /// Always true.
        #[schemars(extend("const" = true))]
        #[expect(dead_code, reason = "its presence is all it says")]
        enter: bool,
    }
    /// Whatever happens at a step.
    ExpectedStep {
        /// The step's id.
        step: String,
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CallStatus {
    Called,
    Failed,
}
