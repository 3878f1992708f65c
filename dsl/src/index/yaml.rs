//! Names in workflows, settings, tests and audiences.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::grammar::{Form, Place};
use super::outline;
use super::spelling::Spelling;
use super::tags;
use super::text::Lines;
use super::{About, FileIndex, Kind, Occurrence, mend};
use crate::contract::MESSAGE_EVENTS;
use crate::diagnostic::Location;
use crate::place::At;
use crate::yaml::Document;

pub(super) fn read(path: &str, text: &str, form: Form) -> FileIndex {
    let Some((document, whole)) = mend::read(path, text) else {
        return FileIndex::default();
    };
    if form == Form::Audience && document.value.get("audience").is_none() {
        return FileIndex { whole: true, ..FileIndex::default() };
    }
    let root = At::root(&document);
    let lines = Lines::new(text);
    let triggers = triggers(&document.value);
    let name = document.value.get("workflow").and_then(Value::as_str).unwrap_or_default();
    let mut walk = Walk { file: path, text, lines: &lines, workflow: name, follows: Vec::new(), found: Vec::new() };
    if form == Form::Workflow && document.value.get("workflow").is_some_and(Value::is_string) {
        walk.workflow_name(&root, &document.value);
    }
    walk.node(Place::File(form), &root, &document.value, &triggers);
    let steps = if form == Form::Workflow { outline::steps(&root, &document.value) } else { Vec::new() };
    walk.steps(&document, &steps);
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

/// Notes the names of a text that may hold template expressions, each where it is spelt.
pub(super) fn expressions(text: &str, events: &[String], mut note: impl FnMut(Kind, &str, &[String], Range<usize>)) {
    for word in tags::words(text) {
        if word.partial {
            note(Kind::Partial, word.text, &[], word.start..word.start + word.text.len());
            continue;
        }
        let path = word.text.trim_start_matches("../");
        let path = path.strip_prefix("@root.").unwrap_or(path);
        let start = word.start + word.text.len() - path.len();
        if let Some((kind, offset, name)) = split(path) {
            let of = if kind == Kind::Property { events } else { &[] };
            note(kind, name, of, start + offset..start + offset + name.len());
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
    /// The event that the one at hand follows.
    follows: Vec<String>,
    found: Vec<Occurrence>,
}

impl Walk<'_> {
    fn workflow_name(&mut self, root: &At<'_>, file: &Value) {
        let (description, detail) = (text_of(file, "description"), text_of(file, "status"));
        let about = About { description, detail, options: Vec::new(), extent: root.span() };
        self.whole(Kind::Workflow, self.workflow, &[], self.value_at(&root.key("workflow"), self.workflow), Some(about));
    }

    /// Where a value's text is spelt; behind an alias, where the text was written.
    fn value_at(&self, at: &At<'_>, text: &str) -> Option<Stands> {
        let written = at.written();
        let span = written.span();
        let quoted = written.content() != (span.line, span.column);
        let start = self.lines.offset(span.line, span.column);
        Some(Stands { spelling: Spelling::of(self.text, start, quoted, text)?, alias: at.alias() })
    }

    /// Where a key is spelt.
    fn key_at(&self, at: &At<'_>, key: &str) -> Option<Stands> {
        let alias = if at.is_its_own() { None } else { at.alias() };
        let span = if at.is_its_own() { at.key_location() } else { at.written().key_location() };
        let start = self.lines.offset(span.line, span.column);
        let quoted = self.text[start..].starts_with(['"', '\'']);
        Some(Stands { spelling: Spelling::of(self.text, start, quoted, key)?, alias })
    }

    /// Notes a name that is all of a text.
    fn whole(&mut self, kind: Kind, name: &str, of: &[String], stands: Option<Stands>, about: Option<About>) {
        if let Some(stands) = stands {
            self.add(kind, name, of, &stands, 0..name.len(), about);
        }
    }

    /// Notes a name that is a part of a text.
    fn add(&mut self, kind: Kind, name: &str, of: &[String], stands: &Stands, part: Range<usize>, about: Option<About>) {
        let Some(place) = stands.spelling.range(part) else { return };
        let spelt = self.lines.location(self.file, place.start, place.end);
        let (at, spelt) = match &stands.alias {
            Some(alias) => (alias.clone(), Some(spelt)),
            None => (spelt, None),
        };
        self.found.push(Occurrence { kind, name: name.to_owned(), of: of.to_vec(), at, spelt, definition: about.map(Arc::new) });
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
                if place == Place::Source {
                    self.follows = map.get("follows").and_then(Value::as_str).into_iter().map(str::to_owned).collect();
                }
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
            let here = at.key_location();
            let extent = Location { line: here.line, column: here.column, ..at.span() };
            let description = text_of(value, "description");
            let about = About { description, detail, options: groups(value), extent };
            self.whole(kind, key, &[], self.key_at(at, key), Some(about));
        } else if let Place::Uses(kind) | Place::DrawnFor(kind) = place {
            let of = if kind == Kind::Property { events } else { &[] };
            self.whole(kind, key, of, self.key_at(at, key), None);
        } else if place.has_paths() {
            self.path(key, self.key_at(at, key), events, place == Place::Set);
        }
    }

    fn text(&mut self, place: Place, text: &str, at: &At<'_>, events: &[String]) {
        let kind = match place {
            Place::Name(Kind::Template | Kind::Topic) if matches!(text, "any" | "all") => return,
            Place::Name(kind) => kind,
            Place::Send => Kind::Template,
            Place::EventOrPath if !text.contains('.') => Kind::Event,
            Place::Path | Place::EventOrPath => return self.path(text, self.value_at(at, text), events, true),
            Place::Same => {
                let follows = std::mem::take(&mut self.follows);
                self.path(text, self.value_at(at, text), &follows, false);
                self.follows = follows;
                return;
            }
            Place::Text if text.contains("{{") => {
                let Some(stands) = self.value_at(at, text) else { return };
                return expressions(text, events, |kind, name, of, part| self.add(kind, name, of, &stands, part, None));
            }
            _ => return,
        };
        let of = if kind == Kind::Step { vec![self.workflow.to_owned()] } else { Vec::new() };
        self.whole(kind, text, &of, self.value_at(at, text), None);
    }

    /// A path; `assigned`: a variable is defined by it.
    fn path(&mut self, path: &str, stands: Option<Stands>, events: &[String], assigned: bool) {
        let (Some((kind, offset, name)), Some(stands)) = (split(path), stands) else { return };
        let of: &[String] = if kind == Kind::Property { events } else { &[] };
        let whole = stands.spelling.range(0..path.len()).filter(|_| assigned && kind == Kind::Variable);
        let about = whole.map(|whole| {
            let extent = self.lines.location(self.file, whole.start, whole.end);
            About { description: None, detail: Some("set by a step".to_owned()), options: Vec::new(), extent }
        });
        self.add(kind, name, of, &stands, offset..offset + name.len(), about);
    }

    fn steps(&mut self, document: &Document, steps: &[outline::StepPlace]) {
        for step in steps {
            let (detail, extent) = (Some(step.detail.clone()), step.extent.clone());
            let about = About { description: None, detail, options: Vec::new(), extent };
            let id = At::new(document, &step.pointer).key("id");
            let written = id.is_written().then(|| self.value_at(&id, &step.id)).flatten();
            let name = step.id.clone();
            let of = vec![self.workflow.to_owned()];
            if written.is_some() {
                self.whole(Kind::Step, &name, &of, written, Some(about));
                continue;
            }
            // An id that is made of the step stands nowhere.
            let at = Location { end_line: step.at.line, end_column: step.at.column, ..step.at.clone() };
            let definition = Some(Arc::new(about));
            self.found.push(Occurrence { kind: Kind::Step, name, of, at, spelt: None, definition });
        }
    }
}

/// Where a text stands in the file.
struct Stands {
    spelling: Spelling,
    /// The alias that stands for it.
    alias: Option<Location>,
}

/// The groups that a trait puts people into.
fn groups(value: &Value) -> Vec<String> {
    let named = ["tiers", "first_match"].iter().filter_map(|key| value.get(key)?.as_object()).flat_map(|map| map.keys().cloned());
    named.chain(text_of(value, "otherwise")).collect()
}

fn text_of(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}
