//! A text part made of an HTML part, for mails that were written without one.

use dsl::template::{Markup, deepest, is_void, markup};
use html2text::config;
use html2text::render::TextDecorator;

/// The longest HTML that is laid out; of a longer one, the tags are left out.
const MAX_LAID_OUT: usize = 512 * 1024;
/// How deep elements may nest to be laid out.
const MAX_NESTING: usize = 300;
/// Wide enough that lines end where the message has them end; mail programs fold them.
const WIDTH: usize = 2_000;

/// The text of an HTML part: links with their addresses behind them, images by what they say, no styles.
pub(super) fn of(html: &str) -> String {
    let html = &without_hidden(html);
    let laid_out = if html.len() <= MAX_LAID_OUT && deepest(html) <= MAX_NESTING {
        config::with_decorator(Words::default()).raw_mode(true).string_from_read(html.as_bytes(), WIDTH).ok()
    } else {
        None
    };
    tidy(&laid_out.unwrap_or_else(|| without_tags(html)))
}

/// How links and the like are written.
#[derive(Clone, Debug, Default)]
struct Words {
    /// Addresses of the links that are open.
    open: Vec<String>,
}

impl TextDecorator for Words {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.open.push(url.to_owned());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        let url = self.open.pop().unwrap_or_default();
        let leads = ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| url.starts_with(scheme));
        if leads { format!(" ({url})") } else { String::new() }
    }

    fn decorate_em_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        Default::default()
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        self.clone()
    }
}

/// The HTML without elements that are not shown, such as the words that only stand in a list of mails.
fn without_hidden(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut at = 0;
    // The hidden element, and how many of its name are open in it.
    let mut hidden: Option<(String, usize)> = None;
    for found in markup(html) {
        match (&mut hidden, found) {
            (None, Markup::Start(tag)) => {
                let style = tag.value(html, "style").map(|range| html[range].replace(' ', "").to_ascii_lowercase());
                let name = html[tag.name.clone()].to_ascii_lowercase();
                if style.is_some_and(|style| style.contains("display:none")) && !tag.closed && !is_void(&name) {
                    out.push_str(&html[at..tag.span.start]);
                    hidden = Some((name, 1));
                }
            }
            (Some((name, open)), Markup::Start(tag)) if tag.is(html, name) && !tag.closed => *open += 1,
            (Some((name, open)), Markup::End { name: ended, span }) if html[ended.clone()].eq_ignore_ascii_case(name) => {
                *open -= 1;
                if *open == 0 {
                    at = span.end;
                    hidden = None;
                }
            }
            _ => {}
        }
    }
    // One that never ends hides nothing: everything after it would be gone.
    out.push_str(&html[at..]);
    out
}

fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut at = 0;
    let mut hidden = false;
    for found in markup(html) {
        let (span, hides) = match &found {
            Markup::Start(tag) => (tag.span.clone(), tag.is(html, "style") || tag.is(html, "title") || tag.is(html, "script")),
            Markup::End { span, .. } | Markup::Comment(span) => (span.clone(), false),
        };
        if !hidden {
            out.push_str(&html[at..span.start]);
        }
        out.push(' ');
        hidden = hides;
        at = span.end;
    }
    out.push_str(&html[at..]);
    for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")] {
        out = out.replace(entity, character);
    }
    out
}

/// Without spaces at the ends of lines, empty lines in a row, and characters that show nothing.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        let line: String = line
            .chars()
            .filter(|c| !c.is_control() && !matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{feff}' | '\u{ad}' | '\u{34f}'))
            .collect();
        let line = line.trim_end();
        match (line.is_empty(), out.is_empty()) {
            (true, _) => empty += 1,
            (false, first) => {
                if !first {
                    out.push_str(if empty > 0 { "\n\n" } else { "\n" });
                }
                out.push_str(line);
                empty = 0;
            }
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_becomes_text() {
        let check = |html: &str, expected: &str| assert_eq!(of(html), expected, "{html}");
        check("<p>Hi <b>Ada</b>,</p><p>two &amp; <i>three</i></p>", "Hi Ada,\n\ntwo & three\n");
        check("<a href=\"https://x.example/?a=1&amp;b=2\">Shop</a>", "Shop (https://x.example/?a=1&b=2)\n");
        check("<ul><li>a</li><li>b</li></ul>", "* a\n* b\n");
        check("<style>p { color: red }</style><title>x</title><p>y</p>", "y\n");
        check("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\nb\nc\n");
        check("<img src=\"x\" alt=\"Logo\"><h1>Title</h1><hr><p>z</p>", "Logo\n\nTitle\n\nz\n");
        check("<!--[if mso]><p>Outlook</p><![endif]--><p>x</p>", "x\n");
        check("<div style=\"display: none\"><div>in the list</div></div><p>x</p>", "x\n");
        check("<div style=\"display:none\">x", "x\n");
        check("", "");
    }

    #[test]
    fn what_is_too_much_to_lay_out_is_still_text() {
        let deep = format!("{}deep &amp; down{}", "<div>".repeat(50_000), "</div>".repeat(50_000));
        assert_eq!(of(&deep).trim(), "deep & down");
        let long = format!("<style>p {{}}</style><p>{}</p>", "x ".repeat(400_000));
        assert!(of(&long).trim().starts_with("x x x") && !of(&long).contains('<'));
    }
}
