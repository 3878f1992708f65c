//! In-flight runs follow an edited definition: each when it is touched, and all of them soon after the edit, because a shortened wait may be over.

use std::sync::Arc;

use dsl::model::InFlight;
use jiff::tz::TimeZone;

use super::{CHUNK, Kernel, Prepared};
use crate::engine;
use crate::state::*;
use crate::store::Result;

impl Kernel {
    /// Notes durably that the workflow's open runs are to be gone through: those under another definition, or all of them.
    pub(super) fn begin_following(&mut self, workflow: WorkflowId, whom: &'static str) -> Result<()> {
        self.store.set_property(&following_key(workflow), whom)
    }

    /// Takes up, after a reload or a restart, whatever was noted and not finished.
    pub(super) fn resume_following(&mut self) -> Result<()> {
        let mut following = Vec::new();
        for (id, _) in self.in_force.all() {
            match self.store.property(&following_key(id))?.as_deref() {
                Some(CHANGED) => following.push(Following { workflow: id, everyone: false, after: None }),
                Some(EVERYONE) => following.push(Following { workflow: id, everyone: true, after: None }),
                _ => {}
            }
        }
        self.in_force.following = following;
        Ok(())
    }

    /// Goes through some open runs of edited workflows. True when there are more.
    pub(super) fn follow_some(&mut self) -> Result<bool> {
        let Some(Following { workflow, everyone, after }) = self.in_force.following.first().cloned() else { return Ok(false) };
        let runs = self.store.open_runs_of(workflow, after, CHUNK)?;
        match runs.last() {
            Some(last) => self.in_force.following[0].after = Some((last.contact, last.id)),
            None => {
                self.in_force.following.remove(0);
                self.store.set_property(&following_key(workflow), DONE)?;
                if self.in_force.following.is_empty() {
                    self.store.drop_unused_definitions()?;
                }
                return Ok(!self.in_force.following.is_empty());
            }
        }
        for mut run in runs {
            if self.is_frozen(run.workflow) {
                continue;
            }
            if everyone || self.in_force.get(workflow).is_some_and(|current| current.definition != run.definition) {
                let mut contact = self.load_contact(run.contact)?;
                self.run_on(&mut run, &mut contact, None, 0)?;
                self.plan_send_anew(&run)?;
                self.follow_up()?;
            }
        }
        Ok(true)
    }

    /// A message that is held may leave at another time by the edited step: it is decided about now, and held again if need be. One that waits to be tried
    /// again keeps its turn.
    fn plan_send_anew(&mut self, run: &Run) -> Result<()> {
        let Stage::Sending(id) = run.state.stage else { return Ok(()) };
        match self.store.message(id)? {
            Some(mut message) if message.status == MessageStatus::Queued && message.attempts == 0 && message.due > self.now => {
                message.due = self.now;
                self.store.update_message(&message)
            }
            _ => Ok(()),
        }
    }

    /// Puts the run under its workflow's current definition if that changed and lets runs follow; gives the definition the run is under then.
    pub(super) fn follow_if_changed(&mut self, run: &mut Run, contact: &mut Contact, zone: &TimeZone) -> Result<Arc<Prepared>> {
        let current = self.in_force.get(run.workflow).filter(|current| current.definition != run.definition).cloned();
        if let Some(current) = current.filter(|_| run.ended.is_none())
            && current.prepared.program.definition.workflow.in_flight == InFlight::Follow
        {
            let plan = self.plan.clone();
            let mut effects = Vec::new();
            let moment = self.moment(&plan, zone);
            if engine::follow(&current.prepared.program, run, contact, moment, &mut effects) {
                run.definition = current.definition;
                self.apply(effects, run, contact, &current.prepared, 0)?;
                return Ok(current.prepared);
            }
        }
        self.prepared_for(run)
    }
}

/// What is noted of a workflow: runs under another definition follow.
pub(super) const CHANGED: &str = "changed";
/// What is noted of a workflow: every open run looks, because what happened while it was frozen has not been looked at.
pub(super) const EVERYONE: &str = "everyone";
const DONE: &str = "done";

/// A workflow whose open runs are being gone through, and the place reached.
#[derive(Clone)]
pub(super) struct Following {
    workflow: WorkflowId,
    everyone: bool,
    after: Option<(ContactId, RunId)>,
}

fn following_key(workflow: WorkflowId) -> String {
    format!("following:{workflow}")
}
