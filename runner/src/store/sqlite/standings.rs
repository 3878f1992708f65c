//! Where contacts stand: the values of their traits, what is kept to go on from there, and when time alone may change something.

use rusqlite::params;

use super::SqliteStore;
use super::db::{Db, damaged, to_json};
use super::timers::Line;
use crate::standing::Standing;
use crate::state::{Contact, ContactId};
use crate::store::Result;

pub(super) fn find(db: &Db, contact: ContactId) -> Result<Option<Standing>> {
    let bytes = db.row("read where a contact stands", "SELECT standing FROM contacts WHERE id = ?1", [contact.0], |row| {
        Ok(row.get::<_, Option<Vec<u8>>>(0)?)
    })?;
    let Some(bytes) = bytes.flatten() else { return Ok(None) };
    Standing::from_bytes(&bytes).map(Some).ok_or_else(|| damaged("contact", "where it stands cannot be read"))
}

pub(super) fn set(store: &mut SqliteStore, contact: &Contact, standing: &Standing) -> Result<()> {
    let doing = "write where a contact stands";
    let was = match store.recent.contact(contact.id.0) {
        Some(known) => known.upkeep.recheck,
        None => {
            let row = store.db.row(doing, "SELECT recheck FROM contacts WHERE id = ?1", [contact.id.0], |row| Ok(row.get(0)?))?;
            row.flatten()
        }
    };
    let traits = if contact.traits.is_empty() { None } else { Some(to_json(&contact.traits, "contact")?) };
    store.db.write_one(
        doing,
        "UPDATE contacts SET traits = ?2, version = ?3, recheck = ?4, standing = ?5 WHERE id = ?1",
        params![contact.id.0, traits, contact.upkeep.version, contact.upkeep.recheck, standing.to_bytes()],
    )?;
    if was != contact.upkeep.recheck
        && let Some(timers) = &mut store.timers
    {
        timers.change(Line::Contacts, contact.id.0, was, contact.upkeep.recheck);
    }
    if let Some(known) = store.recent.contact_mut(contact.id.0) {
        // The rest of the record is the row's, whatever the caller has changed and not written yet.
        known.traits.clone_from(&contact.traits);
        known.upkeep = contact.upkeep;
    }
    Ok(())
}

/// All that is in the queue, as (time, contact).
pub(super) fn queue(db: &Db) -> Result<Vec<(i64, i64)>> {
    db.rows("read when contacts are to be looked at", "SELECT recheck, id FROM contacts WHERE recheck IS NOT NULL", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}
