//! The connection: cached statements, and every error of SQLite's turned into the port's.

use rusqlite::{Connection, Params, Row, Statement, StatementStatus};

use crate::store::{Result, StoreError};

/// Why an operation was refused though SQLite had nothing against it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no transaction is open; begin one first (after an error that undid it: roll back first)")]
    NoTransaction,
    #[error("there is no such row, or it is finished")]
    NoRow,
    #[error("the contact still has open runs; end them first")]
    OpenRuns,
    #[error("there is no store at {0}; start `campaignd run` once, or correct the path")]
    NoStore(String),
    #[error("the store {0} was written by an older campaignd; restart `campaignd run` with this version first")]
    Older(String),
    #[error("others kept it from being read for too long; try again")]
    Busy,
}

impl Refusal {
    pub(super) fn when(self, doing: &'static str) -> StoreError {
        StoreError::Backend { doing, source: Box::new(self) }
    }
}

pub(super) fn backend(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |error| StoreError::Backend { doing, source: Box::new(error) }
}

/// Why a row could not be read.
pub(super) enum Unread {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Unread {
        Unread::Sql(error)
    }
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Unread {
        Unread::Store(error)
    }
}

impl Unread {
    fn when(self, doing: &'static str) -> StoreError {
        match self {
            Unread::Sql(error) => backend(doing)(error),
            Unread::Store(error) => error,
        }
    }
}

pub(super) type Read<T> = std::result::Result<T, Unread>;

/// A value that the row holds and that makes no sense.
pub(super) fn damaged(what: &'static str, why: impl ToString) -> StoreError {
    StoreError::Damaged { what, why: why.to_string() }
}

/// Reads a column of JSON.
pub(super) fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize, what: &'static str) -> Read<T> {
    let text = row.get_ref(column)?.as_str().map_err(|error| damaged(what, error))?;
    Ok(serde_json::from_str(text).map_err(|error| damaged(what, error))?)
}

/// Reads a column of JSON whose null stands for the default.
pub(super) fn json_or_default<T>(row: &Row<'_>, column: usize, what: &'static str) -> Read<T>
where
    T: serde::de::DeserializeOwned + Default,
{
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(T::default()),
        _ => json(row, column, what),
    }
}

/// Reads a column that counts something.
pub(super) fn count(row: &Row<'_>, column: usize, what: &'static str) -> Read<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).map_err(|error| damaged(what, error))?)
}

/// JSON for a column.
pub(super) fn to_json<T: serde::Serialize>(value: &T, what: &'static str) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(what, error))
}

/// JSON for a column that is left null when there is nothing to say.
pub(super) fn map_json(map: &serde_json::Map<String, serde_json::Value>, what: &'static str) -> Result<Option<String>> {
    if map.is_empty() { Ok(None) } else { to_json(map, what).map(Some) }
}

/// SQLite's numbers are signed.
pub(super) fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Without the planner's stability guarantee SQLite compiles statements anew when a parameter's value changes that it looked at (a limit's, for one),
/// which costs many times what they do. Looked after in debug builds, so by every test.
fn check_compiled_once(statement: &Statement<'_>, sql: &str) {
    debug_assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "compiled anew: {sql}");
}

pub(super) struct Db {
    pub(super) conn: Connection,
}

impl Db {
    /// Whether a transaction is open. SQLite may have undone it by itself after a full disk or the like.
    pub(super) fn in_transaction(&self) -> bool {
        !self.conn.is_autocommit()
    }

    /// For calls that change more than rows.
    pub(super) fn need_transaction(&self, doing: &'static str) -> Result<()> {
        if self.in_transaction() { Ok(()) } else { Err(Refusal::NoTransaction.when(doing)) }
    }

    /// Changes rows, within a transaction only; gives their number.
    pub(super) fn write(&self, doing: &'static str, sql: &str, params: impl Params) -> Result<usize> {
        self.need_transaction(doing)?;
        let mut statement = self.conn.prepare_cached(sql).map_err(backend(doing))?;
        let changed = statement.execute(params).map_err(backend(doing))?;
        check_compiled_once(&statement, sql);
        Ok(changed)
    }

    /// Changes one row that must be there.
    pub(super) fn write_one(&self, doing: &'static str, sql: &str, params: impl Params) -> Result<()> {
        match self.write(doing, sql, params)? {
            0 => Err(Refusal::NoRow.when(doing)),
            _ => Ok(()),
        }
    }

    /// Adds a row and gives its id.
    pub(super) fn insert(&self, doing: &'static str, sql: &str, params: impl Params) -> Result<i64> {
        self.write(doing, sql, params)?;
        Ok(self.conn.last_insert_rowid())
    }

    pub(super) fn row<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Read<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.conn.prepare_cached(sql).map_err(backend(doing))?;
        let mut rows = statement.query(params).map_err(backend(doing))?;
        match rows.next().map_err(backend(doing))? {
            Some(row) => read(row).map(Some).map_err(|error| error.when(doing)),
            None => Ok(None),
        }
    }

    /// Changes rows, within a transaction only; gives what the statement returns of each.
    pub(super) fn changed_rows<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Read<T>,
    ) -> Result<Vec<T>> {
        self.need_transaction(doing)?;
        self.rows(doing, sql, params, read)
    }

    pub(super) fn rows<T>(
        &self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Read<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql).map_err(backend(doing))?;
        let mut rows = statement.query(params).map_err(backend(doing))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(backend(doing))? {
            found.push(read(row).map_err(|error| error.when(doing))?);
        }
        drop(rows);
        check_compiled_once(&statement, sql);
        Ok(found)
    }
}
