//! Putting a body into its layout, and partials into both, at the level of the source: so that MJML and styles see the whole message. Every
//! place of the result still leads to where it was written.

use std::collections::BTreeMap;

use super::place::Place;
use super::syntax::{self, Expr, Node};
use super::tags::{self, Kind, MAX_DEPTH, Tag};
use crate::diagnostic::Location;

/// The longest text that is put together, in bytes.
const MAX_COMPOSED: usize = 1024 * 1024;

/// A text made of pieces of others.
pub(super) struct Composed<'a> {
    pub text: String,
    /// In order: where a piece begins here, which text it is from, and where it begins there.
    pieces: Vec<(usize, Place<'a>, usize)>,
}

/// Why a text could not be put together.
pub(super) enum Unfit<'a> {
    TooLarge,
    /// Reported where the text is checked by itself.
    Faulty,
    /// A partial at this place of a text would have to be put in, and takes values.
    Values(Place<'a>, (usize, usize), String),
    /// The layout prints the body in a block, more than once, or not at all.
    Body,
}

/// Which partials are put in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that hold MJML; one of them that takes values is a fault.
    Mjml,
    /// Those that take no values.
    Plain,
}

impl<'a> Composed<'a> {
    /// The body in its layout, with partials put in. A partial is named by its file with its text.
    pub fn new(
        body: Place<'a>,
        layout: Option<Place<'a>>,
        partials: &'a BTreeMap<String, (String, String)>,
        which: Which,
    ) -> Result<Composed<'a>, Unfit<'a>> {
        let mut composer = Composer { partials, which, out: Composed { text: String::new(), pieces: Vec::new() } };
        match layout {
            None => composer.text(body, None, 0)?,
            Some(layout) => {
                if !prints_body_once(layout.text) {
                    return Err(Unfit::Body);
                }
                composer.text(layout, Some(body), 0)?;
            }
        }
        Ok(composer.out)
    }

    /// Where the bytes of this text were written.
    pub fn location(&self, start: usize, end: usize) -> Option<Location> {
        let find = |at: usize| {
            let index = self.pieces.partition_point(|piece| piece.0 <= at).checked_sub(1)?;
            let (begins, place, there) = self.pieces.get(index)?;
            Some((*place, there + (at - begins)))
        };
        let ((place, from), (last, to)) = (find(start)?, find(end.max(start))?);
        let same = place.file == last.file && to >= from;
        Some(place.location(from, if same { to } else { from }))
    }
}

struct Composer<'a> {
    partials: &'a BTreeMap<String, (String, String)>,
    which: Which,
    out: Composed<'a>,
}

impl<'a> Composer<'a> {
    fn text(&mut self, place: Place<'a>, body: Option<Place<'a>>, depth: usize) -> Result<(), Unfit<'a>> {
        let tags = tags::scan(place.text).map_err(|_| Unfit::Faulty)?;
        let mut at = 0;
        for tag in &tags {
            let inner = match (body, tag.kind) {
                (Some(body), Kind::Raw) if tag.content == "body" => Some((body, None)),
                (_, Kind::Partial) => self.partial(place, tag, depth)?.map(|partial| (partial, body)),
                _ => None,
            };
            if let Some((inner, body)) = inner {
                self.push(place, at, tag.start)?;
                self.text(inner, body, depth + 1)?;
                at = tag.end;
            }
        }
        self.push(place, at, place.text.len())
    }

    /// The partial to be put in for this tag, if it is one that is.
    fn partial(&self, place: Place<'a>, tag: &Tag<'_>, depth: usize) -> Result<Option<Place<'a>>, Unfit<'a>> {
        let name = tag.content.split_whitespace().next().unwrap_or_default();
        let Some((file, text)) = self.partials.get(name) else {
            return Ok(None);
        };
        if depth >= MAX_DEPTH {
            return Err(Unfit::Faulty);
        }
        let plain = tag.content == name;
        match self.which {
            Which::Mjml if !text.contains("<mj-") => Ok(None),
            Which::Mjml if !plain => Err(Unfit::Values(place, (tag.start, tag.end), name.to_owned())),
            Which::Plain if !plain || text.contains("@partial-block") => Ok(None),
            _ => Ok(Some(Place::file(file, text))),
        }
    }

    fn push(&mut self, place: Place<'a>, start: usize, end: usize) -> Result<(), Unfit<'a>> {
        if self.out.text.len() + (end - start) > MAX_COMPOSED {
            return Err(Unfit::TooLarge);
        }
        self.out.pieces.push((self.out.text.len(), place, start));
        self.out.text.push_str(&place.text[start..end]);
        Ok(())
    }
}

/// Whether `{{{body}}}` stands in the text exactly once, and in no block.
fn prints_body_once(layout: &str) -> bool {
    let Ok(nodes) = syntax::parse(layout) else {
        return false;
    };
    let is_body = |node: &&Node| {
        matches!(node, Node::Value { raw: true, call } if call.values.is_empty()
            && call.named.is_empty()
            && matches!(&call.name, Expr::Name { text, .. } if text == "body"))
    };
    let tags = tags::scan(layout).unwrap_or_default();
    let written = tags.iter().filter(|tag| tag.kind == Kind::Raw && tag.content == "body").count();
    nodes.iter().filter(is_body).count() == 1 && written == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_put_together_and_places_kept() {
        let big = "x".repeat(200_000);
        let check =
            |body: &str, layout: Option<&str>, which: Which, expected: Result<&str, &str>, place: (&str, usize, usize)| {
                let partials: BTreeMap<String, (String, String)> =
                    [("p", "<b>{{> q}}</b>"), ("q", "Q"), ("m", "<mj-text>"), ("big", big.as_str())]
                        .into_iter()
                        .map(|(name, text)| (name.to_owned(), (format!("{name}.hbs"), text.to_owned())))
                        .collect();
                let body = Place { file: "body", text: body, line: 5, column: 1 };
                let composed = Composed::new(body, layout.map(|layout| Place::file("layout", layout)), &partials, which);
                let found = composed.as_ref().map(|composed| composed.text.as_str()).map_err(|unfit| match unfit {
                    Unfit::TooLarge => "large",
                    Unfit::Faulty => "faulty",
                    Unfit::Values(..) => "values",
                    Unfit::Body => "body",
                });
                assert_eq!(found, expected, "{layout:?}");
                if let Ok(composed) = &composed {
                    let at = composed.text.find('!').unwrap_or_default();
                    let found = composed.location(at, at + 1).expect("a place");
                    assert_eq!((found.file.as_str(), found.line, found.column), place, "{}", composed.text);
                }
            };
        check("a\n !b", None, Which::Plain, Ok("a\n !b"), ("body", 6, 2));
        check("x!", Some("<i>\n{{{body}}}</i>"), Which::Plain, Ok("<i>\nx!</i>"), ("body", 5, 2));
        check("x", Some("<i>{{{body}}}</i>\n!"), Which::Plain, Ok("<i>x</i>\n!"), ("layout", 2, 1));
        check("{{> p}}!", None, Which::Plain, Ok("<b>Q</b>!"), ("body", 5, 8));
        check("{{> p x=1}}!", None, Which::Plain, Ok("{{> p x=1}}!"), ("body", 5, 12));
        check("{{> p}}{{> m}}!", None, Which::Mjml, Ok("{{> p}}<mj-text>!"), ("body", 5, 15));
        check("{{> m x=1}}", None, Which::Mjml, Err("values"), ("", 0, 0));
        check("{{#if", None, Which::Mjml, Err("faulty"), ("", 0, 0));
        check("x", Some("{{#if a}}{{{body}}}{{/if}}"), Which::Plain, Err("body"), ("", 0, 0));
        check("x", Some("{{{body}}}{{{body}}}"), Which::Plain, Err("body"), ("", 0, 0));
        check(&"{{> big}}".repeat(6), None, Which::Plain, Err("large"), ("", 0, 0));
    }
}
