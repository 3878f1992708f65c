//! Whether a text is certain to keep its elements as they are when a parser of HTML5 reads it and writes it again: it uses what mails use, closes what it
//! opens, and puts nothing where it does not belong (HTML Living Standard, section "Tree construction").
//!
//! Whatever is not certain is found out by really doing it, which takes many times as long.

use super::markup::{Markup, StartTag, is_void, span_of};

/// Elements that end a paragraph.
const BLOCKS: [&str; 21] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "div",
    "footer",
    "header",
    "main",
    "nav",
    "section",
    "ul",
    "ol",
    "p",
    "table",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
];
/// Elements that stand among words.
const WORDS: [&str; 22] = [
    "a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "label", "q", "s", "small", "span", "strike", "strong", "sub",
    "sup", "time", "tt", "u", "bdi",
];
/// In which only certain elements, and no text, may stand.
const OF_TABLES: [&str; 5] = ["table", "thead", "tbody", "tfoot", "tr"];
/// Elements of which a paragraph outside is not seen.
const BOUNDARIES: [&str; 4] = ["td", "th", "table", "html"];
/// References that stand for something that is seen, or that is written as a reference again.
const SEEN: [&str; 18] = [
    "amp", "lt", "gt", "quot", "nbsp", "copy", "reg", "euro", "middot", "ndash", "mdash", "hellip", "rarr", "laquo", "raquo",
    "bull", "rsquo", "times",
];
/// How deep elements may nest.
const MAX_NESTING: usize = 200;

/// Where in a document the text has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Begin,
    Html,
    Head,
    BehindHead,
    Body,
    BehindBody,
    End,
}

/// Whether this text, with this markup, is such a text. `token` begins what stands for expressions.
pub(super) fn fits(text: &str, markup: &[Markup], token: &str) -> bool {
    if text.contains(['\0', '\r', '\u{a0}']) {
        return false;
    }
    let mut reader = Reader { text, token, open: Vec::new(), part: Part::Begin };
    let mut at = 0;
    for found in markup {
        let span = span_of(found);
        let fits = reader.words(&text[at..span.start])
            && match found {
                Markup::Start(tag) => reader.start(tag),
                Markup::End { name, span } => reader.end(&text[name.clone()], &text[name.end..span.end]),
                Markup::Comment(span) => reader.comment(&text[span.clone()], span.start == 0),
            };
        if !fits {
            return false;
        }
        at = span.end;
    }
    reader.words(&text[at..]) && reader.part == Part::End
}

struct Reader<'a> {
    text: &'a str,
    token: &'a str,
    open: Vec<&'a str>,
    part: Part,
}

impl<'a> Reader<'a> {
    fn top(&self) -> &'a str {
        self.open.last().copied().unwrap_or_default()
    }

    /// Text between markup.
    fn words(&self, words: &str) -> bool {
        if words.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c')) {
            return true;
        }
        match self.top() {
            "style" => true,
            top => {
                let may_stand = top == "title" || (self.part == Part::Body && !OF_TABLES.contains(&top));
                may_stand && stays_words(words)
            }
        }
    }

    fn comment(&self, comment: &str, first: bool) -> bool {
        match comment.strip_prefix("<!--").map(|inside| (inside, inside.strip_suffix("-->"))) {
            Some((_, Some(inside))) => {
                !inside.starts_with(['>', '-'])
                    && !["<!--", "--!>"].iter().any(|odd| inside.contains(odd))
                    && !inside.ends_with('-')
            }
            Some((_, None)) => false,
            None => first && comment.eq_ignore_ascii_case("<!doctype html>"),
        }
    }

    fn end(&mut self, name: &str, rest: &str) -> bool {
        if rest.trim_ascii() != ">" || self.open.pop() != Some(name) {
            return false;
        }
        match name {
            "head" => self.part = Part::BehindHead,
            "body" => self.part = Part::BehindBody,
            "html" => self.part = Part::End,
            _ => {}
        }
        self.part != Part::End || self.open.is_empty()
    }

    fn start(&mut self, tag: &StartTag) -> bool {
        let name = &self.text[tag.name.clone()];
        if !self.may_begin(name, tag) || !self.attributes(tag) || self.open.len() >= MAX_NESTING {
            return false;
        }
        let void = is_void(name);
        if !void {
            self.open.push(name);
        }
        void || !tag.closed
    }

    /// Whether this element stays where it is written.
    fn may_begin(&mut self, name: &str, tag: &StartTag) -> bool {
        let top = self.top();
        match (self.part, name) {
            (Part::Begin, "html") => self.part = Part::Html,
            (Part::Html, "head") => self.part = Part::Head,
            (Part::BehindHead, "body") => self.part = Part::Body,
            (Part::Head, "meta" | "link") => return top == "head",
            (Part::Head, "title" | "style") => return top == "head" && tag.attributes.is_empty(),
            (Part::Body, _) => return self.may_stand(name, top),
            _ => return false,
        }
        true
    }

    fn may_stand(&self, name: &str, top: &str) -> bool {
        match name {
            "thead" | "tbody" | "tfoot" => return top == "table",
            "tr" => return matches!(top, "table" | "thead" | "tbody" | "tfoot"),
            "td" | "th" => return top == "tr",
            _ if OF_TABLES.contains(&top) => return false,
            "li" => return matches!(top, "ul" | "ol"),
            "a" if self.open.contains(&"a") => return false,
            "img" | "br" | "wbr" => return true,
            _ if WORDS.contains(&name) => return true,
            "hr" => {}
            _ if BLOCKS.contains(&name) => {}
            _ => return false,
        }
        let in_paragraph = self.open.iter().rev().take_while(|open| !BOUNDARIES.contains(open)).any(|open| *open == "p");
        let heading = |name: &str| matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        !(in_paragraph || (heading(name) && heading(top)))
    }

    /// Whether attributes stay as they are, and what stands for expressions in its order: styles are put together anew, and classes come first.
    fn attributes(&self, tag: &StartTag) -> bool {
        let mut before = false;
        for (index, attribute) in tag.attributes.iter().enumerate() {
            let name = &self.text[attribute.name.clone()];
            let usual =
                name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b':'));
            let again = tag.attributes[..index].iter().any(|other| &self.text[other.name.clone()] == name);
            if !usual || again || name.is_empty() || name.starts_with("data-css-inline") {
                return false;
            }
            let value = attribute.value.clone();
            let holds = name.contains(self.token) || value.clone().is_some_and(|value| self.text[value].contains(self.token));
            let fits = match (name, value) {
                (_, None) => name != "style" && name != "class",
                ("style", Some(value)) => self.quoted(&value) && !holds && usual_style(&self.text[value]),
                ("class", Some(value)) => self.quoted(&value) && !(holds && before),
                (_, Some(value)) => self.quoted(&value) || usual_value(&self.text[value]),
            };
            if !fits {
                return false;
            }
            before |= holds;
        }
        true
    }

    fn quoted(&self, value: &std::ops::Range<usize>) -> bool {
        let bytes = self.text.as_bytes();
        let quote = value.start.checked_sub(1).and_then(|at| bytes.get(at));
        matches!(quote, Some(b'"' | b'\'')) && bytes.get(value.end) == quote
    }
}

/// Whether words are still words, and no white space, once their references are read.
fn stays_words(words: &str) -> bool {
    if !words.contains('&') {
        return !words.trim().is_empty();
    }
    let (mut rest, mut left, mut seen) = (words, String::new(), false);
    while let Some((before, reference)) = rest.split_once('&') {
        left.push_str(before);
        let (name, behind) = reference.split_once(';').unwrap_or(("", reference));
        seen |= SEEN.contains(&name);
        rest = behind;
    }
    left.push_str(rest);
    seen || !left.trim().is_empty()
}

/// Whether a `style` attribute holds plain declarations and nothing else.
fn usual_style(style: &str) -> bool {
    if !style.is_ascii() || style.contains(['{', '}', '[', ']', '\\', '"', '!', '@', '&', '<', '>', '\n', '*']) {
        return false;
    }
    let pairs = style.matches('\'').count().is_multiple_of(2) && style.matches('(').count() == style.matches(')').count();
    let declarations = style.trim_ascii().trim_end_matches(';');
    pairs
        && (declarations.is_empty()
            || declarations.split(';').all(|declaration| {
                declaration.split_once(':').is_some_and(|(name, value)| {
                    let name = name.trim_ascii();
                    let vendor = name.strip_prefix('-').unwrap_or(name);
                    vendor.starts_with(|c: char| c.is_ascii_alphabetic())
                        && vendor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                        && !value.trim_ascii().is_empty()
                        && !value.contains(':')
                })
            }))
}

fn usual_value(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'#' | b'%' | b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::effort::Effort;
    use crate::template::markup::markup;
    use crate::template::styles::{self, Left};

    fn page(style: &str, body: &str) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>x</title><style>{style}</style></head>\n<body class=\"page\">{body}</body>\n</html>\n"
        )
    }

    #[test]
    fn usual_mails_fit() {
        let check = |body: &str, expected: bool| {
            let text = page("p{color:red}", body);
            assert_eq!(fits(&text, &markup(&text), "hbs0x"), expected, "{body}");
        };
        for body in [
            "<p>a <b>b</b> &amp; &nbsp;<a href=\"x?a=1&b=2\" style=\"color:red; font: 16px/1.5 'Segoe UI', sans-serif;\">c</a><br></p>",
            "<!--hbs0x1z--><table role=\"presentation\" width=100%><tr><td class=\"a\"><h1>x</h1><p>y</p></td></tr><!--hbs0x2z--></table>",
            "<div><ul><li>a</li><!--hbs0x3z--><li><p>b</p></li></ul><hr><img src=\"x.png\" alt=\"\"></div>",
            "<table><thead><tr><th>a</th></tr></thead><tbody><tr><td><table><tr><td>x</td></tr></table></td></tr></tbody></table>",
            "<!--[if mso]><table><tr><td><![endif]-->x<!--[if mso]></td></tr></table><![endif]-->",
            "<p class=\"a hbs0x4z\" id=\"hbs0x5z\">x</p>",
        ] {
            check(body, true);
        }
        for body in [
            "<p><div></div></p>",
            "<p>x",
            "</p>",
            "<b><i></b></i>",
            "<table>x<tr><td></td></tr></table>",
            "<tr><td></td></tr>",
            "<a><span><a></a></span></a>",
            "<li></li>",
            "<p>&ensp;</p>",
            "<p>&#32;</p>",
            "<select></select>",
            "<svg></svg>",
            "<P>x</P>",
            "<p id=\"hbs0x1z\" class=\"hbs0x2z\">x</p>",
            "<p style=\"width: hbs0x1zpx\">x</p>",
            "<p style=\"color\">x</p>",
            "<p a=\"1\" a=\"2\">x</p>",
            "<div/>",
            "<style>p{}</style>",
            "<!-- --!> -->",
            "<p>\r\n</p>",
            "<h1><h2></h2></h1>",
            "<table><td></td></table>",
            "<p\n>x</p ></body>",
            "<p>x\u{a0}</p>",
        ] {
            check(body, false);
        }
        assert!(!fits("<p>x</p>", &markup("<p>x</p>"), "hbs0x"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(1_000))]

        /// Where a text fits, its styles can be put on its elements.
        #[test]
        fn what_fits_is_kept(body in r#"(<p>|</p>|<p class="a">|<p id="i">|<div>|</div>|<b>|</b>|<i>|</i>|<a href="x">|<a href="\{\{x\}\}">|</a>|<span style="color: red; margin:0">|</span>|<h1>|</h1>|<h2>|</h2>|<ul>|</ul>|<li>|</li>|<table>|</table>|<tbody>|</tbody>|<tr>|</tr>|<td>|<td width=5>|</td>|<br>|<hr>|<img src=y>|\{\{x\}\}|\{\{#if a\}\}|\{\{/if\}\}|<!-- c -->|words|&nbsp;|&amp;|&lt;|&ensp;| |\n|<p class="\{\{x\}\}" title="\{\{y\}\}">|<p title="\{\{y\}\}" class="\{\{x\}\}">|<p \{\{x\}\}>|<font>|</font>|<small>|</small>|<center>|</center>){0,24}"#) {
            never_surprises(&body);
        }

        /// The same of pages that are made of whole elements.
        #[test]
        fn whole_elements_are_kept(body in elements()) {
            never_surprises(&body);
        }
    }

    /// Elements in elements, whether or not they may stand there.
    fn elements() -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;
        let leaf = prop::sample::select(vec![
            "words",
            "{{x}}",
            "&nbsp;",
            "<br>",
            "<img src=\"{{x}}\">",
            "<hr>",
            "<!-- c -->",
            " ",
            "&copy;",
        ])
        .prop_map(str::to_owned);
        leaf.prop_recursive(6, 40, 4, |inner| {
            let names = vec![
                "p", "div", "b", "i", "a", "em", "span", "h1", "h2", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td",
                "th", "center", "font", "section", "small", "code",
            ];
            let attributes = vec![
                "",
                " class=\"a\"",
                " id=\"i\"",
                " style=\"margin: 0\"",
                " href=\"{{y}}\"",
                " class=\"{{y}} b\"",
                " width=5",
            ];
            (prop::sample::select(names), prop::sample::select(attributes), prop::collection::vec(inner, 0..4), any::<bool>())
                .prop_map(|(name, attributes, inside, block)| {
                    let whole = format!("<{name}{attributes}>{}</{name}>", inside.concat());
                    if block { format!("{{{{#if z}}}}{whole}{{{{/if}}}}") } else { whole }
                })
        })
    }

    fn never_surprises(body: &str) {
        let css =
            "p, td.a > p, #i, b { color: red; margin: 0 } div p { font: 12px 'x' } a:hover { color: blue } h1 { padding: 3px }";
        let text = page(css, body);
        let done = styles::inline(&text, &mut Effort::default());
        let checked = styles::inline_unless_sure(&text, &mut Effort::default());
        match (done, checked) {
            (Ok(done), Ok(checked)) => assert!(done == checked || done.len() <= crate::template::SHOWN, "{body}"),
            (Err(why), Err(same)) => assert_eq!(why, same, "{body}"),
            (Err(Left::Structure), Ok(_)) => panic!("this does not fit: {body}"),
            (done, checked) => panic!("{done:?} {checked:?} {body}"),
        }
    }
}
