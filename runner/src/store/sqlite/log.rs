//! The runs' log entries.

use std::sync::LazyLock;

use rusqlite::ToSql;

use super::SqliteStore;
use super::db::{Db, Refusal, damaged, json_or_default, map_json};
use crate::state::{LogEntry, LogKind, RunId};
use crate::store::Result;

/// Entries of the open transaction that are not in the table yet: many in one statement cost half of what they cost one by one.
#[derive(Default)]
pub(super) struct Unwritten(Vec<Row>);

struct Row {
    run: i64,
    number: u32,
    at: i64,
    kind: i64,
    step: i64,
    detail: Option<String>,
}

/// Entries to a statement.
const TOGETHER: usize = 32;

/// Only these two statements are ever compiled.
static MANY: LazyLock<String> = LazyLock::new(|| insert(TOGETHER));
static ONE: LazyLock<String> = LazyLock::new(|| insert(1));

fn insert(rows: usize) -> String {
    let values = vec!["(?, ?, ?, ?, ?, ?)"; rows].join(", ");
    format!("INSERT INTO log (run, number, at, kind, step, detail) VALUES {values}")
}

impl Unwritten {
    /// Writes what waits. Before anything reads the table, and at the end of the transaction.
    pub(super) fn flush(&mut self, db: &Db) -> Result<()> {
        let doing = "write log entries";
        for rows in self.0.chunks(TOGETHER) {
            let (sql, size) = if rows.len() == TOGETHER { (&*MANY, TOGETHER) } else { (&*ONE, 1) };
            for rows in rows.chunks(size) {
                let values = rows
                    .iter()
                    .flat_map(|row| -> [&dyn ToSql; 6] { [&row.run, &row.number, &row.at, &row.kind, &row.step, &row.detail] });
                db.write(doing, sql, rusqlite::params_from_iter(values))?;
            }
        }
        self.0.clear();
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

pub(super) fn write(store: &mut SqliteStore, entry: &LogEntry) -> Result<()> {
    let SqliteStore { db, names, log, .. } = store;
    if !db.in_transaction() {
        return Err(Refusal::NoTransaction.when("write a log entry"));
    }
    log.0.push(Row {
        run: entry.run.0,
        number: entry.number,
        at: entry.at,
        kind: entry.kind as i64,
        step: names.number(db, &entry.step)?,
        detail: map_json(&entry.detail, "log entry")?,
    });
    if log.0.len() >= TOGETHER { log.flush(db) } else { Ok(()) }
}

pub(super) fn of_run(store: &mut SqliteStore, run: RunId) -> Result<Vec<LogEntry>> {
    let SqliteStore { db, names, log, .. } = store;
    log.flush(db)?;
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
