//! The channels that run: started from the settings, replaced one by one when the settings change. One more than the settings name carries what
//! `call` steps ask for.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dsl::model::{Channel, Deliver, DeliveryBody, Dkim, HttpDelivery, Secret, Settings};
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::channels::{
    ChannelError, ChannelOptions, ChannelPool, Delivery, HttpOptions, HttpWay, Job, KeyText, Outcome, Report, ReportTo,
    SenderOptions, SmtpUrl, SmtpUrlError, Timeouts,
};
use crate::secrets::{SecretError, Secrets};
use crate::state::CALLS;

/// The channel whose messages are mails.
const MAIL: &str = "email";

/// How many calls may be under way at once.
const CALL_CONNECTIONS: usize = 16;

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
    #[error(
        "the file that holds the DKIM key of {0} cannot be read: {1}; `key` is a private key in PEM, or its path relative to the project"
    )]
    KeyFile(String, #[source] std::io::Error),
    #[error(
        "channel {0}: the file of `service_account` cannot be read: {1}; it is the JSON of a Google service account's key, or its path relative to the project"
    )]
    ServiceAccount(String, #[source] std::io::Error),
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
    sender: SenderOptions,
    target: Target,
}

#[derive(Clone, PartialEq)]
enum Target {
    Outbox(PathBuf),
    Notes(PathBuf),
    /// With its secrets: never printed.
    Smtp(String),
    /// With its secrets as well.
    Http(HttpOptions),
    Null,
}

/// Pools that are ready to take over from those that run.
pub struct Replacement {
    started: HashMap<String, Running>,
    kept: Vec<String>,
}

impl Replacement {
    /// The channels that are started anew, in order of name; not that of calls, which the settings do not name.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.started.keys().map(String::as_str).filter(|name| *name != CALLS).collect();
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
        let mut wanted = BTreeMap::from([(CALLS.to_owned(), calls(settings, secrets)?)]);
        for (name, channel) in &settings.channels {
            wanted.insert(name.clone(), self.wanted(name, channel, settings, secrets)?);
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

    fn wanted(&self, name: &str, channel: &Channel, settings: &Settings, secrets: &Secrets) -> Result<Wanted, CarryError> {
        let place = format!("channels.{name}.deliver");
        let http = |way| Target::Http(HttpOptions { private_hosts: settings.private_hosts.clone(), way });
        let target = match &channel.deliver {
            Deliver::Outbox(folder) if name != MAIL => Target::Notes(self.root.join(folder)),
            Deliver::Outbox(folder) => Target::Outbox(self.root.join(folder)),
            Deliver::Smtp(url) => Target::Smtp(secrets.resolve_url(url, &place)?),
            Deliver::Http(delivery) => http(HttpWay::Request(request(delivery, secrets, &place)?)),
            Deliver::Preset(preset, options) => {
                let mut options = self::secrets(options, secrets, &place)?;
                if let Some(account) = options.get_mut("service_account") {
                    account.0 =
                        self.text_or_file(&account.0).map_err(|error| CarryError::ServiceAccount(name.to_owned(), error))?;
                }
                http(HttpWay::Preset(*preset, options))
            }
            Deliver::Null => Target::Null,
        };
        let sender = SenderOptions {
            from: channel.from.clone(),
            reply_to: channel.reply_to.clone(),
            return_path: channel.return_path.clone(),
            dkim: dkim_keys(&self.root, name, channel, secrets)?,
        };
        Ok(Wanted { connections: channel.connections, sender, target })
    }

    /// JSON, or the contents of the file whose path it is.
    fn text_or_file(&self, text: &str) -> std::io::Result<String> {
        match text.trim_start().starts_with('{') {
            true => Ok(text.to_owned()),
            false => std::fs::read_to_string(self.root.join(text.trim())),
        }
    }

    fn options(&self, name: &str, wanted: &Wanted) -> Result<ChannelOptions, CarryError> {
        let delivery = match &wanted.target {
            Target::Outbox(folder) => Delivery::Outbox(folder.clone()),
            Target::Notes(folder) => Delivery::Notes(folder.clone()),
            Target::Smtp(url) => Delivery::Smtp(SmtpUrl::parse(url).map_err(|error| CarryError::Url(name.to_owned(), error))?),
            Target::Http(options) => Delivery::Http(options.clone()),
            Target::Null => Delivery::Null,
        };
        Ok(ChannelOptions {
            connections: wanted.connections,
            delivery,
            sender: wanted.sender.clone(),
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

/// The pool of what `call` steps ask for.
fn calls(settings: &Settings, secrets: &Secrets) -> Result<Wanted, CarryError> {
    let way = HttpWay::Calls(self::secrets(&settings.secrets, secrets, "secrets")?);
    let target = Target::Http(HttpOptions { private_hosts: settings.private_hosts.clone(), way });
    Ok(Wanted { connections: CALL_CONNECTIONS, sender: SenderOptions::default(), target })
}

/// A request with every `${NAME}` put in.
fn request(delivery: &HttpDelivery, secrets: &Secrets, place: &str) -> Result<HttpDelivery, SecretError> {
    let text = |secret: &Secret| secrets.resolve_template(&secret.0, place).map(Secret);
    let texts = |map: &BTreeMap<String, Secret>| {
        map.iter().map(|(name, secret)| Ok((name.clone(), text(secret)?))).collect::<Result<_, SecretError>>()
    };
    let body = match &delivery.body {
        DeliveryBody::Form(fields) => DeliveryBody::Form(texts(fields)?),
        DeliveryBody::Json(map) => DeliveryBody::Json(members(map, secrets, place)?),
    };
    let sign = delivery.sign.as_ref().map(|sign| secrets.resolve(sign, place).map(Secret)).transpose()?;
    Ok(HttpDelivery { url: text(&delivery.url)?, headers: texts(&delivery.headers)?, body, sign, timeout: delivery.timeout })
}

fn members(map: &Map<String, Value>, secrets: &Secrets, place: &str) -> Result<Map<String, Value>, SecretError> {
    map.iter().map(|(name, value)| Ok((name.clone(), resolved(value, secrets, place)?))).collect()
}

fn resolved(value: &Value, secrets: &Secrets, place: &str) -> Result<Value, SecretError> {
    Ok(match value {
        Value::String(text) => Value::String(secrets.resolve_template(text, place)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| resolved(item, secrets, place)).collect::<Result<_, SecretError>>()?)
        }
        Value::Object(map) => Value::Object(members(map, secrets, place)?),
        other => other.clone(),
    })
}

fn secrets(given: &BTreeMap<String, Secret>, secrets: &Secrets, place: &str) -> Result<BTreeMap<String, Secret>, SecretError> {
    let one =
        |(name, secret): (&String, &Secret)| Ok((name.clone(), Secret(secrets.resolve(secret, &format!("{place}.{name}"))?)));
    given.iter().map(one).collect()
}

/// The keys that a channel's mails are signed with, as text: what stands in the settings is that, or the path of its file.
///
/// # Errors
/// When a secret is missing or a file cannot be read.
pub fn dkim_keys(root: &Path, name: &str, channel: &Channel, secrets: &Secrets) -> Result<Vec<KeyText>, CarryError> {
    let read = |dkim: &Dkim| {
        let given = secrets.resolve(&dkim.key, &format!("channels.{name}.dkim"))?;
        let pem = match given.contains("-----BEGIN") {
            true => given,
            false => std::fs::read_to_string(root.join(given.trim()))
                .map_err(|error| CarryError::KeyFile(format!("{}._domainkey.{}", dkim.selector, dkim.domain), error))?,
        };
        Ok(KeyText { domain: dkim.domain.clone(), selector: dkim.selector.clone(), pem })
    };
    channel.dkim.iter().map(read).collect()
}

/// What this machine calls itself, for EHLO. A service that may see nothing of /proc but processes asks the second file.
fn host_name() -> String {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let name = files.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let name = name.trim();
    let fits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if fits { name.to_owned() } else { "localhost".to_owned() }
}
