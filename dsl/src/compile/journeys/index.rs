//! What tests name, by name: there may be very many of both.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::check::Project;
use crate::lower::{SegmentUnit, WorkflowUnit};
use crate::model::{Step, StepKind};

/// The project that is tested.
pub(super) struct Index<'a> {
    pub project: &'a Project<'a>,
    pub workflows: HashMap<&'a str, &'a WorkflowUnit>,
    pub segments: HashMap<&'a str, &'a SegmentUnit>,
    /// Messages that are written in workflows.
    pub inline: HashSet<&'a str>,
    /// Something of a workflow was set aside.
    pub partial: bool,
}

impl<'a> Index<'a> {
    pub fn of(project: &'a Project<'a>) -> Index<'a> {
        let workflows = || project.units.iter().filter_map(|unit| unit.workflow.as_ref());
        let mut by_name: HashMap<&str, &WorkflowUnit> = HashMap::new();
        for workflow in workflows() {
            by_name.entry(workflow.model.name.as_str()).or_insert(workflow);
        }
        let mut segments: HashMap<&str, &SegmentUnit> = HashMap::new();
        for segment in project.units.iter().flat_map(|unit| &unit.segments) {
            segments.entry(segment.name.as_str()).or_insert(segment);
        }
        Index {
            project,
            workflows: by_name,
            segments,
            inline: workflows().flat_map(|workflow| workflow.inline.keys()).map(String::as_str).collect(),
            partial: workflows().any(|workflow| workflow.notes.partial),
        }
    }
}

/// The steps of one workflow, or of all.
pub(super) struct Steps<'a> {
    pub in_order: Vec<&'a Step>,
    pub by_id: HashMap<&'a str, Vec<&'a Step>>,
    /// The messages that they send.
    pub sent: BTreeSet<&'a str>,
    /// There is no workflow, or something of one was set aside: what seems to be missing may only be unread.
    pub unsure: bool,
}

impl<'a> Steps<'a> {
    pub fn of(units: impl Iterator<Item = &'a WorkflowUnit>) -> Steps<'a> {
        let mut steps = Steps { in_order: Vec::new(), by_id: HashMap::new(), sent: BTreeSet::new(), unsure: false };
        let mut none = true;
        for unit in units {
            none = false;
            steps.unsure |= unit.notes.partial;
            for step in &unit.model.steps {
                steps.in_order.push(step);
                steps.by_id.entry(step.id.as_str()).or_default().push(step);
                if let StepKind::Send(send) = &step.kind {
                    steps.sent.insert(send.template.as_str());
                }
            }
        }
        steps.unsure |= none;
        steps
    }
}

/// The contacts that a test is given.
pub(super) struct Ids {
    pub in_order: Vec<String>,
    pub names: HashSet<String>,
}

impl Ids {
    pub fn of(contacts: &[Map<String, Value>]) -> Ids {
        let ids = contacts.iter().filter_map(|contact| Some(contact.get("id")?.as_str()?.to_owned()));
        let in_order: Vec<String> = ids.collect();
        Ids { names: in_order.iter().cloned().collect(), in_order }
    }
}
