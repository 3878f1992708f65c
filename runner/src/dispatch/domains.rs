//! Limits by recipient's domain: how many messages may be under way to one mail provider at once, and how fast they may follow one another.
//!
//! A message that finds no place waits here, in memory, in the order in which it came; after a restart it is simply due again.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use dsl::model::{Channel, DomainLimit};

use super::RateLimit;
use crate::state::MessageId;

/// A channel, and a domain in lower case.
type Key = (Arc<str>, Arc<str>);

/// The domains that something is under way or waits to, or that went out of their rate's reach lately.
#[derive(Default)]
pub struct Domains {
    active: HashMap<Key, Domain>,
    /// Those in whose line somebody stands and that may have a place from then on.
    ready: BTreeSet<(i64, Key)>,
    /// What the open transaction changed, oldest first.
    journal: Vec<(Key, Change)>,
    /// With more domains than this, idle ones are looked for and forgotten.
    crowded: usize,
}

/// So many domains are kept whatever they do.
const CROWDED: usize = 1_000;

struct Domain {
    limit: DomainLimit,
    rate: Option<RateLimit>,
    blocked_until: i64,
    under_way: usize,
    waiting: VecDeque<MessageId>,
    /// Its place in [`Domains::ready`].
    lined_up: Option<i64>,
}

enum Change {
    /// A place was taken: the rate as it was before.
    Took {
        rate: Option<RateLimit>,
        blocked_until: i64,
    },
    Left,
    Waited,
    Called(MessageId),
    /// The rate lets nobody through before another time than this one.
    Blocked(i64),
}

/// What limits this domain; nothing where neither part is set.
pub fn limit_of(channel: &Channel, domain: &str) -> Option<DomainLimit> {
    let limit = channel.domains.get(domain).copied().unwrap_or(channel.per_domain);
    (limit.connections.is_some() || limit.rate.is_some()).then_some(limit)
}

/// The domain of an e-mail address, in lower case; internationalised ones as they are written.
pub fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.trim().trim_end_matches('.').to_lowercase()).filter(|domain| !domain.is_empty())
}

impl Domain {
    /// Nothing of it matters any more.
    fn is_idle(&self, now: i64) -> bool {
        self.under_way == 0 && self.waiting.is_empty() && self.rate.is_none_or(|rate| rate.free_at(now).is_none())
    }

    fn has_place(&self) -> bool {
        self.limit.connections.is_none_or(|most| self.under_way < most)
    }
}

impl Domains {
    /// Takes a place for a message to this domain; false when there is none at this time (ms since 1970 UTC).
    pub fn take(&mut self, channel: &Arc<str>, domain: &str, limit: DomainLimit, now: i64) -> bool {
        let key: Key = (channel.clone(), Arc::from(domain));
        let state = self.active.entry(key.clone()).or_insert_with(|| Domain {
            limit,
            rate: limit.rate.map(RateLimit::new),
            blocked_until: i64::MIN,
            under_way: 0,
            waiting: VecDeque::new(),
            lined_up: None,
        });
        if state.limit != limit {
            state.rate = limit.rate.map(RateLimit::new);
            state.limit = limit;
        }
        if !state.has_place() {
            return false;
        }
        let (rate, blocked_until) = (state.rate, state.blocked_until);
        if let Some(Err(next)) = state.rate.as_mut().map(|rate| rate.take(now)) {
            state.blocked_until = next;
            self.journal.push((key.clone(), Change::Blocked(blocked_until)));
            self.line_up(&key);
            return false;
        }
        state.under_way += 1;
        state.blocked_until = state.rate.and_then(|rate| rate.free_at(now)).unwrap_or(blocked_until);
        self.journal.push((key.clone(), Change::Took { rate, blocked_until }));
        self.line_up(&key);
        true
    }

    /// A message that found no place waits for one.
    pub fn wait(&mut self, channel: &Arc<str>, domain: &str, message: MessageId) {
        let key: Key = (channel.clone(), Arc::from(domain));
        if let Some(state) = self.active.get_mut(&key) {
            state.waiting.push_back(message);
            self.journal.push((key.clone(), Change::Waited));
            self.line_up(&key);
        }
    }

    /// A message to this domain is no longer under way.
    pub fn left(&mut self, channel: &Arc<str>, domain: &str) {
        let key: Key = (channel.clone(), Arc::from(domain));
        if let Some(state) = self.active.get_mut(&key).filter(|state| state.under_way > 0) {
            state.under_way -= 1;
            self.journal.push((key.clone(), Change::Left));
            self.line_up(&key);
        }
    }

    /// The next message of this channel for which there may be a place now.
    pub fn call(&mut self, channel: &str, now: i64) -> Option<MessageId> {
        let found = self.ready.iter().take_while(|(at, _)| *at <= now).find(|(_, (name, _))| **name == *channel);
        let (_, key) = found.cloned()?;
        let message = self.active.get_mut(&key)?.waiting.pop_front()?;
        self.journal.push((key.clone(), Change::Called(message)));
        self.line_up(&key);
        Some(message)
    }

    /// When a message of this channel that waits here may next have a place.
    pub fn next(&self, channel: &str) -> Option<i64> {
        self.ready.iter().find(|(_, (name, _))| **name == *channel).map(|(at, _)| *at)
    }

    /// `now`: in ms since 1970 UTC.
    pub fn commit(&mut self, now: i64) {
        self.journal.clear();
        if self.active.len() > self.crowded {
            self.active.retain(|_, state| !state.is_idle(now));
            self.crowded = CROWDED.max(self.active.len() * 2);
        }
    }

    pub fn rollback(&mut self) {
        for (key, change) in std::mem::take(&mut self.journal).into_iter().rev() {
            let Some(state) = self.active.get_mut(&key) else { continue };
            match change {
                Change::Took { rate, blocked_until } => {
                    state.under_way = state.under_way.saturating_sub(1);
                    (state.rate, state.blocked_until) = (rate, blocked_until);
                }
                Change::Left => state.under_way += 1,
                Change::Waited => {
                    state.waiting.pop_back();
                }
                Change::Called(message) => state.waiting.push_front(message),
                Change::Blocked(until) => state.blocked_until = until,
            }
            self.line_up(&key);
        }
    }

    /// Puts a domain where it belongs in `ready`, or takes it out.
    fn line_up(&mut self, key: &Key) {
        let Some(state) = self.active.get_mut(key) else { return };
        let at = (!state.waiting.is_empty() && state.has_place()).then_some(state.blocked_until);
        let before = std::mem::replace(&mut state.lined_up, at);
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.ready.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.ready.insert((at, key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use dsl::model::Rate;
    use dsl::time::Duration;

    use super::*;

    /// Messages 1 to 9 to one domain: which leave when, if each is under way for `takes` ms.
    #[track_caller]
    fn check(limit: DomainLimit, takes: i64, expected: &[(i64, i64)]) {
        let (mut domains, channel): (Domains, Arc<str>) = (Domains::default(), "email".into());
        let mut left = Vec::new();
        for id in 1..=9 {
            if domains.take(&channel, "x.example", limit, 0) {
                left.push((0, id));
            } else {
                domains.wait(&channel, "x.example", MessageId(id));
            }
        }
        let mut now = 0;
        let mut under_way: VecDeque<i64> = left.iter().map(|_| takes).collect();
        while left.len() < 9 {
            now = under_way.front().copied().into_iter().chain(domains.next("email")).filter(|at| *at > now).min().unwrap();
            while under_way.front().is_some_and(|ends| *ends <= now) {
                under_way.pop_front();
                domains.left(&channel, "x.example");
            }
            while let Some(message) = domains.call("email", now) {
                // A turn that fails changes nothing.
                domains.commit(now);
                let before = domains.next("email");
                domains.take(&channel, "x.example", limit, now);
                domains.rollback();
                assert_eq!(domains.next("email"), before);
                assert!(domains.take(&channel, "x.example", limit, now));
                under_way.push_back(now + takes);
                left.push((now, message.0));
            }
            domains.commit(now);
        }
        assert_eq!(left, expected);
        assert_eq!(domains.next("email"), None);
    }

    #[test]
    fn messages_wait_for_a_place_in_their_order() {
        let rate = Some(Rate { count: 2, per: Duration::SECOND });
        let each = |times: [i64; 9]| times.into_iter().zip(1..).collect::<Vec<_>>();
        check(DomainLimit { connections: Some(3), rate: None }, 100, &each([0, 0, 0, 100, 100, 100, 200, 200, 200]));
        check(DomainLimit { connections: None, rate }, 100, &each([0, 500, 1000, 1501, 2001, 2502, 3002, 3503, 4003]));
        check(DomainLimit { connections: Some(1), rate }, 700, &each([0, 700, 1400, 2100, 2800, 3500, 4200, 4900, 5600]));
    }

    #[test]
    fn domains_of_addresses() {
        for (address, expected) in
            [("a@B.Example", Some("b.example")), ("\"a@b\"@c.example.", Some("c.example")), ("a", None), ("a@", None)]
        {
            assert_eq!(domain_of(address).as_deref(), expected, "{address}");
        }
    }
}
