//! What lies at some paths under every contact, remembered from one search to the next: a search through all contacts every night of a simulated year finds
//! nearly all of them as they were.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::state::ContactId;
use crate::store::{ContactValues, ValuesPage};

#[derive(Default)]
pub(super) struct Valued {
    /// The paths that were asked for last; none while nothing is remembered.
    paths: Vec<Vec<String>>,
    /// All who are not erased; `None`: nothing lies at any of the paths.
    rows: BTreeMap<u32, Option<Arc<ContactValues>>>,
    /// Who may be another since.
    stale: Vec<u32>,
}

impl Valued {
    /// Notes that the contact is, or may be, another.
    pub(super) fn touch(&mut self, id: u32) {
        if self.paths.is_empty() || self.stale.last() == Some(&id) {
            return;
        }
        self.stale.push(id);
        // Nobody asks any more.
        if self.stale.len() > 1024 + 16 * self.rows.len() {
            self.forget();
        }
    }

    pub(super) fn forget(&mut self) {
        *self = Valued::default();
    }

    /// True when these paths are remembered; else there is to be [`Self::remember`].
    pub(super) fn knows(&self, paths: &[&[String]]) -> bool {
        !paths.is_empty() && self.paths == paths
    }

    pub(super) fn remember(&mut self, paths: &[&[String]], rows: BTreeMap<u32, Option<Arc<ContactValues>>>) {
        *self = Valued { paths: paths.iter().map(|keys| keys.to_vec()).collect(), rows, stale: Vec::new() };
    }

    /// Those who are to be looked at anew, each once.
    pub(super) fn take_stale(&mut self) -> Vec<u32> {
        let mut stale = std::mem::take(&mut self.stale);
        stale.sort_unstable();
        stale.dedup();
        stale
    }

    /// How the contact is; the outer `None`: it is erased, or was never there.
    pub(super) fn put(&mut self, id: u32, row: Option<Option<Arc<ContactValues>>>) {
        match row {
            Some(row) => self.rows.insert(id, row),
            None => self.rows.remove(&id),
        };
    }

    /// The next so many contacts.
    pub(super) fn page(&self, after: u32, limit: usize) -> ValuesPage {
        let mut page = ValuesPage { rows: Vec::new(), last: None };
        for (id, row) in self.rows.range((Bound::Excluded(after), Bound::Unbounded)).take(limit) {
            page.rows.extend(row.clone());
            page.last = Some(ContactId((*id).into()));
        }
        page
    }
}
