//! The suppression list.

use rusqlite::{Row, params};

use super::db::{Db, Read, damaged, sql_limit};
use super::names::Names;
use crate::state::{Suppressed, Why};
use crate::store::Result;

pub(super) fn add(db: &Db, names: &mut Names, suppressed: &Suppressed) -> Result<()> {
    let Suppressed { channel, address, why, at, source, detail } = suppressed;
    let channel = names.number(db, channel)?;
    db.write(
        "write the suppression list",
        "INSERT INTO suppressed (channel, address, why, at, source, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET why = excluded.why, at = excluded.at, source = excluded.source, detail = excluded.detail
             WHERE excluded.why = 3 AND why <> 3",
        params![channel, address, *why as i64, at, source, detail],
    )?;
    Ok(())
}

pub(super) fn remove(db: &Db, names: &mut Names, channel: &str, address: &str) -> Result<bool> {
    let Some(channel) = names.find(db, channel)? else { return Ok(false) };
    let sql = "DELETE FROM suppressed WHERE channel = ?1 AND address = ?2";
    Ok(db.write("write the suppression list", sql, params![channel, address])? > 0)
}

pub(super) fn find(db: &Db, names: &mut Names, channel: &str, address: &str) -> Result<Option<Suppressed>> {
    let Some(number) = names.find(db, channel)? else { return Ok(None) };
    db.row(
        "read the suppression list",
        "SELECT ?3, address, why, at, source, detail FROM suppressed WHERE channel = ?1 AND address = ?2",
        params![number, address, channel],
        read,
    )
}

pub(super) fn after(db: &Db, after: Option<(&str, &str)>, limit: usize) -> Result<Vec<Suppressed>> {
    let (channel, address) = after.unwrap_or_default();
    db.rows(
        "read the suppression list",
        "SELECT names.name, address, why, at, source, detail FROM suppressed JOIN names ON names.id = channel
         WHERE (names.name, address) > (?1, ?2) ORDER BY names.name, address LIMIT ?3",
        params![channel, address, sql_limit(limit)],
        read,
    )
}

fn read(row: &Row<'_>) -> Read<Suppressed> {
    Ok(Suppressed {
        channel: row.get(0)?,
        address: row.get(1)?,
        why: Why::from_number(row.get(2)?).ok_or_else(|| damaged("suppressed address", "its reason is unknown"))?,
        at: row.get(3)?,
        source: row.get(4)?,
        detail: row.get(5)?,
    })
}
