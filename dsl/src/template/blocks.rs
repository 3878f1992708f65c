//! Blocks of Handlebars in MJML: each part of one (its begin, its `{{else}}`, its end) must stand in the same element, or what comes out
//! when it is left out does not fit together.

use super::markup::{Inside, Markup, Scanned, is_void, span_of};
use super::tags::{Kind, Tag};

/// The tags that continue or end a block in another element than it begins in, each with the tag at its beginning.
pub(super) fn astray<'t>(text: &str, tags: &'t [Tag<'t>], scanned: &Scanned) -> Vec<(&'t Tag<'t>, &'t Tag<'t>)> {
    let mut found = Vec::new();
    let mut open: Vec<(&Tag<'_>, usize)> = Vec::new();
    for (tag, holder) in tags.iter().zip(holders(text, tags, scanned)) {
        let begin = match tag.kind {
            Kind::Open | Kind::PartialBlock => {
                open.push((tag, holder));
                continue;
            }
            Kind::Else | Kind::ElseIf => open.last().copied(),
            Kind::Close => open.pop(),
            _ => continue,
        };
        found.extend(begin.filter(|(_, there)| *there != holder).map(|(begin, _)| (begin, tag)));
    }
    found
}

/// For each tag, the place of the MJML element, the value or the comment that it stands in. `mj-raw` does not count: it only brings text to
/// where it stands.
fn holders(text: &str, tags: &[Tag<'_>], scanned: &Scanned) -> Vec<usize> {
    let mut holders: Vec<usize> = Vec::with_capacity(tags.len());
    let mut open: Vec<(&str, usize)> = Vec::new();
    for markup in &scanned.markup {
        let span = span_of(markup);
        let holder = nearest(&open);
        holders.extend(tags[holders.len()..].iter().take_while(|tag| tag.start < span.start).map(|_| holder));
        while let Some(tag) = tags.get(holders.len()).filter(|tag| tag.start < span.end) {
            let value = match (markup, scanned.inside.get(holders.len())) {
                (Markup::Start(start), Some(Inside::Value(_))) => start.attributes.iter().find_map(|attribute| {
                    attribute.value.as_ref().filter(|value| value.contains(&tag.start)).map(|value| value.start)
                }),
                _ => None,
            };
            holders.push(value.unwrap_or(span.start));
        }
        match markup {
            Markup::Start(tag) if !tag.closed && !is_void(&text[tag.name.clone()]) => {
                open.push((&text[tag.name.clone()], span.start));
            }
            Markup::End { name, .. } => {
                if let Some(index) = open.iter().rposition(|(open, _)| open.eq_ignore_ascii_case(&text[name.clone()])) {
                    open.truncate(index);
                }
            }
            _ => {}
        }
    }
    holders.resize(tags.len(), nearest(&open));
    holders
}

/// The innermost element of MJML among these; past every text where there is none, as `0` is the place of the first.
fn nearest(open: &[(&str, usize)]) -> usize {
    let is_holder = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("mj") && name != "mj-raw"
    };
    open.iter().rev().find(|(name, _)| is_holder(name)).map_or(usize::MAX, |(_, at)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{markup::scan, tags};

    #[test]
    fn parts_of_blocks_stand_in_one_element() {
        let check = |text: &str, expected: &[&str]| {
            let tags = tags::scan(text).expect(text);
            let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
            let found = astray(text, &tags, &scan(text, &opaque));
            assert_eq!(found.iter().map(|(_, tag)| &text[tag.start..tag.end]).collect::<Vec<_>>(), expected, "{text}");
        };
        check("<mj-section>{{#if b}}<mj-column>{{else}}</mj-column>{{/if}}</mj-section>", &["{{else}}"]);
        check("<mjml>{{#if a}}<mj-section>{{/if}}</mj-section>", &["{{/if}}"]);
        check("<mjml><mj-section>{{#if a}}</mj-section><mj-section>{{/if}}</mj-section>", &["{{/if}}"]);
        check("<mjml>{{#if a}}<mj-section></mj-section>{{else}}<mj-section></mj-section>{{/if}}", &[]);
        check("<mjml><mj-raw>{{#if a}}<div></mj-raw><mj-section></mj-section><mj-raw></div>{{/if}}</mj-raw>", &[]);
        check("<mj-text>{{#if a}}<b>x{{/if}}</b><br>{{#if c}}<p>{{/if}}</mj-text>", &[]);
        check("<mj-text color=\"{{#if a}}x{{else}}y{{/if}}\">", &[]);
        check("<mj-text color=\"{{#if a}}x\" width=\"{{/if}}\">", &["{{/if}}"]);
        check("{{#if a}}<!-- {{/if}} -->", &["{{/if}}"]);
    }
}
