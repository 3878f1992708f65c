//! What putting a project's files in force would change in a store: definitions by what they mean, what becomes of every run inside, who would enter,
//! and what that comes to in messages a day.
//!
//! Architecture invariant: it reads and changes nothing. What becomes of a run is worked out by the engine's own code, and who enters by the code that
//! works out where contacts stand, so that a plan says what the kernel then does.

mod before;
mod candidate;
mod entering;
pub mod human;
pub mod markdown;
mod rates;
mod report;
mod runs;
#[cfg(test)]
mod tests;
mod uses;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsl::compare::{self, What};
use dsl::model::{Catalog, CatalogEntry, Condition, Definition, Status, StepKind};
use dsl::words;

use crate::instant::{self, project_zone};
use crate::standing::{Audience, Definitions, Differences, Moment};
use crate::state::DefinitionId;
use crate::store::{Outdated, Question, Result, Store, WorkflowRow};

use before::Before;
pub use candidate::Candidate;
pub use report::*;

/// Works out what the tree would change, at `now` (ms since 1970 UTC). `None` for the store: there is none yet, and all is new.
///
/// # Errors
/// Those of the store.
pub fn plan(store: Option<&mut dyn Store>, tree: &Arc<Catalog>, now: i64) -> Result<Report> {
    match store {
        Some(store) => Planner::new(store, tree, now)?.report(),
        None => Planner::new(&mut crate::store::SqliteStore::in_memory()?, tree, now)?.report(),
    }
}

struct Planner<'a> {
    store: &'a mut dyn Store,
    tree: Arc<Catalog>,
    before: Before,
    /// By what contacts would be worked out.
    definitions: Definitions,
    /// Traits and segments that mean something else than those in force, by themselves or by what they need.
    changed: Differences,
    /// Of segments that change: who would be in them, where traits change as well.
    members: BTreeMap<String, u64>,
    moment: Moment,
}

/// A workflow as it would be.
struct After<'a> {
    entry: &'a CatalogEntry,
    /// As the runner would see it: a live workflow that was paused by command is paused.
    status: Status,
}

impl<'a> After<'a> {
    fn of(entry: &'a CatalogEntry, row: Option<&WorkflowRow>) -> After<'a> {
        let status = match entry.definition.workflow.status {
            Status::Live if row.is_some_and(|row| row.paused) => Status::Paused,
            written => written,
        };
        After { entry, status }
    }
}

impl<'a> Planner<'a> {
    fn new(store: &'a mut dyn Store, tree: &Arc<Catalog>, now: i64) -> Result<Planner<'a>> {
        let before = Before::read(store)?;
        let mut definitions = Definitions::beside(tree.clone(), store)?;
        if before.audience_version != definitions.audience.version {
            // As the kernel does when traits or segments change.
            if !definitions.sweeping || before.audience_version == 0 {
                definitions.there_before = store.newest_contact()?;
            }
            definitions.sweeping = true;
        }
        let moment = Moment::of(store, now)?;
        let in_force = before.catalog.as_ref().map(|catalog| Audience::new(catalog));
        let changed = in_force.map(|in_force| in_force.differences(&definitions.audience)).unwrap_or_default();
        Ok(Planner { store, tree: tree.clone(), before, definitions, changed, members: BTreeMap::new(), moment })
    }

    fn report(mut self) -> Result<Report> {
        let tree = self.tree.clone();
        let mut workflows = Vec::new();
        for (name, entry) in &tree.workflows {
            let row = self.before.rows.iter().find(|row| row.name == *name).cloned();
            let after = After::of(entry, row.as_ref());
            if let Some(plan) = self.workflow(name, row, Some(&after))? {
                workflows.push(plan);
            }
        }
        for row in self.before.rows.clone() {
            if !tree.workflows.contains_key(&row.name) && self.before.was_in_force(&row) {
                workflows.extend(self.workflow(&row.name.clone(), Some(row), None)?);
            }
        }
        self.left_behind(&mut workflows)?;
        self.backfilled(&mut workflows)?;
        self.add_rates(&mut workflows)?;
        workflows.sort_by(|a, b| a.name.cmp(&b.name));
        let mut notes = Vec::new();
        if self.before.catalog.is_none() && !self.before.rows.is_empty() {
            notes.push(
                "The store does not know the files it was last run with: settings, segments and traits are not compared."
                    .to_owned(),
            );
        }
        if self.before.is_new() {
            notes.push("Nothing was ever in force in this store: everything is new.".to_owned());
        }
        notes.extend(self.reranked());
        let (segments, traits, messages) = (self.segments()?, self.traits(), self.messages());
        let settings = self.before.catalog.as_ref().map_or_else(Vec::new, |old| compare::settings(&old.settings, &tree.settings));
        let unchanged =
            workflows.is_empty() && segments.is_empty() && traits.is_empty() && messages.is_empty() && settings.is_empty();
        Ok(Report {
            project: tree.settings.project.clone(),
            at: instant::text(self.moment.now.div_euclid(1000) * 1000, &project_zone(&tree.settings)),
            in_force: self.before.hash.clone(),
            tree: tree.hash.0.clone(),
            unchanged,
            workflows,
            segments,
            traits,
            messages,
            settings,
            notes,
        })
    }

    /// `None`: the workflow stays as it is.
    fn workflow(&mut self, name: &str, row: Option<WorkflowRow>, after: Option<&After<'_>>) -> Result<Option<WorkflowPlan>> {
        let known = row.as_ref().filter(|row| row.definition.is_some());
        let old = known.and_then(|row| self.before.current(row));
        let in_force = known.is_some_and(|row| self.before.was_in_force(row));
        let traits = after.map(|after| self.changed_traits(&after.entry.definition)).unwrap_or_default();
        let change = match (in_force, after) {
            (false, Some(_)) => What::Added,
            (_, None) => What::Removed,
            (true, Some(after)) if traits.is_empty() && old.as_ref().is_some_and(|old| old.hash == after.entry.hash.0) => {
                return Ok(None);
            }
            (true, Some(_)) => What::Changed,
        };
        let changes = match (&old, after, change) {
            (Some(old), Some(after), What::Changed) => compare::workflows(old.definition(), &after.entry.definition),
            _ => Vec::new(),
        };
        let runs = match known {
            Some(row) => self.runs(row, after)?,
            None => Runs::default(),
        };
        let mut notes = match (&old, after, change) {
            (Some(old), Some(after), What::Changed) => used(old.definition(), &after.entry.definition),
            _ => Vec::new(),
        };
        if change == What::Changed && !traits.is_empty() {
            let have = if traits.len() == 1 { "a trait it uses has changed" } else { "traits it uses have changed" };
            notes.push(format!("{have}: {}", traits.join(", ")));
        }
        let entering = match after {
            Some(after) if after.status == Status::Live => {
                let old = old.as_ref().filter(|_| in_force).map(|old| old.program.definition.clone());
                self.broadcasts(row.as_ref().map(|row| row.id), after, old.as_deref(), &mut notes)?
            }
            _ => Vec::new(),
        };
        let status = Sides {
            before: known.filter(|_| in_force).map(|row| shown(row).to_owned()),
            after: Some(after.map_or("closed", |after| status_word(after.status)).to_owned()),
        };
        let per_day = PerDay::default();
        Ok(Some(WorkflowPlan { name: name.to_owned(), change, status, changes, runs, entering, per_day, notes }))
    }

    fn segments(&mut self) -> Result<Vec<SharedChange>> {
        let Some(old) = self.before.catalog.clone() else { return Ok(Vec::new()) };
        let tree = self.tree.clone();
        let mut changes = Vec::new();
        for name in names(&old.segments, &tree.segments) {
            let (before, after) = (old.segments.get(name), tree.segments.get(name));
            let backfill = tree.backfill.contains(name);
            if before == after && old.backfill.contains(name) == backfill && !self.changed.segments.contains(name) {
                continue;
            }
            let worked_out = self.members.get(name).copied();
            let after_it = if worked_out.is_some() { worked_out } else { self.count(after, &tree)? };
            let members = Sides { before: self.count(before, &old)?, after: after_it };
            let used_by = |catalog: &Catalog| -> Vec<String> {
                let uses = catalog.workflows.iter().filter(|(_, entry)| names_segment(&entry.definition, name));
                uses.map(|(workflow, _)| workflow.clone()).collect()
            };
            let used_by: BTreeSet<String> = used_by(&old).into_iter().chain(used_by(&tree)).collect();
            changes.push(SharedChange {
                name: name.clone(),
                change: what(before, after),
                definition: Sides { before: before.map(words::segment), after: after.map(words::segment) },
                members: Some(members),
                backfill,
                used_by: used_by.into_iter().collect(),
            });
        }
        Ok(changes)
    }

    fn count(&mut self, members: Option<&Condition>, catalog: &Catalog) -> Result<Option<u64>> {
        let Some(condition) = members else { return Ok(None) };
        let question = Question {
            condition,
            segments: &catalog.segments,
            settings: &catalog.settings,
            now: self.moment.now,
            outdated: Outdated::Ignore,
        };
        self.store.count_matching(&question).map(Some)
    }

    fn traits(&self) -> Vec<SharedChange> {
        let Some(old) = &self.before.catalog else { return Vec::new() };
        let changed = names(&old.traits, &self.tree.traits).into_iter().filter_map(|name| {
            let (before, after) = (old.traits.get(name), self.tree.traits.get(name));
            (before != after || self.changed.traits.contains(name)).then(|| SharedChange {
                name: name.clone(),
                change: what(before, after),
                definition: Sides { before: before.map(words::trait_), after: after.map(words::trait_) },
                members: None,
                backfill: false,
                used_by: self.users_of_trait(name, old),
            })
        });
        changed.collect()
    }

    /// Messages of workflows that stay, once each; those of new and removed workflows come and go with them.
    fn messages(&self) -> Vec<MessageChange> {
        let mut changes: BTreeMap<String, MessageChange> = BTreeMap::new();
        for row in self.before.rows.iter().filter(|row| self.before.was_in_force(row)) {
            let (Some(old), Some(entry)) = (self.before.current(row), self.tree.workflows.get(&row.name)) else { continue };
            for (name, after) in &entry.definition.templates {
                let Some(before) = old.definition().templates.get(name) else { continue };
                let parts = compare::messages(before, after);
                if parts.is_empty() {
                    continue;
                }
                let inline = entry
                    .definition
                    .workflow
                    .steps
                    .iter()
                    .any(|step| matches!(&step.kind, StepKind::Send(send) if send.inline && send.template == *name));
                let name = if inline { format!("{}/{name}", row.name) } else { name.clone() };
                let change = MessageChange { name: name.clone(), change: What::Changed, used_by: Vec::new(), parts };
                changes.entry(name).or_insert(change).used_by.push(row.name.clone());
            }
        }
        changes.into_values().collect()
    }
}

/// In order, once each.
fn names<'a, T>(one: &'a BTreeMap<String, T>, other: &'a BTreeMap<String, T>) -> BTreeSet<&'a String> {
    one.keys().chain(other.keys()).collect()
}

fn what<T>(before: Option<&T>, after: Option<&T>) -> What {
    match (before, after) {
        (None, _) => What::Added,
        (_, None) => What::Removed,
        _ => What::Changed,
    }
}

/// What a workflow uses and what is another there, in words.
fn used(old: &Definition, new: &Definition) -> Vec<String> {
    let mut notes = Vec::new();
    for name in names(&old.segments, &new.segments) {
        if let (Some(before), Some(after)) = (old.segments.get(name), new.segments.get(name))
            && before != after
        {
            notes.push(format!("the segment {name} is another"));
        }
    }
    for (name, after) in &new.templates {
        if old.templates.get(name).is_some_and(|before| !compare::messages(before, after).is_empty()) {
            notes.push(format!("the message {name} is another"));
        }
    }
    if old.partials != new.partials {
        notes.push("a partial of its messages is another".to_owned());
    }
    notes
}

/// By a condition or a trigger.
fn names_segment(definition: &Definition, name: &str) -> bool {
    let triggers = &definition.workflow.triggers;
    definition.segments.contains_key(name)
        || triggers.iter().any(|trigger| matches!(trigger, dsl::model::Trigger::Segment { segment, .. } if segment == name))
}

/// As `status` shows it: a live workflow that was paused by command is paused.
fn shown(row: &WorkflowRow) -> &str {
    if row.paused && row.status == "live" { "paused" } else { &row.status }
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Live => "live",
        Status::Draft => "draft",
        Status::Paused => "paused",
        Status::Closed => "closed",
    }
}

fn is_frozen(status: &str) -> bool {
    matches!(status, "paused" | "draft")
}
