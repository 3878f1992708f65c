//! Counters: added up in memory while a transaction is open, written once at its end.

use std::collections::HashMap;

use rusqlite::params;

use super::db::{Db, Unread, damaged};
use crate::state::{MessageStatus, WorkflowId};
use crate::store::Result;

#[derive(Default)]
pub(super) struct Tally {
    workflows: HashMap<i64, HashMap<String, i64>>,
    /// By the number of the status.
    messages: [i64; MessageStatus::ALL.len() + 1],
}

impl Tally {
    pub(super) fn count(&mut self, workflow: WorkflowId, what: &str, by: i64) {
        let counters = self.workflows.entry(workflow.0).or_default();
        match counters.get_mut(what) {
            Some(number) => *number += by,
            None => {
                counters.insert(what.to_owned(), by);
            }
        }
    }

    pub(super) fn message(&mut self, from: Option<MessageStatus>, to: MessageStatus) {
        if let Some(from) = from {
            self.messages[from as usize] -= 1;
        }
        self.messages[to as usize] += 1;
    }

    /// Writes what was added up; it is forgotten only when all of it was written.
    pub(super) fn flush(&mut self, db: &Db) -> Result<()> {
        for (workflow, counters) in &self.workflows {
            for (what, by) in counters {
                db.write(
                    "write a counter",
                    "INSERT INTO counters (workflow, what, number) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET number = number + excluded.number",
                    params![workflow, what, by],
                )?;
            }
        }
        for (status, by) in self.messages.iter().enumerate().filter(|(_, by)| **by != 0) {
            db.write(
                "write a counter",
                "INSERT INTO message_counts (status, number) VALUES (?1, ?2)
                 ON CONFLICT DO UPDATE SET number = number + excluded.number",
                params![status as i64, by],
            )?;
        }
        self.clear();
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.workflows.clear();
        self.messages = Default::default();
    }
}

pub(super) fn counters(tally: &mut Tally, db: &Db) -> Result<Vec<(WorkflowId, String, i64)>> {
    tally.flush(db)?;
    db.rows("read the counters", "SELECT workflow, what, number FROM counters ORDER BY workflow, what", [], |row| {
        Ok((WorkflowId(row.get(0)?), row.get(1)?, row.get(2)?))
    })
}

pub(super) fn message_counts(tally: &mut Tally, db: &Db) -> Result<Vec<(MessageStatus, i64)>> {
    tally.flush(db)?;
    db.rows("read the counters", "SELECT status, number FROM message_counts WHERE number <> 0 ORDER BY status", [], |row| {
        let status =
            MessageStatus::from_number(row.get(0)?).ok_or_else(|| Unread::Store(damaged("message", "its status is unknown")))?;
        Ok((status, row.get(1)?))
    })
}
