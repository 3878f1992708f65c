//! The suppression list.

use super::table::Table;
use crate::state::{Suppressed, Why};

/// By channel and address.
#[derive(Default)]
pub(super) struct List(Table<(String, String), Suppressed>);

fn place(channel: &str, address: &str) -> (String, String) {
    (channel.to_owned(), address.to_owned())
}

impl List {
    pub(super) fn add(&mut self, suppressed: &Suppressed) {
        let place = place(&suppressed.channel, &suppressed.address);
        let weighs_more = |was: &Suppressed| suppressed.why == Why::Complained && was.why != Why::Complained;
        if self.0.get(&place).is_none_or(weighs_more) {
            self.0.put(place, suppressed.clone());
        }
    }

    pub(super) fn remove(&mut self, channel: &str, address: &str) -> bool {
        self.0.remove(&place(channel, address))
    }

    pub(super) fn find(&self, channel: &str, address: &str) -> Option<Suppressed> {
        // Asked for every message, and mostly there is none.
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&place(channel, address)).cloned()
    }

    pub(super) fn after(&self, after: Option<(&str, &str)>, limit: usize) -> Vec<Suppressed> {
        let after = after.map(|(channel, address)| place(channel, address)).unwrap_or_default();
        let rows = self.0.range((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded));
        rows.take(limit).map(|(_, suppressed)| suppressed.clone()).collect()
    }

    pub(super) fn commit(&mut self) {
        self.0.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.0.rollback();
    }
}
