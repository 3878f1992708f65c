//! Message templates: reading them, checking them. Rendering is the runner's.

mod address;
mod front_matter;
mod load;
mod names;
mod pages;
mod partials;
mod place;
mod scope;
mod structure;
mod syntax;
mod tags;
mod vocabulary;

use std::collections::{BTreeMap, BTreeSet};

pub use self::address::Before;
pub use self::partials::{never_end, partials_reached};
pub use self::tags::{MAX_DEPTH, MAX_SOURCE};
pub use self::vocabulary::{Form, HELPERS, HelperRule, helper};

use self::names::NameCheck;
use self::place::Place;
use self::structure::Role;
use crate::contract::Contract;
use crate::diagnostic::{Diagnostic, Location};
use crate::model::TemplateSource;

/// Every template, layout and partial of a project, each read and checked on its own.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// By name: the path under templates/ without endings (`welcome`, `onboarding/day-1`).
    pub templates: BTreeMap<String, TemplateSource>,
    /// By name and format: `plain.html`, `plain.txt`.
    pub layouts: BTreeMap<String, String>,
    pub partials: BTreeMap<String, String>,
    /// The page around the runner's own pages, by language (`de`, `zh-hans`); empty: every language.
    pub pages: BTreeMap<String, String>,
    /// Where each template's texts are written, by name.
    pub origins: BTreeMap<String, Origin>,
}

/// Where the texts of one template are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    pub html: Option<TextOrigin>,
    pub text: Option<TextOrigin>,
    pub subject: Option<TextOrigin>,
    pub preheader: Option<TextOrigin>,
    /// The front matter's `topic`.
    pub topic: Option<Location>,
    /// The key under [`Library::layouts`].
    pub html_layout: Option<String>,
    pub text_layout: Option<String>,
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
    /// Names that the step's `with` gives.
    pub with: &'a BTreeSet<String>,
    /// Names that a `set` step of the workflow gives under `vars`.
    pub vars: &'a BTreeSet<String>,
    /// `contract: open`: what the contract does not know is a warning.
    pub open: bool,
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
    /// Reads `files` (path relative to the project → text, all those under templates/) and reports what is wrong with each by itself: front
    /// matter, syntax, helpers, partials, layouts, data that is printed where it does harm.
    pub fn load(files: &BTreeMap<String, String>) -> (Library, Vec<Diagnostic>) {
        load::load(files)
    }

    /// What is wrong with sending the template `name` with these variables: unknown variables, and contact attributes that may be missing. The
    /// places are in the template's files. Nothing for a template that does not exist.
    pub fn check_use(&self, name: &str, variables: &Variables<'_>) -> Vec<Diagnostic> {
        let (Some(template), Some(origin)) = (self.templates.get(name), self.origins.get(name)) else {
            return Vec::new();
        };
        let mut check = NameCheck::new(variables, &template.needs, &self.partials);
        for (place, _) in origin.texts(template) {
            check.text(place, false);
        }
        for key in [&origin.html_layout, &origin.text_layout].into_iter().flatten() {
            if let Some(text) = self.layouts.get(key) {
                check.text(Place::file(&format!("templates/layouts/{key}.hbs"), text), true);
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

    /// The names of the partials that this template (with its layouts and, in turn, their partials) needs.
    pub fn partials_of(&self, template: &TemplateSource) -> BTreeSet<String> {
        let parts = [&template.html, &template.text].into_iter().flatten();
        let texts = parts.flat_map(|part| std::iter::once(part.source.as_str()).chain(part.layout.as_deref()));
        let headers = [template.subject.as_deref(), template.preheader.as_deref()].into_iter().flatten();
        partials_reached(texts.chain(headers), &self.partials)
    }
}

impl Origin {
    /// The template's own texts with their places and what each is for; without layouts.
    fn texts<'a>(&'a self, template: &'a TemplateSource) -> Vec<(Place<'a>, Role)> {
        let html = template.html.as_ref().map(|part| part.source.as_str());
        let text = template.text.as_ref().map(|part| part.source.as_str());
        let all = [
            (&self.html, html, Role::Html),
            (&self.text, text, Role::Text),
            (&self.subject, template.subject.as_deref(), Role::Text),
            (&self.preheader, template.preheader.as_deref(), Role::Text),
        ];
        all.into_iter()
            .filter_map(|(origin, text, role)| {
                let origin = origin.as_ref()?;
                Some((Place { file: &origin.file, text: text?, line: origin.line, column: origin.column }, role))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
