//! `import`

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::model::Settings;
use indicatif::{ProgressBar, ProgressStyle};

use super::project::Project;
use super::rows::Rows;
use super::{CouldNotRun, Exit, Outcome, output, project};
use crate::clock::{Clock, WallClock};
use crate::ingest::{self, CHUNK, ContactInput, Counts, Expected, Import as Writing, Occurrence, Reader, Source};
use crate::simulate::{counted, grouped};
use crate::store::{SqliteStore, StoreError};

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
    /// Try everything and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Contacts,
    Events,
}

#[derive(Clone, Copy, clap::ValueEnum)]
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
    pub fn run(self, project: Option<PathBuf>) -> Outcome {
        let project = project::open(project)?;
        let Some(catalog) = project.catalog() else { return Ok(Exit::Findings) };
        let expected = Arc::new(Expected::of(&catalog));
        match self.what {
            Kind::Contacts => self.bring::<ContactInput>(&project, &expected, |to, chunk, now| to.contacts(chunk, now)),
            Kind::Events => self.bring::<Occurrence>(&project, &expected, |to, chunk, now| to.occurrences(chunk, now)),
        }
    }

    fn bring<T: Source>(
        &self,
        project: &Project,
        expected: &Arc<Expected>,
        write: impl FnMut(&mut Writing<'_>, &[T], i64) -> Result<(), StoreError>,
    ) -> Outcome {
        let format = match self.format {
            Some(Format::Csv) => ingest::Format::Csv,
            Some(Format::Jsonl) => ingest::Format::JsonLines,
            None => ingest::Format::of(&self.file),
        };
        // The file comes first: for one that cannot be read no store is made.
        let reader = ingest::open::<T>(&self.file, format, &self.map, expected.clone());
        let reader = reader.map_err(|error| CouldNotRun(format!("{}: {error}", self.file.display())))?;
        let mut store = self.store(project, &expected.settings)?;
        let mut writing = Writing::new(&mut store, expected.settings.clone(), self.dry_run).map_err(could_not)?;
        let mut rows = Rows::counted(&self.file, !self.dry_run);
        let bar = progress(&self.file);
        let done = transfer(reader, &mut writing, &mut rows, &bar, write);
        bar.finish_and_clear();
        done?;
        rows.finish()?;
        output::text(&(self.said(&writing.counts, rows.rejected) + "\n"))?;
        Ok(if rows.rejected > 0 { Exit::Findings } else { Exit::Fine })
    }

    /// The project's store, made if it is not there yet.
    fn store(&self, project: &Project, settings: &Settings) -> Result<SqliteStore, CouldNotRun> {
        let path = project.store(settings);
        if !path.is_file() {
            if self.dry_run {
                return SqliteStore::in_memory().map_err(could_not);
            }
            match SqliteStore::open(&path) {
                // A runner that is starting makes it as well.
                Ok(_) | Err(StoreError::Held(_)) => {}
                Err(error) => return Err(could_not(error)),
            }
        }
        SqliteStore::open_beside(&path).map_err(could_not)
    }

    fn said(&self, counts: &Counts, rejected: u64) -> String {
        let Counts { added, changed, unchanged, erased } = *counts;
        let noun = match self.what {
            Kind::Contacts => "contact",
            Kind::Events => "event",
        };
        let mut text = format!("{}: {} added", counted(added + changed + unchanged + erased + rejected, noun), grouped(added));
        let more = [
            (changed, "changed", matches!(self.what, Kind::Contacts)),
            (unchanged, if matches!(self.what, Kind::Contacts) { "unchanged" } else { "already there" }, false),
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

fn could_not(error: impl std::fmt::Display) -> CouldNotRun {
    CouldNotRun(error.to_string())
}

fn transfer<T: Source>(
    mut reader: Reader<T>,
    writing: &mut Writing<'_>,
    rows: &mut Rows,
    bar: &ProgressBar,
    mut write: impl FnMut(&mut Writing<'_>, &[T], i64) -> Result<(), StoreError>,
) -> Result<(), CouldNotRun> {
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        let row = reader.next().transpose().map_err(|error| CouldNotRun(format!("the file cannot be read: {error}")))?;
        let over = row.is_none();
        match row {
            None => {}
            Some(Ok(row)) => {
                if !row.warnings.is_empty() {
                    bar.suspend(|| rows.warn(&row));
                }
                chunk.push(row.value);
            }
            Some(Err(rejection)) => bar.suspend(|| rows.reject(&rejection))?,
        }
        if chunk.len() == CHUNK || (over && !chunk.is_empty()) {
            write(writing, &chunk, WallClock.now()).map_err(could_not)?;
            chunk.clear();
            bar.set_position(reader.position());
        }
        if over {
            return Ok(());
        }
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
