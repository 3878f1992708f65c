//! Reading the files under templates/: which message, layout or partial each is, and whether they fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::front_matter::{self, FrontMatter, Written};
use super::partials;
use super::place::Place;
use super::structure::{self, Role};
use super::syntax;
use super::vocabulary::suggestion;
use super::{Library, Origin, TextOrigin};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::model::{Part, TemplateSource};

const FOLDER: &str = "templates/";
const LAYOUTS: &str = "layouts/";
const PARTIALS: &str = "partials/";
const ENDING: &str = ".hbs";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Html,
    Text,
}

/// One body of a message.
struct Body<'a> {
    file: &'a str,
    front: FrontMatter,
    text: &'a str,
    line: usize,
}

#[derive(Default)]
struct Bodies<'a> {
    html: Option<Body<'a>>,
    text: Option<Body<'a>>,
}

pub(super) fn load(files: &BTreeMap<String, String>) -> (Library, Vec<Diagnostic>) {
    let mut loader = Loader { library: Library::default(), diagnostics: Vec::new(), bodies: BTreeMap::new() };
    for (file, text) in files {
        loader.file(file, text);
    }
    let bodies = std::mem::take(&mut loader.bodies);
    for (name, bodies) in bodies {
        loader.message(name, bodies);
    }
    loader.check_shared();
    let Loader { library, mut diagnostics, .. } = loader;
    diagnostics.extend(partials::faults(&library.partials));
    diagnostics.sort_by(|a, b| a.location.cmp(&b.location));
    (library, diagnostics)
}

struct Loader<'a> {
    library: Library,
    diagnostics: Vec<Diagnostic>,
    bodies: BTreeMap<String, Bodies<'a>>,
}

impl<'a> Loader<'a> {
    fn file(&mut self, file: &'a str, text: &'a str) {
        let Some(path) = file.strip_prefix(FOLDER) else {
            return;
        };
        let Some(stem) = path.strip_suffix(ENDING) else {
            if [".html", ".txt", ".mjml"].iter().any(|ending| path.ends_with(ending)) {
                let help = Some(format!("rename it to {file}{ENDING}, or move it out of {FOLDER}"));
                self.at_file(
                    Severity::Warning,
                    "not-a-template",
                    file,
                    "this file is not read: templates end in .hbs".to_owned(),
                    help,
                );
            }
            return;
        };
        if let Some(name) = stem.strip_prefix(PARTIALS) {
            if self.name_is_good(file, name) {
                self.no_front_matter(file, text, "a partial");
                self.library.partials.insert(name.to_owned(), text.to_owned());
            }
        } else if let Some(stem) = stem.strip_prefix(LAYOUTS) {
            if let Some((name, format)) = self.ending(file, stem) {
                self.no_front_matter(file, text, "a layout");
                self.library.layouts.insert(layout_key(name, format), text.to_owned());
            }
        } else if let Some((name, format)) = self.ending(file, stem) {
            let split = front_matter::split(file, text, &mut self.diagnostics);
            let body = Body { file, front: split.front, text: split.body, line: split.body_line };
            let bodies = self.bodies.entry(name.to_owned()).or_default();
            match format {
                Format::Html => bodies.html = Some(body),
                Format::Text => bodies.text = Some(body),
            }
        }
    }

    /// Front matter in here would be printed into the message.
    fn no_front_matter(&mut self, file: &str, text: &str, what: &str) {
        let mut lines = text.lines();
        if lines.next().is_some_and(|line| line.trim_end() == "---") && lines.any(|line| line.trim_end() == "---") {
            let help = Some("move it to the top of the message's template, and remove it here".to_owned());
            let message = format!("{what} has no front matter: this would be printed into the message");
            self.at_file(Severity::Error, "front-matter", file, message, help);
        }
    }

    /// Takes `welcome.html` apart; reports what this release can't send.
    fn ending<'s>(&mut self, file: &str, stem: &'s str) -> Option<(&'s str, Format)> {
        let folder = stem.rfind('/').map_or(0, |slash| slash + 1);
        let Some((before, ending)) = stem[folder..].rsplit_once('.') else {
            let help = Some(format!("rename it to {FOLDER}{stem}.html{ENDING} or {FOLDER}{stem}.txt{ENDING}"));
            self.at_file(Severity::Error, "template-name", file, "this name does not say what the file holds".to_owned(), help);
            return None;
        };
        let (name, locale) = before.split_once('.').map_or((before, None), |(name, locale)| (name, Some(locale)));
        if !self.name_is_good(file, &stem[..folder + name.len()]) {
            return None;
        }
        let help = Some("this release sends html and txt, in one language".to_owned());
        match locale {
            Some(locale) if is_locale(locale) => {
                self.at_file(
                    Severity::Error,
                    "not-yet",
                    file,
                    format!("templates by language (`{locale}`) are not supported yet"),
                    help,
                );
                return None;
            }
            Some(_) => {
                let help = Some(format!("templates are named NAME.html{ENDING} or NAME.txt{ENDING}, and NAME has no dots"));
                self.at_file(Severity::Error, "template-name", file, format!("`{before}` is not a template's name"), help);
                return None;
            }
            None => {}
        }
        let format = match ending {
            "html" => Format::Html,
            "txt" => Format::Text,
            "mjml" => {
                self.at_file(Severity::Error, "not-yet", file, "MJML is not supported yet".to_owned(), help);
                return None;
            }
            channel => {
                self.at_file(
                    Severity::Error,
                    "not-yet",
                    file,
                    format!("messages for the channel `{channel}` are not supported yet"),
                    help,
                );
                return None;
            }
        };
        Some((&stem[..folder + name.len()], format))
    }

    fn name_is_good(&mut self, file: &str, name: &str) -> bool {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let good = name
            .split('/')
            .all(|segment| segment.starts_with(|c: char| c.is_ascii_alphanumeric()) && segment.chars().all(letter));
        if !good {
            let help = Some("use lower-case letters, digits, `-` and `_`, and begin with a letter or digit".to_owned());
            self.at_file(Severity::Error, "template-name", file, format!("`{name}` is not a name"), help);
        }
        good
    }

    fn message(&mut self, name: String, bodies: Bodies<'a>) {
        let mut front = FrontMatter::default();
        for body in [&bodies.html, &bodies.text].into_iter().flatten() {
            let own = body.front.clone();
            self.merge("subject", &mut front.subject, own.subject);
            self.merge("preheader", &mut front.preheader, own.preheader);
            self.merge("layout", &mut front.layout, own.layout);
            self.merge("topic", &mut front.topic, own.topic);
            self.merge("channel", &mut front.channel, own.channel);
            self.merge("needs", &mut front.needs, own.needs);
        }
        self.check_front(&front, bodies.html.as_ref().or(bodies.text.as_ref()).map(|body| body.file));
        let layout = |format| {
            front
                .layout
                .as_ref()
                .map(|layout| layout_key(&layout.value, format))
                .filter(|key| self.library.layouts.contains_key(key))
        };
        let origin = Origin {
            html: bodies.html.as_ref().map(|body| TextOrigin { file: body.file.to_owned(), line: body.line, column: 1 }),
            text: bodies.text.as_ref().map(|body| TextOrigin { file: body.file.to_owned(), line: body.line, column: 1 }),
            subject: front.subject.as_ref().map(origin_of),
            preheader: front.preheader.as_ref().map(origin_of),
            topic: front.topic.as_ref().map(|topic| topic.location.clone()),
            html_layout: bodies.html.as_ref().and_then(|_| layout(Format::Html)),
            text_layout: bodies.text.as_ref().and_then(|_| layout(Format::Text)),
        };
        let part = |body: &Body<'_>, layout: &Option<String>| Part {
            source: body.text.to_owned(),
            layout: layout.as_ref().and_then(|key| self.library.layouts.get(key).cloned()),
        };
        let template = TemplateSource {
            channel: front.channel.map(|channel| channel.value),
            subject: front.subject.map(|subject| subject.value),
            preheader: front.preheader.map(|preheader| preheader.value),
            topic: front.topic.map(|topic| topic.value),
            needs: front.needs.map(|needs| needs.value).unwrap_or_default(),
            html: bodies.html.as_ref().map(|body| part(body, &origin.html_layout)),
            text: bodies.text.as_ref().map(|body| part(body, &origin.text_layout)),
            ..TemplateSource::default()
        };
        for (place, role) in origin.texts(&template) {
            self.structure(place, role);
        }
        self.library.templates.insert(name.clone(), template);
        self.library.origins.insert(name, origin);
    }

    fn merge<T: PartialEq>(&mut self, key: &str, into: &mut Option<Written<T>>, from: Option<Written<T>>) {
        match (&*into, from) {
            (Some(first), Some(second)) if first.value != second.value => {
                let message = format!("`{key}` is something else in {}", first.location.file);
                let help = Some("say it in one of the two files".to_owned());
                self.diagnostics.push(Diagnostic {
                    code: "conflicting-front-matter",
                    severity: Severity::Error,
                    message,
                    location: second.location,
                    help,
                });
            }
            (None, from) => *into = from,
            _ => {}
        }
    }

    fn check_front(&mut self, front: &FrontMatter, file: Option<&str>) {
        if let (None, Some(file)) = (&front.subject, file) {
            let help = Some("begin the file with front matter:\n---\nsubject: Your order\n---".to_owned());
            self.at_file(Severity::Error, "missing-subject", file, "this message has no subject".to_owned(), help);
        }
        if let Some(layout) = &front.layout {
            let known = |format| self.library.layouts.contains_key(&layout_key(&layout.value, format));
            if !known(Format::Html) && !known(Format::Text) {
                let names: BTreeSet<_> =
                    self.library.layouts.keys().filter_map(|key| key.rsplit_once('.')).map(|(name, _)| name).collect();
                let names: Vec<_> = names.into_iter().collect();
                let message = format!("there is no layout `{}` under {FOLDER}{LAYOUTS}", layout.value);
                let help = suggestion(&layout.value, &names, "layouts");
                self.diagnostics.push(Diagnostic {
                    code: "unknown-layout",
                    severity: Severity::Error,
                    message,
                    location: layout.location.clone(),
                    help,
                });
            }
        }
        if let Some(channel) = front.channel.as_ref().filter(|channel| channel.value != "email") {
            let message = format!("messages for the channel `{}` are not supported yet", channel.value);
            let help = Some("this release sends email".to_owned());
            self.diagnostics.push(Diagnostic {
                code: "not-yet",
                severity: Severity::Error,
                message,
                location: channel.location.clone(),
                help,
            });
        }
    }

    fn check_shared(&mut self) {
        let layouts = std::mem::take(&mut self.library.layouts);
        for (key, text) in &layouts {
            let role = if key.ends_with(".html") { Role::HtmlLayout } else { Role::TextLayout };
            self.structure(Place::file(&format!("{FOLDER}{LAYOUTS}{key}{ENDING}"), text), role);
        }
        self.library.layouts = layouts;
        let partials = self.library.partials.clone();
        for (name, text) in &partials {
            self.structure(Place::file(&partials::file_of(name), text), Role::Partial);
        }
    }

    fn structure(&mut self, place: Place<'_>, role: Role) {
        let found = match syntax::parse(place.text) {
            Ok(nodes) => structure::check(place, &nodes, role, &self.library.partials),
            Err(fault) => vec![place.error(fault.code, fault.span, fault.message, fault.help)],
        };
        self.diagnostics.extend(found);
    }

    fn at_file(&mut self, severity: Severity, code: &'static str, file: &str, message: String, help: Option<String>) {
        let location = Location { file: file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
        self.diagnostics.push(Diagnostic { code, severity, message, location, help });
    }
}

fn layout_key(name: &str, format: Format) -> String {
    match format {
        Format::Html => format!("{name}.html"),
        Format::Text => format!("{name}.txt"),
    }
}

fn origin_of(written: &Written<String>) -> TextOrigin {
    TextOrigin { file: written.location.file.clone(), line: written.line, column: written.column }
}

/// Two letters, or two letters and a region: `de`, `de-AT`, `pt_BR`.
fn is_locale(text: &str) -> bool {
    let (language, region) = text.split_once(['-', '_']).map_or((text, None), |(language, region)| (language, Some(region)));
    let letters = |part: &str| part.len() == 2 && part.chars().all(|c| c.is_ascii_alphabetic());
    letters(language) && region.is_none_or(letters)
}
