//! A message's templates compiled, in each of its languages, and which of them is for whom.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::{Asset, LocaleVariant, Part, TemplateSource};
use dsl::template::{canonical_locale, fallback, partials_reached};
use handlebars::Template;

use super::Addressee;
use super::prepare::{self, Format};
use super::reads::Reads;

pub(super) struct Message {
    /// Without a locale; missing where there are only languages.
    plain: Option<Variant>,
    locales: BTreeMap<String, Variant>,
    /// For a definition that holds nothing at all.
    empty: Variant,
    pub utm: BTreeMap<String, String>,
}

#[derive(Default)]
pub(super) struct Variant {
    pub subject: Option<Template>,
    pub preheader: Option<Template>,
    /// The layout or a partial prints the preheader itself.
    pub shows_preheader: bool,
    pub html: Option<Body>,
    pub text: Option<Body>,
    /// By channel.
    pub bodies: BTreeMap<String, Template>,
    pub attachments: Vec<Asset>,
    pub images: Vec<Asset>,
    /// What its texts read, without the partials in them.
    pub reads: Reads,
}

pub(super) struct Body {
    pub body: Template,
    pub layout: Option<Template>,
}

impl Message {
    /// `shows_preheader`: the partials that print the preheader.
    pub fn compile(
        source: &TemplateSource,
        partials: &BTreeMap<String, String>,
        shows_preheader: &BTreeSet<String>,
    ) -> Result<Message, String> {
        let compile = |variant: &LocaleVariant| Variant::compile(variant, partials, shows_preheader);
        let plain = LocaleVariant {
            subject: source.subject.clone(),
            preheader: source.preheader.clone(),
            html: source.html.clone(),
            text: source.text.clone(),
            bodies: source.bodies.clone(),
            attachments: source.attachments.clone(),
            images: source.images.clone(),
        };
        let none = plain.html.is_none() && plain.text.is_none() && plain.bodies.is_empty() && !source.locales.is_empty();
        let mut locales = BTreeMap::new();
        for (locale, variant) in &source.locales {
            locales.insert(locale.clone(), compile(variant)?);
        }
        let plain = if none { None } else { Some(compile(&plain)?) };
        Ok(Message { plain, locales, empty: Variant::default(), utm: source.utm.clone() })
    }

    /// In whatever language.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.plain.iter().chain(self.locales.values())
    }

    /// The variant for this reader, and the language in which its dates and numbers are written: that of its words, with the reader's region.
    pub fn for_reader(&self, to: &Addressee<'_>) -> (&Variant, String) {
        if self.locales.is_empty() {
            return (self.plain.as_ref().unwrap_or(&self.empty), to.language());
        }
        let chosen = fallback(to.locale, to.project_locale, |tag| self.locales.contains_key(tag));
        let found = chosen.as_ref().and_then(|tag| Some((tag.clone(), self.locales.get(tag)?)));
        let project = || canonical_locale(to.project_locale).unwrap_or_else(|| "en".to_owned());
        let (tag, variant) = match (found, &self.plain) {
            (Some(found), _) => found,
            (None, Some(plain)) => (project(), plain),
            // The project's language changed under a definition of its past.
            (None, None) => match self.locales.first_key_value() {
                Some((tag, variant)) => (tag.clone(), variant),
                None => (project(), &self.empty),
            },
        };
        let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        let readers = to.locale.and_then(canonical_locale);
        // A reader of `de-AT` has Austrian numbers also in what is written for `de`; but words for Brazil stay Brazilian.
        match readers.filter(|readers| language(readers) == language(&tag) && readers.starts_with(&tag)) {
            Some(readers) => (variant, readers),
            None => (variant, tag),
        }
    }
}

impl Variant {
    fn compile(
        source: &LocaleVariant,
        partials: &BTreeMap<String, String>,
        shows_preheader: &BTreeSet<String>,
    ) -> Result<Variant, String> {
        let header = |text: &Option<String>| text.as_ref().map(|text| prepare::message(text, Format::Text)).transpose();
        let html = source.html.as_ref().map(|part| Body::compile(part, Format::Html)).transpose()?;
        let layout = html.as_ref().and_then(|html| html.layout.as_ref());
        let written = source.html.as_ref().and_then(|html| html.layout.as_deref());
        let in_partial = !partials_reached(written, partials).is_disjoint(shows_preheader);
        let mut bodies = BTreeMap::new();
        for (channel, body) in &source.bodies {
            bodies.insert(channel.clone(), prepare::message(body, Format::Text)?);
        }
        let mut variant = Variant {
            subject: header(&source.subject)?,
            preheader: header(&source.preheader)?,
            shows_preheader: in_partial || layout.is_some_and(prepare::prints_preheader),
            text: source.text.as_ref().map(|part| Body::compile(part, Format::Text)).transpose()?,
            html,
            bodies,
            attachments: source.attachments.clone(),
            images: source.images.clone(),
            reads: Reads::default(),
        };
        variant.reads = variant.all_reads();
        Ok(variant)
    }

    fn all_reads(&self) -> Reads {
        let parts = [&self.html, &self.text].into_iter().flatten();
        let texts = parts.flat_map(|part| [Some(&part.body), part.layout.as_ref()]).flatten();
        let mut reads = Reads::default();
        texts.chain(self.bodies.values()).for_each(|text| reads.template(text));
        self.subject.iter().chain(&self.preheader).for_each(|text| reads.words(text));
        reads
    }
}

impl Body {
    fn compile(part: &Part, format: Format) -> Result<Body, String> {
        let layout = part.layout.as_ref().map(|layout| prepare::message(layout, format)).transpose()?;
        Ok(Body { body: prepare::message(&part.source, format)?, layout })
    }
}
