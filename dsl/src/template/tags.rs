//! The tags of a Handlebars text: where each begins and ends, and whether blocks are closed.
//!
//! The Handlebars parser says little about where its pieces stand, explains a missing `{{/if}}` badly, and takes quadratic time in the depth
//! of nesting; this one pass over the text comes before it.

use std::collections::HashSet;

/// The longest text that is read, in bytes.
pub const MAX_SOURCE: usize = 256 * 1024;
/// How deep blocks, brackets inside of one tag, and partials inside of partials may nest.
pub const MAX_DEPTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{x}}`
    Value,
    /// `{{{x}}}` or `{{&x}}`
    Raw,
    /// `{{#x}}`
    Open,
    /// `{{/x}}`
    Close,
    /// `{{else}}` or `{{^}}`
    Else,
    /// `{{else if x}}`
    ElseIf,
    /// `{{> x}}`
    Partial,
    /// `{{#> x}}`
    PartialBlock,
    /// `{{* x}}` or `{{#* x}}`
    Decorator,
    /// `{{! x}}` or `{{!-- x --}}`
    Comment,
}

/// One tag, with the bytes that it takes (braces included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// What stands between the braces and the sign, trimmed.
    pub content: &'a str,
}

/// Why a text is no template, and which bytes of it are to blame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub code: &'static str,
    pub span: (usize, usize),
    pub message: String,
    pub help: Option<String>,
}

impl Fault {
    pub fn syntax(span: (usize, usize), message: impl Into<String>) -> Fault {
        Fault { code: "template-syntax", span, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Fault {
        self.help = Some(help.into());
        self
    }
}

/// All tags of the text in their order, after checking its size, its nesting and that every block is closed by its own name.
pub(super) fn scan(text: &str) -> Result<Vec<Tag<'_>>, Fault> {
    if text.len() > MAX_SOURCE {
        let message = format!("this template is {} KiB long; at most {} KiB are read", text.len() / 1024, MAX_SOURCE / 1024);
        return Err(Fault {
            code: "template-too-large",
            span: (0, 0),
            message,
            help: Some("move what repeats into partials".to_owned()),
        });
    }
    scan_long(text)
}

/// The same for a text that was put together of several, whatever its size.
pub(super) fn scan_long(text: &str) -> Result<Vec<Tag<'_>>, Fault> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(start) = next_open(text, at) {
        let backslashes = text[..start].bytes().rev().take_while(|byte| *byte == b'\\').count();
        if backslashes == 1 {
            // `\{{` stands for the braces themselves.
            at = start + if text[start..].starts_with("{{{{") { 4 } else { 2 };
            continue;
        }
        let tag = read(text, start)?;
        at = tag.end;
        tags.push(tag);
    }
    pair(&tags)?;
    Ok(tags)
}

/// Where the next two braces stand: by bytes, which is several times as fast as the search for any text.
fn next_open(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(found) = bytes.get(at..)?.iter().position(|byte| *byte == b'{') {
        let here = at + found;
        if bytes.get(here + 1) == Some(&b'{') {
            return Some(here);
        }
        at = here + 1;
    }
    None
}

/// What stands behind each pair of opening braces, up to the next.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut next = next_open(text, 0);
    std::iter::from_fn(move || {
        let begin = next? + 2;
        next = next_open(text, begin);
        text.get(begin..next.unwrap_or(text.len()))
    })
}

/// Puts every word in here that stands in some tag, with its dashes and without. What is between `{{` and the next `}}` counts as a tag.
pub(super) fn words<'a>(text: &'a str, words: &mut HashSet<&'a str>) {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    for piece in pieces(text) {
        let tag = piece.split("}}").next().unwrap_or(piece);
        for word in tag.split(|c| !inside(c)).filter(|word| !word.is_empty()) {
            words.extend(word.split('-').chain([word]));
        }
    }
}

/// Whether [`words`] would find this word in the text: quicker, for one.
pub(super) fn says(text: &str, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let dashed = word.contains('-');
    let inside = |c: &char| letter(*c) || (dashed && *c == '-');
    let Some(first) = word.bytes().next().filter(|_| word.chars().all(|c| letter(c) || c == '-')) else { return false };
    pieces(text).any(|piece| {
        let tag = piece.split_once("}}").map_or(piece, |(tag, _)| tag);
        tag.bytes().enumerate().filter(|(_, byte)| *byte == first).any(|(at, _)| {
            let behind = tag.get(at..).and_then(|rest| rest.strip_prefix(word));
            let free = |c: Option<char>| c.filter(inside).is_none();
            behind.is_some_and(|behind| free(behind.chars().next()) && free(tag[..at].chars().next_back()))
        })
    })
}

fn read(text: &str, start: usize) -> Result<Tag<'_>, Fault> {
    let rest = &text[start..];
    if rest.starts_with("{{{{") {
        return Err(
            Fault::syntax((start, start + 4), "raw blocks ({{{{ }}}}) are not supported").help(r"write \{{ for literal braces")
        );
    }
    if let Some(comment) = rest.strip_prefix("{{!") {
        let (open, close) = if comment.starts_with("--") && comment.contains("--}}") { (5, "--}}") } else { (3, "}}") };
        let length = rest[open..].find(close).ok_or_else(|| unclosed(text, start))?;
        let content = rest[open..open + length].trim();
        return Ok(Tag { kind: Kind::Comment, start, end: start + open + length + close.len(), content });
    }
    let triple = rest.starts_with("{{{") || rest.starts_with("{{~{");
    let open = if rest.starts_with("{{{") { 3 } else { 2 };
    let length = inside(&rest[open..]).map_err(|fault| match fault {
        Inside::Unclosed => unclosed(text, start),
        Inside::Deep(at) => Fault {
            code: "template-too-deep",
            span: (start, start + open + at),
            message: format!("brackets nest deeper than {MAX_DEPTH} in this expression"),
            help: Some("split it into several".to_owned()),
        },
    })?;
    let mut end = start + open + length + 2;
    if rest.starts_with("{{{") && text[end..].starts_with('}') {
        end += 1;
    }
    let content = rest[open..open + length].trim_start_matches('~').trim_end_matches('~').trim_end_matches('}').trim();
    let (kind, content) =
        if triple { (Kind::Raw, content.trim_start_matches('{').trim_start_matches('~').trim()) } else { classify(content) };
    Ok(Tag { kind, start, end, content })
}

fn classify(content: &str) -> (Kind, &str) {
    let signs = [
        ("#>", Kind::PartialBlock),
        ("#*", Kind::Decorator),
        ("#", Kind::Open),
        ("/", Kind::Close),
        (">", Kind::Partial),
        ("*", Kind::Decorator),
        ("&", Kind::Raw),
    ];
    for (sign, kind) in signs {
        if let Some(rest) = content.strip_prefix(sign) {
            return (kind, rest.trim());
        }
    }
    let chained = content.strip_prefix('^').or_else(|| {
        content.strip_prefix("else").filter(|rest| rest.is_empty() || rest.starts_with(|next: char| next.is_whitespace()))
    });
    match chained.map(str::trim) {
        Some("") => (Kind::Else, ""),
        Some(rest) => (Kind::ElseIf, rest),
        None => (Kind::Value, content),
    }
}

enum Inside {
    Unclosed,
    Deep(usize),
}

/// The length of a tag's inside, up to its closing braces: quotes hide braces, and so does `[…]` as a segment of a path.
fn inside(text: &str) -> Result<usize, Inside> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut depth = 0usize;
    let mut braces = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'}') if braces == 0 && bytes.get(at + 1) == Some(&b'}') => return Ok(at),
            (None, b'[') if at > 0 && matches!(bytes[at - 1], b'.' | b'/') => {
                at += text[at..].find(']').ok_or(Inside::Unclosed)?;
            }
            (None, b'(' | b'[' | b'{') => {
                depth += 1;
                braces += usize::from(byte == b'{');
                if depth > MAX_DEPTH {
                    return Err(Inside::Deep(at));
                }
            }
            (None, b')' | b']' | b'}') => {
                depth = depth.saturating_sub(1);
                braces = braces.saturating_sub(usize::from(byte == b'}'));
            }
            (None, _) => {}
        }
        at += 1;
    }
    Err(Inside::Unclosed)
}

fn unclosed(text: &str, start: usize) -> Fault {
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    Fault::syntax((start, line_end), "this tag is never closed").help(r"close it with }}, or write \{{ for literal braces")
}

/// Checks that every block is closed, by its own name, and not too deep.
fn pair(tags: &[Tag<'_>]) -> Result<(), Fault> {
    let mut open: Vec<&Tag<'_>> = Vec::new();
    for tag in tags {
        let span = (tag.start, tag.end);
        match tag.kind {
            Kind::Open | Kind::PartialBlock => open.push(tag),
            Kind::Decorator if name(tag).is_some_and(|name| name == "inline") => open.push(tag),
            Kind::Else | Kind::ElseIf if open.is_empty() => {
                return Err(Fault::syntax(span, "{{else}} stands outside of any block"));
            }
            Kind::Close => match open.pop() {
                None => {
                    return Err(Fault::syntax(span, format!("{{{{/{}}}}} closes a block that was never opened", tag.content)));
                }
                Some(opened) if name(opened) == Some(tag.content) || (opened.kind != Kind::Open && tag.content.is_empty()) => {}
                Some(opened) => {
                    let wanted = name(opened).unwrap_or_default();
                    return Err(Fault::syntax(
                        span,
                        format!("{{{{/{}}}}} closes a block that {{{{#{wanted}}}}} opened", tag.content),
                    )
                    .help(format!("write {{{{/{wanted}}}}} first")));
                }
            },
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            let message = format!("blocks nest deeper than {MAX_DEPTH}");
            return Err(Fault {
                code: "template-too-deep",
                span,
                message,
                help: Some("move the inner part into a partial".to_owned()),
            });
        }
    }
    match open.pop() {
        Some(tag) => {
            let name = name(tag).unwrap_or_default();
            Err(Fault::syntax((tag.start, tag.end), "this block is never closed").help(format!("close it with {{{{/{name}}}}}")))
        }
        None => Ok(()),
    }
}

/// The first word of a tag.
fn name<'a>(tag: &Tag<'a>) -> Option<&'a str> {
    tag.content.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_with_their_places() {
        let check = |text: &str, expected: &[(Kind, &str, &str)]| {
            let tags = scan(text).expect(text);
            let found: Vec<_> = tags.iter().map(|tag| (tag.kind, &text[tag.start..tag.end], tag.content)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("a {{x}} b {{~ y.z ~}}", &[(Kind::Value, "{{x}}", "x"), (Kind::Value, "{{~ y.z ~}}", "y.z")]);
        check(
            "{{{x}}}{{&y}}{{~{z}~}}",
            &[(Kind::Raw, "{{{x}}}", "x"), (Kind::Raw, "{{&y}}", "y"), (Kind::Raw, "{{~{z}~}}", "z")],
        );
        check(r#"{{default x "}}"}}"#, &[(Kind::Value, r#"{{default x "}}"}}"#, r#"default x "}}""#)]);
        check(r"\{{x}} \\{{y}}", &[(Kind::Value, "{{y}}", "y")]);
        check(
            "{{!-- }} {{x}} --}}{{! z }}",
            &[(Kind::Comment, "{{!-- }} {{x}} --}}", "}} {{x}}"), (Kind::Comment, "{{! z }}", "z")],
        );
        check("{{elsewhere}}", &[(Kind::Value, "{{elsewhere}}", "elsewhere")]);
        check(
            "{{#if a}}{{else if b}}{{^}}{{/if}}",
            &[
                (Kind::Open, "{{#if a}}", "if a"),
                (Kind::ElseIf, "{{else if b}}", "if b"),
                (Kind::Else, "{{^}}", ""),
                (Kind::Close, "{{/if}}", "if"),
            ],
        );
        check(
            "{{> a/b x=1}}{{x.[a }} b]}}",
            &[(Kind::Partial, "{{> a/b x=1}}", "a/b x=1"), (Kind::Value, "{{x.[a }} b]}}", "x.[a }} b]")],
        );
    }

    #[test]
    fn words_of_tags_are_found() {
        let text = "a {{b.c-d x=\"e\"}} f {{#if äg_h}} {{i";
        let mut all = HashSet::new();
        words(text, &mut all);
        for word in ["a", "b", "c", "c-d", "d", "x", "e", "f", "if", "äg_h", "h", "i", "b.c", "-d", "", "c-"] {
            assert_eq!(says(text, word), all.contains(word), "{word}");
        }
    }

    #[test]
    fn faults_name_their_place() {
        let check = |text: &str, code: &str, span: (usize, usize), words: &str| {
            let fault = scan(text).expect_err(text);
            assert_eq!((fault.code, fault.span), (code, span), "{text}");
            assert!(fault.message.contains(words), "{} / {words}", fault.message);
        };
        check("a {{x\nb", "template-syntax", (2, 5), "never closed");
        check("{{#if a}}{{/each}}", "template-syntax", (9, 18), "{{#if}} opened");
        check("a {{#if a}}", "template-syntax", (2, 11), "never closed");
        check("{{/if}}", "template-syntax", (0, 7), "never opened");
        check("{{else}}", "template-syntax", (0, 8), "outside");
        check("{{{{raw}}}}{{{{/raw}}}}", "template-syntax", (0, 4), "raw blocks");
        check(&"{{#if a}}".repeat(33), "template-too-deep", (288, 297), "deeper than 32");
        check(&format!("{{{{default {}", "(".repeat(40)), "template-too-deep", (0, 42), "brackets");
        check(&"x".repeat(MAX_SOURCE + 1), "template-too-large", (0, 0), "256 KiB");
    }
}
