//! What a template reads of its data: two messages of which it reads the same are the same message, but for what is new in each.

use std::collections::BTreeSet;

use handlebars::Template;
use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};

/// Names that are made for each message, and are always there: whether a message can be made does not depend on them.
const OWN: [&str; 8] = ["message", "unsubscribe_url", "preferences_url", "confirm_url", "subject", "preheader", "body", "locale"];

/// Blocks in which names are looked for in something else than the data.
const SCOPES: [&str; 2] = ["each", "with"];

/// The paths that templates read, all that could be told at least.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reads {
    /// Paths from the top of the data.
    pub paths: BTreeSet<Vec<String>>,
    /// Paths that are only printed, or asked whether there is anything: of two texts of one length there as much of a message can be made.
    pub shown: BTreeSet<Vec<String>>,
    /// Partials that are pulled in.
    pub partials: BTreeSet<String>,
    /// What it reads cannot be told, or is another at every moment.
    pub anything: bool,
}

impl Reads {
    /// Adds what this text reads.
    pub fn template(&mut self, template: &Template) {
        self.elements(template, 0);
    }

    /// The same for a text whose very words count, as a subject's do.
    pub fn words(&mut self, template: &Template) {
        let mut reads = Reads::default();
        reads.template(template);
        self.paths.extend(reads.paths.into_iter().chain(reads.shown));
        // What a partial prints is not told apart by where it stands.
        self.anything |= reads.anything || !reads.partials.is_empty();
    }

    /// `scopes`: how many blocks around it look names up elsewhere.
    fn elements(&mut self, template: &Template, scopes: usize) {
        for element in &template.elements {
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => match call.name.as_name() {
                    _ if call.params.is_empty() => self.shown(call, std::slice::from_ref(&call.name), scopes),
                    Some("default") => self.shown(call, &call.params, scopes),
                    _ => self.call(call, scopes),
                },
                TemplateElement::HelperBlock(block) => self.block(block, scopes),
                TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                    self.partial(partial, scopes);
                }
                TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => self.anything = true,
                _ => {}
            }
        }
    }

    /// What is printed, or decides by whether there is anything.
    fn shown(&mut self, call: &HelperTemplate, printed: &[Parameter], scopes: usize) {
        let paths: Option<Vec<_>> = printed.iter().map(plain_path).collect();
        match paths.filter(|_| scopes == 0 && call.hash.is_empty()) {
            Some(paths) => self.shown.extend(paths.into_iter().filter(|path| !path.is_empty())),
            None => self.call(call, scopes),
        }
    }

    fn call(&mut self, call: &HelperTemplate, scopes: usize) {
        // A helper of this name is no path of the data: looking it up there changes nothing.
        self.parameter(&call.name, scopes);
        call.params.iter().chain(call.hash.values()).for_each(|parameter| self.parameter(parameter, scopes));
    }

    fn block(&mut self, block: &HelperTemplate, scopes: usize) {
        match block.name.as_name() {
            Some("if" | "unless") => self.shown(block, &block.params, scopes),
            _ => self.call(block, scopes),
        }
        let inside = scopes + usize::from(block.name.as_name().is_some_and(|name| SCOPES.contains(&name)));
        if let Some(body) = &block.template {
            self.elements(body, inside);
        }
        if let Some(inverse) = &block.inverse {
            self.elements(inverse, scopes);
        }
    }

    fn partial(&mut self, partial: &DecoratorTemplate, scopes: usize) {
        match partial.name.as_name() {
            // What stands between the tags of a layout's partial is printed by it.
            Some("@partial-block") => {}
            Some(name) => {
                self.partials.insert(name.to_owned());
            }
            None => self.anything = true,
        }
        partial.params.iter().chain(partial.hash.values()).for_each(|parameter| self.parameter(parameter, scopes));
        if let Some(body) = &partial.template {
            self.elements(body, scopes);
        }
    }

    fn parameter(&mut self, parameter: &Parameter, scopes: usize) {
        match parameter {
            Parameter::Literal(_) => {}
            Parameter::Name(name) => self.path(name, scopes),
            Parameter::Path(path) => match path {
                handlebars::Path::Local(_) => {}
                handlebars::Path::Relative((_, raw)) => self.path(raw, scopes),
            },
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(call) => self.call(call, scopes),
                _ => self.anything = true,
            },
            _ => self.anything = true,
        }
    }

    /// A path that leads upwards, or is looked up in a list's element, is taken as one from the top: what it leads to is part of what its block
    /// reads as a whole, or is that.
    fn path(&mut self, raw: &str, scopes: usize) {
        // A name in brackets may hold anything: everything that it is looked up in is read.
        let plain = raw.split('[').next().unwrap_or_default();
        let named = plain.split(['.', '/']).filter(|part| !part.is_empty() && !matches!(*part, "this" | "@root"));
        let keys: Vec<String> = named.map(str::to_owned).collect();
        match keys.first().map(String::as_str) {
            // All of what is at hand, which in a block is what the block reads.
            None => self.anything |= scopes == 0 || raw.contains(".."),
            Some("now") => self.anything = true,
            Some(own) if OWN.contains(&own) => {}
            Some(_) => {
                self.paths.insert(keys);
            }
        }
    }
}

/// The keys of a path from the top of the data, none for a literal or for what is made for each message; `None` for anything else.
fn plain_path(parameter: &Parameter) -> Option<Vec<String>> {
    let raw = match parameter {
        Parameter::Literal(_) => return Some(Vec::new()),
        Parameter::Name(name) => name,
        Parameter::Path(handlebars::Path::Relative((_, raw))) => raw,
        _ => return None,
    };
    let keys: Vec<String> = raw.split('.').map(str::to_owned).collect();
    match keys[0].as_str() {
        own if OWN.contains(&own) => Some(Vec::new()),
        "now" | "this" => None,
        _ => {
            let plain = |key: &String| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && !key.is_empty();
            keys.iter().all(plain).then_some(keys)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let check = |source: &str, expected: &[&str]| {
            let mut reads = Reads::default();
            reads.template(&Template::compile(source).expect("compiles"));
            let mut found: Vec<String> = reads.paths.iter().map(|path| path.join(".")).collect();
            found.retain(|path| !["if", "each", "with", "date", "eq", "default", "upper", "lookup"].contains(&path.as_str()));
            found.extend(reads.shown.iter().map(|path| format!("shown {}", path.join("."))));
            found.extend(reads.partials.iter().map(|name| format!("> {name}")));
            found.extend(reads.anything.then(|| "anything".to_owned()));
            assert_eq!(found, expected, "{source}");
        };
        check(
            "Hi {{contact.first_name}} {{{vars.x}}} {{unsubscribe_url}} {{subject}}",
            &["shown contact.first_name", "shown vars.x"],
        );
        check("{{#a}}{{this}}{{/a}}{{#if (default contact.b 1)}}{{/if}}", &["a", "contact.b", "anything"]);
        check(
            "{{#if contact.a}}{{default contact.b \"x\"}}{{upper contact.c}}{{/if}}",
            &["contact.c", "shown contact.a", "shown contact.b"],
        );
        check("{{#if contact.a includeZero=true}}{{contact.[b]}}{{contact.a.[0]}}{{/if}}", &["contact", "contact.a"]);
        check(
            "{{#if (eq contact.plan \"pro\")}}{{event.total}}{{else}}{{coupon}}{{/if}}",
            &["contact.plan", "shown coupon", "shown event.total"],
        );
        check(
            "{{#each event.items}}{{name}}{{this.price}}{{this}}{{@index}}{{../contact.x}}{{/each}}",
            &["contact.x", "event.items", "name", "price"],
        );
        check("{{date (default contact.at event.at) \"long\"}}", &["contact.at", "event.at"]);
        check(
            "{{> button url=contact.link}}{{#> frame}}{{event.a}}{{/frame}}",
            &["contact.link", "shown event.a", "> button", "> frame"],
        );
        check("{{@root.contact.x}} {{contact.[first name]}}", &["contact", "contact.x"]);
        check("{{date now}}", &["anything"]);
        check("{{#each this}}{{x}}{{/each}}", &["x", "anything"]);
        check("{{#if contact.a}}{{lookup this \"b\"}}{{/if}}", &["shown contact.a", "anything"]);
        check("{{#with contact}}{{#each list}}{{lookup ../this \"b\"}}{{/each}}{{/with}}", &["contact", "list", "anything"]);
    }
}
