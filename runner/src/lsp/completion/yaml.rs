//! What may be written in workflows, settings and tests.

use std::collections::BTreeSet;

use dsl::contract::MESSAGE_EVENTS;
use dsl::index::{Form, Kind, Occurrence, Place};
use lsp_types::CompletionItemKind;
use serde_json::Value;

use super::super::cursor::{self, Cursor, Segment, Spot};
use super::super::project::Project;
use super::super::shape::{Key, Shape};
use super::{Suggestion, codes, names, snippet, template};

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
    names::beginning(&mut found, &cursor.prefix);
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
    /// The events that are spoken of: the one that is named around; of what starts a workflow, what that begins with; else what the file's own begins with.
    fn events(&self) -> BTreeSet<&str> {
        if let Some(event) = self.cursor.event() {
            return BTreeSet::from([event]);
        }
        // In a test `start` is a time.
        let keys: &[&str] = if self.form == Form::Test { &["enroll"] } else { &["record", "start"] };
        let started = keys.iter().find_map(|key| Some((*key, self.cursor.around(key)?)));
        match started.filter(|_| self.cursor.path.iter().any(|segment| *segment == Segment::Key("with".to_owned()))) {
            Some(("record", event)) => BTreeSet::from([event]),
            Some((_, workflow)) => self.triggers(workflow),
            None => template::events(self.project, self.file),
        }
    }

    /// The events that start a workflow.
    fn triggers(&self, workflow: &str) -> BTreeSet<&str> {
        let defined =
            self.project.index.names(Kind::Workflow).get(workflow).and_then(|place| self.project.index.file(&place.at.file));
        defined.map(|file| file.triggers.iter().map(String::as_str).collect()).unwrap_or_default()
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
        let names = match self.place {
            Place::Uses(Kind::Attribute) => names::attribute_keys(&self.project.index, true),
            Place::DrawnFor(Kind::Attribute) => names::attribute_keys(&self.project.index, false),
            Place::Uses(Kind::Property) | Place::DrawnFor(Kind::Property) | Place::Message => {
                names::property_keys(&self.project.index, &self.events())
            }
            Place::Uses(kind) => as_keys(names::of_kind(&self.project.index, kind)),
            Place::Text if self.is("with") => self.with(beside),
            Place::Other if self.is("rules") && self.form == Form::Settings && self.cursor.path.len() == 1 => {
                as_keys(codes::settable())
            }
            _ => return,
        };
        found.extend(names.into_iter().filter(|name| !beside.iter().any(|(key, _)| *key == name.label)));
    }

    /// Whether the place is right under this key.
    fn is(&self, key: &str) -> bool {
        matches!(self.cursor.path.last(), Some(Segment::Key(last)) if last == key)
    }

    /// What a step's `with` is to hold.
    fn with(&self, beside: &[(String, String)]) -> Vec<Suggestion> {
        let step = self.cursor.path.len().checked_sub(1).and_then(|depth| self.cursor.siblings.get(depth));
        match step.is_some_and(|step| step.iter().any(|(key, _)| key == "send")) {
            true => self.needs(beside),
            false => names::property_keys(&self.project.index, &self.events()),
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
        let mapping = self.cursor.path.len().checked_sub(1).and_then(|depth| self.cursor.siblings.get(depth));
        let beside = |key: &str| mapping.is_some_and(|mapping| mapping.iter().any(|(name, _)| name == key));
        let about = match (beside("message"), beside("workflow")) {
            (true, false) if self.is("is") => Some(true),
            (false, true) if self.is("is") => Some(false),
            _ => None,
        };
        for value in shape.values().into_iter().filter(|word| about.is_none_or(|message| fits(word, message))) {
            found.push(Suggestion { rank: 3, ..Suggestion::new(value, CompletionItemKind::ENUM_MEMBER) });
        }
        for example in shape.examples() {
            let detail = Some("example".to_owned());
            found.push(Suggestion { detail, rank: 9, ..Suggestion::new(example, CompletionItemKind::VALUE) });
        }
        match self.place {
            Place::Name(kind) => self.names(kind, found),
            Place::Send => self.names(Kind::Template, found),
            Place::Path => found.extend(self.paths()),
            Place::Same => {
                let follows = self.cursor.around("follows").into_iter().collect();
                found.extend(
                    names::paths(&self.project.index, &follows).into_iter().filter(|one| one.label.starts_with("event.")),
                );
            }
            Place::EventOrPath => {
                self.names(Kind::Event, found);
                found.extend(self.paths());
            }
            _ => self.listed(found),
        }
    }

    fn paths(&self) -> Vec<Suggestion> {
        names::paths(&self.project.index, &self.events())
    }

    /// The values of an attribute or property that the data contract lists; days.
    fn listed(&self, found: &mut Vec<Suggestion>) {
        let keys: Vec<&str> = self
            .cursor
            .path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Key(key) => Some(key.as_str()),
                Segment::Item => None,
            })
            .collect();
        let (last, above) = match keys.as_slice() {
            [.., above, "is" | "is_not" | "one_of" | "none_of"] if above.contains('.') => (*above, ""),
            [.., above, last] => (*last, *above),
            _ => return,
        };
        match (last, above) {
            ("days", _) if self.form == Form::Workflow => {
                let days = ["weekdays", "weekend", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                found.extend(days.map(|day| Suggestion { rank: 3, ..Suggestion::new(day, CompletionItemKind::ENUM_MEMBER) }));
            }
            (name, "with") => found.extend(names::options(&self.project.index, &format!("event.{name}"), &self.events())),
            (name, "contact" | "contacts" | "attributes") => {
                found.extend(names::options(&self.project.index, &format!("contact.{name}"), &BTreeSet::new()));
            }
            (path, _) => found.extend(names::options(&self.project.index, path, &self.events())),
        }
    }

    fn names(&self, kind: Kind, found: &mut Vec<Suggestion>) {
        let last = self.cursor.last_key();
        if kind == Kind::Step {
            found.extend(names::steps(&self.project.index, self.workflow(), last));
            return;
        }
        found.extend(names::of_kind(&self.project.index, kind));
        let word = match (kind, last) {
            (Kind::Template, "message" | "to") => "any",
            (Kind::Topic, "unsubscribe") => "all",
            _ => return,
        };
        found.push(Suggestion { rank: 7, ..Suggestion::new(word, CompletionItemKind::KEYWORD) });
    }

    /// The workflow whose steps are spoken of: the one that is named around, else the file's own.
    fn workflow(&self) -> &str {
        let is_workflow = |found: &&Occurrence| found.kind == Kind::Workflow && found.definition.is_some();
        let own = self.project.index.file(self.file).and_then(|file| file.occurrences.iter().find(is_workflow));
        self.cursor.around("workflow").or(own.map(|found| found.name.as_str())).unwrap_or_default()
    }
}

fn as_keys(names: Vec<Suggestion>) -> Vec<Suggestion> {
    names.into_iter().map(|one| Suggestion { insert: Some(format!("{}: ", one.label)), ..one }).collect()
}

/// Of the words behind `is`, those about messages, where it is about a message, else those about workflows.
fn fits(word: &str, message: bool) -> bool {
    MESSAGE_EVENTS.iter().any(|event| event.strip_prefix("message_") == Some(word)) == message
}
