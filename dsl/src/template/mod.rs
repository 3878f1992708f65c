//! Message templates: reading them, checking them. Rendering is the runner's.

mod address;
mod blocks;
mod build;
mod compose;
mod effort;
mod facts;
mod files;
mod fitting;
mod front_matter;
mod load;
mod locale;
mod markup;
mod message;
mod mjml;
mod names;
mod pages;
mod partials;
mod place;
mod plain;
mod scope;
mod selectors;
mod structure;
mod styles;
mod syntax;
mod tags;
mod tokens;
mod vocabulary;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use self::address::Before;
pub use self::facts::Facts;
pub(crate) use self::facts::SHOWN;
pub use self::locale::{canonical_locale, fallback, locale_and_wider};
pub use self::markup::{Attribute, Markup, StartTag, deepest, is_void, markup};
pub use self::partials::{never_end, partials_reached};
pub use self::scope::{LAYOUT as LAYOUT_NAMES, TOP as TOP_NAMES};
pub use self::tags::{MAX_DEPTH, MAX_SOURCE};
pub use self::vocabulary::{Form, HELPERS, HelperRule, helper};

use self::effort::Effort;
pub(crate) use self::files::{Called, called, good_name};
pub use self::front_matter::KEYS as FRONT_MATTER;
use self::names::NameCheck;
use self::place::Place;
use self::structure::Role;
use crate::contract::Contract;
use crate::diagnostic::{Diagnostic, Location};
use crate::model::{Asset, Part, TemplateSource};

/// What a library is read from.
#[derive(Debug, Clone, Copy)]
pub struct Folder<'a> {
    /// The text of every file under templates/, by its path relative to the project.
    pub texts: &'a BTreeMap<String, String>,
    /// The bytes of other files under templates/ that messages name, likewise.
    pub assets: &'a BTreeMap<String, Arc<[u8]>>,
    /// The project's language.
    pub locale: &'a str,
    /// Messages are made as they are sent. Where they are only checked, styles may stay where they are written.
    pub to_run: bool,
}

/// Every template, layout and partial of a project, each read and checked on its own.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// By name: the path under templates/ without endings (`welcome`, `onboarding/day-1`).
    pub templates: BTreeMap<String, TemplateSource>,
    /// As written, by the path under templates/layouts/ without `.hbs`: `plain.html`, `plain.de.txt`.
    pub layouts: BTreeMap<String, String>,
    /// As written.
    pub partials: BTreeMap<String, String>,
    /// The page around the runner's own pages, by language (`de`, `zh-hans`); empty: every language.
    pub pages: BTreeMap<String, String>,
    /// Where each template's texts are written, by name.
    pub origins: BTreeMap<String, Origin>,
    /// Partials that show images of the project, as they are sent, and these images.
    with_images: BTreeMap<String, (String, BTreeSet<Asset>)>,
    /// Addresses that are not encrypted.
    insecure: BTreeSet<Location>,
}

/// Where the texts of one template are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The front matter's `topic`.
    pub topic: Option<Location>,
    /// The channels that its files name, with their places.
    pub channels: Vec<(String, Location)>,
    /// One for each language in which it is a mail.
    pub facts: Vec<Facts>,
    /// Its own texts, in all languages.
    texts: Vec<WrittenText>,
    /// The keys under [`Library::layouts`].
    layouts: BTreeSet<String>,
}

/// A text of a template as it is written, before anything is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WrittenText {
    text: String,
    at: TextOrigin,
    role: Role,
}

impl Origin {
    /// The beginning of its first file.
    pub fn written(&self) -> Option<Location> {
        let file = &self.texts.iter().map(|text| &text.at.file).min()?;
        Some(Location { file: (*file).clone(), line: 1, column: 1, end_line: 1, end_column: 1 })
    }
}

impl WrittenText {
    fn place(&self) -> Place<'_> {
        Place { file: &self.at.file, text: &self.text, line: self.at.line, column: self.at.column }
    }
}

/// The place of a text's first character: lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextOrigin {
    /// Relative to the project.
    pub file: String,
    pub line: usize,
    pub column: usize,
}

/// What a message may name where it is sent.
pub struct Variables<'a> {
    pub contract: &'a Contract,
    /// The events that can start the run: `event.*` may name what any of them declares. Empty: only `start … with` or `enroll --with`
    /// can give it, so any name is allowed.
    pub events: &'a BTreeSet<String>,
    /// What starts the run (a schedule, a date, a segment) never brings an event.
    pub eventless: bool,
    /// Names that the step's `with` gives.
    pub with: &'a BTreeSet<String>,
    /// Names that a `set` step of the workflow gives under `vars`.
    pub vars: &'a BTreeSet<String>,
    /// `contract: open`: what the contract does not know is a warning.
    pub open: bool,
    /// How often what was probably meant may still be looked for: each time all names there are have to be compared.
    pub suggestions: Cell<usize>,
}

/// Where an inline text stands in a workflow file, so that a place inside it can be named.
pub struct InlineText<'a> {
    pub text: &'a str,
    pub file: &'a str,
    /// The position of the text's first character in the file, from 1 (after the opening quote, if there is one). For a block scalar, of its
    /// first line of content.
    pub line: usize,
    pub column: usize,
}

impl Library {
    /// Reads the files under templates/ and reports what is wrong with each by itself: front matter, syntax, helpers, partials, layouts, MJML,
    /// data that is printed where it does harm, files that are not there.
    pub fn load(folder: &Folder<'_>) -> (Library, Vec<Diagnostic>) {
        load::load(folder)
    }

    /// A partial as it is sent.
    pub fn partial(&self, name: &str) -> Option<&str> {
        let ready = self.with_images.get(name).map(|(ready, _)| ready);
        ready.or_else(|| self.partials.get(name)).map(String::as_str)
    }

    /// Where texts lead to, or show, something that travels without encryption.
    pub fn insecure_addresses(&self) -> impl Iterator<Item = &Location> {
        self.insecure.iter()
    }

    /// The HTML that a message written in a workflow as MJML is sent as. The places are those of the workflow file.
    pub fn inline_mjml(&self, text: &InlineText<'_>) -> Result<Part, Vec<Diagnostic>> {
        let partials = self.partials.iter().map(|(name, text)| (name.clone(), (partials::file_of(name), text.clone()))).collect();
        let none = BTreeMap::new();
        let builder = build::Builder { partials: &partials, assets: &none, to_run: true };
        let place = Place { file: text.file, text: text.text, line: text.line, column: text.column };
        let mut found = Vec::new();
        builder.mjml(place, None, &mut Effort::default(), &mut found).ok_or(found)
    }

    /// What is wrong with sending the template `name` with these variables: unknown variables, and contact attributes that may be missing. The
    /// places are in the template's files. Nothing for a template that does not exist.
    pub fn check_use(&self, name: &str, variables: &Variables<'_>) -> Vec<Diagnostic> {
        let (Some(template), Some(origin)) = (self.templates.get(name), self.origins.get(name)) else {
            return Vec::new();
        };
        let mut check = NameCheck::new(variables, &template.needs, &self.partials);
        for text in &origin.texts {
            check.text(text.place(), false);
        }
        for key in &origin.layouts {
            if let Some(text) = self.layouts.get(key) {
                check.text(Place::file(&load::layout_file(key), text), true);
            }
        }
        check.finish()
    }

    /// The names that the template's `needs` ask for and `with` does not give; in the order of the front matter.
    pub fn missing_needs(&self, name: &str, with: &BTreeSet<String>) -> Vec<String> {
        let needs = self.templates.get(name).map(|template| template.needs.as_slice()).unwrap_or_default();
        needs.iter().filter(|need| !with.contains(*need)).cloned().collect()
    }

    /// Checks one inline text (a subject, an HTML or text body, a `with` value) in the same way: syntax, helpers, partials, variables. It is
    /// taken for HTML, so that data in three braces is reported.
    pub fn check_inline(&self, text: &InlineText<'_>, variables: &Variables<'_>) -> Vec<Diagnostic> {
        let place = Place { file: text.file, text: text.text, line: text.line, column: text.column };
        match syntax::parse(text.text) {
            Err(fault) => vec![place.error(fault.code, fault.span, fault.message, fault.help)],
            Ok(nodes) => {
                let mut found = structure::check(place, &nodes, Role::Html, &self.partials);
                let mut check = NameCheck::new(variables, &[], &self.partials);
                check.text(place, false);
                found.extend(check.finish());
                found.sort_by(|a, b| a.location.cmp(&b.location));
                found
            }
        }
    }

    /// The template's own texts, its layouts and their partials.
    fn all_texts<'a>(&'a self, template: &'a TemplateSource) -> impl Iterator<Item = &'a str> {
        let partials = self.partials_of(template).into_iter().filter_map(|name| self.partials.get(&name));
        texts(template).into_iter().chain(partials.map(String::as_str))
    }

    /// About how many bytes are looked at when the use of a template is checked.
    pub(crate) fn weight(&self, name: &str) -> usize {
        let Some(origin) = self.origins.get(name) else { return 0 };
        let layouts = origin.layouts.iter().filter_map(|key| self.layouts.get(key)).map(String::as_str);
        let texts: Vec<&str> = origin.texts.iter().map(|text| text.text.as_str()).chain(layouts).collect();
        texts.iter().map(|text| self.weight_of(text)).sum()
    }

    /// The same for a text in a workflow.
    pub(crate) fn weight_of(&self, text: &str) -> usize {
        let partials =
            if text.contains("{{>") || text.contains("{{#>") { self.partials.values().map(String::len).sum() } else { 0 };
        text.len() + partials
    }

    /// How many bytes a message's texts have.
    pub(crate) fn size(&self, template: &TemplateSource) -> usize {
        texts(template).into_iter().map(str::len).sum()
    }

    /// The same for all texts of a message.
    pub(crate) fn weight_of_message(&self, template: &TemplateSource) -> usize {
        texts(template).into_iter().map(|text| self.weight_of(text)).sum()
    }

    /// The names of the partials that this template (with its layouts and, in turn, their partials) needs.
    pub fn partials_of(&self, template: &TemplateSource) -> BTreeSet<String> {
        partials_reached(texts(template), &self.partials)
    }
}

/// Which words stand in the tags of templates, their layouts or their partials. Some may mean nothing there.
pub(crate) struct Words<'a> {
    library: &'a Library,
    /// By name: how often one was asked, and all of its words once that pays.
    known: HashMap<&'a str, (usize, HashSet<&'a str>)>,
}

impl<'a> Words<'a> {
    /// So many words are looked for one by one.
    const FEW: usize = 4;

    pub(crate) fn new(library: &'a Library) -> Words<'a> {
        Words { library, known: HashMap::new() }
    }

    /// Whether this word stands in the template that the library has under this name.
    pub(crate) fn holds(&mut self, name: &'a str, template: &'a TemplateSource, word: &str) -> bool {
        let (asked, words) = self.known.entry(name).or_default();
        *asked += 1;
        if *asked <= Words::FEW {
            return self.library.all_texts(template).any(|text| tags::says(text, word));
        }
        if *asked == Words::FEW + 1 {
            self.library.all_texts(template).for_each(|text| tags::words(text, words));
        }
        words.contains(word)
    }

    /// All words of a message that has no name.
    pub(crate) fn of<'t>(&self, template: &'t TemplateSource) -> HashSet<&'t str>
    where
        'a: 't,
    {
        let mut words = HashSet::new();
        self.library.all_texts(template).for_each(|text| tags::words(text, &mut words));
        words
    }
}

/// Everything that is rendered for a message, in all languages.
fn texts(template: &TemplateSource) -> Vec<&str> {
    let mut texts: Vec<&str> = Vec::new();
    let plain = (&template.subject, &template.preheader, &template.html, &template.text, &template.bodies);
    let others = template.locales.values();
    let others = others.map(|variant| (&variant.subject, &variant.preheader, &variant.html, &variant.text, &variant.bodies));
    for (subject, preheader, html, text, bodies) in std::iter::once(plain).chain(others) {
        texts.extend([subject, preheader].into_iter().flatten().map(String::as_str));
        for part in [html, text].into_iter().flatten() {
            texts.push(&part.source);
            texts.extend(part.layout.as_deref());
        }
        texts.extend(bodies.values().map(String::as_str));
    }
    texts
}

#[cfg(test)]
mod tests;
