//! What a name stands for at one place of a template: found in the way that the renderer finds it.

use std::collections::BTreeSet;

use super::Variables;
use super::syntax::VariablePath;
use super::vocabulary::suggestion;
use crate::contract::{Declared, Kinds};

/// What every message sees.
pub const TOP: [&str; 9] =
    ["contact", "event", "vars", "unsubscribe_url", "preferences_url", "confirm_url", "message", "locale", "now"];
/// What a layout sees besides.
pub const LAYOUT: [&str; 3] = ["body", "subject", "preheader"];
const LOCAL: [&str; 4] = ["index", "key", "first", "last"];

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
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

/// What one block (or the message itself) sees.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// What bare names are looked up in.
    pub base: Thing,
    /// Names that the block gives: `as |item|`, or what a partial is given.
    pub names: Vec<(String, Thing)>,
    /// Whether `@index` and the like are set.
    pub local: bool,
}

impl Frame {
    /// What a message sees outside of all blocks.
    pub fn top() -> Frame {
        Frame { base: Thing::Top, names: Vec::new(), local: false }
    }
}

/// All that can be seen from one place.
pub(super) struct Scope<'a> {
    pub variables: &'a Variables<'a>,
    /// Names that the template's front matter says `with` must give.
    pub needs: &'a [String],
    /// Whether the text is a layout, or a partial in one.
    pub layout: bool,
    /// The innermost last.
    pub frames: Vec<Frame>,
}

impl Scope<'_> {
    /// What a name stands for here, in the way that the renderer finds it.
    pub fn lookup(&self, text: &str) -> Result<Thing, Unknown> {
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
                let known = || self.variables.vars.iter().map(String::as_str).collect::<Vec<_>>();
                let what = "names that a `set` step gives under `vars`";
                let help = self.may_suggest().then(|| suggestion(first, &known(), what)).flatten();
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
            "unsubscribe_url" | "preferences_url" | "confirm_url" => Thing::Leaf,
            "locale" | "now" if !given => Thing::Leaf,
            "body" | "subject" | "preheader" if self.layout => Thing::Leaf,
            _ if given => Thing::Any,
            _ => return Err(self.no_such_variable(first)),
        };
        self.inside(&thing, rest, text)
    }

    fn no_such_variable(&self, name: &str) -> Unknown {
        let known = || {
            let layout: &[&str] = if self.layout { &LAYOUT } else { &[] };
            let given: BTreeSet<&str> = self.variables.with.iter().chain(self.needs).map(String::as_str).collect();
            TOP.iter().chain(layout).copied().chain(given).collect::<Vec<_>>()
        };
        let contact = self.variables.contract.contact_attribute_with(&[name.to_owned()], false);
        let help = match contact {
            Declared::Known(_) => Some(format!("did you mean `contact.{name}`?")),
            _ => self.may_suggest().then(|| suggestion(name, &known(), "variables")).flatten(),
        };
        Unknown::plain(format!("there is no variable `{name}` here; give it by `with`, or name it under `needs`"), help)
    }

    fn attribute(&self, keys: Vec<String>, text: &str) -> Result<Thing, Unknown> {
        let contract = self.variables.contract;
        if !matches!(contract.contact_attribute_with(&keys, false), Declared::Unknown(_)) {
            return Ok(Thing::Contact(keys));
        }
        let known = self.may_suggest().then(|| match contract.contact_attribute(&keys) {
            Declared::Unknown(names) => names,
            _ => Vec::new(),
        });
        let why = "the contact schema does not declare it";
        Err(Unknown::declared(text, &keys, "contact", why, known.as_deref()))
    }

    fn property(&self, keys: Vec<String>, text: &str) -> Result<Thing, Unknown> {
        let Variables { contract, events, .. } = self.variables;
        let unknown = |event: &String| matches!(contract.event_property_with(event, &keys, false), Declared::Unknown(_));
        if events.is_empty() || !events.iter().all(unknown) {
            return Ok(Thing::Event(keys));
        }
        let names = |event: &String| match contract.event_property(event, &keys) {
            Declared::Unknown(names) => names,
            _ => Vec::new(),
        };
        let known = self.may_suggest().then(|| events.iter().flat_map(names).collect::<BTreeSet<_>>());
        let events: Vec<_> = self.variables.events.iter().map(|event| format!("`{event}`")).collect();
        let why = format!("no event that starts the run declares it ({})", events.join(", "));
        let known: Option<Vec<_>> = known.map(|known| known.into_iter().collect());
        Err(Unknown::declared(text, &keys, "event", &why, known.as_deref()))
    }

    /// Whether one more suggestion may be made; it then counts as made.
    fn may_suggest(&self) -> bool {
        let left = self.variables.suggestions.get();
        self.variables.suggestions.set(left.saturating_sub(1));
        left > 0
    }

    /// What one round of `{{#each}}` sees.
    pub fn element(&self, list: &Thing) -> Thing {
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
}

/// Why a name stands for nothing.
pub(super) struct Unknown {
    pub message: String,
    pub help: Option<String>,
    /// The contract says so: a warning where the project's contract is open.
    pub by_contract: bool,
}

impl Unknown {
    fn plain(message: String, help: Option<String>) -> Unknown {
        Unknown { message, help, by_contract: false }
    }

    /// Without the names that are known there it is no suggestion.
    fn declared(text: &str, keys: &[String], root: &str, why: &str, known: Option<&[String]>) -> Unknown {
        let full = format!("{root}.{}", keys.join("."));
        let written = if text == full { format!("`{full}`") } else { format!("`{text}` (`{full}`)") };
        let help = known.and_then(|known| {
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            suggestion(keys.last().map_or("", String::as_str), &known, "names declared there")
        });
        Unknown { message: format!("unknown {written}: {why}"), help, by_contract: true }
    }
}
