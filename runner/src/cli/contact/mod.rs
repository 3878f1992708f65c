//! `contact`: everything that is held about one person, and its erasure.

mod person;
mod show;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use self::person::{Extent, Person};
use super::beside::Beside;
use super::{CouldNotRun, Exit, Outcome, output};
use crate::ingest::ContactInput;
use crate::kernel::Suppression;
use crate::state::{Contact, ContactId};
use crate::store::{InboxItem, SqliteStore, Store};

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
        /// Do not ask
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
    let Beside { store: Some(store), settings, .. } = beside else { return Err(unknown(who)) };
    match lookup(store, who)? {
        Some(contact) => Ok(Person::of(store, settings, contact, extent)?),
        None => Err(unknown(who)),
    }
}

/// The runner does it: it alone may end the person's runs and holds the mails that are under way.
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
    beside.leave(&InboxItem::Erase(contact.id))?;
    output::text(&format!(
        "{} is erased by the runner: at once if it runs, else first thing when it starts. Until then everything is still held; \
         `campaignd contact show` says when it is gone. Files you imported or exported, backups, and mails that have left are not touched.\n",
        contact.uid
    ))?;
    Ok(Exit::Fine)
}

fn agreed(contact: &Contact) -> Result<bool, CouldNotRun> {
    if !io::stdin().is_terminal() {
        return Err(CouldNotRun("erasing cannot be undone: say --yes, or answer the question on a terminal".to_owned()));
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

/// Where a person's segments come from.
fn segments_of(store: &mut SqliteStore, contact: ContactId) -> crate::store::Result<Vec<(String, i64)>> {
    store.lists_of(contact)
}
