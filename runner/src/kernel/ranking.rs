//! Ranks are refreshed: every night, when a rank trait is new, and when twice as many contacts have a rank as at the last refresh, the cut points between the
//! groups are found among all contacts.
//!
//! Finding them goes through the contacts in chunks, between other work, and is begun again after a restart; only when they are found do they
//! count, and then the contacts whose rank is another one take it by a sweep. Who they are is remembered from the search, if nobody changed meanwhile; else,
//! and after a restart, the sweep goes through all contacts to find them.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::Path;
use dsl::time::{Time, Weekdays, next_at};

use super::{CHUNK, Kernel};
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
    /// Somebody was looked at since it began: what was found of them may not be so any more.
    disturbed: bool,
}

#[derive(Clone)]
struct Ranked {
    key: NodeKey,
    by: Path,
    /// The trait's name, as a path.
    own: [String; 1],
    into: u32,
    people: Vec<Person>,
}

/// Who has a value to be ranked by, or a rank.
#[derive(Clone, Copy)]
struct Person {
    contact: ContactId,
    value: Option<f64>,
    rank: Option<u64>,
}

impl Kernel {
    pub(super) fn put_ranks_in_force(&mut self) -> Result<()> {
        let wanted: Vec<NodeKey> = self.definitions.audience.ranks().map(|(_, key, ..)| key).collect();
        let mut ranks = (*self.definitions.ranks).clone();
        ranks.retain(|key, _| wanted.contains(key));
        self.definitions.ranks = Arc::new(ranks);
        self.search = None;
        self.moved = None;
        self.taking_ranks = self.store.sweeps()?.iter().any(|sweep| sweep.kind == SweepKind::Ranks);
        self.plan_refresh();
        Ok(())
    }

    /// All contacts have the ranks that the cut points give them.
    pub(super) fn ranks_taken(&mut self) {
        self.taking_ranks = false;
        self.newly_ranked = 0;
        self.moved = None;
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
            let paths: Vec<&[String]> =
                search.traits.iter().flat_map(|ranked| [ranked.by.keys.as_slice(), &ranked.own]).collect();
            self.store.contact_values(search.cursor, &paths, PAGE)?
        };
        let Some(last) = found.last else {
            self.found_cuts(search)?;
            return Ok(true);
        };
        for row in &found.rows {
            let ContactValues { contact, time_zone, values } = &**row;
            let zone = || self.zone_or_projects(time_zone.as_deref());
            for (ranked, pair) in search.traits.iter_mut().zip(values.chunks(2)) {
                let value = pair.first().and_then(|value| rank_value(&value.as_ref()?.at(search.began), zone));
                let rank = pair.get(1).and_then(|rank| rank.as_ref()?.at(search.began).as_u64());
                if value.is_some() || rank.is_some() {
                    ranked.people.push(Person { contact: *contact, value, rank });
                }
            }
        }
        search.cursor = last;
        self.search = Some(search);
        Ok(true)
    }

    fn begin_search(&self) -> Search {
        let ranked = |(name, key, by, into): (&str, NodeKey, &Path, u32)| Ranked {
            key,
            by: by.clone(),
            own: [name.to_owned()],
            into,
            people: Vec::new(),
        };
        let traits = self.definitions.audience.ranks().map(ranked).collect();
        Search { began: self.now, cursor: ContactId(0), traits, disturbed: false }
    }

    fn found_cuts(&mut self, search: Search) -> Result<()> {
        let values = |ranked: &Ranked| ranked.people.iter().filter_map(|person| person.value).collect();
        let cuts = |ranked: &Ranked| (ranked.key, Cuts::find(values(ranked), ranked.into, search.began));
        let found: HashMap<NodeKey, Cuts> = search.traits.iter().map(cuts).collect();
        let moved = found.iter().any(|(key, cuts)| self.definitions.ranks.get(key).is_none_or(|old| old.cuts != cuts.cuts));
        self.store.set_property(RANKS, &serde_json::to_string(&found).unwrap_or_default())?;
        self.definitions.ranks = Arc::new(found);
        self.search = None;
        self.newly_ranked = 0;
        self.plan_refresh();
        if moved {
            self.moved = (!search.disturbed).then(|| self.moved_since(&search));
            self.insert_global_sweep(SweepKind::Ranks)?;
            self.taking_ranks = true;
        }
        Ok(())
    }

    /// Those whose rank is another by the cut points there are now, in order.
    fn moved_since(&self, search: &Search) -> Vec<ContactId> {
        let mut moved = Vec::new();
        for ranked in &search.traits {
            let Some(cuts) = self.definitions.ranks.get(&ranked.key) else { continue };
            let differs = |person: &&Person| person.value.map(|value| cuts.rank(value) as u64) != person.rank;
            moved.extend(ranked.people.iter().filter(differs).map(|person| person.contact));
        }
        moved.sort_unstable();
        moved.dedup();
        moved
    }

    /// Notes that somebody is not as a search may have found them.
    pub(super) fn disturb_search(&mut self) {
        if let Some(search) = &mut self.search {
            search.disturbed = true;
        }
    }

    /// Contacts after this one whose rank is another by the cut points there are now, and the last contact that was looked at.
    pub(super) fn moved_ranks(&mut self, after: ContactId) -> Result<(Vec<ContactId>, Option<ContactId>)> {
        if let Some(moved) = &self.moved {
            let next = moved.partition_point(|contact| *contact <= after);
            let chunk: Vec<ContactId> = moved[next..].iter().take(CHUNK).copied().collect();
            let last = chunk.last().copied();
            return Ok((chunk, last));
        }
        let ranks: Vec<(NodeKey, [Vec<String>; 2])> =
            self.definitions.audience.ranks().map(|(name, key, by, _)| (key, [by.keys.clone(), vec![name.to_owned()]])).collect();
        let paths: Vec<&[String]> = ranks.iter().flat_map(|(_, paths)| paths).map(Vec::as_slice).collect();
        let found = self.store.contact_values(after, &paths, PAGE)?;
        let mut moved = Vec::new();
        for row in &found.rows {
            let ContactValues { contact, time_zone, values } = &**row;
            let zone = || self.zone_or_projects(time_zone.as_deref());
            let differs = ranks.iter().zip(values.chunks(2)).any(|((key, _), pair)| {
                let rank = self.definitions.ranks.get(key).and_then(|cuts| {
                    let value = pair.first()?.as_ref()?.at(cuts.at);
                    Some(cuts.rank(rank_value(&value, zone)?))
                });
                let known = pair.get(1).and_then(|known| known.as_ref()?.at(self.now).as_u64());
                rank.map(|rank| rank as u64) != known
            });
            if differs {
                moved.push(*contact);
            }
        }
        Ok((moved, found.last))
    }
}
