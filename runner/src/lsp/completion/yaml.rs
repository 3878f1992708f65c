//! What may be written in workflows, settings and tests.

use std::collections::BTreeSet;

use dsl::index::{Form, Kind, Place};
use lsp_types::CompletionItemKind;
use serde_json::Value;

use super::super::cursor::{self, Cursor, Segment, Spot};
use super::super::project::Project;
use super::super::shape::{Key, Shape};
use super::{Suggestion, names, snippet, template};

/// What may stand at a place, and whether a space must come before it.
pub(super) fn at(project: &Project, file: &str, form: Form, text: &str, place: (usize, usize)) -> (Vec<Suggestion>, bool) {
    let Some(cursor) = cursor::locate(text, place.0, place.1) else {
        return (Vec::new(), false);
    };
    let here = Here { project, file, form, cursor: &cursor, place: cursor.place(form) };
    let shape = Shape::at(form, &cursor.path, &cursor.siblings);
    let mut found = Vec::new();
    if cursor.spot != Spot::Value {
        here.keys(&shape, &mut found);
    }
    if cursor.spot != Spot::Key {
        here.values(&shape, &mut found);
    }
    (found, cursor.needs_space)
}

struct Here<'a> {
    project: &'a Project,
    file: &'a str,
    form: Form,
    cursor: &'a Cursor,
    place: Place,
}

impl Here<'_> {
    fn events(&self) -> BTreeSet<&str> {
        match self.cursor.event() {
            Some(event) => BTreeSet::from([event]),
            None => template::events(self.project, self.file),
        }
    }

    fn keys(&self, shape: &Shape<'_>, found: &mut Vec<Suggestion>) {
        let beside = self.cursor.beside();
        // A list of steps is begun with a dash.
        if !(self.cursor.spot == Spot::Either && shape.is_list() && !shape.is_mapping()) {
            found.extend(shape.keys(beside).iter().map(|key| self.key(key)));
        }
        if self.place.has_paths() {
            let paths = names::paths(&self.project.index, &self.events()).into_iter();
            found.extend(paths.map(|path| Suggestion { insert: Some(format!("{}: ", path.label)), rank: 6, ..path }));
        }
        let with = matches!(self.cursor.path.last(), Some(Segment::Key(key)) if key == "with");
        if with && self.place == Place::Text {
            found.extend(self.needs(beside));
        }
    }

    /// What the step's template asks `with` for.
    fn needs(&self, beside: &[(String, String)]) -> Vec<Suggestion> {
        let depth = self.cursor.path.len() - 1;
        let step = self.cursor.siblings.get(depth).map(Vec::as_slice).unwrap_or_default();
        let Some((_, template)) = step.iter().find(|(key, _)| key == "send") else {
            return Vec::new();
        };
        let needs = self.project.index.needs_of(template).into_iter();
        let missing = needs.filter(|need| !beside.iter().any(|(key, _)| key == need));
        let detail = || Some(format!("`{template}` needs it"));
        let one = |need: &str| Suggestion {
            detail: detail(),
            insert: Some(format!("{need}: ")),
            rank: 1,
            ..Suggestion::new(need, CompletionItemKind::VARIABLE)
        };
        missing.map(one).collect()
    }

    fn key(&self, key: &Key<'_>) -> Suggestion {
        let at = Segment::Key(key.name.to_owned());
        let path: Vec<Segment> = self.cursor.path.iter().cloned().chain([at]).collect();
        let written = (key.name.to_owned(), String::new());
        let mut siblings = self.cursor.siblings.clone();
        siblings.resize(path.len(), Vec::new());
        if let Some(last) = siblings.last_mut() {
            last.push(written);
        }
        let value = Shape::at(self.form, &path, &siblings);
        let flow = self.cursor.flow;
        let offered = snippet::of(key.form, key.name).or_else(|| snippet::of(key.schema, key.name));
        let snippet = match (offered, flow) {
            (Some(body), false) => snippet::block(body),
            (Some(body), true) => snippet::line(body),
            (None, _) if value.is_plain() => return self.plain_key(key, &value),
            (None, false) if value.is_mapping() => format!("{}:\n  $0", key.name),
            (None, false) if value.is_list() => format!("{}:\n  - $0", key.name),
            (None, true) if value.is_mapping() => format!("{}: {{ $0 }}", key.name),
            (None, true) if value.is_list() => format!("{}: [$0]", key.name),
            (None, _) => return self.plain_key(key, &value),
        };
        Suggestion { snippet: Some(snippet), ..self.plain_key(key, &value) }
    }

    fn plain_key(&self, key: &Key<'_>, value: &Shape<'_>) -> Suggestion {
        Suggestion {
            about: value.description().map(str::to_owned),
            detail: key.form.get("title").and_then(Value::as_str).map(str::to_owned),
            insert: Some(format!("{}: ", key.name)),
            rank: 4,
            ..Suggestion::new(key.name, CompletionItemKind::PROPERTY)
        }
    }

    fn values(&self, shape: &Shape<'_>, found: &mut Vec<Suggestion>) {
        for value in shape.values() {
            found.push(Suggestion { rank: 3, ..Suggestion::new(value, CompletionItemKind::ENUM_MEMBER) });
        }
        for example in shape.examples() {
            let detail = Some("example".to_owned());
            found.push(Suggestion { detail, rank: 9, ..Suggestion::new(example, CompletionItemKind::VALUE) });
        }
        match self.place {
            Place::Name(kind) => self.names(kind, found),
            Place::Send => self.names(Kind::Template, found),
            Place::Path => found.extend(names::paths(&self.project.index, &self.events())),
            Place::EventOrPath => {
                self.names(Kind::Event, found);
                found.extend(names::paths(&self.project.index, &self.events()));
            }
            _ => {}
        }
    }

    fn names(&self, kind: Kind, found: &mut Vec<Suggestion>) {
        let last = match self.cursor.path.iter().rev().find(|segment| **segment != Segment::Item) {
            Some(Segment::Key(key)) => key.as_str(),
            _ => "",
        };
        let mut names = names::of_kind(&self.project.index, kind);
        if kind == Kind::Step {
            names.retain(|name| self.own_step(&name.label));
        }
        found.extend(names);
        let word = match (kind, last) {
            (Kind::Template, "message") => "any",
            (Kind::Topic, "unsubscribe") => "all",
            _ => return,
        };
        found.push(Suggestion { rank: 7, ..Suggestion::new(word, CompletionItemKind::KEYWORD) });
    }

    fn own_step(&self, id: &str) -> bool {
        let file = self.project.index.file(self.file);
        file.is_some_and(|file| file.occurrences.iter().any(|found| found.kind == Kind::Step && found.name == id))
    }
}
