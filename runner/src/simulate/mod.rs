//! Simulation: contacts and what happens to them run through the workflows on virtual time, with the production kernel on a store in memory.
//!
//! Architecture invariants: no clock, no randomness but the seed's, nothing leaves and nothing outside is touched: the same input gives the
//! same lines, byte for byte.

mod line;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dsl::model::Catalog;

pub use line::Line;
pub use summary::{Summary, counted, grouped};

use crate::channels::{Content, Job, Outcome, Report};
use crate::ingest::{ContactInput, Occurrence};
use crate::instant::project_zone;
use crate::kernel::{Happening, Input, Kernel, Observer, Options, Plan};
use crate::render::RenderError;
use crate::state::MessageId;
use crate::store::{SqliteStore, StoreError};

/// How many contacts are given in one transaction.
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
    Store(#[from] StoreError),
    #[error("a template does not compile: {0}")]
    Render(#[from] RenderError),
    #[error("the result cannot be written: {0}")]
    Write(#[source] io::Error),
    #[error("a contact cannot be read: {0}")]
    Read(#[source] io::Error),
}

/// A simulation whose contacts are known and whose time has not begun.
pub struct Simulation {
    kernel: Kernel,
    span: Span,
    seen: Seen,
    /// The contents of messages that are on their way.
    contents: HashMap<MessageId, Content>,
}

/// What the kernel told since it was last asked.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Line>>>);

struct Watch {
    seen: Seen,
    zone: jiff::tz::TimeZone,
}

impl Observer for Watch {
    fn happened(&mut self, happening: &Happening<'_>) {
        let line = Line::of(happening, &self.zone);
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl Seen {
    fn take(&self) -> Vec<Line> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
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
        let seen = Seen::default();
        let watch = Watch { seen: seen.clone(), zone: project_zone(&plan.catalog.settings) };
        let options = Options { observer: Some(Box::new(watch)), seed: span.seed.clone(), drafts };
        let before = span.from - 1;
        let kernel = Kernel::open(Box::new(SqliteStore::in_memory()?), plan, options, before)?;
        let mut simulation = Simulation { kernel, span, seen, contents: HashMap::new() };
        // Whatever is older than the span fires for nobody.
        simulation.settle(before)?;
        Ok(simulation)
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
                self.kernel.arrive(self.span.from, &inputs)?;
                inputs.clear();
            }
        }
        self.kernel.arrive(self.span.from, &inputs)?;
        Ok(())
    }

    /// Lets the time pass, from event to event and timer to timer, and hands each thing that happens to `sink`, in order. What happens at the
    /// same time happens in the order given.
    ///
    /// # Errors
    /// Those of the store and of the sink.
    pub fn run(mut self, mut events: Vec<Occurrence>, mut sink: impl FnMut(Line) -> io::Result<()>) -> Result<(), SimulateError> {
        let Span { from, until, .. } = self.span;
        events.sort_by_key(|event| event.at);
        let begins = events.partition_point(|event| event.at < from);
        let mut coming = events.into_iter().peekable();
        let history: Vec<Input> = coming.by_ref().take(begins).map(Input::History).collect();
        for chunk in history.chunks(CHUNK) {
            self.kernel.arrive(from, chunk)?;
        }
        drop(history);
        let mut next = Some(from);
        while let Some(now) = next.filter(|next| *next < until) {
            while let Some(event) = coming.next_if(|event| event.at <= now) {
                self.arrive(now, event)?;
            }
            self.settle(now)?;
            for line in self.seen.take() {
                sink(line).map_err(SimulateError::Write)?;
            }
            let event = coming.peek().map(|event| event.at);
            next = [event, self.kernel.next_wake()?].into_iter().flatten().min().map(|next| next.max(now + 1));
        }
        Ok(())
    }

    /// One event, with every message that follows from it at once.
    fn arrive(&mut self, now: i64, event: Occurrence) -> Result<(), SimulateError> {
        let mut inputs = vec![Input::Occurrence(event)];
        while !inputs.is_empty() {
            let jobs = self.kernel.arrive(now, &inputs)?.jobs;
            inputs = self.carry(jobs);
            self.attach();
        }
        Ok(())
    }

    /// Turns until there is nothing to do any more at this time.
    fn settle(&mut self, now: i64) -> Result<(), SimulateError> {
        let mut inputs = Vec::new();
        loop {
            let turn = self.kernel.turn(now, &inputs)?;
            self.attach();
            inputs = self.carry(turn.jobs);
            let idle = inputs.is_empty() && !turn.more;
            if idle && self.kernel.next_wake()?.is_none_or(|wake| wake > now) {
                return Ok(());
            }
        }
    }

    /// Every message is delivered at once, unless it cannot be made.
    fn carry(&mut self, jobs: Vec<(Arc<str>, Job)>) -> Vec<Input> {
        let deliver = |(_, job): (Arc<str>, Job)| {
            let (subject, outcome) = match (job.compose)() {
                Ok(content) => {
                    let subject = content.subject.clone();
                    // Nobody is called.
                    if content.call.is_none() {
                        self.contents.insert(job.message, content);
                    }
                    (subject, Outcome::Sent)
                }
                Err(why) => (None, Outcome::Failed(why)),
            };
            Input::Report(Report::new(job.message, subject, outcome, Duration::ZERO))
        };
        jobs.into_iter().map(deliver).collect()
    }

    /// Puts the bodies to the messages that have left.
    fn attach(&mut self) {
        if self.contents.is_empty() {
            return;
        }
        let mut lines = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.iter_mut() {
            if let Some(content) = line.message.and_then(|message| self.contents.remove(&message)) {
                line.html = content.html;
                line.text = content.text;
            }
        }
    }
}
