//! Contacts that turn out to be one person: other names for a contact, and two contacts made one.

use rusqlite::params;

use super::SqliteStore;
use super::db::{Db, Refusal};
use super::timers::Line;
use crate::state::ContactId;
use crate::store::Result;

const DOING: &str = "join two contacts";

pub(super) fn set_alias(db: &Db, uid: &str, contact: ContactId) -> Result<()> {
    // Whose row the name once was does not become another's with it.
    let sql = "INSERT INTO aliases (uid, contact) VALUES (?1, ?2) ON CONFLICT (uid) DO UPDATE
                   SET contact = excluded.contact, was = CASE WHEN contact = excluded.contact THEN was END";
    db.write_one("write an alias", sql, params![uid, contact.0])
}

pub(super) fn of_contact(db: &Db, contact: ContactId) -> Result<Vec<String>> {
    db.rows("read a contact's aliases", "SELECT uid FROM aliases WHERE contact = ?1 ORDER BY uid", [contact.0], |row| {
        Ok(row.get(0)?)
    })
}

pub(super) fn joined_to(db: &Db, was: ContactId) -> Result<Option<ContactId>> {
    db.row("look up a joined contact", "SELECT contact FROM aliases WHERE was = ?1 LIMIT 1", [was.0], |row| {
        Ok(ContactId(row.get(0)?))
    })
}

/// What moves from one contact (?1) to another (?2), in order.
const MOVES: [&str; 8] = [
    // One person counts once in an experiment.
    "UPDATE variant_counts SET assigned = assigned - 1, opened = opened - (gone.opened_at IS NOT NULL),
         clicked = clicked - (gone.clicked_at IS NOT NULL), goals = goals - (gone.goal_at IS NOT NULL),
         value = variant_counts.value - coalesce(gone.value, 0)
     FROM assignments gone JOIN assignments stays USING (workflow, experiment)
     WHERE gone.contact = ?1 AND stays.contact = ?2 AND gone.run IS NOT NULL AND variant_counts.workflow = gone.workflow
         AND variant_counts.experiment = gone.experiment AND variant_counts.variant = gone.variant",
    "UPDATE events SET contact = ?2 WHERE contact = ?1",
    "UPDATE runs SET contact = ?2 WHERE contact = ?1",
    "UPDATE messages SET contact = ?2 WHERE contact = ?1",
    "UPDATE OR IGNORE assignments SET contact = ?2 WHERE contact = ?1",
    "UPDATE OR IGNORE list_members SET contact = ?2 WHERE contact = ?1",
    "UPDATE aliases SET contact = ?2 WHERE contact = ?1",
    "INSERT OR REPLACE INTO aliases (uid, contact, was) SELECT uid, ?2, ?1 FROM contacts WHERE id = ?1",
];

/// What is then left of the one.
const LEFT: [&str; 4] = [
    "DELETE FROM assignments WHERE contact = ?1",
    "DELETE FROM list_members WHERE contact = ?1",
    "DELETE FROM date_timers WHERE contact = ?1",
    "DELETE FROM contacts WHERE id = ?1",
];

pub(super) fn join(store: &mut SqliteStore, from: ContactId, into: ContactId) -> Result<()> {
    store.db.need_transaction(DOING)?;
    store.log.flush(&store.db)?;
    store.recent.clear();
    let both = store.db.row(
        DOING,
        "SELECT 1 FROM runs one JOIN runs other ON other.contact = ?2 AND other.workflow = one.workflow AND other.key = one.key
             AND other.closed = 0
         WHERE one.contact = ?1 AND one.closed = 0 LIMIT 1",
        params![from.0, into.0],
        |_| Ok(()),
    )?;
    if both.is_some() {
        return Err(Refusal::OpenRuns.when(DOING));
    }
    let gone = super::contacts::find(store, from)?;
    if let (Some(gone), Some(timers)) = (gone, &mut store.timers) {
        timers.change(Line::Contacts, from.0, gone.upkeep.recheck, None);
    }
    for sql in MOVES {
        store.db.write(DOING, sql, params![from.0, into.0])?;
    }
    store.recent.clear();
    for sql in LEFT {
        store.db.write(DOING, sql, [from.0])?;
    }
    Ok(())
}
