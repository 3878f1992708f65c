//! Warns of steps that no run ever comes to.
//!
//! # What it does
//! Looks for steps after an `exit` (or after a branch whose every case exits, or a repeat whose passes do), for cases after one without `when`, and for cases that only
//! ask for what an earlier one has taken.
//!
//! # Why is this bad
//! What is never reached was probably meant to be.
//!
//! # Example
//! ```yaml
//! steps:
//!   - exit
//!   - send: goodbye
//! ```
//!
//! # Use instead
//! ```yaml
//! steps:
//!   - send: goodbye
//!   - exit
//! ```

use super::certain::wholes::{self, Role, Whole};
use super::certain::{Certain, Fact, Given};
use super::{Project, Report};
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::{StepNote, WorkflowUnit};
use crate::model::{Case, StepKind};

/// So many cases of a branch are compared with each other.
const MOST: usize = 64;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    for step in project.steps() {
        if let StepNote::Unreachable(at) = step {
            let help = "what stands before it always ends the run, or is always taken";
            report.warning("unreachable-step", at, "nobody ever comes here", help);
        }
    }
    let certain = Certain::new(project);
    for unit in project.workflows() {
        branches(project, &certain, unit, report);
    }
}

/// Looks at each branch of a workflow, with its conditions and the places of its cases.
fn branches<'a>(project: &Project<'a>, certain: &Certain<'_, 'a>, unit: &'a WorkflowUnit, report: &mut Report<'_>) {
    let all = wholes::of_workflow(project, unit);
    let sure = wholes::sure(project, unit, &all);
    let mut conditions = all.iter().filter(|whole| whole.role == Role::When);
    let mut places = unit.notes.cases.as_slice();
    for step in &unit.model.steps {
        let StepKind::Branch { cases } = &step.kind else { continue };
        let Some((here, behind)) = places.split_at_checked(cases.len()) else { return };
        places = behind;
        let facts: Vec<Option<&Whole<'a>>> =
            cases.iter().map(|case| case.when.as_ref().and_then(|_| conditions.next())).collect();
        branch(certain, &sure, cases, &facts, here, report);
    }
}

/// Reports the cases that others before them leave nobody for. What is constant by itself is another rule's.
fn branch<'a>(
    certain: &Certain<'_, 'a>,
    sure: &[Given<'a>],
    cases: &[Case],
    conditions: &[Option<&Whole<'a>>],
    places: &[Location],
    report: &mut Report<'_>,
) {
    let mut before: Vec<(usize, Fact<'a>)> = Vec::new();
    for (index, ((case, condition), at)) in cases.iter().zip(conditions).zip(places).enumerate().take(MOST) {
        let own = condition.map(|whole| whole.fact);
        if case.when.is_some() && own.is_none() {
            return;
        }
        let with =
            |others: &[(usize, Fact<'a>)]| -> Vec<Fact<'a>> { others.iter().map(|(_, fact)| fact.not()).chain(own).collect() };
        let shut = |facts: &[Fact<'a>]| certain.refute(sure, facts).is_some_and(|conflict| !conflict.of_contract);
        if own.is_some_and(|own| certain.refute(sure, &[own]).is_some()) {
            continue;
        }
        if !before.is_empty() && shut(&with(&before)) {
            let mut diagnostic = match own {
                Some(_) => Diagnostic::warning("unreachable-step", at.clone(), "nobody ever takes this case")
                    .help("who meets it has been taken by an earlier case: put it before that, or remove it"),
                None => Diagnostic::warning("unreachable-step", at.clone(), "nobody is left for this case")
                    .help("the cases before it take everybody: remove it"),
            };
            let taken_by = before.iter().find(|(_, fact)| shut(&[fact.not()].into_iter().chain(own).collect::<Vec<_>>()));
            match taken_by.and_then(|(earlier, _)| places.get(*earlier)) {
                Some(place) => diagnostic = diagnostic.related(place.clone(), "this case takes them"),
                None => {
                    for place in before.iter().filter_map(|(earlier, _)| places.get(*earlier)) {
                        diagnostic = diagnostic.related(place.clone(), "this case takes some of them");
                    }
                }
            }
            report.push(diagnostic);
        } else if let Some(own) = own {
            // Who always takes a case leaves nobody for the others: that is said of the condition.
            if certain.refute(sure, &[own.not()]).is_some() {
                return;
            }
            before.push((index, own));
        }
    }
}
