//! Styles put on the elements they are for, once, where a template is read: many mail programs know no `<style>`.
//!
//! An HTML5 parser reads the text for that. It must change nothing but styles, so what comes out is compared with what went in; a template
//! that only makes sense after rendering (half an element in a block) is left as it is.

use std::ops::Range;

use css_inline::{CSSInliner, InlineOptions};

use super::effort::Effort;
use super::facts::SHOWN;
use super::fitting;
use super::markup::{Inside, Markup, deepest_of, is_void, markup, mentions, scan, span_of};
use super::selectors::{self, Unknown};
use super::tags::{self, Kind, Tag};
use super::tokens::{Shape, Tokens, is_ordered};

/// How deep elements may nest.
const MAX_NESTING: usize = 200;
/// Elements that a parser adds where they are not written (HTML Living Standard, section "Optional tags").
const ADDED: [&str; 5] = ["html", "head", "body", "tbody", "colgroup"];
/// Elements whose end may be left out.
const UNENDED: [&str; 17] = [
    "html", "head", "body", "tbody", "thead", "tfoot", "colgroup", "caption", "tr", "td", "th", "p", "li", "dt", "dd", "option",
    "optgroup",
];

/// Why styles stay where they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// An expression decides what the styles or the elements are.
    Expression,
    /// A parser would move or add elements.
    Structure,
    /// Nested too deep.
    Deep,
    /// Not CSS that can be read.
    Css,
    /// It would take too long.
    Many,
    /// The same, with other messages before it.
    ManyTogether,
}

impl Left {
    pub fn words(self) -> &'static str {
        match self {
            Left::Expression => "expressions in `<style>`, or in place of an element's name, keep it from being read",
            Left::Structure => {
                "its elements do not fit together as they are written: one is not closed, or stands only half in a block"
            }
            Left::Deep => "its elements nest too deep",
            Left::Css => "its styles cannot be read as CSS",
            Left::Many => "it has too many rules, or declarations, for so many elements",
            Left::ManyTogether => "the project's messages have too many rules for so many elements together",
        }
    }
}

/// Whether a text has styles to put on its elements.
pub(super) fn has_style(text: &str) -> bool {
    mentions(text, "<style") && markup(text).iter().any(|found| matches!(found, Markup::Start(tag) if tag.is(text, "style")))
}

/// The text with the styles of its `<style>` elements on the elements they are for. At-rules, what matches nothing, and what elements may
/// need that are only known after rendering, stay.
pub(super) fn inline(text: &str, effort: &mut Effort) -> Result<String, Left> {
    let aside = put_aside(text, None)?;
    let markup = look(&aside, None, effort)?;
    work(aside, &markup, None)
}

/// The same for a text that is only to be checked: where it is certain that this can be done, and that no mail program cuts what comes of it, the text is given
/// as it is.
pub(super) fn inline_unless_sure(text: &str, effort: &mut Effort) -> Result<String, Left> {
    let aside = put_aside(text, None)?;
    let markup = look(&aside, None, effort)?;
    if most_bytes(&aside.plain, &markup, text.len()) <= SHOWN && fitting::fits(&aside.plain, &markup, aside.tokens.mark()) {
        return Ok(text.to_owned());
    }
    work(aside, &markup, None)
}

/// The text with these styles on its elements; its `<style>` elements stay as they are. One more holds the styles, if elements may need them
/// that are only known after rendering.
pub(super) fn inline_only(text: &str, css: &str, effort: &mut Effort) -> Result<String, Left> {
    let aside = put_aside(text, Some(css))?;
    let markup = look(&aside, Some(css), effort)?;
    work(aside, &markup, Some(css))
}

/// The markup of a text, if it is such that styles can be put on it in reasonable time.
fn look(aside: &Aside, css: Option<&str>, effort: &mut Effort) -> Result<Vec<Markup>, Left> {
    let markup = markup(&aside.plain);
    if deepest_of(&aside.plain, &markup) > MAX_NESTING {
        return Err(Left::Deep);
    }
    let own = style_spans(&markup, &aside.plain).into_iter().map(|span| &aside.plain[span]).filter(|_| css.is_none());
    effort.spend(&markup, &own.chain(css).collect::<Vec<_>>())?;
    Ok(markup)
}

/// How long a text may become at most by its styles being put on its elements, written as a parser writes it.
fn most_bytes(plain: &str, markup: &[Markup], length: usize) -> usize {
    let elements = markup.iter().filter(|found| matches!(found, Markup::Start(_))).count();
    let styles: usize = style_spans(markup, plain).into_iter().map(|span| own_declarations(&plain[span])).sum();
    // `&` becomes `&amp;`, `<` becomes `&lt;` or brings a `tbody`, a value without quotes gets them.
    let signs: usize = plain
        .bytes()
        .map(|byte| match byte {
            b'&' => 4,
            b'<' => 19,
            b'=' => 2,
            _ => 0,
        })
        .sum();
    length + signs + elements * (10 + 2 * styles)
}

/// The bytes of declarations that may go to elements: not those in at-rules. Of CSS in which braces may mean something else, all of it.
fn own_declarations(css: &str) -> usize {
    if css.contains("/*") || css.contains(['"', '\'', '\\']) {
        return css.len();
    }
    let (mut own, mut depth, mut at_rule, mut begins) = (0, 0usize, false, 0);
    for (at, sign) in css.bytes().enumerate() {
        match sign {
            b'{' => {
                at_rule |= depth == 0 && css[begins..at].trim_start().starts_with('@');
                depth += 1;
                begins = at + 1;
            }
            b'}' => {
                own += if at_rule { 0 } else { at - begins };
                depth = depth.saturating_sub(1);
                at_rule &= depth > 0;
                begins = at + 1;
            }
            b';' if depth == 0 => begins = at + 1,
            _ => {}
        }
    }
    own + (css.len() - begins)
}

fn work(aside: Aside, markup: &[Markup], css: Option<&str>) -> Result<String, Left> {
    let Aside { plain, tokens, unknown } = aside;
    // A pseudo-class that nobody knows: no element matches, so the rule stays where it is.
    let undecided = format!(":{}", tokens.unused_word());
    let (plain, extra, some_undecided) = match css {
        None => (mark_styles(&plain, markup, &undecided, unknown), None, false),
        Some(css) => {
            let (css, some) = selectors::mark(css, &undecided, unknown);
            (plain, Some(css), some)
        }
    };
    let rules_stay = unknown.attributes || unknown.elements;
    let options = InlineOptions {
        inline_style_tags: css.is_none(),
        keep_style_tags: true,
        keep_link_tags: true,
        // They stay in the `<style>` elements that are kept; this would repeat them in one more.
        keep_at_rules: false,
        // What a partial or data brings is styled by what stays.
        remove_inlined_selectors: css.is_none() && !rules_stay,
        load_remote_stylesheets: false,
        extra_css: extra.map(Into::into),
        ..InlineOptions::default()
    };
    let inlined = CSSInliner::new(options).inline(&plain).map_err(|_| Left::Css)?;
    let inlined = without_additions(&plain, &inlined).ok_or(Left::Structure)?.replace(&undecided, "");
    let inlined = tokens.restore(&inlined).map_err(|_| Left::Structure)?;
    Ok(match css.filter(|_| rules_stay || some_undecided) {
        Some(css) => with_style(inlined, css),
        None => inlined,
    })
}

/// The text with this mark at the selectors in its `<style>` elements that rendering decides.
fn mark_styles(text: &str, markup: &[Markup], undecided: &str, unknown: Unknown) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for css in style_spans(markup, text) {
        out.push_str(&text[at..css.start]);
        out.push_str(&selectors::mark(&text[css.clone()], undecided, unknown).0);
        at = css.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Where the CSS of the `<style>` elements of a text stands.
fn style_spans(markup: &[Markup], text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut open: Option<usize> = None;
    for found in markup {
        match found {
            Markup::Start(tag) if tag.is(text, "style") => open = Some(tag.span.end),
            Markup::End { span, .. } => spans.extend(open.take().map(|start| start..span.start)),
            _ => {}
        }
    }
    spans
}

/// The text with one more `<style>` at the end of its head.
fn with_style(text: String, css: &str) -> String {
    let head = markup(&text).into_iter().find_map(|found| match found {
        Markup::End { name, span } if text[name.clone()].eq_ignore_ascii_case("head") => Some(span.start),
        _ => None,
    });
    match head {
        Some(at) => format!("{}<style>{}</style>{}", &text[..at], css.trim(), &text[at..]),
        None => text,
    }
}

/// A text with a token for each Handlebars tag.
struct Aside {
    plain: String,
    tokens: Tokens,
    unknown: Unknown,
}

/// The text with its Handlebars tags put aside; its styles, or the given ones, may ask for what data decides.
fn put_aside(text: &str, css: Option<&str>) -> Result<Aside, Left> {
    let tags = tags::scan_long(text).map_err(|_| Left::Expression)?;
    let opaque: Vec<_> = tags.iter().map(|tag| (tag.start, tag.end)).collect();
    let scanned = scan(text, &opaque);
    let inside = &scanned.inside;
    let by_attributes = match css {
        Some(css) => css.contains('['),
        None => text.contains('[') && style_spans(&markup(text), text).into_iter().any(|css| text[css].contains('[')),
    };
    let mut unknown = Unknown::default();
    let mut tokens = Tokens::new(text);
    let mut plain = String::with_capacity(text.len());
    let (mut at, mut index) = (0, 0);
    // Downlevel-revealed comments are no comments to a parser.
    if scanned.markup.iter().any(|found| text[span_of(found)].starts_with("<![")) {
        return Err(Left::Structure);
    }
    while let (Some(tag), Some(stands)) = (tags.get(index), inside.get(index)) {
        let mut end = index;
        let shape = match stands {
            Inside::Text => {
                let brings = matches!(tag.kind, Kind::Raw | Kind::Partial | Kind::PartialBlock);
                unknown.elements |= brings;
                unknown.siblings |= brings || tag.kind == Kind::Open;
                unknown.content |= tag.kind != Kind::Comment;
                Shape::Comment
            }
            Inside::Name => return Err(Left::Expression),
            Inside::Raw(name) if name == "style" && css.is_none() => return Err(Left::Expression),
            Inside::Raw(_) | Inside::Comment => Shape::Word,
            Inside::Attributes => {
                unknown.attributes |= tag.kind != Kind::Comment;
                end = close_of(&tags, index).ok_or(Left::Structure)?;
                Shape::Attribute
            }
            Inside::Value(name) => {
                unknown.attributes |= by_attributes || matches!(name.as_str(), "class" | "id");
                Shape::Word
            }
        };
        let piece = &text[tag.start..tags[end].end];
        // Attributes that a block brings are not seen here, and two `style` attributes would be one too many.
        if shape == Shape::Attribute && (piece.contains("style") || piece.contains(['<', '>'])) {
            return Err(Left::Expression);
        }
        plain.push_str(&text[at..tag.start]);
        plain.push_str(&tokens.put(piece, shape, true));
        at = tags[end].end;
        index = end + 1;
    }
    plain.push_str(&text[at..]);
    Ok(Aside { plain, tokens, unknown })
}

/// The tag that ends what this one begins: itself, if it begins no block.
fn close_of(tags: &[Tag<'_>], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (index, tag) in tags.iter().enumerate().skip(open) {
        match tag.kind {
            Kind::Open | Kind::PartialBlock => depth += 1,
            Kind::Close => depth = depth.checked_sub(1)?,
            _ if index == open && is_ordered(tag) => return if tag.kind == Kind::Partial { Some(index) } else { None },
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

#[derive(PartialEq, Eq, Debug)]
enum Step {
    Start(String),
    End(String),
    Comment(String),
    /// Some text that is not blank.
    Text,
}

/// The elements, comments and texts of a text but its styles, each with its bytes.
fn steps(text: &str) -> Vec<(Step, Range<usize>)> {
    let mut steps = Vec::new();
    let mut style = false;
    let mut at = 0;
    for found in markup(text) {
        let span = span_of(&found);
        let between = at..span.start;
        at = span.end;
        if !style && !text[between.clone()].trim().is_empty() {
            steps.push((Step::Text, between));
        }
        match found {
            Markup::Start(tag) => {
                let name = text[tag.name.clone()].to_ascii_lowercase();
                style = name == "style";
                if !style {
                    steps.push((Step::Start(name), tag.span));
                }
            }
            Markup::End { name, span } => {
                let name = text[name].to_ascii_lowercase();
                if !std::mem::take(&mut style) && !is_void(&name) {
                    steps.push((Step::End(name), span));
                }
            }
            Markup::Comment(span) => {
                if text[span.clone()].starts_with("<!--") {
                    steps.push((Step::Comment(text[span.clone()].to_owned()), span));
                }
            }
        }
    }
    steps
}

/// The second text without what a parser added to the first; `None` where it changed more than that: all elements, comments and tokens must
/// be there in their order.
fn without_additions(before: &str, after: &str) -> Option<String> {
    let written = steps(before);
    let mut written = written.iter().map(|(step, _)| step).peekable();
    let mut kept = String::with_capacity(after.len());
    let mut at = 0;
    for (step, span) in steps(after) {
        if written.next_if_eq(&&step).is_some() {
            continue;
        }
        let harmless = match &step {
            Step::Start(name) => ADDED.contains(&name.as_str()),
            Step::End(name) => UNENDED.contains(&name.as_str()),
            Step::Comment(_) | Step::Text => false,
        };
        if !harmless {
            return None;
        }
        kept.push_str(&after[at..span.start]);
        at = span.end;
    }
    kept.push_str(&after[at..]);
    written.next().is_none().then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document around it that a parser leaves as it is.
    fn page(style: &str, body: &str) -> String {
        format!("<!DOCTYPE html><html><head><style>{style}</style></head><body>{body}</body></html>")
    }

    #[test]
    fn styles_go_to_their_elements() {
        let check = |style: &str, body: &str, expected: &str| {
            let inlined = inline(&page(style, body), &mut Effort::default()).expect(body);
            let found = inlined.split("<body>").nth(1).and_then(|rest| rest.split("</body>").next());
            assert_eq!(found, Some(expected), "{inlined}");
        };
        check("p { color: red }", "<p>{{x}}</p>", "<p style=\"color: red;\">{{x}}</p>");
        check("p{color:red}", "<p {{#if x}}class=\"y\"{{/if}}>a", "<p {{#if x}}class=\"y\"{{/if}} style=\"color: red;\">a");
        check(
            "tr{color:red}",
            "<table>{{#each event.items}}<tr><td>{{name}}</td></tr>{{/each}}</table>",
            "<table>{{#each event.items}}<tr style=\"color: red;\"><td>{{name}}</td></tr>{{/each}}</table>",
        );
        check(
            "a{color:red}",
            "<a href='{{url contact.site}}' title=\"{{default x \"y\"}}\">&amp;&lt;</a>",
            "<a href=\"{{url contact.site}}\" title=\"{{default x \"y\"}}\" style=\"color: red;\">&amp;&lt;</a>",
        );
        check(".x{color:red}", "<p class=\"x {{y}}\">", "<p class=\"x {{y}}\" style=\"color: red;\">");
        check("p{color:red}", "<p style=\"width:{{w}}px\">", "<p style=\"color: red;width: {{w}}px\">");
        let outlook =
            "<!--[if mso]><table><tr><td width=\"{{w}}\"><![endif]--><p>x</p><!--[if mso]></td></tr></table><![endif]-->";
        check("p{color:red}", outlook, &outlook.replace("<p>", "<p style=\"color: red;\">"));
    }

    #[test]
    fn at_rules_and_what_matches_nothing_stay() {
        let check = |style: &str, body: &str, stays: &[&str], goes: &[&str]| {
            let inlined = inline(&page(style, body), &mut Effort::default()).expect(body);
            stays.iter().for_each(|text| assert!(inlined.contains(text), "{text} / {inlined}"));
            goes.iter().for_each(|text| assert!(!inlined.contains(text), "{text} / {inlined}"));
        };
        let style = "p{color:red} a:hover{color:blue} @media (max-width: 9px) { p { color: green } }";
        check(
            style,
            "<p>x</p>",
            &["@media (max-width: 9px)", "color: green", "a:hover", "style=\"color: red;\""],
            &["p{color:red}"],
        );
        check(style, "<p>x</p>{{> card}}", &["p{color:red}", "style=\"color: red;\""], &[]);
    }

    #[test]
    fn what_is_only_known_after_rendering_finds_its_rules() {
        let check = |style: &str, body: &str, stays: &[&str], goes: &[&str]| {
            let inlined = inline(&page(style, body), &mut Effort::default()).expect(body);
            stays.iter().for_each(|text| assert!(inlined.contains(text), "{text} / {inlined}"));
            goes.iter().for_each(|text| assert!(!inlined.contains(text), "{text} / {inlined}"));
        };
        let red = "<p class=\"a\" style=\"color: red;\">";
        let rule = ".a{color:red}";
        for dynamic in [
            "<p class=\"{{contact.c}}\">2</p>",
            "<p id='x{{contact.c}}'>2</p>",
            "<p {{#if x}}class=\"a\"{{/if}}>2</p>",
            "{{{event.html}}}",
        ] {
            check(rule, &format!("<p class=\"a\">1</p>{dynamic}"), &[rule, red], &[]);
        }
        check(rule, "<p class=\"a\">{{x}}</p><a href=\"{{y}}\"></a>", &[red], &[rule]);
        let rule = "a[href^=\"http\"]{color:red}";
        check(rule, "<a href=\"http://x\"></a><a href=\"{{y}}\"></a>", &[rule], &[]);
        check("p:not(.a){color:red}", "<p class=\"{{x}}\">", &["p:not(.a){color:red}"], &["style=\"color"]);
        let rows = "<table>{{#each event.items}}<tr><td>x</td></tr>{{/each}}</table>";
        for selector in ["tr:first-child td", "TR:Nth-Child(2n) td", "tr:not(:last-child) td", "td:only-of-type", "tbody:has(td)"]
        {
            let style = format!("b, {selector}, td {{ color:red }} p {{ margin:0 }}");
            let body = format!("{rows}<b>y</b><p>z</p>");
            let kept = format!("{selector} {{ color: red; }}");
            check(&style, &body, &[&kept, "<td style=\"color: red;\">", "<b style=\"color: red;\">", "<p style"], &["hbs"]);
            check(&style, "<table><tr><td>x</td></tr></table>", &["<td style=\"color: red;\">"], &["hbs"]);
            check(&format!("{selector} {{ color:red }}"), rows, &[&kept], &["style=\"", "hbs"]);
        }
        for selector in ["i + b", "i~b"] {
            check(&format!("{selector}{{color:red}}"), "{{#if x}}<i></i>{{/if}}<i></i><b></b>", &[selector], &["style=\""]);
        }
        check("p:empty{color:red}", "<p>{{x}}</p>", &["p:empty"], &["style=\""]);
        check("[a~=\"b+c\"]{color:red}", "<p a=\"b+c\"></p>{{#if x}}{{/if}}", &["style=\"color: red;\""], &["~="]);
        let media = "@media (max-width: 9px) { tr:first-child { color: red } }";
        check(media, rows, &[media], &["hbs"]);
    }

    #[test]
    fn what_cannot_be_read_safely_is_left() {
        let check = |style: &str, body: &str, why: Left| {
            assert_eq!(inline(&page(style, body), &mut Effort::default()), Err(why), "{style} {body}")
        };
        check("p{color:{{x}}}", "<p>", Left::Expression);
        check("p{}", "<{{x}}>", Left::Expression);
        check("p{}", "<p {{#if x}}style=\"color:red\"{{/if}}>", Left::Expression);
        check("p{}", "{{#if a}}<div class=a>{{else}}<div class=b>{{/if}}x</div>", Left::Structure);
        check("p{}", "<table>{{#if x}}text{{/if}}<tr><td></table>", Left::Structure);
        check("p{}", "<a href=x><a href=y></a>", Left::Structure);
        check("p{}", "<![if !mso]><p>x</p><![endif]>", Left::Structure);
        check("p{}", &"<div>".repeat(300), Left::Deep);
        let halves = page("p{color:red}", "{{#if x}}<div>{{/if}}<p>a</p>{{#if x}}</div>{{/if}}");
        assert_eq!(
            inline(&halves, &mut Effort::default())
                .map(|inlined| inlined.contains("{{#if x}}<div>{{/if}}<p style=\"color: red;\">a</p>{{#if x}}</div>{{/if}}")),
            Ok(true)
        );
    }

    #[test]
    fn given_styles_leave_others_alone() {
        let inlined =
            inline_only(&page("i{margin:0}", "<p>{{x}}</p><i></i>"), "p{color:red}", &mut Effort::default()).expect("inlined");
        assert!(inlined.contains("<p style=\"color: red;\">{{x}}</p><i></i>") && inlined.contains("i{margin:0}"), "{inlined}");
        let check = |css: &str, body: &str, expected: &str| {
            let inlined = inline_only(&page("i{margin:0}", body), css, &mut Effort::default()).expect("inlined");
            assert!(inlined.contains(expected) && inlined.contains("i{margin:0}"), "{inlined}");
        };
        check(".a{color:red}", "<p class=\"{{x}}\">", "<style>.a{color:red}</style></head>");
        check("p + p{color:red}", "{{#if x}}<p></p>{{/if}}<p></p>", "<style>p + p{color:red}</style></head>");
        check("p + p{color:red}", "{{#if x}}<p></p>{{/if}}<p></p>", "{{#if x}}<p></p>{{/if}}<p></p>");
    }

    proptest::proptest! {
        /// Whatever the text, nothing panics, and where styles are inlined every tag comes back in its order.
        #[test]
        fn tags_survive(body in r#"(\{\{x\}\}|\{\{#if a\}\}|\{\{/if\}\}|<p>|</p>|<table>|<tr>|<td>|</table>|<a href="|">|<!--|-->|x| |</div>|<div>){0,16}"#) {
            if let Ok(inlined) = inline(&page("p{color:red}", &body), &mut Effort::default()) {
                let tags = |text: &str| tags::scan(text).map(|tags| tags.iter().map(|tag| text[tag.start..tag.end].to_owned()).collect::<Vec<_>>()).unwrap_or_default();
                proptest::prop_assert_eq!(tags(&body), tags(&inlined), "{}", inlined);
            }
        }
    }
}
