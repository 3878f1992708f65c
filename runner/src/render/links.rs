//! The links of a finished message: those that tell an analytics program where a visit comes from, and the way out that a marketing mail must
//! have.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dsl::template::{Markup, markup};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::safety;

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Addresses of the message that are its own, and lead to this program.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    pub unsubscribe: Option<String>,
    pub preferences: Option<String>,
}

impl Own {
    /// Whether an address (not escaped) is one of them, or leads to a confirmation.
    fn has(&self, address: &str) -> bool {
        let same = |own: &Option<String>| own.as_deref().is_some_and(|own| !own.is_empty() && address.starts_with(own));
        let base = self.unsubscribe.as_deref().and_then(|own| own.rsplit_once("/u/")).map(|(base, _)| base);
        same(&self.unsubscribe)
            || same(&self.preferences)
            || base.is_some_and(|base| address.strip_prefix(base).is_some_and(|path| path.starts_with("/confirm/")))
    }

    /// Whether HTML shows one of the ways out; comments, which include what only Outlook reads, show nothing. Looks at nothing but the places
    /// where an address stands: every marketing mail comes through here.
    pub fn shown_in_html(&self, html: &str) -> bool {
        self.spellings().any(|own| {
            html.match_indices(own.as_ref()).any(|(at, _)| {
                let before = &html[..at];
                before.rfind("<!--").is_none_or(|comment| before[comment..].contains("-->"))
            })
        })
    }

    /// The addresses as they may stand in a text, escaped for HTML or not.
    fn spellings(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let own = [&self.unsubscribe, &self.preferences].into_iter().flatten().filter(|own| !own.is_empty());
        own.flat_map(|own| [Cow::Borrowed(own.as_str()), Cow::Owned(safety::entities(own))])
    }

    /// Whether a text (escaped for HTML or not) shows one of the ways out.
    pub fn shown_in(&self, text: &str) -> bool {
        self.spellings().any(|own| text.contains(own.as_ref()))
    }
}

/// The HTML with these parameters on each link to the web that has none of them.
pub(super) fn marked_html(html: &str, parameters: &BTreeMap<String, String>, own: &Own) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut at = 0;
    for found in markup(html) {
        let Markup::Start(tag) = found else { continue };
        if !tag.is(html, "a") && !tag.is(html, "area") {
            continue;
        }
        if let Some(range) = tag.value(html, "href") {
            let address = html[range.clone()].replace("&amp;", "&");
            if let Some(marked) = marked(&address, parameters, own) {
                out.push_str(&html[at..range.start]);
                out.push_str(&marked.replace('&', "&amp;"));
                at = range.end;
            }
        }
    }
    out.push_str(&html[at..]);
    out
}

/// The text with these parameters on each address of the web in it.
pub(super) fn marked_text(text: &str, parameters: &BTreeMap<String, String>, own: &Own) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(start) = rest.find("http") {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"' | ')' | ']')).unwrap_or(rest.len());
        let address = rest[..length].trim_end_matches(['.', ',', ';', ':', '!', '?']);
        let end = address.len().max(4);
        match marked(address, parameters, own) {
            Some(marked) => out.push_str(&marked),
            None => out.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// The address with the parameters that it has not; `None` where nothing is to be added.
fn marked(address: &str, parameters: &BTreeMap<String, String>, own: &Own) -> Option<String> {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme)?;
    if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) || own.has(address) {
        return None;
    }
    let (before, fragment) = address.split_once('#').map_or((address, None), |(before, fragment)| (before, Some(fragment)));
    let query = before.split_once('?').map_or("", |(_, query)| query);
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let mut out = before.to_owned();
    let mut added = false;
    for (name, value) in parameters {
        let name = format!("utm_{name}");
        if has(&name) {
            continue;
        }
        let sign = match (added || before.contains('?'), out.ends_with(['?', '&'])) {
            (_, true) => "",
            (true, false) => "&",
            (false, false) => "?",
        };
        out.push_str(&format!("{sign}{name}={}", utf8_percent_encode(value, RESERVED)));
        added = true;
    }
    if let Some(fragment) = fragment {
        out.push('#');
        out.push_str(fragment);
    }
    added.then_some(out)
}

/// What the way out is called, by language.
const WAY_OUT: [(&str, &str); 3] =
    [("de", "Von diesen Nachrichten abmelden"), ("en", "Unsubscribe from these messages"), ("zh", "退订此类邮件")];

fn way_out(language: &str) -> &'static str {
    let alone = language.split('-').next().unwrap_or(language);
    WAY_OUT.iter().find(|(known, _)| *known == alone).map_or("Unsubscribe from these messages", |(_, words)| words)
}

/// The HTML with a way out at its end.
pub(super) fn with_way_out(html: &str, url: &str, language: &str) -> String {
    let words = way_out(language);
    let address = safety::entities(safety::address(url));
    let footer = format!(
        "<p style=\"margin:24px 0;text-align:center;font-family:sans-serif;font-size:12px;line-height:18px;color:#6b7280\"><a href=\"{address}\" style=\"color:#6b7280\">{words}</a></p>"
    );
    let end = html.rfind("</body").or_else(|| html.rfind("</BODY")).or_else(|| html.rfind("</html")).unwrap_or(html.len());
    format!("{}{footer}{}", &html[..end], &html[end..])
}

/// The text with a way out at its end.
pub(super) fn text_with_way_out(text: &str, url: &str, language: &str) -> String {
    format!("{}\n\n{}: {url}\n", text.trim_end(), way_out(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> BTreeMap<String, String> {
        [("source", "news letter"), ("medium", "email")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn own() -> Own {
        Own {
            unsubscribe: Some("https://m.example/u/T".to_owned()),
            preferences: Some("https://m.example/preferences/T".to_owned()),
        }
    }

    #[test]
    fn ways_out_in_comments_are_not_shown() {
        let check = |html: &str, expected: bool| assert_eq!(own().shown_in_html(html), expected, "{html}");
        check("<a href=\"https://m.example/u/T\">x</a>", true);
        check("<!-- https://m.example/u/T --><p>x</p>", false);
        check("<!--[if mso]><a href=\"https://m.example/preferences/T\">x</a><![endif]-->", false);
        check("<!-- a --><a href=\"https://m.example/u/T\">x</a><!-- b -->", true);
        check("<!-- https://m.example/u/T --><a href=\"https://m.example/u/T\">x</a>", true);
        check("<!--[if !mso]><!--><a href=\"https://m.example/u/T\">x</a><!--<![endif]-->", true);
    }

    #[test]
    fn links_are_marked() {
        let check = |address: &str, expected: Option<&str>| {
            assert_eq!(marked(address, &parameters(), &own()).as_deref(), expected, "{address}")
        };
        let both = "utm_medium=email&utm_source=news%20letter";
        check("https://x.example", Some(&format!("https://x.example?{both}")));
        check("HTTP://x.example/a?b=c#d", Some(&format!("HTTP://x.example/a?b=c&{both}#d")));
        check("https://x.example/?", Some(&format!("https://x.example/?{both}")));
        check("https://x.example/?utm_medium=sms", Some("https://x.example/?utm_medium=sms&utm_source=news%20letter"));
        check("https://x.example/?utm_medium=a&utm_source=b", None);
        check("https://m.example/u/T", None);
        check("https://m.example/preferences/T?x=1", None);
        check("https://m.example/confirm/C", None);
        check("https://m.example/shop", Some(&format!("https://m.example/shop?{both}")));
        for other in ["mailto:a@b.example", "#top", "/path", "tel:+49", ""] {
            check(other, None);
        }
    }

    #[test]
    fn messages_are_marked() {
        let html = "<a class=x href='https://x.example/?a=1&amp;b=2'>https://y.example</a><img src=\"https://x.example/i.png\"><a href=\"https://m.example/u/T\">";
        assert_eq!(
            marked_html(html, &parameters(), &own()),
            html.replace("b=2'", "b=2&amp;utm_medium=email&amp;utm_source=news%20letter'")
        );
        let text = "See https://x.example/a, http and (https://x.example/b).\nOut: https://m.example/u/T";
        let with = "?utm_medium=email&utm_source=news%20letter";
        assert_eq!(
            marked_text(text, &parameters(), &own()),
            text.replace("/a,", &format!("/a{with},")).replace("/b)", &format!("/b{with})"))
        );
    }

    #[test]
    fn a_way_out_is_added_and_seen() {
        let own = Own { unsubscribe: Some("https://m.example/u/T?a=1&b=2".to_owned()), preferences: None };
        let url = own.unsubscribe.clone().unwrap_or_default();
        let html = with_way_out("<html><body><p>x</p></body></html>", &url, "de-AT");
        assert!(html.contains("a=1&amp;b=2\"") && html.contains("abmelden") && html.ends_with("</p></body></html>"), "{html}");
        assert!(own.shown_in(&html) && own.shown_in(&text_with_way_out("x", &url, "fr")));
        assert!(!own.shown_in("<p>x</p>") && !Own::default().shown_in(""));
    }
}
