//! Workflows by name, the definitions that are or were in force, and the files that they name.

use std::collections::BTreeSet;

use super::MemoryStore;
use super::refusal::{Refusal, known, small};
use super::rows::Rows;
use super::table::Table;
use crate::state::{DefinitionId, WorkflowId};
use crate::store::{Result, WorkflowRow};

const DOING: &str = "write a workflow";

/// The status of a row that was made by naming it only.
const NEVER_IN_FORCE: &str = "closed";

#[derive(Default)]
pub(super) struct Workflows {
    rows: Rows<WorkflowRow>,
    names: Table<String, u32>,
    definitions: Rows<Definition>,
    /// By hash.
    assets: Table<String, Vec<u8>>,
}

struct Definition {
    workflow: i64,
    hash: String,
    canonical: String,
}

impl Workflows {
    pub(super) fn find(&self, name: &str) -> Option<WorkflowId> {
        self.names.get(name).map(|id| WorkflowId((*id).into()))
    }

    pub(super) fn add(&mut self, name: &str) -> WorkflowId {
        let id = self.rows.next();
        let row = WorkflowRow {
            id: WorkflowId(id.into()),
            name: name.to_owned(),
            definition: None,
            status: NEVER_IN_FORCE.to_owned(),
            paused: false,
        };
        self.rows.add(row);
        self.names.put(name.to_owned(), id);
        WorkflowId(id.into())
    }

    pub(super) fn name(&self, id: u32) -> Option<&str> {
        self.rows.get(id).map(|row| row.name.as_str())
    }

    pub(super) fn name_of(&self, id: WorkflowId) -> Option<String> {
        self.name(known(id.0)?).map(str::to_owned)
    }

    pub(super) fn all(&self) -> Vec<WorkflowRow> {
        self.rows.from(0).map(|(_, row)| row.clone()).collect()
    }

    pub(super) fn set(&mut self, row: &WorkflowRow) -> Result<()> {
        let id = small(row.id.0, DOING)?;
        let was = self.rows.get(id).ok_or_else(|| Refusal::NoRow.when(DOING))?;
        if was.name != row.name {
            if self.names.contains_key(&row.name) {
                return Err(Refusal::Taken.when(DOING));
            }
            self.names.remove(&was.name);
            self.names.put(row.name.clone(), id);
        }
        self.rows.put(id, Some(row.clone()));
        Ok(())
    }

    /// The row of this content, if it is kept.
    pub(super) fn find_definition(&self, workflow: WorkflowId, hash: &str) -> Option<DefinitionId> {
        let is = |definition: &Definition| definition.workflow == workflow.0 && definition.hash == hash;
        self.definitions.from(0).find(|(_, definition)| is(definition)).map(|(id, _)| DefinitionId(id.into()))
    }

    pub(super) fn add_definition(&mut self, workflow: WorkflowId, hash: &str, canonical: &str) -> DefinitionId {
        let definition = Definition { workflow: workflow.0, hash: hash.to_owned(), canonical: canonical.to_owned() };
        DefinitionId(self.definitions.add(definition).into())
    }

    pub(super) fn definition(&self, id: DefinitionId) -> Option<String> {
        self.definitions.get(known(id.0)?).map(|definition| definition.canonical.clone())
    }

    pub(super) fn put_asset(&mut self, hash: &str, bytes: &[u8]) {
        if !self.assets.contains_key(hash) {
            self.assets.put(hash.to_owned(), bytes.to_vec());
        }
    }

    pub(super) fn asset(&self, hash: &str) -> Option<Vec<u8>> {
        self.assets.get(hash).cloned()
    }

    pub(super) fn commit(&mut self) {
        self.rows.commit();
        self.names.commit();
        self.definitions.commit();
        self.assets.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.rows.rollback();
        self.names.rollback();
        self.definitions.rollback();
        self.assets.rollback();
    }
}

impl MemoryStore {
    pub(super) fn drop_unused(&mut self) -> usize {
        let rows = self.workflows.rows.from(0);
        let in_force = rows.filter_map(|(_, row)| known(row.definition?.0));
        let used: BTreeSet<u32> = in_force.chain(self.runs.definitions()).chain(self.messages.definitions()).collect();
        let Workflows { definitions, assets, .. } = &mut self.workflows;
        let unused: Vec<u32> = definitions.from(0).map(|(id, _)| id).filter(|id| !used.contains(id)).collect();
        for id in &unused {
            definitions.put(*id, None);
        }
        // There are few files, and few definitions. The properties hold the last good project, which names them too.
        let named = |hash: &String| {
            definitions.from(0).any(|(_, definition)| definition.canonical.contains(hash.as_str()))
                || self.properties.values().any(|value| value.contains(hash.as_str()))
        };
        assets.remove_all(.., |hash, _| !named(hash));
        unused.len()
    }
}
