//! What a workflow, a segment or a trait names, and where: what the checks look at.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::Location;
use crate::model::{Metric, Path};
use crate::yaml::Span;

/// A name and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Named {
    pub name: String,
    pub at: Location,
}

#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub segments: Vec<Named>,
    pub topics: Vec<Named>,
    pub channels: Vec<Named>,
    /// Secrets of the settings that calls ask for.
    pub secrets: Vec<Named>,
    /// How experiments are decided.
    pub winners: Vec<WinnerNote>,
    /// Events that conditions and triggers name.
    pub events: Vec<Named>,
    /// Events that steps record.
    pub recorded: Vec<Named>,
    /// Workflows that conditions name.
    pub workflows: Vec<Named>,
    /// Workflows that steps start.
    pub started: Vec<Named>,
    /// Templates that `message:` conditions name.
    pub messages: Vec<Named>,
    /// Those of them that a `wait_for` waits for.
    pub awaited: Vec<Named>,
    pub values: Vec<ValueNote>,
    /// Those of them that are a trigger's `key`.
    pub keys: Vec<ValueNote>,
    /// Attributes that `set` steps give: the first name under `contact`.
    pub assigned: Vec<Named>,
    pub sends: Vec<SendNote>,
    pub texts: Vec<TextNote>,
    pub steps: Vec<StepNote>,
    /// Where each condition stands, in the order of the model.
    pub conditions: Vec<ConditionNote>,
    /// Where each case of each branch stands, in the order of the model.
    pub cases: Vec<Location>,
    /// Names that several steps without an `id` would have: all of the steps that are numbered.
    pub repeated: Vec<RepeatedNote>,
    /// Experiments in which everybody is given the same variant.
    pub lonely: Vec<Location>,
    /// Names that `set` steps give under `vars`.
    pub variables: BTreeSet<String>,
    /// The events of the event triggers.
    pub triggers: BTreeSet<String>,
    /// A trigger gives no event of a known name (manual): any `event.*` may come.
    pub open_event: bool,
    /// Targets of `moved`.
    pub moved: Vec<Named>,
    /// Something was set aside while reading: what seems to be missing may only be unread.
    pub partial: bool,
}

/// A place where a path is read or written.
#[derive(Debug, Clone)]
pub(crate) struct ValueNote {
    pub path: Path,
    pub at: Location,
    /// Which events `event.*` is about here.
    pub scope: EventScope,
    pub tests: Vec<TestNote>,
}

/// Which event `event.*` stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventScope {
    /// The one that started the run.
    Run,
    /// This one.
    Named(String),
    /// There is none: a segment or a trait is about a contact at any time.
    Nothing,
}

/// A predicate, and what a value must be for it to be able to hold.
#[derive(Debug, Clone)]
pub(crate) struct TestNote {
    pub word: &'static str,
    pub wants: Wants,
    pub at: Location,
    /// The values that it names: what the value must be one of, or none of, or is given, each at its place.
    pub values: Vec<(Value, Location)>,
    /// The number that a number is compared with.
    pub number: Option<f64>,
}

impl TestNote {
    /// One that names no values.
    pub(crate) fn new(word: &'static str, wants: Wants, at: Location) -> TestNote {
        TestNote { word, wants, at, values: Vec::new(), number: None }
    }
}

/// The kinds of value that a predicate can hold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wants {
    pub text: bool,
    pub number: bool,
    pub boolean: bool,
    pub list: bool,
    /// Text that is a date: of less use than any text, which `text` stands for.
    pub date: bool,
}

/// A condition that stands by itself: an audience, a `where`, a case's `when`.
#[derive(Debug, Clone)]
pub(crate) struct ConditionNote {
    /// Its key.
    pub key: Span,
    pub places: Places,
}

/// Where a condition stands, and those inside of it, in the order of [`crate::model::Condition::inside`].
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub at: Span,
    pub inside: Vec<Places>,
}

/// Steps that would have the same id.
#[derive(Debug, Clone)]
pub(crate) struct RepeatedNote {
    pub name: String,
    /// At least two.
    pub places: Vec<Location>,
}

/// An experiment that is to have a winner.
#[derive(Debug, Clone)]
pub(crate) struct WinnerNote {
    pub metric: Metric,
    /// The metric's place.
    pub at: Location,
    /// How many variants can win: those with steps and a weight above 0.
    pub rivals: usize,
}

/// A `send` step.
#[derive(Debug, Clone)]
pub(crate) struct SendNote {
    /// The template; `None` for an inline message.
    pub template: Option<Named>,
    /// The step's verb.
    pub at: Location,
    /// Names that `with` gives.
    pub with: BTreeSet<String>,
    /// Some topic applies, or none is needed.
    pub has_topic: bool,
    /// It is no marketing.
    pub transactional: bool,
}

/// A text in the file that holds a template expression.
#[derive(Debug, Clone)]
pub(crate) struct TextNote {
    pub text: String,
    pub at: Location,
    pub line: usize,
    pub column: usize,
    /// Names that the step's `with` gives.
    pub with: BTreeSet<String>,
}

/// What the checks want to know of steps.
#[derive(Debug, Clone)]
pub(crate) enum StepNote {
    /// A `wait_for` without `within`.
    Endless(Location),
    /// A step after an exit.
    Unreachable(Location),
    /// An empty list of steps.
    Empty(Location),
}
