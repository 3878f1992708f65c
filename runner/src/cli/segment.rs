//! `segment`: who is in a segment, and putting contacts on the list of a static one.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use dsl::model::{Catalog, Condition};
use serde::Serialize;

use super::beside::Beside;
use super::output::{note, print};
use super::{CouldNotRun, Exit, Outcome};
use crate::clock::{Clock, WallClock};
use crate::instant;
use crate::simulate::counted;
use crate::standing::{Cause, Definitions, Happened, Moment, causes_of};
use crate::state::{Contact, ContactId};
use crate::store::{InboxItem, Outdated, Question, SqliteStore, Store};

/// How many contacts are read at once.
const PAGE: usize = 10_000;
/// How many contacts one short transaction puts on a list.
const CHUNK: usize = 1_000;

#[derive(clap::Args)]
pub struct Segment {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// How many contacts are in the segment
    Count {
        /// The segment's name
        name: String,
    },
    /// The contacts in the segment
    List {
        /// The segment's name
        name: String,
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Put contacts on the list of a static segment
    Add(Members),
    /// Take contacts off the list of a static segment
    Remove(Members),
}

#[derive(clap::Args)]
struct Members {
    /// The segment's name
    name: String,
    /// The contacts' ids; `-`: one a line, from standard input
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Jsonl,
}

/// One contact in a segment.
#[derive(Serialize)]
struct MemberRow {
    id: String,
    email: Option<String>,
    /// Since when: RFC 3339 in the project's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

impl Segment {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        let wrong = || CouldNotRun("the project has errors; `campaignd validate` says which".to_owned());
        let catalog = beside.catalog_in_force()?.ok_or_else(wrong)?;
        match self.action {
            Action::Count { name } => {
                let asked = Asked::new(&catalog, &name)?;
                let count = match &mut beside.store {
                    Some(store) => store.at_one_moment(|store| asked.count(store))?,
                    None => 0,
                };
                print(|out| writeln!(out, "{count}"))?;
                Ok(Exit::Fine)
            }
            Action::List { name, format } => {
                let asked = Asked::new(&catalog, &name)?;
                match &mut beside.store {
                    Some(store) => store.at_one_moment(|store| asked.list(store, format)),
                    None => Ok(Exit::Fine),
                }
            }
            Action::Add(members) => members.set(&catalog, &mut beside, true),
            Action::Remove(members) => members.set(&catalog, &mut beside, false),
        }
    }
}

/// A segment that is asked about.
struct Asked<'a> {
    name: &'a str,
    catalog: &'a Catalog,
    condition: &'a Condition,
    now: i64,
}

impl<'a> Asked<'a> {
    /// # Errors
    /// There is no segment of this name.
    fn new(catalog: &'a Catalog, name: &'a str) -> Result<Asked<'a>, CouldNotRun> {
        let condition = catalog.segments.get(name).ok_or_else(|| unknown(&catalog.segments, name))?;
        Ok(Asked { name, catalog, condition, now: WallClock.now() })
    }

    fn question(&self, outdated: Outdated) -> Question<'_> {
        let Catalog { segments, settings, .. } = self.catalog;
        Question { condition: self.condition, segments, settings, now: self.now, outdated }
    }

    /// Whether it looks at a trait, itself or through segments: contacts whose traits are out of date are then worked out here.
    fn needs_traits(&self) -> bool {
        let is_trait = |cause| matches!(cause, Cause::Contact(name) if self.catalog.traits.contains_key(&name));
        causes_of(self.condition, &self.catalog.segments).into_iter().any(is_trait)
    }

    fn count(&self, store: &mut SqliteStore) -> Result<u64, CouldNotRun> {
        if !self.needs_traits() {
            return Ok(store.count_matching(&self.question(Outdated::Ignore))?);
        }
        let definitions = Definitions::beside(Arc::new(self.catalog.clone()), store)?;
        let version = definitions.audience.version;
        let mut count = store.count_matching(&self.question(Outdated::Exclude(version)))?;
        let mut after = ContactId(0);
        loop {
            let page = store.outdated(version, self.now, after, PAGE)?;
            let Some(last) = page.last() else { return Ok(count) };
            after = *last;
            for id in page {
                count += u64::from(self.row(store, &definitions, id, false)?.is_some());
            }
        }
    }

    fn list(&self, store: &mut SqliteStore, format: Format) -> Outcome {
        let definitions = Definitions::beside(Arc::new(self.catalog.clone()), store)?;
        let version = definitions.audience.version;
        let outdated = if self.needs_traits() { Outdated::Include(version) } else { Outdated::Ignore };
        let question = self.question(outdated);
        let mut failed = None;
        print(|out| {
            let mut after = ContactId(0);
            loop {
                let page = match store.matching(&question, after, PAGE) {
                    Ok(page) => page,
                    Err(error) => {
                        failed = Some(error);
                        return Ok(());
                    }
                };
                let Some(last) = page.last() else { return Ok(()) };
                after = *last;
                for id in page {
                    match self.row(store, &definitions, id, format == Format::Jsonl) {
                        Ok(Some(row)) => write_row(out, &row, format)?,
                        Ok(None) => {}
                        Err(error) => {
                            failed = Some(error);
                            return Ok(());
                        }
                    }
                }
            }
        })?;
        failed.map_or(Ok(Exit::Fine), |error| Err(error.into()))
    }

    /// `None`: the contact is not in it, or went meanwhile. `dated`: since when is wanted too.
    fn row(
        &self,
        store: &mut SqliteStore,
        definitions: &Definitions,
        id: ContactId,
        dated: bool,
    ) -> crate::store::Result<Option<MemberRow>> {
        let Some(contact) = store.contact(id)? else { return Ok(None) };
        let outdated = definitions.outdated(&contact, self.now) && self.needs_traits();
        if !outdated && !dated {
            return Ok(Some(MemberRow { id: contact.uid, email: contact.email, since: None }));
        }
        let moment = Moment::of(store, self.now)?;
        let worked_out = definitions.look(store, contact, Happened::Nothing, moment)?;
        if outdated && !self.question(Outdated::Ignore).check(store, &worked_out.contact)?.holds {
            return Ok(None);
        }
        let zone = instant::project_zone(&self.catalog.settings);
        let segments = definitions.segments_of(store, &worked_out)?;
        let since = segments.into_iter().find(|(name, _)| name == self.name).map(|(_, since)| instant::text(since, &zone));
        let Contact { uid, email, .. } = worked_out.contact;
        Ok(Some(MemberRow { id: uid, email, since }))
    }
}

fn write_row(out: &mut dyn Write, row: &MemberRow, format: Format) -> io::Result<()> {
    match format {
        Format::Human => writeln!(out, "{}", row.id),
        Format::Jsonl => {
            serde_json::to_writer(&mut *out, row)?;
            writeln!(out)
        }
    }
}

fn unknown(segments: &BTreeMap<String, Condition>, name: &str) -> CouldNotRun {
    let near = segments.keys().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    let near = near.filter(|(distance, known)| *distance <= known.chars().count().max(3) / 3);
    let guess = near.map(|(_, known)| format!("did you mean `{known}`? ")).unwrap_or_default();
    let all = segments.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let there = if all.is_empty() { "this project has none".to_owned() } else { format!("there are: {all}") };
    CouldNotRun(format!("there is no segment `{}`; {guess}{there}", name.escape_debug()))
}

impl Members {
    /// Everyone who is known; the others are reported.
    fn set(&self, catalog: &Catalog, beside: &mut Beside, on: bool) -> Outcome {
        let Asked { condition, now, .. } = Asked::new(catalog, &self.name)?;
        let Condition::Listed(list) = condition else {
            return Err(CouldNotRun(format!(
                "segment `{}` is dynamic: its condition decides who is in it; only a segment `{{ list: true }}` has members put on it",
                self.name
            )));
        };
        let ids = self.ids()?;
        let (mut changed, mut unknown) = (0_u64, 0_u64);
        for chunk in ids.chunks(CHUNK) {
            let (known, missing) = look_up(beside.store.as_mut(), chunk)?;
            for uid in &missing {
                note(&format!(
                    "campaignd: there is no contact `{}`; `campaignd import contacts` brings contacts in",
                    uid.escape_debug()
                ));
            }
            unknown += missing.len() as u64;
            if let Some(store) = &mut beside.store {
                changed += put(store, list, &known, on, now)?;
            }
        }
        let done = if on { "put on" } else { "taken off" };
        print(|out| writeln!(out, "{} {done} {}", counted(changed, "contact"), self.name))?;
        Ok(if unknown > 0 { Exit::Findings } else { Exit::Fine })
    }

    fn ids(&self) -> Result<Vec<String>, CouldNotRun> {
        let mut ids = Vec::new();
        for id in &self.ids {
            if id != "-" {
                ids.push(id.clone());
                continue;
            }
            for line in io::stdin().lines() {
                let line = line.map_err(|error| CouldNotRun(format!("standard input cannot be read: {error}")))?;
                let line = line.trim();
                if !line.is_empty() {
                    ids.push(line.to_owned());
                }
            }
        }
        Ok(ids)
    }
}

/// Those who are known, and the names of those who are not.
fn look_up(store: Option<&mut SqliteStore>, uids: &[String]) -> Result<(Vec<ContactId>, Vec<String>), CouldNotRun> {
    let Some(store) = store else { return Ok((Vec::new(), uids.to_vec())) };
    let (mut known, mut missing) = (Vec::new(), Vec::new());
    for uid in uids {
        match store.contact_id(uid)? {
            Some(id) => known.push(id),
            None => missing.push(uid.clone()),
        }
    }
    Ok((known, missing))
}

/// One short transaction, with word for the runner; gives how many were changed.
fn put(store: &mut SqliteStore, list: &str, contacts: &[ContactId], on: bool, now: i64) -> Result<u64, CouldNotRun> {
    store.begin()?;
    let done = put_inside(store, list, contacts, on, now);
    if done.is_err() {
        store.rollback();
    }
    Ok(done?)
}

fn put_inside(store: &mut SqliteStore, list: &str, contacts: &[ContactId], on: bool, now: i64) -> crate::store::Result<u64> {
    let mut changed = Vec::new();
    for contact in contacts {
        if store.set_listed(*contact, list, on, now)? {
            changed.push(*contact);
        }
    }
    let number = changed.len() as u64;
    if !changed.is_empty() {
        store.push_inbox(&InboxItem::Contacts(changed), now)?;
    }
    store.commit()?;
    Ok(number)
}
