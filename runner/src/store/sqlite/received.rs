//! What was received once must not count twice: message ids and idempotency keys, and the answers given.

use rusqlite::params;

use super::db::{Db, sql_limit};
use crate::store::Result;

pub(super) fn find(db: &Db, id: &str) -> Result<Option<String>> {
    db.row("look up what was received", "SELECT answer FROM received WHERE id = ?1", [id], |row| Ok(row.get(0)?))
}

pub(super) fn remember(db: &Db, id: &str, answer: &str, now: i64) -> Result<()> {
    let sql = "INSERT INTO received (id, at, answer) VALUES (?1, ?2, ?3)";
    db.write_one("write what was received", sql, params![id, now, answer])
}

pub(super) fn forget(db: &Db, before: i64, limit: usize) -> Result<usize> {
    db.write(
        "forget what was received",
        "DELETE FROM received WHERE id IN (SELECT id FROM received WHERE at < ?1 ORDER BY at LIMIT ?2)",
        params![before, sql_limit(limit)],
    )
}
