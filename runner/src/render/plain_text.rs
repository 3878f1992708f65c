//! A text part made of an HTML part, for mails that were written without one: in one pass over its markup, as every such mail is made again
//! for each reader.

use dsl::template::{Markup, StartTag, is_void, markup};
use htmlize::{unescape, unescape_attribute};

/// How deep lists and quotations are shown as nested; what lies deeper stands at this depth.
const MAX_NESTING: usize = 8;

/// How many elements that hide what is in them may lack an end; those beyond hide the rest.
const MAX_UNENDED: usize = 16;

/// The text of an HTML part: links with their addresses behind them, images by what they say, no styles, and nothing that is hidden.
pub(super) fn of(html: &str) -> String {
    let found = markup(html);
    let mut unended = Vec::new();
    loop {
        let mut writer = Writer { unended, ..Writer::default() };
        writer.all(html, &found);
        match writer.hidden {
            // One that never ends hides nothing: everything after it would be gone.
            Some(hidden) if writer.unended.len() < MAX_UNENDED => {
                unended = writer.unended;
                unended.push(hidden.start);
            }
            _ => return tidy(&writer.out),
        }
    }
}

/// What an element does to the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing: it is part of a line.
    Inline,
    /// It stands on lines of its own.
    Line,
    /// Empty lines stand around it.
    Paragraph,
    Break,
    Rule,
    List,
    Item,
    Quotation,
    /// Its blanks and line ends count.
    Preformatted,
    Link,
    Image,
    /// Its content is no text to be read.
    Unread,
}

fn kind(name: &str) -> Kind {
    match name {
        "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "div" | "dt" | "fieldset" | "figcaption"
        | "footer" | "form" | "header" | "html" | "legend" | "main" | "nav" | "section" | "table" | "tbody" | "td" | "tfoot"
        | "th" | "thead" | "tr" => Kind::Line,
        "dl" | "figure" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "p" => Kind::Paragraph,
        "br" => Kind::Break,
        "hr" => Kind::Rule,
        "ol" | "ul" | "menu" => Kind::List,
        "li" => Kind::Item,
        "blockquote" => Kind::Quotation,
        "pre" => Kind::Preformatted,
        "a" => Kind::Link,
        "img" => Kind::Image,
        "head" | "style" | "script" | "title" | "textarea" | "select" | "template" | "noscript" | "object" | "video"
        | "audio" => Kind::Unread,
        _ => Kind::Inline,
    }
}

/// What stands at the beginning of lines: of a list's items, or of a quotation.
#[derive(Debug)]
enum Margin {
    /// The number of the next item; `None`: they have points.
    List(Option<u64>),
    Item(usize),
    Quotation,
}

#[derive(Debug, Default)]
struct Writer {
    out: String,
    /// Line ends that stand before the next word: two make an empty line.
    ends: usize,
    /// A blank stands before the next word.
    blank: bool,
    margins: Vec<Margin>,
    /// What marks the item that begins here.
    mark: Option<String>,
    /// Addresses of the links that are open.
    links: Vec<String>,
    preformatted: usize,
    hidden: Option<Hidden>,
    /// Where elements begin that would hide what is in them, but never end.
    unended: Vec<usize>,
}

/// An element that is not shown.
#[derive(Debug)]
struct Hidden {
    name: String,
    /// Where it begins, in bytes.
    start: usize,
    /// How many elements of its name are open, with itself.
    open: usize,
}

impl Writer {
    fn all(&mut self, html: &str, found: &[Markup]) {
        let mut at = 0;
        for found in found {
            let span = match found {
                Markup::Start(tag) => &tag.span,
                Markup::End { span, .. } | Markup::Comment(span) => span,
            };
            self.text(&html[at..span.start]);
            at = span.end;
            match found {
                Markup::Start(tag) => self.start(html, tag),
                Markup::End { name, .. } => self.end(&html[name.clone()]),
                Markup::Comment(_) => {}
            }
        }
        self.text(&html[at..]);
    }

    fn start(&mut self, html: &str, tag: &StartTag) {
        let name = html[tag.name.clone()].to_ascii_lowercase();
        if let Some(hidden) = &mut self.hidden {
            hidden.open += usize::from(hidden.name == name && !tag.closed);
            return;
        }
        let kind = kind(&name);
        let start = tag.span.start;
        let hides = kind == Kind::Unread || is_hidden(html, tag);
        if hides && !tag.closed && !is_void(&name) && !self.unended.contains(&start) {
            self.hidden = Some(Hidden { name, start, open: 1 });
            return;
        }
        let attribute = |name| tag.value(html, name).map(|range| unescape_attribute(&html[range]).into_owned());
        match kind {
            Kind::Inline | Kind::Unread => {}
            Kind::Line => self.line_ends(1),
            Kind::Paragraph | Kind::Rule => self.line_ends(2),
            Kind::Break => self.line_ends(self.ends + 1),
            Kind::List => {
                self.line_ends(if self.margins.is_empty() { 2 } else { 1 });
                self.margins.push(Margin::List((name == "ol").then_some(1)));
            }
            Kind::Item => {
                self.line_ends(1);
                let mark = match self.margins.last_mut() {
                    Some(Margin::List(Some(number))) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "* ".to_owned(),
                };
                self.margins.push(Margin::Item(mark.len()));
                self.mark = Some(mark);
            }
            Kind::Quotation => {
                self.line_ends(2);
                self.margins.push(Margin::Quotation);
            }
            Kind::Preformatted => {
                self.line_ends(2);
                self.preformatted += 1;
            }
            Kind::Link => self.links.push(attribute("href").unwrap_or_default()),
            Kind::Image => self.flow(&attribute("alt").unwrap_or_default()),
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(hidden) = &mut self.hidden {
            hidden.open -= usize::from(hidden.name.eq_ignore_ascii_case(name));
            if hidden.open == 0 {
                self.hidden = None;
            }
            return;
        }
        match kind(&name.to_ascii_lowercase()) {
            Kind::Line => self.line_ends(1),
            Kind::Paragraph => self.line_ends(2),
            Kind::List => {
                self.leave(|margin| matches!(margin, Margin::List(_)));
                self.line_ends(if self.margins.is_empty() { 2 } else { 1 });
            }
            Kind::Item => {
                self.leave(|margin| matches!(margin, Margin::Item(_)));
                self.mark = None;
                self.line_ends(1);
            }
            Kind::Quotation => {
                self.leave(|margin| matches!(margin, Margin::Quotation));
                self.line_ends(2);
            }
            Kind::Preformatted => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.line_ends(2);
            }
            Kind::Link => {
                let url = self.links.pop().unwrap_or_default();
                if ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| url.starts_with(scheme)) {
                    self.blank = true;
                    self.word(&format!("({url})"));
                }
            }
            Kind::Inline | Kind::Break | Kind::Rule | Kind::Image | Kind::Unread => {}
        }
    }

    /// Leaves the innermost margin of this kind, with those that were left open in it; an end without a beginning leaves none.
    fn leave(&mut self, is: impl Fn(&Margin) -> bool) {
        if let Some(at) = self.margins.iter().rposition(is) {
            self.margins.truncate(at);
        }
    }

    /// What comes next begins on a new line.
    fn line_ends(&mut self, least: usize) {
        self.ends = self.ends.max(least).min(2);
        self.blank = false;
    }

    /// Text between two pieces of markup, as it is written there.
    fn text(&mut self, escaped: &str) {
        if self.hidden.is_some() || escaped.is_empty() {
            return;
        }
        let text = unescape(escaped);
        if self.preformatted == 0 {
            return self.flow(&text);
        }
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.ends = (self.ends + 1).min(2);
            }
            if !line.trim_end().is_empty() {
                self.word(line.trim_end());
            }
        }
    }

    /// Words, with one blank between two.
    fn flow(&mut self, text: &str) {
        let blank = |c: char| c.is_ascii_whitespace();
        self.blank |= text.starts_with(blank);
        for (number, word) in text.split(blank).filter(|word| !word.is_empty()).enumerate() {
            self.blank |= number > 0;
            self.word(word);
        }
        self.blank |= text.ends_with(blank);
    }

    fn word(&mut self, word: &str) {
        let begun = !self.out.is_empty();
        if self.ends > 0 || !begun {
            for _ in 0..if begun { self.ends } else { 0 } {
                self.out.push('\n');
            }
            self.margin();
        } else if self.blank {
            self.out.push(' ');
        }
        (self.ends, self.blank) = (0, false);
        self.out.push_str(word);
    }

    /// What stands at the beginning of this line.
    fn margin(&mut self) {
        let mark = self.mark.take();
        let shown = self.margins.iter().filter(|margin| !matches!(margin, Margin::List(_))).take(MAX_NESTING);
        let (mut start, mut last) = (String::new(), 0);
        for margin in shown {
            last = start.len();
            match margin {
                Margin::Item(width) => start.extend(std::iter::repeat_n(' ', *width)),
                Margin::Quotation | Margin::List(_) => start.push_str("> "),
            }
        }
        if let Some(mark) = mark {
            start.truncate(last);
            start.push_str(&mark);
        }
        self.out.push_str(&start);
    }
}

/// Such as the words that only stand in a list of mails.
fn is_hidden(html: &str, tag: &StartTag) -> bool {
    let style = tag.value(html, "style").map(|range| html[range].replace(' ', "").to_ascii_lowercase());
    style.is_some_and(|style| style.contains("display:none"))
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
    use proptest::prelude::*;

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
        check("<head><title>x</title><p>y", "y\n");
        check("", "");
        check("<ol><li>a</li><li>b<ul><li>c<br>d</li></ul></li></ol><p>e</p>", "1. a\n2. b\n   * c\n     d\n\ne\n");
        check("<blockquote><p>a</p><p>b</p></blockquote>c", "> a\n\n> b\n\nc\n");
        check("<pre>a  b\n  c</pre>", "a  b\n  c\n");
        check("a<br><br><br>b &euro;5&nbsp;&#8211;&amp;copy; &nosuchname;", "a\n\nb €5\u{a0}–&copy; &nosuchname;\n");
        check(
            "<a href=\"https://x.example\"><img alt=\"Go &gt;\"></a> <a name=x>y</a></ul></li></blockquote>",
            "Go > (https://x.example) y\n",
        );
    }

    proptest! {
        /// It reads the same letters as a converter of another make, which glues words together that stand in elements next to each other.
        #[test]
        fn the_letters_are_those_of_another_converter(html in fragment()) {
            let other = html2text::config::plain_no_decorate().raw_mode(true).string_from_read(html.as_bytes(), 2_000).expect("converts");
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '#').collect::<String>();
            prop_assert_eq!(letters(&of(&html)), letters(&other), "{}", html);
        }
    }

    /// Elements in each other, with words, entities and blanks between them.
    fn fragment() -> impl Strategy<Value = String> {
        let text = prop::string::string_regex("( |\n|one|two|&amp;|&lt;|&euro;|&#228;|<br>|<!-- x -->)( |three| four)")
            .expect("a pattern");
        text.prop_recursive(4, 24, 4, |inner| {
            let element = prop::sample::select(vec!["p", "div", "b", "span", "h2", "td", "em"]);
            (element, prop::collection::vec(inner, 1..4)).prop_map(|(element, inside)| {
                let inside = inside.concat();
                match element {
                    "td" => format!("<table><tr><td>{inside}</td></tr></table>"),
                    _ => format!("<{element}>{inside}</{element}>"),
                }
            })
        })
    }

    #[test]
    fn what_is_too_much_to_lay_out_is_still_text() {
        let deep = format!("{}deep &amp; down{}", "<div>".repeat(50_000), "</div>".repeat(50_000));
        assert_eq!(of(&deep).trim(), "deep & down");
        let long = format!("<style>p {{}}</style><p>{}</p>", "x ".repeat(400_000));
        assert!(of(&long).trim().starts_with("x x x") && !of(&long).contains('<'));
    }
}
