//! How much has been going on of late: what a plan reckons with.

use dsl::model::Fate;
use rusqlite::params;

use super::db::{Db, count};
use super::names::Names;
use crate::state::{CALLS, MessageStatus, WorkflowId};
use crate::store::{Entries, Happened, Result};

const DOING: &str = "count what happened of late";

pub(super) fn entries(db: &Db, from: i64) -> Result<Vec<Entries>> {
    db.rows(
        DOING,
        "SELECT workflow, min(entered_at), sum(entered_at >= ?1) FROM runs GROUP BY workflow ORDER BY workflow",
        [from],
        |row| Ok(Entries { workflow: WorkflowId(row.get(0)?), first: row.get(1)?, number: count(row, 2, "count of runs")? }),
    )
}

pub(super) fn queued(db: &Db, names: &mut Names, from: i64) -> Result<Vec<(WorkflowId, String, u64)>> {
    let calls = names.find(db, CALLS)?;
    let rows = db.rows(
        DOING,
        "SELECT workflow, step, count(*) FROM messages WHERE created_at >= ?1 AND channel IS NOT ?2 GROUP BY 1, 2",
        params![from, calls],
        |row| Ok((WorkflowId(row.get(0)?), row.get::<_, i64>(1)?, count(row, 2, "count of messages")?)),
    )?;
    let mut queued = Vec::with_capacity(rows.len());
    for (workflow, step, number) in rows {
        queued.push((workflow, names.text(db, step)?, number));
    }
    queued.sort();
    Ok(queued)
}

pub(super) fn happened(db: &Db, names: &mut Names, name: &str, from: i64) -> Result<Happened> {
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Happened { number: count(row, 0, "count of events")?, contacts: count(row, 1, "count of contacts")? })
    };
    let found = if name == Fate::Sent.event() {
        let sql = "SELECT count(*), count(DISTINCT contact) FROM messages WHERE status = ?1 AND at >= ?2";
        db.row(DOING, sql, params![MessageStatus::Sent as i64, from], read)?
    } else {
        let Some(name) = names.find(db, name)? else { return Ok(Happened::default()) };
        let sql = "SELECT count(*), count(DISTINCT contact) FROM events WHERE name = ?1 AND at >= ?2";
        db.row(DOING, sql, params![name, from], read)?
    };
    Ok(found.unwrap_or_default())
}
