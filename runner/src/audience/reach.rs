//! Which part of a contact's past counts: `within`, `since`, and from where events count that say neither.

use dsl::model::Since;
use dsl::time::Duration;

use super::Scope;
use crate::state::{EventId, Mark};

/// The stretch of the past that a condition on events or messages looks at.
pub(crate) struct Reach {
    now: i64,
    /// In ms.
    within: Option<i64>,
    /// Only what comes strictly after it counts.
    after: Option<Mark>,
}

/// How an event lies to a [`Reach`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Counts,
    /// It is dated in the future, and counts from then on.
    Later,
    /// Never again.
    Outside,
}

impl Reach {
    pub(crate) fn new(within: Option<Duration>, since: Option<Since>, scope: &Scope<'_>) -> Reach {
        let after = match since {
            Some(Since::Entry) => scope.entry,
            Some(Since::Step) => scope.step,
            None if within.is_some() => None,
            None => scope.default_since,
        };
        Reach { now: scope.now, within: within.map(Duration::millis), after }
    }

    /// Whether it begins at a point in a run.
    pub(crate) fn is_of_a_run(&self) -> bool {
        self.after.is_some()
    }

    /// Nothing that happened before this time counts, now or later.
    pub(crate) fn from(&self) -> i64 {
        let oldest = self.within.map_or(i64::MIN, |within| self.now.saturating_sub(within));
        self.after.map_or(oldest, |mark| oldest.max(mark.0))
    }

    pub(super) fn place(&self, at: i64, id: EventId) -> Place {
        if self.after.is_some_and(|mark| Mark(at, id) <= mark) {
            Place::Outside
        } else if at > self.now {
            Place::Later
        } else if at < self.from() {
            Place::Outside
        } else {
            Place::Counts
        }
    }

    /// When what happened at this time stops counting; `None`: never.
    pub(super) fn leaves(&self, at: i64) -> Option<i64> {
        at.checked_add(self.within?)?.checked_add(1)
    }
}
