//! MJML made into HTML, once, where a template is read. The Handlebars tags in it go through untouched.

use mrml::prelude::parser::{Error, ParserOptions, WarningKind};
use mrml::prelude::render::RenderOptions;

use super::blocks;
use super::effort::Effort;
use super::markup::{Inside, Markup, StartTag, is_void, scan, span_of};
use super::styles;
use super::tags::{self, Kind, Tag};
use super::tokens::{Shape, Tokens, is_ordered};
use super::vocabulary::suggestion;

/// How deep elements may nest.
const MAX_NESTING: usize = 100;

/// The elements of MJML 4.
const ELEMENTS: [&str; 35] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-html-attributes",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
    "mj-include",
    "mj-html-attribute",
];
/// What holds text and HTML, and no elements of MJML.
const CONTENT: [&str; 12] = [
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-button",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-social-element",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-carousel-image",
];
/// What must stand in a column.
const IN_COLUMNS: [&str; 10] = [
    "mj-accordion",
    "mj-button",
    "mj-carousel",
    "mj-divider",
    "mj-image",
    "mj-navbar",
    "mj-social",
    "mj-spacer",
    "mj-table",
    "mj-text",
];

/// Something wrong with bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub span: (usize, usize),
    pub message: String,
    pub help: Option<String>,
}

/// The HTML, and what is not as it should be but does not keep it from being made.
#[derive(Debug)]
pub(super) struct Html {
    pub html: String,
    pub warnings: Vec<Problem>,
}

/// Makes HTML of MJML.
pub(super) fn compile(text: &str, effort: &mut Effort) -> Result<Html, Vec<Problem>> {
    let tags = tags::scan_long(text).map_err(|fault| vec![problem(fault.span, fault.message, fault.help.as_deref())])?;
    let mut reader = Reader::new(text, &tags);
    reader.read();
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let written = reader.written;
    let fail =
        |span, message: String| vec![problem(span, message, Some("https://documentation.mjml.io says what is allowed where"))];
    let unreadable = || fail((0, 0), "this MJML cannot be read".to_owned());
    let parsed = guarded(|| mrml::parse_with_options(&written.text, &ParserOptions::default())).ok_or_else(unreadable)?;
    let output = parsed.map_err(|error| {
        let (message, at) = words(&error, written.text.len());
        fail(written.place(at), message)
    })?;
    let mut warnings: Vec<Problem> = output
        .warnings
        .iter()
        .filter(|warning| warning.kind == WarningKind::UnexpectedAttribute)
        .map(|warning| {
            let span = written.place((warning.span.start, warning.span.end));
            problem(span, "MJML knows no such attribute here, and leaves it out".to_owned(), None)
        })
        .collect();
    // MJML's own defaults are fonts from a foreign server, which would see each message opened.
    let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
    let rendered = guarded(|| output.element.render(&options)).ok_or_else(unreadable)?;
    let html = rendered.map_err(|error| fail((0, 0), format!("this MJML cannot be made into HTML: {error}")))?;
    let html = written.tokens.restore(&out_of_comments(&html, &written.tokens)).map_err(|lost| {
        let span = written.token_spans.get(lost.token).copied().unwrap_or_default();
        fail(span, "this stands where MJML leaves it out, repeats it or moves it".to_owned())
    })?;
    tags::scan_long(&html)
        .map_err(|fault| fail((0, 0), format!("the HTML made of this MJML is no template: {}", fault.message)))?;
    let html = match reader.styles.is_empty() {
        true => html,
        false => styles::inline_only(&html, &reader.styles, effort).unwrap_or_else(|left| {
            warnings.push(problem(
                reader.style_at,
                format!("these styles are not put on their elements: {}", left.words()),
                None,
            ));
            html
        }),
    };
    Ok(Html { html, warnings })
}

/// A token that MJML put where only Outlook reads (a comment with a condition, in which no other comment can stand) ends that comment and
/// begins it again behind itself.
fn out_of_comments(html: &str, tokens: &Tokens) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((start, end)) = tokens.next_comment(rest) {
        out.push_str(&rest[..start]);
        let condition = out.rfind("<!--[if ").filter(|open| !out[*open..].contains("-->"));
        let condition = condition.and_then(|open| Some(out[open..].split_once("]>")?.0.to_owned()));
        match condition {
            Some(condition) => out.push_str(&format!("<![endif]-->{}{condition}]>", &rest[start..end])),
            None => out.push_str(&rest[start..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// What is known to make the MJML library panic is kept from it; what is not known yet must not take the program down.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok()
}

fn problem(span: (usize, usize), message: String, help: Option<&str>) -> Problem {
    Problem { span, message, help: help.map(str::to_owned) }
}

/// What mrml says, in the words of this language, and where.
fn words(error: &Error, length: usize) -> (String, (usize, usize)) {
    let span = |span: &mrml::prelude::parser::Span| (span.start, span.end);
    match error {
        Error::UnexpectedElement { position, .. } => ("this element must not stand here".to_owned(), span(position)),
        Error::UnexpectedToken { position, .. } => {
            ("this must not stand here, or something before it is not closed".to_owned(), span(position))
        }
        Error::MissingAttribute { name, position, .. } => (format!("this element needs the attribute `{name}`"), span(position)),
        Error::InvalidAttribute { position, .. } => {
            ("this attribute is not written as `name=\"value\"`".to_owned(), span(position))
        }
        Error::InvalidFormat { position, .. } => ("this is not written as MJML".to_owned(), span(position)),
        Error::EndOfStream { .. } => ("this MJML ends before all of its elements are closed".to_owned(), (length, length)),
        Error::NoRootNode => ("this is not MJML: it must begin with `<mjml>`, here or in its layout".to_owned(), (0, 0)),
        other => (format!("this is not MJML: {other}"), (0, 0)),
    }
}

/// The text with tokens in place of Handlebars tags.
struct Written {
    text: String,
    tokens: Tokens,
    /// Where each token's tags stood.
    token_spans: Vec<(usize, usize)>,
    /// In order: where a piece begins here, and where it began in the text as written.
    pieces: Vec<(usize, usize)>,
}

impl Written {
    /// Where bytes of this text stood in the text as written.
    fn place(&self, span: (usize, usize)) -> (usize, usize) {
        let find = |at: usize| {
            let index = self.pieces.partition_point(|piece| piece.0 <= at).saturating_sub(1);
            self.pieces.get(index).map_or(0, |(here, there)| there + (at - here.min(&at)))
        };
        (find(span.0), find(span.1))
    }
}

struct Reader<'a> {
    text: &'a str,
    tags: &'a [Tag<'a>],
    problems: Vec<Problem>,
    /// CSS that is to stand on the elements it is for.
    styles: String,
    style_at: (usize, usize),
    written: Written,
    at: usize,
}

/// A piece that is not copied as it stands.
enum Change {
    Token(Shape, bool),
    Drop,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, tags: &'a [Tag<'a>]) -> Reader<'a> {
        let written = Written {
            text: String::with_capacity(text.len()),
            tokens: Tokens::new(text),
            token_spans: Vec::new(),
            pieces: Vec::new(),
        };
        Reader { text, tags, problems: Vec::new(), styles: String::new(), style_at: (0, 0), written, at: 0 }
    }

    fn read(&mut self) {
        let opaque: Vec<_> = self.tags.iter().map(|tag| (tag.start, tag.end)).collect();
        let scanned = scan(self.text, &opaque);
        let mut open: Vec<String> = Vec::new();
        let mut next = 0;
        let mut style: Option<usize> = None;
        for markup in &scanned.markup {
            let span = span_of(markup);
            let root = open.is_empty() && matches!(markup, Markup::Start(tag) if !tag.is(self.text, "mjml"));
            if root {
                let message = "this is not MJML: it must begin with `<mjml>`, here or in its layout".to_owned();
                return self.problems.push(problem((span.start, span.end), message, None));
            }
            self.tags_before(span.start, &mut next, &scanned.inside, &open, style.is_some());
            match markup {
                Markup::Start(tag) => {
                    self.start(tag, &open);
                    while self.tags.get(next).is_some_and(|found| found.start < span.end) {
                        self.tag_in_markup(next, &scanned.inside[next]);
                        next += 1;
                    }
                    let name = self.text[tag.name.clone()].to_ascii_lowercase();
                    let inline = tag.value(self.text, "inline").is_some_and(|value| &self.text[value] == "inline");
                    if name == "mj-style" && inline && !tag.closed {
                        style = Some(span.start);
                    }
                    if !tag.closed && !is_void(&name) {
                        open.push(name);
                    }
                    if open.len() > MAX_NESTING {
                        let message = format!("elements nest deeper than {MAX_NESTING}");
                        return self.problems.push(problem((span.start, span.end), message, Some("take some of them out")));
                    }
                }
                Markup::End { name, .. } => {
                    let name = self.text[name.clone()].to_ascii_lowercase();
                    if let Some(start) = style.take_if(|_| name == "mj-style") {
                        self.inline_style(start, span.clone());
                    }
                    if let Some(index) = open.iter().rposition(|open| *open == name) {
                        open.truncate(index);
                    }
                }
                Markup::Comment(span) => {
                    while self.tags.get(next).is_some_and(|found| found.start < span.end) {
                        self.change((self.tags[next].start, self.tags[next].end), Change::Token(Shape::Word, false));
                        next += 1;
                    }
                }
            }
        }
        self.tags_before(self.text.len(), &mut next, &scanned.inside, &open, false);
        self.copy_to(self.text.len());
        for (begin, tag) in blocks::astray(self.text, self.tags, &scanned) {
            let begun = &self.text[begin.start..begin.end];
            let message = format!("this stands in another element than its `{begun}`");
            let help = "put whole elements into a block: {{#if x}}<mj-section>…</mj-section>{{/if}}";
            self.problems.push(problem((tag.start, tag.end), message, Some(help)));
        }
    }

    /// Tags that stand between two pieces of markup.
    fn tags_before(&mut self, end: usize, next: &mut usize, inside: &[Inside], open: &[String], in_style: bool) {
        while let Some(tag) = self.tags.get(*next).filter(|tag| tag.start < end) {
            let span = (tag.start, tag.end);
            if !in_style {
                self.copy_text(tag.start);
            }
            let parent = open.iter().rev().find(|name| name.starts_with("mj")).map(String::as_str);
            if in_style {
                let message = "styles that go to their elements hold no expressions: the elements are known before the data is";
                self.problems.push(problem(
                    span,
                    message.to_owned(),
                    Some("remove inline=\"inline\", or write the value itself"),
                ));
            } else if tag.kind == Kind::Comment {
                self.change(span, Change::Drop);
            } else if parent.is_some_and(|name| CONTENT.contains(&name)) || !matches!(inside.get(*next), Some(Inside::Text)) {
                self.change(span, Change::Token(Shape::Word, is_ordered(tag)));
            } else if matches!(parent, None | Some("mjml" | "mj-head" | "mj-attributes" | "mj-html-attributes")) {
                let message = "nothing but elements may stand here: what is in the head is the same for everybody";
                let help = "put it inside of an element: <mj-title>{{subject}}</mj-title>";
                self.problems.push(problem(span, message.to_owned(), Some(help)));
            } else if matches!(tag.kind, Kind::Value | Kind::Raw) {
                let message = "text must not stand between elements";
                self.problems.push(problem(span, message.to_owned(), Some("put it inside of <mj-text> or <mj-raw>")));
            } else {
                self.change(span, Change::Token(Shape::Comment, true));
            }
            *next += 1;
        }
        if !in_style {
            self.copy_text(end);
        }
    }

    /// Copies text in which no markup stands. A `>` next to what is not ASCII makes the parser panic; one after `]]` it refuses.
    fn copy_text(&mut self, end: usize) {
        while let Some(found) = self.text.get(self.at..end).and_then(|text| text.find('>')) {
            let at = self.at + found;
            let before = &self.text.as_bytes()[at.saturating_sub(2)..at];
            if before.is_ascii() && before != b"]]" {
                self.copy_to(at + 1);
            } else {
                self.change((at, at + 1), Change::Token(Shape::Word, false));
            }
        }
        self.copy_to(end);
    }

    /// A tag inside of a start tag: values are put aside as a whole, by [`Reader::start`].
    fn tag_in_markup(&mut self, index: usize, inside: &Inside) {
        if matches!(inside, Inside::Value(_)) {
            return;
        }
        let span = self.tags.get(index).map(|tag| (tag.start, tag.end)).unwrap_or_default();
        let help = "write the expression inside of a value: color=\"{{#if vip}}gold{{else}}grey{{/if}}\"";
        self.problems.push(problem(span, "an expression must not stand among MJML's attributes".to_owned(), Some(help)));
    }

    fn start(&mut self, tag: &StartTag, open: &[String]) {
        let name = self.text[tag.name.clone()].to_ascii_lowercase();
        let span = (tag.span.start, tag.name.end);
        let parent = open.iter().rev().find(|name| name.starts_with("mj")).map(String::as_str).unwrap_or_default();
        let head = open.iter().any(|name| name == "mj-attributes");
        if name == "mj-include" {
            let help = "put the part into templates/partials/NAME.hbs and write {{> NAME}}";
            self.problems.push(problem(span, "mj-include is not carried out".to_owned(), Some(help)));
        } else if name.starts_with("mj-") && !ELEMENTS.contains(&name.as_str()) {
            let help = suggestion(&name, &ELEMENTS, "elements");
            self.problems.push(problem(span, format!("MJML has no element `{name}`"), help.as_deref()));
        } else if let Some((belongs, help)) = misplaced(&name, parent).filter(|_| !head) {
            self.problems.push(problem(span, format!("`{name}` belongs into {belongs}"), Some(help)));
        }
        for value in tag.attributes.iter().filter_map(|attribute| attribute.value.clone()) {
            if self.tags.iter().any(|tag| tag.start >= value.start && tag.end <= value.end) {
                self.change((value.start, value.end), Change::Token(Shape::Word, false));
            }
        }
    }

    /// Takes `<mj-style inline="inline">…</mj-style>` out.
    fn inline_style(&mut self, start: usize, end: std::ops::Range<usize>) {
        let css = &self.text[start..end.start];
        self.styles.push_str(css.split_once('>').map_or("", |(_, css)| css));
        self.styles.push('\n');
        self.style_at = (start, end.end);
        self.change((start, end.end), Change::Drop);
    }

    fn copy_to(&mut self, end: usize) {
        if self.at < end {
            self.written.pieces.push((self.written.text.len(), self.at));
            self.written.text.push_str(&self.text[self.at..end]);
            self.at = end;
        }
    }

    fn change(&mut self, span: (usize, usize), change: Change) {
        self.copy_to(span.0);
        if let Change::Token(shape, ordered) = change {
            self.written.pieces.push((self.written.text.len(), span.0));
            let token = self.written.tokens.put(&self.text[span.0..span.1], shape, ordered);
            self.written.text.push_str(&token);
            self.written.token_spans.push(span);
        }
        self.at = self.at.max(span.1);
    }
}

/// Where an element should stand instead of in this parent.
fn misplaced(name: &str, parent: &str) -> Option<(&'static str, &'static str)> {
    let fits = match name {
        _ if parent == "mj-raw" => true,
        "mj-section" | "mj-wrapper" => matches!(parent, "mj-body" | "mj-wrapper"),
        "mj-column" => matches!(parent, "mj-section" | "mj-group"),
        _ if IN_COLUMNS.contains(&name) => matches!(parent, "mj-column" | "mj-hero"),
        _ => true,
    };
    match name {
        _ if fits => None,
        "mj-section" | "mj-wrapper" => Some(("`mj-body` or `mj-wrapper`", "<mj-body><mj-section>…</mj-section></mj-body>")),
        "mj-column" => Some(("`mj-section` or `mj-group`", "<mj-section><mj-column>…</mj-column></mj-section>")),
        _ => Some(("`mj-column` or `mj-hero`", "<mj-section><mj-column>…</mj-column></mj-section>")),
    }
}

#[cfg(test)]
#[path = "mjml_tests.rs"]
mod tests;
