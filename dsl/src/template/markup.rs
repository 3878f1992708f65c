//! Where the tags, attributes and comments of an HTML text are: one pass over it, which knows no nesting and never fails.
//!
//! Handlebars tags in it are passed over as opaque, and what they stand in is told (HTML Living Standard, section "Tokenization", as far as
//! mail needs it).

use std::ops::Range;

/// Elements whose inside is no markup.
const RAW: [&str; 8] = ["style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes"];

/// One start tag, end tag or comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Markup {
    Start(StartTag),
    End {
        name: Range<usize>,
        span: Range<usize>,
    },
    /// A comment, a declaration or a processing instruction.
    Comment(Range<usize>),
}

/// Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartTag {
    pub name: Range<usize>,
    pub span: Range<usize>,
    pub attributes: Vec<Attribute>,
    /// It ends with `/>`.
    pub closed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub name: Range<usize>,
    /// Without quotes.
    pub value: Option<Range<usize>>,
}

/// What an opaque range stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inside {
    Text,
    /// An element whose content is no markup: its name, in lower case.
    Raw(String),
    Comment,
    /// The name of an element.
    Name,
    /// A start tag, where attributes stand.
    Attributes,
    /// The value of an attribute: the attribute's name, in lower case.
    Value(String),
}

#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub markup: Vec<Markup>,
    /// What each opaque range stands in.
    pub inside: Vec<Inside>,
}

/// All markup of the text, in its order.
pub fn markup(text: &str) -> Vec<Markup> {
    scan(text, &[]).markup
}

/// All markup of a text in which these ranges, in order, are opaque.
pub(super) fn scan(text: &str, opaque: &[(usize, usize)]) -> Scanned {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), opaque, next: 0, at: 0, found: Scanned::default() };
    scanner.run();
    scanner.found
}

/// Whether these letters stand somewhere in the text, in either case: a quick answer to whether it is worth looking for what they begin.
pub(super) fn mentions(text: &str, letters: &str) -> bool {
    let (bytes, letters) = (text.as_bytes(), letters.as_bytes());
    let Some(first) = letters.first() else { return true };
    let begins = |byte: &u8| byte.eq_ignore_ascii_case(first);
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(begins) {
        let here = at + found;
        if bytes[here..].get(..letters.len()).is_some_and(|here| here.eq_ignore_ascii_case(letters)) {
            return true;
        }
        at = here + 1;
    }
    false
}

/// How deep elements nest, at most; elements that have no end do not count.
pub fn deepest(text: &str) -> usize {
    deepest_of(text, &markup(text))
}

/// The same where the markup is known.
pub(super) fn deepest_of(text: &str, markup: &[Markup]) -> usize {
    let (mut depth, mut most) = (0usize, 0);
    for found in markup {
        match found {
            Markup::Start(tag) if !tag.closed && !is_void(&text[tag.name.clone()]) => depth += 1,
            Markup::End { .. } => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// Whether an element has no end (HTML Living Standard, section "Elements").
pub fn is_void(name: &str) -> bool {
    let void = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];
    void.iter().any(|void| name.eq_ignore_ascii_case(void))
}

impl StartTag {
    /// The value of the attribute of this name, as written.
    pub fn value(&self, text: &str, name: &str) -> Option<Range<usize>> {
        let attribute = self.attributes.iter().find(|attribute| text[attribute.name.clone()].eq_ignore_ascii_case(name))?;
        attribute.value.clone()
    }

    pub fn is(&self, text: &str, name: &str) -> bool {
        text[self.name.clone()].eq_ignore_ascii_case(name)
    }
}

/// The bytes of one piece of markup.
pub(super) fn span_of(markup: &Markup) -> Range<usize> {
    match markup {
        Markup::Start(tag) => tag.span.clone(),
        Markup::End { span, .. } | Markup::Comment(span) => span.clone(),
    }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    opaque: &'a [(usize, usize)],
    /// Index of the next opaque range.
    next: usize,
    at: usize,
    found: Scanned,
}

impl Scanner<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            if self.skip_opaque(|| Inside::Text) {
                continue;
            }
            if self.bytes[self.at] != b'<' {
                self.plain();
                continue;
            }
            let rest = &self.text[self.at..];
            match self.bytes.get(self.at + 1) {
                Some(b'!' | b'?') => {
                    let (length, end) = if rest.starts_with("<!--") { (4, "-->") } else { (2, ">") };
                    self.comment(length, end);
                }
                Some(b'/') => self.tag(true),
                Some(byte) if byte.is_ascii_alphabetic() || self.is_opaque(self.at + 1) => self.tag(false),
                _ => self.at += 1,
            }
        }
    }

    /// Goes to the next `<` or opaque range.
    fn plain(&mut self) {
        let limit = self.opaque.get(self.next).map_or(self.bytes.len(), |range| range.0);
        let rest = &self.bytes[self.at..limit.max(self.at)];
        self.at += rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len()).max(1);
    }

    fn is_opaque(&self, at: usize) -> bool {
        self.opaque.get(self.next).is_some_and(|range| range.0 == at)
    }

    fn skip_opaque(&mut self, inside: impl Fn() -> Inside) -> bool {
        match self.opaque.get(self.next) {
            Some((start, end)) if *start <= self.at => {
                self.next += 1;
                self.at = self.at.max(*end);
                self.found.inside.push(inside());
                true
            }
            _ => false,
        }
    }

    fn comment(&mut self, open: usize, end: &str) {
        let start = self.at;
        self.at += open;
        self.until(end, || Inside::Comment);
        self.at = (self.at + end.len()).min(self.bytes.len());
        self.found.markup.push(Markup::Comment(start..self.at));
    }

    /// Goes to the place at which `end` begins, outside of opaque ranges.
    fn until(&mut self, end: &str, inside: impl Fn() -> Inside) {
        while self.at < self.bytes.len() {
            if self.skip_opaque(&inside) {
                continue;
            }
            if self.bytes[self.at..].get(..end.len()).is_some_and(|here| here.eq_ignore_ascii_case(end.as_bytes())) {
                return;
            }
            self.at += 1;
        }
    }

    fn tag(&mut self, end: bool) {
        let start = self.at;
        self.at += if end { 2 } else { 1 };
        let name_start = self.at;
        while self.at < self.bytes.len() {
            if self.skip_opaque(|| Inside::Name) {
                continue;
            }
            if self.bytes[self.at].is_ascii_whitespace() || matches!(self.bytes[self.at], b'>' | b'/') {
                break;
            }
            self.at += 1;
        }
        let name = name_start..self.at;
        let attributes = self.attributes();
        let closed = self.at >= 2 && self.bytes.get(self.at - 1) == Some(&b'/');
        self.at = (self.at + 1).min(self.bytes.len());
        let span = start..self.at;
        if end {
            self.found.markup.push(Markup::End { name, span });
            return;
        }
        let lower = self.text[name.clone()].to_ascii_lowercase();
        self.found.markup.push(Markup::Start(StartTag { name, span, attributes, closed }));
        if RAW.contains(&lower.as_str()) && !closed {
            let close = format!("</{lower}");
            self.until(&close, || Inside::Raw(lower.clone()));
        }
    }

    /// Reads attributes up to the `>` of the tag.
    fn attributes(&mut self) -> Vec<Attribute> {
        let mut found = Vec::new();
        while self.at < self.bytes.len() && self.bytes[self.at] != b'>' {
            if self.skip_opaque(|| Inside::Attributes) {
                continue;
            }
            if self.bytes[self.at].is_ascii_whitespace() || self.bytes[self.at] == b'/' {
                self.at += 1;
                continue;
            }
            found.push(self.attribute());
        }
        found
    }

    fn attribute(&mut self) -> Attribute {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() && !self.is_opaque(self.at) {
            if self.bytes[self.at].is_ascii_whitespace() || matches!(self.bytes[self.at], b'>' | b'/' | b'=') {
                break;
            }
            self.at += 1;
        }
        while self.skip_opaque(|| Inside::Attributes) {
            // A name that is continued by data: `data-{{x}}`.
            while self.at < self.bytes.len()
                && !self.is_opaque(self.at)
                && !self.bytes[self.at].is_ascii_whitespace()
                && !matches!(self.bytes[self.at], b'>' | b'/' | b'=')
            {
                self.at += 1;
            }
        }
        let name = start..self.at;
        let mut next = self.at;
        while self.bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
            next += 1;
        }
        if self.bytes.get(next) != Some(&b'=') {
            return Attribute { name, value: None };
        }
        self.at = next + 1;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let lower = self.text[name.clone()].to_ascii_lowercase();
        let value = self.value(&lower);
        Attribute { name, value: Some(value) }
    }

    fn value(&mut self, name: &str) -> Range<usize> {
        let quote = self.bytes.get(self.at).copied().filter(|byte| matches!(byte, b'"' | b'\'') && !self.is_opaque(self.at));
        self.at += usize::from(quote.is_some());
        let start = self.at;
        while self.at < self.bytes.len() {
            if self.skip_opaque(|| Inside::Value(name.to_owned())) {
                continue;
            }
            let byte = self.bytes[self.at];
            match quote {
                Some(quote) if byte == quote => {
                    self.at += 1;
                    return start..self.at - 1;
                }
                None if byte.is_ascii_whitespace() || byte == b'>' => break,
                _ => self.at += 1,
            }
        }
        start..self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::tags;

    fn read(text: &str) -> (String, Vec<Inside>) {
        let tags =
            tags::scan(text).map(|tags| tags.iter().map(|tag| (tag.start, tag.end)).collect::<Vec<_>>()).unwrap_or_default();
        let found = scan(text, &tags);
        let words = found.markup.iter().map(|markup| match markup {
            Markup::Start(tag) => {
                let attributes = tag.attributes.iter().map(|attribute| {
                    let value = attribute.value.clone().map(|value| format!("={}", &text[value])).unwrap_or_default();
                    format!(" {}{value}", &text[attribute.name.clone()])
                });
                format!("<{}{}{}>", &text[tag.name.clone()], attributes.collect::<String>(), if tag.closed { "/" } else { "" })
            }
            Markup::End { name, .. } => format!("</{}>", &text[name.clone()]),
            Markup::Comment(span) => text[span.clone()].to_owned(),
        });
        (words.collect(), found.inside)
    }

    #[test]
    fn markup_is_found() {
        let check = |text: &str, expected: &str| assert_eq!(read(text).0, expected, "{text}");
        check("a <b>c</b> < d <e", "<b></b><e>");
        check("<!doctype html><!-- <b> --><p>", "<!doctype html><!-- <b> --><p>");
        check("<a href=x title = 'a > b' disabled\nid=\"\">", "<a href=x title=a > b disabled id=>");
        check("<br/><img src=a/b />", "<br/><img src=a/b/>");
        check("<style>a > b <x></style ><p>", "<style></style><p>");
        check("<TITLE><b></Title>", "<TITLE></Title>");
        check("<a href=\"{{default x \">\"}}\">", "<a href={{default x \">\"}}>");
        check("<a href={{x}} {{#if y}}class=\"z\"{{/if}}>", "<a href={{x}} class=z>");
        check("<!-- {{x}} --><!--[if mso]><td><![endif]-->", "<!-- {{x}} --><!--[if mso]><td><![endif]-->");
        check("<p data-{{x}}-y=1>", "<p data-{{x}}-y=1>");
    }

    #[test]
    fn what_a_tag_stands_in_is_told() {
        let check = |text: &str, expected: &[Inside]| assert_eq!(read(text).1, expected, "{text}");
        let value = |name: &str| Inside::Value(name.to_owned());
        check("{{a}}<b>{{c}}</b>", &[Inside::Text, Inside::Text]);
        check("<a HREF='{{a}}/{{b}}'>", &[value("href"), value("href")]);
        check("<a href={{a}}{{b}}>{{c}}", &[value("href"), value("href"), Inside::Text]);
        check("<a {{a}} {{b}}>", &[Inside::Attributes, Inside::Attributes]);
        check("<{{a}}></{{b}}>", &[Inside::Name, Inside::Name]);
        check("<style>{{a}}</style>{{b}}", &[Inside::Raw("style".to_owned()), Inside::Text]);
        check("<!-- {{a}} -->{{b}}", &[Inside::Comment, Inside::Text]);
        check("a < {{b}}", &[Inside::Text]);
    }

    proptest::proptest! {
        /// Whatever the text, every opaque range is told of, and nothing panics.
        #[test]
        fn no_text_panics(text in r#"(\{\{x\}\}|\{\{!--|--\}\}|<|>|/|!--|-->|a|style|title| |=|"|'|ü|\n){0,24}"#) {
            if let Ok(tags) = tags::scan(&text) {
                let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
                proptest::prop_assert_eq!(scan(&text, &opaque).inside.len(), opaque.len());
            }
        }
    }
}
