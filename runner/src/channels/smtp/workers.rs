//! The workers of an SMTP channel: one task a connection, and the desk that hands them their jobs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lettre::message::Mailbox;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep};

use super::super::mail::Mail;
use super::super::pool::{Leash, ReportTo};
use super::super::{Job, Outcome, Report, compose};
use super::connection::Connection;
use super::dial::Dialer;
use super::transaction::{Attempt, Then, give};

/// The running workers. They end when this is dropped and they have finished what they were given.
pub struct SmtpWorkers {
    desk: Arc<Desk>,
}

impl SmtpWorkers {
    pub fn start(
        connections: usize,
        from: Mailbox,
        dialer: Dialer,
        report: ReportTo,
        leash: &Leash,
        runtime: &Handle,
    ) -> SmtpWorkers {
        let desk = Arc::new(Desk::default());
        let (from, dialer) = (Arc::new(from), Arc::new(dialer));
        for number in 0..connections {
            let (door, jobs) = unbounded_channel();
            let mut state = desk.state();
            state.doors.push(door);
            // The lowest number is the last to come, and the first to be called.
            state.idle.insert(0, number);
            runtime.spawn(
                Worker {
                    number,
                    jobs,
                    desk: desk.clone(),
                    dialer: dialer.clone(),
                    from: from.clone(),
                    report: report.clone(),
                    leash: leash.clone(),
                    connection: None,
                }
                .run(),
            );
        }
        SmtpWorkers { desk }
    }

    pub fn submit(&self, job: Job) {
        let mut state = self.desk.state();
        let free = state.idle.pop();
        // A worker's door is open as long as its number is among the idle ones.
        let left = match free.and_then(|number| state.doors.get(number)) {
            Some(door) => door.send(job).err().map(|back| back.0),
            None => Some(job),
        };
        state.waiting.extend(left);
    }
}

impl Drop for SmtpWorkers {
    fn drop(&mut self) {
        let mut state = self.desk.state();
        state.closed = true;
        state.doors.clear();
    }
}

/// Who is free, and what waits for someone to be. The worker that was busy last is the first to be called, so that a channel
/// with little to do uses few connections and lets the others close.
#[derive(Default)]
struct Desk(Mutex<DeskState>);

#[derive(Default)]
struct DeskState {
    idle: Vec<usize>,
    waiting: VecDeque<Job>,
    doors: Vec<UnboundedSender<Job>>,
    closed: bool,
}

enum Next {
    Job(Job),
    Wait,
    Over,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
}

struct Worker {
    number: usize,
    jobs: UnboundedReceiver<Job>,
    desk: Arc<Desk>,
    dialer: Arc<Dialer>,
    from: Arc<Mailbox>,
    report: ReportTo,
    leash: Leash,
    connection: Option<Connection>,
}

impl Worker {
    async fn run(mut self) {
        let mut next = Next::Wait;
        loop {
            let job = match next {
                Next::Job(job) => Some(job),
                Next::Wait => self.wait().await,
                Next::Over => None,
            };
            let Some(job) = job else { break };
            let then = self.carry(job).await;
            self.tidy(then).await;
            next = self.desk.next(self.number);
        }
        self.leave().await;
    }

    /// Takes leave of the server, unless told to stop at once.
    async fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::select! {
                () = connection.quit() => {}
                () = stopped(&self.leash) => {}
            }
        }
    }

    /// Waits for a job, while the connection is watched: it is let go when the server closes it, or when it was idle for
    /// too long. `None` when there will be no more.
    async fn wait(&mut self) -> Option<Job> {
        while let Some(connection) = &mut self.connection {
            tokio::select! {
                biased;
                job = self.jobs.recv() => return job,
                () = connection.gone() => self.connection = None,
                () = sleep(self.dialer.idle()) => break,
            }
        }
        if let Some(connection) = self.connection.take() {
            tokio::select! {
                biased;
                job = self.jobs.recv() => return job,
                () = connection.quit() => {}
            }
        }
        self.jobs.recv().await
    }

    /// Carries one message and reports it.
    async fn carry(&mut self, job: Job) -> Then {
        let begun = Instant::now();
        let message = job.message;
        let content = compose::content(job.compose);
        let subject = content.as_ref().ok().and_then(|content| content.subject.clone());
        let mail = content.and_then(|content| compose::mail(&self.from, &job.envelope, content));
        let (outcome, then) = match mail {
            Ok(mail) => self.deliver_or_stop(&mail).await,
            Err(why) => (Outcome::Failed(why), Then::Keep),
        };
        (self.report)(Report::new(message, subject, outcome, begun.elapsed()));
        then
    }

    async fn deliver_or_stop(&mut self, mail: &Mail) -> (Outcome, Then) {
        let leash = self.leash.clone();
        tokio::select! {
            biased;
            decided = self.deliver(mail) => decided,
            () = stopped(&leash) => {
                let outcome = match &self.connection {
                    Some(connection) if connection.is_in_doubt() => {
                        Outcome::Unknown("the runner stopped before the mail server had answered to the whole message".to_owned())
                    }
                    _ => Outcome::Deferred("the runner stopped before the message was given".to_owned()),
                };
                (outcome, Then::Drop)
            }
        }
    }

    /// Gives the message over the kept connection, or a new one. A kept one that turns out to be dead before any content was
    /// given is replaced once, at once: the server has only tired of waiting.
    async fn deliver(&mut self, mail: &Mail) -> (Outcome, Then) {
        loop {
            let kept = self.connection.is_some();
            let connection = match &mut self.connection {
                Some(connection) => connection,
                none => match self.dialer.open().await {
                    Ok(connection) => none.insert(connection),
                    Err(error) => return (Outcome::Deferred(error.to_string()), Then::Drop),
                },
            };
            match give(connection, mail).await {
                Attempt::Decided(outcome, then) => return (outcome, then),
                Attempt::Dead(trouble) if kept && trouble.is_loss() => self.connection = None,
                Attempt::Dead(trouble) => {
                    return (Outcome::Deferred(trouble.to_string()), Then::Drop);
                }
            }
        }
    }

    async fn tidy(&mut self, then: Then) {
        let usable = match (then, &mut self.connection) {
            (Then::Keep, _) | (_, None) => true,
            (Then::Drop, Some(_)) => false,
            (Then::Reset, Some(connection)) => {
                tokio::select! {
                    reply = connection.command("RSET\r\n") => reply.is_ok_and(|reply| reply.class() == 2),
                    () = stopped(&self.leash) => false,
                }
            }
        };
        if !usable {
            self.connection = None;
        }
    }
}

/// Ends when the pool's time to close is over; never, when the pool was dropped instead.
async fn stopped(leash: &Leash) {
    if leash.stop.clone().wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}
