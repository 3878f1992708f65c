//! What the rules about good mail want to know of a message: how large it is, what it shows, and where it leads.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::markup::{Inside, Markup, markup, mentions, scan, span_of};
use super::partials::partials_reached;
use super::place::{MOST_FOUND, Place};
use super::syntax::{self, Expr, Node};
use super::tags::{self, Kind};
use crate::diagnostic::Location;
use crate::model::LocaleVariant;

/// Attributes that lead somewhere or show something.
const ADDRESSES: [&str; 4] = ["href", "src", "background", "background-url"];
/// How much of a mail's HTML Gmail shows, in bytes.
pub(crate) const SHOWN: usize = 102 * 1024;
/// So few characters say nothing.
const NEXT_TO_NOTHING: usize = 20;

/// One variant of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The file that holds its HTML, else its text.
    pub at: Location,
    pub has_text: bool,
    /// The HTML as it is sent but for the data, in bytes.
    pub size: usize,
    /// It shows images, and says next to nothing.
    pub image_only: bool,
    /// Tables or images put it in order, so that a text made of it loses some of its meaning.
    pub laid_out: bool,
    /// It names `unsubscribe_url` or `preferences_url`, and not only in a comment.
    pub leads_out: bool,
}

impl Facts {
    pub(super) fn of(variant: &LocaleVariant, at: Location, partials: &BTreeMap<String, String>) -> Facts {
        let html = variant.html.iter().flat_map(|part| std::iter::once(part.source.as_str()).chain(part.layout.as_deref()));
        let html: Vec<&str> = html.collect();
        let text = variant.text.iter().flat_map(|part| std::iter::once(part.source.as_str()).chain(part.layout.as_deref()));
        let reached = partials_reached(html.iter().copied(), partials);
        let pieces: Vec<&str> =
            html.iter().copied().chain(reached.iter().filter_map(|name| partials.get(name).map(String::as_str))).collect();
        let shows = pieces.iter().any(|piece| has(piece, "img"));
        let says_little = || pieces.iter().map(|piece| said(piece)).sum::<usize>() < NEXT_TO_NOTHING;
        Facts {
            at,
            has_text: variant.text.is_some(),
            size: pieces.iter().map(|piece| piece.len()).sum(),
            image_only: shows && says_little(),
            laid_out: shows || pieces.iter().any(|piece| has(piece, "table")),
            leads_out: html_leads_out(&html, partials) || text.into_iter().any(leads_out),
        }
    }
}

/// Whether HTML, with the partials it uses, names a way to unsubscribe where a reader sees it.
fn html_leads_out(html: &[&str], partials: &BTreeMap<String, String>) -> bool {
    let shown: Vec<Cow<'_, str>> = html.iter().map(|piece| without_commented(piece)).collect();
    if shown.iter().any(|text| leads_out(text)) {
        return true;
    }
    // Only those that the text reaches at all, comments and all: a project may have many.
    let reached = partials_reached(shown.iter().map(AsRef::as_ref), partials);
    let partials: BTreeMap<String, String> = reached
        .into_iter()
        .filter_map(|name| partials.get(&name).map(|text| without_commented(text).into_owned()).map(|text| (name, text)))
        .collect();
    let reached = partials_reached(shown.iter().map(AsRef::as_ref), &partials);
    reached.iter().filter_map(|name| partials.get(name)).any(|text| leads_out(text))
}

/// The HTML without the expressions that stand in comments, which include what only Outlook reads. Blocks stay: they may end outside.
fn without_commented(html: &str) -> Cow<'_, str> {
    if !html.contains("<!") && !html.contains("<?") {
        return Cow::Borrowed(html);
    }
    let tags = tags::scan_long(html).unwrap_or_default();
    let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    for (tag, inside) in tags.iter().zip(scan(html, &opaque).inside) {
        if inside == Inside::Comment && matches!(tag.kind, Kind::Value | Kind::Raw | Kind::Partial) {
            out.push_str(&html[at..tag.start]);
            at = tag.end;
        }
    }
    out.push_str(&html[at..]);
    Cow::Owned(out)
}

/// Whether a text names a way to unsubscribe.
pub(super) fn leads_out(text: &str) -> bool {
    fn named(expr: &Expr) -> bool {
        match expr {
            Expr::Name { text, .. } => matches!(text.rsplit(['.', '/']).next(), Some("unsubscribe_url" | "preferences_url")),
            Expr::Call(call) => call.values.iter().any(named),
            Expr::Literal(_) => false,
        }
    }
    fn any(nodes: &[Node]) -> bool {
        nodes.iter().any(|node| match node {
            Node::Text(_) | Node::Decorator(_) => false,
            Node::Value { call, .. } => named(&call.name) || call.values.iter().any(named),
            Node::Block { body, inverse, .. } => any(body) || any(inverse),
            Node::Partial { call, body, .. } => {
                call.values.iter().chain(call.named.iter().map(|(_, value)| value)).any(named) || any(body)
            }
        })
    }
    let mentioned = text.contains("unsubscribe_url") || text.contains("preferences_url");
    mentioned && syntax::parse_long(text).is_ok_and(|nodes| any(&nodes))
}

/// How many characters a reader sees, at least; data counts as a few.
fn said(html: &str) -> usize {
    let tags = tags::scan_long(html).unwrap_or_default();
    let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
    let data = tags.iter().filter(|tag| matches!(tag.kind, Kind::Value | Kind::Raw) && tag.content != "body").count() * 5;
    let mut hidden: Vec<(usize, usize)> = Vec::new();
    let mut style: Option<usize> = None;
    for found in scan(html, &opaque).markup {
        let span = span_of(&found);
        match &found {
            Markup::Start(tag) if tag.is(html, "style") || tag.is(html, "title") => style = Some(span.start),
            Markup::End { .. } if style.is_some() => hidden.push((style.take().unwrap_or(span.start), span.end)),
            _ if style.is_none() => hidden.push((span.start, span.end)),
            _ => {}
        }
    }
    hidden.extend(opaque);
    hidden.sort_unstable();
    let (mut at, mut seen) = (0, 0);
    for (start, end) in hidden.into_iter().chain([(html.len(), html.len())]) {
        if start > at {
            seen += html[at..start].chars().filter(|c| !c.is_whitespace()).count();
        }
        at = at.max(end);
    }
    seen + data
}

fn has(html: &str, element: &str) -> bool {
    mentions(html, element) && markup(html).iter().any(|found| matches!(found, Markup::Start(tag) if tag.is(html, element)))
}

/// Where a text leads to, or shows, something that travels without encryption.
pub(super) fn insecure(place: Place<'_>) -> Vec<Location> {
    if !mentions(place.text, "http://") {
        return Vec::new();
    }
    let tags = tags::scan(place.text).unwrap_or_default();
    let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
    let mut found = Vec::new();
    for markup in scan(place.text, &opaque).markup {
        let Markup::Start(tag) = markup else { continue };
        for attribute in &tag.attributes {
            let name = &place.text[attribute.name.clone()];
            let Some(value) = attribute.value.clone().filter(|_| ADDRESSES.iter().any(|known| name.eq_ignore_ascii_case(known)))
            else {
                continue;
            };
            let begins = place.text.get(value.start..value.start + 7).is_some_and(|begin| begin.eq_ignore_ascii_case("http://"));
            if begins {
                found.push(place.location(value.start, value.end));
            }
            if found.len() >= MOST_FOUND {
                return found;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees_is_counted() {
        let check = |html: &str, expected: usize| assert_eq!(said(html), expected, "{html}");
        check("<p>Hello <b>you</b></p>", 8);
        check("<style>p { color: red }</style><title>x</title><img alt=\"a b c\">", 0);
        check("<!-- remark --><p>{{x}} {{#if y}}z{{/if}}</p>", 6);
    }

    #[test]
    fn ways_out_are_found() {
        let check = |text: &str, expected: bool| assert_eq!(leads_out(text), expected, "{text}");
        check("<a href=\"{{unsubscribe_url}}\">", true);
        check("{{#if x}}{{else}}{{@root.preferences_url}}{{/if}}", true);
        check("{{> footer link=unsubscribe_url}}", true);
        check("{{default unsubscribe_url \"x\"}}", true);
        check("unsubscribe_url", false);
        check("{{! unsubscribe_url }}", false);
    }

    #[test]
    fn ways_out_that_nobody_sees_do_not_count() {
        let partials: BTreeMap<String, String> =
            [("footer".to_owned(), "<a href=\"{{unsubscribe_url}}\">x</a>".to_owned())].into_iter().collect();
        let check = |html: &str, layout: Option<&str>, expected: bool| {
            let part = crate::model::Part { source: html.to_owned(), layout: layout.map(str::to_owned) };
            let variant = LocaleVariant { html: Some(part), ..LocaleVariant::default() };
            let facts = Facts::of(&variant, Place::file("f", html).location(0, 0), &partials);
            assert_eq!(facts.leads_out, expected, "{html} {layout:?}");
        };
        check("<p>{{unsubscribe_url}}</p>", None, true);
        check("<!-- {{unsubscribe_url}} --><p>x</p>", None, false);
        check("<!-- x --><p>{{> footer}}</p>", None, true);
        check("<!-- {{> footer}} --><p>x</p>", None, false);
        check("<!--[if mso]><a href=\"{{unsubscribe_url}}\">x</a><![endif]-->", None, false);
        check("<!--[if !mso]><!--><a href=\"{{unsubscribe_url}}\">x</a><!--<![endif]-->", None, true);
        check("<!-- {{#if x}} --><p>{{preferences_url}}</p>{{/if}}", None, true);
        check("<p>x</p>", Some("{{{body}}}<!-- {{{unsubscribe_url}}} -->"), false);
        check("<!-- {{> card link=unsubscribe_url}} -->", None, false);
    }

    #[test]
    fn addresses_without_encryption_are_found() {
        let text =
            "<a href=\"http://x.example/{{y}}\">http://x</a>\n<img src='HTTP://x'><p xmlns=\"http://x\"><a href=\"https://x\">";
        let found = insecure(Place::file("f", text));
        let places: Vec<_> = found.iter().map(|at| (at.line, at.column)).collect();
        assert_eq!(places, [(1, 10), (2, 11)]);
    }
}
