//! Letters to the kernel's thread: what happened, questions about the state, and another plan.

use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;

use crate::channels::ReportTo;
use crate::kernel::{Input, Kernel, Plan};
use crate::store;

pub(super) type Act = Box<dyn FnOnce(&mut Kernel, i64) + Send>;

pub(super) enum Letter {
    Input(Input),
    /// Answered when all of it is durable.
    Inputs(Vec<Input>, oneshot::Sender<()>),
    /// `changes`: the kernel may have something to do afterwards.
    Act {
        act: Act,
        changes: bool,
    },
    Stop,
}

/// Sends letters to one kernel's thread; cheap to clone. It never blocks.
#[derive(Clone)]
pub struct Mailbox(mpsc::Sender<Letter>);

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
    let (sender, receiver) = mpsc::channel();
    (Mailbox(sender), Intake(receiver))
}

impl Mailbox {
    /// Something happened. It is kept in memory until a turn has made it durable.
    pub fn send(&self, input: Input) {
        self.post(Letter::Input(input));
    }

    /// Things that happened, taken in together; the answer comes when they are durable, and not before a store that is in trouble works again.
    pub fn send_and_wait(&self, inputs: Vec<Input>) -> Answer<()> {
        let (sender, answer) = oneshot::channel();
        self.post(Letter::Inputs(inputs, sender));
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
        if self.0.send(letter).is_err() {
            tracing::debug!("the kernel's thread has ended; a letter to it was dropped");
        }
    }
}
