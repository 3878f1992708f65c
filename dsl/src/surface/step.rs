//! Steps as written: a mapping with exactly one verb, or the word `exit`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::union::by_verb;
use super::{Condition, MapOr, OneOrMany, Retry, Scalar};

by_verb! {
    /// One step: exactly one verb, with what belongs to it, or the word `exit`.
    Step {
        "send" => Send(SendStep),
        "wait" => Wait(WaitStep),
        "wait_for" => WaitFor(WaitForStep),
        "branch" => Branch(BranchStep),
        "experiment" => Experiment(ExperimentStep),
        "repeat" => Repeat(RepeatStep),
        "set" => Set(SetStep),
        "subscribe" => Subscribe(SubscribeStep),
        "unsubscribe" => Unsubscribe(UnsubscribeStep),
        "record" => Record(RecordStep),
        "call" => Call(CallStep),
        "start" => Start(StartStep),
        "exit" => Exit(ExitStep),
    }
    word "exit" => ExitWord
}

impl Step {
    /// The id as written.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Step::Send(step) => step.id.as_deref(),
            Step::Wait(step) => step.id.as_deref(),
            Step::WaitFor(step) => step.id.as_deref(),
            Step::Branch(step) => step.id.as_deref(),
            Step::Experiment(step) => step.id.as_deref(),
            Step::Repeat(step) => step.id.as_deref(),
            Step::Set(step) => step.id.as_deref(),
            Step::Subscribe(step) => step.id.as_deref(),
            Step::Unsubscribe(step) => step.id.as_deref(),
            Step::Record(step) => step.id.as_deref(),
            Step::Call(step) => step.id.as_deref(),
            Step::Start(step) => step.id.as_deref(),
            Step::Exit(step) => step.id.as_deref(),
            Step::ExitWord => None,
        }
    }
}

/// Sends a message.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendStep {
    /// A template's name, or the message itself: `{ subject, html }` or `{ subject, text }`.
    pub send: MapOr<InlineMessage, String>,
    /// The step's stable name; made from verb and argument if absent.
    pub id: Option<String>,
    /// The channel; default: the template's, else email. Of a list the first on which the person can be reached.
    pub channel: Option<OneOrMany<String>>,
    /// The consent this send needs; default: the template's, else the workflow's.
    pub topic: Option<String>,
    /// true: no marketing; ignores topics, caps and quiet hours.
    pub transactional: Option<bool>,
    /// More data for the template.
    pub with: Option<Map<String, Value>>,
    /// When it may leave, in the contact's local time.
    pub window: Option<SendWindow>,
    /// What to do at a frequency cap: wait (default, at most 3 days, then skip) or skip.
    pub when_capped: Option<WhenCapped>,
    /// What to do without an address or consent: continue (default) or exit.
    pub when_unreachable: Option<OnTrouble>,
}

/// A message written in the workflow itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["html"] }, { "required": ["mjml"] }, { "required": ["text"] }]))]
pub(crate) struct InlineMessage {
    /// The subject line.
    pub subject: Option<String>,
    /// The body in HTML.
    pub html: Option<String>,
    /// The body in MJML, instead of `html`.
    pub mjml: Option<String>,
    /// The body as plain text.
    pub text: Option<String>,
}

/// A span of the local day: `{ between: "09:00-20:00", days: weekdays }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendWindow {
    /// From and until: "09:00-20:00". May cross midnight.
    #[schemars(extend("examples" = ["09:00-20:00"]))]
    pub between: String,
    /// `weekdays`, `weekend`, a day (`mon`), or a list of days.
    pub days: Option<OneOrMany<String>>,
}

/// What to do at a frequency cap.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhenCapped {
    Wait,
    Skip,
}

/// What to do when something is not as hoped.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnTrouble {
    Continue,
    Exit,
}

/// Waits for a span or until a time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitStep {
    /// "2 days" (exactly 48 hours), `{ for: 2 days, at: "09:00" }` or `{ until: ... }`.
    #[schemars(extend("examples" = ["1 hour", "2 days", "1 week"]))]
    pub wait: MapOr<WaitTimes, String>,
    /// The step's stable name; made from verb and argument if absent.
    pub id: Option<String>,
}

by_verb! {
    /// A wait with a time of day, or until a date.
    WaitTimes {
        "for" => For(WaitDates),
        "until" => Until(WaitUntil),
    }
}

/// That many dates later, the first such time that is not before now.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitDates {
    /// Whole days with `at` or `days` ("2 days"); without them any span.
    #[serde(rename = "for")]
    pub span: String,
    /// The local time of day: "09:00".
    pub at: Option<String>,
    /// `weekdays`, `weekend`, a day (`mon`), or a list of days.
    pub days: Option<OneOrMany<String>>,
}

/// Until the next such local time, or until a date of the contact's.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitUntil {
    /// A local time ("09:00"), or a path that holds a date (`contact.trial_ends_at`).
    pub until: String,
    /// With a time: `weekdays`, `weekend`, a day (`mon`), or a list of days.
    pub days: Option<OneOrMany<String>>,
    /// With a date: how long after it, or before it ("-3 days").
    pub offset: Option<String>,
    /// With a date: what to do if there is none; default continue.
    pub on_missing: Option<OnTrouble>,
    /// With a date: what to do if it is over; default continue.
    pub on_past: Option<OnTrouble>,
}

/// Waits until something holds, or `within` is over, whichever comes first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WaitForStep {
    /// What to wait for.
    pub wait_for: Condition,
    /// The step's stable name; made from verb and argument if absent.
    pub id: Option<String>,
    /// How long at most: "3 days".
    #[schemars(extend("examples" = ["1 day", "3 days"]))]
    pub within: Option<String>,
    /// step (default): only what happens from here on counts. entry: also what happened since entry.
    pub since: Option<Since>,
    /// Steps for when it happened in time.
    pub then: Option<Vec<Step>>,
    /// Steps for when it did not.
    pub otherwise: Option<Vec<Step>>,
}

/// From where in the run something counts.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Since {
    Entry,
    Step,
}

/// The first case that holds is taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BranchStep {
    /// The cases, in order; one without `when` is for everyone else.
    #[schemars(length(min = 1))]
    pub branch: Vec<Case>,
    /// The step's stable name.
    pub id: Option<String>,
}

/// One case of a branch.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// What must hold; absent: everyone else.
    pub when: Option<Condition>,
    /// What happens then.
    pub steps: Vec<Step>,
}

/// Splits contacts at random, each always the same way.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExperimentStep {
    /// The experiment's name.
    pub experiment: String,
    /// The step's stable name; made from the experiment's if absent.
    pub id: Option<String>,
    /// The variants, by name.
    #[schemars(extend("minProperties" = 1))]
    pub variants: BTreeMap<String, Variant>,
    /// When everyone gets the best one.
    pub winner: Option<Winner>,
}

/// One variant of an experiment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Variant {
    /// Its share, relative to the sum of all weights.
    pub weight: f64,
    /// What happens in it; absent: nothing.
    pub steps: Option<Vec<Step>>,
}

/// When an experiment is decided.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Winner {
    /// What decides.
    pub metric: WinnerMetric,
    /// After how many contacts at the earliest, in all variants together.
    pub after: u32,
    /// How sure to be; default "95%".
    pub confidence: Option<String>,
}

/// What decides an experiment.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WinnerMetric {
    Clicked,
    Opened,
    Goal,
}

/// Does the same steps several times.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepeatStep {
    /// How often, how far apart, and what.
    pub repeat: Repeat,
    /// The step's stable name.
    pub id: Option<String>,
}

/// `{ times: 3, every: 7 days, until: ..., steps: [...] }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repeat {
    /// How often at most, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub times: u32,
    /// From the start of one pass to the start of the next: "7 days".
    pub every: Option<String>,
    /// Stops when this holds.
    pub until: Option<Condition>,
    /// What to repeat.
    pub steps: Vec<Step>,
}

/// Changes attributes of the contact or variables of the run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetStep {
    /// Paths and their new values: a value, `now`, `null` (removes it), `{ add: 10 }` or `{ append: vip }`.
    #[schemars(extend("minProperties" = 1))]
    pub set: BTreeMap<String, Assigned>,
    /// The step's stable name; made from the first path if absent.
    pub id: Option<String>,
}

/// What a path is set to.
#[derive(Debug, Clone)]
pub(crate) enum Assigned {
    Value(Value),
    Change(Change),
}

/// `{ add: 10 }` or `{ append: vip }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct Change {
    /// Adds this number; a missing value counts as 0.
    pub add: Option<f64>,
    /// Adds this element to the list, if it is not in there; a missing value counts as an empty list.
    pub append: Option<Scalar>,
}

impl<'de> Deserialize<'de> for Assigned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ Value::Object(_) => super::union::read(value).map(Assigned::Change),
            other => Ok(Assigned::Value(other)),
        }
    }
}

impl JsonSchema for Assigned {
    fn schema_name() -> Cow<'static, str> {
        "Assigned".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let change = generator.subschema_for::<Change>();
        let scalar = generator.subschema_for::<Scalar>();
        json_schema!({
            "anyOf": [
                { "type": ["string", "number", "boolean"] },
                { "const": null },
                { "type": "array", "items": scalar },
                change,
            ],
        })
    }
}

/// Subscribes the contact to a topic.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscribeStep {
    /// The topic's name.
    pub subscribe: String,
    /// The step's stable name.
    pub id: Option<String>,
}

/// Unsubscribes the contact from a topic.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnsubscribeStep {
    /// The topic's name.
    pub unsubscribe: String,
    /// The step's stable name.
    pub id: Option<String>,
}

/// Records an event on the contact, which may start other workflows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordStep {
    /// The event's name.
    pub record: String,
    /// The event's properties.
    pub with: Option<Map<String, Value>>,
    /// The step's stable name.
    pub id: Option<String>,
}

/// Calls another system.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallStep {
    /// What to call, and with what.
    pub call: HttpCall,
    /// The step's stable name.
    pub id: Option<String>,
}

/// An HTTP request. Texts in it are templates; in headers `{{secrets.NAME}}` stands for one of the settings' secrets.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpCall {
    /// The URL to POST to.
    pub post: Option<String>,
    /// The URL to GET.
    pub get: Option<String>,
    /// The URL to PUT to.
    pub put: Option<String>,
    /// The URL to PATCH.
    pub patch: Option<String>,
    /// The URL to DELETE.
    pub delete: Option<String>,
    /// Headers, by name.
    pub headers: Option<BTreeMap<String, String>>,
    /// The body, as JSON.
    pub json: Option<Map<String, Value>>,
    /// Signs the request in the Standard Webhooks way, with this one of the settings' secrets.
    pub sign: Option<String>,
    /// How long an answer is waited for; default 10 seconds, at most 1 minute.
    pub timeout: Option<String>,
    /// How a call that failed for now (no connection, 408, 425, 429, 5xx) is tried again; default: 1 second, doubling up to 1 minute, for 10 minutes.
    pub retry: Option<Retry>,
    /// Where the answer goes: `vars.ticket`.
    pub save: Option<String>,
    /// What to do when it fails; default continue.
    pub on_error: Option<OnTrouble>,
}

/// Starts another workflow for the contact.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartStep {
    /// The workflow's name.
    pub start: String,
    /// The new run's `event.*`.
    pub with: Option<Map<String, Value>>,
    /// The step's stable name.
    pub id: Option<String>,
}

/// Ends the run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExitStep {
    /// Why, in a word.
    pub exit: String,
    /// The step's stable name.
    pub id: Option<String>,
}
