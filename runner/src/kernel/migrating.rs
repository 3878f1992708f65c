//! `migrate`: runs that an edit left under an older definition are moved to the one in force, some with each turn, the rest noted durably.

use std::sync::Arc;

use super::{CHUNK, Kernel};
use crate::engine::{self, Effect};
use crate::state::*;
use crate::store::{Migration, Result};

/// A workflow whose runs are being moved, and the place reached.
#[derive(Clone)]
pub(super) struct Migrating {
    workflow: WorkflowId,
    migration: Arc<Migration>,
    after: Option<(ContactId, RunId)>,
}

impl Kernel {
    /// Notes what is to be moved where. The same again changes nothing: whoever is under the definition in force stays there.
    pub(super) fn begin_migrating(&mut self, migration: Migration) -> Result<()> {
        let Some(id) = self.in_force.id(&migration.workflow) else {
            tracing::warn!(workflow = migration.workflow, "nothing to migrate: there is no such workflow");
            return Ok(());
        };
        self.store.set_property(&key(id), &serde_json::to_string(&migration).unwrap_or_default())?;
        self.resume_migrating()
    }

    /// Takes up, after a restart too, what was noted and not finished.
    pub(super) fn resume_migrating(&mut self) -> Result<()> {
        let mut migrating = Vec::new();
        for (workflow, _) in self.in_force.all() {
            let noted = self.store.property(&key(workflow))?;
            if let Some(migration) = noted.and_then(|text| serde_json::from_str::<Migration>(&text).ok()) {
                migrating.push(Migrating { workflow, migration: Arc::new(migration), after: None });
            }
        }
        self.in_force.migrating = migrating;
        Ok(())
    }

    /// Moves some runs. True when there are more.
    pub(super) fn migrate_some(&mut self) -> Result<bool> {
        let Some(Migrating { workflow, migration, after }) = self.in_force.migrating.first().cloned() else { return Ok(false) };
        let runs = self.store.open_runs_of(workflow, after, CHUNK)?;
        match runs.last() {
            Some(last) => self.in_force.migrating[0].after = Some((last.contact, last.id)),
            None => {
                self.in_force.migrating.remove(0);
                self.store.remove_property(&key(workflow))?;
                self.store.drop_unused_definitions()?;
                return Ok(!self.in_force.migrating.is_empty());
            }
        }
        for run in runs {
            self.migrate_run(run, &migration)?;
            self.follow_up()?;
        }
        Ok(true)
    }

    /// A frozen run is moved as well, and goes on when its workflow does.
    fn migrate_run(&mut self, mut run: Run, migration: &Migration) -> Result<()> {
        let Some(current) = self.in_force.get(run.workflow).cloned() else { return Ok(()) };
        if current.definition == run.definition {
            return Ok(());
        }
        let mut contact = self.load_contact(run.contact)?;
        // Working out the contact may have ended the run, or moved it.
        let Some(fresh) = self.store.run(run.id)?.filter(|run| run.ended.is_none() && run.definition != current.definition)
        else {
            return Ok(());
        };
        run = fresh;
        let (plan, zone) = (self.plan.clone(), self.zone_of(&contact));
        let moment = self.moment(&plan, &zone);
        let program = &current.prepared.program;
        let from = run.step.clone();
        let mut effects = Vec::new();
        let step = |name: &String| program.step(name);
        let moved = match migration.moves.get(&from).and_then(step) {
            Some(index) => Some(index),
            None if engine::follow(program, &mut run, &contact, moment, &mut effects) => None,
            None => match migration.rest.as_ref().and_then(step) {
                Some(index) => Some(index),
                // Nothing says where it goes: it finishes as it began.
                None => return Ok(()),
            },
        };
        if let Some(index) = moved {
            engine::move_to(program, &mut run, index, moment, &mut effects);
        }
        note_in(&mut effects, &run.step);
        run.definition = current.definition;
        self.apply(effects, &mut run, &mut contact, &current.prepared, 0)?;
        if self.is_frozen(run.workflow) {
            return self.store.update_run(&run);
        }
        self.run_on(&mut run, &mut contact, None, 0)
    }
}

/// Says in the run's log that it was asked for.
fn note_in(effects: &mut Vec<Effect>, step: &str) {
    let followed = effects.iter_mut().rev().find_map(|effect| match effect {
        Effect::Log { kind: LogKind::Follow, detail, .. } => Some(detail),
        _ => None,
    });
    match followed {
        Some(detail) => {
            detail.insert("migrated".to_owned(), true.into());
        }
        None => effects.push(Effect::log(LogKind::Follow, step, serde_json::json!({ "migrated": true }))),
    }
}

fn key(workflow: WorkflowId) -> String {
    format!("migrating:{workflow}")
}
