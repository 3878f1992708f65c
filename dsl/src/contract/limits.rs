//! Which values the contract leaves open at a place: listed ones, or numbers between two limits.

use serde_json::Value;

use super::Contract;
use super::schema::Schema;
use crate::model::{Trait, TraitFunction};

/// What a value can be, as far as it is known; the default knows nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// It is one of these.
    pub values: Option<Vec<Value>>,
    /// A number is not below it, nor at it where it is not included.
    pub low: Option<(f64, bool)>,
    /// A number is not above it, nor at it where it is not included.
    pub high: Option<(f64, bool)>,
    /// A number is a whole one.
    pub whole: bool,
}

impl Contract {
    /// What the contact schema says of the values at `contact.KEYS`. Of traits it says nothing.
    pub fn contact_limits(&self, keys: &[String]) -> Limits {
        self.contact.as_ref().map_or_else(Limits::default, |schema| schema.limits(keys))
    }

    /// The same of `event.KEYS` for this event.
    pub fn event_limits(&self, event: &str, keys: &[String]) -> Limits {
        self.events.get(event).map_or_else(Limits::default, |schema| schema.limits(keys))
    }

    /// What the schema of contacts, or of this event, has against a value there (or, `in_list`, in a list there), in words; `None` as well where it says
    /// nothing of the place.
    pub(crate) fn fault(&self, event: Option<&str>, keys: &[String], value: &Value, in_list: bool) -> Option<String> {
        match event {
            None => self.contact.as_ref()?.fault(keys, value, in_list),
            Some(event) => self.events.get(event)?.fault(keys, value, in_list),
        }
    }

    /// How much there is to look through for each value of a contact, or of this event.
    pub(crate) fn width(&self, event: Option<&str>, keys: &[String]) -> usize {
        match event {
            None => self.contact.as_ref().map_or(1, |schema| schema.width(keys)),
            Some(event) => self.events.get(event).map_or(1, |schema| schema.width(keys)),
        }
    }

    /// What is known of `contact.NAME` where that is a trait which was read: its limits, and whether everybody has it.
    pub fn trait_limits(&self, keys: &[String]) -> Option<(Limits, bool)> {
        let definition = self.traits.known.get(keys.first().filter(|_| keys.len() == 1)?)?.as_ref()?;
        Some(match definition {
            Trait::Events(events) => match events.function {
                TraitFunction::Count => (Limits { low: Some((0.0, true)), whole: true, ..Limits::default() }, true),
                TraitFunction::Sum => (Limits::default(), true),
                _ => (Limits::default(), false),
            },
            Trait::Score { .. } => (Limits::default(), true),
            Trait::Rank { into, .. } => {
                let (low, high) = (Some((1.0, true)), Some((f64::from(*into), true)));
                (Limits { low, high, whole: true, values: None }, false)
            }
            Trait::Tier { by, tiers } => {
                // A number of events always reaches a tier that begins at 0.
                let counted = by.keys.first().and_then(|name| self.traits.known.get(name)?.as_ref());
                let count = |of: &Trait| matches!(of, Trait::Events(events) if events.function == TraitFunction::Count);
                let always = counted.is_some_and(count) && tiers.last().is_some_and(|(_, least)| *least <= 0.0);
                (listed(tiers.iter().map(|(name, _)| name)), always)
            }
            Trait::FirstMatch { cases, otherwise } => {
                (listed(cases.iter().map(|(name, _)| name).chain(otherwise)), otherwise.is_some())
            }
        })
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> Limits {
    Limits { values: Some(names.map(|name| Value::String(name.clone())).collect()), ..Limits::default() }
}

impl Schema {
    /// What is said of this very place; what other parts of the schema add is not looked for.
    pub(super) fn limits(&self, keys: &[String]) -> Limits {
        let Some(node) = self.node(keys) else { return Limits::default() };
        let number = |key: &str| node.get(key).and_then(Value::as_f64);
        let tighter = |included: Option<f64>, excluded: Option<f64>, is_tighter: fn(f64, f64) -> bool| match (included, excluded)
        {
            (Some(with), Some(without)) if is_tighter(with, without) => Some((with, true)),
            (_, Some(without)) => Some((without, false)),
            (with, None) => with.map(|at| (at, true)),
        };
        let listed = node.get("const").map(|only| vec![only.clone()]);
        Limits {
            values: listed.or_else(|| node.get("enum").and_then(Value::as_array).cloned()),
            low: tighter(number("minimum"), number("exclusiveMinimum"), |with, without| with > without),
            high: tighter(number("maximum"), number("exclusiveMaximum"), |with, without| with < without),
            whole: node.get("type").is_some_and(is_whole),
        }
    }
}

/// Whether the only numbers of these types are whole ones.
fn is_whole(types: &Value) -> bool {
    let named = |name: &str| match types {
        Value::String(only) => only == name,
        Value::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    };
    named("integer") && !named("number")
}
