//! `suppression`: addresses that get nothing, whoever they belong to and whatever was agreed.

use std::io::{self, BufRead};
use std::path::PathBuf;

use jiff::tz::TimeZone;
use serde::Serialize;

use super::beside::Beside;
use super::{CouldNotRun, Exit, Outcome, output};
use crate::clock::{Clock, WallClock};
use crate::instant;
use crate::state::{Suppressed, Why};
use crate::store::{self, SqliteStore, Store};

/// How many rows are read, or changed, in one go: a runner beside waits for no longer than that takes.
const CHUNK: usize = 500;
/// The longest address, in bytes; tokens of push services are long.
const LONGEST: usize = 4096;

#[derive(clap::Args)]
pub struct Suppression {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// The addresses, why each is on the list, and since when
    List {
        /// Only this channel's
        #[arg(long)]
        channel: Option<String>,
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Put addresses on the list
    Add {
        /// `-` reads them from standard input, one a line
        #[arg(value_name = "ADDRESS", required = true)]
        addresses: Vec<String>,
        #[arg(long, default_value = "email")]
        channel: String,
        /// Why, for those who look at the list later
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Take addresses off the list; what their contacts unsubscribed from stays
    Remove {
        /// `-` reads them from standard input, one a line
        #[arg(value_name = "ADDRESS", required = true)]
        addresses: Vec<String>,
        #[arg(long, default_value = "email")]
        channel: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Jsonl,
}

/// An address on the list.
#[derive(Debug, Serialize)]
pub struct SuppressedLine {
    pub channel: String,
    pub address: String,
    /// manual, bounced or complained.
    pub why: &'static str,
    /// RFC 3339, in the project's zone.
    pub since: String,
    /// By which way it is known.
    pub source: String,
    pub detail: Option<String>,
}

impl SuppressedLine {
    pub fn of(row: Suppressed, zone: &TimeZone) -> SuppressedLine {
        let Suppressed { channel, address, why, at, source, detail } = row;
        SuppressedLine { channel, address, why: why.word(), since: instant::text(at, zone), source, detail }
    }

    /// Why, since when, and how that is known: `bounced since 2026-03-27T09:00:00+01:00 (maildir): 5.1.1 user unknown`.
    pub fn reason(&self) -> String {
        let detail = self.detail.as_ref().map(|detail| format!(": {}", detail.escape_debug())).unwrap_or_default();
        format!("{} since {} ({}){detail}", self.why, self.since, self.source)
    }
}

impl Suppression {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        match self.action {
            Action::List { channel, format } => list(&mut beside, channel.as_deref(), format),
            Action::Add { addresses, channel, reason } => {
                known(&beside, &channel)?;
                let reason = reason.as_deref().and_then(crate::returns::words);
                add(&mut beside, &channel, reason.as_deref(), addresses)
            }
            Action::Remove { addresses, channel } => remove(&mut beside, &channel, addresses),
        }
    }
}

fn known(beside: &Beside, channel: &str) -> Result<(), CouldNotRun> {
    let channels = &beside.settings.channels;
    if channels.contains_key(channel) {
        return Ok(());
    }
    let names: Vec<&str> = channels.keys().map(String::as_str).collect();
    let channel = channel.escape_debug();
    Err(CouldNotRun(format!("there is no channel `{channel}` in this project; there is {}", names.join(", "))))
}

fn list(beside: &mut Beside, channel: Option<&str>, format: Format) -> Outcome {
    let zone = instant::project_zone(&beside.settings);
    let Some(store) = &mut beside.store else { return Ok(Exit::Fine) };
    let mut after: Option<(String, String)> = None;
    loop {
        let last = after.as_ref().map(|(channel, address)| (channel.as_str(), address.as_str()));
        let page = store.suppressed_after(last, CHUNK)?;
        let Some(end) = page.last() else { return Ok(Exit::Fine) };
        after = Some((end.channel.clone(), end.address.clone()));
        let rows = page.into_iter().filter(|row| channel.is_none_or(|channel| row.channel == channel));
        let mut text = String::new();
        for row in rows {
            let line = SuppressedLine::of(row, &zone);
            text += &match format {
                Format::Jsonl => serde_json::to_string(&line).map_err(|error| CouldNotRun(error.to_string()))?,
                Format::Human => format!("{} {}  {}", line.channel, line.address.escape_debug(), line.reason()),
            };
            text.push('\n');
        }
        output::text(&text)?;
    }
}

fn add(beside: &mut Beside, channel: &str, reason: Option<&str>, addresses: Vec<String>) -> Outcome {
    let now = WallClock.now();
    let store = beside.store_made()?;
    let mut wrong = 0;
    let mut added = 0;
    in_chunks(addresses, |chunk| {
        let (good, bad): (Vec<String>, Vec<String>) = chunk.into_iter().partition(|address| is_address(channel, address));
        for address in &bad {
            let shown: String = address.chars().take(100).collect();
            output::note(&format!("`{}` is no address of {channel}; it is left out", shown.escape_debug()));
        }
        wrong += bad.len();
        added += good.len();
        within(store, |store| {
            good.iter().try_for_each(|address| {
                store.suppress(&Suppressed {
                    channel: channel.to_owned(),
                    address: Suppressed::normal(channel, address),
                    why: Why::Manual,
                    at: now,
                    source: "manual".to_owned(),
                    detail: reason.map(str::to_owned),
                })
            })
        })
    })?;
    output::text(&format!("{} on the list\n", counted(added)))?;
    Ok(if wrong > 0 { Exit::Findings } else { Exit::Fine })
}

fn remove(beside: &mut Beside, channel: &str, addresses: Vec<String>) -> Outcome {
    let (mut removed, mut missing) = (0, 0);
    in_chunks(addresses, |chunk| {
        let Some(store) = &mut beside.store else {
            missing += chunk.len();
            return Ok(());
        };
        within(store, |store| {
            for address in &chunk {
                match store.allow_address(channel, &Suppressed::normal(channel, address))? {
                    true => removed += 1,
                    false => missing += 1,
                }
            }
            Ok(())
        })
    })?;
    output::text(&format!("{} off the list\n", counted(removed)))?;
    if missing > 0 {
        output::note(&format!("{} not on it: `campaignd suppression list` shows all", counted(missing)));
        return Ok(Exit::Findings);
    }
    Ok(Exit::Fine)
}

fn counted(number: usize) -> String {
    if number == 1 { "1 address is".to_owned() } else { format!("{number} addresses are") }
}

/// Whether anything could be sent there at all.
fn is_address(channel: &str, address: &str) -> bool {
    let fits = !address.is_empty() && address.len() <= LONGEST && !address.chars().any(char::is_control);
    fits && (channel != "email" || is_email(address.trim()))
}

/// `mailbox@domain`, and nothing around it. A mailbox in quotes is left out: nobody has one.
fn is_email(address: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !"<>(),;:\\\"[]".contains(c);
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.contains('@')
            && local.chars().chain(domain.chars()).all(plain)
            && domain.split('.').all(label)
    })
}

/// In a transaction of its own.
fn within(store: &mut SqliteStore, act: impl FnOnce(&mut SqliteStore) -> store::Result<()>) -> Result<(), CouldNotRun> {
    store.begin()?;
    let done = act(store).and_then(|()| store.commit());
    if done.is_err() {
        store.rollback();
    }
    Ok(done?)
}

/// The addresses that are given; those of standard input, where one is `-`, a line each. Blank lines are none.
fn in_chunks(given: Vec<String>, mut take: impl FnMut(Vec<String>) -> Result<(), CouldNotRun>) -> Result<(), CouldNotRun> {
    let (dashes, given): (Vec<String>, Vec<String>) = given.into_iter().partition(|address| address == "-");
    let mut given = given.into_iter();
    let mut lines = (!dashes.is_empty()).then(|| io::stdin().lock().lines());
    loop {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK {
            let next = match given.next() {
                Some(address) => Some(address),
                None => lines.as_mut().and_then(Iterator::next).transpose().map_err(unreadable)?,
            };
            let Some(address) = next else { break };
            let address = address.trim();
            if !address.is_empty() {
                chunk.push(address.to_owned());
            }
        }
        if chunk.is_empty() {
            return Ok(());
        }
        take(chunk)?;
    }
}

fn unreadable(error: io::Error) -> CouldNotRun {
    CouldNotRun(format!("the addresses cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_nonsense() {
        for (channel, address, expected) in [
            ("email", "ada@example.com", true),
            ("email", "zoë@bücher.example", true),
            ("email", "ada", false),
            ("email", "@example.com", false),
            ("email", "ada@", false),
            ("email", "a@b\r\nc", false),
            ("sms", "+49 30 1", true),
            ("sms", "", false),
        ] {
            assert_eq!(is_address(channel, address), expected, "{address}");
        }
        assert!(!is_address("sms", &"1".repeat(LONGEST + 1)));
    }

    #[test]
    fn what_is_given_comes_in_chunks() {
        let given: Vec<String> = (0..CHUNK + 1).map(|number| format!(" {number} ")).collect();
        let mut sizes = Vec::new();
        in_chunks(given, |chunk| {
            assert!(chunk.iter().all(|address| address.trim() == address));
            sizes.push(chunk.len());
            Ok(())
        })
        .unwrap();
        assert_eq!(sizes, [CHUNK, 1]);
    }
}
