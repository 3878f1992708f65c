//! The workers of an SMTP channel: one task a connection.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep};

use super::super::desk::{Crew, Work};
use super::super::mail::Mail;
use super::super::pool::{Leash, ReportTo};
use super::super::sender::Sender;
use super::super::{Job, Outcome, Report, compose};
use super::connection::Connection;
use super::dial::Dialer;
use super::transaction::{Attempt, Decision, Then, give};

/// Starts so many workers, each with a connection of its own.
pub fn start(connections: usize, sender: Sender, dialer: Dialer, report: ReportTo, leash: &Leash, runtime: &Handle) -> Crew {
    let (sender, dialer) = (Arc::new(sender), Arc::new(dialer));
    Crew::start(connections, runtime, |jobs| Worker {
        jobs,
        dialer: dialer.clone(),
        sender: sender.clone(),
        report: report.clone(),
        leash: leash.clone(),
        connection: None,
    })
}

struct Worker {
    jobs: UnboundedReceiver<Job>,
    dialer: Arc<Dialer>,
    sender: Arc<Sender>,
    report: ReportTo,
    leash: Leash,
    connection: Option<Connection>,
}

impl Work for Worker {
    /// Waits for a job, while the connection is watched: it is let go when the server closes it, or when it was idle for
    /// too long.
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

    async fn carry(&mut self, job: Job) {
        let then = self.send(job).await;
        self.tidy(then).await;
    }

    /// Takes leave of the server, unless told to stop at once.
    async fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            tokio::select! {
                () = connection.quit() => {}
                () = self.leash.stopped() => {}
            }
        }
    }
}

impl Worker {
    /// Carries one message and reports it.
    async fn send(&mut self, job: Job) -> Then {
        let begun = Instant::now();
        let message = job.message;
        let content = compose::content(job.compose);
        let subject = content.as_ref().ok().and_then(|content| content.subject.clone());
        let mail = content.and_then(|content| compose::mail(&self.sender, &job.envelope, content));
        let Decision { outcome, refusal, then } = match mail {
            Ok(mail) => self.deliver_or_stop(&mail).await,
            Err(why) => Decision::of(Outcome::Failed(why), Then::Keep),
        };
        (self.report)(Report { refusal, ..Report::new(message, subject, outcome, begun.elapsed()) });
        then
    }

    async fn deliver_or_stop(&mut self, mail: &Mail) -> Decision {
        let leash = self.leash.clone();
        tokio::select! {
            biased;
            decided = self.deliver(mail) => decided,
            () = leash.stopped() => {
                let outcome = match &self.connection {
                    Some(connection) if connection.is_in_doubt() => {
                        Outcome::Unknown("the runner stopped before the mail server had answered to the whole message".to_owned())
                    }
                    _ => Outcome::Deferred("the runner stopped before the message was given".to_owned()),
                };
                Decision::of(outcome, Then::Drop)
            }
        }
    }

    /// Gives the message over the kept connection, or a new one. A kept one that turns out to be dead before any content was
    /// given is replaced once, at once: the server has only tired of waiting.
    async fn deliver(&mut self, mail: &Mail) -> Decision {
        loop {
            let kept = self.connection.is_some();
            let connection = match &mut self.connection {
                Some(connection) => connection,
                none => match self.dialer.open().await {
                    Ok(connection) => none.insert(connection),
                    Err(error) => return Decision::of(Outcome::Deferred(error.to_string()), Then::Drop),
                },
            };
            match give(connection, mail).await {
                Attempt::Decided(decision) => return decision,
                Attempt::Dead(trouble) if kept && trouble.is_loss() => self.connection = None,
                Attempt::Dead(trouble) => {
                    return Decision::of(Outcome::Deferred(trouble.to_string()), Then::Drop);
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
                    () = self.leash.stopped() => false,
                }
            }
        };
        if !usable {
            self.connection = None;
        }
    }
}
