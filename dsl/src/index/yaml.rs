//! Names in workflows, settings and tests.

use std::sync::Arc;

use serde_json::Value;

use super::grammar::{Form, Place};
use super::outline;
use super::tags;
use super::text::Lines;
use super::{About, FileIndex, Kind, Occurrence, mend};
use crate::contract::MESSAGE_EVENTS;
use crate::diagnostic::Location;
use crate::place::At;

pub(super) fn read(path: &str, text: &str, form: Form) -> FileIndex {
    let Some((document, whole)) = mend::read(path, text) else {
        return FileIndex::default();
    };
    let root = At::root(&document);
    let lines = Lines::new(text);
    let triggers = triggers(&document.value);
    let name = document.value.get("workflow").and_then(Value::as_str).unwrap_or_default();
    let mut walk = Walk { file: path, text, lines: &lines, workflow: name, found: Vec::new() };
    if form == Form::Workflow && document.value.get("workflow").is_some_and(Value::is_string) {
        walk.workflow_name(&root, &document.value);
    }
    walk.node(Place::File(form), &root, &document.value, &triggers);
    let steps = if form == Form::Workflow { outline::steps(&root, &document.value) } else { Vec::new() };
    walk.steps(&steps);
    let found = walk.found;
    let symbols = outline::symbols(form, &root, &document.value, &steps, &lines);
    FileIndex { occurrences: found, symbols, triggers, needs: Vec::new(), whole }
}

/// The events that start the workflow.
fn triggers(file: &Value) -> Vec<String> {
    let one_or_many = match file.get("trigger") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    one_or_many.into_iter().filter_map(|trigger| trigger.get("event")?.as_str().map(str::to_owned)).collect()
}

/// Notes the names of a text that may hold template expressions; places are those of the text around it.
pub(super) fn expressions(file: &str, lines: &Lines<'_>, raw: (usize, &str), events: &[String], found: &mut Vec<Occurrence>) {
    let (from, raw) = raw;
    for word in tags::words(raw) {
        let start = from + word.start;
        if word.partial {
            let at = lines.location(file, start, start + word.text.len());
            found.push(Occurrence { kind: Kind::Partial, name: word.text.to_owned(), of: Vec::new(), at, definition: None });
            continue;
        }
        let path = word.text.trim_start_matches("../");
        let path = path.strip_prefix("@root.").unwrap_or(path);
        let start = start + word.text.len() - path.len();
        if let Some((kind, offset, name)) = split(path) {
            let of = if kind == Kind::Property { events.to_vec() } else { Vec::new() };
            let at = lines.location(file, start + offset, start + offset + name.len());
            found.push(Occurrence { kind, name: name.to_owned(), of, at, definition: None });
        }
    }
}

/// The first name of a path behind its root, and the bytes before it.
fn split(path: &str) -> Option<(Kind, usize, &str)> {
    let (root, rest) = path.split_once('.')?;
    let kind = match root {
        "contact" => Kind::Attribute,
        "event" => Kind::Property,
        "vars" => Kind::Variable,
        "secrets" => Kind::Secret,
        _ => return None,
    };
    let name = rest.split('.').next().filter(|name| !name.is_empty())?;
    Some((kind, root.len() + 1, name))
}

struct Walk<'a> {
    file: &'a str,
    text: &'a str,
    lines: &'a Lines<'a>,
    workflow: &'a str,
    found: Vec<Occurrence>,
}

impl Walk<'_> {
    fn workflow_name(&mut self, root: &At<'_>, file: &Value) {
        let at = self.lines.unquoted(root.key("workflow").span());
        let about = About { description: text_of(file, "description"), detail: text_of(file, "status"), extent: root.span() };
        self.add(Kind::Workflow, self.workflow.to_owned(), &[], at, Some(about));
    }

    /// Notes a name, if it is there as it reads: not where an alias or escapes stand for it.
    fn add(&mut self, kind: Kind, name: String, of: &[String], at: Location, about: Option<About>) {
        if kind != Kind::Step && self.lines.slice(&at) != name {
            return;
        }
        self.found.push(Occurrence { kind, name, of: of.to_vec(), at, definition: about.map(Arc::new) });
    }

    fn node(&mut self, place: Place, at: &At<'_>, value: &Value, events: &[String]) {
        match value {
            Value::Object(map) => {
                let own = ["event", "of", "count"].into_iter().find_map(|key| {
                    let name = map.get(key)?.as_str().filter(|name| !name.contains('.'))?;
                    (place.inside(key) == Place::Name(Kind::Event)).then(|| vec![name.to_owned()])
                });
                // `set`, `then` and the like are about the event that started the run, whatever the step names.
                let events = own.as_deref().unwrap_or(events);
                for (key, value) in map {
                    let child = at.key(key);
                    self.key(place, key, &child, value, events);
                    let about_messages =
                        events.iter().all(|event| MESSAGE_EVENTS.contains(&event.as_str())) && !events.is_empty();
                    let inside = match key.as_str() {
                        "event.template" if about_messages => Place::Name(Kind::Template),
                        "event.workflow" if about_messages => Place::Name(Kind::Workflow),
                        "with" if about_messages && place == Place::Timeline => Place::Message,
                        _ => place.inside(key),
                    };
                    self.node(inside, &child, value, events);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.node(place.item(), &at.item(index), item, events);
                }
            }
            Value::String(text) => self.text(place, text, at, events),
            _ => {}
        }
    }

    fn key(&mut self, place: Place, key: &str, at: &At<'_>, value: &Value, events: &[String]) {
        if let Place::Names(kind) = place {
            let detail = match kind {
                Kind::Attribute => Some("trait".to_owned()),
                Kind::Topic => text_of(value, "title"),
                _ => None,
            };
            let here = self.lines.unquoted(at.key_location());
            let extent = Location { line: here.line, column: here.column, ..at.span() };
            let about = About { description: text_of(value, "description"), detail, extent };
            self.add(kind, key.to_owned(), &[], here, Some(about));
        } else if place.has_paths() {
            self.path(key, at.key_location(), events, place == Place::Set);
        }
    }

    fn text(&mut self, place: Place, text: &str, at: &At<'_>, events: &[String]) {
        let kind = match place {
            Place::Name(Kind::Template | Kind::Topic) if matches!(text, "any" | "all") => return,
            Place::Name(kind) => kind,
            Place::Send => Kind::Template,
            Place::EventOrPath if !text.contains('.') => Kind::Event,
            Place::Path | Place::EventOrPath => return self.path(text, at.span(), events, true),
            Place::Text if text.contains("{{") => {
                let span = at.span();
                let start = self.lines.offset(span.line, span.column);
                let end = self.lines.offset(span.end_line, span.end_column).max(start);
                let raw = self.text.get(start..end).unwrap_or_default();
                return expressions(self.file, self.lines, (start, raw), events, &mut self.found);
            }
            _ => return,
        };
        let of = if kind == Kind::Step { vec![self.workflow.to_owned()] } else { Vec::new() };
        self.add(kind, text.to_owned(), &of, self.lines.unquoted(at.span()), None);
    }

    /// A path; `assigned`: a variable is defined by it.
    fn path(&mut self, path: &str, at: Location, events: &[String], assigned: bool) {
        let Some((kind, offset, name)) = split(path) else { return };
        let whole = self.lines.unquoted(at);
        if self.lines.slice(&whole) != path {
            return;
        }
        let column = whole.column + offset;
        let at = Location { column, end_column: column + name.chars().count(), ..whole.clone() };
        let of: &[String] = if kind == Kind::Property { events } else { &[] };
        let about = About { description: None, detail: Some("set by a step".to_owned()), extent: whole };
        let about = (assigned && kind == Kind::Variable).then_some(about);
        self.add(kind, name.to_owned(), of, at, about);
    }

    fn steps(&mut self, steps: &[outline::StepPlace]) {
        let of = [self.workflow.to_owned()];
        for step in steps {
            let about = About { description: None, detail: None, extent: step.extent.clone() };
            let mut at = self.lines.unquoted(step.at.clone());
            // An id that is made of the step stands nowhere.
            if self.lines.slice(&at) != step.id {
                (at.end_line, at.end_column) = (at.line, at.column);
            }
            self.add(Kind::Step, step.id.clone(), &of, at, Some(about));
        }
    }
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}
