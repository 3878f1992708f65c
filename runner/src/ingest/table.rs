//! CSV (RFC 4180, and what spreadsheets make of it): records to objects of the form that JSON Lines have.

use std::collections::VecDeque;
use std::io;

use dsl::contract::{Contract, Declared};
use serde_json::{Map, Number, Value};

use super::json::{self, shown};
use super::lines::{LONGEST, Line, Lines, Place};
use super::reader::{Expected, OpenError};
use super::tools::{ConsentColumns, Mapping};

/// Records, which may span lines inside quotes.
pub(super) struct Records {
    lines: Lines,
    /// Lines read ahead.
    back: VecDeque<Line>,
    delimiter: u8,
}

/// One record: the line it begins on, and its bytes or why there are none.
pub(super) struct Record {
    pub number: u64,
    pub text: Result<Vec<u8>, String>,
}

/// Where in a record the scan stands.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field.
    Quote,
}

impl Records {
    /// Sniffs the delimiter (comma, semicolon or tab, whichever is the most frequent) from the first line.
    pub fn new(mut lines: Lines) -> io::Result<Records> {
        let first = lines.next()?;
        let text = first.as_ref().and_then(|line| line.text.as_deref()).unwrap_or_default();
        let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
        let mut quoted = false;
        for byte in text {
            quoted ^= *byte == b'"';
            for (delimiter, count) in &mut counts {
                *count += usize::from(!quoted && byte == delimiter);
            }
        }
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let delimiter = counts.iter().find(|(_, count)| *count == most).map_or(b',', |(delimiter, _)| *delimiter);
        Ok(Records { lines, back: first.into_iter().collect(), delimiter })
    }

    /// What was handed out so far.
    pub fn place(&self) -> Place {
        let ahead = self.back.front().map(|line| Place { offset: line.offset, lines: line.number - 1 });
        ahead.unwrap_or_else(|| self.lines.place())
    }

    /// Goes on with these lines.
    pub fn go_on(&mut self, lines: Lines) {
        self.back.clear();
        self.lines = lines;
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        match self.back.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next(),
        }
    }

    /// The next record that is not blank; `None` at the end. After a quote that is never closed the reading goes on with the next line.
    ///
    /// # Errors
    /// Those of the file.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let Some(first) = self.line()? else { return Ok(None) };
            let number = first.number;
            let Some(text) = first.text else { return Ok(Some(Record { number, text: Err(too_long()) })) };
            if text.is_empty() || text == b"\r" {
                continue;
            }
            if number == 1 && text.iter().rev().skip(1).any(|byte| *byte == b'\r') && !text.contains(&b'"') {
                let words = "its lines end with a carriage return alone; save the file with Windows or Unix line ends".to_owned();
                return Ok(Some(Record { number, text: Err(words) }));
            }
            let mut within = self.scan(Within::FieldStart, &text);
            let mut record = text;
            let mut more = Vec::new();
            while within == Within::Quoted {
                let next = self.line()?;
                let text = next.as_ref().and_then(|line| line.text.as_deref());
                match text {
                    Some(text) if record.len() + text.len() < LONGEST => {
                        record.push(b'\n');
                        record.extend_from_slice(text);
                        within = self.scan(self.scan(within, b"\n"), text);
                        more.extend(next);
                    }
                    _ => {
                        more.extend(next);
                        for line in more.into_iter().rev() {
                            self.back.push_front(line);
                        }
                        let words = "a quoted cell begins here that is never closed".to_owned();
                        return Ok(Some(Record { number, text: Err(words) }));
                    }
                }
            }
            return Ok(Some(Record { number, text: Ok(record) }));
        }
    }

    fn scan(&self, mut within: Within, bytes: &[u8]) -> Within {
        for byte in bytes {
            within = match (within, *byte) {
                (Within::FieldStart | Within::Quote, b'"') => Within::Quoted,
                (Within::Quoted, b'"') => Within::Quote,
                (Within::Quoted, _) => Within::Quoted,
                (_, byte) if byte == self.delimiter => Within::FieldStart,
                _ => Within::Plain,
            };
        }
        within
    }

    /// The cells of a record.
    ///
    /// # Errors
    /// Why there are none, in words.
    pub fn cells(&self, text: &str) -> Result<Vec<String>, String> {
        if !text.contains('"') {
            // Cells without quotes need no state, and most rows have none.
            let text = text.strip_suffix('\r').unwrap_or(text);
            return Ok(text.split(char::from(self.delimiter)).map(str::to_owned).collect());
        }
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(self.delimiter).from_reader(text.as_bytes());
        match reader.records().next() {
            Some(Ok(record)) => Ok(record.iter().map(str::to_owned).collect()),
            Some(Err(_)) | None => Err("not a row of CSV".to_owned()),
        }
    }
}

pub(super) fn too_long() -> String {
    format!("longer than {} MiB", LONGEST / 1024 / 1024)
}

/// What one column holds.
struct Column {
    /// As contacts and events know it.
    name: String,
    /// What the contract says of a contact's attribute of this name.
    declared: Declared,
}

/// The columns of a file.
pub struct Columns {
    /// `None`: left out.
    columns: Vec<Option<Column>>,
    /// The columns that are left out, as written.
    pub left_out: Vec<String>,
    /// What a mail tool's export says about consent.
    consent: Option<ConsentColumns>,
}

/// Reads the header row.
///
/// # Errors
/// When it is missing, names a column twice or not at all, lacks all of `needed`, or the map names a column that is not there.
pub(super) fn columns(
    records: &mut Records,
    mapping: &Mapping,
    needed: &[&[&'static str]],
    expected: &Expected,
) -> Result<Columns, OpenError> {
    let header = records.next().map_err(OpenError::Read)?.ok_or(OpenError::NoHeader)?;
    let text = header.text.map_err(OpenError::Header)?;
    let text = String::from_utf8(text).map_err(|_| OpenError::Header("not UTF-8".to_owned()))?;
    let cells = records.cells(&text).map_err(OpenError::Header)?;
    let written: Vec<&str> = cells.iter().map(|cell| cell.trim()).collect();
    if let Some((from, _)) = mapping.map.iter().find(|(from, _)| !written.contains(&from.trim())) {
        return Err(OpenError::Unmapped(shown(from)));
    }
    let mut names: Vec<Option<String>> = Vec::with_capacity(written.len());
    for (index, column) in written.iter().enumerate() {
        let mapped = mapping.map.iter().find(|(from, _)| from.trim() == *column).map(|(_, to)| to.trim().to_owned());
        let name = match (mapped, &mapping.tool) {
            (Some(mapped), _) => Some(mapped),
            (None, Some(tool)) => tool.name(column, expected).filter(|name| !names.contains(&Some(name.clone()))),
            (None, None) => Some((*column).to_owned()),
        };
        if name.as_ref().is_some_and(String::is_empty) {
            return Err(OpenError::Header(format!("column {} has no name", index + 1)));
        }
        if let Some(name) = name.as_ref().filter(|name| names.iter().flatten().any(|other| other == *name)) {
            return Err(OpenError::Header(format!("two columns are named {}", shown(name))));
        }
        names.push(name);
    }
    for alternatives in needed {
        if !names.iter().flatten().any(|name| alternatives.contains(&name.as_str())) {
            return Err(OpenError::NoColumn(alternatives.first().copied().unwrap_or_default()));
        }
    }
    let consent = mapping.tool.as_ref().map(|tool| ConsentColumns::of(tool, &written));
    let column = |name: String| Column { declared: expected.contract.contact_attribute(std::slice::from_ref(&name)), name };
    let left_out =
        written.iter().zip(&names).filter(|(_, name)| name.is_none()).map(|(column, _)| (*column).to_owned()).collect();
    Ok(Columns { left_out, columns: names.into_iter().map(|name| name.map(column)).collect(), consent })
}

impl Columns {
    /// What the row says of consent, where a mail tool's export is read.
    pub fn consent(&self, cells: &[String]) -> Option<bool> {
        self.consent.as_ref()?.said(cells)
    }
}

/// A contact's row as an object. An empty cell is not given; an attribute is what the contract declares it to be, else text.
///
/// # Errors
/// Why the row is rejected.
pub(super) fn contact(columns: &Columns, cells: Vec<String>) -> Result<Map<String, Value>, String> {
    object(columns, cells, |column, cell| match column.name.as_str() {
        "id" | "email" | "phone" | "locale" | "time_zone" => Ok(Value::String(cell)),
        "topics" if cell.trim_start().starts_with('[') => json_cell("topics", &cell),
        "topics" => Ok(Value::Array(list(&cell))),
        "attributes" => json_cell("attributes", &cell),
        name => typed(name, cell, &column.declared),
    })
}

/// An event's row as an object, likewise.
///
/// # Errors
/// Why the row is rejected.
pub(super) fn event(contract: &Contract, columns: &Columns, cells: Vec<String>) -> Result<Map<String, Value>, String> {
    let of_event = |column: &Option<Column>| column.as_ref().is_some_and(|column| column.name == "event");
    let event = columns.columns.iter().position(of_event).and_then(|index| cells.get(index)).cloned().unwrap_or_default();
    object(columns, cells, |column, cell| match column.name.as_str() {
        "at" | "contact" | "event" | "id" | "subscribe" | "unsubscribe" => Ok(Value::String(cell)),
        "erase" => boolean(&cell).map(Value::Bool).ok_or_else(|| "`erase` can only be true".to_owned()),
        name @ ("set" | "properties") => json_cell(name, &cell),
        name => typed(name, cell, &contract.event_property(&event, &[name.to_owned()])),
    })
}

/// How a cell is written that reads back as this value of a contact's attribute; `None` where no cell does.
pub fn attribute_cell(contract: &Contract, name: &str, value: &Value) -> Option<String> {
    let cell = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let declared = contract.contact_attribute(&[name.to_owned()]);
    let back = if cell.is_empty() { None } else { typed(name, cell.clone(), &declared).ok() };
    (back.as_ref() == Some(value)).then_some(cell)
}

fn object(
    columns: &Columns,
    cells: Vec<String>,
    value: impl Fn(&Column, String) -> Result<Value, String>,
) -> Result<Map<String, Value>, String> {
    let columns = &columns.columns;
    if cells.len() != columns.len() {
        return Err(format!("it has {} cells where the header names {} columns", cells.len(), columns.len()));
    }
    let given = columns.iter().zip(cells).filter_map(|(column, cell)| Some((column.as_ref()?, cell)));
    let given = given.filter(|(_, cell)| !cell.is_empty());
    given.map(|(column, cell)| Ok((column.name.clone(), value(column, cell)?))).collect()
}

fn typed(name: &str, cell: String, declared: &Declared) -> Result<Value, String> {
    let Declared::Known(kinds) = declared else { return Ok(guessed(cell)) };
    let wrong = |what: &str| format!("{} must be {what}", shown(name));
    if kinds.text || kinds.date {
        Ok(Value::String(cell))
    } else if kinds.number {
        number(cell.trim()).ok_or_else(|| wrong("a number"))
    } else if kinds.boolean {
        boolean(&cell).map(Value::Bool).ok_or_else(|| wrong("true or false"))
    } else if kinds.list && !cell.trim_start().starts_with('[') {
        Ok(Value::Array(list(&cell)))
    } else if kinds.list || kinds.object {
        json_cell(name, &cell)
    } else {
        Ok(Value::String(cell))
    }
}

/// Where the contract says nothing of a column: true and false, and numbers as a program writes them. `007` and `+49` stay text.
fn guessed(cell: String) -> Value {
    match cell.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => match number(text) {
            Some(number) if number.to_string().as_str() == text => number,
            _ => Value::String(cell),
        },
    }
}

fn json_cell(name: &str, cell: &str) -> Result<Value, String> {
    json::parse(cell).map_err(|why| format!("{}: {why}", shown(name)))
}

fn number(text: &str) -> Option<Value> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let plain = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    plain.then(|| text.parse::<f64>().ok()).flatten().and_then(Number::from_f64).map(Value::Number)
}

fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Separated by semicolons, bars or commas; each may stand in quotes.
fn list(cell: &str) -> Vec<Value> {
    let parts = cell.split([';', '|', ',']).map(str::trim);
    parts.map(|part| part.trim_matches('"')).filter(|part| !part.is_empty()).map(Value::from).collect()
}
