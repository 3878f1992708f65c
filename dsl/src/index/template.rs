//! Names in templates, layouts and partials.

use std::sync::Arc;

use serde_json::Value;

use super::spelling::Spelling;
use super::text::Lines;
use super::yaml::expressions;
use super::{About, FileIndex, Kind, Occurrence, mend};
use crate::diagnostic::Location;
use crate::place::At;
use crate::template::{Called, called};

pub(super) fn read(path: &str, text: &str) -> FileIndex {
    let lines = Lines::new(text);
    let mut index = FileIndex { whole: true, ..FileIndex::default() };
    let mut detail = None;
    let mut uses = Vec::new();
    if let Some(front) = front_matter(text) {
        match mend::read(path, &front) {
            Some((document, whole)) => {
                index.whole = whole;
                detail = document.value.get("subject").and_then(Value::as_str).map(str::to_owned);
                names(&At::root(&document), &document.value, text, &lines, &mut uses);
                let needs = document.value.get("needs").and_then(Value::as_array).into_iter().flatten();
                index.needs = needs.filter_map(Value::as_str).map(str::to_owned).collect();
            }
            None => index.whole = false,
        }
    }
    let file = match called(path) {
        Some(Called::Template(name)) => Some((Kind::Template, name)),
        Some(Called::Layout(name)) => Some((Kind::Layout, name)),
        Some(Called::Partial(name)) => Some((Kind::Partial, name)),
        None => None,
    };
    if let Some((kind, name)) = file {
        let extent = lines.location(path, 0, text.len());
        let at = Location { end_line: 1, end_column: 1, ..extent.clone() };
        let about = About { description: None, detail, options: Vec::new(), extent };
        let definition = Some(Arc::new(about));
        index.occurrences.push(Occurrence { kind, name: name.to_owned(), of: Vec::new(), at, spelt: None, definition });
    }
    index.occurrences.extend(uses);
    expressions(text, &[], |kind, name, of, part| {
        let at = lines.location(path, part.start, part.end);
        let occurrence = Occurrence { kind, name: name.to_owned(), of: of.to_vec(), at, spelt: None, definition: None };
        index.occurrences.push(occurrence);
    });
    index
}

/// The front matter as a document of its own in which every line has the number that it has in the file.
fn front_matter(text: &str) -> Option<String> {
    let mut lines = text.lines();
    lines.next().filter(|line| line.trim_end() == "---")?;
    let inside: Vec<&str> = lines.take_while(|line| line.trim_end() != "---").collect();
    Some(format!("\n{}\n", inside.join("\n")))
}

fn names(root: &At<'_>, front: &Value, text: &str, lines: &Lines<'_>, found: &mut Vec<Occurrence>) {
    for (key, kind) in [("layout", Kind::Layout), ("topic", Kind::Topic), ("channel", Kind::Channel)] {
        let Some(name) = front.get(key).and_then(Value::as_str) else { continue };
        let value = root.key(key).written();
        let span = value.span();
        let quoted = value.content() != (span.line, span.column);
        let start = lines.offset(span.line, span.column);
        let place = Spelling::of(text, start, quoted, name).and_then(|spelling| spelling.range(0..name.len()));
        if let Some(place) = place {
            let at = lines.location(value.file(), place.start, place.end);
            let name = name.to_owned();
            found.push(Occurrence { kind, name, of: Vec::new(), at, spelt: None, definition: None });
        }
    }
}
