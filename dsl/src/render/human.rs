//! For people at a terminal: each diagnostic with the lines it is about.

use std::collections::{BTreeMap, BTreeSet};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::visible::visible;
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::project::ProjectFiles;

/// The most diagnostics that are shown of one file: nobody reads more, and the excerpts are long.
const MOST: usize = 200;
/// How many lines an excerpt may show around what it is about.
const AROUND: usize = 2;

/// The diagnostics with an excerpt of their file, and what to do: of each file the first 200, and how many more there are.
pub fn human(diagnostics: &[Diagnostic], files: &ProjectFiles, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for diagnostic in diagnostics {
        let file = diagnostic.location.file.as_str();
        let count = counts.entry(file).or_default();
        *count += 1;
        if *count > MOST {
            continue;
        }
        let lines =
            lines.entry(file).or_insert_with(|| files.text(file).map(|text| text.split('\n').collect()).unwrap_or_default());
        text.push_str(&shown(&renderer, diagnostic, lines));
        text.push_str("\n\n");
    }
    for (file, count) in counts.into_iter().filter(|(_, count)| *count > MOST) {
        text.push_str(&format!("\u{2026} and {} more in {}\n\n", count - MOST, visible(file)));
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

fn shown(renderer: &Renderer, diagnostic: &Diagnostic, lines: &[&str]) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = visible(&diagnostic.message);
    let group = level.primary_title(message.as_ref()).id(diagnostic.code);
    let at = &diagnostic.location;
    let path = visible(&at.file);
    let excerpt = Excerpt::of(lines, at);
    let group = match &excerpt {
        Some(excerpt) => group.element(
            Snippet::source(excerpt.text.as_str())
                .line_start(excerpt.first)
                .path(path.as_ref())
                .annotation(AnnotationKind::Primary.span(excerpt.range.clone())),
        ),
        None => group.element(annotate_snippets::Origin::path(path.as_ref())),
    };
    let help = diagnostic.help.as_deref().map(visible);
    let group = match &help {
        Some(help) => group.element(Level::HELP.message(help.as_ref())),
        None => group,
    };
    renderer.render(&[group])
}

/// The lines around a location: the whole file would be gone through for every diagnostic in it.
struct Excerpt {
    text: String,
    /// The number of the first line.
    first: usize,
    /// What it is about, in bytes of the text; never empty where there is a character to show.
    range: std::ops::Range<usize>,
}

impl Excerpt {
    fn of(lines: &[&str], at: &Location) -> Option<Excerpt> {
        let first = at.line.saturating_sub(1 + AROUND).min(lines.len().checked_sub(1)?);
        let last = (at.end_line.max(at.line) + AROUND).min(lines.len());
        let (mut text, mut start, mut end) = (String::new(), None, None);
        for (line, number) in lines.get(first..last)?.iter().zip(first + 1..) {
            if number == at.line {
                start = Some(text.len() + written(line, at.column));
            }
            if number == at.end_line {
                end = Some(text.len() + written(line, at.end_column));
            }
            text.push_str(&visible(line));
            text.push('\n');
        }
        let start = start.unwrap_or(text.len());
        let end = end.unwrap_or(start).max(start);
        let next = text.get(start..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8);
        Some(Excerpt { text, first: first + 1, range: start..end.max(start + next) })
    }
}

/// How many bytes stand before this column of a line, as it is shown.
fn written(line: &str, column: usize) -> usize {
    let before: String = line.chars().take(column.saturating_sub(1)).collect();
    visible(&before).len()
}
