//! Contacts: the profile and the consents.

use std::sync::Arc;

use rusqlite::{Row, params};
use serde_json::Value;

use super::SqliteStore;
use super::conditions::json_path;
use super::db::{Db, Read, json_or_default, map_json, sql_limit, to_json};
use crate::audience::walk;
use crate::state::{Consent, Contact, ContactId, TraitValue, Upkeep};
use crate::store::{ContactValues, Result, ValuesPage, ZoneFilter};

pub(super) fn find(store: &mut SqliteStore, id: ContactId) -> Result<Option<Contact>> {
    let SqliteStore { db, recent, .. } = store;
    let inside = db.in_transaction();
    if let Some(contact) = recent.contact(id.0).filter(|_| inside) {
        return Ok(Some(contact.clone()));
    }
    db.row(
        "read a contact",
        "SELECT id, uid, email, phone, locale, time_zone, attributes, consent, erased, anonymous, traits, version, recheck
         FROM contacts WHERE id = ?1",
        [id.0],
        |row| {
            let contact = read(row)?;
            if inside {
                let length = row.get_ref(6)?.as_str_or_null().map_err(rusqlite::Error::from)?.map_or(0, str::len);
                recent.keep_contact(&contact, length);
            }
            Ok(contact)
        },
    )
}

fn read(row: &Row<'_>) -> Read<Contact> {
    Ok(Contact {
        id: ContactId(row.get(0)?),
        uid: row.get(1)?,
        email: row.get(2)?,
        phone: row.get(3)?,
        locale: row.get(4)?,
        time_zone: row.get(5)?,
        attributes: json_or_default(row, 6, "contact")?,
        consent: json_or_default(row, 7, "contact")?,
        erased: row.get(8)?,
        anonymous: row.get(9)?,
        traits: json_or_default(row, 10, "contact")?,
        upkeep: Upkeep { version: row.get(11)?, recheck: row.get(12)? },
    })
}

pub(super) fn id_of(db: &Db, uid: &str) -> Result<Option<ContactId>> {
    let doing = "look up a contact";
    let own = db.row(doing, "SELECT id FROM contacts WHERE uid = ?1", [uid], |row| Ok(ContactId(row.get(0)?)))?;
    match own {
        Some(id) => Ok(Some(id)),
        None => db.row(doing, "SELECT contact FROM aliases WHERE uid = ?1", [uid], |row| Ok(ContactId(row.get(0)?))),
    }
}

pub(super) fn newest(db: &Db) -> Result<ContactId> {
    let newest =
        db.row("look for the newest contact", "SELECT max(id) FROM contacts", [], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
    Ok(ContactId(newest.flatten().unwrap_or(0)))
}

pub(super) fn of_email(db: &Db, email: &str) -> Result<Option<ContactId>> {
    db.row(
        "look up an e-mail address",
        "SELECT id FROM contacts INDEXED BY contacts_email WHERE lower(email) = lower(?1) AND email IS NOT NULL ORDER BY id LIMIT 1",
        [email],
        |row| Ok(ContactId(row.get(0)?)),
    )
}

pub(super) fn insert(store: &mut SqliteStore, contact: &Contact, now: i64) -> Result<ContactId> {
    let SqliteStore { db, recent, .. } = store;
    let attributes = map_json(&contact.attributes, "contact")?;
    let sql = "INSERT INTO contacts (uid, email, phone, locale, time_zone, attributes, consent, erased, created_at, changed_at, anonymous)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)";
    add(db, sql, contact, attributes.as_deref(), now)?;
    let id = ContactId(db.conn.last_insert_rowid());
    let known = Contact { id, traits: Default::default(), upkeep: Upkeep::default(), ..contact.clone() };
    recent.keep_contact(&known, attributes.as_deref().map_or(0, str::len));
    Ok(id)
}

/// Gives how many rows the statement wrote.
fn add(db: &Db, sql: &str, contact: &Contact, attributes: Option<&str>, now: i64) -> Result<usize> {
    db.write(
        "add a contact",
        sql,
        params![
            contact.uid,
            contact.email,
            contact.phone,
            contact.locale,
            contact.time_zone,
            attributes,
            consent(&contact.consent)?,
            contact.erased,
            now,
            contact.anonymous
        ],
    )
}

/// Bypasses what is kept of recent contacts: who brings many does not look at them again. An `INSERT … SELECT` would do it in one statement, and
/// keep a journal of every page for it, which costs several times as much.
pub(super) fn insert_unknown(db: &Db, contact: &Contact, now: i64) -> Result<Option<ContactId>> {
    let known = db.row(
        "look up a contact",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM aliases WHERE uid = ?1)
             OR (?2 IS NOT NULL AND EXISTS (
                 SELECT 1 FROM contacts INDEXED BY contacts_email WHERE lower(email) = lower(?2) AND email IS NOT NULL))",
        params![contact.uid, contact.email],
        |_| Ok(()),
    )?;
    if known.is_some() {
        return Ok(None);
    }
    let sql = "INSERT INTO contacts (uid, email, phone, locale, time_zone, attributes, consent, erased, created_at, changed_at, anonymous)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10) ON CONFLICT (uid) DO NOTHING";
    let written = add(db, sql, contact, map_json(&contact.attributes, "contact")?.as_deref(), now)?;
    Ok((written > 0).then(|| ContactId(db.conn.last_insert_rowid())))
}

pub(super) fn update(store: &mut SqliteStore, contact: &Contact, now: i64) -> Result<()> {
    let SqliteStore { db, recent, .. } = store;
    let attributes = map_json(&contact.attributes, "contact")?;
    write(db, contact, attributes.as_deref(), now)?;
    // Traits are not written here: what is kept has those of the row.
    match recent.contact(contact.id.0).map(|known| (known.traits.clone(), known.upkeep)) {
        Some((traits, upkeep)) => {
            let contact = Contact { traits, upkeep, ..contact.clone() };
            recent.keep_contact(&contact, attributes.as_deref().map_or(0, str::len));
        }
        None => recent.forget_contact(contact.id.0),
    }
    Ok(())
}

fn write(db: &Db, contact: &Contact, attributes: Option<&str>, now: i64) -> Result<()> {
    let doing = "write a contact";
    let consent = consent(&contact.consent)?;
    // What is indexed seldom changes, and setting it costs as much as if it did.
    let narrow = db.write(
        doing,
        "UPDATE contacts SET phone = ?3, locale = ?4, attributes = ?5, consent = ?6, changed_at = ?7, anonymous = ?11
         WHERE id = ?1 AND uid = ?8 AND email IS ?2 AND time_zone IS ?9 AND erased = ?10",
        params![
            contact.id.0,
            contact.email,
            contact.phone,
            contact.locale,
            attributes,
            consent,
            now,
            contact.uid,
            contact.time_zone,
            contact.erased,
            contact.anonymous
        ],
    )?;
    if narrow > 0 {
        return Ok(());
    }
    db.write_one(
        doing,
        "UPDATE contacts SET uid = ?2, email = ?3, phone = ?4, locale = ?5, time_zone = ?6, attributes = ?7, consent = ?8,
             erased = ?9, changed_at = ?10, anonymous = ?11
         WHERE id = ?1",
        params![
            contact.id.0,
            contact.uid,
            contact.email,
            contact.phone,
            contact.locale,
            contact.time_zone,
            attributes,
            consent,
            contact.erased,
            now,
            contact.anonymous
        ],
    )
}

fn consent(consent: &Consent) -> Result<Option<String>> {
    if *consent == Consent::default() { Ok(None) } else { to_json(consent, "contact").map(Some) }
}

pub(super) fn after(db: &Db, after: ContactId, zone: ZoneFilter<'_>, limit: usize) -> Result<Vec<ContactId>> {
    let doing = "list contacts";
    let read = |row: &Row<'_>| Ok(ContactId(row.get(0)?));
    match zone {
        ZoneFilter::All => db.rows(
            doing,
            "SELECT id FROM contacts WHERE id > ?1 AND erased = 0 ORDER BY id LIMIT ?2",
            params![after.0, sql_limit(limit)],
            read,
        ),
        ZoneFilter::In(zone) => db.rows(
            doing,
            "SELECT id FROM contacts INDEXED BY contacts_zone WHERE time_zone IS ?1 AND id > ?2 AND erased = 0 ORDER BY id LIMIT ?3",
            params![zone, after.0, sql_limit(limit)],
            read,
        ),
    }
}

pub(super) fn page(db: &Db, after: ContactId, limit: usize) -> Result<Vec<Contact>> {
    db.rows(
        "list contacts",
        "SELECT id, uid, email, phone, locale, time_zone, attributes, consent, erased, anonymous, traits, version, recheck FROM contacts
         WHERE id > ?1 AND erased = 0 ORDER BY id LIMIT ?2",
        params![after.0, sql_limit(limit)],
        read,
    )
}

/// Hops from one zone to the next in the index, so that the contacts in between are not read.
pub(super) fn zones(db: &Db) -> Result<Vec<Option<String>>> {
    let mut zones = db.rows(
        "list time zones",
        "WITH RECURSIVE zone (name) AS (
             SELECT min(time_zone) FROM contacts INDEXED BY contacts_zone WHERE erased = 0 AND time_zone IS NOT NULL
             UNION ALL
             SELECT (SELECT min(time_zone) FROM contacts INDEXED BY contacts_zone WHERE erased = 0 AND time_zone > zone.name)
             FROM zone WHERE zone.name IS NOT NULL
         )
         SELECT name FROM zone WHERE name IS NOT NULL",
        [],
        |row| Ok(row.get::<_, Option<String>>(0)?),
    )?;
    let without = db.row(
        "list time zones",
        "SELECT 1 FROM contacts INDEXED BY contacts_zone WHERE erased = 0 AND time_zone IS NULL LIMIT 1",
        [],
        |_| Ok(()),
    )?;
    if without.is_some() {
        zones.insert(0, None);
    }
    Ok(zones)
}

pub(super) fn values(db: &Db, after: ContactId, paths: &[&[String]], limit: usize) -> Result<ValuesPage> {
    // SQLite takes the values out of the JSON; keys that it might read otherwise are looked up here.
    let columns: String = paths
        .iter()
        .map(|keys| match (json_path(&keys[..keys.len().min(1)]), json_path(keys)) {
            (Some(name), Some(path)) if keys.len() == 1 => format!(", coalesce(traits -> '{name}', attributes -> '{path}')"),
            // Traits hold plain values: nothing lies deeper.
            (Some(name), Some(path)) => format!(", iif(traits -> '{name}' IS NULL, attributes -> '{path}', NULL)"),
            _ => ", json_array(json(traits), json(attributes))".to_owned(),
        })
        .collect();
    let sql = format!("SELECT id, time_zone{columns} FROM contacts WHERE id > ?1 AND erased = 0 ORDER BY id LIMIT ?2");
    let mut rows = db.rows("read values of contacts", &sql, params![after.0, sql_limit(limit)], |row| {
        let mut values = Vec::with_capacity(paths.len());
        for (number, keys) in paths.iter().enumerate() {
            let value: Value = json_or_default(row, 2 + number, "contact")?;
            let value = if json_path(keys).is_some() { Some(value) } else { look_up(&value, keys) };
            values.push(value.filter(|value| !value.is_null()).map(TraitValue::from));
        }
        Ok(Arc::new(ContactValues { contact: ContactId(row.get(0)?), time_zone: row.get(1)?, values }))
    })?;
    let last = rows.last().map(|row| row.contact);
    rows.retain(|row| row.values.iter().any(Option::is_some));
    Ok(ValuesPage { rows, last })
}

/// In traits, then in attributes.
fn look_up(both: &Value, keys: &[String]) -> Option<Value> {
    let (first, _) = keys.split_first()?;
    let of_traits = both.get(0).and_then(|traits| traits.get(first)).filter(|value| !value.is_null());
    of_traits.or_else(|| walk(both.get(1)?, keys)).cloned()
}
