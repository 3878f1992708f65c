//! What other processes left for the runner to do.

use rusqlite::params;

use super::db::{Db, json, sql_limit, to_json};
use crate::store::{InboxItem, Result};

pub(super) fn push(db: &Db, item: &InboxItem, now: i64) -> Result<()> {
    db.write(
        "leave an item in the inbox",
        "INSERT INTO inbox (at, item) VALUES (?1, ?2)",
        params![now, to_json(item, "inbox item")?],
    )?;
    Ok(())
}

pub(super) fn oldest(db: &Db, limit: usize) -> Result<Vec<(i64, i64, InboxItem)>> {
    db.rows("read the inbox", "SELECT id, at, item FROM inbox ORDER BY id LIMIT ?1", [sql_limit(limit)], |row| {
        Ok((row.get(0)?, row.get(1)?, json(row, 2, "inbox item")?))
    })
}

pub(super) fn remove(db: &Db, id: i64) -> Result<()> {
    db.write("empty the inbox", "DELETE FROM inbox WHERE id = ?1", [id])?;
    Ok(())
}
