//! The machine's format: a list of objects, as the commands' contract gives it.

use serde::Serialize;

use super::url;
use crate::diagnostic::{Diagnostic, Related, Severity};

#[derive(Serialize)]
struct Entry<'a> {
    code: &'a str,
    severity: Severity,
    message: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    help: Option<&'a str>,
    url: String,
    related: Vec<Other<'a>>,
}

/// Another place that has to do with it.
#[derive(Serialize)]
struct Other<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
}

impl<'a> Other<'a> {
    fn of(related: &'a Related) -> Other<'a> {
        let at = &related.location;
        Other {
            file: &at.file,
            line: at.line,
            column: at.column,
            end_line: at.end_line,
            end_column: at.end_column,
            message: &related.message,
        }
    }
}

/// A JSON array of all diagnostics, ending in a newline.
///
/// # Errors
/// Never for real diagnostics: every key is text.
pub fn json(diagnostics: &[Diagnostic]) -> Result<String, serde_json::Error> {
    let entries: Vec<Entry<'_>> = diagnostics
        .iter()
        .map(|diagnostic| Entry {
            code: diagnostic.code,
            severity: diagnostic.severity,
            message: &diagnostic.message,
            file: &diagnostic.location.file,
            line: diagnostic.location.line,
            column: diagnostic.location.column,
            end_line: diagnostic.location.end_line,
            end_column: diagnostic.location.end_column,
            help: diagnostic.help.as_deref(),
            url: url(diagnostic.code),
            related: diagnostic.related.iter().map(Other::of).collect(),
        })
        .collect();
    serde_json::to_string_pretty(&entries).map(|text| text + "\n")
}
