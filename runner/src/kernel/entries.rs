//! Entries: who gets into a workflow, and when not.

use dsl::model::{Condition, Reentry, Status, Trigger, WhileActive};
use serde_json::Value;

use super::in_force::Current;
use super::{CHAIN, Kernel};
use crate::audience::{Scope, check};
use crate::engine;
use crate::standing::{Cause, Happened};
use crate::state::*;
use crate::store::{Result, StoredFacts};

/// What brings a contact to a workflow.
pub(super) struct Entry<'a> {
    pub key: String,
    /// The properties of the event at hand, or what `with` gave.
    pub event: Option<&'a Value>,
    /// When the event happened and its id, where there is one.
    pub mark: Option<(i64, EventId)>,
    pub depth: u32,
}

/// What became of somebody who came to a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Entered(RunId),
    /// The workflow is not live, or the contact was erased.
    Closed,
    NotInAudience,
    /// The contact has an open run.
    Active,
    /// `reentry` does not allow it, or not yet.
    TooSoon,
}

impl Kernel {
    /// An event was stored. Runs that are open look first: an event that ends a run may then start the next one.
    pub(super) fn event_happened(&mut self, contact: ContactId, name: &str, event: &Event, depth: u32) -> Result<()> {
        self.look_at_open_runs(contact, Some(&event.properties), depth)?;
        let mut matched = Vec::new();
        for (workflow, trigger) in self.in_force.triggered_by(name) {
            // Any of a workflow's triggers, but an event enters it once.
            if matched.contains(&workflow) {
                continue;
            }
            let Some(current) = self.in_force.get(workflow).cloned() else { continue };
            let Some(Trigger::Event { filter, key, .. }) = current.prepared.program.definition.workflow.triggers.get(trigger)
            else {
                continue;
            };
            let person = self.load_contact(contact)?;
            if person.erased {
                return Ok(());
            }
            if let Some(filter) = filter
                && !self.condition_holds(filter, &current, &person, Some(&event.properties))?
            {
                continue;
            }
            let key = match key {
                None => String::new(),
                Some(path) => match key_text(&event.properties, &path.keys) {
                    Some(key) => key,
                    // Without its key the event belongs to no run of this workflow.
                    None => continue,
                },
            };
            matched.push(workflow);
            let entry = Entry { key, event: Some(&event.properties), mark: Some((event.at, event.id)), depth };
            self.enter(workflow, &current, person, entry)?;
        }
        Ok(())
    }

    /// By `enroll`, or by another workflow's start step.
    pub(super) fn start_by_name(&mut self, workflow: &str, contact: ContactId, with: Value, depth: u32) -> Result<()> {
        if depth >= CHAIN {
            tracing::warn!(workflow, "workflows go on starting each other: the chain is cut here");
            return Ok(());
        }
        let Some(id) = self.in_force.id(workflow) else { return Ok(()) };
        let Some(current) = self.in_force.get(id).cloned() else { return Ok(()) };
        let person = self.load_contact(contact)?;
        let event = with.as_object().is_some_and(|with| !with.is_empty()).then_some(&with);
        self.enter(id, &current, person, Entry { key: String::new(), event, mark: None, depth })
    }

    /// Lets the contact in if nothing is in the way.
    pub(super) fn enter(&mut self, id: WorkflowId, current: &Current, contact: Contact, entry: Entry<'_>) -> Result<()> {
        self.admit(id, current, contact, entry).map(drop)
    }

    /// Lets the contact in if the workflow is live, the audience fits, and no open or earlier run forbids it; entry and first steps are one transaction.
    pub(super) fn admit(
        &mut self,
        id: WorkflowId,
        current: &Current,
        mut contact: Contact,
        entry: Entry<'_>,
    ) -> Result<Admission> {
        let workflow = &current.prepared.program.definition.workflow;
        if current.status != Status::Live || contact.erased {
            return Ok(Admission::Closed);
        }
        if let Some(audience) = &workflow.audience
            && !self.condition_holds(audience, current, &contact, entry.event)?
        {
            return Ok(Admission::NotInAudience);
        }
        let history = self.store.last_entry(contact.id, id, &entry.key)?;
        match (history.open, workflow.while_active) {
            (Some(_), WhileActive::Ignore) => return self.ignored(id, Admission::Active),
            (Some(open), WhileActive::Restart) => {
                if let Some(mut run) = self.store.run(open)? {
                    self.end_run(&mut run, &contact, EndReason::Superseded, None)?;
                }
            }
            (None, _) if !may_reenter(workflow.reentry, history.last_entered, self.now) => {
                return self.ignored(id, Admission::TooSoon);
            }
            (None, _) => {}
        }
        let since = Mark::of_entry(self.now, entry.mark, self.last_event);
        let mut run = Run {
            id: RunId(0),
            contact: contact.id,
            workflow: id,
            definition: current.definition,
            key: entry.key,
            entered_at: self.now,
            step: String::new(),
            state: RunState {
                visit: 0,
                logged: 0,
                stage: Stage::Ready,
                began: since,
                since,
                event: entry.event.cloned(),
                vars: serde_json::Map::new(),
                passes: std::collections::BTreeMap::new(),
                depth: entry.depth,
                goal_met: false,
            },
            due: None,
            ended: None,
        };
        let Some(run_id) = self.store.insert_run(&run)? else { return self.ignored(id, Admission::Active) };
        run.id = run_id;
        self.store.count(id, "entered", 1)?;
        let begun = Cause::Workflow(current.name.to_string());
        if self.definitions.audience.heeds(&begun) {
            // At once: the run's own first steps may ask for it.
            contact = self.look(contact, Happened::Causes(&[begun]))?;
        }
        self.runs_changed(contact.id);
        let mut effects = Vec::new();
        let zone = self.zone_of(&contact);
        let plan = self.plan.clone();
        let moment = self.moment(&plan, &zone);
        engine::start(&current.prepared.program, &mut run, moment, &mut effects);
        self.tally.steps += u64::from(run.state.visit);
        self.apply(effects, &mut run, &mut contact, &current.prepared, entry.depth)?;
        self.run_on(&mut run, &mut contact, entry.event, entry.depth)?;
        Ok(Admission::Entered(run_id))
    }

    fn ignored(&mut self, id: WorkflowId, why: Admission) -> Result<Admission> {
        self.store.count(id, "ignored", 1)?;
        Ok(why)
    }

    fn condition_holds(
        &mut self,
        condition: &Condition,
        current: &Current,
        contact: &Contact,
        event: Option<&Value>,
    ) -> Result<bool> {
        let plan = self.plan.clone();
        let zone = self.zone_of(contact);
        let segments = &current.prepared.program.definition.segments;
        let scope = Scope { event, ..Scope::outside(self.now, &zone, &plan.catalog.settings, segments) };
        let mut facts = StoredFacts { store: &mut *self.store, contact };
        Ok(check(condition, &scope, &mut facts)?.holds)
    }
}

/// Whether somebody who is not inside may enter (again).
pub(crate) fn may_reenter(reentry: Reentry, last_entered: Option<i64>, now: i64) -> bool {
    match (reentry, last_entered) {
        (_, None) | (Reentry::Always, _) => true,
        (Reentry::Once, Some(_)) => false,
        (Reentry::After(span), Some(last)) => now - last >= span.millis(),
    }
}

/// A key's value as text: a number and the text of the same digits are the same key.
fn key_text(properties: &Value, keys: &[String]) -> Option<String> {
    let value = keys.iter().try_fold(properties, |value, key| value.get(key))?;
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
