//! The kernel's thread: gathers letters, takes turns, hands out what leaves, and sleeps when there is nothing to do.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Duration;

use super::mailbox::{Letter, Waiting};
use super::{Carry, Health, Intake};
use crate::clock::{Clock, Stopwatch};
use crate::kernel::{Input, Kernel};
use crate::metrics::Metrics;
use crate::store::StoreError;

/// How long a turn with few reports waits for more: a commit costs as much for one message as for ten.
const COMPANY: Duration = Duration::from_micros(200);

/// How many inputs one turn takes at most.
const BATCH: usize = 4096;
/// How often another process's writes are looked for.
const LOOK: Duration = Duration::from_millis(250);
/// The pauses after an error of the store: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often the last turn before the end is tried.
const LAST_TRIES: u32 = 3;

pub(super) struct Worker {
    kernel: Kernel,
    clock: Arc<dyn Clock>,
    carriers: Arc<dyn Carry>,
    intake: Intake,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    /// Taken in and not yet durable.
    pending: Vec<Input>,
    /// Who waits for `pending` to be durable.
    waiting: Vec<Waiting>,
    /// There is something to do whatever the time.
    more: bool,
    /// When there is something to do next.
    wake: Option<i64>,
    looked: Stopwatch,
    trouble: Option<Trouble>,
    stop: bool,
}

/// The store refused; the same is tried again after a pause.
struct Trouble {
    pause: Duration,
    since: Stopwatch,
}

impl Worker {
    pub fn new(
        kernel: Kernel,
        clock: Arc<dyn Clock>,
        carriers: Arc<dyn Carry>,
        intake: Intake,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Worker {
        Worker {
            kernel,
            clock,
            carriers,
            intake,
            metrics,
            health,
            pending: Vec::new(),
            waiting: Vec::new(),
            more: true,
            wake: None,
            looked: Stopwatch::start(),
            trouble: None,
            stop: false,
        }
    }

    /// Until told to stop. Gives the store's error when what came last could not be stored.
    pub fn run(mut self) -> Result<(), StoreError> {
        while !self.stop {
            self.health.beat();
            self.receive();
            self.look_outside();
            if self.has_work() && self.patience().is_zero() {
                // An error has been reported; the turn comes again after its pause.
                let _ = self.turn();
            }
        }
        self.finish()
    }

    /// Waits for letters as long as there is nothing to do, and takes those that are there.
    fn receive(&mut self) {
        let patience = self.patience();
        let mut next = if patience.is_zero() {
            self.intake.0.try_recv()
        } else {
            self.intake.0.recv_timeout(patience).map_err(|error| match error {
                RecvTimeoutError::Timeout => TryRecvError::Empty,
                RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
            })
        };
        loop {
            match next {
                Ok(letter) => self.take(letter),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.stop = true,
            }
            // In trouble all are taken, since questions and the order to stop may stand behind many inputs.
            if self.stop || (self.pending.len() >= BATCH && self.trouble.is_none()) {
                return;
            }
            next = self.intake.0.try_recv();
            if matches!(next, Err(TryRecvError::Empty)) && self.wants_company() {
                next = self.intake.0.recv_timeout(COMPANY).map_err(|_| TryRecvError::Empty);
            }
        }
    }

    /// A few reports came, and many more messages are under way, so more will come soon. Whoever waits for an answer does not wait longer for this.
    fn wants_company(&self) -> bool {
        self.waiting.is_empty()
            && !self.stop
            && self.trouble.is_none()
            && !self.pending.is_empty()
            && self.pending.len() * 2 < self.kernel.in_flight()
            && self.pending.iter().all(|input| matches!(input, Input::Report(_)))
    }

    fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Input(input) => self.pending.push(input),
            Letter::Inputs(inputs, done) => {
                self.pending.extend(inputs);
                self.waiting.push(done);
            }
            Letter::Act { act, changes } => {
                act(&mut self.kernel, self.clock.now());
                self.more |= changes;
            }
            Letter::Stop => self.stop = true,
        }
    }

    fn look_outside(&mut self) {
        if self.trouble.is_some() || self.looked.elapsed() < LOOK {
            return;
        }
        self.looked = Stopwatch::start();
        match self.kernel.look_outside() {
            Ok(found) => self.more |= found,
            Err(error) => self.report(&error),
        }
    }

    fn has_work(&self) -> bool {
        self.more
            || !self.pending.is_empty()
            || !self.waiting.is_empty()
            || self.wake.is_some_and(|wake| wake <= self.clock.now())
    }

    /// How long nothing is to be done.
    fn patience(&self) -> Duration {
        if let Some(trouble) = &self.trouble {
            return trouble.pause.saturating_sub(trouble.since.elapsed()).min(LOOK);
        }
        if self.has_work() {
            return Duration::ZERO;
        }
        let until_look = LOOK.saturating_sub(self.looked.elapsed());
        self.wake.map_or(until_look, |wake| self.clock.until(wake).min(until_look))
    }

    fn turn(&mut self) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        let turn = self.kernel.turn(self.clock.now(), &self.pending).inspect_err(|error| self.report(error))?;
        self.metrics.turn_took(watch.elapsed());
        self.metrics.count(&turn.done);
        for (channel, job) in turn.jobs {
            self.carriers.submit(&channel, job);
        }
        if !turn.erased.is_empty() {
            self.carriers.forget(&turn.erased);
        }
        for input in self.pending.drain(..) {
            if let Input::Report(report) = input {
                self.metrics.send_took(report.took);
            }
        }
        for waiting in self.waiting.drain(..) {
            waiting.tell();
        }
        self.more = turn.more;
        if self.trouble.take().is_some() {
            self.health.set_trouble(None);
            tracing::info!("the store works again; nothing was lost");
        }
        self.wake = self.kernel.next_wake().inspect_err(|error| self.report(error))?;
        Ok(())
    }

    /// The store refused: all is kept, and tried again after a pause that grows.
    fn report(&mut self, error: &StoreError) {
        let pause = self.trouble.as_ref().map_or(FIRST_PAUSE, |trouble| (trouble.pause * 2).min(LONGEST_PAUSE));
        tracing::error!(
            error = %error,
            retry_in_seconds = pause.as_secs(),
            "the store cannot be used: see that its disk has room and its folder may be written; nothing is lost meanwhile"
        );
        self.metrics.store_failed();
        self.health.set_trouble(Some(error.to_string()));
        self.trouble = Some(Trouble { pause, since: Stopwatch::start() });
        self.more = true;
    }

    /// The last turns: what came in up to the order to stop is made durable.
    fn finish(mut self) -> Result<(), StoreError> {
        self.kernel.stop_sending();
        while let Ok(letter) = self.intake.0.try_recv() {
            self.take(letter);
        }
        for last in (0..LAST_TRIES).rev() {
            self.health.beat();
            match self.turn() {
                Ok(()) => break,
                Err(error) if last == 0 => return Err(error),
                Err(_) => std::thread::sleep(FIRST_PAUSE),
            }
        }
        Ok(())
    }
}
