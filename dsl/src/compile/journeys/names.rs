//! The names that tests use, looked up in the project.

use std::collections::BTreeSet;

use super::Reader;
use crate::lower::WorkflowUnit;
use crate::model::{Condition, StepKind, Trigger};
use crate::place::{At, suggestion};

impl<'a> Reader<'a> {
    fn workflows(&self) -> impl Iterator<Item = &'a WorkflowUnit> + use<'a> {
        self.project.units.iter().filter_map(|unit| unit.workflow.as_ref())
    }

    /// The workflow of this name. What was set aside is nobody's mistake here.
    pub(super) fn workflow_named(&mut self, name: &str, at: &At<'_>) -> Option<&'a WorkflowUnit> {
        let found = self.workflows().find(|workflow| workflow.model.name == name);
        let set_aside = self.project.set_aside;
        if found.is_none() && self.whole && !set_aside.files && !set_aside.workflows.contains(name) {
            let names: BTreeSet<&str> = self.workflows().map(|workflow| workflow.model.name.as_str()).collect();
            let help = suggestion(name, names, "workflows");
            self.error("unknown-workflow", at, format!("there is no workflow `{name}`"), help);
        }
        found.filter(|workflow| !workflow.notes.partial)
    }

    /// Every message that this workflow sends, or any workflow.
    pub(super) fn sent_by(&self, workflow: Option<&'a WorkflowUnit>) -> BTreeSet<&'a str> {
        let steps = |unit: &'a WorkflowUnit| {
            unit.model.steps.iter().filter_map(|step| match &step.kind {
                StepKind::Send(send) => Some(send.template.as_str()),
                _ => None,
            })
        };
        match workflow {
            Some(workflow) => steps(workflow).collect(),
            None => self.workflows().flat_map(steps).collect(),
        }
    }

    /// Whether there is a message of this name at all.
    pub(super) fn is_message(&self, name: &str) -> bool {
        let templates = self.project.library.templates.contains_key(name) || self.project.template_names.contains(name);
        templates || self.workflows().any(|workflow| workflow.inline.contains_key(name) || workflow.notes.partial)
    }

    pub(super) fn topic(&mut self, name: &str, at: &At<'_>) {
        if let Some(topics) = self.project.topics.filter(|topics| !topics.contains(name)) {
            let help = suggestion(name, topics.iter().map(String::as_str), "topics");
            self.error("unknown-topic", at, format!("campaignd.yaml has no topic `{name}`"), help);
        }
    }

    /// A segment; `listed`: it must be a static one.
    pub(super) fn segment(&mut self, name: &str, listed: bool, at: &At<'_>) {
        let segments = || self.project.units.iter().flat_map(|unit| &unit.segments);
        let set_aside = self.project.set_aside;
        match segments().find(|segment| segment.name == name) {
            Some(segment) if listed && !matches!(segment.condition, Condition::Listed(_)) => {
                let message = format!("`{name}` is no list: its condition says who is in it");
                let help = "let happen what its condition asks for, or name it under `given.segments`";
                self.error("test-data", at, message, Some(help.to_owned()));
            }
            Some(_) => {}
            None if set_aside.files || set_aside.segments.contains(name) => {}
            None => {
                let help = suggestion(name, segments().map(|segment| segment.name.as_str()), "segments");
                self.error("unknown-segment", at, format!("there is no segment `{name}`"), help);
            }
        }
    }

    /// A workflow that somebody is enrolled in.
    pub(super) fn enrolled(&mut self, name: &str, at: &At<'_>) {
        let workflow = self.workflow_named(name, at);
        if workflow.is_some_and(|workflow| !workflow.model.triggers.iter().any(|trigger| matches!(trigger, Trigger::Manual))) {
            let message = format!("nobody can be enrolled in `{name}`: it has no trigger `manual: true`");
            self.error("test-data", at, message, None);
        }
    }

    /// A contact of the test.
    pub(super) fn person(&mut self, id: &str, ids: &[String], at: &At<'_>) {
        if self.whole && !ids.iter().any(|known| known == id) {
            let help = suggestion(id, ids.iter().map(String::as_str), "contacts of this test");
            self.error("test-name", at, format!("this test is given no contact `{id}`"), help);
        }
    }

    pub(super) fn channel(&mut self, name: &str, at: &At<'_>) {
        let Some(settings) = self.project.settings else { return };
        if name != "call" && !settings.channels.contains_key(name) {
            let names = settings.channels.keys().map(String::as_str).chain(["call"]);
            let message = format!("campaignd.yaml has no channel `{name}`");
            let help = suggestion(name, names, "channels");
            self.error_at("unknown-channel", at.key_location(), message, help);
        }
    }
}
