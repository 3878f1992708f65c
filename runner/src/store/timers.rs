//! What is due when: the queues of runs, of contacts that time alone may move from one segment to another, and of each channel's messages, in memory, undone together with the transaction that changed them.
//!
//! SQLite holds no such index: keeping it on disk would cost more than the rest of a step. An entry is 16 bytes, so a million waiting runs take
//! some 25 MB.

use std::collections::{BTreeSet, HashMap};

/// Which queue an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Runs,
    /// Contacts that time alone may move.
    Contacts,
    /// By the number of the channel's name.
    Messages(i64),
}

/// Due time, then id: the longest due first, and in order of making at the same time.
type Entry = (i64, i64);

#[derive(Default)]
pub(super) struct Timers {
    runs: BTreeSet<Entry>,
    contacts: BTreeSet<Entry>,
    messages: HashMap<i64, BTreeSet<Entry>>,
    /// What the open transaction changed, oldest first; `true`: added.
    journal: Vec<(Line, Entry, bool)>,
}

impl Timers {
    /// Queues with these entries; built in one go they are packed tightly.
    pub(super) fn new(runs: Vec<Entry>, contacts: Vec<Entry>, messages: HashMap<i64, Vec<Entry>>) -> Timers {
        Timers {
            runs: runs.into_iter().collect(),
            contacts: contacts.into_iter().collect(),
            messages: messages.into_iter().map(|(channel, entries)| (channel, entries.into_iter().collect())).collect(),
            journal: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, line: Line, due: i64, id: i64) {
        if self.queue(line).insert((due, id)) {
            self.journal.push((line, (due, id), true));
        }
    }

    pub(super) fn remove(&mut self, line: Line, due: i64, id: i64) {
        if self.queue(line).remove(&(due, id)) {
            self.journal.push((line, (due, id), false));
        }
    }

    /// Takes the entry from one time to another.
    pub(super) fn change(&mut self, line: Line, id: i64, from: Option<i64>, to: Option<i64>) {
        if from == to {
            // Makes a parked entry due again, as any update does.
            if let Some(due) = to {
                self.add(line, due, id);
            }
            return;
        }
        if let Some(due) = from {
            self.remove(line, due, id);
        }
        if let Some(due) = to {
            self.add(line, due, id);
        }
    }

    pub(super) fn due(&self, line: Line, now: i64, limit: usize) -> impl Iterator<Item = i64> {
        let queue = match line {
            Line::Runs => Some(&self.runs),
            Line::Contacts => Some(&self.contacts),
            Line::Messages(channel) => self.messages.get(&channel),
        };
        queue.into_iter().flatten().take_while(move |(due, _)| *due <= now).take(limit).map(|(_, id)| *id)
    }

    pub(super) fn next(&self, line: Line) -> Option<i64> {
        let queue = match line {
            Line::Runs => Some(&self.runs),
            Line::Contacts => Some(&self.contacts),
            Line::Messages(channel) => self.messages.get(&channel),
        };
        queue.and_then(|queue| queue.first()).map(|(due, _)| *due)
    }

    pub(super) fn commit(&mut self) {
        self.journal.clear();
        // A transaction that went through everything must not hold on to its memory.
        self.journal.shrink_to(16 * 1024);
    }

    pub(super) fn rollback(&mut self) {
        for (line, entry, added) in std::mem::take(&mut self.journal).into_iter().rev() {
            let queue = self.queue(line);
            if added {
                queue.remove(&entry);
            } else {
                queue.insert(entry);
            }
        }
    }

    fn queue(&mut self, line: Line) -> &mut BTreeSet<Entry> {
        match line {
            Line::Runs => &mut self.runs,
            Line::Contacts => &mut self.contacts,
            Line::Messages(channel) => self.messages.entry(channel).or_default(),
        }
    }
}
