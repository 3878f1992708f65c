//! A file under workflows/ as written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::condition::condition_keys;
use super::union::read;
use super::{Condition, OneOrMany, Segment, Step, Trait, Trigger};

/// A workflow, shared segments and traits: a file holds at most one workflow and any number of the others.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct WorkflowFile {
    /// The workflow's name, unique in the project.
    pub workflow: Option<String>,
    /// What it is for, in words.
    pub description: Option<String>,
    /// live (default): runs. draft: checked, never run. paused: lets nobody in and freezes those inside. closed: lets nobody
    /// in, those inside finish.
    pub status: Option<Status>,
    /// What starts a run: one, or a list of which any does.
    pub trigger: Option<OneOrMany<Trigger>>,
    /// What must hold to enter.
    pub audience: Option<Condition>,
    /// Whether a contact may enter again: once (default), always, or `{ after: 7 days }`.
    pub reentry: Option<Reentry>,
    /// What an entry does while the contact has an open run: ignore (default) or restart.
    pub while_active: Option<WhileActive>,
    /// The run ends at once when this holds.
    pub exit_when: Option<Condition>,
    /// What the workflow is meant to bring about. Met in time, it is recorded and ends the run.
    pub goal: Option<Goal>,
    /// The consent that every marketing send in here needs, unless step or template names another.
    pub topic: Option<String>,
    /// What a change of the workflow means for those inside: follow (default) or pinned.
    pub in_flight: Option<InFlight>,
    /// Where runs go whose step is gone: the old step's id, and the new one's.
    pub moved: Option<BTreeMap<String, String>>,
    /// What becomes of a send that is late, after a pause or downtime.
    pub overdue: Option<Overdue>,
    /// What happens, in order.
    pub steps: Option<Vec<Step>>,
    /// Shared segments, by name.
    pub segments: Option<BTreeMap<String, Segment>>,
    /// Shared traits, by name: values that are worked out for every contact.
    pub traits: Option<BTreeMap<String, Trait>>,
}

/// Whether a workflow runs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Live,
    Draft,
    Paused,
    Closed,
}

/// What an entry does while the contact has an open run.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WhileActive {
    Ignore,
    Restart,
}

/// What a change of the workflow means for those inside.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InFlight {
    Follow,
    Pinned,
}

/// `once`, `always` or `{ after: 7 days }`.
#[derive(Debug, Clone)]
pub(crate) enum Reentry {
    Once,
    Always,
    After(String),
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReentryAfter {
    /// Counted from the last entry: "7 days".
    after: String,
}

impl<'de> Deserialize<'de> for Reentry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) if word == "once" => Ok(Reentry::Once),
            Value::String(word) if word == "always" => Ok(Reentry::Always),
            other => read::<ReentryAfter, _>(other).map(|form| Reentry::After(form.after)),
        }
    }
}

impl JsonSchema for Reentry {
    fn schema_name() -> Cow<'static, str> {
        "Reentry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let after = generator.subschema_for::<ReentryAfter>();
        json_schema!({ "anyOf": [{ "enum": ["once", "always"] }, after] })
    }
}

/// A condition, and what else there is to say of a goal.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Goal(pub Map<String, Value>);

/// The keys of a goal that are no part of its condition.
pub(crate) const GOAL_KEYS: [&str; 3] = ["within", "value", "stay"];

impl JsonSchema for Goal {
    fn schema_name() -> Cow<'static, str> {
        "Goal".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (mut properties, paths) = condition_keys(generator);
        let mut own = |key: &str, schema: Value| properties.insert(key.to_owned(), schema);
        own("within", json!({ "description": "How long after entry it still counts: \"7 days\".", "type": "string" }));
        own("value", json!({ "description": "What it was worth: a property of the event, `event.total`.", "type": "string" }));
        own("stay", json!({ "description": "true: record the goal and let the run go on.", "type": "boolean" }));
        json_schema!({
            "description": "What the workflow is meant to bring about: a condition, with `within`, `value` and `stay`.",
            "type": "object",
            "properties": properties,
            "patternProperties": paths,
            "additionalProperties": false,
            "minProperties": 1,
        })
    }
}

/// `{ after: 2 days, do: skip }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overdue {
    /// How late a send may be: "2 days".
    pub after: String,
    /// What to do with one that is later: run (default), skip or exit.
    #[serde(rename = "do")]
    pub action: Option<OverdueAction>,
}

/// What becomes of a late send.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OverdueAction {
    Run,
    Skip,
    Exit,
}
