//! Runs, and the history of a contact in a workflow.

use rusqlite::{Row, params};
use serde::{Deserialize, Serialize};

use super::SqliteStore;
use super::db::{Db, Read, damaged, json, sql_limit, to_json};
use super::memo::Memo;
use super::names::Names;
use super::timers::Line;
use crate::state::{ContactId, DefinitionId, EndReason, Ended, EventId, Mark, Run, RunId, RunState, Stage, WorkflowId};
use crate::store::{LastEntry, Result, RunHistory};

/// All that is left of an ended run's state.
#[derive(Serialize, Deserialize)]
struct Counters {
    n: u32,
    l: u32,
}

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, contact, workflow, definition, due, entered_at, step, ended_at, reason, detail, key, state FROM runs ",
            $rest
        )
    };
}

fn read(row: &Row<'_>, db: &Db, names: &mut Names, memo: &mut Memo) -> Read<Run> {
    let id: i64 = row.get(0)?;
    let due: Option<i64> = row.get(4)?;
    let entered_at: i64 = row.get(5)?;
    let ended = match row.get::<_, Option<i64>>(7)? {
        None => None,
        Some(at) => Some(Ended {
            at,
            reason: EndReason::from_number(row.get(8)?).ok_or_else(|| damaged("run", "its reason to end is unknown"))?,
            detail: row.get(9)?,
        }),
    };
    let state = match &ended {
        None => json(row, 11, "run")?,
        Some(ended) => {
            let counters: Counters = json(row, 11, "run")?;
            ended_state(&counters, ended.at, entered_at)
        }
    };
    if db.in_transaction() {
        memo.runs.insert(id, due);
    }
    Ok(Run {
        id: RunId(id),
        contact: ContactId(row.get(1)?),
        workflow: WorkflowId(row.get(2)?),
        definition: DefinitionId(row.get(3)?),
        key: row.get(10)?,
        entered_at,
        step: names.text(db, row.get(6)?)?,
        state,
        due,
        ended,
    })
}

fn ended_state(counters: &Counters, ended_at: i64, entered_at: i64) -> RunState {
    RunState {
        visit: counters.n,
        logged: counters.l,
        stage: Stage::Ready,
        began: Mark(ended_at, EventId(0)),
        since: Mark(entered_at, EventId(0)),
        event: None,
        vars: Default::default(),
        passes: Default::default(),
        depth: 0,
        goal_met: false,
    }
}

fn state_json(run: &Run) -> Result<String> {
    match run.ended {
        None => to_json(&run.state, "run"),
        Some(_) => to_json(&Counters { n: run.state.visit, l: run.state.logged }, "run"),
    }
}

pub(super) fn insert(store: &mut SqliteStore, run: &Run) -> Result<Option<RunId>> {
    let doing = "write a run";
    let db = &store.db;
    let step = store.names.number(db, &run.step)?;
    let due = run.due.filter(|_| run.ended.is_none());
    let state = state_json(run)?;
    let written = db.write(
        doing,
        "INSERT INTO runs (contact, workflow, definition, due, entered_at, step, key, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (contact, workflow, key, closed) DO NOTHING",
        params![
            run.contact.0,
            run.workflow.0,
            run.definition.0,
            due,
            run.entered_at,
            step,
            run.key,
            state
        ],
    )?;
    if written == 0 {
        return Ok(None);
    }
    let id = db.conn.last_insert_rowid();
    if run.ended.is_some() {
        end(db, id, run, step)?;
    }
    store.memo.runs.insert(id, due);
    if let (Some(timers), Some(due)) = (&mut store.timers, due) {
        timers.add(Line::Runs, due, id);
    }
    store.recent.keep_run(&Run { id: RunId(id), ..run.clone() }, state.len());
    Ok(Some(RunId(id)))
}

pub(super) fn find(store: &mut SqliteStore, id: RunId) -> Result<Option<Run>> {
    let SqliteStore { db, names, memo, recent, .. } = store;
    let inside = db.in_transaction();
    if let Some(run) = recent.run(id.0).filter(|_| inside) {
        memo.runs.insert(id.0, run.due);
        return Ok(Some(run.clone()));
    }
    db.row("read a run", columns!("WHERE id = ?1"), [id.0], |row| {
        let run = read(row, db, names, memo)?;
        if inside {
            recent.keep_run(&run, row.get_ref(11)?.as_str_or_null().map_err(rusqlite::Error::from)?.map_or(0, str::len));
        }
        Ok(run)
    })
}

pub(super) fn update(store: &mut SqliteStore, run: &Run) -> Result<()> {
    let id = run.id.0;
    let db = &store.db;
    let step = store.names.number(db, &run.step)?;
    let before = match (&store.timers, store.memo.runs.get(&id)) {
        (None, _) => None,
        (_, Some(due)) => *due,
        (_, None) => due_of(db, id)?,
    };
    let due = run.due.filter(|_| run.ended.is_none());
    let state = state_json(run)?;
    if run.ended.is_some() {
        end(db, id, run, step)?;
    } else {
        db.write_one(
            "write a run",
            "UPDATE runs SET definition = ?2, due = ?3, step = ?4, state = ?5 WHERE id = ?1 AND ended_at IS NULL",
            params![id, run.definition.0, due, step, state],
        )?;
    }
    store.memo.runs.insert(id, due);
    store.recent.keep_run(run, state.len());
    if let Some(timers) = &mut store.timers {
        timers.change(Line::Runs, id, before, due);
    }
    Ok(())
}

fn end(db: &Db, id: i64, run: &Run, step: i64) -> Result<()> {
    db.write_one(
        "write a run",
        "UPDATE runs SET definition = ?2, due = NULL, step = ?3, state = ?4, closed = id, ended_at = ?5, reason = ?6, detail = ?7
         WHERE id = ?1",
        params![
            id,
            run.definition.0,
            step,
            state_json(run)?,
            run.ended.as_ref().map(|ended| ended.at),
            run.ended.as_ref().map(|ended| ended.reason as i64),
            run.ended.as_ref().and_then(|ended| ended.detail.as_deref())
        ],
    )
}

fn due_of(db: &Db, id: i64) -> Result<Option<i64>> {
    let due = db.row("read a run", "SELECT due FROM runs WHERE id = ?1", [id], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    Ok(due.flatten())
}

pub(super) fn open_of_contact(store: &mut SqliteStore, contact: ContactId) -> Result<Vec<Run>> {
    let SqliteStore { db, names, memo, .. } = store;
    let mut runs =
        db.rows("read the open runs of a contact", columns!("WHERE contact = ?1 AND closed = 0"), [contact.0], |row| {
            read(row, db, names, memo)
        })?;
    runs.sort_unstable_by_key(|run| run.id);
    Ok(runs)
}

/// Goes through the index of all runs, which is in order of contact; each call begins where the last one ended.
pub(super) fn open_of_workflow(
    store: &mut SqliteStore,
    workflow: WorkflowId,
    after: Option<(ContactId, RunId)>,
    limit: usize,
) -> Result<Vec<Run>> {
    let SqliteStore { db, names, memo, .. } = store;
    let (contact, run) = after.map_or((i64::MIN, i64::MIN), |(contact, run)| (contact.0, run.0));
    db.rows(
        "read the open runs of a workflow",
        columns!(
            "INDEXED BY runs_contact WHERE workflow = ?1 AND closed = 0 AND (contact, id) > (?2, ?3)
             ORDER BY contact, id LIMIT ?4"
        ),
        params![workflow.0, contact, run, sql_limit(limit)],
        |row| read(row, db, names, memo),
    )
}

/// From the two ends of the index: an open run has `closed` 0, and of the ended ones the latest the highest.
pub(super) fn last_entry(db: &Db, contact: ContactId, workflow: WorkflowId, key: &str) -> Result<LastEntry> {
    let doing = "read the last entry of a contact";
    let place = params![contact.0, workflow.0, key];
    let open = db.row(
        doing,
        "SELECT id, entered_at FROM runs WHERE contact = ?1 AND workflow = ?2 AND key = ?3 AND closed = 0",
        place,
        |row| Ok((RunId(row.get(0)?), row.get(1)?)),
    )?;
    if let Some((id, entered)) = open {
        return Ok(LastEntry { open: Some(id), last_entered: Some(entered) });
    }
    let ended = db.row(
        doing,
        "SELECT entered_at FROM runs WHERE contact = ?1 AND workflow = ?2 AND key = ?3 ORDER BY closed DESC LIMIT 1",
        place,
        |row| Ok(row.get(0)?),
    )?;
    Ok(LastEntry { open: None, last_entered: ended })
}

pub(super) fn history(db: &Db, contact: ContactId, workflow: WorkflowId, key: Option<&str>) -> Result<RunHistory> {
    let mut history = RunHistory::default();
    let add = |row: &Row<'_>| {
        let entered: i64 = row.get(1)?;
        history.last_entered = history.last_entered.max(Some(entered));
        let reason = match row.get::<_, Option<i64>>(2)? {
            None => {
                let id = RunId(row.get(0)?);
                history.open = history.open.max(Some(id));
                return Ok(());
            }
            Some(reason) => reason,
        };
        if reason == EndReason::Completed as i64 || reason == EndReason::Goal as i64 {
            history.completed = true;
        } else {
            history.exited = true;
        }
        Ok(())
    };
    let doing = "read the history of a contact";
    match key {
        Some(key) => db.rows(
            doing,
            "SELECT id, entered_at, reason FROM runs WHERE contact = ?1 AND workflow = ?2 AND key = ?3",
            params![contact.0, workflow.0, key],
            add,
        ),
        None => db.rows(
            doing,
            "SELECT id, entered_at, reason FROM runs WHERE contact = ?1 AND workflow = ?2",
            params![contact.0, workflow.0],
            add,
        ),
    }?;
    Ok(history)
}

/// Every open run that is due some time: when, and which.
pub(super) fn queue(db: &Db) -> Result<Vec<(i64, i64)>> {
    db.rows(
        "read the open runs",
        "SELECT due, id FROM runs INDEXED BY runs_open WHERE closed = 0 AND due IS NOT NULL",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

pub(super) fn due(store: &mut SqliteStore, now: i64, limit: usize) -> Result<Vec<RunId>> {
    Ok(store.timers()?.due(Line::Runs, now, limit).map(RunId).collect())
}

pub(super) fn park(store: &mut SqliteStore, id: RunId) -> Result<()> {
    let due = match store.memo.runs.get(&id.0) {
        Some(due) => *due,
        None => due_of(&store.db, id.0)?,
    };
    if let Some(due) = due {
        store.timers()?.remove(Line::Runs, due, id.0);
    }
    Ok(())
}

pub(super) fn unpark(store: &mut SqliteStore, workflow: WorkflowId) -> Result<()> {
    let entries = store.db.rows(
        "read the open runs of a workflow",
        "SELECT due, id FROM runs INDEXED BY runs_open WHERE workflow = ?1 AND closed = 0 AND due IS NOT NULL",
        [workflow.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let timers = store.timers()?;
    for (due, id) in entries {
        timers.add(Line::Runs, due, id);
    }
    Ok(())
}

pub(super) fn active(db: &Db) -> Result<Vec<(WorkflowId, String, i64)>> {
    db.rows(
        "count the open runs",
        "SELECT counted.workflow, names.name, counted.number FROM (
             SELECT workflow, step, count(*) AS number FROM runs INDEXED BY runs_open WHERE closed = 0 GROUP BY workflow, step
         ) counted JOIN names ON names.id = counted.step ORDER BY counted.workflow, names.name",
        [],
        |row| Ok((WorkflowId(row.get(0)?), row.get(1)?, row.get(2)?)),
    )
}

pub(super) fn of_contact(store: &mut SqliteStore, contact: ContactId) -> Result<Vec<Run>> {
    let SqliteStore { db, names, memo, .. } = store;
    db.rows("list a contact's runs", columns!("WHERE contact = ?1 ORDER BY id"), [contact.0], |row| read(row, db, names, memo))
}

pub(super) fn page(store: &mut SqliteStore, after: RunId, limit: usize) -> Result<Vec<Run>> {
    let SqliteStore { db, names, memo, .. } = store;
    let sql = columns!("WHERE id > ?1 ORDER BY id LIMIT ?2");
    db.rows("list runs", sql, params![after.0, sql_limit(limit)], |row| read(row, db, names, memo))
}

/// How many are due by then, and the earliest.
pub(super) fn due_count(db: &Db, now: i64) -> Result<(i64, Option<i64>)> {
    let found = db.row(
        "count what is due",
        "SELECT count(*), min(due) FROM runs INDEXED BY runs_open WHERE closed = 0 AND due <= ?1",
        [now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.unwrap_or_default())
}
