//! Putting one message together from its files: its languages, its bodies, its layout, and what goes with it.

use std::collections::{BTreeMap, BTreeSet};

use super::build::{self, Builder};
use super::effort::Effort;
use super::facts::Facts;
use super::files::{ENDING, FOLDER, Format, LAYOUTS};
use super::front_matter::{FrontMatter, Written};
use super::load::{Findings, Loader, layout_file};
use super::locale::fallback;
use super::place::Place;
use super::structure::Role;
use super::vocabulary::suggestion;
use super::{Origin, TextOrigin, WrittenText};
use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::model::{Asset, LocaleVariant, Part, TemplateSource};

/// What the files that go with one message may hold together, in bytes.
const MAX_FILES: u64 = 10 * 1024 * 1024;

/// One body of a message.
pub(super) struct Body<'a> {
    pub file: &'a str,
    pub front: FrontMatter,
    pub text: &'a str,
    pub line: usize,
}

/// The bodies of a message in one language.
type Bodies<'a> = BTreeMap<Format, Body<'a>>;
/// A message's languages; `None`: without a locale.
pub(super) type Variants<'a> = BTreeMap<Option<String>, Bodies<'a>>;

/// Puts messages together from what a project has read.
pub(super) struct Maker<'a, 's> {
    pub shared: &'s Loader<'a>,
    /// Each with its name.
    pub made: Vec<(String, TemplateSource, Origin)>,
    pub found: Findings,
    pub effort: Effort,
}

impl<'a> Maker<'a, '_> {
    pub fn message(&mut self, name: &str, variants: &Variants<'a>) {
        let before = self.found.diagnostics.len();
        let mut wide = FrontMatter::default();
        for body in variants.values().flat_map(BTreeMap::values) {
            let own = body.front.clone();
            self.merge("topic", &mut wide.topic, own.topic);
            self.merge("channel", &mut wide.channel, own.channel);
            self.merge("needs", &mut wide.needs, own.needs);
            self.merge("utm", &mut wide.utm, own.utm);
        }
        let fronts: BTreeMap<&Option<String>, FrontMatter> =
            variants.iter().map(|(locale, bodies)| (locale, self.front(bodies))).collect();
        let base = self.base(variants);
        let mut template = TemplateSource {
            channel: wide.channel.as_ref().map(|channel| channel.value.clone()).or_else(|| only_channel(variants)),
            topic: wide.topic.as_ref().map(|topic| topic.value.clone()),
            needs: wide.needs.map(|needs| needs.value).unwrap_or_default(),
            utm: wide.utm.map(|utm| utm.value).unwrap_or_default(),
            ..TemplateSource::default()
        };
        let mut origin = Origin {
            topic: wide.topic.map(|topic| topic.location),
            channels: wide.channel.map(|channel| (channel.value, channel.location)).into_iter().collect(),
            ..Origin::default()
        };
        let by_mail = template.channel.as_deref().is_none_or(|channel| channel == "email");
        for (locale, bodies) in variants {
            let front = filled(fronts.get(locale), fronts.get(&base));
            self.check_front(&front, bodies, by_mail, before);
            let variant = self.variant(locale.as_deref(), bodies, &front, &mut origin);
            match locale {
                None => {
                    template.subject = variant.subject;
                    template.preheader = variant.preheader;
                    template.html = variant.html;
                    template.text = variant.text;
                    template.bodies = variant.bodies;
                    template.attachments = variant.attachments;
                    template.images = variant.images;
                }
                Some(locale) => {
                    template.locales.insert(locale.clone(), variant);
                }
            }
        }
        self.made.push((name.to_owned(), template, origin));
    }

    /// The variant that others take from what they do not say themselves.
    fn base(&mut self, variants: &Variants<'a>) -> Option<String> {
        let has = |tag: &str| variants.contains_key(&Some(tag.to_owned()));
        let base = if variants.contains_key(&None) { None } else { fallback(None, self.shared.folder.locale, has) };
        if variants.contains_key(&base) {
            return base;
        }
        let (first, bodies) = variants.iter().next().map(|(locale, bodies)| (locale.clone(), bodies)).unzip();
        if let Some(body) = bodies.and_then(|bodies: &Bodies<'a>| bodies.values().next()) {
            let project = self.shared.folder.locale;
            let message =
                "readers of other languages would be sent nothing: this message has no variant without a language".to_owned();
            let help = format!(
                "add one without, or in the project's language (`{project}`): NAME.html{ENDING} or NAME.{project}.html{ENDING}"
            );
            self.found.at_file(Severity::Error, "missing-fallback", body.file, message, Some(help));
        }
        first.flatten()
    }

    /// What the files of one language say together.
    fn front(&mut self, bodies: &Bodies<'a>) -> FrontMatter {
        let mut front = FrontMatter::default();
        for body in bodies.values() {
            let own = body.front.clone();
            self.merge("subject", &mut front.subject, own.subject);
            self.merge("preheader", &mut front.preheader, own.preheader);
            self.merge("layout", &mut front.layout, own.layout);
            if own.attachments.is_some() {
                front.attachments = own.attachments;
            }
        }
        front
    }

    fn merge<T: PartialEq>(&mut self, key: &str, into: &mut Option<Written<T>>, from: Option<Written<T>>) {
        match (&*into, from) {
            (Some(first), Some(second)) if first.value != second.value => {
                let message = format!("`{key}` is something else in {}", first.location.file);
                let help = Some("say it in one of the files".to_owned());
                let location = second.location;
                let code = "conflicting-front-matter";
                self.found.diagnostics.push(Diagnostic { help, ..Diagnostic::error(code, location, message) });
            }
            (None, from) => *into = from,
            _ => {}
        }
    }

    /// `before`: how much had been found before this message.
    fn check_front(&mut self, front: &FrontMatter, bodies: &Bodies<'a>, by_mail: bool, before: usize) {
        let mail = bodies.iter().find(|(format, _)| !matches!(format, Format::Channel(_)));
        if let (None, Some((_, body)), true) = (&front.subject, mail, by_mail) {
            let help = Some("begin the file with front matter:\n---\nsubject: Your order\n---".to_owned());
            self.found.at_file(Severity::Error, "missing-subject", body.file, "this message has no subject".to_owned(), help);
        }
        let Some(layout) = &front.layout else { return };
        let known = |format: Format| self.shared.layouts.keys().any(|(name, kind, _)| *name == layout.value && *kind == format);
        let unsuited = [(Format::Html, "html", Format::Mjml), (Format::Mjml, "mjml", Format::Html)]
            .into_iter()
            .find(|(format, _, other)| bodies.contains_key(format) && !known(format.clone()) && known(other.clone()));
        let missing = ![Format::Html, Format::Mjml, Format::Text].into_iter().any(known);
        let (message, help) = match unsuited {
            Some((_, ending, _)) => (
                format!("the layout `{}` is not for {}", layout.value, ending.to_uppercase()),
                Some(format!("write {FOLDER}{LAYOUTS}{}.{ending}{ENDING} as well", layout.value)),
            ),
            None if missing => {
                let names: BTreeSet<&str> = self.shared.layouts.keys().map(|(name, _, _)| *name).collect();
                let names: Vec<&str> = names.into_iter().collect();
                let message = format!("there is no layout `{}` under {FOLDER}{LAYOUTS}", layout.value);
                (message, suggestion(&layout.value, &names, "layouts"))
            }
            None => return,
        };
        let location = layout.location.clone();
        // A variant that has its layout from another one must not repeat what is said there.
        if !self.found.diagnostics[before..].iter().any(|found| found.code == "unknown-layout" && found.location == location) {
            self.found.diagnostics.push(Diagnostic { help, ..Diagnostic::error("unknown-layout", location, message) });
        }
    }

    fn variant(&mut self, locale: Option<&str>, bodies: &Bodies<'a>, front: &FrontMatter, origin: &mut Origin) -> LocaleVariant {
        let mut variant = LocaleVariant {
            subject: front.subject.as_ref().map(|subject| subject.value.clone()),
            preheader: front.preheader.as_ref().map(|preheader| preheader.value.clone()),
            ..LocaleVariant::default()
        };
        for written in [&front.subject, &front.preheader].into_iter().flatten() {
            let text = WrittenText { text: written.value.clone(), at: origin_of(written), role: Role::Text };
            if !origin.texts.contains(&text) {
                self.found.structure(text.place(), Role::Text, &self.shared.library.partials);
                origin.texts.push(text);
            }
        }
        let mut faulty = BTreeSet::new();
        for (format, body) in bodies {
            let role = if matches!(format, Format::Html | Format::Mjml) { Role::Html } else { Role::Text };
            let at = TextOrigin { file: body.file.to_owned(), line: body.line, column: 1 };
            let text = WrittenText { text: body.text.to_owned(), at, role };
            if !self.found.structure(text.place(), role, &self.shared.library.partials) {
                faulty.insert(format);
            }
            self.found.addresses(text.place(), role, self.shared.folder);
            origin.texts.push(text);
            let layout = front.layout.as_ref().and_then(|layout| self.shared.layout(&layout.value, format.clone(), locale));
            origin.layouts.extend(layout.map(str::to_owned));
            match format {
                Format::Channel(channel) => {
                    let location = Location { file: body.file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
                    origin.channels.push((channel.clone(), location));
                    variant.bodies.insert(channel.clone(), body.text.to_owned());
                }
                Format::Text => {
                    let layout = layout.and_then(|key| self.shared.library.layouts.get(key).cloned());
                    variant.text = Some(Part { source: body.text.to_owned(), layout });
                }
                Format::Html | Format::Mjml => {
                    let (part, images) = self.html(body, *format == Format::Mjml, layout);
                    variant.html = part;
                    variant.images = images;
                }
            }
        }
        self.attachments(front, &mut variant);
        // Of a message that could not be made, nothing is known but its errors.
        let html = |format: &Format| matches!(format, Format::Html | Format::Mjml);
        let made = variant.html.is_some() || !bodies.keys().any(html);
        let first = [Format::Html, Format::Mjml, Format::Text].iter().find_map(|format| Some((format, bodies.get(format)?)));
        if let Some((_, body)) = first.filter(|(format, _)| made && !faulty.contains(format)) {
            let at = Location { file: body.file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
            origin.facts.push(Facts::of(&variant, at, &self.shared.library.partials));
        }
        variant
    }

    fn html(&mut self, body: &Body<'a>, mjml: bool, layout: Option<&str>) -> (Option<Part>, Vec<Asset>) {
        let layout = layout.and_then(|key| Some((layout_file(key), self.shared.library.layouts.get(key)?.clone())));
        let layout = layout.as_ref().map(|(file, text)| Place::file(file, text));
        let place = Place { file: body.file, text: body.text, line: body.line, column: 1 };
        let builder =
            Builder { partials: self.shared.partials(), assets: self.shared.folder.assets, to_run: self.shared.folder.to_run };
        let mut found = Vec::new();
        let part = if mjml {
            builder.mjml(place, layout, &mut self.effort, &mut found)
        } else {
            Some(builder.html(place, layout, &mut self.effort, &mut found))
        };
        let mut images = BTreeSet::new();
        let part = part.map(|part| Part {
            source: builder.embed(&part.source, &mut images),
            layout: part.layout.map(|layout| builder.embed(&layout, &mut images)),
        });
        let texts = part.iter().flat_map(|part| std::iter::once(part.source.as_str()).chain(part.layout.as_deref()));
        for name in super::partials_reached(texts, &self.shared.library.partials) {
            images.extend(self.shared.library.with_images.get(&name).map(|(_, images)| images.clone()).unwrap_or_default());
        }
        self.found.diagnostics.extend(found);
        (part, images.into_iter().collect())
    }

    fn attachments(&mut self, front: &FrontMatter, variant: &mut LocaleVariant) {
        let none = BTreeMap::new();
        let builder = Builder { partials: &none, assets: self.shared.folder.assets, to_run: true };
        for written in front.attachments.iter().flatten() {
            match builder.asset(&written.value, false) {
                Ok(asset) => variant.attachments.push(asset),
                Err(why) => {
                    let missing = build::missing(written.location.clone(), why);
                    if !self.found.diagnostics.contains(&missing) {
                        self.found.diagnostics.push(missing);
                    }
                }
            }
        }
        let size: u64 = variant.attachments.iter().chain(&variant.images).map(|asset| asset.size).sum();
        let at = front.attachments.iter().flatten().next().map(|written| written.location.clone());
        if let (true, Some(location)) = (size > MAX_FILES, at) {
            let message =
                format!("the files that go with this message hold {} MiB together; mail servers take at most 10", size >> 20);
            let help = Some("put them on a web server, and link to them".to_owned());
            self.found.diagnostics.push(Diagnostic { help, ..Diagnostic::error("files-too-large", location, message) });
        }
    }
}

/// What one language says, and for the rest what the variant says that it falls back to.
fn filled(own: Option<&FrontMatter>, base: Option<&FrontMatter>) -> FrontMatter {
    let own = own.cloned().unwrap_or_default();
    let base = base.cloned().unwrap_or_default();
    FrontMatter {
        subject: own.subject.or(base.subject),
        preheader: own.preheader.or(base.preheader),
        layout: own.layout.or(base.layout),
        attachments: own.attachments.or(base.attachments),
        ..FrontMatter::default()
    }
}

/// The channel of a message that has one body for one channel, and none for mail.
fn only_channel(variants: &Variants<'_>) -> Option<String> {
    let mut channels = BTreeSet::new();
    for format in variants.values().flat_map(BTreeMap::keys) {
        match format {
            Format::Channel(channel) => channels.insert(channel.clone()),
            _ => return None,
        };
    }
    (channels.len() == 1).then(|| channels.into_iter().next()).flatten()
}

fn origin_of(written: &Written<String>) -> TextOrigin {
    TextOrigin { file: written.location.file.clone(), line: written.line, column: written.column }
}
