//! Conditions on what happened, compared with each other: how many events each asks for, and whose events are among whose.

use super::span::Bound;
use super::value::{Known, MOST, Test, contradict};
use crate::contract::{Kinds, Limits};
use crate::model::{Aggregate, AggregateFunction, Condition, EventCondition, Predicate, Since};
use crate::time::Duration;

/// From where in a run events count; later is fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::check) enum From {
    /// From the beginning of time.
    All,
    Entry,
    Step,
}

/// Which part of the past a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub from: From,
    pub within: Option<Duration>,
}

impl Reach {
    /// `standard`: what holds of a condition that says neither `within` nor `since`.
    pub(super) fn of(within: Option<Duration>, since: Option<Since>, standard: From) -> Reach {
        let from = match since {
            Some(Since::Entry) => From::Entry,
            Some(Since::Step) => From::Step,
            None if within.is_some() => From::All,
            None => standard,
        };
        Reach { from, within }
    }

    /// Whether what counts here counts there, too.
    pub(super) fn inside(self, other: Reach) -> bool {
        let within = match (self.within, other.within) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(this), Some(other)) => this <= other,
        };
        within && self.from >= other.from
    }
}

/// How many events a condition asks for: whole numbers, 0 or more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub least: f64,
    pub most: f64,
    /// Any number from the least to the most is right.
    pub exact: bool,
}

impl Count {
    pub(super) fn of(event: &EventCondition) -> Count {
        let Some(tests) = &event.count else {
            // Sums and the like are of at least one event.
            return Count { least: 1.0, most: f64::INFINITY, exact: true };
        };
        // What was wrong is left out.
        let mut count = Count { least: 0.0, most: f64::INFINITY, exact: !tests.is_empty() };
        for test in tests {
            let (least, most) = match (Bound::of(test), test) {
                (Some(Bound::Low { at, included }), _) => (if included { at.ceil() } else { at.floor() + 1.0 }, f64::INFINITY),
                (Some(Bound::High { at, included }), _) => (0.0, if included { at.floor() } else { at.ceil() - 1.0 }),
                (None, Predicate::Is(value)) => match value.as_f64() {
                    Some(at) => (at.ceil(), at.floor()),
                    None => continue,
                },
                (None, Predicate::IsNot(value)) if value.as_f64() == Some(0.0) => (1.0, f64::INFINITY),
                _ => {
                    count.exact = false;
                    continue;
                }
            };
            count.least = count.least.max(least);
            count.most = count.most.min(most);
        }
        count
    }

    /// What is asked for where this is not to hold, if that can be said as a span.
    fn otherwise(self) -> Option<Count> {
        match (self.exact, self.least <= 0.0, self.most == f64::INFINITY) {
            (true, true, false) => Some(Count { least: self.most + 1.0, most: f64::INFINITY, exact: true }),
            (true, false, true) => Some(Count { least: 0.0, most: self.least - 1.0, exact: true }),
            _ => None,
        }
    }
}

/// A condition on events that is to hold, or not to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Happened<'a> {
    pub event: &'a EventCondition,
    pub reach: Reach,
    pub so: bool,
}

impl Happened<'_> {
    fn count(&self) -> Option<Count> {
        match (self.so, self.event.aggregates.is_empty()) {
            (true, _) => Some(Count::of(self.event)),
            (false, true) => Count::of(self.event).otherwise(),
            (false, false) => None,
        }
    }

    /// Whether two on events of the same name cannot both be as they are to be.
    pub(super) fn excludes(&self, other: &Happened<'_>) -> bool {
        let opposite = self.so != other.so && self.reach == other.reach && self.event == other.event;
        opposite || self.more_than(other) || other.more_than(self) || self.sums_apart(other)
    }

    /// Whether this asks for more events than the other leaves of those that are among its own.
    fn more_than(&self, other: &Happened<'_>) -> bool {
        let (Some(this), Some(others)) = (self.count(), other.count()) else { return false };
        this.least > others.most
            && self.reach.inside(other.reach)
            && implies(self.event.filter.as_deref(), other.event.filter.as_deref())
    }

    /// Whether the two ask for sums of the same events that exclude each other.
    fn sums_apart(&self, other: &Happened<'_>) -> bool {
        let alike = self.so && other.so && self.reach == other.reach && self.event.filter == other.event.filter;
        alike
            && self.event.aggregates.iter().any(|one| {
                other.event.aggregates.iter().filter(|two| one.function == two.function && one.of == two.of).any(|two| {
                    let tests: Vec<Test<'_>> =
                        one.tests.iter().chain(&two.tests).map(|predicate| Test { predicate, so: true }).collect();
                    contradict(&tests, &outcome(one, &Known::default()))
                })
            })
    }

    /// What comes of it while nothing has happened; `None` where that is not known.
    pub(super) fn before_anything(&self) -> Option<bool> {
        let count = Count::of(self.event);
        if count.least > 0.0 {
            return Some(false);
        }
        (count.exact && self.event.aggregates.is_empty()).then_some(true)
    }
}

/// Whether who meets the one filter meets the other.
fn implies(this: Option<&Condition>, other: Option<&Condition>) -> bool {
    let Some(wanted) = other else { return true };
    this.is_some_and(|this| {
        let there = parts(this);
        let wanted = parts(wanted);
        there.len() <= MOST && wanted.len() <= MOST && wanted.iter().all(|part| there.contains(part))
    })
}

/// What must hold together.
fn parts(condition: &Condition) -> &[Condition] {
    match condition {
        Condition::All(parts) => parts,
        single => std::slice::from_ref(single),
    }
}

/// What is known of a sum and the like, from what is known of the property: no sum of what is never negative is.
pub(super) fn outcome(aggregate: &Aggregate, property: &Known) -> Known {
    let kinds = Some(Kinds { number: true, ..Kinds::default() });
    let of_values = || {
        let numbers = property.limits.values.iter().flatten().filter_map(|value| value.as_f64());
        let listed = property
            .limits
            .values
            .as_ref()
            .map(|_| numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it))));
        match listed {
            Some((low, high)) => (Some((low, true)), Some((high, true))),
            None => (property.limits.low, property.limits.high),
        }
    };
    let (low, high) = of_values();
    let limits = match aggregate.function {
        AggregateFunction::Sum => Limits { low: low.filter(|(at, _)| *at >= 0.0).map(|_| (0.0, true)), ..Limits::default() },
        AggregateFunction::Avg | AggregateFunction::Min | AggregateFunction::Max => Limits { low, high, ..Limits::default() },
    };
    Known { always: aggregate.function == AggregateFunction::Sum, kinds, limits }
}

/// Whether the tests of one of the condition's sums exclude each other.
pub(super) fn sums_nothing<'e>(event: &'e EventCondition, property: impl Fn(&'e Aggregate) -> Known) -> bool {
    event.aggregates.iter().any(|aggregate| {
        let tests: Vec<Test<'_>> = aggregate.tests.iter().map(|predicate| Test { predicate, so: true }).collect();
        contradict(&tests, &outcome(aggregate, &property(aggregate)))
    })
}

/// Whether the same message's fate is asked for, as far as its template goes: what is true of one message is true of `any`.
pub(super) fn of_template(this: Option<&String>, other: Option<&String>) -> bool {
    other.is_none() || this == other
}

/// Whether the count asks for a number and says nothing: any number is right.
pub(super) fn any_number(event: &EventCondition) -> bool {
    let count = Count::of(event);
    count.exact && count.least <= 0.0 && count.most == f64::INFINITY && event.aggregates.is_empty()
}

/// Whether one more event can only make the condition hold (`Some(true)`), or only make it no longer hold.
pub(in crate::check) fn asks_for_more(event: &EventCondition) -> Option<bool> {
    let count = Count::of(event);
    match (count.exact && event.aggregates.is_empty(), count.least > 0.0, count.most == f64::INFINITY) {
        (true, true, true) => Some(true),
        (true, false, false) => Some(false),
        _ => None,
    }
}
