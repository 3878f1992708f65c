//! YAML text to a value with a place for every node: strict where the ordinary readers are lenient.
//!
//! A text is read twice. The first pass ([`events`]) refuses what would be ambiguous or dangerous (duplicate keys, tags,
//! merge keys, deep nesting, alias bombs) and notes where everything stands; only what it lets through reaches the second,
//! which makes the values. Where all is written in the usual ways, the first makes them as well ([`values`]).

mod events;
mod first;
mod plain;
mod spans;
mod values;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Location};
use events::Scanned;
pub(crate) use events::in_scalars;
use first::First;
pub(crate) use spans::{Position, Span, Spans, push_segment};

/// Deepest nesting of lists and mappings.
pub(crate) const MAX_DEPTH: usize = 64;

/// One YAML file, read.
#[derive(Debug)]
pub(crate) struct Document {
    /// Relative to the project.
    pub file: String,
    pub value: Value,
    pub spans: Spans,
    /// How many values it has, aliases written out.
    pub values: usize,
    /// Keys that stand in a mapping twice; the first is the one that counts.
    pub duplicates: Vec<Diagnostic>,
}

/// Reads one file's text.
///
/// # Errors
/// Everything the first pass found, or the one thing that made the second give up.
pub(crate) fn read(file: &str, text: &str) -> Result<Document, Vec<Diagnostic>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Scanned { spans, count, duplicates, value } = events::scan(file, text)?;
    if let Some(value) = value {
        return Ok(Document { file: file.to_owned(), value, spans, values: count, duplicates });
    }
    let value = if duplicates.is_empty() {
        serde_yaml::from_str::<Value>(text)
    } else {
        serde_yaml::from_str::<First>(text).map(|first| first.0)
    };
    match value {
        Ok(value) => Ok(Document { file: file.to_owned(), value, spans, values: count, duplicates }),
        Err(error) => Err(vec![second_pass_error(file, &error)]),
    }
}

/// Whether a text that is written without quotes is read as this text, and not as a number, true, false or nothing.
pub(crate) fn is_plain_text(text: &str) -> bool {
    matches!(plain::resolve(text), plain::Plain::Text)
}

/// The libyaml family refuses a few things that the first pass accepts (control characters, for one).
fn second_pass_error(file: &str, error: &serde_yaml::Error) -> Diagnostic {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line().max(1), at.column().max(1)));
    let location = Location { file: file.to_owned(), line, column, end_line: line, end_column: column + 1 };
    Diagnostic::error("yaml-syntax", location, format!("this is not valid YAML: {error}"))
}

#[cfg(test)]
mod tests;
