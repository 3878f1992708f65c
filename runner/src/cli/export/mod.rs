//! `export`: contacts, events, messages or runs, as CSV or JSON Lines. Read page by page, so in constant memory; each page is what the store
//! holds at that moment.

mod rows;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::rows::{ContactColumns, Contacts, Events, Runs};
pub use self::rows::{EventLine, RunLine, event_line};
use super::beside::Beside;
use super::messages;
use super::{CouldNotRun, Exit, Outcome, output};
use crate::store::{self, SqliteStore, StoreError};

/// How many rows are read at once.
const PAGE: usize = 1000;

#[derive(clap::Args)]
pub struct Export {
    #[arg(value_enum)]
    what: Kind,
    /// Default: by the ending of the file, .csv, or else JSON Lines
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to this file; it appears when it is whole
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    Contacts,
    Events,
    Messages,
    Runs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// Why an export ended early.
enum Cut {
    Write(io::Error),
    Read(StoreError),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Cut {
        Cut::Write(error)
    }
}

impl From<StoreError> for Cut {
    fn from(error: StoreError) -> Cut {
        Cut::Read(error)
    }
}

impl Cut {
    fn about(self, written: impl FnOnce(io::Error) -> CouldNotRun) -> CouldNotRun {
        match self {
            Cut::Write(error) => written(error),
            Cut::Read(error) => error.into(),
        }
    }
}

impl Export {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let beside = Beside::open(given)?;
        let done = match &self.out {
            None => {
                let mut cut = None;
                output::print(|out| match self.write(beside, out) {
                    Ok(()) => Ok(()),
                    Err(Cut::Write(error)) => Err(error),
                    Err(Cut::Read(error)) => {
                        cut = Some(error);
                        Ok(())
                    }
                })?;
                cut.map_or(Ok(()), |error| Err(error.into()))
            }
            Some(path) => self.write_file(beside, path),
        };
        done.map(|()| Exit::Fine)
    }

    fn write_file(&self, beside: Beside, path: &Path) -> Result<(), CouldNotRun> {
        let cannot = |error: io::Error| CouldNotRun(format!("{} cannot be written: {error}", path.display()));
        // What a link leads to is written, not the link.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if fs::metadata(&target).is_ok_and(|there| !there.is_file()) {
            return self.write_into(beside, &target).map_err(|cut| cut.about(cannot));
        }
        let mut part = target.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut out = BufWriter::new(File::create(&part).map_err(cannot)?);
        let done = self.write(beside, &mut out).and_then(|()| Ok(out.flush()?)).and_then(|()| Ok(fs::rename(&part, &target)?));
        if done.is_err() {
            // Nothing is gained by a second error about the same disk.
            let _ = fs::remove_file(&part);
        }
        done.map_err(|cut| cut.about(cannot))
    }

    /// Into a pipe or a device: another file must not take its place.
    fn write_into(&self, beside: Beside, path: &Path) -> Result<(), Cut> {
        let mut out = BufWriter::new(File::options().write(true).open(path)?);
        self.write(beside, &mut out)?;
        Ok(out.flush()?)
    }

    fn write(&self, mut beside: Beside, out: &mut dyn Write) -> Result<(), Cut> {
        let csv = match (self.format, &self.out) {
            (Some(format), _) => format == Format::Csv,
            (None, Some(path)) => crate::ingest::Format::of(path) == crate::ingest::Format::Csv,
            (None, None) => false,
        };
        let contract = beside.catalog_in_force().ok().flatten().map(|catalog| catalog.contract).unwrap_or_default();
        let Beside { settings, store, .. } = beside;
        let store = store.map_or_else(SqliteStore::in_memory, Ok)?;
        match (self.what, csv) {
            (Kind::Contacts, false) => lines(Contacts::new(store, &settings), out),
            (Kind::Contacts, true) => {
                let columns = ContactColumns::of(&contract);
                table(columns.header(), Contacts::new(store, &settings).map(|row| Ok(columns.cells(row?))), out)
            }
            (Kind::Events, false) => lines(Events::new(store, &settings)?, out),
            (Kind::Events, true) => {
                let flat = Events::new(store, &settings)?.map(|row| Ok(row?.flat()));
                table(rows::EVENT_COLUMNS.map(str::to_owned).to_vec(), flat, out)
            }
            (Kind::Messages, false) => lines(messages::Rows::new(store, &settings, None)?, out),
            (Kind::Messages, true) => {
                let header = messages::MessageRow::FIELDS.map(str::to_owned).to_vec();
                table(header, messages::Rows::new(store, &settings, None)?, out)
            }
            (Kind::Runs, false) => lines(Runs::new(store, &settings)?, out),
            (Kind::Runs, true) => table(rows::RUN_COLUMNS.map(str::to_owned).to_vec(), Runs::new(store, &settings)?, out),
        }
    }
}

/// JSON Lines.
fn lines<T: Serialize>(rows: impl Iterator<Item = store::Result<T>>, out: &mut dyn Write) -> Result<(), Cut> {
    for row in rows {
        serde_json::to_writer(&mut *out, &row?).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// CSV as RFC 4180 has it: a header, lines that end with CR LF, quotes where they are needed. The data is written as it is, also where a spreadsheet
/// would take it for a formula: what is exported must come back the same.
fn table<T: Serialize>(
    header: Vec<String>,
    rows: impl Iterator<Item = store::Result<T>>,
    out: &mut dyn Write,
) -> Result<(), Cut> {
    let mut writer = csv::WriterBuilder::new().has_headers(false).terminator(csv::Terminator::CRLF).from_writer(out);
    writer.write_record(header).map_err(io::Error::from)?;
    for row in rows {
        writer.serialize(row?).map_err(io::Error::from)?;
    }
    Ok(writer.flush()?)
}
