//! Journey tests: what is written under tests/ performed by the production kernel on virtual time, and held against what is expected.
//!
//! Architecture invariants: every test has a store of its own in memory and shares nothing but compiled definitions, so the order of tests and
//! the number of threads change nothing; nothing outside is touched but snapshots, when they are to be written.

#[cfg(test)]
mod agreeing;
mod compare;
mod coverage;
mod perform;
mod plans;
pub mod report;
mod snapshots;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dsl::model::Catalog;
use dsl::model::journey::{Journey, Suite};

pub use compare::{Row, Verdict};
pub use coverage::{Coverage, Unreached, WorkflowCoverage};
pub use plans::Plans;
pub use snapshots::{SnapshotError, Snapshots};

use crate::clock::Stopwatch;
use crate::rehearsal::{Line, RehearsalError};
use crate::render::RenderError;

/// More threads than this are of no use for tests that take a millisecond.
const MOST_THREADS: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum JourneyError {
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    #[error("a template does not compile: {0}")]
    Render(#[from] RenderError),
    #[error("what is given cannot be taken in: {0}")]
    Given(String),
}

/// What came of one test.
#[derive(Debug)]
pub struct Outcome<'s> {
    pub suite: &'s Suite,
    pub journey: &'s Journey,
    /// Expected beside actual, in order.
    pub rows: Vec<Row>,
    /// Why it could not be performed to the end.
    pub error: Option<String>,
    /// Everything that happened.
    pub lines: Vec<Line>,
    /// In real time.
    pub took: Duration,
}

impl Outcome<'_> {
    pub fn passed(&self) -> bool {
        self.error.is_none() && self.rows.iter().all(Row::is_fine)
    }
}

/// Performs these tests, on as many threads as the machine has; the outcomes are in the order of the tests.
pub fn perform<'s>(tests: &[(&'s Suite, &'s Journey)], plans: &Plans, snapshots: &Snapshots) -> Vec<Outcome<'s>> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::with_capacity(tests.len()));
    let work = || {
        while let Some((number, (suite, journey))) = tests.get(next.load(Ordering::Relaxed)).and_then(|_| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            Some((number, tests.get(number)?))
        }) {
            let outcome = one(suite, journey, plans, snapshots);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((number, outcome));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(tests.len());
    if threads > 1 {
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    } else {
        work();
    }
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn one<'s>(suite: &'s Suite, journey: &'s Journey, plans: &Plans, snapshots: &Snapshots) -> Outcome<'s> {
    let watch = Stopwatch::start();
    let performed = plans.of(suite, journey).and_then(|plan| perform::perform(plan, suite, journey));
    let (lines, error) = match performed {
        Ok(performed) => (performed.lines, performed.error),
        Err(error) => (Vec::new(), Some(error)),
    };
    let rows = compare::compare(suite, journey, &lines, snapshots);
    Outcome { suite, journey, rows, error: error.map(|error| error.to_string()), lines, took: watch.elapsed() }
}

/// Which steps and branches of the catalog's workflows these outcomes reach; of the named workflows.
pub fn coverage<'c>(catalog: &'c Catalog, outcomes: &[Outcome<'_>], workflows: impl Iterator<Item = &'c str>) -> Coverage {
    let mut reached = coverage::Reached::default();
    for line in outcomes.iter().flat_map(|outcome| &outcome.lines) {
        reached.note(line);
    }
    reached.of(catalog, workflows)
}
