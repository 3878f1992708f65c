//! How much people get: the most messages to each person in any seven days.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// Seven days in ms.
pub const WEEK: i64 = 7 * 86_400_000;

/// Of everybody who got a message.
#[derive(Debug, Default)]
pub struct Pressure {
    people: HashMap<String, Person>,
}

#[derive(Debug, Default)]
struct Person {
    /// When the messages of the last seven days were sent, in ms since 1970 UTC.
    recent: VecDeque<i64>,
    /// The most there ever were, and when it came to that.
    most: u32,
    at: i64,
    total: u32,
}

/// Somebody who got much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worst {
    pub contact: String,
    /// Messages in seven days.
    pub most: u32,
    /// When the last of those was sent, in ms since 1970 UTC.
    pub at: i64,
    /// Messages in all.
    pub total: u32,
}

impl Pressure {
    /// One more message to this contact; told in order of time.
    pub(super) fn sent(&mut self, contact: &str, at: i64) {
        if !self.people.contains_key(contact) {
            self.people.insert(contact.to_owned(), Person::default());
        }
        let Some(person) = self.people.get_mut(contact) else { return };
        // Exactly seven days later is the next week: that is how frequency caps count, too.
        while person.recent.front().is_some_and(|first| *first <= at - WEEK) {
            person.recent.pop_front();
        }
        person.recent.push_back(at);
        person.total += 1;
        let now = u32::try_from(person.recent.len()).unwrap_or(u32::MAX);
        if now > person.most {
            (person.most, person.at) = (now, at);
        }
    }

    /// How many people got any message.
    pub fn people(&self) -> u64 {
        self.people.len() as u64
    }

    /// How many people got at most so many in any seven days.
    pub fn histogram(&self) -> BTreeMap<u32, u64> {
        let mut counts = BTreeMap::new();
        self.people.values().for_each(|person| *counts.entry(person.most).or_default() += 1);
        counts
    }

    /// How many people ever got more than `limit` messages in seven days.
    pub fn above(&self, limit: u32) -> u64 {
        self.people.values().filter(|person| person.most > limit).count() as u64
    }

    /// Those who got the most in seven days, then in all, then by name.
    pub fn worst(&self, number: usize) -> Vec<Worst> {
        let mut all: Vec<(&String, &Person)> = self.people.iter().collect();
        let key = |(name, person): &(&String, &Person)| (std::cmp::Reverse((person.most, person.total)), (*name).clone());
        if all.len() > number && number > 0 {
            all.select_nth_unstable_by_key(number - 1, key);
        }
        all.truncate(number);
        all.sort_by_key(key);
        let worst = all.into_iter().map(|(name, person)| Worst {
            contact: name.clone(),
            most: person.most,
            at: person.at,
            total: person.total,
        });
        worst.collect()
    }
}
