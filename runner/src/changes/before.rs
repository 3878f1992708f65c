//! What is in force in a store.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::{Catalog, ContentHash, Definition};

use super::DefinitionId;
use crate::daemon::{LastGood, Loaded};
use crate::engine::Program;
use crate::kernel::AUDIENCE_IN_FORCE;
use crate::store::{Result, Store, StoreError, WorkflowRow};

pub(super) struct Before {
    pub rows: Vec<WorkflowRow>,
    /// Compiled from the files that the runner last found good; `None`: it keeps none.
    pub catalog: Option<Arc<Catalog>>,
    pub hash: Option<String>,
    /// The version of the traits and segments in force; 0: none ever were.
    pub audience_version: i64,
    /// Those of the rows and of open runs.
    definitions: HashMap<DefinitionId, Arc<Stored>>,
}

/// A definition of the store.
pub(super) struct Stored {
    pub hash: String,
    pub program: Program,
}

impl Stored {
    pub fn definition(&self) -> &Definition {
        &self.program.definition
    }
}

impl Before {
    pub fn read(store: &mut dyn Store) -> Result<Before> {
        let rows = store.workflows()?;
        let catalog = LastGood::find(store)?.and_then(|files| dsl::compile(&files).catalog).map(Arc::new);
        let hash = Loaded::find(store)?.and_then(|loaded| loaded.hash);
        let audience_version = store.property(AUDIENCE_IN_FORCE)?.and_then(|version| version.parse().ok()).unwrap_or(0);
        let mut before = Before { rows, catalog, hash, audience_version, definitions: HashMap::new() };
        for id in before.rows.iter().filter_map(|row| row.definition).collect::<Vec<_>>() {
            before.stored(store, id)?;
        }
        Ok(before)
    }

    /// The definition under this id.
    pub fn stored(&mut self, store: &mut dyn Store, id: DefinitionId) -> Result<Arc<Stored>> {
        if let Some(stored) = self.definitions.get(&id) {
            return Ok(stored.clone());
        }
        let damaged = |why: String| StoreError::Damaged { what: "definition", why };
        let text = store.definition(id)?.ok_or_else(|| damaged(format!("row {id} is missing")))?;
        let definition: Definition = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let stored = Arc::new(Stored { hash: ContentHash::of(&text).0, program: Program::new(Arc::new(definition)) });
        self.definitions.insert(id, stored.clone());
        Ok(stored)
    }

    /// The definition that the workflow is under.
    pub fn current(&self, row: &WorkflowRow) -> Option<Arc<Stored>> {
        self.definitions.get(&row.definition?).cloned()
    }

    /// Whether its file was there when the runner last looked; one whose file was removed stays, closed, for those inside.
    pub fn was_in_force(&self, row: &WorkflowRow) -> bool {
        row.definition.is_some()
            && match &self.catalog {
                Some(catalog) => catalog.workflows.contains_key(&row.name),
                None => row.status != "closed",
            }
    }

    pub fn is_new(&self) -> bool {
        self.rows.iter().all(|row| row.definition.is_none())
    }
}
