//! Rehearsal: the production kernel on virtual time, over a store in memory, with somebody who answers in the channels' place. Simulations and
//! journey tests are this with different ears.
//!
//! Architecture invariants: no clock, no randomness but the seed's, nothing leaves and nothing outside is touched: the same input gives the
//! same lines, byte for byte.

mod answers;
mod line;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::vec;

use jiff::tz::TimeZone;
use rayon::prelude::*;

pub use answers::{Answers, Script, Taken};
pub use line::{Hold, Line, Sent};

use crate::channels::{Carried, Content, Job, Outcome, Report};
use crate::ingest::Occurrence;
use crate::instant::project_zone;
use crate::kernel::{Enrolment, Happening, Held, Input, Kernel, Members, NoList, NotEnrolled, Observer, Options, Plan};
use crate::state::MessageId;
use crate::store::{MemoryStore, Store, StoreError};

/// How many inputs are given in one transaction.
const CHUNK: usize = 1000;

/// Fewer messages are made sooner than they are shared out.
const WORTH_SHARING: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum RehearsalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("nobody can be enrolled in `{workflow}`: {why}")]
    Enroll { workflow: String, why: NotEnrolled },
    #[error("nobody can be put on `{segment}`: {why}")]
    Members { segment: String, why: NoList },
}

/// Something that is done from outside. Times are ms since 1970 UTC.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Occurrence(Occurrence),
    Enroll(i64, Enrolment),
    Members(i64, Members),
}

impl Act {
    /// When it is done.
    pub fn at(&self) -> i64 {
        match self {
            Act::Occurrence(occurrence) => occurrence.at,
            Act::Enroll(at, _) | Act::Members(at, _) => *at,
        }
    }
}

/// A kernel whose time stands still until it is told to go on.
pub struct Rehearsal<A> {
    kernel: Kernel,
    answers: A,
    /// The instant that comes next, as far as time has moved.
    now: i64,
    begun: bool,
    coming: Peekable<vec::IntoIter<Act>>,
    seen: Seen,
    /// The contents of messages that are on their way.
    contents: HashMap<MessageId, Content>,
}

/// What a kernel told since it was last asked.
#[derive(Clone, Default)]
pub struct Seen {
    lines: Arc<Mutex<Vec<Line>>>,
    holds: Arc<Mutex<Vec<Hold>>>,
}

struct Watch {
    seen: Seen,
    zone: TimeZone,
}

impl Observer for Watch {
    fn happened(&mut self, happening: &Happening<'_>) {
        let line = Line::of(happening, &self.zone);
        self.seen.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn held(&mut self, held: &Held<'_>) {
        let hold = Hold { instant: held.at, workflow: held.workflow.to_owned(), message: held.message.id, why: held.why };
        self.seen.holds.lock().unwrap_or_else(PoisonError::into_inner).push(hold);
    }
}

impl Seen {
    /// What a kernel must be given to tell everything; texts carry the offset of `zone`.
    pub fn observer(&self, zone: TimeZone) -> Box<dyn Observer> {
        Box::new(Watch { seen: self.clone(), zone })
    }

    /// Everything since the last time, in order.
    pub fn take(&self) -> Vec<Line> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every message that had to wait since the last time, in order.
    pub fn take_holds(&self) -> Vec<Hold> {
        std::mem::take(&mut *self.holds.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<A: Answers> Rehearsal<A> {
    /// Puts the plan in force in an empty store a moment before `from`, so that what fires at that very time does. `seed` varies the spread after
    /// quiet hours and windows; `drafts`: drafts run too.
    ///
    /// # Errors
    /// When the store in memory fails.
    pub fn new(plan: Arc<Plan>, (seed, drafts): (&str, bool), from: i64, answers: A) -> Result<Rehearsal<A>, RehearsalError> {
        let seen = Seen::default();
        let observer = seen.observer(project_zone(&plan.catalog.settings));
        let options = Options { observer: Some(observer), seed: seed.to_owned(), drafts };
        // Whatever happens is told as it happens: nobody asks for it afterwards.
        let store: Box<dyn Store> = Box::new(MemoryStore::without_logs());
        let before = from - 1;
        let kernel = Kernel::open(store, plan, options, before)?;
        let coming = Vec::new().into_iter().peekable();
        let mut rehearsal = Rehearsal { kernel, answers, now: from, begun: false, coming, seen, contents: HashMap::new() };
        // Whatever is older than the beginning fires for nobody.
        rehearsal.settle(before)?;
        Ok(rehearsal)
    }

    /// Nobody reads the bodies of its messages: lines have none.
    #[must_use]
    pub fn without_bodies(mut self) -> Self {
        self.kernel.want_subjects_only();
        self
    }

    /// Tells it what was there before the beginning.
    ///
    /// # Errors
    /// Those of the store.
    pub fn know(&mut self, inputs: &[Input]) -> Result<(), RehearsalError> {
        for chunk in inputs.chunks(CHUNK) {
            self.kernel.arrive(self.now, chunk)?;
        }
        Ok(())
    }

    /// Puts contacts on the list of a segment, or takes them off it, as it was before the beginning.
    ///
    /// # Errors
    /// Those of the store, and where there is no such list.
    pub fn belong(&mut self, members: &Members) -> Result<(), RehearsalError> {
        let segment = members.segment.clone();
        self.kernel.know_members(members, self.now)?.map_err(|why| RehearsalError::Members { segment, why })?;
        Ok(())
    }

    /// What will be done, in any order; what is done at the same time is done in the order given. Occurrences from before the beginning count as
    /// history and start nothing.
    ///
    /// # Errors
    /// Those of the store.
    pub fn expect(&mut self, mut acts: Vec<Act>) -> Result<(), RehearsalError> {
        acts.sort_by_key(Act::at);
        let begins = acts.partition_point(|act| act.at() < self.now);
        let mut coming = acts.into_iter();
        let history = coming.by_ref().take(begins).filter_map(|act| match act {
            Act::Occurrence(occurrence) => Some(Input::History(occurrence)),
            Act::Enroll(..) | Act::Members(..) => None,
        });
        let history: Vec<Input> = history.collect();
        self.know(&history)?;
        self.coming = coming.peekable();
        Ok(())
    }

    /// When something happens next, if nothing more comes from outside than is expected; `None`: never.
    ///
    /// # Errors
    /// Those of the store.
    pub fn next_time(&mut self) -> Result<Option<i64>, RehearsalError> {
        if !self.begun {
            return Ok(Some(self.now));
        }
        let act = self.coming.peek().map(Act::at);
        Ok([act, self.kernel.next_wake()?].into_iter().flatten().min().map(|next| next.max(self.now + 1)))
    }

    /// What is done from outside next.
    pub fn next_act(&mut self) -> Option<i64> {
        self.coming.peek().map(Act::at)
    }

    /// Lets everything happen that happens at this time, which must be the next one.
    ///
    /// # Errors
    /// Those of the store, and what cannot be done.
    pub fn advance(&mut self, now: i64) -> Result<Vec<Line>, RehearsalError> {
        (self.now, self.begun) = (now, true);
        while let Some(act) = self.coming.next_if(|act| act.at() <= now) {
            self.act(now, act)?;
        }
        self.settle(now)?;
        Ok(self.seen.take())
    }

    /// The same, after these have been done besides what is expected, in order.
    ///
    /// # Errors
    /// Those of the store, and what cannot be done.
    pub fn advance_with(&mut self, now: i64, acts: impl IntoIterator<Item = Act>) -> Result<Vec<Line>, RehearsalError> {
        (self.now, self.begun) = (now, true);
        acts.into_iter().try_for_each(|act| self.act(now, act))?;
        self.advance(now)
    }

    /// The messages that had to wait since it was last asked.
    pub fn holds(&mut self) -> Vec<Hold> {
        self.seen.take_holds()
    }

    /// The kernel, to read from and to prepare.
    pub fn kernel(&mut self) -> &mut Kernel {
        &mut self.kernel
    }

    /// One thing that is done, with every message that follows from it at once.
    fn act(&mut self, now: i64, act: Act) -> Result<(), RehearsalError> {
        let mut inputs = match act {
            Act::Occurrence(occurrence) => vec![Input::Occurrence(occurrence)],
            Act::Enroll(_, enrolment) => {
                let workflow = enrolment.workflow.clone();
                self.kernel.enroll(&enrolment, now)?.map_err(|why| RehearsalError::Enroll { workflow, why })?;
                Vec::new()
            }
            Act::Members(_, members) => {
                let segment = members.segment.clone();
                self.kernel.change_members(&members, now)?.map_err(|why| RehearsalError::Members { segment, why })?;
                Vec::new()
            }
        };
        loop {
            let jobs = self.kernel.arrive(now, &inputs)?.jobs;
            inputs = self.carry(jobs);
            self.attach();
            if inputs.is_empty() {
                return Ok(());
            }
        }
    }

    /// Turns until there is nothing to do any more at this time.
    fn settle(&mut self, now: i64) -> Result<(), RehearsalError> {
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

    /// Every message is answered at once, unless it cannot be made.
    fn carry(&mut self, jobs: Vec<(Arc<str>, Job)>) -> Vec<Input> {
        let deliver = |(channel, message, content): (Arc<str>, MessageId, Result<Content, String>)| {
            let (subject, carried) = match content {
                Ok(content) => {
                    let carried = self.answers.answer(&channel, &content);
                    let subject = content.subject.clone();
                    if content.html.is_some() || content.text.is_some() {
                        self.contents.insert(message, content);
                    }
                    (subject, carried)
                }
                Err(why) => (None, Carried { outcome: Outcome::Failed(why), refusal: None, answer: None }),
            };
            let report = Report::new(message, subject, carried.outcome, Duration::ZERO);
            Input::Report(Report { refusal: carried.refusal, answer: carried.answer, ..report })
        };
        composed(jobs).into_iter().map(deliver).collect()
    }

    /// Puts the bodies to the messages that have left.
    fn attach(&mut self) {
        if self.contents.is_empty() {
            return;
        }
        let mut lines = self.seen.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for line in lines.iter_mut() {
            if let Some(content) = line.message.and_then(|message| self.contents.remove(&message)) {
                line.html = content.html;
                line.text = content.text;
            }
        }
    }
}

/// Many messages are made on all processors: none depends on another, and they are handed on in the order they were asked for.
fn composed(jobs: Vec<(Arc<str>, Job)>) -> Vec<(Arc<str>, MessageId, Result<Content, String>)> {
    let compose = |(channel, job): (Arc<str>, Job)| (channel, job.message, (job.compose)());
    if jobs.len() < WORTH_SHARING {
        return jobs.into_iter().map(compose).collect();
    }
    jobs.into_par_iter().with_min_len(WORTH_SHARING / 2).map(compose).collect()
}
