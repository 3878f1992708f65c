//! The desk of a channel whose workers are tasks: hands them their jobs, and takes each from one to the next.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Job;

/// Who is free, and what waits for someone to be. The worker that was busy last is the first to be called, so that a channel
/// with little to do uses few connections and lets the others close.
#[derive(Default)]
struct Desk(Mutex<State>);

/// The running workers of a channel, behind their desk. Dropping it lets them finish what they were given.
pub struct Crew(Arc<Desk>);

/// What a worker does.
pub trait Work: Send + 'static {
    /// Waits for a job from its door. `None` when there will be no more.
    fn wait(&mut self) -> impl Future<Output = Option<Job>> + Send;

    /// Carries one message and reports it.
    fn carry(&mut self, job: Job) -> impl Future<Output = ()> + Send;

    /// There is nothing more to do.
    fn leave(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

impl Crew {
    /// Starts so many workers, each made with its own door.
    pub fn start<W: Work>(size: usize, runtime: &Handle, worker: impl Fn(UnboundedReceiver<Job>) -> W) -> Crew {
        let desk = Arc::new(Desk::default());
        for number in 0..size {
            let worker = worker(desk.hire(number));
            runtime.spawn(attend(desk.clone(), number, worker));
        }
        Crew(desk)
    }

    pub fn submit(&self, job: Job) {
        self.0.submit(job);
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A worker's day.
async fn attend<W: Work>(desk: Arc<Desk>, number: usize, mut worker: W) {
    let mut next = Next::Wait;
    loop {
        let job = match next {
            Next::Job(job) => Some(job),
            Next::Wait => worker.wait().await,
            Next::Over => None,
        };
        let Some(job) = job else { break };
        worker.carry(job).await;
        next = desk.next(number);
    }
    worker.leave().await;
}

#[derive(Default)]
struct State {
    idle: Vec<usize>,
    waiting: VecDeque<Job>,
    doors: Vec<UnboundedSender<Job>>,
    closed: bool,
}

/// What a worker that is free does next.
enum Next {
    Job(Job),
    Wait,
    Over,
}

impl Desk {
    /// Makes room for a worker; they are numbered from 0, in this order. What is for it comes out of the receiver.
    fn hire(&self, number: usize) -> UnboundedReceiver<Job> {
        let (door, jobs) = unbounded_channel();
        let mut state = self.state();
        state.doors.push(door);
        // The lowest number is the last to come, and the first to be called.
        state.idle.insert(0, number);
        jobs
    }

    fn submit(&self, job: Job) {
        let mut state = self.state();
        let free = state.idle.pop();
        // A worker's door is open as long as its number is among the idle ones.
        let left = match free.and_then(|number| state.doors.get(number)) {
            Some(door) => door.send(job).err().map(|back| back.0),
            None => Some(job),
        };
        state.waiting.extend(left);
    }

    /// What a worker does that has finished what it had; told to wait, it is called by its door.
    fn next(&self, number: usize) -> Next {
        let mut state = self.state();
        match state.waiting.pop_front() {
            Some(job) => Next::Job(job),
            None if state.closed => Next::Over,
            None => {
                state.idle.push(number);
                Next::Wait
            }
        }
    }

    /// Takes no more jobs: whoever waits is let go, and the others are once nothing waits for them.
    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.doors.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
