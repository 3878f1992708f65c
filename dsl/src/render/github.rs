//! For GitHub Actions: workflow commands, which the runner shows at the lines of a pull request.

use std::fmt::Write;

use super::visible::visible;
use crate::diagnostic::Diagnostic;

/// A command for each diagnostic, on a line of its own: `::error file=…,line=…,endLine=…,col=…,endColumn=…,title=…::message`. Help and other
/// places are further lines of the message.
pub fn github(diagnostics: &[Diagnostic]) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let at = &diagnostic.location;
        let mut message = diagnostic.message.clone();
        for related in &diagnostic.related {
            let place = &related.location;
            message.push_str(&format!("\n{}:{}:{}: {}", place.file, place.line, place.column, related.message));
        }
        if let Some(help) = &diagnostic.help {
            message.push_str(&format!("\nhelp: {help}"));
        }
        // Columns are those of one line: of several, GitHub shows the whole.
        let columns =
            if at.line == at.end_line { format!(",col={},endColumn={}", at.column, at.end_column) } else { String::new() };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "::{} file={},line={},endLine={}{columns},title={}::{}",
            diagnostic.severity.word(),
            property(&at.file),
            at.line,
            at.end_line,
            property(diagnostic.code),
            data(&message)
        );
    }
    text
}

/// What would end the command, or the escape itself.
fn data(text: &str) -> String {
    visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same, and what would end the property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
