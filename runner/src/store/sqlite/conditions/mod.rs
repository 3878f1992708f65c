//! Conditions asked of all contacts at once, as one SQL statement.
//!
//! Most of a condition becomes plain SQL (`value`, `history`); single tests that SQL would answer otherwise than the in-memory check does go to
//! functions that are that check (`functions`). What is too large for a statement is left to the in-memory check of those whom the rest
//! lets through. Equal to that check by property test.

mod compile;
mod expression;
mod functions;
mod history;

#[cfg(test)]
mod tests;
mod value;

use rusqlite::{params, params_from_iter};

use self::compile::{Compiled, Shape};
pub(super) use self::functions::Functions;
pub(super) use self::value::json_path;
use super::SqliteStore;
use super::db::{Db, backend, sql_limit};
use crate::state::ContactId;
use crate::store::{Question, Result, Store};

const DOING: &str = "look for contacts that meet a condition";

/// How many contacts are taken from the statement before those among them are checked that it cannot judge.
const PAGE: usize = 1_000;

pub(super) fn matching(
    store: &mut SqliteStore,
    question: &Question<'_>,
    after: ContactId,
    limit: usize,
) -> Result<Vec<ContactId>> {
    let compiled = Compiled::new(store, question, Shape::ByContact)?;
    let (mut found, mut after) = (Vec::new(), after);
    while found.len() < limit {
        let wanted = if compiled.exact { limit } else { PAGE };
        let page = candidates(store, &compiled, after, wanted)?;
        let more = page.len() == wanted;
        for candidate in page {
            after = candidate.contact;
            if found.len() < limit && (candidate.sure || holds(store, question, candidate.contact)?) {
                found.push(candidate.contact);
            }
        }
        if !more {
            break;
        }
    }
    Ok(found)
}

pub(super) fn count(store: &mut SqliteStore, question: &Question<'_>) -> Result<u64> {
    let shape = Shape::of(store, question)?;
    let compiled = Compiled::new(store, question, shape)?;
    if compiled.exact {
        let sql = format!("SELECT count(*) FROM {} WHERE {}", compiled.from, compiled.filter);
        let mut statement = store.db.conn.prepare(&sql).map_err(backend(DOING))?;
        // The last parameters may belong to what was found not to matter.
        let params = params_from_iter(compiled.params.iter().take(statement.parameter_count()));
        let count: i64 = statement.query_row(params, |row| row.get(0)).map_err(backend(DOING))?;
        return Ok(count.unsigned_abs());
    }
    let (mut count, mut after) = (0, ContactId(0));
    loop {
        let page = candidates(store, &compiled, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(count) };
        after = last.contact;
        for candidate in page {
            count += u64::from(candidate.sure || holds(store, question, candidate.contact)?);
        }
    }
}

/// One whom the statement lets through.
struct Candidate {
    contact: ContactId,
    /// The statement says all there is to say.
    sure: bool,
}

fn candidates(store: &SqliteStore, compiled: &Compiled, after: ContactId, limit: usize) -> Result<Vec<Candidate>> {
    let Compiled { from, filter, sure, params, .. } = compiled;
    let (after_number, limit_number) = (params.len() + 1, params.len() + 2);
    let sql =
        format!("SELECT c.id, {sure} FROM {from} WHERE c.id > ?{after_number} AND {filter} ORDER BY c.id LIMIT ?{limit_number}");
    let params = params.iter().cloned().chain([after.0.into(), sql_limit(limit).into()]);
    let mut statement = store.db.conn.prepare(&sql).map_err(backend(DOING))?;
    let read = |row: &rusqlite::Row<'_>| Ok(Candidate { contact: ContactId(row.get(0)?), sure: row.get(1)? });
    let rows = statement.query_map(params_from_iter(params), read).map_err(backend(DOING))?;
    rows.collect::<rusqlite::Result<_>>().map_err(backend(DOING))
}

fn holds(store: &mut SqliteStore, question: &Question<'_>, contact: ContactId) -> Result<bool> {
    match store.contact(contact)? {
        Some(contact) => Ok(question.check(store, &contact)?.holds),
        None => Ok(false),
    }
}

pub(super) fn outdated(db: &Db, version: i64, now: i64, after: ContactId, limit: usize) -> Result<Vec<ContactId>> {
    db.rows(
        "look for outdated traits",
        "SELECT id FROM contacts WHERE id > ?1 AND erased = 0 AND (version <> ?2 OR recheck <= ?3) ORDER BY id LIMIT ?4",
        params![after.0, version, now, sql_limit(limit)],
        |row| Ok(ContactId(row.get(0)?)),
    )
}
