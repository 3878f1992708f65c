//! Whether every variable of a message exists where it is sent, against the data contract.

use std::collections::{BTreeMap, BTreeSet};

use super::Variables;
use super::place::Place;
use super::syntax::{self, Call, Expr, Node, Span, VariablePath};
use super::tags::MAX_DEPTH;
use super::vocabulary::suggestion;
use crate::contract::{Declared, Kinds};
use crate::diagnostic::{Diagnostic, Severity};

/// How many partials one message may pull in, counted each time.
const MAX_PARTIALS: usize = 1_000;
const TOP: [&str; 6] = ["contact", "event", "vars", "unsubscribe_url", "preferences_url", "message"];
/// What a layout sees besides.
const LAYOUT: [&str; 3] = ["body", "subject", "preheader"];
const LOCAL: [&str; 4] = ["index", "key", "first", "last"];

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    Top,
    Contact(Vec<String>),
    Event(Vec<String>),
    Vars(Vec<String>),
    Message,
    /// Anything: nothing is known of what is inside.
    Any,
    /// A text or a number: nothing is inside.
    Leaf,
}

#[derive(Clone)]
struct Frame {
    base: Thing,
    names: Vec<(String, Thing)>,
    /// Whether `@index` and the like are set.
    local: bool,
}

/// Checks the names of one message's texts; each is given to [`NameCheck::text`].
pub(super) struct NameCheck<'a> {
    pub variables: &'a Variables<'a>,
    /// Names that the template's front matter says `with` must give.
    pub needs: &'a [String],
    pub partials: &'a BTreeMap<String, String>,
    found: Vec<Diagnostic>,
    frames: Vec<Frame>,
    /// Attributes that an enclosing `{{#if}}` has found to be there.
    certain: Vec<Thing>,
    layout: bool,
    included: usize,
    depth: usize,
}

impl<'a> NameCheck<'a> {
    pub fn new(variables: &'a Variables<'a>, needs: &'a [String], partials: &'a BTreeMap<String, String>) -> NameCheck<'a> {
        NameCheck {
            variables,
            needs,
            partials,
            found: Vec::new(),
            frames: Vec::new(),
            certain: Vec::new(),
            layout: false,
            included: 0,
            depth: 0,
        }
    }

    /// Checks one text. One that can't be parsed is passed over: that is reported where it is read.
    pub fn text(&mut self, place: Place<'_>, layout: bool) {
        let Ok(nodes) = syntax::parse(place.text) else {
            return;
        };
        self.layout = layout;
        self.frames = vec![Frame { base: Thing::Top, names: Vec::new(), local: false }];
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
            match node {
                Node::Text(_) | Node::Decorator(_) => {}
                Node::Value { call, .. } => self.value(place, call),
                Node::Block { call, names, body, inverse } => self.block(place, call, names, body, inverse),
                Node::Partial { name, call, body } => {
                    self.nodes(place, body);
                    self.partial(place, name.as_deref(), call);
                }
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
                "upper" | "lower" | "url" => printed,
                _ => false,
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
                if !certain && !self.variables.contract.contact_always_has(keys) {
                    let message = format!("`{text}` may be missing, and then the message can't be made");
                    let help = format!(
                        "write {{{{default {text} \"…\"}}}} to say what stands there instead, or make it `required` in the contact schema"
                    );
                    self.found.push(place.warning("possibly-missing", span, message, Some(help)));
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
                let element = self.element(&subject);
                let given = [element.clone(), Thing::Leaf];
                Some(Frame { base: element, names: names.iter().cloned().zip(given).collect(), local: true })
            }
            "with" => {
                let local = self.frames.last().is_some_and(|frame| frame.local);
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
        let depth = self.frames.len();
        self.frames.extend(frame);
        walk(self);
        self.frames.truncate(depth);
    }

    /// What is certainly there when the condition holds.
    fn certain_from(&mut self, condition: &Expr) {
        match condition {
            Expr::Name { text, .. } => {
                if let Ok(thing) = self.lookup(text) {
                    self.certain.push(thing);
                }
            }
            Expr::Call(call) if matches!(&call.name, Expr::Name { text, .. } if text == "and") => {
                call.values.iter().for_each(|value| self.certain_from(value));
            }
            _ => {}
        }
    }

    /// What one round of `{{#each}}` sees.
    fn element(&self, list: &Thing) -> Thing {
        let first = |keys: &[String]| keys.iter().cloned().chain(["0".to_owned()]).collect::<Vec<_>>();
        let is_list = |declared: &Declared| matches!(declared, Declared::Known(Kinds { list: true, object: false, .. }));
        match list {
            Thing::Contact(keys) if is_list(&self.variables.contract.contact_attribute(keys)) => Thing::Contact(first(keys)),
            Thing::Event(keys) if !self.variables.events.is_empty() => {
                let all = self.variables.events.iter().map(|event| self.variables.contract.event_property(event, keys));
                if all.into_iter().all(|declared| is_list(&declared) || matches!(declared, Declared::Unknown(_))) {
                    Thing::Event(first(keys))
                } else {
                    Thing::Any
                }
            }
            _ => Thing::Any,
        }
    }

    fn partial(&mut self, place: Place<'_>, name: Option<&str>, call: &Call) {
        let context = call.values.first().map(|value| self.expression(place, value, false));
        let names: Vec<_> = call.named.iter().map(|(name, value)| (name.clone(), self.expression(place, value, false))).collect();
        let Some((name, source)) = name.and_then(|name| self.partials.get_key_value(name)) else {
            return;
        };
        self.included += 1;
        if self.included > MAX_PARTIALS || self.depth >= MAX_DEPTH {
            if self.included == MAX_PARTIALS + 1 {
                let message = format!("this message pulls in more than {MAX_PARTIALS} partials");
                self.found.push(place.error(
                    "template-too-large",
                    call.tag,
                    message,
                    Some("use {{#each}} in one partial instead".to_owned()),
                ));
            }
            return;
        }
        let Ok(nodes) = syntax::parse(source) else {
            return;
        };
        let file = format!("templates/partials/{name}.hbs");
        let here = self.frames.last().cloned();
        let base = context.or(here.as_ref().map(|frame| frame.base.clone())).unwrap_or(Thing::Any);
        let local = here.is_some_and(|frame| frame.local);
        self.depth += 1;
        self.scoped(Some(Frame { base, names, local }), |this| this.nodes(Place::file(&file, source), &nodes));
        self.depth -= 1;
    }

    fn resolve(&mut self, place: Place<'_>, text: &str, span: Span) -> Thing {
        match self.lookup(text) {
            Ok(thing) => thing,
            Err(Unknown { message, help, by_contract }) => {
                self.unknown(place, span, message, help, by_contract);
                Thing::Any
            }
        }
    }

    fn unknown(&mut self, place: Place<'_>, span: Span, message: String, help: Option<String>, by_contract: bool) {
        let mut diagnostic = place.error("unknown-variable", span, message, help);
        if by_contract && self.variables.open {
            diagnostic.severity = Severity::Warning;
        }
        self.found.push(diagnostic);
    }

    /// What a name stands for here, in the way that the renderer finds it.
    fn lookup(&self, text: &str) -> Result<Thing, Unknown> {
        let path = VariablePath::read(text);
        let frame = |up: usize| self.frames.len().checked_sub(up + 1).and_then(|index| self.frames.get(index));
        let outside =
            || Unknown::plain(format!("`{text}` goes further out than there are blocks"), Some("leave out a `../`".to_owned()));
        if path.local {
            let frame = frame(path.up).ok_or_else(outside)?;
            return match path.names.first().map(String::as_str) {
                Some(name) if frame.local && LOCAL.contains(&name) && path.names.len() == 1 => Ok(Thing::Leaf),
                Some("root") => Err(Unknown::plain(
                    "`@root` needs a name behind it".to_owned(),
                    Some("write @root.contact.first_name".to_owned()),
                )),
                Some(name) if LOCAL.contains(&name) => {
                    Err(Unknown::plain(format!("`{text}` is only known inside of {{{{#each}}}}"), None))
                }
                Some(name) => Err(Unknown::plain(
                    format!("there is no `@{name}`"),
                    Some("there are: `@index`, `@key`, `@first`, `@last`, `@root.…`".to_owned()),
                )),
                None => Err(outside()),
            };
        }
        if path.root {
            return self.inside(&Thing::Top, &path.names, text);
        }
        if let Some((first, rest)) = path.names.split_first() {
            let named = self.frames.iter().rev().find_map(|frame| frame.names.iter().find(|(name, _)| name == first));
            if let Some((_, thing)) = named {
                return self.inside(thing, rest, text);
            }
        }
        let frame = frame(path.up).ok_or_else(outside)?;
        self.inside(&frame.base, &path.names, text)
    }

    fn inside(&self, thing: &Thing, names: &[String], text: &str) -> Result<Thing, Unknown> {
        let Some((first, rest)) = names.split_first() else {
            return Ok(thing.clone());
        };
        let longer = |keys: &[String]| keys.iter().chain(names).cloned().collect::<Vec<_>>();
        match thing {
            Thing::Any => Ok(Thing::Any),
            Thing::Leaf => Err(Unknown::plain(format!("`{text}`: there is nothing inside of a text or a number"), None)),
            Thing::Message if first == "id" && rest.is_empty() => Ok(Thing::Leaf),
            Thing::Message => Err(Unknown::plain(format!("there is no `{text}`"), Some("there is `message.id`".to_owned()))),
            Thing::Contact(keys) => self.attribute(longer(keys), text),
            Thing::Event(keys) => self.property(longer(keys), text),
            Thing::Vars(keys) if !keys.is_empty() => Ok(Thing::Any),
            Thing::Vars(_) if self.variables.vars.contains(first) => Ok(Thing::Vars(names.to_vec())),
            Thing::Vars(_) => {
                let known: Vec<_> = self.variables.vars.iter().map(String::as_str).collect();
                let help = suggestion(first, &known, "names that a `set` step gives under `vars`");
                Err(Unknown::plain(format!("no step of the workflow sets `vars.{first}`"), help))
            }
            Thing::Top => self.top(first, rest, text),
        }
    }

    fn top(&self, first: &str, rest: &[String], text: &str) -> Result<Thing, Unknown> {
        let given = self.variables.with.contains(first) || self.needs.iter().any(|need| need == first);
        let thing = match first {
            "contact" => Thing::Contact(Vec::new()),
            "event" => Thing::Event(Vec::new()),
            "vars" => Thing::Vars(Vec::new()),
            "message" => Thing::Message,
            "unsubscribe_url" | "preferences_url" => Thing::Leaf,
            "body" | "subject" | "preheader" if self.layout => Thing::Leaf,
            _ if given => Thing::Any,
            _ => return Err(self.no_such_variable(first)),
        };
        self.inside(&thing, rest, text)
    }

    fn no_such_variable(&self, name: &str) -> Unknown {
        let layout: &[&str] = if self.layout { &LAYOUT } else { &[] };
        let given: BTreeSet<&str> = self.variables.with.iter().chain(self.needs).map(String::as_str).collect();
        let known: Vec<_> = TOP.iter().chain(layout).copied().chain(given).collect();
        let contact = self.variables.contract.contact_attribute(&[name.to_owned()]);
        let help = match contact {
            Declared::Known(_) => Some(format!("did you mean `contact.{name}`?")),
            _ => suggestion(name, &known, "variables"),
        };
        Unknown::plain(format!("there is no variable `{name}` here; give it by `with`, or name it under `needs`"), help)
    }

    fn attribute(&self, keys: Vec<String>, text: &str) -> Result<Thing, Unknown> {
        match self.variables.contract.contact_attribute(&keys) {
            Declared::Unknown(known) => {
                Err(Unknown::declared(text, &keys, "contact", "the contact schema does not declare it", &known))
            }
            _ => Ok(Thing::Contact(keys)),
        }
    }

    fn property(&self, keys: Vec<String>, text: &str) -> Result<Thing, Unknown> {
        let mut known = BTreeSet::new();
        for event in self.variables.events {
            match self.variables.contract.event_property(event, &keys) {
                Declared::Unknown(names) => known.extend(names),
                _ => return Ok(Thing::Event(keys)),
            }
        }
        if self.variables.events.is_empty() {
            return Ok(Thing::Event(keys));
        }
        let events: Vec<_> = self.variables.events.iter().map(|event| format!("`{event}`")).collect();
        let why = format!("no event that starts the run declares it ({})", events.join(", "));
        let known: Vec<_> = known.into_iter().collect();
        Err(Unknown::declared(text, &keys, "event", &why, &known))
    }
}

/// Why a name stands for nothing.
struct Unknown {
    message: String,
    help: Option<String>,
    /// The contract says so: a warning where the project's contract is open.
    by_contract: bool,
}

impl Unknown {
    fn plain(message: String, help: Option<String>) -> Unknown {
        Unknown { message, help, by_contract: false }
    }

    fn declared(text: &str, keys: &[String], root: &str, why: &str, known: &[String]) -> Unknown {
        let full = format!("{root}.{}", keys.join("."));
        let written = if text == full { format!("`{full}`") } else { format!("`{text}` (`{full}`)") };
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        let help = suggestion(keys.last().map_or("", String::as_str), &known, "names declared there");
        Unknown { message: format!("unknown {written}: {why}"), help, by_contract: true }
    }
}
