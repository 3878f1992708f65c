//! Events: what contacts did, and what happened to messages.

use rusqlite::{Row, params};
use serde_json::{Map, Value};

use super::db::{Db, Read, json_or_default, map_json, sql_limit};
use super::message_history;
use super::names::Names;
use crate::state::{ContactId, Event, EventId, MessageId, NewEvent};
use crate::store::{EventRow, Result, StoredEvent};

pub(super) fn insert(db: &Db, names: &mut Names, event: &NewEvent, now: i64) -> Result<Option<EventId>> {
    let name = names.number(db, &event.name)?;
    let written = db.write(
        "write an event",
        "INSERT INTO events (contact, name, at, stored_at, message, uid, properties) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (uid) WHERE uid IS NOT NULL DO NOTHING",
        params![
            event.contact.0,
            name,
            event.at,
            now,
            event.message.map(|message| message.0),
            event.uid,
            map_json(&event.properties, "event")?
        ],
    )?;
    Ok((written > 0).then(|| EventId(db.conn.last_insert_rowid())))
}

pub(super) fn of_contact(
    db: &Db,
    names: &mut Names,
    contact: ContactId,
    name: &str,
    from: i64,
    bare: bool,
) -> Result<Vec<Event>> {
    if name == dsl::model::Fate::Sent.event() {
        return message_history::sent_events(db, names, contact, from, bare);
    }
    let Some(name) = names.find(db, name)? else {
        return Ok(Vec::new());
    };
    if bare {
        // All of it stands in the index: the rows, which are all over the file, are not touched.
        return db.rows(
            "read events",
            "SELECT id, at FROM events INDEXED BY events_contact WHERE contact = ?1 AND name = ?2 AND at >= ?3 ORDER BY at, id",
            params![contact.0, name, from],
            bare_event,
        );
    }
    db.rows(
        "read events",
        "SELECT id, at, message, properties FROM events WHERE contact = ?1 AND name = ?2 AND at >= ?3 ORDER BY at, id",
        params![contact.0, name, from],
        read,
    )
}

pub(super) fn newest(db: &Db, names: &mut Names, contact: ContactId, name: &str, limit: usize) -> Result<Vec<Event>> {
    let Some(name) = names.find(db, name)? else {
        return Ok(Vec::new());
    };
    db.rows(
        "read the latest events",
        "SELECT id, at FROM events INDEXED BY events_contact WHERE contact = ?1 AND name = ?2 ORDER BY at DESC, id DESC LIMIT ?3",
        params![contact.0, name, sql_limit(limit)],
        bare_event,
    )
}

fn bare_event(row: &Row<'_>) -> Read<Event> {
    Ok(Event { id: EventId(row.get(0)?), at: row.get(1)?, properties: Value::Null, message: None })
}

fn read(row: &Row<'_>) -> Read<Event> {
    Ok(Event {
        id: EventId(row.get(0)?),
        at: row.get(1)?,
        message: row.get::<_, Option<i64>>(2)?.map(MessageId),
        properties: Value::Object(json_or_default::<Map<String, Value>>(row, 3, "event")?),
    })
}

pub(super) fn find(db: &Db, names: &mut Names, id: EventId) -> Result<Option<StoredEvent>> {
    db.row("read an event", "SELECT id, at, message, properties, contact, name FROM events WHERE id = ?1", [id.0], |row| {
        Ok(StoredEvent { event: read(row)?, contact: ContactId(row.get(4)?), name: names.text(db, row.get(5)?)? })
    })
}

pub(super) fn of_uid(db: &Db, uid: &str) -> Result<Option<EventId>> {
    db.row("look up an event", "SELECT id FROM events WHERE uid = ?1", [uid], |row| Ok(EventId(row.get(0)?)))
}

pub(super) fn page(db: &Db, names: &mut Names, after: EventId, limit: usize) -> Result<Vec<EventRow>> {
    db.rows(
        "list events",
        "SELECT id, at, message, properties, contact, name, uid FROM events WHERE id > ?1 ORDER BY id LIMIT ?2",
        params![after.0, sql_limit(limit)],
        |row| listed(row, db, names),
    )
}

pub(super) fn latest(db: &Db, names: &mut Names, contact: ContactId, limit: usize) -> Result<Vec<EventRow>> {
    db.rows(
        "list a contact's events",
        "SELECT id, at, message, properties, contact, name, uid FROM events INDEXED BY events_contact WHERE contact = ?1
         ORDER BY at DESC, id DESC LIMIT ?2",
        params![contact.0, sql_limit(limit)],
        |row| listed(row, db, names),
    )
}

fn listed(row: &Row<'_>, db: &Db, names: &mut Names) -> Read<EventRow> {
    Ok(EventRow { event: read(row)?, contact: ContactId(row.get(4)?), name: names.text(db, row.get(5)?)?, uid: row.get(6)? })
}

/// From SQLite's own count, which remembers also what was deleted.
pub(super) fn last(db: &Db) -> Result<EventId> {
    let last =
        db.row("read the last event's id", "SELECT seq FROM sqlite_sequence WHERE name = 'events'", [], |row| Ok(row.get(0)?))?;
    Ok(EventId(last.unwrap_or(0)))
}
