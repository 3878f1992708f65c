//! Reading the files under templates/: which message, layout or partial each is, and whether each is right by itself.

use std::collections::{BTreeMap, BTreeSet};

use super::build::Builder;
use super::effort::Effort;
use super::facts;
use super::files::{self, ENDING, FOLDER, File, Format, LAYOUTS};
use super::front_matter;
use super::locale::fallback;
use super::message::{Body, Maker, Variants};
use super::pages;
use super::partials;
use super::place::Place;
use super::structure::{self, Role};
use super::syntax;
use super::{Folder, Library};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::halves::in_halves;

/// How many templates a project may have.
const MOST: usize = 20_000;

pub(super) fn load(folder: &Folder<'_>) -> (Library, Vec<Diagnostic>) {
    let mut loader = Loader {
        folder,
        library: Library::default(),
        found: Findings::default(),
        messages: BTreeMap::new(),
        layouts: BTreeMap::new(),
        partials: BTreeMap::new(),
    };
    for (file, text) in folder.texts {
        loader.file(file, text);
    }
    let mut messages: Vec<(String, Variants<'_>)> = std::mem::take(&mut loader.messages).into_iter().collect();
    if messages.len() > MOST {
        let message = format!("there are more than {MOST} templates");
        let help = Some("make two projects of it, each with a store of its own".to_owned());
        let file = messages.get(MOST).and_then(|(_, variants)| variants.values().flat_map(|bodies| bodies.values()).next());
        let file = file.map_or(FOLDER, |body| body.file);
        loader.found.at_file(Severity::Error, "project-too-large", file, message, help);
        messages.truncate(MOST);
    }
    let faults = partials::faults(&loader.library.partials);
    loader.shared();
    let halves = in_halves(&messages, |messages| {
        let mut maker = Maker { shared: &loader, made: Vec::new(), found: Findings::default(), effort: Effort::default() };
        messages.iter().for_each(|(name, variants)| maker.message(name, variants));
        (maker.made, maker.found)
    });
    let Loader { mut library, found: Findings { mut diagnostics, insecure }, .. } = loader;
    library.insecure = insecure;
    for (made, found) in halves {
        diagnostics.extend(found.diagnostics);
        library.insecure.extend(found.insecure);
        for (name, template, origin) in made {
            library.templates.insert(name.clone(), template);
            library.origins.insert(name, origin);
        }
    }
    diagnostics.extend(faults);
    diagnostics.sort_by(|a, b| a.location.cmp(&b.location));
    (library, diagnostics)
}

/// What is wrong with texts, and where they lead without encryption.
#[derive(Default)]
pub(super) struct Findings {
    pub diagnostics: Vec<Diagnostic>,
    pub insecure: BTreeSet<Location>,
}

impl Findings {
    /// What HTML names by its address: images of the project must be there, and foreign addresses be encrypted.
    pub fn addresses(&mut self, place: Place<'_>, role: Role, folder: &Folder<'_>) {
        if matches!(role, Role::Html | Role::HtmlLayout | Role::Partial) {
            let none = BTreeMap::new();
            let builder = Builder { partials: &none, assets: folder.assets, to_run: folder.to_run };
            builder.missing_images(place, &mut self.diagnostics);
            self.insecure.extend(facts::insecure(place));
        }
    }

    /// What is wrong with a text by itself; whether it is a template at all.
    pub fn structure(&mut self, place: Place<'_>, role: Role, partials: &BTreeMap<String, String>) -> bool {
        match syntax::parse(place.text) {
            Ok(nodes) => {
                self.diagnostics.extend(structure::check(place, &nodes, role, partials));
                true
            }
            Err(fault) => {
                self.diagnostics.push(place.error(fault.code, fault.span, fault.message, fault.help));
                false
            }
        }
    }

    pub fn at_file(&mut self, severity: Severity, code: &'static str, file: &str, message: String, help: Option<String>) {
        let location = Location { file: file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
        self.diagnostics.push(Diagnostic { severity, help, ..Diagnostic::error(code, location, message) });
    }
}

pub(super) struct Loader<'a> {
    pub folder: &'a Folder<'a>,
    pub library: Library,
    found: Findings,
    messages: BTreeMap<String, Variants<'a>>,
    /// The key under [`Library::layouts`] of each layout.
    pub layouts: BTreeMap<(&'a str, Format, Option<String>), &'a str>,
    /// File and text of each partial, by name.
    partials: BTreeMap<String, (String, String)>,
}

impl<'a> Loader<'a> {
    fn file(&mut self, file: &'a str, text: &'a str) {
        match files::read(file) {
            Err(bad) => self.found.at_file(Severity::Error, "template-name", file, bad.message, Some(bad.help)),
            Ok(File::Other) => {}
            Ok(File::Lookalike) if self.folder.assets.contains_key(file) => {}
            Ok(File::Lookalike) => {
                let help = Some(format!("rename it to {file}{ENDING}, or move it out of {FOLDER}"));
                let message = "this file is not read: templates end in .hbs".to_owned();
                self.found.at_file(Severity::Warning, "not-a-template", file, message, help);
            }
            Ok(File::Partial(name)) => {
                self.no_front_matter(file, text, "a partial");
                self.library.partials.insert(name.to_owned(), text.to_owned());
                self.partials.insert(name.to_owned(), (file.to_owned(), text.to_owned()));
            }
            Ok(File::Page(language)) => {
                self.no_front_matter(file, text, "a page");
                self.found.diagnostics.extend(pages::check(Place::file(file, text)));
                self.library.pages.insert(language, text.to_owned());
            }
            Ok(File::Layout(named)) => {
                self.no_front_matter(file, text, "a layout");
                self.library.layouts.insert(named.stem.to_owned(), text.to_owned());
                self.layouts.insert((named.name, named.format, named.locale), named.stem);
            }
            Ok(File::Message(named)) => {
                let split = front_matter::split(file, text, &mut self.found.diagnostics);
                let body = Body { file, front: split.front, text: split.body, line: split.body_line };
                let bodies = self.messages.entry(named.name.to_owned()).or_default().entry(named.locale).or_default();
                let twice = match (&named.format, bodies.iter().find(|(format, _)| same_place(format, &named.format))) {
                    (_, Some((_, other))) => Some(other.file),
                    _ => None,
                };
                if let Some(other) = twice {
                    let help = Some("remove one of the two".to_owned());
                    let message = format!("{other} is the same part of the same message");
                    return self.found.at_file(Severity::Error, "duplicate-template", file, message, help);
                }
                bodies.insert(named.format, body);
            }
        }
    }

    /// Front matter in here would be printed into the message.
    fn no_front_matter(&mut self, file: &str, text: &str, what: &str) {
        let mut lines = text.lines();
        if lines.next().is_some_and(|line| line.trim_end() == "---") && lines.any(|line| line.trim_end() == "---") {
            let help = Some("move it to the top of the message's template, and remove it here".to_owned());
            let message = format!("{what} has no front matter: this would be printed into the message");
            self.found.at_file(Severity::Error, "front-matter", file, message, help);
        }
    }

    /// Checks layouts and partials, and makes partials ready for sending.
    fn shared(&mut self) {
        let layouts = std::mem::take(&mut self.library.layouts);
        let partials = std::mem::take(&mut self.partials);
        for (key, text) in &layouts {
            let role = if key.ends_with(".txt") { Role::TextLayout } else { Role::HtmlLayout };
            let file = layout_file(key);
            self.found.structure(Place::file(&file, text), role, &self.library.partials);
            self.found.addresses(Place::file(&file, text), role, self.folder);
        }
        let builder = Builder { partials: &partials, assets: self.folder.assets, to_run: self.folder.to_run };
        for (name, (file, text)) in &partials {
            self.found.structure(Place::file(file, text), Role::Partial, &self.library.partials);
            self.found.addresses(Place::file(file, text), Role::Partial, self.folder);
            let mut images = Default::default();
            let ready = builder.embed(text, &mut images);
            if !images.is_empty() {
                self.library.with_images.insert(name.clone(), (ready, images));
            }
        }
        self.library.layouts = layouts;
        self.partials = partials;
    }

    /// The key of the layout of this name for a reader of this language.
    pub fn layout(&self, name: &str, format: Format, locale: Option<&str>) -> Option<&'a str> {
        let of_name = self.layouts.iter().filter(|((layout, kind, _), _)| *layout == name && *kind == format);
        let known: BTreeMap<Option<&str>, &'a str> = of_name.map(|((_, _, locale), key)| (locale.as_deref(), *key)).collect();
        let found = fallback(locale, self.folder.locale, |tag| known.contains_key(&Some(tag)));
        known.get(&found.as_deref()).or_else(|| known.values().next()).copied()
    }

    pub fn partials(&self) -> &BTreeMap<String, (String, String)> {
        &self.partials
    }
}

/// Whether two bodies would be the same part of a message: HTML and MJML are.
fn same_place(a: &Format, b: &Format) -> bool {
    let html = |format: &Format| matches!(format, Format::Html | Format::Mjml);
    a == b || (html(a) && html(b))
}

/// The file of a layout, relative to the project.
pub(super) fn layout_file(key: &str) -> String {
    format!("{FOLDER}{LAYOUTS}{key}{ENDING}")
}
