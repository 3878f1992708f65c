//! Conditions on what the contact did: which events count, how many, and what their numbers come to.

use dsl::model::EventCondition;
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
        let events = self.facts.events(&condition.name, reach.from(), bare)?;
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
fn verdict(condition: &EventCondition, counted: &[&Event], scope: &Scope<'_>) -> bool {
    enough(condition, counted.len(), scope)
        && condition
            .aggregates
            .iter()
            .all(|aggregate| meets_all(&aggregate.tests, outcome(aggregate, counted).as_ref(), scope).holds)
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
