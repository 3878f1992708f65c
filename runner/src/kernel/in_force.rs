//! What is in force: for every workflow known to the store its current definition and status, and which triggers listen to what.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::{self, Assets, Definition, Status, Trigger};

use super::following::{CHANGED, EVERYONE, Following};
use super::migrating::Migrating;
use super::{Kernel, Plan, Prepared};
use crate::standing::Crossing;
use crate::state::{DefinitionId, WorkflowId};
use crate::store::{Result, StoreError, WorkflowRow};

/// One workflow in force. A workflow whose file is gone stays, closed, under its last definition.
#[derive(Clone)]
pub(super) struct Current {
    pub name: Arc<str>,
    pub definition: DefinitionId,
    pub prepared: Arc<Prepared>,
    pub status: Status,
}

#[derive(Clone)]
pub(super) struct InForce {
    workflows: Arc<HashMap<WorkflowId, Current>>,
    names: Arc<HashMap<String, WorkflowId>>,
    /// Event name to (workflow, index of the trigger), in order of name.
    by_event: Arc<HashMap<String, Vec<(WorkflowId, usize)>>>,
    /// Segment and whether it is entered to workflows, in order of name.
    by_crossing: Arc<HashMap<Crossing, Vec<WorkflowId>>>,
    /// Older definitions that runs still use, compiled when first needed.
    older: Arc<HashMap<DefinitionId, Arc<Prepared>>>,
    /// Workflows whose open runs are being gone through because the definition changed or they were frozen.
    pub(super) following: Vec<Following>,
    /// Workflows whose runs are being moved to the definition in force by command.
    pub(super) migrating: Vec<Migrating>,
    /// Some trigger or condition asks for message_sent.
    pub(super) sent_matters: bool,
    /// Some condition asks whether a contact is in a workflow, or was.
    pub(super) runs_matter: bool,
    drafts: bool,
}

impl Current {
    /// Those inside stay where they are.
    pub fn frozen(&self) -> bool {
        matches!(self.status, Status::Paused | Status::Draft)
    }
}

impl InForce {
    pub fn new(drafts: bool) -> InForce {
        InForce {
            workflows: Arc::default(),
            names: Arc::default(),
            by_event: Arc::default(),
            by_crossing: Arc::default(),
            older: Arc::default(),
            following: Vec::new(),
            migrating: Vec::new(),
            sent_matters: false,
            runs_matter: false,
            drafts,
        }
    }

    pub fn get(&self, id: WorkflowId) -> Option<&Current> {
        self.workflows.get(&id)
    }

    pub fn id(&self, name: &str) -> Option<WorkflowId> {
        self.names.get(name).copied()
    }

    pub fn triggered_by(&self, event: &str) -> Vec<(WorkflowId, usize)> {
        self.by_event.get(event).cloned().unwrap_or_default()
    }

    pub fn crossed(&self, crossing: &Crossing) -> Vec<WorkflowId> {
        self.by_crossing.get(crossing).cloned().unwrap_or_default()
    }

    /// In order of name.
    pub fn all(&self) -> Vec<(WorkflowId, Current)> {
        let mut all: Vec<_> = self.workflows.iter().map(|(id, current)| (*id, current.clone())).collect();
        all.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        all
    }
}

impl Kernel {
    /// Makes the store and the memory agree with the plan, within the open transaction.
    pub(super) fn put_in_force(&mut self, plan: Arc<Plan>) -> Result<()> {
        let known = self.store.workflows()?;
        for (hash, bytes) in &plan.catalog.assets {
            self.store.put_asset(hash, bytes)?;
        }
        let mut workflows = HashMap::new();
        for (name, planned) in &plan.workflows {
            let id = self.store.workflow_id(name)?;
            let definition = self.store.put_definition(id, &planned.hash, &planned.canonical, self.now)?;
            let row = known.iter().find(|row| row.id == id);
            let paused = row.is_some_and(|row| row.paused);
            let written = planned.prepared.program.definition.workflow.status;
            let status = match written {
                Status::Live if paused => Status::Paused,
                Status::Draft if self.in_force.drafts => Status::Live,
                other => other,
            };
            let changed = row.is_some_and(|row| row.definition.is_some_and(|old| old != definition));
            self.write_row(id, name, Some(definition), written, paused, row)?;
            if changed {
                self.begin_following(id, CHANGED)?;
            }
            workflows.insert(id, Current { name: name.as_str().into(), definition, prepared: planned.prepared.clone(), status });
        }
        for row in &known {
            if workflows.contains_key(&row.id) {
                continue;
            }
            let Some(definition) = row.definition else { continue };
            self.write_row(row.id, &row.name, row.definition, Status::Closed, row.paused, Some(row))?;
            if let Some(prepared) = self.older_definition(definition)? {
                workflows
                    .insert(row.id, Current { name: row.name.as_str().into(), definition, prepared, status: Status::Closed });
            }
        }
        let thawed: Vec<WorkflowId> = workflows.iter().filter(|(_, current)| !current.frozen()).map(|(id, _)| *id).collect();
        let were_frozen = |id: &WorkflowId| self.in_force.get(*id).is_some_and(Current::frozen);
        let resumed: Vec<WorkflowId> = thawed.into_iter().filter(were_frozen).collect();
        self.install(plan, workflows);
        for id in resumed {
            self.store.unpark(id)?;
            self.begin_following(id, EVERYONE)?;
        }
        self.resume_following()?;
        self.resume_migrating()?;
        self.plan_time_triggers()?;
        self.put_experiments_in_force()?;
        self.put_audience_in_force()?;
        self.put_retention_in_force()
    }

    fn install(&mut self, plan: Arc<Plan>, workflows: HashMap<WorkflowId, Current>) {
        let mut by_event: HashMap<String, Vec<(WorkflowId, usize)>> = HashMap::new();
        let mut by_crossing: HashMap<Crossing, Vec<WorkflowId>> = HashMap::new();
        let mut ordered: Vec<_> = workflows.iter().collect();
        ordered.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        for (id, current) in ordered.into_iter().filter(|(_, current)| current.status == Status::Live) {
            for (index, trigger) in current.prepared.program.definition.workflow.triggers.iter().enumerate() {
                match trigger {
                    Trigger::Event { name, .. } => by_event.entry(name.clone()).or_default().push((*id, index)),
                    Trigger::Segment { segment, change } => {
                        let crossing = Crossing { segment: segment.clone(), entered: *change == model::Crossing::Enter };
                        by_crossing.entry(crossing).or_default().push(*id);
                    }
                    _ => {}
                }
            }
        }
        // A search in the text is enough: being asked once too often costs time, not truth.
        let asks_for_sent = |canonical: &str| canonical.contains("message_sent") || canonical.contains(r#""is":"sent""#);
        self.in_force.sent_matters = plan.workflows.values().any(|planned| asks_for_sent(&planned.canonical));
        let states = [r#""is":"active""#, r#""is":"completed""#, r#""is":"exited""#, r#""is":"never""#];
        let asks_for_runs = |canonical: &str| states.iter().any(|state| canonical.contains(state));
        self.in_force.runs_matter = plan.workflows.values().any(|planned| asks_for_runs(&planned.canonical));
        self.in_force.names = Arc::new(workflows.iter().map(|(id, current)| (current.name.to_string(), *id)).collect());
        self.in_force.workflows = Arc::new(workflows);
        self.in_force.by_event = Arc::new(by_event);
        self.in_force.by_crossing = Arc::new(by_crossing);
        self.reset_channels(&plan.catalog.settings);
        self.plan = plan;
    }

    fn write_row(
        &mut self,
        id: WorkflowId,
        name: &str,
        definition: Option<DefinitionId>,
        status: Status,
        paused: bool,
        old: Option<&WorkflowRow>,
    ) -> Result<()> {
        let status = match status {
            Status::Live => "live",
            Status::Draft => "draft",
            Status::Paused => "paused",
            Status::Closed => "closed",
        };
        let row = WorkflowRow { id, name: name.to_owned(), definition, status: status.to_owned(), paused };
        if old == Some(&row) { Ok(()) } else { self.store.set_workflow(&row) }
    }

    /// A definition that is not (or not any more) a workflow's current one.
    pub(super) fn older_definition(&mut self, id: DefinitionId) -> Result<Option<Arc<Prepared>>> {
        if let Some(prepared) = self.in_force.older.get(&id) {
            return Ok(Some(prepared.clone()));
        }
        let Some(text) = self.store.definition(id)? else { return Ok(None) };
        let damaged = |why: String| StoreError::Damaged { what: "definition", why };
        let definition: Definition = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let mut assets = Assets::new();
        for asset in definition.assets() {
            assets.extend(self.store.asset(&asset.sha256)?.map(|bytes| (asset.sha256.clone(), Arc::from(bytes))));
        }
        let prepared = Arc::new(Prepared::new(Arc::new(definition), &assets).map_err(|error| damaged(error.to_string()))?);
        Arc::make_mut(&mut self.in_force.older).insert(id, prepared.clone());
        Ok(Some(prepared))
    }

    /// `pause` and `resume` by command.
    pub(super) fn set_paused(&mut self, name: &str, paused: bool) -> Result<()> {
        let rows = self.store.workflows()?;
        if let Some(row) = rows.iter().find(|row| row.name == name).filter(|row| row.paused != paused) {
            self.store.set_workflow(&WorkflowRow { paused, ..row.clone() })?;
            self.put_in_force(self.plan.clone())?;
        }
        Ok(())
    }
}
