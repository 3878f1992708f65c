//! `contact`: everything that is held about one person, and its erasure.

mod person;
mod show;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dsl::model::Deliver;

use self::person::{Extent, Person};
use super::beside::Beside;
use super::{CouldNotRun, Exit, Outcome, output};
use crate::channels::outbox;
use crate::clock::{Clock, Stopwatch, WallClock};
use crate::ingest::{ContactInput, Occurrence, What};
use crate::kernel::{Input, Kernel, Options, Plan, Suppression};
use crate::standing::Definitions;
use crate::state::{Contact, ContactId};
use crate::store::{InboxItem, SqliteStore, Store, StoreError};

#[derive(clap::Args)]
pub struct ContactArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show the profile, consents, segments, runs and messages, and the latest events
    Show {
        /// The contact's id, another id that leads to it, or its e-mail address
        #[arg(value_name = "ID")]
        who: String,
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Write everything that is held about the person, as JSON
    Export {
        /// The contact's id, another id that leads to it, or its e-mail address
        #[arg(value_name = "ID")]
        who: String,
        /// Write to this file
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Erase everything that is held about the person, for good
    Erase {
        /// The contact's id, another id that leads to it, or its e-mail address
        #[arg(value_name = "ID")]
        who: String,
        /// Do not ask, on a terminal
        #[arg(long)]
        yes: bool,
    },
    /// Let somebody who was erased come back: by an import, an event or a call
    Allow {
        /// An id, e-mail address or phone number that they had
        #[arg(value_name = "ID_OR_EMAIL")]
        who: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

impl ContactArguments {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        match self.action {
            Action::Show { who, format } => {
                let person = found(&mut beside, &who, Extent::Latest)?;
                match format {
                    Format::Human => output::print(|out| show::human(out, &person))?,
                    Format::Json => output::text(&json(&person)?)?,
                }
            }
            Action::Export { who, out } => {
                let text = json(&found(&mut beside, &who, Extent::Everything)?)?;
                match out {
                    None => output::text(&text)?,
                    Some(path) => write(&path, &text)?,
                }
            }
            Action::Erase { who, yes } => return erase(&mut beside, &who, yes),
            Action::Allow { who } => return allow(&mut beside, &who),
        }
        Ok(Exit::Fine)
    }
}

fn json(person: &Person) -> Result<String, CouldNotRun> {
    let text = serde_json::to_string_pretty(person).map_err(|error| CouldNotRun(error.to_string()))?;
    Ok(text + "\n")
}

fn write(path: &Path, text: &str) -> Result<(), CouldNotRun> {
    std::fs::write(path, text).map_err(|error| CouldNotRun(format!("{} cannot be written: {error}", path.display())))
}

/// The contact of this id, alias or e-mail address.
fn lookup(store: &mut SqliteStore, who: &str) -> Result<Option<Contact>, CouldNotRun> {
    let id = match store.contact_id(who)? {
        Some(id) => Some(id),
        None => store.contact_of_email(who.trim())?,
    };
    Ok(id.map(|id| store.contact(id)).transpose()?.flatten())
}

fn unknown(who: &str) -> CouldNotRun {
    let who = who.escape_debug();
    CouldNotRun(format!(
        "there is no contact `{who}`: neither by id nor by e-mail address; `campaignd export contacts` lists all"
    ))
}

fn found(beside: &mut Beside, who: &str, extent: Extent) -> Result<Person, CouldNotRun> {
    let catalog = beside.catalog_in_force()?;
    let Beside { store: Some(store), settings, .. } = beside else { return Err(unknown(who)) };
    let Some(contact) = lookup(store, who)? else { return Err(unknown(who)) };
    let definitions = match catalog {
        Some(catalog) => Some(Definitions::beside(Arc::new(catalog), store)?),
        None => None,
    };
    Ok(Person::of(store, settings, definitions.as_ref(), contact, extent)?)
}

fn erase(beside: &mut Beside, who: &str, yes: bool) -> Outcome {
    let Some(store) = &mut beside.store else { return Err(unknown(who)) };
    let Some(contact) = lookup(store, who)? else {
        let person = ContactInput { id: who.to_owned(), email: Some(who.to_owned()), ..ContactInput::default() };
        if Suppression::of(store)?.holds_person(store, &person)? {
            output::text("was erased before; nothing is held\n")?;
            return Ok(Exit::Fine);
        }
        return Err(unknown(who));
    };
    if !yes && !agreed(&contact)? {
        output::text("nothing is erased\n")?;
        return Ok(Exit::Fine);
    }
    let erased = match SqliteStore::open(beside.path()) {
        Ok(alone) => erase_alone(beside, alone, &contact)?,
        // The runner does it: it alone may end the person's runs and holds the mails that are under way.
        Err(StoreError::Held(_)) => {
            beside.leave(&InboxItem::Erase(contact.id))?;
            wait_until_erased(beside, contact.id)?
        }
        Err(error) => return Err(error.into()),
    };
    let uid = &contact.uid;
    output::text(&match erased {
        true => format!("{uid} is erased. Files you imported or exported, backups, and mails that have left are not touched.\n"),
        false => format!(
            "{uid} is erased by the runner as soon as it gets to it. Until then everything is still held; `campaignd contact show` says \
             when it is gone.\n"
        ),
    })?;
    Ok(Exit::Fine)
}

/// Erases without a runner, by being one for as long as it takes. False: that needs definitions, and there are none that are good.
fn erase_alone(beside: &mut Beside, store: SqliteStore, contact: &Contact) -> Result<bool, CouldNotRun> {
    let Some(catalog) = beside.catalog_in_force()? else {
        drop(store);
        beside.leave(&InboxItem::Erase(contact.id))?;
        return Ok(false);
    };
    let plan = Plan::new(Arc::new(catalog), None).map_err(|error| CouldNotRun(error.to_string()))?;
    let now = WallClock.now();
    let mut kernel = Kernel::open(Box::new(store), Arc::new(plan), Options::default(), now)?;
    kernel.stop_sending();
    let what = What::Erase;
    let input = Input::Occurrence(Occurrence { at: now, contact: contact.uid.clone(), anonymous: false, what });
    let erased = kernel.turn(now, &[input])?.erased;
    for channel in beside.settings.channels.values() {
        if let Deliver::Outbox(folder) = &channel.deliver {
            erased.iter().for_each(|message| outbox::forget(&beside.root.join(folder), message));
        }
    }
    // The turn after it takes note that the mails are gone.
    kernel.turn(now, &[])?;
    Ok(true)
}

/// How long the command waits for the runner, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

fn wait_until_erased(beside: &mut Beside, id: ContactId) -> Result<bool, CouldNotRun> {
    let Some(store) = &mut beside.store else { return Ok(false) };
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE {
        if store.contact(id)?.is_none_or(|contact| contact.erased) {
            return Ok(true);
        }
        std::thread::sleep(LOOK);
    }
    Ok(false)
}

/// Asks where there is somebody to ask.
fn agreed(contact: &Contact) -> Result<bool, CouldNotRun> {
    if !io::stdin().is_terminal() {
        return Ok(true);
    }
    let uid = &contact.uid;
    let asked = write!(io::stderr(), "Erase everything that is held about {uid}? It cannot be undone. [y/N] ");
    let mut answer = String::new();
    let read = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    read.map_err(|error| CouldNotRun(format!("the answer cannot be read: {error}")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn allow(beside: &mut Beside, who: &str) -> Outcome {
    let nobody = || format!("nobody who was erased is remembered as `{}`", who.escape_debug());
    let Some(store) = &mut beside.store else {
        output::note(&nobody());
        return Ok(Exit::Findings);
    };
    store.begin()?;
    let lifted = Suppression::of(store).and_then(|suppression| suppression.lift(store, who));
    let done = lifted.and_then(|lifted| store.commit().map(|()| lifted));
    if done.is_err() {
        store.rollback();
    }
    if done? {
        output::text("may come back: what was held before stays erased\n")?;
        return Ok(Exit::Fine);
    }
    output::note(&nobody());
    Ok(Exit::Findings)
}
