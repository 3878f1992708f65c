//! Letters to the kernel's thread: what happened, questions about the state, and another plan.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use crate::channels::ReportTo;
use crate::kernel::{Changed, Enrolled, Enrolment, Input, Kernel, Members, NoList, NotEnrolled, Plan};
use crate::store;

pub(super) type Act = Box<dyn FnOnce(&mut Kernel, i64) + Send>;

pub(super) enum Letter {
    Input(Input),
    /// Answered when all of it is durable.
    Inputs(Vec<Input>, Waiting),
    /// `changes`: the kernel may have something to do afterwards.
    Act {
        act: Act,
        changes: bool,
    },
    Stop,
}

/// How many things may wait for the kernel's thread that came from where more can be sent later: some seconds of work.
const ROOM: usize = 20_000;

/// Sends letters to one kernel's thread; cheap to clone. It never blocks.
#[derive(Clone)]
pub struct Mailbox {
    letters: mpsc::Sender<Letter>,
    /// How much of [`ROOM`] is taken.
    taken: Arc<AtomicUsize>,
}

/// Whoever waits until what they sent is durable.
pub(super) struct Waiting {
    done: oneshot::Sender<()>,
    /// Free again when this is gone.
    _room: Option<Room>,
}

impl Waiting {
    pub(super) fn tell(self) {
        // Whoever waited may have gone.
        let _ = self.done.send(());
    }
}

/// A share of [`ROOM`].
struct Room {
    taken: Arc<AtomicUsize>,
    share: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.share, Ordering::Relaxed);
    }
}

/// So much waits for the kernel's thread already that no more is taken in.
#[derive(Debug, thiserror::Error)]
#[error("more is coming in than can be stored at once; send it again in a moment")]
pub struct Full;

/// The other end, for [`super::KernelThread::start`].
pub struct Intake(pub(super) mpsc::Receiver<Letter>);

/// The kernel's thread has ended: what was sent to it was not taken in.
#[derive(Debug, thiserror::Error)]
#[error("the runner has stopped; send it again when it is back")]
pub struct Stopped;

/// What will come back for a letter.
pub struct Answer<T>(oneshot::Receiver<T>);

impl<T> Answer<T> {
    /// Blocks until the answer is there. Not for async code.
    ///
    /// # Errors
    /// [`Stopped`].
    pub fn wait(self) -> Result<T, Stopped> {
        self.0.blocking_recv().map_err(|_| Stopped)
    }

    /// The same for async code.
    ///
    /// # Errors
    /// [`Stopped`].
    pub async fn arrive(self) -> Result<T, Stopped> {
        self.0.await.map_err(|_| Stopped)
    }
}

/// A mailbox and its other end. Made before the thread is started, since channels must know where to report.
pub fn mailbox() -> (Mailbox, Intake) {
    let (letters, receiver) = mpsc::channel();
    (Mailbox { letters, taken: Arc::default() }, Intake(receiver))
}

impl Mailbox {
    /// Something happened. It is kept in memory until a turn has made it durable.
    pub fn send(&self, input: Input) {
        self.post(Letter::Input(input));
    }

    /// Things that happened, taken in together; the answer comes when they are durable, and not before a store that is in trouble works again.
    pub fn send_and_wait(&self, inputs: Vec<Input>) -> Answer<()> {
        self.post_inputs(inputs, None)
    }

    /// The same for what can be sent again later, so that what waits in memory is bounded: nothing is taken in while too much waits.
    ///
    /// # Errors
    /// [`Full`].
    pub fn offer(&self, inputs: Vec<Input>) -> Result<Answer<()>, Full> {
        let room = self.room(inputs.len())?;
        Ok(self.post_inputs(inputs, Some(room)))
    }

    /// Lets a contact enter a workflow, unless too much waits already.
    ///
    /// # Errors
    /// [`Full`].
    pub fn enroll(&self, enrolment: Enrolment) -> Result<Answer<store::Result<Result<Enrolled, NotEnrolled>>>, Full> {
        let room = self.room(1)?;
        Ok(self.act(true, move |kernel, now| {
            let enrolled = kernel.enroll(&enrolment, now);
            drop(room);
            enrolled
        }))
    }

    /// Puts contacts on a static segment's list and takes them off it, unless too much waits already.
    ///
    /// # Errors
    /// [`Full`].
    pub fn change_members(&self, members: Members) -> Result<Answer<store::Result<Result<Changed, NoList>>>, Full> {
        let room = self.room(members.add.len() + members.remove.len())?;
        Ok(self.act(true, move |kernel, now| {
            let changed = kernel.change_members(&members, now);
            drop(room);
            changed
        }))
    }

    /// Whoever comes first gets any share, however large.
    fn room(&self, share: usize) -> Result<Room, Full> {
        let fits = |taken: usize| (taken == 0 || taken + share <= ROOM).then_some(taken + share);
        let got = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        got.map(|_| Room { taken: self.taken.clone(), share }).map_err(|_| Full)
    }

    fn post_inputs(&self, inputs: Vec<Input>, room: Option<Room>) -> Answer<()> {
        let (done, answer) = oneshot::channel();
        self.post(Letter::Inputs(inputs, Waiting { done, _room: room }));
        Answer(answer)
    }

    /// Looks something up between two turns. `question` gets the kernel and the time; it must be quick, and change nothing.
    pub fn ask<T: Send + 'static>(&self, question: impl FnOnce(&mut Kernel, i64) -> T + Send + 'static) -> Answer<T> {
        self.act(false, question)
    }

    /// Puts another plan in force, all or nothing, and does `then` right after, before the next turn.
    pub fn reload(&self, plan: Arc<Plan>, then: impl FnOnce() + Send + 'static) -> Answer<store::Result<()>> {
        self.act(true, move |kernel, now| {
            kernel.reload(plan, now)?;
            then();
            Ok(())
        })
    }

    /// Keeps small named texts in the store.
    pub fn note(&self, notes: Vec<(&'static str, String)>) -> Answer<store::Result<()>> {
        self.act(false, move |kernel, now| kernel.note(&notes, now))
    }

    /// Where channels report to.
    pub fn reporter(&self) -> ReportTo {
        // Workers of several channels call it at once.
        let mailbox = self.clone();
        Arc::new(move |report| mailbox.send(Input::Report(report)))
    }

    /// No message is handed out any more once this has been answered.
    pub(super) fn stop_sending(&self) -> Answer<()> {
        self.act(false, |kernel, _| kernel.stop_sending())
    }

    pub(super) fn stop(&self) {
        self.post(Letter::Stop);
    }

    fn act<T: Send + 'static>(&self, changes: bool, act: impl FnOnce(&mut Kernel, i64) -> T + Send + 'static) -> Answer<T> {
        let (sender, answer) = oneshot::channel();
        let act: Act = Box::new(move |kernel, now| {
            // Whoever asked may have gone.
            let _ = sender.send(act(kernel, now));
        });
        self.post(Letter::Act { act, changes });
        Answer(answer)
    }

    fn post(&self, letter: Letter) {
        if self.letters.send(letter).is_err() {
            tracing::debug!("the kernel's thread has ended; a letter to it was dropped");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::ContactInput;

    /// Offers so many things one after the other; gives which of them were taken in.
    #[track_caller]
    fn check(mailbox: &Mailbox, offers: &[usize], expected: &[bool]) {
        let inputs = |number| vec![Input::Contact(ContactInput::default()); number];
        let taken: Vec<bool> = offers.iter().map(|number| mailbox.offer(inputs(*number)).is_ok()).collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn what_waits_is_bounded_until_it_was_taken() {
        let (mailbox, intake) = mailbox();
        check(&mailbox, &[ROOM - 1, 2, 1, 1], &[true, false, true, false]);
        // Whatever does not wait for room comes through all the same.
        mailbox.send(Input::Contact(ContactInput::default()));
        while let Ok(letter) = intake.0.try_recv() {
            drop(letter);
        }
        check(&mailbox, &[ROOM + 1, 1], &[true, false]);
    }
}
