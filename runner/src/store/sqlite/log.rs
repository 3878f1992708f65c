//! The runs' log entries, and who was given which variant of an experiment.

use rusqlite::params;

use super::db::{Db, damaged, json_or_default, map_json};
use super::names::Names;
use crate::state::{ContactId, LogEntry, LogKind, RunId, WorkflowId};
use crate::store::Result;

pub(super) fn write(db: &Db, names: &mut Names, entry: &LogEntry) -> Result<()> {
    let step = names.number(db, &entry.step)?;
    db.write(
        "write a log entry",
        "INSERT INTO log (run, number, at, kind, step, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![entry.run.0, entry.number, entry.at, entry.kind as i64, step, map_json(&entry.detail, "log entry")?],
    )?;
    Ok(())
}

pub(super) fn of_run(db: &Db, names: &mut Names, run: RunId) -> Result<Vec<LogEntry>> {
    db.rows("read a run's log", "SELECT number, at, kind, step, detail FROM log WHERE run = ?1 ORDER BY number", [run.0], |row| {
        Ok(LogEntry {
            run,
            number: row.get(0)?,
            at: row.get(1)?,
            kind: LogKind::from_number(row.get(2)?).ok_or_else(|| damaged("log entry", "its kind is unknown"))?,
            step: names.text(db, row.get(3)?)?,
            detail: json_or_default(row, 4, "log entry")?,
        })
    })
}

pub(super) fn assignment(
    db: &Db,
    names: &mut Names,
    workflow: WorkflowId,
    experiment: &str,
    contact: ContactId,
) -> Result<Option<String>> {
    let Some(experiment) = names.find(db, experiment)? else {
        return Ok(None);
    };
    db.row(
        "read an assignment",
        "SELECT variant FROM assignments WHERE contact = ?1 AND workflow = ?2 AND experiment = ?3",
        params![contact.0, workflow.0, experiment],
        |row| Ok(names.text(db, row.get(0)?)?),
    )
}

pub(super) fn assign(
    db: &Db,
    names: &mut Names,
    workflow: WorkflowId,
    experiment: &str,
    contact: ContactId,
    variant: &str,
) -> Result<()> {
    let experiment = names.number(db, experiment)?;
    let variant = names.number(db, variant)?;
    db.write(
        "write an assignment",
        "INSERT INTO assignments (contact, workflow, experiment, variant) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET variant = excluded.variant",
        params![contact.0, workflow.0, experiment, variant],
    )?;
    Ok(())
}
