//! A Handlebars text as a tree in which everything knows its place.
//!
//! The tree is made from the one that the renderer runs, so both always mean the same; the places come from [`super::tags`]. Where all tags have the
//! usual forms, [`super::plain`] makes the same tree of them in a hundredth of the time.

use handlebars::Template;
use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};

use super::plain;
use super::tags::{self, Fault, Kind, Tag};

/// Bytes of the text, the end exclusive.
pub(super) type Span = (usize, usize);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// `{{x}}`, `{{helper x}}`; raw: `{{{x}}}`.
    Value {
        raw: bool,
        call: Call,
    },
    /// `{{#helper x as |a b|}}body{{else}}inverse{{/helper}}`
    Block {
        call: Call,
        names: Vec<String>,
        body: Vec<Node>,
        inverse: Vec<Node>,
    },
    /// `{{> name x key=y}}`; `name` is missing where it is computed.
    Partial {
        name: Option<String>,
        call: Call,
        body: Vec<Node>,
    },
    /// A decorator or an inline partial.
    Decorator(Span),
}

/// A name with what it is given. For a plain variable, nothing is given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub name: Expr,
    pub values: Vec<Expr>,
    /// Sorted by name.
    pub named: Vec<(String, Expr)>,
    /// The whole tag.
    pub tag: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Name { text: String, span: Span },
    Literal(serde_json::Value),
    Call(Box<Call>),
}

/// Reads a text. Nothing that it accepts fails to compile for rendering.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, Fault> {
    read(text, tags::scan(text)?)
}

/// The same for a text that was put together of several, whatever its size.
pub(super) fn parse_long(text: &str) -> Result<Vec<Node>, Fault> {
    read(text, tags::scan_long(text)?)
}

fn read(text: &str, tags: Vec<Tag<'_>>) -> Result<Vec<Node>, Fault> {
    plain::read(text, &tags).map_or_else(|| by_renderer(text, tags), Ok)
}

/// Reads a text with the renderer's own parser.
pub(super) fn by_renderer(text: &str, tags: Vec<Tag<'_>>) -> Result<Vec<Node>, Fault> {
    let template = Template::compile(text).map_err(|error| {
        let (line, column) = error.pos().unwrap_or((1, 1));
        let offset = offset_of(text, line, column);
        // The parser's own place is where it gave up; the tag around it is what a person has to mend.
        let tag = tags.iter().filter(|tag| tag.start <= offset).max_by_key(|tag| tag.start);
        let span = tag.map_or((offset, offset), |tag| (tag.start, tag.end));
        let mut fault = Fault::syntax(span, format!("`{}` is not a Handlebars expression", &text[span.0..span.1]));
        fault.help = Some(match tag.map(|tag| (tag.kind, tag.content)) {
            Some((Kind::Open, name)) if name.contains('.') && !name.contains(' ') => {
                format!("write {{{{#each {name}}}}} to go through a list, or {{{{#if {name}}}}}")
            }
            _ => "write a name ({{contact.first_name}}) or a helper with its values ({{default contact.first_name \"there\"}})"
                .to_owned(),
        });
        fault
    })?;
    let tags = tags.into_iter().filter(|tag| !matches!(tag.kind, Kind::Close | Kind::Else | Kind::Comment));
    Ok(Reader { text, tags }.nodes(&template))
}

fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let inside: usize = text[start..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    start + inside
}

/// Walks the parsed template and the tags side by side: both are in the text's order.
struct Reader<'a, I> {
    text: &'a str,
    tags: I,
}

impl<'a, I: Iterator<Item = Tag<'a>>> Reader<'a, I> {
    fn nodes(&mut self, template: &Template) -> Vec<Node> {
        template.elements.iter().filter_map(|element| self.node(element)).collect()
    }

    fn node(&mut self, element: &TemplateElement) -> Option<Node> {
        match element {
            TemplateElement::RawString(text) => Some(Node::Text(text.clone())),
            TemplateElement::Expression(call) => Some(Node::Value { raw: false, call: self.helper(call) }),
            TemplateElement::HtmlExpression(call) => Some(Node::Value { raw: true, call: self.helper(call) }),
            TemplateElement::HelperBlock(block) => {
                let call = self.helper(block);
                let names = match &block.block_param {
                    Some(BlockParam::Single(name)) => vec![name],
                    Some(BlockParam::Pair((first, second))) => vec![first, second],
                    _ => Vec::new(),
                };
                let names = names.into_iter().filter_map(|name| name.as_name().map(str::to_owned)).collect();
                let body = block.template.as_ref().map(|body| self.nodes(body)).unwrap_or_default();
                let inverse = block.inverse.as_ref().map(|inverse| self.nodes(inverse)).unwrap_or_default();
                Some(Node::Block { call, names, body, inverse })
            }
            TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                let call = self.decorator(partial);
                let name = partial.name.as_name().map(str::to_owned);
                let body = partial.template.as_ref().map(|body| self.nodes(body)).unwrap_or_default();
                Some(Node::Partial { name, call, body })
            }
            TemplateElement::DecoratorExpression(decorator) | TemplateElement::DecoratorBlock(decorator) => {
                let call = self.decorator(decorator);
                if let Some(body) = &decorator.template {
                    self.nodes(body);
                }
                Some(Node::Decorator(call.tag))
            }
            _ => None,
        }
    }

    fn helper(&mut self, call: &HelperTemplate) -> Call {
        let tag = self.next_tag();
        self.call(tag, &call.name, &call.params, &call.hash)
    }

    fn decorator(&mut self, call: &DecoratorTemplate) -> Call {
        let tag = self.next_tag();
        self.call(tag, &call.name, &call.params, &call.hash)
    }

    fn next_tag(&mut self) -> Span {
        self.tags.next().map_or((0, 0), |tag| (tag.start, tag.end))
    }

    fn call(
        &self,
        tag: Span,
        name: &Parameter,
        values: &[Parameter],
        named: &std::collections::HashMap<String, Parameter>,
    ) -> Call {
        let mut named: Vec<_> = named.iter().map(|(key, value)| (key.clone(), self.expression(tag, value))).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let values = values.iter().map(|value| self.expression(tag, value)).collect();
        Call { name: self.expression(tag, name), values, named, tag }
    }

    fn expression(&self, tag: Span, parameter: &Parameter) -> Expr {
        match parameter {
            Parameter::Literal(value) => Expr::Literal(value.clone()),
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => Expr::Call(Box::new(self.call(tag, &call.name, &call.params, &call.hash))),
                _ => Expr::Literal(serde_json::Value::Null),
            },
            named => {
                let text = named.as_name().unwrap_or_default().to_owned();
                let span = self.find(tag, &text);
                Expr::Name { text, span }
            }
        }
    }

    /// Where a name stands inside of a tag: its first occurrence as a whole word outside of quotes.
    fn find(&self, tag: Span, name: &str) -> Span {
        let inside = self.text.get(tag.0..tag.1).unwrap_or_default();
        let part_of_name = |byte: u8| {
            byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'$' | b':')
        };
        let mut from = 0;
        while let Some(found) = inside.get(from..).and_then(|rest| rest.find(name)) {
            let (start, end) = (from + found, from + found + name.len());
            let before = inside[..start].bytes().next_back();
            // The sign of a closing or partial tag stands right before the name.
            let free_before = before.is_none_or(|byte| !part_of_name(byte));
            let free_after = inside[end..].bytes().next().is_none_or(|byte| !part_of_name(byte) && byte != b'=');
            let quoted = inside[..start].matches('"').count() % 2 == 1;
            if free_before && free_after && !quoted && !name.is_empty() {
                return (tag.0 + start, tag.0 + end);
            }
            from = start + inside[start..].chars().next().map_or(1, char::len_utf8);
        }
        tag
    }
}

/// A variable's name, taken apart: `../@first`, `@root.contact.name`, `this.price`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VariablePath {
    /// `@root.`
    pub root: bool,
    /// `@index` and the like.
    pub local: bool,
    /// How many `../`.
    pub up: usize,
    pub names: Vec<String>,
}

impl VariablePath {
    pub fn read(text: &str) -> VariablePath {
        let mut path = VariablePath { root: false, local: false, up: 0, names: Vec::new() };
        let mut rest = text.strip_prefix("./").unwrap_or(text);
        if let Some(after) = rest.strip_prefix("@root.").or_else(|| rest.strip_prefix("@root/")) {
            path.root = true;
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('@') {
            path.local = true;
            rest = after;
        }
        while let Some(after) = rest.strip_prefix("../").or_else(|| rest.strip_prefix("...")) {
            path.up += 1;
            rest = after;
        }
        while !rest.is_empty() {
            let (name, after) = match rest.strip_prefix('[') {
                Some(inner) => inner.split_once(']').unwrap_or((inner, "")),
                None => rest.find(['.', '/']).map_or((rest, ""), |end| rest.split_at(end)),
            };
            if name != "this" {
                path.names.push(name.to_owned());
            }
            rest = after.strip_prefix(['.', '/']).unwrap_or(after);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_know_their_places() {
        let check = |text: &str, expected: &[&str]| {
            let mut found = Vec::new();
            names(&parse(text).expect(text), text, &mut found);
            assert_eq!(found, expected, "{text}");
        };
        check("a {{x.y}} {{default x.z \"x.y\"}}", &["2:x.y", "10:default", "10:x.z"]);
        check(
            "{{#if a}}{{b}}{{else if c}}{{d}}{{else}}{{e}}{{/if}}{{f}}",
            &["0:if", "0:a", "9:b", "14:if", "14:c", "27:d", "40:e", "52:f"],
        );
        check("{{#each event.items as |item i|}}\n {{item.name}}\n{{/each}}", &["0:each", "0:event.items", "35:item.name"]);
        check("{{! x }}{{!-- {{y}} --}}\\{{z}}{{> card a=b}}{{{c}}}", &["30:card", "30:b", "44:c"]);
        check("{{#if (eq a.b \"x\")}}{{/if}}", &["0:if", "0:eq", "0:a.b"]);
        check("ü{{~ä~}} {{^}}".trim_end_matches(" {{^}}"), &["2:ä"]);
    }

    fn names(nodes: &[Node], text: &str, found: &mut Vec<String>) {
        for node in nodes {
            match node {
                Node::Value { call, .. } => calls(call, text, found),
                Node::Block { call, body, inverse, .. } => {
                    calls(call, text, found);
                    names(body, text, found);
                    names(inverse, text, found);
                }
                Node::Partial { call, body, .. } => {
                    calls(call, text, found);
                    names(body, text, found);
                }
                Node::Text(_) | Node::Decorator(_) => {}
            }
        }
    }

    fn calls(call: &Call, text: &str, found: &mut Vec<String>) {
        for expr in std::iter::once(&call.name).chain(&call.values).chain(call.named.iter().map(|(_, value)| value)) {
            match expr {
                Expr::Name { text: name, span } => {
                    // Of what the parser reads as no eye does (`{{each../else}}`), the tag is the place.
                    let exact = &text[span.0..span.1] == name || *span == call.tag;
                    assert!(exact, "the place holds the name {name}, and is {:?}", &text[span.0..span.1]);
                    found.push(format!("{}:{name}", call.tag.0));
                }
                Expr::Call(inner) => calls(inner, text, found),
                Expr::Literal(_) => {}
            }
        }
    }

    #[test]
    fn parser_faults_name_the_tag() {
        let check = |text: &str, span: Span| assert_eq!(parse(text).map_err(|fault| fault.span), Err(span), "{text}");
        check("one\n{{contact.}} two", (4, 16));
        check("{{ok}} {{a b c=}}", (7, 17));
        check("{{}}", (0, 4));
    }

    #[test]
    fn variable_paths_are_taken_apart() {
        let check = |text: &str, root, local, up, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(VariablePath::read(text), VariablePath { root, local, up, names }, "{text}");
        };
        check("contact.first_name", false, false, 0, &["contact", "first_name"]);
        check("this", false, false, 0, &[]);
        check("this.price", false, false, 0, &["price"]);
        check("./price", false, false, 0, &["price"]);
        check("../../x", false, false, 2, &["x"]);
        check("../this", false, false, 1, &[]);
        check("@index", false, true, 0, &["index"]);
        check("@../first", false, true, 1, &["first"]);
        check("@root.contact.x", true, false, 0, &["contact", "x"]);
        check("contact.[first name].0", false, false, 0, &["contact", "first name", "0"]);
    }

    proptest::proptest! {
        /// No text makes the parsers panic, and every name's place holds the name.
        #[test]
        fn no_text_panics(text in r#"(\{\{|\}\}|\{|\}|#|/|>|\^|~|else|if|each|a|\.|\(|\)|\[|\]|"|'|=| |\n|!|--|@|\.\./|as \|x\||&|\*|\\|ü|1|this|inline){0,24}"#) {
            if let Ok(nodes) = parse(&text) {
                let mut found = Vec::new();
                names(&nodes, &text, &mut found);
            }
        }
    }
}
