//! The page around the runner's own pages (unsubscribe, preferences, confirm): `templates/pages/layout.html.hbs`, or one for a language.

use super::place::Place;
use super::syntax::{self, Call, Expr, Node};
use super::vocabulary::suggestion;
use crate::diagnostic::Diagnostic;

/// What such a page may print.
pub const VARIABLES: [&str; 4] = ["content", "lang", "project", "title"];

/// Where something is that people do not see, or that is no HTML.
const HIDDEN: [(&str, &str); 6] = [
    ("<!--", "-->"),
    ("<script", "</script"),
    ("<style", "</style"),
    ("<template", "</template"),
    ("<textarea", "</textarea"),
    ("<title", "</title"),
];

/// The language of a file by its path under templates/pages/ without `.hbs`, in lower case and with hyphens; empty: every language. `None`: not a
/// page's name.
pub(super) fn language(stem: &str) -> Option<String> {
    let rest = stem.strip_prefix("layout")?.strip_suffix(".html")?;
    if rest.is_empty() {
        return Some(String::new());
    }
    let locale = rest.strip_prefix('.')?;
    let mut parts = locale.split(['-', '_']);
    let language =
        parts.next().is_some_and(|part| (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (language && rest).then(|| locale.to_ascii_lowercase().replace('_', "-"))
}

/// Finds whatever could keep somebody from using the page.
pub(super) fn check(place: Place<'_>) -> Vec<Diagnostic> {
    let nodes = match syntax::parse(place.text) {
        Ok(nodes) => nodes,
        Err(fault) => return vec![place.error(fault.code, fault.span, fault.message, fault.help)],
    };
    let mut found = Vec::new();
    let mut before = String::new();
    let mut times = 0;
    for node in &nodes {
        match node {
            Node::Text(text) => before.push_str(&text.to_ascii_lowercase()),
            Node::Value { raw, call } => match variable(call) {
                Some("content") => {
                    times += 1;
                    found.extend(content(place, call, *raw, &before, times));
                }
                Some(name) if VARIABLES.contains(&name) => {}
                name => found.push(unknown(place, call, name)),
            },
            Node::Block { call, .. } | Node::Partial { call, .. } => found.push(unknown(place, call, None)),
            Node::Decorator(span) => found.push(place.error("page-variable", *span, NOTHING_ELSE.to_owned(), None)),
        }
    }
    if times == 0 {
        let help = Some("write {{{content}}} where the page's own text and buttons stand".to_owned());
        found.push(place.error("page-without-content", (0, 0), "this page never prints its content".to_owned(), help));
    }
    found
}

const NOTHING_ELSE: &str = "a page prints {{title}}, {{{content}}}, {{lang}} and {{project}}, and nothing else";

fn variable(call: &Call) -> Option<&str> {
    match &call.name {
        Expr::Name { text, .. } if call.values.is_empty() && call.named.is_empty() => Some(text),
        _ => None,
    }
}

fn content(place: Place<'_>, call: &Call, raw: bool, before: &str, times: usize) -> Option<Diagnostic> {
    let wrong = |message: &str, help: &str| {
        Some(place.error("page-without-content", call.tag, message.to_owned(), Some(help.to_owned())))
    };
    if times > 1 {
        return wrong("the content is printed twice", "leave one {{{content}}}");
    }
    if !raw {
        return wrong("the content is HTML: people would see its source", "write {{{content}}}, with three braces");
    }
    let hidden = HIDDEN.iter().any(|(opens, closes)| match (before.rfind(opens), before.rfind(closes)) {
        (Some(opened), Some(closed)) => opened > closed,
        (opened, _) => opened.is_some(),
    });
    let in_tag = before.rfind('<') > before.rfind('>');
    if hidden || in_tag {
        return wrong(
            "nobody would see the content here",
            "put {{{content}}} between tags, outside of comments, scripts and styles",
        );
    }
    None
}

fn unknown(place: Place<'_>, call: &Call, name: Option<&str>) -> Diagnostic {
    let help = name.and_then(|name| suggestion(name, &VARIABLES, "variables"));
    place.error("page-variable", call.tag, NOTHING_ELSE.to_owned(), help)
}
