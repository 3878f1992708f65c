//! The workers of channels that use no network: a few threads over one queue, however many connections the channel has, since
//! nothing is waited for but the disk.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::outbox::Outbox;
use super::pool::{Leash, ReportTo};
use super::{Job, Outcome, Report, compose};

/// More threads make neither rendering nor a folder's file system faster.
const MOST_THREADS: usize = 2;

/// What is done with a message.
pub enum Keep {
    Nothing,
    Outbox(Outbox),
}

pub struct LocalWorkers {
    queue: Sender<Job>,
    report: ReportTo,
}

impl LocalWorkers {
    /// Starts the threads. They end when this is dropped and the queue is empty.
    pub fn start(name: &str, connections: usize, keep: Keep, report: ReportTo, leash: &Leash) -> std::io::Result<LocalWorkers> {
        let (queue, jobs) = channel();
        let (jobs, keep) = (Arc::new(Mutex::new(jobs)), Arc::new(keep));
        for _ in 0..connections.min(MOST_THREADS) {
            let (jobs, keep, report, leash) = (jobs.clone(), keep.clone(), report.clone(), leash.clone());
            std::thread::Builder::new().name(format!("channel-{name}")).spawn(move || work(&jobs, &keep, &report, &leash))?;
        }
        Ok(LocalWorkers { queue, report })
    }

    pub fn submit(&self, job: Job) {
        if let Err(lost) = self.queue.send(job) {
            (self.report)(Report {
                message: lost.0.message,
                subject: None,
                outcome: Outcome::Deferred("the channel has no worker left".to_owned()),
                took: Duration::ZERO,
            });
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, keep: &Keep, report: &ReportTo, leash: &Leash) {
    while let Some(job) = next(jobs) {
        let begun = Instant::now();
        let message = job.message;
        let (subject, outcome) = if *leash.stop.borrow() {
            (None, Outcome::Deferred("the runner stopped before the message left".to_owned()))
        } else {
            carry(job, keep)
        };
        report(Report { message, subject, outcome, took: begun.elapsed() });
    }
}

/// The next job; the lock is held while waiting, so that one thread waits for a job and the others for the lock.
fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn carry(job: Job, keep: &Keep) -> (Option<String>, Outcome) {
    let content = match compose::content(job.compose) {
        Ok(content) => content,
        Err(why) => return (None, Outcome::Failed(why)),
    };
    let subject = content.subject.clone();
    let outcome = match keep {
        Keep::Nothing => Outcome::Sent,
        Keep::Outbox(outbox) => outbox.deliver(&job.envelope, content),
    };
    (subject, outcome)
}
