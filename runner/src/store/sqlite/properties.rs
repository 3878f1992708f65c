//! Small named texts.

use rusqlite::params;

use super::db::{Db, damaged};
use crate::store::Result;

pub(super) fn find(db: &Db, name: &str) -> Result<Option<String>> {
    db.row("read a property", "SELECT value FROM properties WHERE name = ?1", [name], |row| Ok(row.get(0)?))
}

pub(super) fn set(db: &Db, name: &str, value: &str) -> Result<()> {
    db.write(
        "write a property",
        "INSERT INTO properties (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
        params![name, value],
    )?;
    Ok(())
}

pub(super) fn remove(db: &Db, name: &str) -> Result<bool> {
    Ok(db.write("remove a property", "DELETE FROM properties WHERE name = ?1", [name])? > 0)
}

pub(super) fn any(db: &Db, beginning: &str) -> Result<bool> {
    let after = format!("{beginning}{}", char::MAX);
    let sql = "SELECT 1 FROM properties WHERE name >= ?1 AND name < ?2 LIMIT 1";
    Ok(db.row("look for properties", sql, params![beginning, after], |_| Ok(()))?.is_some())
}

/// Written with the tables.
pub(super) fn secret(db: &Db) -> Result<String> {
    find(db, "secret")?.ok_or_else(|| damaged("property", "its secret is missing"))
}

/// Written with the tables.
pub(super) fn identity(db: &Db) -> Result<String> {
    find(db, "identity")?.ok_or_else(|| damaged("property", "its identity is missing"))
}
