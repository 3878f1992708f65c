//! A file of contacts or events, row by row.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use dsl::contract::{Contract, Fault};
use dsl::model::{Catalog, InvalidData, Settings};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::json::shown;
use super::lines::{Lines, Place};
use super::table::{self, Columns, Record, Records};
use super::tools::Mapping;
use super::{ContactInput, ContactRow, Occurrence, contact, event, json};
use crate::instant::project_zone;

/// What rows are held against.
pub struct Expected {
    pub contract: Arc<Contract>,
    /// In which times without an offset are meant.
    pub zone: TimeZone,
    pub settings: Arc<Settings>,
}

impl Expected {
    pub fn of(catalog: &Catalog) -> Expected {
        let settings = catalog.settings.clone();
        Expected { contract: catalog.contract.clone(), zone: project_zone(&settings), settings }
    }

    /// What is wrong with new values of some of a contact's fields. That others are missing is no fault: they may be known already.
    pub(crate) fn faults_of_values(&self, values: &Value) -> Vec<Fault> {
        let mut faults = self.contract.contact_faults(values);
        if !faults.is_empty() {
            let missing = self.contract.contact_faults(&Value::Object(Map::new()));
            faults.retain(|fault| !missing.contains(fault));
        }
        faults
    }

    /// What is made of the faults that the data contract finds in a row: warnings, where the project accepts such data.
    ///
    /// # Errors
    /// The first fault, where it does not.
    pub(super) fn held_against(&self, faults: Vec<String>) -> Result<Vec<String>, String> {
        match self.settings.invalid_data {
            InvalidData::Accept => Ok(faults),
            InvalidData::Reject => faults.into_iter().next().map_or(Ok(Vec::new()), Err),
        }
    }

    pub(super) fn topic_warning(&self, topic: &str) -> Option<String> {
        let known = self.settings.topics.contains_key(topic);
        (!known).then(|| format!("the settings know no topic {}", shown(topic)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

impl Format {
    /// By the file's ending: `.csv` and `.tsv` are CSV, everything else is JSON Lines.
    pub fn of(path: &Path) -> Format {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if ["csv", "tsv"].iter().any(|csv| ending.eq_ignore_ascii_case(csv)) { Format::Csv } else { Format::JsonLines }
    }
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<T> {
    /// From 1; for a record of several lines its first.
    pub line: u64,
    pub value: T,
    /// What is odd about it though it is used.
    pub warnings: Vec<String>,
    /// The row as it stands in the file.
    pub text: String,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// From 1.
    pub line: u64,
    /// In words that do not hold the data.
    pub reason: String,
    /// The row as it stands in the file; `None` where it is longer than what is read.
    pub row: Option<String>,
}

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the file cannot be opened: {0}")]
    Open(#[source] io::Error),
    #[error("the file cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("the file is empty; its first row must name the columns")]
    NoHeader,
    #[error("the header row cannot be used: {0}")]
    Header(String),
    #[error("there is no column `{0}`; name the one that holds it with --map 'COLUMN={0}'")]
    NoColumn(&'static str),
    #[error("--map names the column {0}, which the file does not have")]
    Unmapped(String),
    #[error("--map and --from are for the columns of CSV; this is JSON Lines")]
    MapOfJson,
}

/// A row of CSV as an object of the form that JSON Lines have.
pub struct Cells {
    pub fields: Map<String, Value>,
    /// What a mail tool's export says: whether the contact is subscribed there.
    pub subscribed: Option<bool>,
}

/// What a file holds a row of.
pub trait Source: Sized + Send {
    /// The columns that CSV must have: one of each list.
    const NEEDED: &'static [&'static [&'static str]];

    /// Reads an object of the form that JSON Lines have, and gives warnings.
    ///
    /// # Errors
    /// Why the row is rejected.
    fn read(expected: &Expected, cells: Cells) -> Result<(Self, Vec<String>), String>;

    /// Makes such an object of the cells of CSV.
    ///
    /// # Errors
    /// Why the row is rejected.
    fn of_cells(expected: &Expected, columns: &Columns, cells: Vec<String>) -> Result<Map<String, Value>, String>;
}

impl Source for ContactInput {
    const NEEDED: &'static [&'static [&'static str]] = &[&["id"]];

    fn read(expected: &Expected, cells: Cells) -> Result<(ContactInput, Vec<String>), String> {
        contact::read(expected, cells.fields, false).map(|(row, warnings)| (row.contact, warnings))
    }

    fn of_cells(_: &Expected, columns: &Columns, cells: Vec<String>) -> Result<Map<String, Value>, String> {
        table::contact(columns, cells)
    }
}

impl Source for ContactRow {
    const NEEDED: &'static [&'static [&'static str]] = &[&["id", "email"]];

    fn read(expected: &Expected, cells: Cells) -> Result<(ContactRow, Vec<String>), String> {
        let (row, warnings) = contact::read(expected, cells.fields, true)?;
        Ok((ContactRow { subscribed: cells.subscribed, ..row }, warnings))
    }

    fn of_cells(_: &Expected, columns: &Columns, cells: Vec<String>) -> Result<Map<String, Value>, String> {
        table::contact(columns, cells)
    }
}

impl Source for Occurrence {
    const NEEDED: &'static [&'static [&'static str]] = &[&["at"], &["contact"]];

    fn read(expected: &Expected, cells: Cells) -> Result<(Occurrence, Vec<String>), String> {
        event::read(expected, cells.fields)
    }

    fn of_cells(expected: &Expected, columns: &Columns, cells: Vec<String>) -> Result<Map<String, Value>, String> {
        table::event(&expected.contract, columns, cells)
    }
}

/// Reads rows, in constant memory.
pub struct Reader<T> {
    expected: Arc<Expected>,
    rows: Rows,
    source: std::marker::PhantomData<fn() -> T>,
}

enum Rows {
    Json(Lines),
    Csv { records: Records, columns: Columns },
}

/// Opens a file.
///
/// # Errors
/// When the file cannot be opened, or is CSV whose header row cannot be used.
pub fn open<T: Source>(path: &Path, format: Format, mapping: &Mapping, expected: Arc<Expected>) -> Result<Reader<T>, OpenError> {
    let file = File::open(path).map_err(OpenError::Open)?;
    Reader::new(buffered(file), format, mapping, expected)
}

fn buffered(file: File) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(1 << 18, file))
}

impl<T: Source> Reader<T> {
    /// # Errors
    /// When it is CSV whose header row cannot be used.
    pub fn new(
        input: Box<dyn BufRead + Send>,
        format: Format,
        mapping: &Mapping,
        expected: Arc<Expected>,
    ) -> Result<Reader<T>, OpenError> {
        let lines = Lines::new(input);
        let rows = match format {
            Format::JsonLines if !mapping.map.is_empty() || mapping.tool.is_some() => return Err(OpenError::MapOfJson),
            Format::JsonLines => Rows::Json(lines),
            Format::Csv => {
                let mut records = Records::new(lines).map_err(OpenError::Read)?;
                let columns = table::columns(&mut records, mapping, T::NEEDED, &expected)?;
                Rows::Csv { records, columns }
            }
        };
        Ok(Reader { expected, rows, source: std::marker::PhantomData })
    }

    /// Goes on at a place of the same file that [`Reader::place`] gave.
    ///
    /// # Errors
    /// Those of the file.
    pub fn go_on(&mut self, path: &Path, place: Place) -> io::Result<()> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(place.offset))?;
        let lines = Lines::from(buffered(file), place);
        match &mut self.rows {
            Rows::Json(here) => *here = lines,
            Rows::Csv { records, .. } => records.go_on(lines),
        }
        Ok(())
    }

    /// After the last row that was read.
    pub fn place(&self) -> Place {
        match &self.rows {
            Rows::Json(lines) => lines.place(),
            Rows::Csv { records, .. } => records.place(),
        }
    }

    /// Columns that are not read: the project has no use for them.
    pub fn left_out(&self) -> &[String] {
        match &self.rows {
            Rows::Json(_) => &[],
            Rows::Csv { columns, .. } => &columns.left_out,
        }
    }

    fn record(&mut self) -> io::Result<Option<Record>> {
        match &mut self.rows {
            Rows::Csv { records, .. } => records.next(),
            Rows::Json(lines) => loop {
                let Some(line) = lines.next()? else { return Ok(None) };
                match line.text {
                    Some(text) if text.trim_ascii().is_empty() => {}
                    text => return Ok(Some(Record { number: line.number, text: text.ok_or_else(table::too_long) })),
                }
            },
        }
    }

    fn row(&self, text: &str) -> Result<(T, Vec<String>), String> {
        let cells = match &self.rows {
            Rows::Json(_) => Cells { fields: json::parse_object(text)?, subscribed: None },
            Rows::Csv { records, columns } => {
                let cells = records.cells(text)?;
                let subscribed = columns.consent(&cells);
                Cells { fields: T::of_cells(&self.expected, columns, cells)?, subscribed }
            }
        };
        T::read(&self.expected, cells)
    }
}

impl<T: Source> Iterator for Reader<T> {
    /// The outer error is the file's; the inner one rejects a row.
    type Item = io::Result<Result<Row<T>, Rejection>>;

    fn next(&mut self) -> Option<Self::Item> {
        let Record { number: line, text } = match self.record() {
            Ok(record) => record?,
            Err(error) => return Some(Err(error)),
        };
        let reject = |reason, row| Some(Ok(Err(Rejection { line, reason, row })));
        let text = match text {
            Ok(text) => text,
            Err(reason) => return reject(reason, None),
        };
        let text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => return reject("not UTF-8".to_owned(), Some(String::from_utf8_lossy(error.as_bytes()).into_owned())),
        };
        match self.row(&text) {
            Ok((value, warnings)) => Some(Ok(Ok(Row { line, value, warnings, text }))),
            Err(reason) => reject(reason, Some(text)),
        }
    }
}
