//! For people at a terminal: each diagnostic with the lines it is about.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::visible::visible;
use crate::diagnostic::{Diagnostic, Location, Related, Severity};
use crate::project::ProjectFiles;

/// The most diagnostics that are shown of one file: nobody reads more, and the excerpts are long.
const MOST: usize = 200;
/// The most other places that are shown of one diagnostic.
const MOST_RELATED: usize = 8;
/// The most files that are named for what was left out of them.
const MOST_FILES: usize = 50;
/// How many lines an excerpt may show around what it is about.
const AROUND: usize = 2;
/// How many lines an excerpt may be about.
const MOST_LINES: usize = 40;
/// Longer lines are not shown, in bytes: nobody finds a place in them.
const LONGEST_LINE: usize = 2_000;
/// The most diagnostics that are shown of all files together.
const MOST_IN_ALL: usize = 2_000;
/// Other places that are no further than this many lines away stand in the same excerpt.
const NEAR: usize = 8;

/// What it is about is shown to nobody: logs are read by many.
const HIDDEN: &str = "secret-in-file";

/// The lines of each file that is shown.
type Lines<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// The diagnostics with an excerpt of their file, and what to do: of each file the first 200, of all files the first 2,000, and how many more there are.
pub fn human(diagnostics: &[Diagnostic], files: &ProjectFiles, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines: Lines<'_> = BTreeMap::new();
    let mut shown_in_all = 0;
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in diagnostics {
        let file = diagnostic.location.file.as_str();
        let count = counts.entry(file).or_default();
        *count += 1;
        if *count > MOST || shown_in_all >= MOST_IN_ALL {
            *left_out.entry(file).or_default() += 1;
            continue;
        }
        shown_in_all += 1;
        let others = diagnostic.related.iter().take(MOST_RELATED).map(|related| related.location.file.as_str());
        for file in others.chain([file]) {
            lines.entry(file).or_insert_with(|| files.text(file).map(|text| text.split('\n').collect()).unwrap_or_default());
        }
        text.push_str(&shown(&renderer, diagnostic, &lines));
        text.push_str("\n\n");
    }
    for (file, count) in left_out.iter().take(MOST_FILES) {
        text.push_str(&format!("\u{2026} and {count} more in {}\n\n", visible(file)));
    }
    let others = left_out.len().saturating_sub(MOST_FILES);
    if others > 0 {
        let count: usize = left_out.values().skip(MOST_FILES).sum();
        text.push_str(&format!("\u{2026} and {count} more in {others} other files\n\n"));
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

fn shown(renderer: &Renderer, diagnostic: &Diagnostic, lines: &Lines<'_>) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = visible(&diagnostic.message);
    let mut group = Group::with_title(level.primary_title(message.as_ref()).id(diagnostic.code));
    let excerpts = excerpts(diagnostic, lines);
    let path = visible(&diagnostic.location.file);
    if excerpts.first().is_none_or(|excerpt| !excerpt.primary) {
        let at = &diagnostic.location;
        group = group.element(Origin::path(path.as_ref()).line(at.line).char_column(at.column));
    }
    for excerpt in &excerpts {
        group = group.element(excerpt.snippet());
    }
    let help = diagnostic.help.as_deref().map(visible);
    let group = match &help {
        Some(help) => group.element(Level::HELP.message(help.as_ref())),
        None => group,
    };
    renderer.render(&[group])
}

/// What is shown of the files: first what it is about, with other places that stand near it, then those that do not.
fn excerpts<'a>(diagnostic: &'a Diagnostic, lines: &Lines<'_>) -> Vec<Excerpt<'a>> {
    if diagnostic.code == HIDDEN {
        return Vec::new();
    }
    let at = &diagnostic.location;
    let near = |related: &&Related| {
        let other = &related.location;
        other.file == at.file && other.line.abs_diff(at.line) <= NEAR && other.end_line.abs_diff(at.end_line) <= NEAR
    };
    let (beside, elsewhere): (Vec<&Related>, Vec<&Related>) = diagnostic.related.iter().take(MOST_RELATED).partition(near);
    let beside = beside.into_iter().map(|related| (&related.location, Some(related.message.as_str())));
    let first: Vec<Mark<'_>> = std::iter::once((at, None)).chain(beside).collect();
    let others = elsewhere.into_iter().map(|related| vec![(&related.location, Some(related.message.as_str()))]);
    std::iter::once(first).chain(others).filter_map(|marks| Excerpt::of(lines, &marks)).collect()
}

/// A place, and what is said about it: nothing about the diagnostic's own.
type Mark<'a> = (&'a Location, Option<&'a str>);

/// The lines around some places of one file: the whole file would be gone through for every diagnostic in it.
struct Excerpt<'a> {
    path: Cow<'a, str>,
    text: String,
    /// The number of the first line.
    first: usize,
    /// What it is about, in bytes of the text, never empty where there is a character to show; and what is said about it.
    marks: Vec<(Range<usize>, Option<Cow<'a, str>>)>,
    /// The diagnostic's own place is here.
    primary: bool,
}

impl<'a> Excerpt<'a> {
    fn of(lines: &Lines<'_>, marks: &[Mark<'a>]) -> Option<Excerpt<'a>> {
        let (location, _) = marks.first()?;
        let lines = lines.get(location.file.as_str())?;
        let from = marks.iter().map(|(at, _)| at.line).min()?;
        let to = marks.iter().map(|(at, _)| at.end_line.max(at.line)).max()?.min(from + MOST_LINES);
        let first = from.saturating_sub(1 + AROUND).min(lines.len().checked_sub(1)?);
        let last = (to + AROUND).min(lines.len());
        if lines.get(first..last)?.iter().any(|line| line.len() > LONGEST_LINE) {
            return None;
        }
        let mut text = String::new();
        let mut begins = Vec::new();
        for line in lines.get(first..last)? {
            begins.push(text.len());
            text.push_str(&visible(line));
            text.push('\n');
        }
        let offset = |line: usize, column: usize| {
            let index = line.checked_sub(first + 1)?;
            Some(begins.get(index)? + written(lines.get(line.checked_sub(1)?)?, column))
        };
        let range = |at: &Location| {
            let start = offset(at.line, at.column).unwrap_or(text.len());
            let end = offset(at.end_line, at.end_column).unwrap_or(start).max(start);
            let next = text.get(start..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8);
            start..end.max(start + next)
        };
        let marks: Vec<_> = marks.iter().map(|(at, message)| (range(at), message.map(visible))).collect();
        let primary = marks.iter().any(|(_, message)| message.is_none());
        Some(Excerpt { path: visible(&location.file), text, first: first + 1, marks, primary })
    }

    fn snippet(&self) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
        let snippet = Snippet::source(self.text.as_str()).line_start(self.first).path(self.path.as_ref());
        self.marks.iter().fold(snippet, |snippet, (range, message)| {
            let kind = if message.is_none() { AnnotationKind::Primary } else { AnnotationKind::Context };
            snippet.annotation(kind.span(range.clone()).label(message.as_deref()))
        })
    }
}

/// How many bytes stand before this column of a line, as it is shown.
fn written(line: &str, column: usize) -> usize {
    let before: String = line.chars().take(column.saturating_sub(1)).collect();
    visible(&before).len()
}
