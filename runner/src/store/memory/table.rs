//! Rows by any key: in order, or (where there are many, and nobody goes through them) by hash. Both keep a journal as [`super::rows`] do.

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::mem;
use std::ops::{Deref, RangeBounds};
use std::sync::Arc;

/// Read like the map it is.
pub(super) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    journal: Vec<(K, Option<V>)>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Table<K, V> {
        Table { rows: BTreeMap::new(), journal: Vec::new() }
    }
}

impl<K, V> Deref for Table<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.rows
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    pub(super) fn put(&mut self, key: K, row: V) {
        let was = self.rows.insert(key.clone(), row);
        self.journal.push((key, was));
    }

    /// Whether there was one.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        match self.rows.remove_entry(key) {
            Some((key, was)) => {
                self.journal.push((key, Some(was)));
                true
            }
            None => false,
        }
    }

    /// Removes what lies in this range and is meant; gives how many that were.
    pub(super) fn remove_all(&mut self, range: impl RangeBounds<K>, meant: impl Fn(&K, &V) -> bool) -> usize {
        let gone: Vec<K> = self.rows.range(range).filter(|(key, row)| meant(key, row)).map(|(key, _)| key.clone()).collect();
        for key in &gone {
            self.remove(key);
        }
        gone.len()
    }

    pub(super) fn commit(&mut self) {
        self.journal.clear();
    }

    pub(super) fn rollback(&mut self) {
        for (key, was) in mem::take(&mut self.journal).into_iter().rev() {
            match was {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }
}

/// What is found by a text.
pub(super) struct Index<V> {
    rows: HashMap<Arc<str>, V>,
    journal: Vec<(Arc<str>, Option<V>)>,
}

impl<V> Default for Index<V> {
    fn default() -> Index<V> {
        Index { rows: HashMap::new(), journal: Vec::new() }
    }
}

impl<V> Index<V> {
    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        Arc<str>: Borrow<Q>,
    {
        self.rows.get(key)
    }

    pub(super) fn put(&mut self, key: Arc<str>, row: V) {
        let was = self.rows.insert(key.clone(), row);
        self.journal.push((key, was));
    }

    pub(super) fn remove(&mut self, key: &str) {
        if let Some((key, was)) = self.rows.remove_entry(key) {
            self.journal.push((key, Some(was)));
        }
    }

    pub(super) fn commit(&mut self) {
        self.journal.clear();
    }

    pub(super) fn rollback(&mut self) {
        for (key, was) in mem::take(&mut self.journal).into_iter().rev() {
            match was {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }
}
