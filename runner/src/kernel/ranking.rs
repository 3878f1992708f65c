//! Ranks are refreshed: every night, and when a rank trait is new, the cut points between the groups are found among all contacts.
//!
//! Finding them goes through the contacts in chunks, between other work, and is begun again after a restart; only when they are found do they
//! count, and then the contacts take their ranks from them by a sweep.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::Path;
use dsl::time::{Time, Weekdays, next_at};

use super::{CHUNK, Kernel};
use crate::audience::contact_value;
use crate::instant::project_zone;
use crate::standing::{Cuts, NodeKey, RANKS, rank_value};
use crate::state::ContactId;
use crate::store::{Result, SweepKind};

/// At what time of the project's day ranks are refreshed.
const NIGHTLY: (i8, i8) = (3, 0);

/// A search for cut points that is going on.
#[derive(Clone)]
pub(super) struct Search {
    began: i64,
    cursor: ContactId,
    traits: Vec<Ranked>,
}

#[derive(Clone)]
struct Ranked {
    key: NodeKey,
    by: Path,
    into: u32,
    values: Vec<f64>,
}

impl Kernel {
    pub(super) fn put_ranks_in_force(&mut self) {
        let wanted: Vec<NodeKey> = self.definitions.audience.ranks().map(|(_, key, ..)| key).collect();
        let mut ranks = (*self.definitions.ranks).clone();
        ranks.retain(|key, _| wanted.contains(key));
        self.definitions.ranks = Arc::new(ranks);
        self.search = None;
        self.plan_refresh();
    }

    /// At once when a trait has no cut points yet; else in the night after they were found.
    fn plan_refresh(&mut self) {
        let zone = project_zone(&self.plan.catalog.settings);
        let next = |key| match self.definitions.ranks.get(&key) {
            None => self.now,
            Some(cuts) => next_at(cuts.at, Time::constant(NIGHTLY.0, NIGHTLY.1, 0, 0), Weekdays::ALL, &zone),
        };
        self.ranks_due = self.definitions.audience.ranks().map(|(_, key, ..)| next(key)).min();
    }

    /// Goes on with finding cut points, when it is time. True when there is more.
    pub(super) fn refresh_ranks(&mut self) -> Result<bool> {
        // What is ranked may itself be worked out only now.
        if self.definitions.sweeping || self.ranks_due.is_none_or(|due| due > self.now) {
            return Ok(false);
        }
        let mut search = self.search.take().unwrap_or_else(|| self.begin_search());
        let contacts = self.store.contacts_after(search.cursor, crate::store::ZoneFilter::All, CHUNK)?;
        let Some(last) = contacts.last().copied() else {
            self.found_cuts(search)?;
            return Ok(true);
        };
        for id in contacts {
            self.rank_one(&mut search, id)?;
        }
        search.cursor = last;
        self.search = Some(search);
        Ok(true)
    }

    fn begin_search(&self) -> Search {
        let ranked = |(_, key, by, into): (&str, NodeKey, &Path, u32)| Ranked { key, by: by.clone(), into, values: Vec::new() };
        Search { began: self.now, cursor: ContactId(0), traits: self.definitions.audience.ranks().map(ranked).collect() }
    }

    fn rank_one(&mut self, search: &mut Search, id: ContactId) -> Result<()> {
        let Some(contact) = self.find_contact(id)?.filter(|contact| contact.id == id) else { return Ok(()) };
        self.follow_up()?;
        let zone = self.zone_of(&contact);
        for ranked in &mut search.traits {
            let value = contact_value(&contact, &self.plan.catalog.settings, &ranked.by.keys, search.began);
            ranked.values.extend(value.and_then(|value| rank_value(&value, &zone)));
        }
        Ok(())
    }

    fn found_cuts(&mut self, search: Search) -> Result<()> {
        let cuts = |ranked: Ranked| (ranked.key, Cuts::find(ranked.values, ranked.into, search.began));
        let found: HashMap<NodeKey, Cuts> = search.traits.into_iter().map(cuts).collect();
        let moved = found.iter().any(|(key, cuts)| self.definitions.ranks.get(key).is_none_or(|old| old.cuts != cuts.cuts));
        self.store.set_property(RANKS, &serde_json::to_string(&found).unwrap_or_default())?;
        self.definitions.ranks = Arc::new(found);
        self.search = None;
        self.plan_refresh();
        if moved {
            self.insert_global_sweep(SweepKind::Ranks)?;
        }
        Ok(())
    }
}
