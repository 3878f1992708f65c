//! What the engine asks about a run beyond its contact, answered from the store.

use crate::engine::RunFacts;
use crate::state::WorkflowId;
use crate::store::{Result, StoredFacts};

impl RunFacts for StoredFacts<'_> {
    fn assignment(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<String>> {
        self.store.assignment(workflow, experiment, self.contact.id)
    }

    fn winner(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<String>> {
        Ok(self.store.contest(workflow, experiment)?.and_then(|contest| contest.winner).map(|winner| winner.variant))
    }
}
