//! Erasing a contact: everything personal goes, in every table, and out of the file itself.

use rusqlite::params;

use super::SqliteStore;
use super::db::{Refusal, backend};
use crate::state::ContactId;
use crate::store::Result;

const DOING: &str = "erase a contact";

/// What holds something personal, by the contact's id. Logs and the rest of a run stay countable, without what they said.
const STATEMENTS: [&str; 9] = [
    "DELETE FROM aliases WHERE contact = ?1",
    "DELETE FROM list_members WHERE contact = ?1",
    "DELETE FROM events WHERE contact = ?1",
    "UPDATE messages SET recipient = NULL, subject = NULL, error = NULL WHERE contact = ?1",
    "UPDATE log SET detail = NULL WHERE detail IS NOT NULL AND run IN (SELECT id FROM runs WHERE contact = ?1)",
    "UPDATE runs SET key = '', detail = NULL WHERE contact = ?1",
    "DELETE FROM assignments WHERE contact = ?1",
    "DELETE FROM date_timers WHERE contact = ?1",
    "DELETE FROM inbox WHERE json_extract(item, '$.enroll.contact') = ?1",
];

pub(super) fn erase(store: &mut SqliteStore, id: ContactId, now: i64) -> Result<()> {
    store.db.need_transaction(DOING)?;
    store.log.flush(&store.db)?;
    let open = store.db.row(DOING, "SELECT 1 FROM runs WHERE contact = ?1 AND closed = 0 LIMIT 1", [id.0], |_| Ok(()))?;
    if open.is_some() {
        return Err(Refusal::OpenRuns.when(DOING));
    }
    let uid = format!("erased-{}", store.unguessable(id.0)?);
    let contact = super::contacts::find(store, id)?;
    if let (Some(contact), Some(timers)) = (contact, &mut store.timers) {
        timers.change(super::timers::Line::Contacts, id.0, contact.upkeep.recheck, None);
    }
    secure_delete(store, "ON")?;
    let done = erase_rows(store, id, &uid, now);
    // Only now: looking the contact up would keep what they were.
    store.recent.clear();
    secure_delete(store, "FAST")?;
    store.erased = true;
    done
}

fn erase_rows(store: &SqliteStore, id: ContactId, uid: &str, now: i64) -> Result<()> {
    store.db.write_one(
        DOING,
        "UPDATE contacts SET uid = ?2, email = NULL, phone = NULL, locale = NULL, time_zone = NULL, attributes = NULL,
             consent = NULL, traits = NULL, standing = NULL, recheck = NULL, anonymous = 0, erased = 1, changed_at = ?3
         WHERE id = ?1",
        params![id.0, uid, now],
    )?;
    for statement in STATEMENTS {
        store.db.write(DOING, statement, [id.0])?;
    }
    Ok(())
}

/// `ON` also overwrites whole pages that become free, which costs writing them.
fn secure_delete(store: &SqliteStore, how: &str) -> Result<()> {
    store.db.conn.pragma_update(None, "secure_delete", how).map_err(backend(DOING))
}
