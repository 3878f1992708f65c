//! A channel's pool: starts the workers of its kind of delivery, hands them jobs, and brings them to an end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::desk::Crew;
use super::http::{HttpError, HttpOptions, Way};
use super::local::{Keep, LocalWorkers};
use super::outbox::Outbox;
use super::sender::{Sender, SenderError, SenderOptions};
use super::smtp::{Dialer, TlsError};
use super::smtp_url::SmtpUrl;
use super::{Job, Report, http, smtp};

/// Where reports go. Called on the workers, so it must be quick and never block.
pub type ReportTo = Arc<dyn Fn(Report) + Send + Sync>;

/// How long workers that have been told to stop get for saying so.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A channel's settings, with everything that was in the environment put in.
#[derive(Debug, Clone)]
pub struct ChannelOptions {
    /// At least 1.
    pub connections: usize,
    pub delivery: Delivery,
    /// Of mails.
    pub sender: SenderOptions,
    /// What this machine calls itself in EHLO; `localhost` when nothing better is known.
    pub hello: String,
    pub timeouts: Timeouts,
}

/// How messages leave.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// A folder of .eml files.
    Outbox(PathBuf),
    /// A folder of .json files, for messages that are no mails.
    Notes(PathBuf),
    Smtp(SmtpUrl),
    /// A request for each message.
    Http(HttpOptions),
    /// Makes the content, answers `sent` and keeps nothing.
    Null,
}

/// How long a mail server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Finding the host and connecting.
    pub connect: Duration,
    /// One command's answer, the greeting, and the TLS handshake.
    pub command: Duration,
    /// Taking the content, and then again answering to its end.
    pub content: Duration,
    /// A connection with nothing to do is closed after this long.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(10),
            command: Duration::from_secs(30),
            content: Duration::from_secs(60),
            idle: Duration::from_secs(30),
        }
    }
}

/// Why a channel cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    #[error("channel {0} has no connections: `connections` is at least 1")]
    NoConnections(String),
    #[error("channel {0} delivers over SMTP and has no `from`: give it one, such as Shop <hello@shop.example>")]
    NoFrom(String),
    #[error("channel {0}: {1}")]
    Sender(String, SenderError),
    #[error("channel {0}: “{1}” is not a name to say EHLO with: it must be a host name or an address in brackets")]
    Hello(String, String),
    #[error("channel {0}: {1}")]
    Tls(String, TlsError),
    #[error("channel {0}: {1}")]
    Http(String, HttpError),
    #[error("channel {0} could not start a worker: {1}")]
    Worker(String, std::io::Error),
}

/// The running workers of one channel. Dropping it lets them finish what they carry, unwatched; [`ChannelPool::close`]
/// waits for them.
pub struct ChannelPool {
    connections: usize,
    workers: Workers,
    stop: watch::Sender<bool>,
    /// Ends when the last worker has.
    ended: mpsc::Receiver<()>,
}

enum Workers {
    Local(LocalWorkers),
    Tasks(Crew),
}

/// What every worker holds: the sign to stop at once, and the token whose drop says it has ended.
#[derive(Clone)]
pub struct Leash {
    pub stop: watch::Receiver<bool>,
    _alive: mpsc::Sender<()>,
}

impl Leash {
    /// Ends when the pool's time to close is over; never, when the pool was dropped instead.
    pub async fn stopped(&self) {
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            std::future::pending().await
        }
    }
}

impl ChannelPool {
    /// Starts the workers of the channel `name`. No connection is made before the first message. Reads the system's trusted
    /// certificates when TLS may be needed, and blocks for that.
    ///
    /// Errors: settings that can never work.
    pub fn start(name: &str, settings: &ChannelOptions, report: ReportTo, runtime: &Handle) -> Result<ChannelPool, ChannelError> {
        if settings.connections == 0 {
            return Err(ChannelError::NoConnections(name.to_owned()));
        }
        let wrong_sender = |error| ChannelError::Sender(name.to_owned(), error);
        let (stop, stopped) = watch::channel(false);
        let (alive, ended) = mpsc::channel(1);
        let leash = Leash { stop: stopped, _alive: alive };
        let connections = settings.connections;
        let local = |keep| {
            LocalWorkers::start(name, connections, keep, report.clone(), &leash)
                .map(Workers::Local)
                .map_err(|error| ChannelError::Worker(name.to_owned(), error))
        };
        let workers = match &settings.delivery {
            Delivery::Null => local(Keep::Nothing)?,
            Delivery::Outbox(folder) => {
                let sender = Sender::of_folder(&settings.sender).map_err(wrong_sender)?;
                local(Keep::Outbox(Outbox::new(folder.clone(), Some(sender))))?
            }
            Delivery::Notes(folder) => local(Keep::Outbox(Outbox::new(folder.clone(), None)))?,
            Delivery::Smtp(url) => {
                let sender = Sender::read(&settings.sender).map_err(wrong_sender)?;
                let sender = sender.ok_or_else(|| ChannelError::NoFrom(name.to_owned()))?;
                if !is_hello(&settings.hello) {
                    return Err(ChannelError::Hello(name.to_owned(), settings.hello.clone()));
                }
                let dialer = Dialer::new(url.clone(), &settings.hello, settings.timeouts)
                    .map_err(|error| ChannelError::Tls(name.to_owned(), error))?;
                Workers::Tasks(smtp::start(connections, sender, dialer, report, &leash, runtime))
            }
            Delivery::Http(options) => {
                let way = Way::read(name, options).map_err(|error| ChannelError::Http(name.to_owned(), error))?;
                Workers::Tasks(http::start(connections, way, &options.private_hosts, report, &leash, runtime))
            }
        };
        Ok(ChannelPool { connections, workers, stop, ended })
    }

    /// Hands over one message, and returns at once. More than [`ChannelPool::connections`] unfinished ones only wait here.
    pub fn submit(&self, job: Job) {
        match &self.workers {
            Workers::Local(workers) => workers.submit(job),
            Workers::Tasks(crew) => crew.submit(job),
        }
    }

    /// Removes the copies of these mails (Message-IDs), where the channel keeps any; returns at once.
    pub fn forget(&self, message_ids: &[String]) {
        match &self.workers {
            Workers::Local(workers) => workers.forget(message_ids),
            Workers::Tasks(_) => {}
        }
    }

    /// How many messages may be unfinished at once.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Lets the workers finish what they were given and take their leave of the server. Those that have not after `within` stop
    /// at once: a message whose content was given and not answered is reported unknown, any other deferred.
    pub async fn close(self, within: Duration) {
        let ChannelPool { workers, stop, mut ended, .. } = self;
        drop(workers);
        if tokio::time::timeout(within, ended.recv()).await.is_err() {
            stop.send_replace(true);
            // A worker that hangs in the file system cannot be stopped; the process need not wait for it.
            if tokio::time::timeout(LAST_WORDS, ended.recv()).await.is_err() {
                tracing::warn!("a channel's worker did not stop in time");
            }
        }
    }
}

/// RFC 5321 section 4.1.1.1: a domain or an address literal.
fn is_hello(name: &str) -> bool {
    !name.is_empty() && name.len() <= 255 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}
