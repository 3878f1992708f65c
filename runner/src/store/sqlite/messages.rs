//! Messages on their way: the rows, and the channels' due queues.

use std::collections::HashMap;

use rusqlite::{Row, params};

use super::SqliteStore;
use super::db::{Db, Read, Refusal, damaged, sql_limit};
use super::memo::Memo;
use super::names::Names;
use super::timers::Line;
use crate::state::{ContactId, DefinitionId, Message, MessageId, MessageStatus, RunId, WorkflowId};
use crate::store::Result;

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT id, run, contact, workflow, definition, step, visit, template, channel, topic, marketing, status, attempts,
                 created_at, due, taken_at, at, capped_at, recipient, subject, error FROM messages ",
            $rest
        )
    };
}

fn status(number: i64) -> Result<MessageStatus> {
    MessageStatus::from_number(number).ok_or_else(|| damaged("message", "its status is unknown"))
}

/// When it stands in a queue.
fn queued(status: MessageStatus, due: i64) -> Option<i64> {
    (status == MessageStatus::Queued).then_some(due)
}

fn read(row: &Row<'_>, db: &Db, names: &mut Names, memo: &mut Memo) -> Read<Message> {
    let id: i64 = row.get(0)?;
    let status = status(row.get(11)?)?;
    let due = row.get(14)?;
    if db.in_transaction() {
        memo.messages.insert(id, (status, queued(status, due)));
    }
    Ok(Message {
        id: MessageId(id),
        run: RunId(row.get(1)?),
        contact: ContactId(row.get(2)?),
        workflow: WorkflowId(row.get(3)?),
        definition: DefinitionId(row.get(4)?),
        step: names.text(db, row.get(5)?)?,
        visit: row.get(6)?,
        template: names.text(db, row.get(7)?)?,
        channel: names.text(db, row.get(8)?)?,
        topic: match row.get(9)? {
            Some(topic) => Some(names.text(db, topic)?),
            None => None,
        },
        marketing: row.get(10)?,
        status,
        attempts: row.get(12)?,
        created_at: row.get(13)?,
        due,
        taken_at: row.get(15)?,
        at: row.get(16)?,
        capped_at: row.get(17)?,
        to: row.get(18)?,
        subject: row.get(19)?,
        error: row.get(20)?,
    })
}

pub(super) fn insert(store: &mut SqliteStore, message: &Message) -> Result<MessageId> {
    let SqliteStore { db, names, .. } = store;
    let channel = names.number(db, &message.channel)?;
    let topic = match &message.topic {
        Some(topic) => Some(names.number(db, topic)?),
        None => None,
    };
    let id = db.insert(
        "write a message",
        "INSERT INTO messages (run, contact, workflow, definition, step, visit, template, channel, topic, marketing, status, attempts,
             created_at, due, taken_at, at, capped_at, recipient, subject, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        params![
            message.run.0,
            message.contact.0,
            message.workflow.0,
            message.definition.0,
            names.number(db, &message.step)?,
            message.visit,
            names.number(db, &message.template)?,
            channel,
            topic,
            message.marketing,
            message.status as i64,
            message.attempts,
            message.created_at,
            message.due,
            message.taken_at,
            message.at,
            message.capped_at,
            message.to,
            message.subject,
            message.error
        ],
    )?;
    let due = queued(message.status, message.due);
    store.tally.message(None, message.status);
    store.memo.messages.insert(id, (message.status, due));
    store.recent.keep_message(&Message { id: MessageId(id), ..message.clone() });
    if let (Some(timers), Some(due)) = (&mut store.timers, due) {
        timers.add(Line::Messages(channel), due, id);
    }
    Ok(MessageId(id))
}

pub(super) fn find(store: &mut SqliteStore, id: MessageId) -> Result<Option<Message>> {
    let SqliteStore { db, names, memo, recent, .. } = store;
    let inside = db.in_transaction();
    if let Some(message) = recent.message(id.0).filter(|_| inside) {
        memo.messages.insert(id.0, (message.status, queued(message.status, message.due)));
        return Ok(Some(message.clone()));
    }
    let found = db.row("read a message", columns!("WHERE id = ?1"), [id.0], |row| read(row, db, names, memo))?;
    if let Some(message) = found.as_ref().filter(|_| inside) {
        recent.keep_message(message);
    }
    Ok(found)
}

/// Moves a queued message from one channel's queue to another's.
pub(super) fn redirect(store: &mut SqliteStore, id: MessageId, channel: &str) -> Result<()> {
    let doing = "write a message";
    let message = find(store, id)?.filter(|message| message.status == MessageStatus::Queued);
    let mut message = message.ok_or_else(|| Refusal::NoRow.when(doing))?;
    let from = store.names.number(&store.db, &message.channel)?;
    let to = store.names.number(&store.db, channel)?;
    store.db.write_one(doing, "UPDATE messages SET channel = ?2 WHERE id = ?1", params![id.0, to])?;
    channel.clone_into(&mut message.channel);
    store.recent.keep_message(&message);
    if let Some(timers) = &mut store.timers {
        timers.change(Line::Messages(from), id.0, Some(message.due), None);
        timers.change(Line::Messages(to), id.0, None, Some(message.due));
    }
    Ok(())
}

pub(super) fn update(store: &mut SqliteStore, message: &Message) -> Result<()> {
    let doing = "write a message";
    let id = message.id.0;
    let (status_before, due_before) = before(store, message.id)?.ok_or_else(|| Refusal::NoRow.when(doing))?;
    let SqliteStore { db, names, .. } = store;
    let step = names.number(db, &message.step)?;
    let content = params![
        id,
        message.definition.0,
        step,
        message.attempts,
        message.due,
        message.taken_at,
        message.at,
        message.capped_at,
        message.to,
        message.subject,
        message.error,
        message.status as i64
    ];
    if status_before == message.status {
        // Naming the status would cost the index as much as changing it; the last parameter keeps the two lists the same.
        db.write_one(
            doing,
            "UPDATE messages SET definition = ?2, step = ?3, attempts = ?4, due = ?5, taken_at = ?6, at = ?7, capped_at = ?8,
                 recipient = ?9, subject = ?10, error = ?11
             WHERE id = ?1 AND ?12 = status",
            content,
        )?;
    } else {
        db.write_one(
            doing,
            "UPDATE messages SET definition = ?2, step = ?3, attempts = ?4, due = ?5, taken_at = ?6, at = ?7, capped_at = ?8,
                 recipient = ?9, subject = ?10, error = ?11, status = ?12
             WHERE id = ?1",
            content,
        )?;
        store.tally.message(Some(status_before), message.status);
    }
    let due = queued(message.status, message.due);
    store.memo.messages.insert(id, (message.status, due));
    store.recent.keep_message(message);
    if store.timers.is_some() {
        let channel = store.names.number(&store.db, &message.channel)?;
        if let Some(timers) = &mut store.timers {
            timers.change(Line::Messages(channel), id, due_before, due);
        }
    }
    Ok(())
}

/// The status as it is now, and when it is due if it is queued.
fn before(store: &SqliteStore, id: MessageId) -> Result<Option<(MessageStatus, Option<i64>)>> {
    if let Some(known) = store.memo.messages.get(&id.0) {
        return Ok(Some(*known));
    }
    store.db.row("read a message", "SELECT status, due FROM messages WHERE id = ?1", [id.0], |row| {
        let status = status(row.get(0)?)?;
        Ok((status, queued(status, row.get(1)?)))
    })
}

/// Every queued message by channel: when it is due, and which.
pub(super) fn queues(db: &Db) -> Result<HashMap<i64, Vec<(i64, i64)>>> {
    let mut queues: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
    db.rows(
        "read the queued messages",
        "SELECT channel, due, id FROM messages INDEXED BY messages_unsent WHERE status = 1 AND status <> 3",
        [],
        |row| {
            queues.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
            Ok(())
        },
    )?;
    Ok(queues)
}

pub(super) fn due(store: &mut SqliteStore, channel: &str, now: i64, limit: usize) -> Result<Vec<MessageId>> {
    match store.names.find(&store.db, channel)? {
        Some(channel) => {
            let timers = store.timers()?;
            Ok(timers.due(Line::Messages(channel), now, limit).map(MessageId).collect())
        }
        None => Ok(Vec::new()),
    }
}

pub(super) fn next_due(store: &mut SqliteStore, channel: &str) -> Result<Option<i64>> {
    match store.names.find(&store.db, channel)? {
        Some(channel) => Ok(store.timers()?.next(Line::Messages(channel))),
        None => Ok(None),
    }
}

pub(super) fn park(store: &mut SqliteStore, id: MessageId) -> Result<()> {
    let place =
        store.db.row("read a message", "SELECT channel, due FROM messages WHERE id = ?1 AND status = 1", [id.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if let Some((channel, due)) = place {
        store.timers()?.remove(Line::Messages(channel), due, id.0);
    }
    Ok(())
}

pub(super) fn unpark(store: &mut SqliteStore, workflow: WorkflowId) -> Result<()> {
    let entries: Vec<(i64, i64, i64)> = store.db.rows(
        "read the queued messages",
        "SELECT channel, due, id FROM messages INDEXED BY messages_unsent WHERE status = 1 AND status <> 3 AND workflow = ?1",
        [workflow.0],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let timers = store.timers()?;
    for (channel, due, id) in entries {
        timers.add(Line::Messages(channel), due, id);
    }
    Ok(())
}

pub(super) fn in_doubt(db: &Db) -> Result<Vec<MessageId>> {
    db.rows(
        "read the messages in doubt",
        "SELECT id FROM messages INDEXED BY messages_unsent WHERE status = 2 AND status <> 3 ORDER BY id",
        [],
        |row| Ok(MessageId(row.get(0)?)),
    )
}

pub(super) fn after(
    store: &mut SqliteStore,
    after: MessageId,
    status: Option<MessageStatus>,
    limit: usize,
) -> Result<Vec<Message>> {
    let SqliteStore { db, names, memo, .. } = store;
    let read = |row: &Row<'_>| read(row, db, names, memo);
    let doing = "list messages";
    let limit = sql_limit(limit);
    match status {
        None => db.rows(doing, columns!("WHERE id > ?1 ORDER BY id LIMIT ?2"), params![after.0, limit], read),
        // Most messages are sent, and only those that are not have an index.
        Some(MessageStatus::Sent) => {
            db.rows(doing, columns!("WHERE id > ?1 AND status = 3 ORDER BY id LIMIT ?2"), params![after.0, limit], read)
        }
        Some(status) => db.rows(
            doing,
            columns!("INDEXED BY messages_unsent WHERE status = ?1 AND status <> 3 AND id > ?2 ORDER BY id LIMIT ?3"),
            params![status as i64, after.0, limit],
            read,
        ),
    }
}

pub(super) fn of_contact(store: &mut SqliteStore, contact: ContactId) -> Result<Vec<Message>> {
    let SqliteStore { db, names, memo, .. } = store;
    db.rows("list a contact's messages", columns!("WHERE contact = ?1 ORDER BY id"), [contact.0], |row| {
        read(row, db, names, memo)
    })
}

/// How many are due by then, and the earliest.
pub(super) fn due_count(db: &Db, now: i64) -> Result<(i64, Option<i64>)> {
    let found = db.row(
        "count what is due",
        "SELECT count(*), min(due) FROM messages INDEXED BY messages_unsent WHERE status = 1 AND status <> 3 AND due <= ?1",
        [now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(found.unwrap_or_default())
}
