//! Conditions on what happened to messages to the contact.

use dsl::model::MessageCondition;

use super::reach::{Place, Reach};
use super::{Evaluation, Facts, Scope, Truth, earliest};
use crate::store::FateRow;

impl<F: Facts> Evaluation<'_, F> {
    pub(super) fn message(&mut self, condition: &MessageCondition, scope: &Scope<'_>) -> Result<Truth, F::Error> {
        let reach = Reach::new(condition.within, condition.since, scope);
        let mut latest: Option<i64> = None;
        let mut next = None;
        for row in self.facts.fates(condition.is, reach.from())? {
            if !is_meant(condition, &row, scope) {
                continue;
            }
            match reach.place(row.at, row.id) {
                Place::Outside => {}
                Place::Later => next = earliest(next, Some(row.at)),
                Place::Counts => latest = latest.max(Some(row.at)),
            }
        }
        Ok(match latest {
            // It holds at least until the latest drops out of `within`.
            Some(at) => Truth { holds: true, recheck: reach.leaves(at) },
            None => Truth { holds: false, recheck: next },
        })
    }
}

fn is_meant(condition: &MessageCondition, row: &FateRow, scope: &Scope<'_>) -> bool {
    condition.template.as_ref().is_none_or(|template| *template == row.template)
        && (scope.own_run.is_none() || row.run == scope.own_run)
}
