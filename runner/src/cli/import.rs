//! `import`

use std::fs::{File, TryLockError};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use dsl::model::{Catalog, Condition};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use super::beside::Beside;
use super::rows::Rows;
use super::{CouldNotRun, Exit, Outcome, output, project};
use crate::clock::{Clock, Stopwatch, WallClock};
use crate::ingest::{
    self, Chunk, ContactRow, Counts, Expected, Import as Writing, ImportOptions, Incoming, Mapping, Occurrence, Place, Tool,
};
use crate::simulate::{counted, grouped};
use crate::store::{SqliteStore, StoreError};

/// For how long a transaction takes in chunks: a runner beside waits so long for its turn.
const HOLD: Duration = Duration::from_millis(140);
/// For how long the store is left to a runner beside after that; it asks every millisecond.
const LET: Duration = Duration::from_millis(3);
/// How much of the file's beginning tells it from others.
const BEGINNING: u64 = 1 << 20;

#[derive(clap::Args)]
pub struct Import {
    #[arg(value_enum)]
    what: Kind,
    /// CSV or JSON Lines
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the file is; default: by its ending, .csv and .tsv or else JSON Lines
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A column of CSV that is meant as another: --map "E-Mail Address=email" (can be repeated)
    #[arg(long = "map", value_name = "COLUMN=NAME", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// The mail tool that the contacts were exported from: its columns are known
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(Tool::NAMES))]
    from: Option<String>,
    /// The topic that the tool's column about consent is meant for: who is subscribed there is subscribed to it, and who is not is unsubscribed
    #[arg(long, value_name = "NAME", requires = "from")]
    topic: Option<String>,
    /// Put every contact of the file on this static segment
    #[arg(long, value_name = "NAME")]
    segment: Option<String>,
    /// Try everything and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Contacts,
    Events,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

fn mapping(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((from, to)) if !from.trim().is_empty() && !to.trim().is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err("write it as COLUMN=NAME".to_owned()),
    }
}

impl Import {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let Some((path, catalog)) = definitions(given)? else { return Ok(Exit::Findings) };
        self.check(&catalog)?;
        let expected = Arc::new(Expected::of(&catalog));
        match self.what {
            Kind::Contacts => self.bring::<ContactRow>(&path, &expected),
            Kind::Events => self.bring::<Occurrence>(&path, &expected),
        }
    }

    /// What is asked for must be there.
    fn check(&self, catalog: &Catalog) -> Result<(), CouldNotRun> {
        let contacts = |option: &str| CouldNotRun(format!("{option} is for contacts, not for events"));
        if self.what == Kind::Events && (self.from.is_some() || self.segment.is_some()) {
            return Err(contacts(if self.from.is_some() { "--from" } else { "--segment" }));
        }
        let listed = |names: Vec<&String>| match names.is_empty() {
            true => "there is none".to_owned(),
            false => format!("there are: {}", names.into_iter().cloned().collect::<Vec<_>>().join(", ")),
        };
        let topics = &catalog.settings.topics;
        if let Some(topic) = self.topic.as_ref().filter(|topic| !topics.contains_key(*topic)) {
            let there = listed(topics.keys().collect());
            return Err(CouldNotRun(format!("the settings know no topic `{}`; {there}", topic.escape_debug())));
        }
        let lists = catalog.segments.iter().filter(|(_, condition)| matches!(condition, Condition::Listed(_)));
        let lists: Vec<&String> = lists.map(|(name, _)| name).collect();
        if let Some(segment) = self.segment.as_ref().filter(|segment| !lists.contains(segment)) {
            let there = listed(lists);
            return Err(CouldNotRun(format!(
                "`{}` is no static segment of the project, which is one that says `list: true`; {there}",
                segment.escape_debug()
            )));
        }
        Ok(())
    }

    fn bring<T: Incoming>(&self, path: &Path, expected: &Arc<Expected>) -> Outcome {
        let format = match self.format {
            Some(Format::Csv) => ingest::Format::Csv,
            Some(Format::Jsonl) => ingest::Format::JsonLines,
            None => ingest::Format::of(&self.file),
        };
        let mapping = Mapping { map: self.map.clone(), tool: self.from.as_deref().and_then(Tool::named) };
        // The file comes first: for one that cannot be read no store is made.
        let reader = ingest::open::<T>(&self.file, format, &mapping, expected.clone());
        let mut reader = reader.map_err(|error| self.about(error))?;
        if !reader.left_out().is_empty() {
            output::note(&format!(
                "{}: columns that the data contract does not know are left out: {}",
                self.file.display(),
                reader.left_out().join(", ")
            ));
        }
        let _alone = self.alone()?;
        let mut store = self.store(path)?;
        let key = self.key()?;
        let options = ImportOptions { dry_run: self.dry_run, segment: self.segment.clone(), topic: self.topic.clone() };
        let mut writing = Writing::new(&mut store, expected.settings.clone(), options)?;
        let mut rows = Rows::counted(&self.file, !self.dry_run);
        if let Some(key) = &key
            && let Some(checkpoint) = writing.checkpoint(key)?
        {
            reader.go_on(&self.file, checkpoint.place).map_err(|error| self.about(error))?;
            writing.go_on(&checkpoint);
            rows.go_on(checkpoint.rejected);
            output::note(&format!("{}: goes on at line {}", self.file.display(), checkpoint.place.lines + 1));
        }
        let bar = progress(&self.file);
        let mut transfer = Transfer { writing, rows, bar, key: key.as_deref(), open: None };
        let done = ingest::read_ahead(reader, |chunks| transfer.all(chunks)).map_err(|error| self.about(error))?;
        transfer.bar.finish_and_clear();
        done?;
        let Transfer { writing, mut rows, .. } = transfer;
        let counts = writing.counts;
        store.end_bulk()?;
        let mut writing = Writing::new(&mut store, expected.settings.clone(), ImportOptions::default())?;
        writing.finish(key.as_deref())?;
        rows.finish()?;
        output::text(&(self.said(&counts, rows.rejected) + "\n"))?;
        Ok(if rows.rejected > 0 { Exit::Findings } else { Exit::Fine })
    }

    fn about(&self, error: impl std::fmt::Display) -> CouldNotRun {
        CouldNotRun(format!("{}: {error}", self.file.display()))
    }

    /// Holds the file for as long as it is imported. Two imports of it at once would take each other's events for twins, share a checkpoint and write
    /// over each other's FILE.rejected.
    fn alone(&self) -> Result<Option<File>, CouldNotRun> {
        if self.dry_run || !self.file.is_file() {
            return Ok(None);
        }
        let file = File::open(&self.file).map_err(|error| self.about(error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(self.about(
                "is being imported already; wait until that is done, or end it: the same command then goes on where it was",
            )),
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
        }
    }

    /// The project's store, made if it is not there yet.
    fn store(&self, path: &Path) -> Result<SqliteStore, CouldNotRun> {
        if !path.is_file() {
            if self.dry_run {
                return Ok(SqliteStore::in_memory()?);
            }
            match SqliteStore::open(path) {
                // A runner that is starting makes it as well.
                Ok(_) | Err(StoreError::Held(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let store = SqliteStore::open_beside(path)?;
        store.begin_bulk()?;
        Ok(store)
    }

    /// What the checkpoint of this import is kept under: the same file, imported in the same way. `None`: there is nothing to go on with.
    fn key(&self) -> Result<Option<String>, CouldNotRun> {
        let metadata = std::fs::metadata(&self.file).map_err(|error| self.about(error))?;
        if self.dry_run || !metadata.is_file() {
            return Ok(None);
        }
        let mut beginning = Vec::new();
        let read = File::open(&self.file).and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning));
        read.map_err(|error| self.about(error))?;
        let arguments = format!("{:?}", (self.what, self.format, &self.map, &self.from, &self.topic, &self.segment));
        let hash = Sha256::new().chain_update(metadata.len().to_be_bytes()).chain_update(beginning).chain_update(arguments);
        Ok(Some(hash.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn said(&self, counts: &Counts, rejected: u64) -> String {
        let Counts { added, changed, unchanged, merged, erased } = *counts;
        let contacts = self.what == Kind::Contacts;
        let all = added + changed + unchanged + merged + erased + rejected;
        let mut text = format!("{}: {} added", counted(all, if contacts { "contact" } else { "event" }), grouped(added));
        let more = [
            (changed, "changed", contacts),
            (unchanged, if contacts { "unchanged" } else { "already there" }, false),
            (merged, "merged by e-mail", false),
            (erased, "of people who were erased left out", false),
            (rejected, "rejected", true),
        ];
        for (count, what, always) in more {
            if count > 0 || always {
                text.push_str(&format!(", {} {what}", grouped(count)));
            }
        }
        if self.dry_run {
            text.push_str(" (dry run: nothing is written)");
        }
        text
    }
}

/// The project's store and its definitions; while the files are wrong, those that the runner last found good. `None`: there are none, and what is
/// wrong was said.
fn definitions(given: Option<PathBuf>) -> Result<Option<(PathBuf, Catalog)>, CouldNotRun> {
    let project = project::open(given)?;
    if let Some(catalog) = &project.compiled.catalog {
        return Ok(Some((project.store(&catalog.settings), catalog.clone())));
    }
    // Without a store nothing was ever found good.
    let mut beside = Beside::open(Some(project.root.clone())).ok();
    let last_good = beside.as_mut().map(Beside::catalog_in_force).transpose()?.flatten();
    if let (Some(beside), Some(catalog)) = (beside, last_good) {
        output::note(
            "the project has errors (`campaignd validate` lists them): the definitions that the runner last found good are used",
        );
        return Ok(Some((beside.path().to_owned(), catalog)));
    }
    project.catalog();
    Ok(None)
}

/// The way of the rows from the file into the store.
struct Transfer<'a> {
    writing: Writing<'a>,
    rows: Rows,
    bar: ProgressBar,
    key: Option<&'a str>,
    /// Since when the open transaction is, and how far the file was read.
    open: Option<(Stopwatch, Place)>,
}

impl Transfer<'_> {
    fn all<T: Incoming>(&mut self, chunks: &mut dyn Iterator<Item = io::Result<Chunk<T>>>) -> Result<(), CouldNotRun> {
        for chunk in chunks {
            let chunk = chunk.map_err(|error| CouldNotRun(format!("the file cannot be read: {error}")))?;
            self.chunk(chunk)?;
            if self.open.as_ref().is_some_and(|(since, _)| since.elapsed() >= HOLD) {
                self.commit()?;
                std::thread::sleep(LET);
            }
        }
        self.commit()
    }

    fn chunk<T: Incoming>(&mut self, chunk: Chunk<T>) -> Result<(), CouldNotRun> {
        let since = match self.open.take() {
            Some((since, _)) => since,
            None => {
                self.writing.begin()?;
                Stopwatch::start()
            }
        };
        let Chunk { rows, mut rejected, place } = chunk;
        if rows.iter().any(|row| !row.warnings.is_empty()) {
            self.bar.suspend(|| rows.iter().for_each(|row| self.rows.warn(row)));
        }
        let refused = self.writing.chunk(rows, WallClock.now())?;
        rejected.extend(refused);
        rejected.sort_by_key(|rejection| rejection.line);
        if !rejected.is_empty() {
            self.bar.suspend(|| rejected.iter().try_for_each(|rejection| self.rows.reject(rejection)))?;
        }
        self.bar.set_position(place.offset);
        self.open = Some((since, place));
        Ok(())
    }

    /// What was rejected is in its file before the checkpoint says so.
    fn commit(&mut self) -> Result<(), CouldNotRun> {
        let Some((_, place)) = self.open.take() else { return Ok(()) };
        self.rows.flush()?;
        Ok(self.writing.commit(self.key, place, self.rows.rejected)?)
    }
}

/// On a terminal only.
fn progress(file: &Path) -> ProgressBar {
    let length = std::fs::metadata(file).map(|file| file.len()).ok().filter(|_| io::stderr().is_terminal());
    let Some(length) = length else { return ProgressBar::hidden() };
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
