//! One line for each diagnostic: `file:line:column: severity[code]: message`.

use std::fmt::Write;

use super::visible::visible;
use crate::diagnostic::{Diagnostic, Severity};

impl Severity {
    /// `error` or `warning`.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// Every diagnostic on a line of its own.
pub fn short(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let at = &diagnostic.location;
        let message = diagnostic.message.replace('\n', " ");
        let message = visible(&message);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}:{}:{}: {}[{}]: {message}",
            visible(&at.file),
            at.line,
            at.column,
            diagnostic.severity.word(),
            diagnostic.code
        );
    }
    text
}
