//! The channels that run: started from the settings, replaced one by one when the settings change.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dsl::model::{Channel, Deliver, Settings};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::channels::{
    ChannelError, ChannelOptions, ChannelPool, Delivery, Job, Outcome, Report, ReportTo, SmtpUrl, SmtpUrlError, Timeouts,
};
use crate::secrets::{SecretError, Secrets};

/// Carries messages by channel name, and reports on each to the mailbox it was made with.
pub trait Carry: Send + Sync {
    fn submit(&self, channel: &str, job: Job);

    /// Removes the copies that channels keep of these mails (Message-IDs). A copy that is not there, or not written yet, is none.
    fn forget(&self, message_ids: &[String]);

    /// Ends all channels: what they carry may take so long, then is given up and reported. Returns when all has been reported. Blocks.
    fn close(&self, within: Duration);
}

/// Why the channels of these settings cannot run.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    #[error("channel {0}: {1}")]
    Url(String, #[source] SmtpUrlError),
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// The running pools of a project.
pub struct Pools {
    root: PathBuf,
    report: ReportTo,
    runtime: Handle,
    hello: String,
    running: Mutex<HashMap<String, Running>>,
}

struct Running {
    wanted: Wanted,
    pool: ChannelPool,
}

/// What a pool is started from: another one is needed when any of it changes.
#[derive(Clone, PartialEq)]
struct Wanted {
    connections: usize,
    from: Option<String>,
    target: Target,
}

#[derive(Clone, PartialEq)]
enum Target {
    Outbox(PathBuf),
    /// With its secrets: never printed.
    Smtp(String),
    Null,
}

/// Pools that are ready to take over from those that run.
pub struct Replacement {
    started: HashMap<String, Running>,
    kept: Vec<String>,
}

impl Replacement {
    /// The channels that are started anew, in order of name.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.started.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

impl Pools {
    /// No pool yet: [`Pools::prepare`] and [`Pools::install`] start them. Folders of the settings are relative to `root`.
    pub fn new(root: &Path, report: ReportTo, runtime: Handle) -> Pools {
        Pools { root: root.to_owned(), report, runtime, hello: host_name(), running: Mutex::default() }
    }

    /// Starts the pools that the settings want and that do not run; changes nothing about those that do.
    ///
    /// # Errors
    /// When a channel's settings can never work, or a secret is missing. Nothing is left running then.
    pub fn prepare(&self, settings: &Settings, secrets: &Secrets) -> Result<Replacement, CarryError> {
        let mut wanted = BTreeMap::new();
        for (name, channel) in &settings.channels {
            wanted.insert(name.clone(), self.wanted(name, channel, secrets)?);
        }
        let mut replacement = Replacement { started: HashMap::new(), kept: Vec::new() };
        for (name, wanted) in wanted {
            if self.lock().get(&name).is_some_and(|running| running.wanted == wanted) {
                replacement.kept.push(name);
                continue;
            }
            let options = self.options(&name, &wanted)?;
            let pool = ChannelPool::start(&name, &options, self.report.clone(), &self.runtime)?;
            replacement.started.insert(name, Running { wanted, pool });
        }
        Ok(replacement)
    }

    /// Lets the prepared pools take over. Those they replace, and those no longer wanted, finish what they carry.
    pub fn install(&self, replacement: Replacement) {
        let mut running = self.lock();
        running.retain(|name, _| replacement.kept.contains(name));
        running.extend(replacement.started);
    }

    fn wanted(&self, name: &str, channel: &Channel, secrets: &Secrets) -> Result<Wanted, CarryError> {
        let target = match &channel.deliver {
            Deliver::Outbox(folder) => Target::Outbox(self.root.join(folder)),
            Deliver::Smtp(url) => Target::Smtp(secrets.resolve_url(url, &format!("channels.{name}.deliver"))?),
            // Until there is a pool of requests.
            Deliver::Http(_) | Deliver::Preset(..) | Deliver::Null => Target::Null,
        };
        Ok(Wanted { connections: channel.connections, from: channel.from.clone(), target })
    }

    fn options(&self, name: &str, wanted: &Wanted) -> Result<ChannelOptions, CarryError> {
        let delivery = match &wanted.target {
            Target::Outbox(folder) => Delivery::Outbox(folder.clone()),
            Target::Smtp(url) => Delivery::Smtp(SmtpUrl::parse(url).map_err(|error| CarryError::Url(name.to_owned(), error))?),
            Target::Null => Delivery::Null,
        };
        Ok(ChannelOptions {
            connections: wanted.connections,
            delivery,
            from: wanted.from.clone(),
            hello: self.hello.clone(),
            timeouts: Timeouts::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Carry for Pools {
    fn submit(&self, channel: &str, job: Job) {
        match self.lock().get(channel) {
            Some(running) => running.pool.submit(job),
            None => {
                let outcome = Outcome::Deferred(format!("the channel {channel} does not run"));
                (self.report)(Report::new(job.message, None, outcome, Duration::ZERO));
            }
        }
    }

    fn forget(&self, message_ids: &[String]) {
        for running in self.lock().values() {
            running.pool.forget(message_ids);
        }
    }

    fn close(&self, within: Duration) {
        let pools = std::mem::take(&mut *self.lock());
        self.runtime.block_on(async {
            let mut closing: JoinSet<()> = pools.into_values().map(|running| running.pool.close(within)).collect();
            while closing.join_next().await.is_some() {}
        });
    }
}

/// What this machine calls itself, for EHLO. A service that may see nothing of /proc but processes asks the second file.
fn host_name() -> String {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let name = files.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let name = name.trim();
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if fits { name.to_owned() } else { "localhost".to_owned() }
}
