//! Rendering: a definition's templates compiled once, and messages made of them for one contact after the other.

mod prepare;
mod registry;
mod request;
mod safety;
mod with;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, OnceLock, RwLock};

use dsl::model::{Definition, Part, TemplateSource};
use dsl::template::partials_reached;
use handlebars::{Context, Handlebars, Output, RenderContext, RenderErrorReason, Renderable, Template};
use serde_json::{Map, Value};

pub use self::request::{Place, RequestText, Rendering};
use self::prepare::Format;
use self::registry::Stop;

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
    pub text: Option<String>,
}

/// The templates of one definition, compiled. Shared by threads.
pub struct Templates {
    html: Handlebars<'static>,
    text: Handlebars<'static>,
    messages: BTreeMap<String, Message>,
    /// Inline texts compiled so far, by source.
    inline: RwLock<HashMap<String, Arc<Template>>>,
}

struct Message {
    subject: Option<Template>,
    preheader: Option<Template>,
    /// The layout or a partial prints the preheader itself.
    shows_preheader: bool,
    html: Option<Body>,
    text: Option<Body>,
}

struct Body {
    body: Template,
    layout: Option<Template>,
}

impl Templates {
    /// Compiles everything that the definition sends.
    pub fn compile(definition: &Definition) -> Result<Templates, RenderError> {
        if dsl::template::never_end(&definition.partials) {
            let reason = "its partials pull in themselves, or nest too deep".to_owned();
            return Err(RenderError::Invalid { template: "templates/partials/".to_owned(), reason });
        }
        let (mut html, mut text) = (registry::html(), registry::text());
        let mut shows_preheader = BTreeSet::new();
        for (name, source) in &definition.partials {
            let invalid = |reason| RenderError::Invalid { template: format!("partials/{name}"), reason };
            let partial = prepare::partial(source, Format::Html).map_err(invalid)?;
            if prepare::prints_preheader(&partial) {
                shows_preheader.insert(name.clone());
            }
            html.register_template(name, partial);
            text.register_template(name, prepare::partial(source, Format::Text).map_err(invalid)?);
        }
        let mut messages = BTreeMap::new();
        for (name, source) in &definition.templates {
            let mut message =
                Message::compile(source).map_err(|reason| RenderError::Invalid { template: name.clone(), reason })?;
            let layout = source.html.as_ref().and_then(|html| html.layout.as_deref());
            let partials = partials_reached(layout, &definition.partials);
            message.shows_preheader |= !partials.is_disjoint(&shows_preheader);
            messages.insert(name.clone(), message);
        }
        Ok(Templates { html, text, messages, inline: RwLock::default() })
    }

    /// Makes one message. `data` is an object: `contact`, `event`, `vars`, `message`, `unsubscribe_url`, `preferences_url`, and beside them
    /// what the step's `with` gives. A null counts as missing.
    pub fn render(&self, template: &str, data: &Value) -> Result<Rendered, RenderError> {
        let message = self.messages.get(template).ok_or_else(|| RenderError::UnknownTemplate(template.to_owned()))?;
        let mut run = Run { template, context: Context::from(without_nulls(data)) };
        let header = |run: &Run<'_>, source: &Option<Template>, part| {
            let line = source.as_ref().map(|source| run.part(&self.text, source, part)).transpose()?;
            Ok(line.map(|line| safety::one_line(&line)))
        };
        let subject = header(&run, &message.subject, "subject")?;
        let preheader = header(&run, &message.preheader, "preheader")?;
        let html = run.body(&self.html, &message.html, "HTML part")?;
        let text = run.body(&self.text, &message.text, "text part")?;
        // Bodies first: they may have names of their own for what layouts see.
        run.give("subject", subject.as_deref().unwrap_or_default());
        run.give("preheader", preheader.as_deref().unwrap_or_default());
        let html = run.layout(&self.html, &message.html, html, "HTML part")?;
        let text = run.layout(&self.text, &message.text, text, "text part")?;
        let html = match (html, preheader) {
            (Some(html), Some(preheader)) if !message.shows_preheader => Some(with_preheader(html, &preheader)),
            (html, _) => html,
        };
        Ok(Rendered { subject, html, text })
    }

    /// Renders a `with` value of this definition as text, keeping its compiled form.
    pub fn inline_text(&self, source: &str, data: &Value) -> Result<String, RenderError> {
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
        let run = Run { template: INLINE, context: Context::from(without_nulls(data)) };
        run.part(&self.text, &template, "text")
    }
}

/// What errors call a text that has no name.
const INLINE: &str = "(inline)";

/// Renders one text without a definition around it: no partials. The same rules as in text parts.
pub fn render_text(source: &str, data: &Value) -> Result<String, RenderError> {
    static REGISTRY: OnceLock<Handlebars<'static>> = OnceLock::new();
    let template = compile_inline(source)?;
    let run = Run { template: INLINE, context: Context::from(without_nulls(data)) };
    run.part(REGISTRY.get_or_init(registry::text), &template, "text")
}

fn compile_inline(source: &str) -> Result<Template, RenderError> {
    prepare::message(source, Format::Text).map_err(|reason| RenderError::Invalid { template: INLINE.to_owned(), reason })
}

impl Message {
    fn compile(source: &TemplateSource) -> Result<Message, String> {
        let header = |text: &Option<String>| text.as_ref().map(|text| prepare::message(text, Format::Text)).transpose();
        let html = source.html.as_ref().map(|part| Body::compile(part, Format::Html)).transpose()?;
        let layout = html.as_ref().and_then(|html| html.layout.as_ref());
        Ok(Message {
            subject: header(&source.subject)?,
            preheader: header(&source.preheader)?,
            shows_preheader: layout.is_some_and(prepare::prints_preheader),
            text: source.text.as_ref().map(|part| Body::compile(part, Format::Text)).transpose()?,
            html,
        })
    }
}

impl Body {
    fn compile(part: &Part, format: Format) -> Result<Body, String> {
        let layout = part.layout.as_ref().map(|layout| prepare::message(layout, format)).transpose()?;
        Ok(Body { body: prepare::message(&part.source, format)?, layout })
    }
}

/// One message being made.
struct Run<'a> {
    template: &'a str,
    context: Context,
}

impl Run<'_> {
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
