//! What happens to contacts from outside while a simulation runs.

use std::io;
use std::iter::Peekable;
use std::vec;

use super::Line;
use crate::ingest::Occurrence;

/// Where what happens comes from: in order of time, and without end if it likes.
pub trait Coming {
    /// When the next thing happens, in ms since 1970 UTC.
    fn next_at(&mut self) -> Option<i64>;

    /// The next thing.
    ///
    /// # Errors
    /// Those of reading it, or of writing it down.
    fn take(&mut self) -> io::Result<Option<Occurrence>>;

    /// Something happened in the simulation. What follows from it comes later than it.
    fn saw(&mut self, line: &Line);

    /// How many things it gave.
    fn taken(&self) -> u64;
}

/// What is known beforehand.
pub struct Known {
    left: Peekable<vec::IntoIter<Occurrence>>,
    taken: u64,
}

impl Known {
    /// In any order; what happens at the same time happens in the order given.
    pub fn new(mut occurrences: Vec<Occurrence>) -> Known {
        occurrences.sort_by_key(|occurrence| occurrence.at);
        Known { left: occurrences.into_iter().peekable(), taken: 0 }
    }
}

impl Coming for Known {
    fn next_at(&mut self) -> Option<i64> {
        self.left.peek().map(|occurrence| occurrence.at)
    }

    fn take(&mut self) -> io::Result<Option<Occurrence>> {
        let next = self.left.next();
        self.taken += u64::from(next.is_some());
        Ok(next)
    }

    fn saw(&mut self, _: &Line) {}

    fn taken(&self) -> u64 {
        self.taken
    }
}
