//! Static segments: lists of contacts.

use rusqlite::params;

use super::db::Db;
use super::names::Names;
use crate::state::ContactId;
use crate::store::Result;

pub(super) fn holds(db: &Db, names: &mut Names, contact: ContactId, list: &str) -> Result<bool> {
    let Some(list) = names.find(db, list)? else { return Ok(false) };
    let found = db.row(
        "look into a list",
        "SELECT 1 FROM list_members WHERE contact = ?1 AND list = ?2",
        params![contact.0, list],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

pub(super) fn set(db: &Db, names: &mut Names, contact: ContactId, list: &str, on: bool, now: i64) -> Result<bool> {
    let list = names.number(db, list)?;
    let changed = if on {
        db.write(
            "write a list",
            "INSERT INTO list_members (contact, list, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            params![contact.0, list, now],
        )?
    } else {
        db.write("write a list", "DELETE FROM list_members WHERE contact = ?1 AND list = ?2", params![contact.0, list])?
    };
    Ok(changed > 0)
}

pub(super) fn of_contact(db: &Db, contact: ContactId) -> Result<Vec<(String, i64)>> {
    db.rows(
        "read a contact's lists",
        "SELECT names.name, since FROM list_members JOIN names ON names.id = list WHERE contact = ?1 ORDER BY names.name",
        [contact.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
