//! Messages that had to wait: for what, and how long.

use std::collections::{BTreeMap, HashMap};

use super::super::Line;
use crate::dispatch::Holding;
use crate::rehearsal::{Hold, Sent};
use crate::state::{MessageId, MessageStatus};

/// What a message waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    Held(Holding),
    /// It might have left, but the channel's rate or the recipient's domain had no place for it for a second or more.
    Rate,
}

impl Cause {
    pub fn words(self) -> &'static str {
        match self {
            Cause::Held(Holding::QuietHours) => "quiet hours",
            Cause::Held(Holding::Window) => "the step’s window",
            Cause::Held(Holding::Cap) => "a frequency cap",
            Cause::Rate => "the channel’s rate",
        }
    }
}

/// Waiting less than this (in ms) for the channel is nothing to speak of.
const BRIEFLY: i64 = 1_000;

#[derive(Debug, Default)]
pub struct Holds {
    /// By workflow and what was waited for; a message that waited for several counts in each.
    pub by: BTreeMap<(String, Cause), HoldFigures>,
    open: HashMap<MessageId, Open>,
}

/// How long messages waited for one thing. In ms.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct HoldFigures {
    pub messages: u64,
    pub total: i64,
    pub longest: i64,
    /// How many of them were not sent after all.
    pub skipped: u64,
}

/// A message that waits.
#[derive(Debug)]
struct Open {
    workflow: String,
    why: Holding,
    since: i64,
    before: Vec<(Holding, i64)>,
}

impl HoldFigures {
    fn add(&mut self, millis: i64, skipped: bool) {
        self.messages += 1;
        self.total += millis;
        self.longest = self.longest.max(millis);
        self.skipped += u64::from(skipped);
    }

    /// The same counted together.
    pub fn and(self, other: HoldFigures) -> HoldFigures {
        HoldFigures {
            messages: self.messages + other.messages,
            total: self.total + other.total,
            longest: self.longest.max(other.longest),
            skipped: self.skipped + other.skipped,
        }
    }

    /// On average, in ms.
    pub fn mean(&self) -> i64 {
        self.total.checked_div(i64::try_from(self.messages).unwrap_or(i64::MAX)).unwrap_or_default()
    }
}

impl Holds {
    pub(super) fn hold(&mut self, hold: &Hold) {
        let fresh = || Open { workflow: hold.workflow.clone(), why: hold.why, since: hold.instant, before: Vec::new() };
        let open = self.open.entry(hold.message).or_insert_with(fresh);
        if open.why != hold.why {
            open.before.push((open.why, hold.instant - open.since));
            (open.why, open.since) = (hold.why, hold.instant);
        }
    }

    /// The message left, or never will.
    pub(super) fn done(&mut self, line: &Line, sent: &Sent) {
        let open = line.message.and_then(|message| self.open.remove(&message));
        let skipped = sent.status != Some(MessageStatus::Sent);
        let rated = if skipped { 0 } else { line.instant - sent.due };
        if let Some(mut open) = open {
            open.before.push((open.why, line.instant - open.since - rated.max(0)));
            open.before.sort_by_key(|(why, _)| *why);
            for same in open.before.chunk_by(|(one, _), (other, _)| one == other) {
                let Some((why, _)) = same.first() else { continue };
                let millis = same.iter().map(|(_, millis)| millis).sum();
                self.by.entry((open.workflow.clone(), Cause::Held(*why))).or_default().add(millis, skipped);
            }
        }
        if rated >= BRIEFLY {
            self.by.entry((line.workflow.clone(), Cause::Rate)).or_default().add(rated, false);
        }
    }

    /// By what was waited for, over all workflows.
    pub fn causes(&self) -> BTreeMap<Cause, HoldFigures> {
        let mut causes: BTreeMap<Cause, HoldFigures> = BTreeMap::new();
        for ((_, cause), figures) in &self.by {
            let sum = causes.entry(*cause).or_default();
            *sum = sum.and(*figures);
        }
        causes
    }

    /// Messages that were still waiting at the end, or whose run ended while they waited.
    pub fn unresolved(&self) -> u64 {
        self.open.len() as u64
    }
}
