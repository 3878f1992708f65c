//! Steps: a workflow's steps as a flat list, in the order they are written; nested steps follow the step that holds them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Condition, Path, Retry, Since};
use crate::time::{Duration, Time, Weekdays, Window};

/// An index into a workflow's list of steps. `None` in a place that takes one means: the workflow's end.
pub type StepIndex = usize;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Unique in the workflow; what survives an edit.
    pub id: String,
    pub kind: StepKind,
    /// Where a run goes when this step is done and the step itself names no other place. For the last step of a
    /// branch this is the step after the branch; for the last step of a repeat's body it is the repeat itself.
    pub next: Option<StepIndex>,
}

impl Step {
    /// Whether a variant of this experiment has no steps of its own: those who are given it go on behind the experiment.
    pub fn is_holdout(&self, variant: &Variant) -> bool {
        // Steps of its own stand between the experiment and what comes after it.
        variant.to == self.next
    }

    /// The names of those variants of this experiment that can win: they have steps, and somebody is given them.
    pub fn rivals(&self, variants: &[Variant]) -> Vec<String> {
        let rivals = variants.iter().filter(|variant| variant.weight > 0.0 && !self.is_holdout(variant));
        rivals.map(|variant| variant.name.clone()).collect()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Send(Send),
    Wait(Wait),
    /// Whichever comes first: the condition (`then`) or `within` having passed (`otherwise`).
    WaitFor {
        condition: Condition,
        within: Option<Duration>,
        since: Since,
        then: Option<StepIndex>,
        otherwise: Option<StepIndex>,
    },
    /// The first case that holds is taken; none: `next`.
    Branch {
        cases: Vec<Case>,
    },
    Experiment {
        name: String,
        variants: Vec<Variant>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        winner: Option<Winner>,
    },
    Repeat(Repeat),
    Set(Vec<Assignment>),
    Consent {
        topic: String,
        subscribe: bool,
    },
    /// An event on the contact, which may trigger others. Texts in `with` that hold `{{` are templates.
    Record {
        event: String,
        with: Map<String, Value>,
    },
    Call(Call),
    /// `with` becomes the new run's `event.*`. Texts in it that hold `{{` are templates.
    Start {
        workflow: String,
        with: Map<String, Value>,
    },
    Exit {
        reason: Option<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Send {
    /// The key of the message in the definition's `templates`: a template's name, or for an inline message the step's id.
    pub template: String,
    /// The message is written in the workflow itself.
    pub inline: bool,
    /// `None`: the template's channel, else email.
    pub channel: Option<String>,
    /// Further channels: the first of all on which the contact can be reached is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub or_channels: Vec<String>,
    /// The topic that applies: the step's, else the template's, else the workflow's, already resolved.
    pub topic: Option<String>,
    pub transactional: bool,
    /// More data for the template. Texts that hold `{{` are templates themselves, rendered (unescaped) at this step.
    pub with: Map<String, Value>,
    pub window: Option<Window>,
    pub when_capped: WhenCapped,
    pub when_unreachable: OnTrouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum WhenCapped {
    /// At most 3 days, then skip.
    #[default]
    Wait,
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum OnTrouble {
    #[default]
    Continue,
    Exit,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// An exact span: `2 days` is 48 hours.
    For(Duration),
    /// That many dates later in the contact's zone, the first time from then on that has this time of day and weekday
    /// and is not before now.
    Dates { days: i64, at: Time, weekdays: Weekdays },
    /// The next such local time, strictly later than now.
    Until { at: Time, weekdays: Weekdays },
    /// A date of the contact's, the event's or the run's, with an exact offset (may be negative).
    UntilDate { path: Path, offset: Duration, on_missing: OnTrouble, on_past: OnTrouble },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// `None`: everyone else.
    pub when: Option<Condition>,
    pub to: Option<StepIndex>,
}

/// When an experiment is over, and everyone gets the variant that did best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Winner {
    pub metric: Metric,
    /// Contacts in all variants together, at the earliest.
    pub after: u32,
    /// Above 0.5 and below 1.
    pub confidence: f64,
}

/// What counts as a success of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Clicked,
    Opened,
    Goal,
}

/// A request to another system. Texts in the URL, the headers and the body are templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub method: Method,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub json: Option<Map<String, Value>>,
    /// The secret of the settings that the request is signed with (Standard Webhooks).
    pub sign: Option<String>,
    pub timeout: Duration,
    pub retry: Retry,
    /// Under `vars`.
    pub save: Option<Path>,
    pub on_error: OnTrouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Post,
    Get,
    Put,
    Patch,
    Delete,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    pub name: String,
    /// Relative to the sum of all weights; above 0 for at least one variant.
    pub weight: f64,
    pub to: Option<StepIndex>,
}

/// Passes through `body`, `every` apart counted from pass to pass, until `until` holds (looked at before each pass and
/// while waiting for the next) or `times` passes are done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    pub times: u32,
    pub every: Option<Duration>,
    pub until: Option<Condition>,
    pub body: StepIndex,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Under `contact` or `vars`.
    pub path: Path,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The value; `Null` removes the attribute.
    To(Value),
    /// The word `now`: the time at which the step is reached.
    Now,
    /// To a missing value: from 0.
    Add(f64),
    /// To a missing value: starts a list. A value that is in the list already is not added again.
    Append(Value),
}
