//! What can be known of one text on its own, whoever sends it: helpers, partials, and data that is printed where it does harm.

use std::collections::{BTreeMap, BTreeSet};

use super::address::Before;
use super::place::{MOST_FOUND, Place};
use super::syntax::{Call, Expr, Node, Span, VariablePath};
use super::tags::{self, Kind};
use super::vocabulary::{Form, HELPERS, helper, suggestion};
use crate::diagnostic::Diagnostic;

/// What a text is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Html,
    /// A text part, a subject, a preheader: nothing is escaped.
    Text,
    HtmlLayout,
    TextLayout,
    /// May stand in HTML.
    Partial,
}

impl Role {
    fn is_html(self) -> bool {
        matches!(self, Role::Html | Role::HtmlLayout | Role::Partial)
    }

    fn is_layout(self) -> bool {
        matches!(self, Role::HtmlLayout | Role::TextLayout)
    }
}

/// Checks one parsed text.
pub(super) fn check(place: Place<'_>, nodes: &[Node], role: Role, partials: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let mut walker = Walker {
        place,
        role,
        partials,
        allowed_lines: allowed_lines(place.text),
        before: Before::default(),
        scopes: 0,
        prints_body: false,
        found: Vec::new(),
    };
    walker.nodes(nodes);
    if role.is_layout() && !walker.prints_body {
        let help = Some("write {{{body}}} where the message's body stands".to_owned());
        walker.found.push(place.error("layout-without-body", (0, 0), "this layout never prints the body".to_owned(), help));
    }
    walker.found
}

/// The lines (from 0) on which a comment allows data to be printed as it is.
fn allowed_lines(text: &str) -> BTreeSet<usize> {
    if !text.contains("allow(unescaped-data)") {
        return BTreeSet::new();
    }
    let tags = tags::scan(text).unwrap_or_default();
    let comments = tags.iter().filter(|tag| tag.kind == Kind::Comment && tag.content.starts_with("allow(unescaped-data)"));
    comments.map(|tag| line_of(text, tag.start)).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count()
}

struct Walker<'a> {
    place: Place<'a>,
    role: Role,
    partials: &'a BTreeMap<String, String>,
    allowed_lines: BTreeSet<usize>,
    /// The text before the node at hand, as far as it matters for attributes.
    before: Before,
    /// How many `each` and `with` are open: inside of them a bare name is data as well.
    scopes: usize,
    prints_body: bool,
    found: Vec<Diagnostic>,
}

impl Walker<'_> {
    fn error(&mut self, code: &'static str, span: Span, message: String, help: Option<String>) {
        if self.found.len() < MOST_FOUND {
            self.found.push(self.place.error(code, span, message, help));
        }
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(text) => self.before.text(text),
                Node::Value { raw, call } => self.value(*raw, call),
                Node::Block { call, body, inverse, .. } => self.block(call, body, inverse),
                Node::Partial { name, call, body } => self.partial(name.as_deref(), call, body),
                Node::Decorator(span) => {
                    let help = Some("put the part into a file under templates/partials/ and use it with {{> name}}".to_owned());
                    self.error("decorator", *span, "inline partials and decorators are not supported".to_owned(), help);
                }
            }
        }
    }

    fn value(&mut self, raw: bool, call: &Call) {
        let plain = call.values.is_empty() && call.named.is_empty();
        match &call.name {
            Expr::Name { text, .. } if plain && helper(text).is_none() => {}
            Expr::Name { .. } => self.helper_call(call, Form::Value),
            Expr::Call(_) | Expr::Literal(_) => {
                let help = Some("remove the parentheses".to_owned());
                self.error("template-syntax", call.tag, "a helper's value can't be printed in parentheses".to_owned(), help);
            }
        }
        let mut names = Vec::new();
        if plain {
            names_in(&call.name, &mut names)
        } else {
            call.values.iter().for_each(|value| names_in(value, &mut names))
        }
        self.body_variable(raw, &names, call.tag);
        if raw {
            self.raw_value(&names, call.tag);
        }
        let guarded = matches!(&call.name, Expr::Name { text, .. } if text == "url");
        if self.role.is_html() && self.before.begins_address() && !guarded {
            self.address(&names);
        }
        self.before.value();
    }

    fn body_variable(&mut self, raw: bool, names: &[(&str, Span)], tag: Span) {
        if !self.role.is_layout() || !names.iter().any(|(name, _)| *name == "body") {
            return;
        }
        self.prints_body = true;
        if !raw && self.role == Role::HtmlLayout {
            let message = "`body` is HTML already and would be escaped once more".to_owned();
            self.error("escaped-body", tag, message, Some("write {{{body}}} with three braces".to_owned()));
        }
    }

    fn raw_value(&mut self, names: &[(&str, Span)], tag: Span) {
        if !self.role.is_html()
            || (!self.allowed_lines.is_empty() && self.allowed_lines.contains(&line_of(self.place.text, tag.0)))
        {
            return;
        }
        let harmless = |name: &str| match VariablePath::read(name).names.first().map(String::as_str) {
            Some("unsubscribe_url" | "preferences_url" | "confirm_url" | "message") => true,
            Some("body") => self.role.is_layout(),
            _ => false,
        };
        if let Some((name, span)) = names.iter().find(|(name, _)| !harmless(name)).copied() {
            let message = format!("`{name}` is data, and three braces put it into the HTML as it is");
            let help = format!(
                "write {{{{{name}}}}}, or say why it is safe on the same line: {{{{!-- campaignd: allow(unescaped-data) reason --}}}}"
            );
            self.error("unescaped-data", span, message, Some(help));
        }
    }

    /// Data at the beginning of an address.
    fn address(&mut self, names: &[(&str, Span)]) {
        let scoped = self.scopes > 0;
        let is_data = |name: &str| {
            let path = VariablePath::read(name);
            let root = path.names.first().map(String::as_str);
            matches!(root, Some("contact" | "event" | "vars"))
                || (scoped && !path.root && !matches!(root, Some("unsubscribe_url" | "preferences_url" | "confirm_url")))
        };
        if let Some((name, span)) = names.iter().find(|(name, _)| is_data(name)).copied() {
            let message = format!("`{name}` decides where this address leads; data could make it `javascript:…`");
            let help = format!(
                "begin with the part that is fixed (https://shop.example/{{{{{name}}}}}), or write {{{{url {name}}}}}, which prints web, mail and phone addresses and `#` for all else"
            );
            if self.found.len() < MOST_FOUND {
                self.found.push(self.place.warning("data-as-url", span, message, Some(help)));
            }
        }
    }

    fn block(&mut self, call: &Call, body: &[Node], inverse: &[Node]) {
        self.helper_call(call, Form::Block);
        let scope = usize::from(matches!(&call.name, Expr::Name { text, .. } if text == "each" || text == "with"));
        let before = self.before.clone();
        self.scopes += scope;
        self.nodes(body);
        self.scopes -= scope;
        let after = std::mem::replace(&mut self.before, before);
        self.nodes(inverse);
        self.before = after;
    }

    fn partial(&mut self, name: Option<&str>, call: &Call, body: &[Node]) {
        match name {
            None => {
                let help = Some("choose with {{#if}} between partials that are named".to_owned());
                self.error("dynamic-partial", call.tag, "a partial's name can't be computed".to_owned(), help);
            }
            Some("@partial-block") if self.role == Role::Partial => {}
            Some(name) if self.partials.contains_key(name) => {}
            Some(name) => {
                let span = if let Expr::Name { span, .. } = &call.name { *span } else { call.tag };
                let known: Vec<_> = self.partials.keys().map(String::as_str).collect();
                let help = suggestion(name, &known, "partials");
                self.error("unknown-partial", span, format!("there is no partial `{name}` under templates/partials/"), help);
            }
        }
        call.values.iter().chain(call.named.iter().map(|(_, value)| value)).for_each(|value| self.argument(value));
        self.before.value();
        self.nodes(body);
    }

    /// A helper with its values, at a place where only `form` (or both) may stand.
    fn helper_call(&mut self, call: &Call, form: Form) {
        call.values.iter().chain(call.named.iter().map(|(_, value)| value)).for_each(|value| self.argument(value));
        let Expr::Name { text: name, span } = &call.name else {
            return;
        };
        let Some(rule) = helper(name) else {
            let known: Vec<_> =
                HELPERS.iter().filter(|rule| rule.form == form || rule.form == Form::Both).map(|rule| rule.name).collect();
            let help = suggestion(name, &known, "helpers");
            return self.error("unknown-helper", *span, format!("there is no helper `{name}`"), help);
        };
        if rule.form != form && rule.form != Form::Both {
            let (message, help) = match rule.form {
                Form::Block => (format!("`{name}` is a block"), format!("write {{{{#{name} …}}}} … {{{{/{name}}}}}")),
                Form::Value | Form::Both => (format!("`{name}` is not a block"), format!("write {{{{{name} …}}}}")),
            };
            return self.error("helper-arguments", *span, message, Some(help));
        }
        let (least, most) = (*rule.values.start(), *rule.values.end());
        if !rule.values.contains(&call.values.len()) {
            let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let plural = if most == 1 { "" } else { "s" };
            let message = format!("`{name}` takes {wanted} value{plural}, but {} are given here", call.values.len());
            let help = call.values.is_empty().then(|| format!("if a variable of this name is meant, write {{{{this.{name}}}}}"));
            return self.error("helper-arguments", *span, message, help);
        }
        if let Some((key, _)) = call.named.iter().find(|(key, _)| !rule.named.contains(&key.as_str())) {
            let help = suggestion(key, rule.named, "names that it takes").filter(|_| !rule.named.is_empty());
            return self.error("helper-arguments", *span, format!("`{name}` takes no `{key}=`"), help);
        }
        if name == "plural" && !call.named.iter().any(|(key, _)| key == "other") {
            let help = Some("write {{plural n one=\"item\" other=\"items\"}}".to_owned());
            return self.error(
                "helper-arguments",
                *span,
                "`plural` needs `other=`: the form for all other numbers".to_owned(),
                help,
            );
        }
        self.literals(name, call, *span);
    }

    /// Values that are written in the template, and that no helper can work with.
    fn literals(&mut self, name: &str, call: &Call, span: Span) {
        let text = |index: usize| match call.values.get(index) {
            Some(Expr::Literal(serde_json::Value::String(text))) => Some(text.as_str()),
            _ => None,
        };
        const STYLES: [&str; 7] = ["short", "medium", "long", "full", "time", "datetime", "iso"];
        let unfit = match name {
            "date" => text(1).filter(|style| !STYLES.contains(style) && !style.contains('%')).map(|style| {
                (
                    format!("`{style}` is no style of dates"),
                    format!("{}, or a pattern such as %d.%m.%Y", suggestion(style, &STYLES, "styles").unwrap_or_default()),
                )
            }),
            "money" => text(1)
                .filter(|code| code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_alphabetic()))
                .map(|code| (format!("`{code}` is no currency's code"), "write its three letters: EUR".to_owned())),
            _ => None,
        };
        let zone = call.named.iter().find_map(|(key, value)| match value {
            Expr::Literal(serde_json::Value::String(zone)) if key == "zone" && !crate::time::known_zone(zone) => Some(zone),
            _ => None,
        });
        let unfit = unfit
            .or_else(|| zone.map(|zone| (format!("there is no time zone `{zone}`"), "write zone=\"Europe/Berlin\"".to_owned())));
        if let Some((message, help)) = unfit {
            self.error("helper-arguments", span, message, Some(help));
        }
    }

    fn argument(&mut self, value: &Expr) {
        if let Expr::Call(call) = value {
            self.helper_call(call, Form::Value);
        }
    }
}

/// Every variable that an expression takes its value from.
fn names_in<'e>(expr: &'e Expr, names: &mut Vec<(&'e str, Span)>) {
    match expr {
        Expr::Name { text, span } => names.push((text, *span)),
        Expr::Call(call) => call.values.iter().for_each(|value| names_in(value, names)),
        Expr::Literal(_) => {}
    }
}
