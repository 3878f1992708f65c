//! The workers of a channel of requests: one task for each message that may be under way at once.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};

use super::super::desk::{Crew, Work};
use super::super::pool::{Leash, ReportTo};
use super::super::{Content, Envelope, Job, Outcome, Report, compose};
use super::{Carried, Way};
use crate::clock::{Clock, WallClock};
use crate::http_client::{Client, Connections, FRESH, Guard};

/// Starts so many workers, which share what they know of the host to call.
pub fn start(connections: usize, way: Way, private_hosts: &[String], report: ReportTo, leash: &Leash, runtime: &Handle) -> Crew {
    let (way, client) = (Arc::new(way), Arc::new(Client::new(Guard::new(private_hosts))));
    Crew::start(connections, runtime, |jobs| Worker {
        jobs,
        way: way.clone(),
        report: report.clone(),
        leash: leash.clone(),
        connections: Connections::new(client.clone()),
    })
}

struct Worker {
    jobs: UnboundedReceiver<Job>,
    way: Arc<Way>,
    report: ReportTo,
    leash: Leash,
    connections: Connections,
}

impl Work for Worker {
    /// Waits for a job, and closes the connections when none comes for a while.
    async fn wait(&mut self) -> Option<Job> {
        match timeout(FRESH, self.jobs.recv()).await {
            Ok(job) => job,
            Err(_) => {
                self.connections.close();
                self.jobs.recv().await
            }
        }
    }

    async fn carry(&mut self, job: Job) {
        let begun = Instant::now();
        let Job { message, envelope, compose } = job;
        let content = compose::content(compose);
        let subject = content.as_ref().ok().and_then(|content| content.subject.clone());
        let Carried { outcome, refusal, answer } = match content {
            Ok(content) => self.carry_or_stop(&envelope, content).await,
            Err(why) => Carried { outcome: Outcome::Failed(why), refusal: None, answer: None },
        };
        (self.report)(Report { refusal, answer, ..Report::new(message, subject, outcome, begun.elapsed()) });
    }
}

impl Worker {
    async fn carry_or_stop(&mut self, envelope: &Envelope, content: Content) -> Carried {
        let leash = self.leash.clone();
        tokio::select! {
            biased;
            carried = self.way.carry(&mut self.connections, envelope, content, WallClock.now()) => carried,
            () = leash.stopped() => {
                let outcome = if self.connections.is_in_doubt() && !self.way.is_idempotent() {
                    Outcome::Unknown("the runner stopped before there was an answer to the request".to_owned())
                } else {
                    Outcome::Deferred("the runner stopped before the request was answered".to_owned())
                };
                Carried { outcome, refusal: None, answer: None }
            }
        }
    }
}
