//! Ranks are refreshed: every night, when a rank trait is new, and when twice as many contacts have a rank as at the last refresh, the cut points between the
//! groups are found among all contacts.
//!
//! Finding them goes through the contacts in chunks, between other work, and is begun again after a restart; only when they are found do they
//! count, and then the contacts whose rank is another one take it by a sweep.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::Path;
use dsl::time::{Time, Weekdays, next_at};

use super::Kernel;
use crate::instant::project_zone;
use crate::standing::{Cuts, NodeKey, RANKS, rank_value};
use crate::state::{ContactId, Traits};
use crate::store::{ContactValues, Result, SweepKind};

/// At what time of the project's day ranks are refreshed.
const NIGHTLY: (i8, i8) = (3, 0);

/// How many contacts' values are looked at in one turn.
const PAGE: usize = 10_000;

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
    pub(super) fn put_ranks_in_force(&mut self) -> Result<()> {
        let wanted: Vec<NodeKey> = self.definitions.audience.ranks().map(|(_, key, ..)| key).collect();
        let mut ranks = (*self.definitions.ranks).clone();
        ranks.retain(|key, _| wanted.contains(key));
        self.definitions.ranks = Arc::new(ranks);
        self.search = None;
        self.taking_ranks = self.store.sweeps()?.iter().any(|sweep| sweep.kind == SweepKind::Ranks);
        self.plan_refresh();
        Ok(())
    }

    /// All contacts have the ranks that the cut points give them.
    pub(super) fn ranks_taken(&mut self) {
        self.taking_ranks = false;
        self.newly_ranked = 0;
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

    /// Somebody has a rank who had none. When they are as many as were ranked at the last refresh, the groups are no groups any more: it is time for
    /// another one, however far the night is.
    pub(super) fn note_ranked(&mut self, old: &Traits, new: &Traits) {
        let ranks = self.definitions.audience.ranks();
        let newly = ranks.filter(|(name, ..)| new.contains_key(*name) && !old.contains_key(*name));
        let most = newly.filter_map(|(_, key, ..)| self.definitions.ranks.get(&key)).map(|cuts| cuts.ranked).max();
        let Some(ranked) = most else { return };
        self.newly_ranked += 1;
        if self.newly_ranked >= ranked.max(1) && self.search.is_none() && !self.taking_ranks {
            self.ranks_due = Some(self.now);
        }
    }

    /// Goes on with finding cut points, when it is time. True when there is more.
    pub(super) fn refresh_ranks(&mut self) -> Result<bool> {
        if self.ranks_due.is_none_or(|due| due > self.now) || self.taking_ranks {
            return Ok(false);
        }
        // What is ranked may itself be worked out only now, or out of date.
        if self.definitions.sweeping || self.store.next_recheck()?.is_some_and(|recheck| recheck <= self.now) {
            return Ok(false);
        }
        let mut search = self.search.take().unwrap_or_else(|| self.begin_search());
        let found = {
            let paths: Vec<&[String]> = search.traits.iter().map(|ranked| ranked.by.keys.as_slice()).collect();
            self.store.contact_values(search.cursor, &paths, PAGE)?
        };
        let Some(last) = found.last().map(|values| values.contact) else {
            self.found_cuts(search)?;
            return Ok(true);
        };
        for ContactValues { time_zone, values, .. } in found {
            let zone = self.zone_or_projects(time_zone.as_deref());
            for (ranked, value) in search.traits.iter_mut().zip(values) {
                let value = value.and_then(|value| rank_value(&value.at(search.began), &zone));
                ranked.values.extend(value);
            }
        }
        search.cursor = last;
        self.search = Some(search);
        Ok(true)
    }

    fn begin_search(&self) -> Search {
        let ranked = |(_, key, by, into): (&str, NodeKey, &Path, u32)| Ranked { key, by: by.clone(), into, values: Vec::new() };
        Search { began: self.now, cursor: ContactId(0), traits: self.definitions.audience.ranks().map(ranked).collect() }
    }

    fn found_cuts(&mut self, search: Search) -> Result<()> {
        let cuts = |ranked: Ranked| (ranked.key, Cuts::find(ranked.values, ranked.into, search.began));
        let found: HashMap<NodeKey, Cuts> = search.traits.into_iter().map(cuts).collect();
        let moved = found.iter().any(|(key, cuts)| self.definitions.ranks.get(key).is_none_or(|old| old.cuts != cuts.cuts));
        self.store.set_property(RANKS, &serde_json::to_string(&found).unwrap_or_default())?;
        self.definitions.ranks = Arc::new(found);
        self.search = None;
        self.newly_ranked = 0;
        self.plan_refresh();
        if moved {
            self.insert_global_sweep(SweepKind::Ranks)?;
            self.taking_ranks = true;
        }
        Ok(())
    }

    /// Contacts after this one whose rank is another by the cut points there are now, and the last contact that was looked at.
    pub(super) fn moved_ranks(&mut self, after: ContactId) -> Result<(Vec<ContactId>, Option<ContactId>)> {
        let ranks: Vec<(NodeKey, [Vec<String>; 2])> =
            self.definitions.audience.ranks().map(|(name, key, by, _)| (key, [by.keys.clone(), vec![name.to_owned()]])).collect();
        let paths: Vec<&[String]> = ranks.iter().flat_map(|(_, paths)| paths).map(Vec::as_slice).collect();
        let found = self.store.contact_values(after, &paths, PAGE)?;
        let last = found.last().map(|values| values.contact);
        let mut moved = Vec::new();
        for ContactValues { contact, time_zone, values } in found {
            let zone = self.zone_or_projects(time_zone.as_deref());
            let differs = ranks.iter().zip(values.chunks(2)).any(|((key, _), pair)| {
                let rank = self.definitions.ranks.get(key).and_then(|cuts| {
                    let value = pair.first()?.as_ref()?.at(cuts.at);
                    Some(cuts.rank(rank_value(&value, &zone)?))
                });
                let known = pair.get(1).and_then(|known| known.as_ref()?.at(self.now).as_u64());
                rank.map(|rank| rank as u64) != known
            });
            if differs {
                moved.push(contact);
            }
        }
        Ok((moved, last))
    }
}
