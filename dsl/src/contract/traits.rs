//! What the contract knows of traits: values under `contact` that no schema declares.

use std::collections::BTreeMap;

use super::{Contract, Declared, Kinds};
use crate::model::{EventsTrait, Path, Trait, TraitFunction};

const NUMBER: Kinds = Kinds { text: false, number: true, boolean: false, list: false, object: false, date: false };
const TEXT: Kinds = Kinds { text: true, number: false, boolean: false, list: false, object: false, date: false };
const DATE: Kinds = Kinds { date: true, ..TEXT };

#[derive(Debug, Default)]
pub(super) struct Traits {
    /// By name; `None`: set aside, nothing is known of it.
    pub known: BTreeMap<String, Option<Trait>>,
    /// There are more that nobody could read.
    pub more: bool,
}

impl Traits {
    /// Whether every contact has a value there; `None` if the keys name no trait. Of one that was set aside nothing is asked.
    pub fn always_has(&self, keys: &[String]) -> Option<bool> {
        let definition = self.known.get(keys.first()?)?;
        Some(definition.as_ref().is_none_or(|definition| match definition {
            Trait::Events(events) => matches!(events.function, TraitFunction::Sum | TraitFunction::Count),
            Trait::Score { .. } => true,
            Trait::FirstMatch { otherwise, .. } => otherwise.is_some(),
            Trait::Rank { .. } | Trait::Tier { .. } => false,
        }))
    }
}

/// The event and the property whose very value the trait shows.
pub(super) fn shows(definition: &Trait) -> Option<(&str, &Path)> {
    match definition {
        Trait::Events(EventsTrait { function, event, of: Some(of), .. }) => match function {
            TraitFunction::First | TraitFunction::Last | TraitFunction::Min | TraitFunction::Max => Some((event, of)),
            TraitFunction::Sum | TraitFunction::Avg | TraitFunction::Count => None,
        },
        _ => None,
    }
}

impl Contract {
    /// What is known of `contact.KEYS` if they lead to a trait: a plain value, inside of which there is nothing.
    pub(super) fn trait_value(&self, keys: &[String]) -> Option<Declared> {
        let (name, rest) = keys.split_first()?;
        let Some(definition) = self.traits.known.get(name)? else {
            return Some(Declared::Open);
        };
        if !rest.is_empty() {
            return Some(Declared::Unknown(Vec::new()));
        }
        let kinds = match definition {
            Trait::Events(EventsTrait { function: TraitFunction::First | TraitFunction::Last, event, of, .. }) => match of {
                Some(of) => return Some(self.event_property(event, &of.keys)),
                None => DATE,
            },
            Trait::Events(_) | Trait::Score { .. } | Trait::Rank { .. } => NUMBER,
            Trait::Tier { .. } | Trait::FirstMatch { .. } => TEXT,
        };
        Some(Declared::Known(kinds))
    }
}
