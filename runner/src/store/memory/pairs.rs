//! The members of a JSON object as they are kept: a fraction of what a map of them takes, with the keys as numbers.

use serde_json::{Map, Value};

use super::names::{Names, Sym};

#[derive(Clone, Default)]
pub(super) struct Pairs(Option<Box<[(Sym, Value)]>>);

impl Pairs {
    pub(super) fn new(map: &Map<String, Value>, keys: &mut Names) -> Pairs {
        if map.is_empty() {
            return Pairs(None);
        }
        Pairs(Some(map.iter().map(|(key, value)| (keys.number(key), value.clone())).collect()))
    }

    pub(super) fn map(&self, keys: &Names) -> Map<String, Value> {
        self.0.iter().flatten().map(|(key, value)| (keys.string(*key), value.clone())).collect()
    }

    pub(super) fn get(&self, keys: &Names, key: &str) -> Option<&Value> {
        let members = self.0.as_deref()?;
        let key = keys.find(key)?;
        members.iter().find(|(one, _)| *one == key).map(|(_, value)| value)
    }
}
