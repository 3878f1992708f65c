//! Rendering: a definition's templates compiled once, and messages made of them for one contact after the other.

mod addressee;
mod formats;
mod helpers;
mod links;
mod mentions;
mod money;
mod outcome;
mod plain_text;
mod prepare;
mod reads;
mod registry;
mod request;
mod safety;
mod variant;
mod with;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, OnceLock, RwLock};

use dsl::model::{Asset, Definition, TemplateSource};
use handlebars::{Context, Handlebars, Output, RenderContext, RenderErrorReason, Renderable, Template};
use serde_json::{Map, Value};

pub use self::addressee::Addressee;
use self::links::Own;
pub use self::mentions::of_contact;
use self::outcome::Outcomes;
use self::prepare::Format;
use self::reads::Reads;
use self::registry::Stop;
pub use self::request::{Place, Rendering, RequestText};
use self::variant::{Body, Message, Variant};

/// The longest part of a message, in bytes.
const MAX_OUTPUT: usize = 2 * 1024 * 1024;
/// How many inline texts are kept compiled.
const MAX_INLINE: usize = 1_024;

/// Why a message could not be made. The words never hold the contact's data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("the definition has no template `{0}`")]
    UnknownTemplate(String),
    #[error("the template `{template}` can't be compiled: {reason}; `campaignd validate` shows the place")]
    Invalid { template: String, reason: String },
    #[error(
        "`{variable}` is missing in the {part} of the template `{template}`; write {{{{default {variable} \"…\"}}}} to say what stands there instead"
    )]
    Missing { template: String, part: &'static str, variable: String },
    #[error("the {part} of the template `{template}` is longer than 2 MiB; shorten the lists it goes through")]
    TooLarge { template: String, part: &'static str },
    #[error("the {part} of the template `{template}` can't be made: {reason}")]
    Failed { template: String, part: &'static str, reason: String },
}

/// One message for one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: Option<String>,
    pub html: Option<String>,
    /// Never missing where there is an HTML part.
    pub text: Option<String>,
    /// The language that it is written in.
    pub locale: String,
    /// Files that go with it.
    pub attachments: Vec<Asset>,
    /// Images that the HTML part shows under [`Asset::content_id`].
    pub images: Vec<Asset>,
}

/// The templates of one definition, compiled. Shared by threads.
pub struct Templates {
    html: Handlebars<'static>,
    text: Handlebars<'static>,
    messages: BTreeMap<String, Message>,
    /// What each partial reads, without those in it.
    partial_reads: BTreeMap<String, Reads>,
    /// Inline texts compiled so far, by source.
    inline: RwLock<HashMap<String, Arc<Template>>>,
    outcomes: Outcomes,
}

impl Templates {
    /// Compiles everything that the definition sends.
    pub fn compile(definition: &Definition) -> Result<Templates, RenderError> {
        Templates::of(&definition.templates, &definition.partials)
    }

    /// Compiles these templates, which may use these partials.
    pub fn of(
        templates: &BTreeMap<String, TemplateSource>,
        partials: &BTreeMap<String, String>,
    ) -> Result<Templates, RenderError> {
        if dsl::template::never_end(partials) {
            let reason = "its partials pull in themselves, or nest too deep".to_owned();
            return Err(RenderError::Invalid { template: "templates/partials/".to_owned(), reason });
        }
        let (mut html, mut text) = (registry::html(), registry::text());
        let mut shows_preheader = BTreeSet::new();
        let mut partial_reads = BTreeMap::new();
        for (name, source) in partials {
            let invalid = |reason| RenderError::Invalid { template: format!("partials/{name}"), reason };
            let partial = prepare::partial(source, Format::Html).map_err(invalid)?;
            if prepare::prints_preheader(&partial) {
                shows_preheader.insert(name.clone());
            }
            let mut reads = Reads::default();
            reads.template(&partial);
            partial_reads.insert(name.clone(), reads);
            html.register_template(name, partial);
            text.register_template(name, prepare::partial(source, Format::Text).map_err(invalid)?);
        }
        let mut messages = BTreeMap::new();
        for (name, source) in templates {
            let message = Message::compile(source, partials, &shows_preheader)
                .map_err(|reason| RenderError::Invalid { template: name.clone(), reason })?;
            messages.insert(name.clone(), message);
        }
        Ok(Templates { html, text, messages, partial_reads, inline: RwLock::default(), outcomes: Outcomes::default() })
    }

    /// Makes one message. `data` is an object: `contact`, `event`, `vars`, `message`, `unsubscribe_url`, `preferences_url`, and beside them
    /// what the step's `with` gives. A null counts as missing. `locale` and `now` are added.
    pub fn render(&self, template: &str, data: &Value, to: &Addressee<'_>) -> Result<Rendered, RenderError> {
        let message = self.messages.get(template).ok_or_else(|| RenderError::UnknownTemplate(template.to_owned()))?;
        let (variant, locale) = message.for_reader(to);
        addressee::begin(&locale, &to.zone);
        let mut run = Run::new(template, data, &locale, to);
        let header = |run: &Run<'_>, source: &Option<Template>, part| {
            let line = source.as_ref().map(|source| run.part(&self.text, source, part)).transpose()?;
            Ok(line.map(|line| safety::one_line(&line)))
        };
        let subject = header(&run, &variant.subject, "subject")?;
        if to.channel != "email" {
            let text = self.other_channel(&mut run, variant, subject.as_deref(), to.channel)?;
            return Ok(Rendered { subject, html: None, text, locale, attachments: Vec::new(), images: Vec::new() });
        }
        let preheader = header(&run, &variant.preheader, "preheader")?;
        let html = run.body(&self.html, &variant.html, "HTML part")?;
        let text = run.body(&self.text, &variant.text, "text part")?;
        // Bodies first: they may have names of their own for what layouts see.
        run.give("subject", subject.as_deref().unwrap_or_default());
        run.give("preheader", preheader.as_deref().unwrap_or_default());
        let html = run.layout(&self.html, &variant.html, html, "HTML part")?;
        let text = run.layout(&self.text, &variant.text, text, "text part")?;
        let (html, text) = run.with_links(html, text, &message.utm, &locale, to.marketing);
        let text = text.or_else(|| html.as_deref().map(plain_text::of));
        let html = match (html, preheader) {
            (Some(html), Some(preheader)) if !variant.shows_preheader => Some(with_preheader(html, &preheader)),
            (html, _) => html,
        };
        let (attachments, images) = (variant.attachments.clone(), variant.images.clone());
        Ok(Rendered { subject, html, text, locale, attachments, images })
    }

    /// The body for a channel that carries plain text: its own, else that of the mail.
    fn other_channel(
        &self,
        run: &mut Run<'_>,
        variant: &Variant,
        subject: Option<&str>,
        channel: &str,
    ) -> Result<Option<String>, RenderError> {
        if let Some(body) = variant.bodies.get(channel) {
            return run.part(&self.text, body, "text").map(|text| Some(text.trim_end().to_owned()));
        }
        let (registry, body) = if variant.text.is_some() { (&self.text, &variant.text) } else { (&self.html, &variant.html) };
        let rendered = run.body(registry, body, "text")?;
        run.give("subject", subject.unwrap_or_default());
        run.give("preheader", "");
        let rendered = run.layout(registry, body, rendered, "text")?;
        Ok(if variant.text.is_some() { rendered } else { rendered.as_deref().map(plain_text::of) })
    }

    /// Renders a `with` value of this definition as text, keeping its compiled form.
    pub fn inline_text(&self, source: &str, data: &Value, to: &Addressee<'_>) -> Result<String, RenderError> {
        let kept = self.inline.read().ok().and_then(|kept| kept.get(source).cloned());
        let template = match kept {
            Some(template) => template,
            None => {
                let template = Arc::new(compile_inline(source)?);
                if let Ok(mut kept) = self.inline.write()
                    && kept.len() < MAX_INLINE
                {
                    kept.insert(source.to_owned(), template.clone());
                }
                template
            }
        };
        let locale = to.language();
        addressee::begin(&locale, &to.zone);
        Run::new(INLINE, data, &locale, to).part(&self.text, &template, "text")
    }
}

/// What errors call a text that has no name.
const INLINE: &str = "(inline)";

/// Renders one text without a definition around it: no partials, dates in UTC, numbers as in English. The same rules as in text parts.
pub fn render_text(source: &str, data: &Value) -> Result<String, RenderError> {
    static REGISTRY: OnceLock<Handlebars<'static>> = OnceLock::new();
    let template = compile_inline(source)?;
    let to = Addressee::default();
    let locale = to.language();
    addressee::begin(&locale, &to.zone);
    Run::new(INLINE, data, &locale, &to).part(REGISTRY.get_or_init(registry::text), &template, "text")
}

fn compile_inline(source: &str) -> Result<Template, RenderError> {
    prepare::message(source, Format::Text).map_err(|reason| RenderError::Invalid { template: INLINE.to_owned(), reason })
}

/// One message being made.
struct Run<'a> {
    template: &'a str,
    context: Context,
}

impl<'a> Run<'a> {
    fn new(template: &'a str, data: &Value, locale: &str, to: &Addressee<'_>) -> Run<'a> {
        let mut context = Context::from(without_nulls(data));
        if let Value::Object(data) = context.data_mut() {
            data.entry("locale").or_insert_with(|| Value::String(locale.to_owned()));
            data.entry("now").or_insert_with(|| {
                let now = jiff::Timestamp::from_millisecond(to.now).unwrap_or_default();
                Value::String(now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            });
        }
        Run { template, context }
    }

    /// Both parts with their links marked, and with a way out where a marketing mail has none.
    fn with_links(
        &self,
        mut html: Option<String>,
        mut text: Option<String>,
        utm: &BTreeMap<String, String>,
        locale: &str,
        marketing: bool,
    ) -> (Option<String>, Option<String>) {
        let address = |name: &str| self.context.data().get(name).and_then(Value::as_str).map(str::to_owned);
        let own = Own { unsubscribe: address("unsubscribe_url"), preferences: address("preferences_url") };
        if !utm.is_empty() {
            html = html.map(|html| links::marked_html(&html, utm, &own));
            text = text.map(|text| links::marked_text(&text, utm, &own));
        }
        if let Some(url) = own.unsubscribe.as_deref().filter(|url| marketing && !url.is_empty()) {
            html = html.map(|html| if own.shown_in_html(&html) { html } else { links::with_way_out(&html, url, locale) });
            text = text.map(|text| if own.shown_in(&text) { text } else { links::text_with_way_out(&text, url, locale) });
        }
        (html, text)
    }

    /// Adds a name at the top level of the data.
    fn give(&mut self, name: &str, value: &str) {
        if let Value::Object(data) = self.context.data_mut() {
            data.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }

    fn body(
        &self,
        registry: &Handlebars<'static>,
        body: &Option<Body>,
        part: &'static str,
    ) -> Result<Option<String>, RenderError> {
        body.as_ref().map(|body| self.part(registry, &body.body, part)).transpose()
    }

    fn layout(
        &mut self,
        registry: &Handlebars<'static>,
        body: &Option<Body>,
        rendered: Option<String>,
        part: &'static str,
    ) -> Result<Option<String>, RenderError> {
        let Some(layout) = body.as_ref().and_then(|body| body.layout.as_ref()) else {
            return Ok(rendered);
        };
        self.give("body", rendered.as_deref().unwrap_or_default());
        self.part(registry, layout, part).map(Some)
    }

    fn part(&self, registry: &Handlebars<'static>, template: &Template, part: &'static str) -> Result<String, RenderError> {
        safety::begin();
        let mut out = Capped { text: String::with_capacity(8 * 1024), full: false };
        let result = template.render(registry, &self.context, &mut RenderContext::new(None), &mut out);
        let template = self.template.to_owned();
        if out.full || safety::printed_too_much() {
            return Err(RenderError::TooLarge { template, part });
        }
        match result {
            Ok(()) => Ok(out.text),
            Err(error) => Err(match stop_of(&error) {
                Some(Stop::Missing(variable)) => RenderError::Missing { template, part, variable: variable.clone() },
                Some(stop) => RenderError::Failed { template, part, reason: stop.to_string() },
                None => RenderError::Failed { template, part, reason: words(error.reason()).to_owned() },
            }),
        }
    }
}

fn stop_of(error: &handlebars::RenderError) -> Option<&Stop> {
    match error.reason() {
        RenderErrorReason::NestedError(stop) => stop.downcast_ref::<Stop>(),
        _ => None,
    }
}

/// What went wrong, without Handlebars' own message: that may quote data.
fn words(reason: &RenderErrorReason) -> &'static str {
    match reason {
        RenderErrorReason::PartialNotFound(_) | RenderErrorReason::PartialBlockNotFound => {
            "it names a partial that does not exist"
        }
        RenderErrorReason::HelperNotFound(_) => "it names a helper that does not exist",
        RenderErrorReason::CannotIncludeSelf => "a partial pulls in itself",
        RenderErrorReason::InvalidJsonIndex(_) => "it asks a list for a name; go through it with {{#each}}",
        RenderErrorReason::ParamNotFoundForIndex(..) | RenderErrorReason::ParamNotFoundForName(..) => {
            "a helper is given too few values"
        }
        _ => "Handlebars refuses it",
    }
}

/// Collects what is rendered, up to [`MAX_OUTPUT`].
struct Capped {
    text: String,
    full: bool,
}

impl Output for Capped {
    fn write(&mut self, segment: &str) -> Result<(), io::Error> {
        if self.text.len() + segment.len() > MAX_OUTPUT {
            self.full = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.text.push_str(segment);
        Ok(())
    }
}

/// A copy in which no object has a null member.
fn without_nulls(data: &Value) -> Value {
    match data {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        scalar => scalar.clone(),
    }
}

/// Puts the preheader where mail clients look for it: hidden, at the start of the body.
fn with_preheader(mut html: String, preheader: &str) -> String {
    safety::begin();
    let span = format!(
        "<span style=\"display:none;max-height:0;overflow:hidden;opacity:0;mso-hide:all\">{}</span>",
        safety::escape_html(preheader)
    );
    html.insert_str(body_start(&html), &span);
    html
}

/// The offset behind `<body …>`; 0 where there is none.
fn body_start(html: &str) -> usize {
    let bytes = html.as_bytes();
    let is_body = |at: usize| {
        let name = bytes.get(at + 1..at + 5).is_some_and(|name| name.eq_ignore_ascii_case(b"body"));
        name && bytes.get(at + 5).is_some_and(|next| next.is_ascii_whitespace() || *next == b'>')
    };
    let Some(start) = html.match_indices('<').map(|(at, _)| at).find(|at| is_body(*at)) else {
        return 0;
    };
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    0
}

#[cfg(test)]
mod tests;
