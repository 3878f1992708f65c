//! Why the store did not do what was asked.

use crate::store::{Result, StoreError};

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no transaction is open; begin one first")]
    NoTransaction,
    #[error("a transaction is open already; commit it or roll it back first")]
    Inside,
    #[error("there is no such row, or it is finished")]
    NoRow,
    #[error("there is one already; give it another name")]
    Taken,
    #[error("the contact still has open runs; end them first")]
    OpenRuns,
    #[error("{0} is not the id of any row; use one that the store gave")]
    NoId(i64),
}

impl Refusal {
    pub(super) fn when(self, doing: &'static str) -> StoreError {
        StoreError::Backend { doing, source: Box::new(self) }
    }
}

/// An id as rows keep it: they are given from 1 on, and four bytes are enough for what fits into memory.
pub(super) fn small(id: i64, doing: &'static str) -> Result<u32> {
    u32::try_from(id).map_err(|_| Refusal::NoId(id).when(doing))
}

/// The same where something is looked for: nothing has an id out of range.
pub(super) fn known(id: i64) -> Option<u32> {
    u32::try_from(id).ok()
}

/// The last row to leave out, as a place to go on from.
pub(super) fn place(after: i64) -> u32 {
    if after < 0 { 0 } else { u32::try_from(after).unwrap_or(u32::MAX) }
}
