//! The runs' log entries.

use std::mem;

use super::names::{Names, Sym};
use super::pairs::Pairs;
use super::refusal::{Refusal, known, small};
use super::rows::{Grid, LONG};
use crate::state::{LogEntry, LogKind, RunId};
use crate::store::Result;

const DOING: &str = "write a log entry";

#[derive(Default)]
pub(super) struct Log {
    /// By run, in order of number.
    rows: Grid<Vec<Entry>>,
    journal: Vec<Change>,
    keys: Names,
    /// Nothing is written, and nothing found.
    pub(super) off: bool,
}

#[derive(Clone)]
struct Entry {
    number: u32,
    kind: LogKind,
    step: Sym,
    at: i64,
    detail: Pairs,
}

/// What the transaction did to the log of a run.
enum Change {
    /// The entry of this number came.
    Added(u32, u32),
    /// It was like this before.
    Was(u32, Vec<Entry>),
}

impl Log {
    pub(super) fn write(&mut self, names: &mut Names, entry: &LogEntry) -> Result<()> {
        if self.off {
            return Ok(());
        }
        let step = names.number(&entry.step);
        let run = small(entry.run.0, DOING)?;
        let entries = self.rows.slot(run);
        let Err(place) = entries.binary_search_by_key(&entry.number, |entry| entry.number) else {
            return Err(Refusal::Taken.when(DOING));
        };
        let detail = Pairs::new(&entry.detail, &mut self.keys);
        entries.insert(place, Entry { number: entry.number, kind: entry.kind, step, at: entry.at, detail });
        self.journal.push(Change::Added(run, entry.number));
        Ok(())
    }

    pub(super) fn of_run(&self, names: &Names, run: RunId) -> Vec<LogEntry> {
        let entries = known(run.0).and_then(|run| self.rows.get(run));
        let read = |entry: &Entry| LogEntry {
            run,
            number: entry.number,
            at: entry.at,
            kind: entry.kind,
            step: names.string(entry.step),
            detail: entry.detail.map(&self.keys),
        };
        entries.into_iter().flatten().map(read).collect()
    }

    /// Leaves of each entry of the run that there was one.
    pub(super) fn erase(&mut self, run: u32) {
        let mut entries = self.rows.get(run).cloned().unwrap_or_default();
        entries.iter_mut().for_each(|entry| entry.detail = Pairs::default());
        self.put(run, entries);
    }

    pub(super) fn remove(&mut self, run: u32) {
        self.put(run, Vec::new());
    }

    fn put(&mut self, run: u32, entries: Vec<Entry>) {
        if self.rows.get(run).is_some_and(|was| !was.is_empty()) {
            let was = mem::replace(self.rows.slot(run), entries);
            self.journal.push(Change::Was(run, was));
        }
    }

    pub(super) fn commit(&mut self) {
        self.journal.clear();
        self.journal.shrink_to(LONG);
        self.keys.commit();
    }

    pub(super) fn rollback(&mut self) {
        for change in mem::take(&mut self.journal).into_iter().rev() {
            match change {
                Change::Was(run, entries) => *self.rows.slot(run) = entries,
                Change::Added(run, number) => self.rows.slot(run).retain(|entry| entry.number != number),
            }
        }
        self.keys.rollback();
    }
}
