//! What was said to a contact so far, and what became of it.

use dsl::model::Fate;
use rusqlite::params;
use serde_json::{Map, Value, json};

use super::db::{Db, json_or_default};
use super::names::Names;
use crate::state::{ContactId, Event, EventId, MessageId, RunId};
use crate::store::{FateRow, Result, Slot};

/// The id of what is answered from messages: the highest, so that it comes after every event of its millisecond.
const AFTER_EVENTS: EventId = EventId(i64::MAX);

/// The event `message_sent`, which no row of events stands for.
pub(super) fn sent_events(db: &Db, names: &mut Names, contact: ContactId, from: i64, bare: bool) -> Result<Vec<Event>> {
    let mut events = db.rows(
        "read sent messages",
        "SELECT messages.id, at, template, workflows.name, step, channel
         FROM messages INDEXED BY messages_contact LEFT JOIN workflows ON workflows.id = workflow
         WHERE contact = ?1 AND messages.status = 3 AND at >= ?2",
        params![contact.0, from],
        |row| {
            let properties = if bare {
                Value::Null
            } else {
                json!({
                    "template": names.text(db, row.get(2)?)?,
                    "workflow": row.get::<_, Option<String>>(3)?,
                    "step": names.text(db, row.get(4)?)?,
                    "channel": names.text(db, row.get(5)?)?,
                })
            };
            Ok(Event { id: AFTER_EVENTS, at: row.get(1)?, properties, message: Some(MessageId(row.get(0)?)) })
        },
    )?;
    events.sort_by_key(|event| (event.at, event.message));
    Ok(events)
}

pub(super) fn fates(db: &Db, names: &mut Names, contact: ContactId, fate: Fate, from: i64) -> Result<Vec<FateRow>> {
    if fate == Fate::Sent {
        return sent(db, names, contact, from);
    }
    let Some(name) = names.find(db, fate.event())? else {
        return Ok(Vec::new());
    };
    db.rows(
        "read what became of messages",
        "SELECT events.id, events.at, messages.template, messages.run, events.properties
         FROM events LEFT JOIN messages ON messages.id = events.message
         WHERE events.contact = ?1 AND events.name = ?2 AND events.at >= ?3
             AND (NOT ?4 OR json_type(events.properties, '$.machine') IS NOT 'true') ORDER BY events.at, events.id",
        params![contact.0, name, from, fate.by_people()],
        |row| {
            let template = match row.get(2)? {
                Some(template) => names.text(db, template)?,
                None => json_or_default::<Map<String, Value>>(row, 4, "event")?
                    .get("template")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            };
            Ok(FateRow { id: EventId(row.get(0)?), at: row.get(1)?, template, run: row.get::<_, Option<i64>>(3)?.map(RunId) })
        },
    )
}

fn sent(db: &Db, names: &mut Names, contact: ContactId, from: i64) -> Result<Vec<FateRow>> {
    let mut rows = db.rows(
        "read sent messages",
        "SELECT at, template, run FROM messages INDEXED BY messages_contact
         WHERE contact = ?1 AND status = 3 AND at >= ?2 ORDER BY id",
        params![contact.0, from],
        |row| {
            Ok(FateRow {
                id: AFTER_EVENTS,
                at: row.get(0)?,
                template: names.text(db, row.get(1)?)?,
                run: Some(RunId(row.get(2)?)),
            })
        },
    )?;
    rows.sort_by_key(|row| row.at);
    Ok(rows)
}

pub(super) fn slots_taken(db: &Db, names: &mut Names, contact: ContactId, after: i64) -> Result<Vec<Slot>> {
    let mut slots = db.rows(
        "read the frequency caps' slots",
        "SELECT taken_at, topic, channel FROM messages INDEXED BY messages_contact
         WHERE contact = ?1 AND taken_at > ?2 AND marketing = 1 ORDER BY id DESC",
        params![contact.0, after],
        |row| {
            let topic = match row.get(1)? {
                Some(topic) => Some(names.text(db, topic)?),
                None => None,
            };
            Ok(Slot { at: row.get(0)?, topic, channel: names.text(db, row.get(2)?)? })
        },
    )?;
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.at));
    Ok(slots)
}

pub(super) fn latest(
    db: &Db,
    names: &mut Names,
    contact: ContactId,
    template: &str,
    workflow: Option<&str>,
) -> Result<Option<MessageId>> {
    let Some(template) = names.find(db, template)? else {
        return Ok(None);
    };
    db.row(
        "look up a message",
        "SELECT id FROM messages INDEXED BY messages_contact
         WHERE contact = ?1 AND template = ?2 AND attempts > 0
             AND (?3 IS NULL OR workflow = (SELECT id FROM workflows WHERE name = ?3))
         ORDER BY at DESC, id DESC LIMIT 1",
        params![contact.0, template, workflow],
        |row| Ok(MessageId(row.get(0)?)),
    )
}
