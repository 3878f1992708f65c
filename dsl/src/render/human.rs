//! For people at a terminal: each diagnostic with the lines it is about.

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::project::ProjectFiles;

/// Every diagnostic with an excerpt of its file, and what to do.
pub fn human(diagnostics: &[Diagnostic], files: &ProjectFiles, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[group(diagnostic, files)]));
        text.push_str("\n\n");
    }
    text
}

/// "2 errors, 1 warning in 3 files"; "no problems" when there are none.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let files: BTreeSet<&str> = diagnostics.iter().map(|diagnostic| diagnostic.location.file.as_str()).collect();
    let parts: Vec<String> = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| many(count, word))
        .collect();
    if parts.is_empty() { "no problems".to_owned() } else { format!("{} in {}", parts.join(", "), many(files.len(), "file")) }
}

fn group<'a>(diagnostic: &'a Diagnostic, files: &'a ProjectFiles) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let group = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let at = &diagnostic.location;
    let group = match files.text(&at.file) {
        Some(source) => group
            .element(Snippet::source(source).path(at.file.as_str()).annotation(AnnotationKind::Primary.span(range(source, at)))),
        None => group.element(annotate_snippets::Origin::path(at.file.as_str())),
    };
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The byte range of a location; never empty where there is a character to show.
fn range(source: &str, at: &Location) -> std::ops::Range<usize> {
    let start = offset(source, at.line, at.column);
    let end = offset(source, at.end_line, at.end_column).max(start);
    if end > start {
        return start..end;
    }
    let next = source[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    start..start + next
}

/// The byte at which this line and column stand, or the nearest one.
fn offset(source: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for text in source.split_inclusive('\n').take(line.saturating_sub(1)) {
        start += text.len();
    }
    let rest = source.get(start..).unwrap_or_default();
    let text = rest.split('\n').next().unwrap_or_default();
    start + text.char_indices().nth(column.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
}
