//! Conditions on what the contact did: which events count, how many, and what their numbers come to.

use dsl::model::{EventCondition, Predicate};
use serde_json::Value;

use super::aggregate::outcome;
use super::predicate::meets_all;
use super::reach::{Place, Reach};
use super::{Evaluation, Facts, Scope, Truth, earliest};
use crate::state::Event;

impl<'a, F: Facts> Evaluation<'a, F> {
    pub(super) fn event(&mut self, condition: &'a EventCondition, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        let reach = Reach::new(condition.within, condition.since, scope);
        let bare = condition.filter.is_none() && condition.aggregates.is_empty();
        let events = match stable_from(condition, scope).filter(|_| bare && !reach.is_of_a_run()) {
            // However many there are, more than these would not change the answer, nor when it turns.
            Some(number) => self.facts.latest_events(&condition.name, scope.now, number)?,
            None => self.facts.events(&condition.name, reach.from(), bare)?,
        };
        let mut counted = Vec::with_capacity(events.len());
        let mut recheck = None;
        for event in events.iter() {
            match reach.place(event.at, event.id) {
                Place::Outside => {}
                Place::Later => recheck = earliest(recheck, Some(event.at)),
                Place::Counts => {
                    let meets = self.meets_filter(condition, event, scope)?;
                    recheck = earliest(recheck, meets.recheck);
                    if meets.holds {
                        counted.push(event);
                    }
                }
            }
        }
        let holds = verdict(condition, &counted, scope);
        Ok(Truth { holds, recheck: earliest(recheck, turns_by_leaving(condition, &counted, &reach, holds, scope)) })
    }

    fn meets_filter(&mut self, condition: &'a EventCondition, event: &Event, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        match &condition.filter {
            Some(filter) => self.check(filter, &Scope { event: Some(&event.properties), ..*scope }),
            None => Ok(Truth::fixed(true)),
        }
    }
}

/// Whether these events, all of which count, are what the condition asks for.
pub(crate) fn verdict(condition: &EventCondition, counted: &[&Event], scope: &Scope<'_>) -> bool {
    enough(condition, counted.len(), scope)
        && condition
            .aggregates
            .iter()
            .all(|aggregate| meets_all(&aggregate.tests, outcome(aggregate, counted).as_ref(), scope).holds)
}

/// How many turns a number of events may take before it is simpler to count.
const MOST_TURNS: usize = 2;
/// Numbers of events up to which the turns are looked for.
const COUNTED: usize = 10_000;

/// The numbers of events, in order, at which the answer turns for a condition that asks for nothing but their number, beginning with the answer
/// to none; `None` when that is not short.
pub(crate) fn turns(condition: &EventCondition, scope: &Scope<'_>) -> Option<(bool, Vec<usize>)> {
    if !condition.aggregates.is_empty() {
        return None;
    }
    // Beyond every number that the tests name the answer stays.
    let named = condition.count.iter().flatten().map(greatest_named).fold(1.0, f64::max);
    let last = (named <= COUNTED as f64).then(|| named as usize + 1)?;
    let holds = |number| enough(condition, number, scope);
    let turns: Vec<usize> = (1..=last).filter(|number| holds(*number) != holds(number - 1)).take(MOST_TURNS + 1).collect();
    (turns.len() <= MOST_TURNS).then_some((holds(0), turns))
}

/// The number of events from which on more of them change nothing.
fn stable_from(condition: &EventCondition, scope: &Scope<'_>) -> Option<usize> {
    let (_, turns) = turns(condition, scope)?;
    Some(turns.last().copied().unwrap_or(0))
}

/// The greatest number that the test compares with; 0 for one that compares with none.
fn greatest_named(test: &Predicate) -> f64 {
    let greatest = |values: &[Value]| values.iter().filter_map(Value::as_f64).fold(0.0, f64::max);
    match test {
        Predicate::Is(value) | Predicate::IsNot(value) => greatest(std::slice::from_ref(value)),
        Predicate::OneOf(values) | Predicate::NoneOf(values) => greatest(values),
        Predicate::Above(limit) | Predicate::AtLeast(limit) | Predicate::Below(limit) | Predicate::AtMost(limit) => *limit,
        Predicate::Contains(_)
        | Predicate::StartsWith(_)
        | Predicate::EndsWith(_)
        | Predicate::Matches(_)
        | Predicate::Exists(_)
        | Predicate::Before(_)
        | Predicate::After(_)
        | Predicate::WithinLast(_)
        | Predicate::WithinNext(_) => 0.0,
    }
}

fn enough(condition: &EventCondition, count: usize, scope: &Scope<'_>) -> bool {
    match &condition.count {
        Some(tests) => meets_all(tests, Some(&Value::from(count)), scope).holds,
        None => count > 0,
    }
}

/// When events that drop out of `within`, oldest first, change the verdict. With aggregates this is when the first drops out, which is
/// soon enough; a bare number is followed down, so that a frequent buyer is not looked at again for every old order.
fn turns_by_leaving(
    condition: &EventCondition,
    counted: &[&Event],
    reach: &Reach,
    holds: bool,
    scope: &Scope<'_>,
) -> Option<i64> {
    if !condition.aggregates.is_empty() {
        return reach.leaves(counted.first()?.at);
    }
    condition.within?;
    let turn = (1..=counted.len()).find(|gone| enough(condition, counted.len() - gone, scope) != holds)?;
    reach.leaves(counted.get(turn - 1)?.at)
}
