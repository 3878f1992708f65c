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

/// What a thread is given to do.
enum Task {
    Carry(Job),
    /// Remove the copies of these mails (Message-IDs).
    Forget(Vec<String>),
}

pub struct LocalWorkers {
    queue: Sender<Task>,
    keeps: bool,
    report: ReportTo,
}

impl LocalWorkers {
    /// Starts the threads. They end when this is dropped and the queue is empty.
    pub fn start(name: &str, connections: usize, keep: Keep, report: ReportTo, leash: &Leash) -> std::io::Result<LocalWorkers> {
        let (queue, jobs) = channel();
        let keeps = matches!(keep, Keep::Outbox(_));
        let (jobs, keep) = (Arc::new(Mutex::new(jobs)), Arc::new(keep));
        for _ in 0..connections.min(MOST_THREADS) {
            let (jobs, keep, report, leash) = (jobs.clone(), keep.clone(), report.clone(), leash.clone());
            std::thread::Builder::new().name(format!("channel-{name}")).spawn(move || work(&jobs, &keep, &report, &leash))?;
        }
        Ok(LocalWorkers { queue, keeps, report })
    }

    pub fn submit(&self, job: Job) {
        let message = job.message;
        if self.queue.send(Task::Carry(job)).is_err() {
            let outcome = Outcome::Deferred("the channel has no worker left".to_owned());
            (self.report)(Report::new(message, None, outcome, Duration::ZERO));
        }
    }

    pub fn forget(&self, message_ids: &[String]) {
        if self.keeps && self.queue.send(Task::Forget(message_ids.to_vec())).is_err() {
            tracing::warn!("the outbox has no worker left: mails to people who were erased are still in its folder");
        }
    }
}

fn work(jobs: &Mutex<Receiver<Task>>, keep: &Keep, report: &ReportTo, leash: &Leash) {
    while let Some(task) = next(jobs) {
        let job = match task {
            Task::Carry(job) => job,
            Task::Forget(message_ids) => {
                if let Keep::Outbox(outbox) = keep {
                    message_ids.iter().for_each(|message_id| outbox.forget(message_id));
                }
                continue;
            }
        };
        let begun = Instant::now();
        let message = job.message;
        let (subject, outcome) = if *leash.stop.borrow() {
            (None, Outcome::Deferred("the runner stopped before the message left".to_owned()))
        } else {
            carry(job, keep)
        };
        report(Report::new(message, subject, outcome, begun.elapsed()));
    }
}

/// The next job; the lock is held while waiting, so that one thread waits for a job and the others for the lock.
fn next(jobs: &Mutex<Receiver<Task>>) -> Option<Task> {
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::{ChannelOptions, ChannelPool, Content, Delivery, Envelope, SenderOptions, Timeouts};
    use super::*;
    use crate::state::MessageId;

    fn job(number: i64, content: impl FnOnce() -> Result<Content, String> + Send + 'static) -> Job {
        let envelope = Envelope {
            to: "ada@shop.example".to_owned(),
            message_id: format!("{number}.1.hello.ab12@shop.example"),
            date: 0,
            headers: Vec::new(),
            ..Envelope::default()
        };
        Job { message: MessageId(number), envelope, compose: Box::new(content) }
    }

    fn named(number: i64) -> Content {
        Content { subject: Some(number.to_string()), ..Content::default() }
    }

    fn start(delivery: Delivery, runtime: &tokio::runtime::Runtime) -> (ChannelPool, mpsc::Receiver<Report>) {
        let options = ChannelOptions {
            connections: 1000,
            delivery,
            sender: SenderOptions::default(),
            hello: "localhost".to_owned(),
            timeouts: Timeouts::default(),
        };
        let (reports, received) = channel();
        let report: ReportTo = Arc::new(move |report| reports.send(report).unwrap());
        (ChannelPool::start("email", &options, report, runtime.handle()).unwrap(), received)
    }

    /// A thousand messages at once, of which every tenth cannot be made: each is reported once, before the pool has closed.
    fn check(delivery: Delivery) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (pool, reports) = start(delivery, &runtime);
        for number in 0..pool.connections() as i64 {
            pool.submit(job(number, move || match number % 10 {
                0 => panic!("no {number}"),
                1 => Err("no name".to_owned()),
                _ => Ok(named(number)),
            }));
        }
        runtime.block_on(pool.close(Duration::from_secs(60)));
        let mut reports: Vec<Report> = reports.try_iter().collect();
        reports.sort_by_key(|report| report.message);
        assert_eq!(reports.len(), 1000);
        for (number, report) in (0..).zip(reports) {
            assert_eq!(report.message, MessageId(number));
            match (number % 10, report.outcome) {
                (0, Outcome::Failed(why)) => {
                    assert!(why.ends_with(&format!("no {number}")), "{why}")
                }
                (1, Outcome::Failed(why)) => assert_eq!(why, "no name"),
                (2.., Outcome::Sent) => assert_eq!(report.subject, Some(number.to_string())),
                (_, outcome) => panic!("{number}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn each_message_is_reported_once() {
        check(Delivery::Null);
        let home = tempfile::tempdir().unwrap();
        check(Delivery::Outbox(home.path().join("outbox")));
        assert_eq!(std::fs::read_dir(home.path().join("outbox")).unwrap().count(), 800);
    }

    #[test]
    fn what_is_not_begun_in_time_is_put_off() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (pool, reports) = start(Delivery::Null, &runtime);
        let gate = Arc::new(Mutex::new(()));
        let shut = gate.lock().unwrap();
        let (enter, entered) = channel();
        for number in 0..5 {
            let (gate, enter) = (gate.clone(), enter.clone());
            pool.submit(job(number, move || {
                enter.send(()).unwrap();
                drop(gate.lock().unwrap());
                Ok(named(number))
            }));
        }
        // Both workers stand before the gate; it opens only after the time to close is over.
        (0..MOST_THREADS).for_each(|_| entered.recv().unwrap());
        runtime.block_on(pool.close(Duration::ZERO));
        drop(shut);
        let outcomes: Vec<Outcome> = reports.iter().map(|report| report.outcome).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Sent).count(), 2);
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Deferred(_))).count(), 3);
    }
}
