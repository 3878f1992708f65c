//! Where every name of a project is defined and used, with places: what editors ask for.
//!
//! A file is looked at by itself and for its shape alone, so that a file with errors still gives its names, and an edit costs one file. Nothing in
//! here says what is wrong; that is the compiler's.

mod contract;
mod grammar;
mod mend;
mod outline;
mod spelling;
mod tags;
mod template;
mod text;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use grammar::{Form, Place};
pub use outline::{Symbol, SymbolKind};

use crate::contract::CONTACT_FIELDS;
use crate::diagnostic::Location;
use crate::lower::values::is_name;
use crate::project::ProjectFiles;
use crate::template::{Called, called, good_name};
use crate::yaml::is_plain_text;

/// Longer files are not looked through: they are no part of a project.
const MAX_LENGTH: usize = 1024 * 1024;

/// What a name is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Workflow,
    /// Of the workflow in [`Occurrence::of`].
    Step,
    Segment,
    /// The first name behind `contact.`: an attribute of the data contract, or a trait.
    Attribute,
    Event,
    /// The first name behind `event.`, of the events in [`Occurrence::of`].
    Property,
    /// The first name behind `vars.`.
    Variable,
    Topic,
    Channel,
    Secret,
    Template,
    Layout,
    Partial,
}

impl Kind {
    /// Whether something of this kind may be called so, and be named so wherever it is used without more ado: `true`, say, is no text in YAML.
    pub fn may_be_called(self, name: &str) -> bool {
        if !is_plain_text(name) {
            return false;
        }
        let file = |file: String, called_so: Called<'_>| good_name(name).is_ok() && called(&file) == Some(called_so);
        match self {
            // `message: any` is every message.
            Kind::Template => name != "any" && file(format!("templates/{name}.html.hbs"), Called::Template(name)),
            Kind::Layout => file(format!("templates/layouts/{name}.html.hbs"), Called::Layout(name)),
            Kind::Partial => file(format!("templates/partials/{name}.hbs"), Called::Partial(name)),
            Kind::Attribute => is_name(name) && !CONTACT_FIELDS.contains(&name),
            _ => is_name(name),
        }
    }
}

/// A name at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    pub kind: Kind,
    pub name: String,
    /// What the name belongs to: a step's workflow, a property's events (any of them; empty: unknown).
    pub of: Vec<String>,
    /// The name's own characters. Without width where it is not written: at the beginning of a file that is named so, and of a step whose id is made.
    /// Where an alias stands for the name, the alias; without width, where it stands for more than the name.
    pub at: Location,
    /// The name's own characters, where an alias stands for it.
    pub spelt: Option<Location>,
    /// Where this is the place that defines it.
    pub definition: Option<Arc<About>>,
}

impl Occurrence {
    /// The characters that would have to be others if the name were another. `None`: it is not written, but the file's name, or made.
    pub fn written(&self) -> Option<&Location> {
        let at = self.spelt.as_ref().unwrap_or(&self.at);
        ((at.line, at.column) < (at.end_line, at.end_column)).then_some(at)
    }

    /// Whether this is a use or definition of the same thing.
    pub fn is_same(&self, other: &Occurrence) -> bool {
        let belongs = match self.kind {
            Kind::Step => self.of == other.of,
            Kind::Property => self.of.is_empty() || other.of.is_empty() || self.of.iter().any(|event| other.of.contains(event)),
            Kind::Variable => self.at.file == other.at.file || self.at.file.ends_with(".hbs") || other.at.file.ends_with(".hbs"),
            _ => true,
        };
        self.kind == other.kind && self.name == other.name && belongs
    }
}

/// What a definition says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// In its author's words.
    pub description: Option<String>,
    /// What it is: a type, a subject, a title; what a step does.
    pub detail: Option<String>,
    /// The texts that it may be, where they are listed.
    pub options: Vec<String>,
    /// All that belongs to it.
    pub extent: Location,
}

/// One file's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileIndex {
    pub occurrences: Vec<Occurrence>,
    /// The file's outline.
    pub symbols: Vec<Symbol>,
    /// The events that start the file's workflow.
    pub triggers: Vec<String>,
    /// Of a template: what `with` must give.
    pub needs: Vec<String>,
    /// Nothing had to be left out in reading it.
    pub whole: bool,
}

impl FileIndex {
    /// Looks through one file, by its path relative to the project. A file that holds no names is empty.
    pub fn read(path: &str, text: &str) -> FileIndex {
        if text.len() > MAX_LENGTH {
            return FileIndex::default();
        }
        // What editors do not show does not count.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        match Form::of(path) {
            Some(form) => yaml::read(path, text, form),
            None if path.ends_with(".hbs") => template::read(path, text),
            None if path.ends_with(".json") => contract::read(path, text),
            None => FileIndex { whole: true, ..FileIndex::default() },
        }
    }
}

/// All names of a project.
#[derive(Debug, Clone, Default)]
pub struct Index {
    files: BTreeMap<String, Arc<FileIndex>>,
}

impl Index {
    pub fn of(files: &ProjectFiles) -> Index {
        let read = |path: &str| Some((path.to_owned(), Arc::new(FileIndex::read(path, files.text(path)?))));
        Index { files: files.paths_with_tests().filter_map(read).collect() }
    }

    /// Looks through a file anew. Of a file that cannot be read as a whole, names that it defined before are kept until it can.
    pub fn put(&mut self, path: &str, text: &str) {
        let mut new = FileIndex::read(path, text);
        if let Some(old) = self.files.get(path).filter(|_| !new.whole) {
            let known: BTreeSet<(Kind, &str)> = definitions(&new).map(|found| (found.kind, found.name.as_str())).collect();
            let lost: Vec<Occurrence> =
                definitions(old).filter(|old| !known.contains(&(old.kind, old.name.as_str()))).cloned().collect();
            new.occurrences.extend(lost);
            if new.symbols.is_empty() {
                new.symbols.clone_from(&old.symbols);
            }
        }
        self.files.insert(path.to_owned(), Arc::new(new));
    }

    pub fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Files that cannot be read as a whole, by their paths.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        self.files.iter().filter(|(_, file)| !file.whole).map(|(path, _)| path.as_str())
    }

    pub fn file(&self, path: &str) -> Option<&FileIndex> {
        self.files.get(path).map(Arc::as_ref)
    }

    /// Every occurrence, by file.
    pub fn all(&self) -> impl Iterator<Item = &Occurrence> {
        self.files.values().flat_map(|file| &file.occurrences)
    }

    /// Every name of this kind, with the place that defines it: the first one, where there are several.
    pub fn names(&self, kind: Kind) -> BTreeMap<&str, &Occurrence> {
        let mut names = BTreeMap::new();
        for found in self.all().filter(|found| found.kind == kind && found.definition.is_some()) {
            names.entry(found.name.as_str()).or_insert(found);
        }
        names
    }

    /// The name at a place of a file; at its end, too.
    pub fn at(&self, file: &str, line: usize, column: usize) -> Option<&Occurrence> {
        let file = self.files.get(file)?;
        let here = (line, column);
        let holds = |at: &Location| (at.line, at.column) <= here && here <= (at.end_line, at.end_column);
        let has_width = |at: &Location| (at.line, at.column) < (at.end_line, at.end_column);
        file.occurrences.iter().filter(|found| has_width(&found.at) && holds(&found.at)).min_by_key(|found| {
            let at = &found.at;
            ((at.end_line, at.end_column) == here, at.end_line - at.line, at.end_column.abs_diff(at.column))
        })
    }

    /// Every place where the same thing is defined or used.
    pub fn same<'i, 'w>(&'i self, wanted: &'w Occurrence) -> impl Iterator<Item = &'i Occurrence> + use<'i, 'w> {
        self.all().filter(move |found| found.is_same(wanted))
    }

    /// The places that define what is named; a message that is written in a workflow is known by its step.
    pub fn definitions(&self, wanted: &Occurrence) -> Vec<&Occurrence> {
        let found: Vec<&Occurrence> = self.same(wanted).filter(|found| found.definition.is_some()).collect();
        if found.is_empty() && wanted.kind == Kind::Template {
            let step = |found: &&Occurrence| found.kind == Kind::Step && found.name == wanted.name && found.definition.is_some();
            return self.all().filter(step).collect();
        }
        found
    }

    /// The events that start the workflows that send this template.
    pub fn events_of_template(&self, name: &str) -> BTreeSet<&str> {
        let sends = |file: &FileIndex| file.occurrences.iter().any(|found| found.kind == Kind::Template && found.name == name);
        let senders = self.files.values().filter(|file| !file.triggers.is_empty() && sends(file));
        senders.flat_map(|file| &file.triggers).map(String::as_str).collect()
    }

    /// What `with` must give to this template, in the order of its front matter.
    pub fn needs_of(&self, name: &str) -> Vec<&str> {
        let is_it = |found: &Occurrence| found.kind == Kind::Template && found.name == name && found.definition.is_some();
        let files = self.files.values().filter(|file| file.occurrences.first().is_some_and(is_it));
        let mut needs: Vec<&str> = Vec::new();
        for need in files.flat_map(|file| &file.needs) {
            if !needs.contains(&need.as_str()) {
                needs.push(need);
            }
        }
        needs
    }
}

fn definitions(file: &FileIndex) -> impl Iterator<Item = &Occurrence> {
    file.occurrences.iter().filter(|found| found.definition.is_some())
}

#[cfg(test)]
mod respelt;
#[cfg(test)]
mod tests;
