//! The names that tests use, looked up in the project.

use std::rc::Rc;

use super::Reader;
use super::index::{Ids, Steps};
use crate::lower::WorkflowUnit;
use crate::model::{Condition, Trigger};
use crate::place::{At, suggestion};

impl<'a> Reader<'a> {
    /// "did you mean `x`?", else the list of what there is; nothing once that was said often enough.
    pub(super) fn suggestion<'s>(
        &mut self,
        written: &str,
        names: impl IntoIterator<Item = &'s str>,
        kind: &str,
    ) -> Option<String> {
        self.suggestions = self.suggestions.checked_sub(1)?;
        suggestion(written, names, kind)
    }

    /// The workflow of this name. What was set aside is nobody's mistake here.
    pub(super) fn workflow_named(&mut self, name: &str, at: &At<'_>) -> Option<&'a WorkflowUnit> {
        let index = self.index;
        let found = index.workflows.get(name).copied();
        let set_aside = self.project.set_aside;
        if found.is_none() && self.whole && !set_aside.files && !set_aside.workflows.contains(name) {
            let mut names: Vec<&str> = index.workflows.keys().copied().collect();
            names.sort_unstable();
            let help = self.suggestion(name, names, "workflows");
            self.error("unknown-workflow", at, format!("there is no workflow `{name}`"), help);
        }
        found.filter(|workflow| !workflow.notes.partial)
    }

    /// The steps of this workflow, or of all.
    pub(super) fn steps_of(&mut self, workflow: Option<&'a WorkflowUnit>) -> Rc<Steps<'a>> {
        let name = workflow.map(|workflow| workflow.model.name.as_str());
        if let Some(known) = self.steps.get(&name) {
            return known.clone();
        }
        let all = || self.project.units.iter().filter_map(|unit| unit.workflow.as_ref());
        let steps = Rc::new(match workflow {
            Some(workflow) => Steps::of(std::iter::once(workflow)),
            None => Steps::of(all()),
        });
        self.steps.insert(name, steps.clone());
        steps
    }

    /// Whether there is a message of this name at all.
    pub(super) fn is_message(&self, name: &str) -> bool {
        let templates = self.project.library.templates.contains_key(name) || self.project.template_names.contains(name);
        templates || self.index.partial || self.index.inline.contains(name)
    }

    pub(super) fn topic(&mut self, name: &str, at: &At<'_>) {
        if let Some(topics) = self.project.topics.filter(|topics| !topics.contains(name)) {
            let help = self.suggestion(name, topics.iter().map(String::as_str), "topics");
            self.error("unknown-topic", at, format!("campaignd.yaml has no topic `{name}`"), help);
        }
    }

    /// A segment; `listed`: it must be a static one.
    pub(super) fn segment(&mut self, name: &str, listed: bool, at: &At<'_>) {
        let index = self.index;
        let set_aside = self.project.set_aside;
        match index.segments.get(name) {
            Some(segment) if listed && !matches!(segment.condition, Condition::Listed(_)) => {
                let message = format!("`{name}` is no list: its condition says who is in it");
                let help = "let happen what its condition asks for, or name it under `given.segments`";
                self.error("test-data", at, message, Some(help.to_owned()));
            }
            Some(_) => {}
            None if set_aside.files || set_aside.segments.contains(name) => {}
            None => {
                let mut names: Vec<&str> = index.segments.keys().copied().collect();
                names.sort_unstable();
                let help = self.suggestion(name, names, "segments");
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
    pub(super) fn person(&mut self, id: &str, ids: &Ids, at: &At<'_>) {
        if self.whole && !ids.names.contains(id) {
            let help = self.suggestion(id, ids.in_order.iter().map(String::as_str), "contacts of this test");
            self.error("test-name", at, format!("this test is given no contact `{id}`"), help);
        }
    }

    pub(super) fn channel(&mut self, name: &str, at: &At<'_>) {
        let Some(settings) = self.project.settings else { return };
        if name != "call" && !settings.channels.contains_key(name) {
            let names = settings.channels.keys().map(String::as_str).chain(["call"]);
            let message = format!("campaignd.yaml has no channel `{name}`");
            let help = self.suggestion(name, names, "channels");
            self.error_at("unknown-channel", at.key_location(), message, help);
        }
    }
}
