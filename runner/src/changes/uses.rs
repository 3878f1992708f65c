//! Who uses a trait that would be another: other traits, segments, and workflows by their conditions, dates and messages.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::{Catalog, Condition, Definition, Path, Root, StepKind, Trigger, Wait};

use super::{After, Fate, Planner, Sides, WorkflowPlan, shown};
use crate::render::of_contact;
use crate::standing::{Cause, causes_of, causes_of_trait};
use crate::store::Result;

impl Planner<'_> {
    /// Adds workflows that stay as they are, or whose files were gone before, where an edited trait ends runs or sends them on that are under an older
    /// definition: the runner looks at all open runs of whom a trait has become another.
    pub(super) fn left_behind(&mut self, workflows: &mut Vec<WorkflowPlan>) -> Result<()> {
        if self.changed.traits.is_empty() {
            return Ok(());
        }
        let tree = self.tree.clone();
        for row in self.before.rows.clone() {
            if row.definition.is_none() || workflows.iter().any(|plan| plan.name == row.name) {
                continue;
            }
            let after = tree.workflows.get(&row.name).map(|entry| After::of(entry, Some(&row)));
            let runs = self.runs(&row, after.as_ref())?;
            if runs.becomes.contains_key(&Fate::Ends) || runs.becomes.contains_key(&Fate::AtOnce) {
                let status = Some(shown(&row).to_owned());
                let notes = vec![
                    "its definition stays as it is; runs inside are under an older one that uses a trait that has changed"
                        .to_owned(),
                ];
                let status = Sides { before: status.clone(), after: status };
                workflows.push(WorkflowPlan { runs, status, notes, ..self.untouched(row.name.clone()) });
            }
        }
        Ok(())
    }

    /// A note for each rank that is another: the runner finds its cut points only once it is in force.
    pub(super) fn reranked(&self) -> Vec<String> {
        let ranks = self.definitions.audience.ranks().map(|(name, ..)| name);
        let note = |name: &str| {
            format!(
                "The groups of contact.{name} are found anew among all contacts soon after; until then nobody has one, and what is said here of its \
                 users is for that time."
            )
        };
        ranks.filter(|name| self.changed.traits.contains(*name)).map(note).collect()
    }

    /// The traits that the workflow uses, through segments too, and that would be others.
    pub(super) fn changed_traits(&self, definition: &Definition) -> Vec<String> {
        if self.changed.traits.is_empty() {
            return Vec::new();
        }
        let used = traits_of(definition, &self.tree.segments);
        self.changed.traits.iter().filter(|name| used.contains(*name)).cloned().collect()
    }

    /// `trait NAME` and `segment NAME`, then workflows by their bare names: by what is in force, or as it would be.
    pub(super) fn users_of_trait(&self, name: &str, old: &Catalog) -> Vec<String> {
        let mut users: [BTreeSet<String>; 3] = Default::default();
        for catalog in [old, &*self.tree] {
            let needs = |causes: BTreeSet<Cause>| causes.contains(&Cause::Contact(name.to_owned()));
            // Through a segment, it is the segment that uses it.
            let no_segments = BTreeMap::new();
            let traits = catalog.traits.iter().filter(|(_, one)| needs(causes_of_trait(one, &no_segments)));
            users[0].extend(traits.map(|(user, _)| format!("trait {user}")));
            let segments = catalog.segments.iter().filter(|(_, one)| needs(causes_of(one, &no_segments)));
            users[1].extend(segments.map(|(user, _)| format!("segment {user}")));
            let uses = |definition: &Definition| {
                traits_of(definition, &catalog.segments).contains(name) || of_contact(definition).contains(name)
            };
            let workflows = catalog.workflows.iter().filter(|(_, entry)| uses(&entry.definition));
            users[2].extend(workflows.map(|(user, _)| user.clone()));
        }
        users.into_iter().flatten().collect()
    }
}

/// `contact.NAME` of all that the workflow's conditions and dates ask for; `shared` says what its triggers' segments mean.
fn traits_of(definition: &Definition, shared: &BTreeMap<String, Condition>) -> BTreeSet<String> {
    let workflow = &definition.workflow;
    let mut conditions: Vec<&Condition> = workflow.audience.iter().chain(&workflow.exit_when).collect();
    conditions.extend(workflow.goal.iter().map(|goal| &goal.condition));
    let mut dates: Vec<&Path> = Vec::new();
    let mut causes = BTreeSet::new();
    for trigger in &workflow.triggers {
        match trigger {
            Trigger::Event { filter, .. } => conditions.extend(filter),
            Trigger::Segment { segment, .. } => causes.extend(causes_of(&Condition::Segment(segment.clone()), shared)),
            Trigger::Date(date) => dates.push(&date.date),
            Trigger::Schedule { .. } | Trigger::At { .. } | Trigger::Manual => {}
        }
    }
    for step in &workflow.steps {
        match &step.kind {
            StepKind::WaitFor { condition, .. } => conditions.push(condition),
            StepKind::Branch { cases } => conditions.extend(cases.iter().filter_map(|case| case.when.as_ref())),
            StepKind::Repeat(repeat) => conditions.extend(&repeat.until),
            StepKind::Wait(Wait::UntilDate { path, .. }) => dates.push(path),
            _ => {}
        }
    }
    for condition in conditions {
        causes.extend(causes_of(condition, &definition.segments));
    }
    let dates = dates.into_iter().filter(|path| path.root == Root::Contact).filter_map(|path| path.keys.first().cloned());
    let asked = causes.into_iter().filter_map(|cause| match cause {
        Cause::Contact(name) => Some(name),
        _ => None,
    });
    asked.chain(dates).collect()
}
