//! Workflows by name, and the definitions that are or were in force.

use rusqlite::params;

use super::db::Db;
use crate::state::{DefinitionId, WorkflowId};
use crate::store::{Result, WorkflowRow};

/// The status of a row that was made by naming it only.
const NEVER_IN_FORCE: &str = "closed";

pub(super) fn id_of(db: &Db, name: &str) -> Result<WorkflowId> {
    match find(db, name)? {
        Some(id) => Ok(id),
        None => db
            .insert("write a workflow", "INSERT INTO workflows (name, status) VALUES (?1, ?2)", params![name, NEVER_IN_FORCE])
            .map(WorkflowId),
    }
}

pub(super) fn find(db: &Db, name: &str) -> Result<Option<WorkflowId>> {
    db.row("look up a workflow", "SELECT id FROM workflows WHERE name = ?1", [name], |row| Ok(WorkflowId(row.get(0)?)))
}

pub(super) fn name_of(db: &Db, id: WorkflowId) -> Result<Option<String>> {
    db.row("read a workflow", "SELECT name FROM workflows WHERE id = ?1", [id.0], |row| Ok(row.get(0)?))
}

pub(super) fn all(db: &Db) -> Result<Vec<WorkflowRow>> {
    db.rows("read the workflows", "SELECT id, name, definition, status, paused FROM workflows ORDER BY id", [], |row| {
        Ok(WorkflowRow {
            id: WorkflowId(row.get(0)?),
            name: row.get(1)?,
            definition: row.get::<_, Option<i64>>(2)?.map(DefinitionId),
            status: row.get(3)?,
            paused: row.get(4)?,
        })
    })
}

pub(super) fn set(db: &Db, row: &WorkflowRow) -> Result<()> {
    db.write_one(
        "write a workflow",
        "UPDATE workflows SET name = ?2, definition = ?3, status = ?4, paused = ?5 WHERE id = ?1",
        params![row.id.0, row.name, row.definition.map(|definition| definition.0), row.status, row.paused],
    )
}

pub(super) fn put_definition(db: &Db, workflow: WorkflowId, hash: &str, canonical: &str, now: i64) -> Result<DefinitionId> {
    let known = db.row(
        "look up a definition",
        "SELECT id FROM definitions WHERE workflow = ?1 AND hash = ?2",
        params![workflow.0, hash],
        |row| Ok(row.get(0)?),
    )?;
    match known {
        Some(id) => Ok(DefinitionId(id)),
        None => db
            .insert(
                "write a definition",
                "INSERT INTO definitions (workflow, hash, canonical, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![workflow.0, hash, canonical, now],
            )
            .map(DefinitionId),
    }
}

pub(super) fn definition(db: &Db, id: DefinitionId) -> Result<Option<String>> {
    db.row("read a definition", "SELECT canonical FROM definitions WHERE id = ?1", [id.0], |row| Ok(row.get(0)?))
}

pub(super) fn put_asset(db: &Db, hash: &str, bytes: &[u8]) -> Result<()> {
    db.write("write a file", "INSERT OR IGNORE INTO assets (hash, bytes) VALUES (?1, ?2)", params![hash, bytes]).map(drop)
}

pub(super) fn asset(db: &Db, hash: &str) -> Result<Option<Vec<u8>>> {
    db.row("read a file", "SELECT bytes FROM assets WHERE hash = ?1", [hash], |row| Ok(row.get(0)?))
}

pub(super) fn drop_unused(db: &Db) -> Result<usize> {
    let dropped = db.write(
        "remove definitions",
        "DELETE FROM definitions WHERE id NOT IN (
             SELECT definition FROM workflows WHERE definition IS NOT NULL
             UNION SELECT definition FROM runs INDEXED BY runs_open WHERE closed = 0
             UNION SELECT definition FROM messages INDEXED BY messages_unsent WHERE status IN (1, 2) AND status <> 3
         )",
        [],
    )?;
    // There are few files, and few definitions. The properties hold the last good project, which names them too.
    db.write(
        "remove files",
        "DELETE FROM assets WHERE NOT EXISTS (SELECT 1 FROM definitions WHERE instr(canonical, assets.hash) > 0)
             AND NOT EXISTS (SELECT 1 FROM properties WHERE instr(value, assets.hash) > 0)",
        [],
    )?;
    Ok(dropped)
}
