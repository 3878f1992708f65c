//! A document's tags with their places, in one pass. It takes any text for HTML, as browsers do (HTML Living Standard, section 13.2.5).

use std::ops::Range;

/// Elements whose content is text up to their end tag.
const RAW: [&str; 8] = ["script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title"];
/// From here on there is nothing but text.
const PLAINTEXT: &str = "plaintext";

/// A start or end tag.
pub(super) struct Tag<'a> {
    html: &'a str,
    /// From `<` to behind `>`.
    pub place: Range<usize>,
    pub closes: bool,
    name: Range<usize>,
    attributes: Vec<Attribute>,
}

pub(super) struct Attribute {
    name: Range<usize>,
    /// Without quotes.
    value: Option<Range<usize>>,
    pub with_quotes: Option<Range<usize>>,
}

impl Tag<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.html[self.name.clone()].eq_ignore_ascii_case(name)
    }

    /// The first attribute of this name: that is the one that counts.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |attribute| self.html[attribute.name.clone()].eq_ignore_ascii_case(name))
    }

    /// As it is written.
    pub fn value(&self, attribute: &Attribute) -> Option<&str> {
        attribute.value.clone().map(|value| &self.html[value])
    }

    /// What has to go for the attribute to be gone: all of it, and the white space before it, if something keeps its neighbours apart. `None`: a
    /// sign of equality comes next, which would be taken for that of the attribute before it.
    pub fn without(&self, attribute: &Attribute) -> Option<Range<usize>> {
        let end = attribute.with_quotes.as_ref().map_or(attribute.name.end, |value| value.end);
        let behind = &self.html[end..];
        if behind.trim_start_matches(|c: char| c.is_ascii_whitespace()).starts_with('=') {
            return None;
        }
        let before = &self.html[self.name.end..attribute.name.start];
        let space = before.len() - before.trim_end_matches(|c: char| c.is_ascii_whitespace()).len();
        let apart = behind.starts_with(|c: char| c.is_ascii_whitespace() || c == '>');
        Some(if apart { attribute.name.start - space..end } else { attribute.name.start..end })
    }
}

pub(super) struct Scan<'a> {
    html: &'a str,
    at: usize,
    /// The element whose content is text only.
    raw: Option<&'static str>,
    /// A comment, tag or element of text only was not closed.
    broken_off: bool,
}

impl<'a> Scan<'a> {
    pub fn new(html: &'a str) -> Scan<'a> {
        Scan { html, at: 0, raw: None, broken_off: false }
    }

    /// Once there is no tag any more: whether the document ends where another tag could follow.
    pub fn ended_in_text(&self) -> bool {
        !self.broken_off
    }

    pub fn next(&mut self) -> Option<Tag<'a>> {
        if let Some(name) = self.raw.take() {
            match raw_end(&self.html[self.at..], name) {
                Some(end) => self.at += end,
                None => return self.break_off(),
            }
        }
        loop {
            let start = self.at + self.html[self.at..].find('<')?;
            self.at = start + 1;
            let rest = &self.html[self.at..];
            let closes = rest.starts_with('/');
            let name = if closes { &rest[1..] } else { rest };
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return self.tag(start, closes);
            }
            // Whatever is no tag: a comment, a comment by mistake (`<!x>`, `<?x>`, `</ >`), nothing (`</>`), or a sign.
            let skipped = if let Some(comment) = rest.strip_prefix("!--") {
                comment_length(comment).map(|length| length + 3)
            } else if rest.starts_with(['!', '?', '/']) {
                rest.find('>').map(|end| end + 1)
            } else {
                Some(0)
            };
            match skipped {
                Some(length) => self.at += length,
                None => return self.break_off(),
            }
        }
    }

    fn break_off(&mut self) -> Option<Tag<'a>> {
        self.broken_off = true;
        self.at = self.html.len();
        None
    }

    fn tag(&mut self, start: usize, closes: bool) -> Option<Tag<'a>> {
        let name = start + 1 + usize::from(closes);
        let name = name..self.until(name, |byte| is_space(byte) || matches!(byte, b'/' | b'>'));
        let mut at = name.end;
        let mut attributes = Vec::new();
        loop {
            at = self.until(at, |byte| !is_space(byte) && byte != b'/');
            match self.byte(at) {
                None => return self.break_off(),
                Some(b'>') => break,
                Some(_) => {
                    let Some(attribute) = self.attribute(at) else { return self.break_off() };
                    at = attribute.with_quotes.as_ref().map_or(attribute.name.end, |value| value.end);
                    attributes.push(attribute);
                }
            }
        }
        self.at = at + 1;
        let tag = Tag { html: self.html, place: start..self.at, closes, name, attributes };
        if !closes {
            self.raw = RAW.into_iter().chain([PLAINTEXT]).find(|name| tag.is(name));
        }
        Some(tag)
    }

    /// `None`: its value is never closed.
    fn attribute(&self, start: usize) -> Option<Attribute> {
        // A sign of equality at the beginning belongs to the name.
        let name = start..self.until(start + 1, |byte| is_space(byte) || matches!(byte, b'/' | b'>' | b'='));
        let equals = self.until(name.end, |byte| !is_space(byte));
        if self.byte(equals) != Some(b'=') {
            return Some(Attribute { name, value: None, with_quotes: None });
        }
        let begins = self.until(equals + 1, |byte| !is_space(byte));
        let (value, with_quotes) = match self.byte(begins) {
            Some(quote @ (b'"' | b'\'')) => {
                let end = self.until(begins + 1, |byte| byte == quote);
                self.byte(end)?;
                (begins + 1..end, begins..end + 1)
            }
            _ => {
                let end = self.until(begins, |byte| is_space(byte) || byte == b'>');
                (begins..end, begins..end)
            }
        };
        Some(Attribute { name, value: Some(value), with_quotes: Some(with_quotes) })
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.html.as_bytes().get(at).copied()
    }

    /// The first place from `at` on where such a byte stands, or the end. It is one between characters: what is looked for is ASCII, or the
    /// beginning of anything else.
    fn until(&self, at: usize, stop: impl Fn(u8) -> bool) -> usize {
        let bytes = self.html.as_bytes().get(at..).unwrap_or_default();
        at + bytes.iter().position(|byte| stop(*byte)).unwrap_or(bytes.len())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

/// How long a comment is behind its `<!--`; `None`: it is never closed.
fn comment_length(text: &str) -> Option<usize> {
    if let Some(abrupt) = [">", "->"].into_iter().find(|end| text.starts_with(end)) {
        return Some(abrupt.len());
    }
    let ends = |dash: usize| ["-->", "--!>"].into_iter().find(|end| text[dash..].starts_with(end)).map(|end| dash + end.len());
    text.match_indices('-').find_map(|(dash, _)| ends(dash))
}

/// Where the end tag begins that ends an element of text only.
fn raw_end(text: &str, name: &str) -> Option<usize> {
    match name {
        PLAINTEXT => None,
        "script" => script_end(text),
        _ => {
            let end = format!("</{name}");
            text.match_indices("</").map(|(at, _)| at).find(|at| begins(&text[*at..], &end))
        }
    }
}

/// Whether a tag of this name begins here, and not one of a longer name.
fn begins(text: &str, sign_and_name: &str) -> bool {
    let bytes = text.as_bytes();
    let same = bytes.get(..sign_and_name.len()).is_some_and(|found| found.eq_ignore_ascii_case(sign_and_name.as_bytes()));
    same && bytes.get(sign_and_name.len()).is_some_and(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
}

/// Where in a script something stands (sections 13.2.5.15 to 13.2.5.31).
#[derive(Clone, Copy, PartialEq)]
enum Script {
    Plain,
    /// Behind `<!--`.
    Comment,
    /// Behind `<script` in there: the next end tag does not end the script.
    Nested,
}

fn script_end(text: &str) -> Option<usize> {
    let (mut state, mut at) = (Script::Plain, 0);
    loop {
        let next = at + text[at..].find(['<', '-'])?;
        let rest = &text[next..];
        at = next + 1;
        if state != Script::Plain && rest.starts_with("-->") {
            state = Script::Plain;
        } else if state == Script::Plain && rest.starts_with("<!--") {
            // Its dashes may be those of the end: `<!-->`.
            state = Script::Comment;
        } else if begins(rest, "</script") {
            match state {
                Script::Nested => state = Script::Comment,
                Script::Plain | Script::Comment => return Some(next),
            }
        } else if state == Script::Comment && begins(rest, "<script") {
            state = Script::Nested;
        }
    }
}
