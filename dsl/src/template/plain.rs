//! A Handlebars text whose tags all have the usual forms, as a tree: without the renderer's parser, which takes a hundred times as long.
//!
//! What is read here is certain to mean the same to the renderer (a property test holds the two against each other). Of whatever may not be,
//! nothing is said, and [`super::syntax`] asks the renderer's parser.

use super::syntax::{Call, Expr, Node, Span};
use super::tags::{Kind, Tag};

/// Words that are no names where a value may stand.
const KEYWORDS: [&str; 5] = ["as", "else", "true", "false", "null"];

/// The tree; `None`: some tag is not of the usual forms. The tags are all those of the text, each block closed by its own name.
pub(super) fn read(text: &str, tags: &[Tag<'_>]) -> Option<Vec<Node>> {
    // Braces that stand for themselves.
    if text.contains("\\{{") {
        return None;
    }
    let mut reader = Reader { text, tags: tags.iter(), at: 0 };
    let (nodes, end) = reader.nodes()?;
    end.is_none().then_some(nodes)
}

struct Reader<'a, 't> {
    text: &'a str,
    tags: std::slice::Iter<'t, Tag<'a>>,
    /// Up to where the text has been read.
    at: usize,
}

impl<'a, 't> Reader<'a, 't> {
    /// Everything up to the end of the block at hand or of the text, and the tag that ends it.
    fn nodes(&mut self) -> Option<(Vec<Node>, Option<&'t Tag<'a>>)> {
        let mut nodes = Vec::new();
        loop {
            let tag = self.tags.next();
            let before = self.text.get(self.at..tag.map_or(self.text.len(), |tag| tag.start))?;
            if !before.is_empty() {
                nodes.push(Node::Text(before.to_owned()));
            }
            let Some(tag) = tag else { return Some((nodes, None)) };
            self.at = tag.end;
            let written = self.text.get(tag.start..tag.end)?;
            // A tilde takes away white space, which may join what stands around it.
            if tag.kind != Kind::Comment && written.contains('~') {
                return None;
            }
            match tag.kind {
                Kind::Close | Kind::Else | Kind::ElseIf => return Some((nodes, Some(tag))),
                Kind::Comment => plain_comment(written)?,
                Kind::Value => nodes.push(Node::Value { raw: false, call: self.words(tag).value()? }),
                Kind::Raw if written.starts_with("{{{") && written.ends_with("}}}") => {
                    nodes.push(Node::Value { raw: true, call: self.words(tag).value()? });
                }
                Kind::Raw | Kind::Decorator => return None,
                Kind::Open => nodes.push(self.block(tag)?),
                Kind::Partial => {
                    let (name, call) = self.words(tag).partial()?;
                    nodes.push(Node::Partial { name: Some(name), call, body: Vec::new() });
                }
                Kind::PartialBlock => {
                    let (name, call) = self.words(tag).partial()?;
                    let (body, end) = self.nodes()?;
                    end.filter(|end| end.kind == Kind::Close && end.content == name)?;
                    nodes.push(Node::Partial { name: Some(name), call, body });
                }
            }
        }
    }

    /// A block from its first tag, or from an `{{else if}}`, to its end.
    fn block(&mut self, tag: &Tag<'a>) -> Option<Node> {
        let (call, names) = self.words(tag).block()?;
        let (body, end) = self.nodes()?;
        let end = end?;
        let inverse = match end.kind {
            Kind::ElseIf => vec![self.block(end)?],
            Kind::Else => {
                let (inverse, end) = self.nodes()?;
                end.filter(|end| end.kind == Kind::Close)?;
                inverse
            }
            _ => Vec::new(),
        };
        Some(Node::Block { call, names, body, inverse })
    }

    fn words(&self, tag: &Tag<'a>) -> Words<'a> {
        let begins = tag.content.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        Words { tag: (tag.start, tag.end), content: tag.content, begins, at: 0 }
    }
}

/// Comments of which everybody finds the same end.
fn plain_comment(written: &str) -> Option<()> {
    let inside = written.strip_prefix("{{!")?;
    (inside.starts_with("--") == inside.trim_start().starts_with("--") && inside != "--}}").then_some(())
}

/// What stands in one tag, word by word.
struct Words<'a> {
    tag: Span,
    content: &'a str,
    /// Where the content begins in the text.
    begins: usize,
    at: usize,
}

impl<'a> Words<'a> {
    /// `x`, `helper x y key=z`.
    fn value(mut self) -> Option<Call> {
        let (name, span) = self.word()?;
        // The parser takes `{{elsewhere}}` for an `{{else where}}`.
        if name.starts_with("else") {
            return None;
        }
        if self.at_end() {
            let name = Expr::Name { text: path(name)?, span };
            return Some(Call { name, values: Vec::new(), named: Vec::new(), tag: self.tag });
        }
        let call = self.call(identifier(name)?, span)?;
        self.at_end().then_some(call)
    }

    /// `helper x y key=z as |a b|`.
    fn block(mut self) -> Option<(Call, Vec<String>)> {
        let (name, span) = self.word()?;
        let call = self.call(identifier(name)?, span)?;
        let names = self.block_names()?;
        self.at_end().then_some((call, names))
    }

    /// `name x key=y`.
    fn partial(mut self) -> Option<(String, Call)> {
        let (name, span) = match self.content.strip_prefix("@partial-block") {
            Some(_) => {
                self.at = "@partial-block".len();
                ("@partial-block", (self.begins, self.begins + self.at))
            }
            None => self.word()?,
        };
        let good = name == "@partial-block"
            || (name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/')));
        let call = self.call(name, span).filter(|_| good)?;
        self.at_end().then(|| (name.to_owned(), call))
    }

    /// What a name is given, up to the end, a closing bracket or the names of a block.
    fn call(&mut self, name: &str, span: Span) -> Option<Call> {
        let name = Expr::Name { text: name.to_owned(), span };
        let (mut values, mut named) = (Vec::new(), Vec::<(String, Expr)>::new());
        while self.space() && !matches!(self.sign(), None | Some(b')')) && !self.names_follow() {
            let here = self.at;
            match self.word().filter(|_| self.sign() == Some(b'=')) {
                Some((key, _)) => {
                    self.at += 1;
                    let key = identifier(key)?.to_owned();
                    let value = self.expression()?;
                    named.push((key, value));
                }
                None => {
                    self.at = here;
                    let value = self.expression()?;
                    values.push(value);
                }
            }
        }
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = named.windows(2).any(|pair| pair[0].0 == pair[1].0);
        (!twice).then_some(Call { name, values, named, tag: self.tag })
    }

    /// A path, a literal, or a helper in brackets.
    fn expression(&mut self) -> Option<Expr> {
        match self.sign()? {
            b'(' => {
                self.at += 1;
                self.space();
                let (name, span) = self.word()?;
                let call = self.call(identifier(name)?, span)?;
                // A name alone in brackets is no helper to the parser.
                if self.sign() != Some(b')') || (call.values.is_empty() && call.named.is_empty()) {
                    return None;
                }
                self.at += 1;
                Some(Expr::Call(Box::new(call)))
            }
            quote @ (b'"' | b'\'') => {
                let inside = self.content.get(self.at + 1..)?;
                let text = &inside[..inside.find(char::from(quote))?];
                self.at += text.len() + 2;
                let plain = !text.contains(|c: char| matches!(c, '\\' | '"') || c < ' ');
                plain.then(|| Expr::Literal(serde_json::Value::from(text)))
            }
            _ => {
                let (word, span) = self.word()?;
                match word {
                    "true" | "false" | "null" => serde_json::from_str(word).ok().map(Expr::Literal),
                    _ if is_number(word) => serde_json::from_str(word).ok().map(Expr::Literal),
                    _ => Some(Expr::Name { text: path(word)?, span }),
                }
            }
        }
    }

    fn names_follow(&self) -> bool {
        let rest = self.content[self.at..].strip_prefix("as").map(|rest| rest.trim_start_matches(is_space));
        rest.is_some_and(|rest| rest.starts_with('|'))
    }

    /// `as |a|`, `as |a b|`, or nothing.
    fn block_names(&mut self) -> Option<Vec<String>> {
        if !self.names_follow() {
            return Some(Vec::new());
        }
        let inside = self.content[self.at..].split_once('|')?.1.strip_suffix('|')?;
        let names: Option<Vec<String>> =
            inside.split(is_space).filter(|name| !name.is_empty()).map(|name| identifier(name).map(str::to_owned)).collect();
        self.at = self.content.len();
        names.filter(|names| matches!(names.len(), 1 | 2))
    }

    /// The letters that paths, names and numbers are made of, as many as follow each other.
    fn word(&mut self) -> Option<(&'a str, Span)> {
        let rest = self.content.get(self.at..)?;
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@');
        let word = &rest[..rest.find(|c| !inside(c)).unwrap_or(rest.len())];
        let start = self.begins + self.at;
        self.at += word.len();
        (!word.is_empty()).then_some((word, (start, start + word.len())))
    }

    fn sign(&self) -> Option<u8> {
        self.content.as_bytes().get(self.at).copied()
    }

    fn at_end(&self) -> bool {
        self.at == self.content.len()
    }

    /// Goes past white space; whether there is some.
    fn space(&mut self) -> bool {
        let rest = &self.content[self.at..];
        let length = rest.len() - rest.trim_start_matches(is_space).len();
        self.at += length;
        length > 0
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The word, if it is the name of a helper, a block's variable or a named value.
fn identifier(word: &str) -> Option<&str> {
    let good = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    (good && !KEYWORDS.contains(&word)).then_some(word)
}

/// The word, if it is a variable's name: `contact.first_name`, `../x`, `@index`, `@root.y`, `this`.
fn path(word: &str) -> Option<String> {
    if matches!(word, "@index" | "@key" | "@first" | "@last") {
        return Some(word.to_owned());
    }
    let mut rest = word.strip_prefix("@root.").unwrap_or(word);
    while let (Some(up), false) = (rest.strip_prefix("../"), word.starts_with('@')) {
        rest = up;
    }
    let mut segments = rest.split('.');
    let good = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    (segments.next().and_then(identifier).is_some() && segments.all(good)).then(|| word.to_owned())
}

/// Whether a word is a number of JSON without an exponent.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let positive = word.strip_prefix('-').unwrap_or(word);
    let (whole, fraction) = positive.split_once('.').map_or((positive, None), |(whole, fraction)| (whole, Some(fraction)));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::syntax::by_renderer;
    use crate::template::tags;

    /// The tree by both ways: texts without white space and in one piece, names by where they stand.
    fn shape(nodes: &[Node], text: &str, out: &mut Vec<String>) {
        let mut said = String::new();
        for node in nodes {
            if !matches!(node, Node::Text(_)) && !said.is_empty() {
                out.push(std::mem::take(&mut said));
            }
            match node {
                Node::Text(text) => said.extend(text.chars().filter(|c| !c.is_whitespace())),
                Node::Value { raw, call } => out.push(format!("value {raw} {}", call_shape(call, text))),
                Node::Block { call, names, body, inverse } => {
                    out.push(format!("block {} {names:?}", call_shape(call, text)));
                    shape(body, text, out);
                    out.push("else".to_owned());
                    shape(inverse, text, out);
                    out.push("end".to_owned());
                }
                Node::Partial { name, call, body } => {
                    out.push(format!("partial {name:?} {}", call_shape(call, text)));
                    shape(body, text, out);
                    out.push("end".to_owned());
                }
                Node::Decorator(span) => out.push(format!("decorator {span:?}")),
            }
        }
        out.extend(Some(said).filter(|said| !said.is_empty()));
    }

    fn call_shape(call: &Call, text: &str) -> String {
        let expression = |expr: &Expr| match expr {
            Expr::Name { text: name, span } => {
                assert_eq!(&text[span.0..span.1], name, "{text}");
                name.clone()
            }
            Expr::Literal(value) => format!("literal {value}"),
            Expr::Call(call) => format!("({})", call_shape(call, text)),
        };
        let values: Vec<String> = call.values.iter().map(expression).collect();
        let named: Vec<String> = call.named.iter().map(|(key, value)| format!("{key}={}", expression(value))).collect();
        format!("{:?} {} {values:?} {named:?}", call.tag, expression(&call.name))
    }

    fn same(text: &str) -> bool {
        let Ok(tags) = tags::scan(text) else { return false };
        let Some(nodes) = read(text, &tags) else { return false };
        let (mut here, mut there) = (Vec::new(), Vec::new());
        shape(&nodes, text, &mut here);
        let by_renderer = by_renderer(text, tags).unwrap_or_else(|fault| panic!("{text}: {}", fault.message));
        shape(&by_renderer, text, &mut there);
        assert_eq!(here, there, "{text}");
        true
    }

    #[test]
    fn usual_forms_are_read() {
        let check = |text: &str, expected: bool| assert_eq!(same(text), expected, "{text}");
        for text in [
            "",
            "a {{x}} b {{{body}}}",
            "{{ contact.first_name }}\n{{items.0.name}} {{this}} {{this.x}} {{../x}} {{../../x.y}} {{@index}} {{@root.contact.x}}",
            "{{default contact.first_name \"there\"}} {{default x 'a b'}} {{money event.total \"EUR\" digits=2}}",
            "{{plural n one=\"item\" other=\"items\"}} {{f 1 -2.5 true null x=false}}",
            "{{#if a}}1{{else if b}}2{{else if c}}3{{else}}4{{/if}}5",
            "{{#if (eq contact.plan \"pro\")}}x{{^}}y{{/if}}",
            "{{#if (and (eq a 1) (not b))}}x{{/if}}",
            "{{#each event.items as |item i|}}\n  {{item.name}}{{@first}}\n{{else}}none\n{{/each}}\n",
            "{{#each items as |item|}}{{#with item}}{{x}}{{/with}}{{/each}}",
            "{{> footer}} {{> shop/card title=\"x\" of=item}} {{#> frame x}}in {{y}}{{/frame}} {{> @partial-block}}",
            "{{! words }}{{!-- {{x}} --}}{{x}}",
            "<a href=\"{{url contact.site}}\" title='{{x}}'>ü {{y}}</a>}}",
            "{{#unless x}}{{/unless}}{{{{x}",
        ] {
            check(text, !text.contains("{{{{"));
        }
        for text in [
            "{{~x}}",
            "\\{{x}}",
            "{{elsewhere}}",
            "{{x.[a b]}}",
            "{{&x}}",
            "{{f \"\\n\"}}",
            "{{f x=1 x=2}}",
            "{{f as}}",
            "{{true}}",
            "{{f 007}}",
            "{{f (x)}}",
            "{{f x = 1}}",
            "{{f\"x\"}}",
            "{{a.b c}}",
            "{{ä}}",
            "{{! -- }}",
            "{{#> p}}{{/}}",
            "{{*x}}",
            "{{#if a}}{{else}}{{else}}{{/if}}",
            "{{#if a}}{{else}}{{else if b}}{{/if}}",
            "{{#> p}}{{else}}{{/p}}",
            "{{f 5.x}}",
        ] {
            check(text, false);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]

        /// Whatever is read here is read in the same way by the renderer's parser.
        #[test]
        fn both_parsers_agree(text in r#"(a|\n| |<p>|\{\{|\}\}|\{\{\{x\}\}\}|\{\{x\}\}|\{\{f (x|1|"s"|'s'|\(eq a 1\)|k=v|as|else|this|\.\./y|@root\.z|-1|true)( |\n)?(x\.y|k="v"|\|a\||null|\(f x k=1\))?\}\}|\{\{#if (x|\(eq a b\))\}\}|\{\{else if y\}\}|\{\{else\}\}|\{\{/if\}\}|\{\{#each l as \|(i|i j)\|\}\}|\{\{/each\}\}|\{\{> p( x)?\}\}|\{\{#> p k=1\}\}|\{\{/p\}\}|\{\{! c \}\}|\{\{!--|--\}\}|\{\{\^\}\}){0,12}"#) {
            same(&text);
        }

        /// Of all the signs that may stand in a tag as well.
        #[test]
        fn both_parsers_agree_on_one_tag(inside in r#"(#|/|>|&|\^|!|else|if|each|as|a|b\.c|@|index|root|\.|\.\./|\(|\)|\[|\]|"|'|=| |\n|\||1|0|-|this|true|null|:|\$|_|,|ü|%){0,10}"#) {
            same(&format!("x{{{{{inside}}}}}y"));
            same(&format!("x{{{{#{inside}}}}}y{{{{/if}}}}"));
            same(&format!("x{{{{#if {inside}}}}}y{{{{/if}}}}"));
            same(&format!("x{{{{> p {inside}}}}}"));
            same(&format!("x{{{{f {inside}}}}}"));
        }
    }
}
