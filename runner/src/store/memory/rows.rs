//! Rows by id, and lists by row, with what the open transaction did to them.
//!
//! Each keeps a journal of what was before: to undo the transaction is to go back through it, and to commit is to forget it.

use std::mem;

/// Journals longer than this do not hold on to their memory.
pub(super) const LONG: usize = 16 * 1024;

/// So many ids share a piece of memory: nothing is ever moved when there are more, and a stretch of ids that nobody uses costs nothing.
const CHUNK: usize = 1024;

/// A place for every id. Untouched ones hold the default.
pub(super) struct Grid<V>(Vec<Vec<V>>);

impl<V> Default for Grid<V> {
    fn default() -> Grid<V> {
        Grid(Vec::new())
    }
}

impl<V: Default> Grid<V> {
    pub(super) fn get(&self, id: u32) -> Option<&V> {
        let id = id as usize;
        self.0.get(id / CHUNK)?.get(id % CHUNK)
    }

    pub(super) fn slot(&mut self, id: u32) -> &mut V {
        let (chunk, place) = (id as usize / CHUNK, id as usize % CHUNK);
        if self.0.len() <= chunk {
            self.0.resize_with(chunk + 1, Vec::new);
        }
        let values = &mut self.0[chunk];
        if values.len() <= place {
            // The first ones grow as they come: most stores of a test hold a handful.
            if chunk > 0 {
                values.reserve_exact(CHUNK - values.len());
            }
            values.resize_with(place + 1, V::default);
        }
        &mut values[place]
    }

    /// Those from this id on, in order.
    pub(super) fn from(&self, id: u32) -> impl Iterator<Item = (u32, &V)> {
        let (first, place) = (id as usize / CHUNK, id as usize % CHUNK);
        self.0.iter().enumerate().skip(first).flat_map(move |(chunk, values)| {
            let skipped = if chunk == first { place } else { 0 };
            let ids = (chunk * CHUNK) as u32..;
            ids.zip(values).skip(skipped)
        })
    }

    /// The last place that was ever touched.
    fn end(&self) -> u32 {
        match self.0.iter().enumerate().rfind(|(_, values)| !values.is_empty()) {
            Some((chunk, values)) => (chunk * CHUNK + values.len() - 1) as u32,
            None => 0,
        }
    }
}

/// The ids of rows that there are or were.
#[derive(Debug, Clone, Copy, Default)]
struct Ids {
    /// The highest that was given.
    last: u32,
    /// How many after it were passed over.
    skipped: u32,
}

/// Rows by id, given from 1 on and never twice.
pub(super) struct Rows<V> {
    grid: Grid<Option<V>>,
    ids: Ids,
    /// What they were when the transaction began.
    kept: Ids,
    journal: Vec<(u32, Option<V>)>,
}

impl<V> Default for Rows<V> {
    fn default() -> Rows<V> {
        Rows { grid: Grid::default(), ids: Ids::default(), kept: Ids::default(), journal: Vec::new() }
    }
}

impl<V> Rows<V> {
    pub(super) fn get(&self, id: u32) -> Option<&V> {
        self.grid.get(id)?.as_ref()
    }

    /// Gives the next id.
    pub(super) fn add(&mut self, row: V) -> u32 {
        let id = self.next();
        self.ids = Ids { last: id, skipped: 0 };
        self.put(id, Some(row));
        id
    }

    /// The id that the next row gets.
    pub(super) fn next(&self) -> u32 {
        self.ids.last + self.ids.skipped + 1
    }

    /// Passes over an id, as SQLite does for a row that turns out to be there: so the two give the same ids.
    pub(super) fn skip(&mut self) {
        self.ids.skipped += 1;
    }

    /// The highest id that was given.
    pub(super) fn last(&self) -> u32 {
        self.ids.last
    }

    pub(super) fn put(&mut self, id: u32, row: Option<V>) {
        let was = mem::replace(self.grid.slot(id), row);
        self.journal.push((id, was));
    }

    /// Changes a row in place; costs a copy of it.
    pub(super) fn change(&mut self, id: u32, act: impl FnOnce(&mut V))
    where
        V: Clone,
    {
        if let Some(mut row) = self.get(id).cloned() {
            act(&mut row);
            self.put(id, Some(row));
        }
    }

    /// The rows after this one, in order of id.
    pub(super) fn after(&self, id: u32) -> impl Iterator<Item = (u32, &V)> {
        self.from(id.saturating_add(1))
    }

    pub(super) fn from(&self, id: u32) -> impl Iterator<Item = (u32, &V)> {
        self.grid.from(id).filter_map(|(id, row)| Some((id, row.as_ref()?)))
    }

    /// The row of the highest id.
    pub(super) fn newest(&self) -> Option<u32> {
        (0..=self.grid.end()).rev().find(|id| self.get(*id).is_some())
    }

    pub(super) fn commit(&mut self) {
        self.kept = self.ids;
        self.journal.clear();
        self.journal.shrink_to(LONG);
    }

    pub(super) fn rollback(&mut self) {
        self.ids = self.kept;
        for (id, was) in mem::take(&mut self.journal).into_iter().rev() {
            *self.grid.slot(id) = was;
        }
    }
}

/// Of each row any number of lists, told apart by their lane; each is sorted, and holds nothing twice.
pub(super) struct Lists<T> {
    grid: Grid<Vec<(u32, Vec<T>)>>,
    /// What the transaction changed: row, lane, what, and whether it was put in.
    journal: Vec<(u32, u32, T, bool)>,
}

impl<T> Default for Lists<T> {
    fn default() -> Lists<T> {
        Lists { grid: Grid::default(), journal: Vec::new() }
    }
}

impl<T: Ord + Clone> Lists<T> {
    pub(super) fn of(&self, row: u32, lane: u32) -> &[T] {
        let lanes = self.grid.get(row).map_or(&[][..], Vec::as_slice);
        lanes.iter().find(|(one, _)| *one == lane).map_or(&[], |(_, list)| list)
    }

    /// All lists of a row, in no order that means anything.
    pub(super) fn lanes(&self, row: u32) -> impl Iterator<Item = (u32, &[T])> {
        self.grid.get(row).into_iter().flatten().map(|(lane, list)| (*lane, list.as_slice()))
    }

    /// The rows from this one on that have had a list.
    pub(super) fn from(&self, row: u32) -> impl Iterator<Item = (u32, &[T])> {
        self.grid.from(row).flat_map(|(row, lanes)| lanes.iter().map(move |(_, list)| (row, list.as_slice())))
    }

    pub(super) fn insert(&mut self, row: u32, lane: u32, what: T) {
        if put_in(self.list(row, lane), what.clone()) {
            self.journal.push((row, lane, what, true));
        }
    }

    pub(super) fn remove(&mut self, row: u32, lane: u32, what: &T) {
        if take_out(self.list(row, lane), what) {
            self.journal.push((row, lane, what.clone(), false));
        }
    }

    /// Puts all that one row has into the lists of another.
    pub(super) fn join(&mut self, from: u32, into: u32) {
        let moving: Vec<(u32, Vec<T>)> = self.lanes(from).map(|(lane, list)| (lane, list.to_vec())).collect();
        for (lane, list) in moving {
            // From the end: nothing has to be moved up.
            for what in list.iter().rev() {
                self.remove(from, lane, what);
            }
            for what in list {
                self.insert(into, lane, what);
            }
        }
    }

    fn list(&mut self, row: u32, lane: u32) -> &mut Vec<T> {
        let lanes = self.grid.slot(row);
        let found = lanes.iter().position(|(one, _)| *one == lane);
        let place = found.unwrap_or_else(|| {
            lanes.push((lane, Vec::new()));
            lanes.len() - 1
        });
        &mut lanes[place].1
    }

    pub(super) fn commit(&mut self) {
        self.journal.clear();
        self.journal.shrink_to(LONG);
    }

    pub(super) fn rollback(&mut self) {
        for (row, lane, what, put) in mem::take(&mut self.journal).into_iter().rev() {
            let list = self.list(row, lane);
            if put {
                take_out(list, &what)
            } else {
                put_in(list, what)
            };
        }
    }
}

/// Nearly always it belongs at the end.
fn put_in<T: Ord>(list: &mut Vec<T>, what: T) -> bool {
    if list.last().is_none_or(|last| *last < what) {
        list.push(what);
        return true;
    }
    match list.binary_search(&what) {
        Ok(_) => false,
        Err(place) => {
            list.insert(place, what);
            true
        }
    }
}

fn take_out<T: Ord>(list: &mut Vec<T>, what: &T) -> bool {
    match list.binary_search(what) {
        Ok(place) => {
            list.remove(place);
            true
        }
        Err(_) => false,
    }
}
