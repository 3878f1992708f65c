//! Whether every variable of a message exists where it is sent, against the data contract.

use std::collections::BTreeMap;

use super::Variables;
use super::partials::file_of;
use super::place::{MOST_FOUND, Place};
use super::scope::{Frame, Scope, Thing, Unknown};
use super::syntax::{self, Call, Expr, Node, Span};
use super::tags::MAX_DEPTH;
use crate::diagnostic::{Diagnostic, Severity};

/// How many partials one message may pull in, counted each time.
const MAX_PARTIALS: usize = 1_000;
/// Checks the names of one message's texts; each is given to [`NameCheck::text`].
pub(super) struct NameCheck<'a> {
    scope: Scope<'a>,
    partials: &'a BTreeMap<String, String>,
    found: Vec<Diagnostic>,
    /// Attributes that an enclosing `{{#if}}` has found to be there.
    certain: Vec<Thing>,
    included: usize,
    depth: usize,
}

impl<'a> NameCheck<'a> {
    pub fn new(variables: &'a Variables<'a>, needs: &'a [String], partials: &'a BTreeMap<String, String>) -> NameCheck<'a> {
        NameCheck {
            scope: Scope { variables, needs, layout: false, frames: Vec::new() },
            partials,
            found: Vec::new(),
            certain: Vec::new(),
            included: 0,
            depth: 0,
        }
    }

    /// Checks one text. One that can't be parsed is passed over: that is reported where it is read.
    pub fn text(&mut self, place: Place<'_>, layout: bool) {
        let Ok(nodes) = syntax::parse(place.text) else {
            return;
        };
        self.scope.layout = layout;
        self.scope.frames = vec![Frame::top()];
        self.nodes(place, &nodes);
    }

    /// Each finding once, in the files' order.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| a.location.cmp(&b.location).then_with(|| a.message.cmp(&b.message)));
        self.found.dedup();
        self.found
    }

    fn nodes(&mut self, place: Place<'_>, nodes: &[Node]) {
        for node in nodes {
            if self.found.len() >= MOST_FOUND {
                return;
            }
            match node {
                Node::Text(_) | Node::Decorator(_) => {}
                Node::Value { call, .. } => self.value(place, call),
                Node::Block { call, names, body, inverse } => self.block(place, call, names, body, inverse),
                Node::Partial { name, call, body } => self.partial(place, name.as_deref(), call, body),
            }
        }
    }

    fn value(&mut self, place: Place<'_>, call: &Call) {
        if call.values.is_empty() && call.named.is_empty() {
            self.expression(place, &call.name, true);
        } else {
            self.call(place, call, true);
        }
    }

    /// Checks what a helper is given. `printed`: its value is printed, and so a missing one is an error when the message is made.
    fn call(&mut self, place: Place<'_>, call: &Call, printed: bool) {
        let helper = if let Expr::Name { text, .. } = &call.name { text.as_str() } else { "" };
        for (index, value) in call.values.iter().enumerate() {
            let needed = match helper {
                "default" => printed && index == 1,
                _ => printed && super::helper(helper).is_some_and(|rule| index < rule.needs),
            };
            self.expression(place, value, needed);
        }
        for (_, value) in &call.named {
            self.expression(place, value, false);
        }
    }

    fn expression(&mut self, place: Place<'_>, expr: &Expr, printed: bool) -> Thing {
        match expr {
            Expr::Literal(_) => Thing::Leaf,
            Expr::Call(call) => {
                self.call(place, call, printed);
                let lookup = matches!(&call.name, Expr::Name { text, .. } if text == "lookup" || text == "default");
                if lookup { Thing::Any } else { Thing::Leaf }
            }
            Expr::Name { text, span } => {
                let thing = self.resolve(place, text, *span);
                if printed {
                    self.printed(place, &thing, text, *span);
                }
                thing
            }
        }
    }

    fn printed(&mut self, place: Place<'_>, thing: &Thing, text: &str, span: Span) {
        match thing {
            Thing::Top | Thing::Message => self.whole(place, text, span),
            Thing::Contact(keys) | Thing::Event(keys) | Thing::Vars(keys) if keys.is_empty() => self.whole(place, text, span),
            Thing::Contact(keys) => {
                let certain =
                    self.certain.iter().any(|certain| matches!(certain, Thing::Contact(known) if known.starts_with(keys)));
                if !certain && !self.scope.variables.contract.contact_always_has(keys) {
                    let message = format!("`{text}` may be missing, and then the message can't be made");
                    let help = format!(
                        "write {{{{default {text} \"…\"}}}} to say what stands there instead, or make it `required` in the contact schema"
                    );
                    self.tell(place.warning("possibly-missing", span, message, Some(help)));
                }
            }
            Thing::Event(keys) if self.scope.variables.eventless => {
                let asked = |certain: &Thing| matches!(certain, Thing::Event(known) if known.starts_with(keys));
                if !self.certain.iter().any(asked) {
                    let message =
                        format!("`{text}` is missing, and then the message can't be made: no event starts this workflow");
                    let help = format!("write {{{{default {text} \"…\"}}}} to say what stands there instead");
                    self.tell(place.warning("possibly-missing", span, message, Some(help)));
                }
            }
            _ => {}
        }
    }

    fn whole(&mut self, place: Place<'_>, text: &str, span: Span) {
        let message = format!("`{text}` is not a value that can be printed");
        self.unknown(place, span, message, Some("name one of the values inside of it".to_owned()), false);
    }

    fn block(&mut self, place: Place<'_>, call: &Call, names: &[String], body: &[Node], inverse: &[Node]) {
        let helper = if let Expr::Name { text, .. } = &call.name { text.as_str() } else { "" };
        let subject = call.values.first().map(|value| self.expression(place, value, false)).unwrap_or(Thing::Any);
        call.values.iter().skip(1).chain(call.named.iter().map(|(_, value)| value)).for_each(|value| {
            self.expression(place, value, false);
        });
        let frame = match helper {
            "each" => {
                let element = self.scope.element(&subject);
                let given = [element.clone(), Thing::Leaf];
                Some(Frame { base: element, names: names.iter().cloned().zip(given).collect(), local: true })
            }
            "with" => {
                let local = self.scope.frames.last().is_some_and(|frame| frame.local);
                let names = names.iter().cloned().zip([subject.clone()]).collect();
                Some(Frame { base: subject.clone(), names, local })
            }
            _ => None,
        };
        let known = self.certain.len();
        if matches!(helper, "if" | "with") {
            call.values.iter().for_each(|value| self.certain_from(value));
        }
        self.scoped(frame, |this| this.nodes(place, body));
        self.certain.truncate(known);
        if helper == "unless" {
            call.values.iter().for_each(|value| self.certain_from(value));
        }
        self.nodes(place, inverse);
        self.certain.truncate(known);
    }

    fn scoped(&mut self, frame: Option<Frame>, walk: impl FnOnce(&mut Self)) {
        let depth = self.scope.frames.len();
        self.scope.frames.extend(frame);
        walk(self);
        self.scope.frames.truncate(depth);
    }

    /// What is certainly there when the condition holds.
    fn certain_from(&mut self, condition: &Expr) {
        match condition {
            Expr::Name { text, .. } => {
                if let Ok(thing) = self.scope.lookup(text) {
                    self.certain.push(thing);
                }
            }
            Expr::Call(call) if matches!(&call.name, Expr::Name { text, .. } if text == "and") => {
                call.values.iter().for_each(|value| self.certain_from(value));
            }
            _ => {}
        }
    }

    fn partial(&mut self, place: Place<'_>, name: Option<&str>, call: &Call, body: &[Node]) {
        let context = call.values.first().map(|value| self.expression(place, value, false));
        let named = call.named.iter();
        let names = named.map(|(name, value)| (name.clone(), self.expression(place, value, false)));
        let names: Vec<_> = names.collect();
        let partials = self.partials;
        let Some((name, source)) = name.and_then(|name| partials.get_key_value(name)) else {
            return self.nodes(place, body);
        };
        let here = self.scope.frames.last();
        let base = context.or(here.map(|frame| frame.base.clone())).unwrap_or(Thing::Any);
        let local = here.is_some_and(|frame| frame.local);
        // What stands between {{#> x}} and {{/x}} sees what the partial sees.
        self.scoped(Some(Frame { base, names, local }), |this| {
            this.nodes(place, body);
            this.included(place, name, source, call.tag);
        });
    }

    fn included(&mut self, place: Place<'_>, name: &str, source: &str, tag: Span) {
        self.included += 1;
        if self.included > MAX_PARTIALS || self.depth >= MAX_DEPTH {
            if self.included == MAX_PARTIALS + 1 {
                let message = format!("this message pulls in more than {MAX_PARTIALS} partials");
                let help = Some("use {{#each}} in one partial instead".to_owned());
                self.found.push(place.error("template-too-large", tag, message, help));
            }
            return;
        }
        let Ok(nodes) = syntax::parse(source) else {
            return;
        };
        let file = file_of(name);
        self.depth += 1;
        self.nodes(Place::file(&file, source), &nodes);
        self.depth -= 1;
    }

    fn resolve(&mut self, place: Place<'_>, text: &str, span: Span) -> Thing {
        match self.scope.lookup(text) {
            Ok(thing) => thing,
            Err(Unknown { message, help, by_contract }) => {
                self.unknown(place, span, message, help, by_contract);
                Thing::Any
            }
        }
    }

    fn unknown(&mut self, place: Place<'_>, span: Span, message: String, help: Option<String>, by_contract: bool) {
        let mut diagnostic = place.error("unknown-variable", span, message, help);
        if by_contract && self.scope.variables.open {
            diagnostic.severity = Severity::Warning;
        }
        self.tell(diagnostic);
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < MOST_FOUND {
            self.found.push(diagnostic);
        }
    }
}
