//! Simulation: contacts and what happens to them run through the workflows on virtual time, with the production kernel on a store in memory
//! (see [`crate::rehearsal`]).

mod coming;
mod figures;
mod report;
mod summary;
mod synthetic;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use dsl::model::Catalog;

pub use crate::rehearsal::{Hold, Line};
pub use coming::{Coming, Known};
pub use figures::Figures;
pub use report::{Head, PageError, page};
pub use summary::{counted, grouped};
pub use synthetic::{Synthetic, Written, contact_row, row};

use crate::ingest::ContactInput;
use crate::kernel::{Input, Plan};
use crate::rehearsal::{Act, Rehearsal, RehearsalError, Taken};
use crate::render::RenderError;

/// How many contacts are held before they are given.
const CHUNK: usize = 1000;

/// From when to when, and how. Times are ms since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Span {
    /// Inclusive. Earlier events count as history and start nothing.
    pub from: i64,
    /// Exclusive.
    pub until: i64,
    /// Varies the spread after quiet hours and windows.
    pub seed: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    #[error("a template does not compile: {0}")]
    Render(#[from] RenderError),
    #[error("the result cannot be written: {0}")]
    Write(#[source] io::Error),
    #[error("what is simulated cannot be read: {0}")]
    Read(#[source] io::Error),
}

/// A simulation whose contacts are known and whose time has not begun.
pub struct Simulation {
    rehearsal: Rehearsal<Taken>,
    from: i64,
    until: i64,
}

/// What a simulation tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    Line(Box<Line>),
    /// A message must wait. Told each time, before the lines of the same instant.
    Hold(Hold),
}

/// The catalog with this workflow alone; `None` if it has none of this name.
pub fn only(catalog: &Catalog, workflow: &str) -> Option<Catalog> {
    let entry = catalog.workflows.get(workflow)?;
    Some(Catalog { workflows: [(workflow.to_owned(), entry.clone())].into(), ..catalog.clone() })
}

impl Simulation {
    /// Puts the catalog in force a moment before the span begins, so that what fires at its very beginning does. `drafts`: drafts run too.
    ///
    /// # Errors
    /// When a template does not compile, or the store in memory fails.
    pub fn new(catalog: Arc<Catalog>, drafts: bool, span: Span) -> Result<Simulation, SimulateError> {
        let plan = Arc::new(Plan::new(catalog, None)?);
        let rehearsal = Rehearsal::new(plan, (&span.seed, drafts), span.from, Taken)?;
        Ok(Simulation { rehearsal, from: span.from, until: span.until })
    }

    /// Nobody reads the bodies of messages: lines have none. What happens is the same, many times faster.
    #[must_use]
    pub fn without_bodies(self) -> Simulation {
        Simulation { rehearsal: self.rehearsal.without_bodies(), ..self }
    }

    /// Makes contacts known, as they are when the span begins.
    ///
    /// # Errors
    /// Those of the source and of the store.
    pub fn contacts(&mut self, contacts: impl IntoIterator<Item = io::Result<ContactInput>>) -> Result<(), SimulateError> {
        let mut inputs = Vec::with_capacity(CHUNK);
        for contact in contacts {
            inputs.push(Input::Known(contact.map_err(SimulateError::Read)?));
            if inputs.len() == CHUNK {
                self.rehearsal.know(&inputs)?;
                inputs.clear();
            }
        }
        Ok(self.rehearsal.know(&inputs)?)
    }

    /// Lets the time pass, from event to event and timer to timer, and tells `ears` each thing that happens, in order. What happens at the same
    /// time happens in the order given. Gives how many contacts were made known on the way.
    ///
    /// # Errors
    /// Those of the store, of what is coming, and of the ears.
    pub fn run(mut self, coming: &mut impl Coming, mut ears: impl FnMut(Told) -> io::Result<()>) -> Result<u64, SimulateError> {
        self.remember(coming)?;
        let at_first = self.known()?;
        loop {
            let next = [coming.next_at(), self.rehearsal.next_time()?].into_iter().flatten().min();
            let Some(now) = next.filter(|now| *now < self.until) else { return Ok(self.known()?.saturating_sub(at_first)) };
            let mut acts = Vec::new();
            while coming.next_at().is_some_and(|at| at <= now) {
                acts.extend(coming.take().map_err(SimulateError::Read)?.map(Act::Occurrence));
            }
            let lines = self.rehearsal.advance_with(now, acts)?;
            for hold in self.rehearsal.holds() {
                ears(Told::Hold(hold)).map_err(SimulateError::Write)?;
            }
            for line in lines {
                coming.saw(&line);
                ears(Told::Line(Box::new(line))).map_err(SimulateError::Write)?;
            }
        }
    }

    /// How many contacts were ever made known.
    fn known(&mut self) -> Result<u64, SimulateError> {
        let newest = self.rehearsal.kernel().store().newest_contact().map_err(RehearsalError::from)?;
        Ok(newest.0.unsigned_abs())
    }

    /// What happened before the beginning counts, and starts nothing.
    fn remember(&mut self, coming: &mut impl Coming) -> Result<(), SimulateError> {
        let mut history = Vec::with_capacity(CHUNK);
        while coming.next_at().is_some_and(|at| at < self.from) {
            history.extend(coming.take().map_err(SimulateError::Read)?.map(Input::History));
            if history.len() == CHUNK {
                self.rehearsal.know(&history)?;
                history.clear();
            }
        }
        Ok(self.rehearsal.know(&history)?)
    }
}
