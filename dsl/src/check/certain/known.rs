//! What is known of values before they are tested: by the data contract, and of traits by how they come about.

use std::rc::Rc;

use super::Certain;
use super::value::Known;
use crate::contract::{CONTACT_FIELDS, Declared, Kinds};
use crate::model::{InvalidData, Path, Root};

impl<'a> Certain<'_, 'a> {
    /// `event`: the one that `event.*` is about.
    pub(super) fn known(&self, path: &'a Path, event: Option<&'a str>) -> Rc<Known> {
        let key = (path, event);
        if let Some(known) = self.known.borrow().get(&key) {
            return Rc::clone(known);
        }
        let known = Rc::new(match path.root {
            Root::Contact => self.of_contact(&path.keys),
            Root::Event => event.map_or_else(Known::default, |event| self.of_event(event, &path.keys)),
            Root::Vars => Known::default(),
        });
        self.known.borrow_mut().insert(key, Rc::clone(&known));
        known
    }

    /// Whether what breaks the contract is left out, so that what it says holds of what there is.
    fn holds(&self) -> bool {
        self.project.settings.is_some_and(|settings| settings.invalid_data == InvalidData::Reject)
    }

    /// A contact that only an event brought has nothing but its id, whatever the contract requires.
    fn of_contact(&self, keys: &[String]) -> Known {
        let contract = self.project.contract;
        let Some(name) = keys.first() else { return Known::default() };
        if contract.is_trait(name) {
            let Some((limits, always)) = contract.trait_limits(keys) else { return Known::default() };
            return Known { always, kinds: kinds(contract.contact_attribute(keys)), limits };
        }
        if CONTACT_FIELDS.contains(&name.as_str()) {
            let always = keys.len() == 1 && matches!(name.as_str(), "id" | "topics");
            return Known { always, ..Known::default() };
        }
        if !self.holds() {
            return Known::default();
        }
        Known { always: false, kinds: kinds(contract.contact_attribute(keys)), limits: contract.contact_limits(keys) }
    }

    fn of_event(&self, event: &str, keys: &[String]) -> Known {
        if !self.holds() {
            return Known::default();
        }
        let contract = self.project.contract;
        Known {
            always: contract.event_always_has(event, keys),
            kinds: kinds(contract.event_property(event, keys)),
            limits: contract.event_limits(event, keys),
        }
    }
}

/// What a value can be; `None` if anything.
fn kinds(declared: Declared) -> Option<Kinds> {
    match declared {
        Declared::Known(kinds) if kinds != Kinds::default() => Some(kinds),
        _ => None,
    }
}
