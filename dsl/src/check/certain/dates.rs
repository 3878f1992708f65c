//! Dates under several tests at once: as distances from now, and as written ones. The two are not compared, as nobody knows when they will be.

use super::span::{Bound, Span};
use crate::model::{Predicate, When};
use crate::time::{DateValue, parse_date};
use jiff::tz::TimeZone;

/// Between a local time and an instant lie at most so many ms, whatever the zone.
const ZONES: f64 = 26.0 * 3_600_000.0;

/// A written date, as ms in UTC.
#[derive(Debug, Clone, Copy)]
struct Written {
    at: f64,
    included: bool,
    /// It is meant in the contact's zone.
    local: bool,
}

/// What dates are left.
#[derive(Debug, Default)]
pub(super) struct Dates<'a> {
    moving: Vec<Bound>,
    lows: Vec<Written>,
    highs: Vec<Written>,
    /// What must hold.
    tests: Vec<&'a Predicate>,
    refused: bool,
}

impl<'a> Dates<'a> {
    /// The value must meet the test; `false` if the test is not about dates.
    pub(super) fn must(&mut self, test: &'a Predicate) -> bool {
        self.tests.push(test);
        match test {
            Predicate::Before(when) => self.bound(when, false, false),
            Predicate::After(when) => self.bound(when, true, false),
            Predicate::WithinLast(span) => {
                self.moving.push(Bound::Low { at: -(span.millis() as f64), included: true });
                self.moving.push(Bound::High { at: 0.0, included: true });
            }
            Predicate::WithinNext(span) => {
                self.moving.push(Bound::Low { at: 0.0, included: true });
                self.moving.push(Bound::High { at: span.millis() as f64, included: true });
            }
            _ => return false,
        }
        true
    }

    /// The value must not meet the test: of what is a date at all, the other side is left. To be said after all that must hold.
    pub(super) fn must_not(&mut self, test: &Predicate) {
        if self.tests.is_empty() {
            return;
        }
        match test {
            Predicate::Before(when) => self.bound(when, true, true),
            Predicate::After(when) => self.bound(when, false, true),
            other => self.refused |= self.tests.contains(&other),
        }
    }

    fn bound(&mut self, when: &When, low: bool, included: bool) {
        let moving = match when {
            When::Now => 0.0,
            When::Ago(span) => -(span.millis() as f64),
            When::Ahead(span) => span.millis() as f64,
            When::Date(text) => {
                let Some(date) = parse_date(text) else { return };
                let local = !matches!(date, DateValue::Instant(_));
                let written = Written { at: date.instant(&TimeZone::UTC) as f64, included, local };
                if low { &mut self.lows } else { &mut self.highs }.push(written);
                return;
            }
        };
        self.moving.push(if low { Bound::Low { at: moving, included } } else { Bound::High { at: moving, included } });
    }

    pub(super) fn is_empty(&self) -> bool {
        let apart = |low: &Written, high: &Written| {
            if low.local == high.local {
                low.at > high.at || (low.at == high.at && !(low.included && high.included))
            } else {
                low.at > high.at + ZONES
            }
        };
        self.refused
            || Span::of(self.moving.iter().copied()).is_empty()
            || self.lows.iter().any(|low| self.highs.iter().any(|high| apart(low, high)))
    }
}
