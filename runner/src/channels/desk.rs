//! The desk of a channel whose workers are tasks: hands them their jobs.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Job;

/// Who is free, and what waits for someone to be. The worker that was busy last is the first to be called, so that a channel
/// with little to do uses few connections and lets the others close.
#[derive(Default)]
pub struct Desk(Mutex<State>);

#[derive(Default)]
struct State {
    idle: Vec<usize>,
    waiting: VecDeque<Job>,
    doors: Vec<UnboundedSender<Job>>,
    closed: bool,
}

/// What a worker that is free does next.
pub enum Next {
    Job(Job),
    Wait,
    Over,
}

impl Desk {
    /// Makes room for a worker; they are numbered from 0, in this order. What is for it comes out of the receiver.
    pub fn hire(&self, number: usize) -> UnboundedReceiver<Job> {
        let (door, jobs) = unbounded_channel();
        let mut state = self.state();
        state.doors.push(door);
        // The lowest number is the last to come, and the first to be called.
        state.idle.insert(0, number);
        jobs
    }

    pub fn submit(&self, job: Job) {
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
    pub fn next(&self, number: usize) -> Next {
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
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.doors.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
