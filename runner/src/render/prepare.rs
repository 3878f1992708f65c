//! Compiling one text: Handlebars' own tree, made safe.
//!
//! Two things are put into the tree. Partials, and loops that may print nothing, count their rounds, so that one over much data ends.
//! And in HTML, an expression at the beginning of an address goes through the `url` helper: escaping does not stop `javascript:…`.

use dsl::template::Before;
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, Subexpression, TemplateElement};

use super::registry::ROUND;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Html,
    Text,
}

/// Compiles a message's text. The error is Handlebars' in words, with the line and column in the text.
pub(super) fn message(source: &str, format: Format) -> Result<Template, String> {
    compile(source, format, true)
}

/// Compiles a partial, which counts each use of itself.
pub(super) fn partial(source: &str, format: Format) -> Result<Template, String> {
    let mut template = compile(source, format, false)?;
    template.elements.push(round()?);
    Ok(template)
}

fn compile(source: &str, format: Format, bounded: bool) -> Result<Template, String> {
    let mut template = Template::compile(source).map_err(|error| match error.pos() {
        Some((line, column)) => format!("line {line}, column {column}: {}", error.reason()),
        None => error.reason().to_string(),
    })?;
    let mut preparation = Preparation { format, bounded, round: round()?, before: Before::default() };
    preparation.template(&mut template);
    Ok(template)
}

/// The call that counts, as the parser reads it.
fn round() -> Result<TemplateElement, String> {
    let template = Template::compile(&format!("{{{{{ROUND}}}}}")).map_err(|error| error.reason().to_string())?;
    template.elements.into_iter().next().ok_or_else(|| "nothing counts the rounds".to_owned())
}

struct Preparation {
    format: Format,
    /// What is printed here counts against the limit of the output at once. Not so what stands between `{{#> x}}` and `{{/x}}`.
    bounded: bool,
    round: TemplateElement,
    /// The text before the element at hand.
    before: Before,
}

impl Preparation {
    fn template(&mut self, template: &mut Template) {
        for element in &mut template.elements {
            match element {
                TemplateElement::RawString(text) => self.before.text(text),
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => self.expression(call),
                TemplateElement::HelperBlock(block) => self.block(block),
                TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                    self.before.value();
                    if let Some(body) = &mut partial.template {
                        let bounded = std::mem::replace(&mut self.bounded, false);
                        self.template(body);
                        self.bounded = bounded;
                    }
                }
                _ => {}
            }
        }
    }

    fn block(&mut self, block: &mut HelperTemplate) {
        let before = self.before.clone();
        if let Some(body) = &mut block.template {
            self.template(body);
            if block.name.as_name() == Some("each") && !(self.bounded && always_prints(body)) {
                // At the end: the places of the elements are kept by their index.
                body.elements.push(self.round.clone());
            }
        }
        let after = std::mem::replace(&mut self.before, before);
        if let Some(inverse) = &mut block.inverse {
            self.template(inverse);
        }
        self.before = after;
    }

    fn expression(&mut self, call: &mut HelperTemplate) {
        let guarded = call.name.as_name() == Some("url");
        let address = self.format == Format::Html && self.before.begins_address();
        self.before.value();
        if guarded || !address {
            return;
        }
        let name = std::mem::replace(&mut call.name, Parameter::Name("url".to_owned()));
        let value = if call.params.is_empty() && call.hash.is_empty() {
            name
        } else {
            let (values, named) = (std::mem::take(&mut call.params), std::mem::take(&mut call.hash));
            Parameter::Subexpression(Subexpression::new(name, values, named))
        };
        call.params = vec![value];
    }
}

/// Whether every round prints something, so that the limit of the output ends a long loop.
fn always_prints(body: &Template) -> bool {
    let prints = |element: &TemplateElement| matches!(element, TemplateElement::RawString(text) if !text.is_empty());
    body.elements.iter().any(prints)
}

/// Whether a text or what it is made of prints the preheader itself.
pub(super) fn prints_preheader(template: &Template) -> bool {
    template.elements.iter().any(|element| match element {
        TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => names_preheader(call),
        TemplateElement::HelperBlock(block) => {
            names_preheader(block) || [&block.template, &block.inverse].into_iter().flatten().any(prints_preheader)
        }
        TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
            partial.params.iter().any(is_preheader)
                || partial.hash.values().any(is_preheader)
                || partial.template.as_ref().is_some_and(prints_preheader)
        }
        _ => false,
    })
}

fn names_preheader(call: &HelperTemplate) -> bool {
    is_preheader(&call.name) || call.params.iter().any(is_preheader)
}

fn is_preheader(parameter: &Parameter) -> bool {
    match parameter {
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(call) => names_preheader(call),
            _ => false,
        },
        named => named.as_name().is_some_and(|name| name.rsplit(['.', '/']).next() == Some("preheader")),
    }
}
