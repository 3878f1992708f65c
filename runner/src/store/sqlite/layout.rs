//! The tables, and how a store of an older layout becomes one of this layout.
//!
//! `PRAGMA user_version` counts the steps in [`STEPS`] that a store has been through. A step that was released is never changed: the next layout is
//! a further step.

use rusqlite::Connection;

use super::db::backend;
use crate::store::{Result, StoreError};

/// Marks the file as a campaignd store (`PRAGMA application_id`): "cmpd".
const APPLICATION: i64 = 0x636d_7064;

/// What each layout adds to the one before.
const STEPS: [&str; 3] = [FIRST, AUDIENCE, MESSAGING];

/// Times are milliseconds since 1970 UTC. `step`, `template`, `channel`, `topic`, `experiment`, `variant`, an event's `name` and a timer's `trigger`
/// are rows of `names`.
///
/// - Nothing is indexed by the time it is due: those queues are in memory, built from the partial indexes of what is not finished.
/// - `runs.closed` is 0 while the run is open, then the run's id: one unique index allows one open run and any number of ended ones, and serves as
///   the history.
/// - The ids of events, definitions and inbox items are never given twice, whatever is deleted; from [`AUDIENCE`] on, those of contacts and messages
///   neither.
const FIRST: &str = "
CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY,
    uid TEXT NOT NULL,
    email TEXT, phone TEXT, locale TEXT, time_zone TEXT,
    consent TEXT,
    erased INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    attributes TEXT
) STRICT;
CREATE UNIQUE INDEX contacts_uid ON contacts (uid);
CREATE INDEX contacts_zone ON contacts (time_zone) WHERE erased = 0;

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact INTEGER NOT NULL,
    name INTEGER NOT NULL,
    at INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    message INTEGER,
    uid TEXT,
    properties TEXT
) STRICT;
CREATE INDEX events_contact ON events (contact, name, at);
CREATE UNIQUE INDEX events_uid ON events (uid) WHERE uid IS NOT NULL;

CREATE TABLE workflows (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    definition INTEGER,
    status TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE definitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow INTEGER NOT NULL,
    hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    canonical TEXT NOT NULL,
    UNIQUE (workflow, hash)
) STRICT;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    contact INTEGER NOT NULL,
    workflow INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    closed INTEGER NOT NULL DEFAULT 0,
    due INTEGER,
    entered_at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    ended_at INTEGER,
    reason INTEGER,
    detail TEXT,
    key TEXT NOT NULL,
    state TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX runs_contact ON runs (contact, workflow, key, closed);
CREATE INDEX runs_open ON runs (workflow) WHERE closed = 0;

CREATE TABLE log (
    run INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    step INTEGER NOT NULL,
    detail TEXT,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE assignments (
    contact INTEGER NOT NULL,
    workflow INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    variant INTEGER NOT NULL,
    PRIMARY KEY (contact, workflow, experiment)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    workflow INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    step INTEGER NOT NULL,
    visit INTEGER NOT NULL,
    template INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    topic INTEGER,
    marketing INTEGER NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due INTEGER NOT NULL,
    taken_at INTEGER,
    at INTEGER NOT NULL,
    capped_at INTEGER,
    recipient TEXT,
    subject TEXT,
    error TEXT
) STRICT;
CREATE INDEX messages_contact ON messages (contact);
CREATE INDEX messages_unsent ON messages (status) WHERE status <> 3;
CREATE TABLE message_counts (status INTEGER PRIMARY KEY, number INTEGER NOT NULL) STRICT;

CREATE TABLE schedules (
    workflow INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    zone TEXT NOT NULL,
    next INTEGER,
    PRIMARY KEY (workflow, trigger, zone)
) STRICT, WITHOUT ROWID;
CREATE TABLE sweeps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow INTEGER NOT NULL,
    trigger TEXT NOT NULL,
    kind TEXT NOT NULL,
    cursor INTEGER NOT NULL
) STRICT;
CREATE TABLE date_timers (
    workflow INTEGER NOT NULL,
    trigger INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (contact, workflow, trigger)
) STRICT, WITHOUT ROWID;
CREATE INDEX date_timers_at ON date_timers (at);

CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, item TEXT NOT NULL) STRICT;
CREATE TABLE counters (
    workflow INTEGER NOT NULL,
    what TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (workflow, what)
) STRICT, WITHOUT ROWID;
";

/// What is worked out about contacts, and other names that lead to them.
///
/// - Contacts that are joined to others are deleted, and so are old messages; links, events and what waits in the inbox may still name them. So their
///   tables are made again with ids that are never given twice.
/// - `contacts.traits`: the values of the traits, as conditions and templates see them. `standing`: what is needed to keep them and the segments
///   up to date; `version`: of the definitions it was worked out under (0: never); `recheck`: when time alone may change it, the queue of which is in
///   memory.
/// - `aliases.was`: the row of a contact that was joined to this one; links that were sent to it still name it.
/// - `list_members`: the members of static segments; `list` is a row of `names`.
/// - `received`: what the HTTP interface took that is no event, by its message id or idempotency key, and the answer it gave.
const AUDIENCE: &str = "
CREATE TABLE contacts_again (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    email TEXT, phone TEXT, locale TEXT, time_zone TEXT,
    consent TEXT,
    erased INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    attributes TEXT,
    anonymous INTEGER NOT NULL DEFAULT 0,
    traits TEXT,
    recheck INTEGER,
    version INTEGER NOT NULL DEFAULT 0,
    standing BLOB
) STRICT;
INSERT INTO contacts_again (id, uid, email, phone, locale, time_zone, consent, erased, created_at, changed_at, attributes)
    SELECT id, uid, email, phone, locale, time_zone, consent, erased, created_at, changed_at, attributes FROM contacts ORDER BY id;
DROP TABLE contacts;
ALTER TABLE contacts_again RENAME TO contacts;
CREATE UNIQUE INDEX contacts_uid ON contacts (uid);
CREATE INDEX contacts_zone ON contacts (time_zone) WHERE erased = 0;
CREATE INDEX contacts_email ON contacts (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE messages_again (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    workflow INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    step INTEGER NOT NULL,
    visit INTEGER NOT NULL,
    template INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    topic INTEGER,
    marketing INTEGER NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    due INTEGER NOT NULL,
    taken_at INTEGER,
    at INTEGER NOT NULL,
    capped_at INTEGER,
    recipient TEXT,
    subject TEXT,
    error TEXT
) STRICT;
INSERT INTO messages_again SELECT * FROM messages ORDER BY id;
DROP TABLE messages;
ALTER TABLE messages_again RENAME TO messages;
CREATE INDEX messages_contact ON messages (contact);
CREATE INDEX messages_unsent ON messages (status) WHERE status <> 3;

CREATE TABLE aliases (uid TEXT PRIMARY KEY, contact INTEGER NOT NULL, was INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_contact ON aliases (contact);
CREATE INDEX aliases_was ON aliases (was) WHERE was IS NOT NULL;
CREATE TABLE list_members (
    contact INTEGER NOT NULL,
    list INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (contact, list)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_members_list ON list_members (list, contact);
CREATE TABLE received (id TEXT PRIMARY KEY, at INTEGER NOT NULL, answer TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX received_at ON received (at);
";

/// What is sent, to whom it must not be, and what came of it.
///
/// - `suppressed`: addresses that get nothing; `channel` is a row of `names`.
/// - `assignments.run`: the run whose doings count for the experiment; null where nothing counts. `since_at` and `since_event`: from when events count
///   for its goal; null where it was met before.
/// - `variant_counts`: what the assignments with a run come to, and those of contacts who were erased.
/// - `contests`: how far experiments with a winner are; `winner` is JSON.
const MESSAGING: &str = "
ALTER TABLE assignments ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assignments ADD COLUMN run INTEGER;
ALTER TABLE assignments ADD COLUMN since_at INTEGER;
ALTER TABLE assignments ADD COLUMN since_event INTEGER;
ALTER TABLE assignments ADD COLUMN opened_at INTEGER;
ALTER TABLE assignments ADD COLUMN clicked_at INTEGER;
ALTER TABLE assignments ADD COLUMN goal_at INTEGER;
ALTER TABLE assignments ADD COLUMN value REAL;
CREATE TABLE variant_counts (
    workflow INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    variant INTEGER NOT NULL,
    assigned INTEGER NOT NULL DEFAULT 0,
    opened INTEGER NOT NULL DEFAULT 0,
    clicked INTEGER NOT NULL DEFAULT 0,
    goals INTEGER NOT NULL DEFAULT 0,
    value REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (workflow, experiment, variant)
) STRICT, WITHOUT ROWID;
CREATE TABLE contests (
    workflow INTEGER NOT NULL,
    experiment INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    looks INTEGER NOT NULL,
    did INTEGER NOT NULL,
    spent REAL NOT NULL,
    winner TEXT,
    PRIMARY KEY (workflow, experiment)
) STRICT, WITHOUT ROWID;
CREATE TABLE goal_values (workflow INTEGER PRIMARY KEY, value REAL NOT NULL) STRICT;
CREATE TABLE suppressed (
    channel INTEGER NOT NULL,
    address TEXT NOT NULL,
    why INTEGER NOT NULL,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    detail TEXT,
    PRIMARY KEY (channel, address)
) STRICT, WITHOUT ROWID;
CREATE TABLE assets (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";

/// What a new store is given once, and keeps.
pub(super) struct Identity {
    pub identity: String,
    pub secret: String,
}

/// Brings the store to this layout; a new one gets all of it, and an identity.
pub(super) fn upgrade(conn: &Connection, shown: &str, new: &Identity) -> Result<()> {
    let doing = "set up its tables";
    let version = version(conn)?;
    if version == STEPS.len() as i64 {
        return check(conn, shown);
    }
    conn.execute_batch("BEGIN IMMEDIATE").map_err(backend(doing))?;
    let done = upgrade_inside(conn, shown, new);
    match done {
        Ok(()) => conn.execute_batch("COMMIT").map_err(backend(doing)),
        Err(error) => {
            // The reason for undoing it is the error worth reporting.
            let _ = conn.execute_batch("ROLLBACK");
            Err(error)
        }
    }
}

fn upgrade_inside(conn: &Connection, shown: &str, new: &Identity) -> Result<()> {
    let doing = "set up its tables";
    // Asked again inside the transaction: another process may have been quicker.
    let version = version(conn)?;
    if version == 0 {
        if !is_without_tables(conn)? {
            return Err(foreign(shown));
        }
    } else {
        check(conn, shown)?;
    }
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        conn.execute_batch(step).map_err(backend(doing))?;
    }
    if version == 0 {
        for (name, value) in [("identity", &new.identity), ("secret", &new.secret)] {
            let sql = "INSERT INTO properties (name, value) VALUES (?1, ?2)";
            conn.execute(sql, [name, value]).map_err(backend(doing))?;
        }
        conn.pragma_update(None, "application_id", APPLICATION).map_err(backend(doing))?;
    }
    conn.pragma_update(None, "user_version", STEPS.len() as i64).map_err(backend(doing))
}

/// Whether nothing was ever written to the file.
pub(super) fn is_blank(conn: &Connection) -> Result<bool> {
    let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(backend("read its layout"))?;
    Ok(pages == 0 || (version(conn)? == 0 && is_without_tables(conn)?))
}

fn is_without_tables(conn: &Connection) -> Result<bool> {
    let count = "SELECT count(*) FROM sqlite_master";
    let tables: i64 = conn.query_row(count, [], |row| row.get(0)).map_err(backend("read its layout"))?;
    Ok(tables == 0)
}

/// Refuses a file that is of another layout or not a store at all.
pub(super) fn check(conn: &Connection, shown: &str) -> Result<()> {
    let application: i64 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(backend("read its layout"))?;
    let version = version(conn)?;
    if application != APPLICATION {
        return Err(foreign(shown));
    }
    if version > STEPS.len() as i64 {
        return Err(StoreError::Newer(shown.to_owned(), version));
    }
    Ok(())
}

/// Whether the store must be upgraded before it can be used.
pub(super) fn is_older(conn: &Connection) -> Result<bool> {
    Ok(version(conn)? < STEPS.len() as i64)
}

fn version(conn: &Connection) -> Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(backend("read its layout"))
}

fn foreign(shown: &str) -> StoreError {
    StoreError::Damaged { what: "database", why: format!("{shown} was not made by campaignd") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a store of the first release holds is there afterwards, under the same ids.
    #[test]
    fn a_store_of_the_first_layout_keeps_everything() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(FIRST).unwrap();
        conn.execute_batch(
            "INSERT INTO properties VALUES ('identity', 'i'), ('secret', 's');
             INSERT INTO contacts (id, uid, email, created_at, changed_at, attributes) VALUES (7, 'ada', 'ada@example.com', 1, 2, '{\"a\":1}');
             INSERT INTO events (contact, name, at, stored_at, uid) VALUES (7, 1, 5, 6, 'e1');
             INSERT INTO messages (id, run, contact, workflow, definition, step, visit, template, channel, marketing, status, attempts,
                 created_at, due, at, subject) VALUES (9, 1, 7, 1, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 1, 'Hello');",
        )
        .unwrap();
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        upgrade(&conn, "a test", &Identity { identity: "new".to_owned(), secret: "new".to_owned() }).unwrap();
        assert!(!is_older(&conn).unwrap());
        let text = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
        assert_eq!(text("SELECT id || uid || email || attributes FROM contacts"), "7adaada@example.com{\"a\":1}");
        assert_eq!(text("SELECT contact || uid FROM events"), "7e1");
        assert_eq!(text("SELECT id || subject FROM messages"), "9Hello");
        assert_eq!(text("SELECT value FROM properties WHERE name = 'identity'"), "i");
        // An id is never given again, whatever was deleted.
        conn.execute_batch("DELETE FROM contacts; INSERT INTO contacts (uid, created_at, changed_at) VALUES ('bo', 1, 1)")
            .unwrap();
        assert_eq!(text("SELECT id || uid FROM contacts"), "8bo");
    }
}
