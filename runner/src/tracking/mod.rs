//! Opens and clicks: links and the image put into messages, and who it was that followed them.
//!
//! Architecture invariant: of a message nothing is changed but the addresses of its links and one image at its end; every other byte stays.

mod agents;
mod bursts;
mod entities;
mod scan;
#[cfg(test)]
mod tests;

pub use agents::is_machine;
pub use bursts::{Bursts, Click, HELD};

use std::ops::Range;

use dsl::model::Tracking;

use self::entities::{decode, encode};
use self::scan::{Scan, Tag};
use crate::state::MessageId;
use crate::tokens::{Purpose, Signer, Token};

/// The runner's own addresses are never tracked: they must work whatever becomes of tracking.
const OWN: [&str; 5] = ["u", "preferences", "confirm", "c", "o"];
/// `data-track="off"` keeps a link as it is.
const SWITCH: &str = "data-track";

/// Something of the document that is replaced.
struct Change {
    place: Range<usize>,
    by: String,
}

/// The message's HTML with its links leading by `{base}/c/` and an image `{base}/o/` at its end, as far as `tracking` asks for it. `base` is the
/// project's public address without a trailing slash; `token` names whom the message goes to.
///
/// A link with `data-track="off"` stays as it is, without that attribute. Comments stay as they are, also those that only Outlook reads.
pub fn prepare(html: &str, base: &str, signer: &Signer, message: MessageId, token: &Token, tracking: Tracking) -> String {
    let mut changes = Vec::new();
    let mut end = None;
    let mut scan = Scan::new(html);
    while let Some(tag) = scan.next() {
        if tag.closes && tag.is("body") {
            end = Some(tag.place.start);
        } else if !tag.closes && (tag.is("a") || tag.is("area")) {
            link(&tag, base, tracking.clicks, |url| signer.sign_link(message, url), &mut changes);
        }
    }
    if tracking.opens {
        // Without an end of the body, that of the document; in a comment or tag that is never closed an image would be none.
        let end = end.or_else(|| scan.ended_in_text().then_some(html.len()));
        changes.extend(end.map(|end| Change { place: end..end, by: image(base, &signer.sign(Purpose::Open, token)) }));
        changes.sort_by_key(|change| change.place.start);
    }
    applied(html, &changes)
}

/// What changes of one link.
fn link(tag: &Tag<'_>, base: &str, clicks: bool, sign: impl Fn(&str) -> String, changes: &mut Vec<Change>) {
    let switch = tag.attribute(SWITCH).and_then(|switch| tag.value(switch));
    if switch.is_some_and(|value| value.eq_ignore_ascii_case("off")) {
        // All of them: behind a first one, a second says nothing, until it is the first.
        let places: Option<Vec<_>> = tag.all(SWITCH).map(|switch| tag.without(switch)).collect();
        changes.extend(places.into_iter().flatten().map(|place| Change { place, by: String::new() }));
        return;
    }
    let Some(href) = tag.attribute("href").filter(|_| clicks) else { return };
    let Some(url) = tag.value(href).and_then(decode).and_then(|url| followed(&url, base)) else { return };
    let by = format!("\"{}\"", encode(&format!("{base}/c/{}", sign(&url))));
    if let Some(place) = href.with_quotes.clone() {
        changes.push(Change { place, by });
    }
}

/// Where a link leads, if that is the web and not one of the runner's own pages. As browsers read it: white space around it and line breaks within do
/// not count (URL Living Standard, section 4.4).
fn followed(url: &str, base: &str) -> Option<String> {
    let url: String = url.trim_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let scheme = url.split_once("://")?.0;
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) || url.chars().any(char::is_control) {
        return None;
    }
    let own = url.strip_prefix(base).and_then(|path| path.strip_prefix('/')).is_some_and(|path| {
        let first = path.split(['/', '?', '#']).next().unwrap_or_default();
        OWN.contains(&first)
    });
    (!own).then_some(url)
}

fn image(base: &str, token: &str) -> String {
    let address = encode(&format!("{base}/o/{token}"));
    format!("<img src=\"{address}\" width=\"1\" height=\"1\" alt=\"\" style=\"display:block;border:0;width:1px;height:1px\">")
}

fn applied(html: &str, changes: &[Change]) -> String {
    let mut out = String::with_capacity(html.len() + changes.iter().map(|change| change.by.len()).sum::<usize>());
    let mut copied = 0;
    for change in changes {
        out.push_str(&html[copied..change.place.start]);
        out.push_str(&change.by);
        copied = change.place.end;
    }
    out.push_str(&html[copied..]);
    out
}
