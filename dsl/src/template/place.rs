//! Where a text with Handlebars in it stands in a file of the project, so that a place inside it can be named.

use crate::diagnostic::{Diagnostic, Location, Severity};

/// A text and the place of its first character. Every line of the text begins at the same column of the file: 1 for a file's own body,
/// the indentation for a block scalar.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub line: usize,
    pub column: usize,
}

/// Nobody reads more about one text.
pub(super) const MOST_FOUND: usize = 1_000;

impl<'a> Place<'a> {
    /// A text that is a file from its first character on.
    pub fn file(file: &'a str, text: &'a str) -> Place<'a> {
        Place { file, text, line: 1, column: 1 }
    }

    /// The location of the bytes `start..end`; what lies outside of the text is moved to its end.
    pub fn location(&self, start: usize, end: usize) -> Location {
        let (line, column) = self.position(start);
        let (end_line, end_column) = self.position(end.max(start));
        Location { file: self.file.to_owned(), line, column, end_line, end_column }
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        // Byte by byte, which is many times faster than by characters: it is asked for every diagnostic of a long text.
        let line = self.line + before.bytes().filter(|byte| *byte == b'\n').count();
        (line, self.column + before[line_start..].chars().count())
    }

    pub fn error(&self, code: &'static str, span: (usize, usize), message: String, help: Option<String>) -> Diagnostic {
        Diagnostic { help, ..Diagnostic::error(code, self.location(span.0, span.1), message) }
    }

    pub fn warning(&self, code: &'static str, span: (usize, usize), message: String, help: Option<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..self.error(code, span, message, help) }
    }
}
