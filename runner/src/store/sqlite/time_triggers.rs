//! What time sets off: schedules, sweeps through all contacts, and each contact's date timers.

use rusqlite::params;

use super::db::{Db, json, sql_limit, to_json};
use super::names::Names;
use crate::state::{ContactId, WorkflowId};
use crate::store::{DateTimer, Result, ScheduleRow, Sweep};

pub(super) fn schedules(db: &Db) -> Result<Vec<ScheduleRow>> {
    db.rows(
        "read the schedules",
        "SELECT workflow, trigger, zone, next FROM schedules ORDER BY workflow, trigger, zone",
        [],
        |row| Ok(ScheduleRow { workflow: WorkflowId(row.get(0)?), trigger: row.get(1)?, zone: row.get(2)?, next: row.get(3)? }),
    )
}

pub(super) fn set_schedule(db: &Db, row: &ScheduleRow) -> Result<()> {
    db.write(
        "write a schedule",
        "INSERT INTO schedules (workflow, trigger, zone, next) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET next = excluded.next",
        params![row.workflow.0, row.trigger, row.zone, row.next],
    )?;
    Ok(())
}

pub(super) fn drop_schedule(db: &Db, workflow: WorkflowId, trigger: &str, zone: &str) -> Result<()> {
    db.write(
        "remove a schedule",
        "DELETE FROM schedules WHERE workflow = ?1 AND trigger = ?2 AND zone = ?3",
        params![workflow.0, trigger, zone],
    )?;
    Ok(())
}

pub(super) fn sweeps(db: &Db) -> Result<Vec<Sweep>> {
    db.rows("read the sweeps", "SELECT id, workflow, trigger, kind, cursor FROM sweeps ORDER BY id", [], |row| {
        Ok(Sweep {
            id: row.get(0)?,
            workflow: WorkflowId(row.get(1)?),
            trigger: row.get(2)?,
            kind: json(row, 3, "sweep")?,
            cursor: ContactId(row.get(4)?),
        })
    })
}

pub(super) fn insert_sweep(db: &Db, sweep: &Sweep) -> Result<i64> {
    db.insert(
        "write a sweep",
        "INSERT INTO sweeps (workflow, trigger, kind, cursor) VALUES (?1, ?2, ?3, ?4)",
        params![sweep.workflow.0, sweep.trigger, to_json(&sweep.kind, "sweep")?, sweep.cursor.0],
    )
}

pub(super) fn set_sweep_cursor(db: &Db, sweep: i64, cursor: ContactId) -> Result<()> {
    db.write_one("write a sweep", "UPDATE sweeps SET cursor = ?2 WHERE id = ?1", params![sweep, cursor.0])
}

pub(super) fn drop_sweep(db: &Db, sweep: i64) -> Result<()> {
    db.write("remove a sweep", "DELETE FROM sweeps WHERE id = ?1", [sweep])?;
    Ok(())
}

pub(super) fn set_date_timer(
    db: &Db,
    names: &mut Names,
    workflow: WorkflowId,
    trigger: &str,
    contact: ContactId,
    at: Option<i64>,
) -> Result<()> {
    let Some(at) = at else {
        if let Some(trigger) = names.find(db, trigger)? {
            db.write(
                "remove a date timer",
                "DELETE FROM date_timers WHERE workflow = ?1 AND trigger = ?2 AND contact = ?3",
                params![workflow.0, trigger, contact.0],
            )?;
        }
        return Ok(());
    };
    let trigger = names.number(db, trigger)?;
    db.write(
        "write a date timer",
        "INSERT INTO date_timers (workflow, trigger, contact, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET at = excluded.at WHERE at <> excluded.at",
        params![workflow.0, trigger, contact.0, at],
    )?;
    Ok(())
}

pub(super) fn due_date_timers(db: &Db, names: &mut Names, now: i64, limit: usize) -> Result<Vec<DateTimer>> {
    db.rows(
        "read the date timers",
        "SELECT workflow, trigger, contact, at FROM date_timers WHERE at <= ?1 ORDER BY at, contact, workflow, trigger LIMIT ?2",
        params![now, sql_limit(limit)],
        |row| {
            Ok(DateTimer {
                workflow: WorkflowId(row.get(0)?),
                trigger: names.text(db, row.get(1)?)?,
                contact: ContactId(row.get(2)?),
                at: row.get(3)?,
            })
        },
    )
}

pub(super) fn next_date_timer(db: &Db) -> Result<Option<i64>> {
    let next = db.row("read the date timers", "SELECT min(at) FROM date_timers", [], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    Ok(next.flatten())
}

pub(super) fn drop_date_timers(db: &Db, names: &mut Names, workflow: WorkflowId, trigger: &str) -> Result<()> {
    if let Some(trigger) = names.find(db, trigger)? {
        db.write(
            "remove date timers",
            "DELETE FROM date_timers WHERE workflow = ?1 AND trigger = ?2",
            params![workflow.0, trigger],
        )?;
    }
    Ok(())
}
