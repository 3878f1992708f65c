//! Retention: every night what is older than the settings want it kept is deleted, in small batches between other work.
//!
//! Runs stay, as they decide who may enter a workflow again, and so do the events in which contacts said what they want; traits without
//! `within` keep what they counted.

use dsl::time::{Time, Weekdays, next_at};
use serde::{Deserialize, Serialize};

use super::{CHUNK, Kernel};
use crate::instant::project_zone;
use crate::standing::Happened;
use crate::store::{Old, Result};

/// Under which name the store keeps how far it is.
const PROGRESS: &str = "retention";

/// At what time of the project's day it begins.
const NIGHTLY: (i8, i8) = (4, 0);

/// How long message ids and idempotency keys are remembered, in ms.
const RECEIVED: i64 = 30 * 24 * 3_600_000;

/// How far the deleting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Retaining {
    /// When it goes on.
    pub due: i64,
    /// What comes next; `None`: nothing until `due`.
    stage: Option<Old>,
    /// The last row that was looked at.
    cursor: i64,
}

impl Kernel {
    pub(super) fn put_retention_in_force(&mut self) -> Result<()> {
        let kept = self.store.property(PROGRESS)?.unwrap_or_default();
        self.retaining = serde_json::from_str(&kept).unwrap_or(Retaining { due: self.now, stage: None, cursor: 0 });
        Ok(())
    }

    /// When there is something to delete next; `None` where all is kept for ever.
    pub(super) fn retains_at(&self) -> Option<i64> {
        let retention = self.plan.catalog.settings.retention;
        (retention.events.is_some() || retention.messages.is_some()).then_some(self.retaining.due)
    }

    /// Goes on with deleting, when it is time. True when there is more.
    pub(super) fn retain(&mut self) -> Result<bool> {
        // What is not counted yet must not go before it is.
        if self.retaining.due > self.now || self.inbox || self.definitions.sweeping {
            return Ok(false);
        }
        if self.retaining.stage.is_none() && self.retains_at().is_none() {
            // What was received is forgotten all the same, when the runner is awake anyway.
            self.retaining.stage = Some(Old::RunLogs);
        }
        let stage = self.retaining.stage.unwrap_or(Old::Events);
        let mut next = None;
        if let Some(kept) = self.kept_for(stage) {
            let expired = self.store.expire(stage, self.now.saturating_sub(kept), self.retaining.cursor, CHUNK)?;
            next = expired.next;
            for id in expired.contacts {
                if let Some(contact) = self.find_contact(id)? {
                    self.look(contact, Happened::Anything)?;
                    self.follow_up()?;
                }
            }
        }
        self.retaining = match (next, stage) {
            (Some(cursor), stage) => Retaining { due: self.now, stage: Some(stage), cursor },
            (None, Old::Events) => Retaining { due: self.now, stage: Some(Old::Messages), cursor: 0 },
            (None, Old::Messages) => Retaining { due: self.now, stage: Some(Old::RunLogs), cursor: 0 },
            (None, Old::RunLogs) => {
                if self.store.forget_received(self.now - RECEIVED, CHUNK)? == CHUNK {
                    return Ok(true);
                }
                let zone = project_zone(&self.plan.catalog.settings);
                let due = next_at(self.now, Time::constant(NIGHTLY.0, NIGHTLY.1, 0, 0), Weekdays::ALL, &zone);
                Retaining { due, stage: None, cursor: 0 }
            }
        };
        self.store.set_property(PROGRESS, &serde_json::to_string(&self.retaining).unwrap_or_default())?;
        Ok(self.retaining.due <= self.now)
    }

    /// In ms; `None`: for ever.
    fn kept_for(&self, what: Old) -> Option<i64> {
        let settings = &self.plan.catalog.settings;
        let kept = match what {
            Old::Events => settings.retention.events,
            Old::Messages | Old::RunLogs => settings.retention.messages,
        };
        // The frequency caps must be able to look back.
        let caps = settings.frequency.iter().map(|cap| cap.per.millis()).max().unwrap_or(0);
        kept.map(|kept| kept.millis().max(caps))
    }
}
