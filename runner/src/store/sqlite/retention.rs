//! Deleting what is older than it is to be kept, a stretch of rows at a time.

use rusqlite::params;

use super::SqliteStore;
use super::db::{Db, sql_limit};
use crate::state::ContactId;
use crate::store::{Expired, Old, Result};

const DOING: &str = "delete what is too old";

/// The last row of the stretch of so many that begins after this one.
fn end(db: &Db, sql: &str, after: i64, limit: usize) -> Result<Option<i64>> {
    let last = db.row(DOING, sql, params![after, sql_limit(limit)], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    Ok(last.flatten())
}

pub(super) fn expire(store: &mut SqliteStore, old: Old, before: i64, after: i64, limit: usize) -> Result<Expired> {
    store.log.flush(&store.db)?;
    let (stretch, delete) = match old {
        // What a contact said about consent is kept: it proves why they were written to.
        Old::Events => (
            "SELECT max(id) FROM (SELECT id FROM events WHERE id > ?1 ORDER BY id LIMIT ?2)",
            "DELETE FROM events WHERE id > ?1 AND id <= ?2 AND at < ?3
                 AND name NOT IN (SELECT id FROM names WHERE name IN ('subscribed', 'unsubscribed'))
             RETURNING contact",
        ),
        Old::Messages => (
            "SELECT max(id) FROM (SELECT id FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2)",
            "DELETE FROM messages WHERE id > ?1 AND id <= ?2 AND at < ?3 AND status NOT IN (1, 2) RETURNING contact",
        ),
        Old::RunLogs => (
            "SELECT max(id) FROM (SELECT id FROM runs WHERE id > ?1 ORDER BY id LIMIT ?2)",
            "DELETE FROM log WHERE run IN (SELECT id FROM runs WHERE id > ?1 AND id <= ?2 AND ended_at < ?3)
             RETURNING NULL",
        ),
    };
    let Some(last) = end(&store.db, stretch, after, limit)? else {
        return Ok(Expired { contacts: Vec::new(), next: None });
    };
    let gone = store.db.changed_rows(DOING, delete, params![after, last, before], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    if !gone.is_empty() {
        store.recent.clear();
    }
    let mut contacts: Vec<ContactId> = gone.into_iter().flatten().map(ContactId).collect();
    contacts.sort_unstable();
    contacts.dedup();
    Ok(Expired { contacts, next: Some(last) })
}
