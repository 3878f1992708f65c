//! A workflow as a whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::condition::Setting;
use super::notes::{EventScope, Named, ValueNote};
use super::{Lowerer, WorkflowUnit};
use crate::diagnostic::Diagnostic;
use crate::model::{Every, Goal, InFlight, Overdue, OverdueAction, Reentry, Root, Status, Trigger, WhileActive, Workflow};
use crate::place::At;
use crate::surface::{self, GOAL_KEYS, WorkflowFile};

impl Lowerer<'_> {
    /// The file's workflow, if it has one.
    pub(super) fn workflow(&mut self, file: &WorkflowFile, root: &At<'_>) -> Option<WorkflowUnit> {
        let Some(name) = &file.workflow else {
            if self.context.whole {
                self.without_workflow(root);
            }
            return None;
        };
        let here = root.key("workflow");
        self.name(name, "a workflow", &here);
        let triggers = self.triggers(file.trigger.as_ref(), root);
        let audience = file.audience.as_ref().map(|form| self.condition(&form.0, &root.key("audience"), &Setting::run()));
        let reentry = self.reentry(file.reentry.as_ref(), &triggers, &root.key("reentry"));
        let ending = Setting { from_entry: true, ..Setting::run() };
        let exit_when = file.exit_when.as_ref().map(|form| self.condition(&form.0, &root.key("exit_when"), &ending));
        let goal = file.goal.as_ref().map(|form| self.goal(&form.0, &root.key("goal"), &ending));
        if let Some(topic) = &file.topic {
            self.notes.topics.push(Named { name: topic.clone(), at: root.key("topic").location() });
        }
        for (old, new) in file.moved.iter().flatten() {
            self.notes.moved.push(Named { name: new.clone(), at: root.key("moved").key(old).location() });
        }
        let overdue = file.overdue.as_ref().map(|form| self.overdue(form, &root.key("overdue")));
        let flow = match &file.steps {
            Some(steps) => self.flow(steps, file.topic.as_deref(), &root.key("steps")),
            None if root.key("steps").is_written() || !self.context.whole => Flow::default(),
            None => {
                let message = format!("the workflow `{name}` has no `steps`");
                self.diagnostics.push(Diagnostic::error("missing-key", here.location(), message));
                Default::default()
            }
        };
        let model = Workflow {
            name: name.clone(),
            description: file.description.clone(),
            status: status(file.status),
            triggers,
            audience,
            reentry,
            while_active: match file.while_active {
                Some(surface::WhileActive::Restart) => WhileActive::Restart,
                Some(surface::WhileActive::Ignore) | None => WhileActive::Ignore,
            },
            exit_when,
            goal,
            topic: file.topic.clone(),
            in_flight: match file.in_flight {
                Some(surface::InFlight::Pinned) => InFlight::Pinned,
                Some(surface::InFlight::Follow) | None => InFlight::Follow,
            },
            moved: file.moved.clone().unwrap_or_default(),
            overdue,
            steps: flow.steps,
        };
        let notes = std::mem::take(&mut self.notes);
        Some(WorkflowUnit {
            model,
            at: here.location(),
            notes,
            inline: flow.inline,
            step_lines: flow.lines,
            step_places: flow.places,
        })
    }

    /// A file of segments and traits only: everything else belongs to a workflow.
    fn without_workflow(&mut self, root: &At<'_>) {
        let Some(Value::Object(map)) = root.value() else {
            return;
        };
        let stray = root.keys(map.keys()).into_iter().find(|key| !matches!(key.as_str(), "segments" | "traits"));
        if let Some(key) = stray {
            let message = format!("`{key}` belongs to a workflow, but this file names none");
            let diagnostic = Diagnostic::error("missing-key", root.key(key).key_location(), message);
            self.diagnostics.push(diagnostic.help("add `workflow: NAME` at the top of the file"));
        }
    }

    fn reentry(&mut self, written: Option<&surface::Reentry>, triggers: &[Trigger], at: &At<'_>) -> Reentry {
        match written {
            Some(surface::Reentry::Once) => Reentry::Once,
            Some(surface::Reentry::Always) => Reentry::Always,
            Some(surface::Reentry::After(text)) => Reentry::After(self.span(text, &at.key("after"))),
            None => {
                let repeats = |trigger: &Trigger| match trigger {
                    Trigger::Schedule { .. } => true,
                    Trigger::Date(date) => date.every == Every::Year,
                    _ => false,
                };
                if triggers.iter().any(repeats) { Reentry::Always } else { Reentry::Once }
            }
        }
    }

    fn goal(&mut self, map: &Map<String, Value>, at: &At<'_>, setting: &Setting) -> Goal {
        let condition: Map<String, Value> = map
            .iter()
            .filter(|(key, _)| !GOAL_KEYS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if condition.is_empty() {
            let help = "say what is to happen, such as `event: order_completed`";
            self.error_help("empty-mapping", at, "this goal has no condition", help);
        }
        let value = map.get("value").and_then(Value::as_str).and_then(|text| {
            let here = at.key("value");
            let path = self.path(text, &[Root::Event], &here)?;
            let Some(event) = map.get("event").and_then(Value::as_str) else {
                let help = "add `event: NAME` beside it";
                self.error_help(
                    "misplaced-key",
                    &here,
                    "`value` is about the event that met the goal, but the goal names none",
                    help,
                );
                return None;
            };
            let scope = EventScope::Named(event.to_owned());
            self.notes.values.push(ValueNote { path: path.clone(), at: here.location(), scope, tests: Vec::new() });
            Some(path)
        });
        Goal {
            condition: self.condition(&condition, at, setting),
            within: map.get("within").and_then(Value::as_str).map(|text| self.span(text, &at.key("within"))),
            value,
            stay: map.get("stay").and_then(Value::as_bool).unwrap_or_default(),
        }
    }

    fn overdue(&mut self, form: &surface::Overdue, at: &At<'_>) -> Overdue {
        Overdue {
            after: self.duration(&form.after, &at.key("after")),
            action: match form.action {
                Some(surface::OverdueAction::Skip) => OverdueAction::Skip,
                Some(surface::OverdueAction::Exit) => OverdueAction::Exit,
                Some(surface::OverdueAction::Run) | None => OverdueAction::Run,
            },
        }
    }
}

fn status(written: Option<surface::Status>) -> Status {
    match written {
        Some(surface::Status::Draft) => Status::Draft,
        Some(surface::Status::Paused) => Status::Paused,
        Some(surface::Status::Closed) => Status::Closed,
        Some(surface::Status::Live) | None => Status::Live,
    }
}

/// What lowering a list of steps gives.
#[derive(Default)]
pub(super) struct Flow {
    pub steps: Vec<crate::model::Step>,
    pub inline: BTreeMap<String, crate::model::TemplateSource>,
    pub lines: BTreeMap<String, usize>,
    pub places: Vec<crate::diagnostic::Location>,
}
