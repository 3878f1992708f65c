//! Names of steps, templates, events and the like, kept as numbers in the rows.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

/// The number of a name, in the order in which names were first heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Sym(NonZeroU32);

impl Sym {
    /// The lowest and the highest there may be.
    pub(super) const FIRST: Sym = Sym(NonZeroU32::MIN);
    pub(super) const LAST: Sym = Sym(NonZeroU32::MAX);

    pub(super) fn number(self) -> u32 {
        self.0.get()
    }
}

#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, Sym>,
    texts: Vec<Arc<str>>,
    /// How many there were when the transaction began.
    kept: usize,
}

impl Names {
    /// The name's number, if it has one.
    pub(super) fn find(&self, name: &str) -> Option<Sym> {
        self.numbers.get(name).copied()
    }

    /// The name's number, made if need be.
    pub(super) fn number(&mut self, name: &str) -> Sym {
        if let Some(number) = self.find(name) {
            return number;
        }
        // As many names as four bytes can count do not fit into memory.
        let number = Sym(NonZeroU32::MIN.saturating_add(self.texts.len() as u32));
        let text: Arc<str> = Arc::from(name);
        self.numbers.insert(text.clone(), number);
        self.texts.push(text);
        number
    }

    pub(super) fn text(&self, name: Sym) -> &Arc<str> {
        &self.texts[name.number() as usize - 1]
    }

    pub(super) fn string(&self, name: Sym) -> String {
        self.text(name).to_string()
    }

    /// In the order in which they were first heard of.
    pub(super) fn all(&self) -> impl Iterator<Item = (Sym, &str)> {
        let numbers = (1..).filter_map(NonZeroU32::new).map(Sym);
        numbers.zip(self.texts.iter().map(|text| &**text))
    }

    pub(super) fn commit(&mut self) {
        self.kept = self.texts.len();
    }

    /// Names of the undone transaction are forgotten, so that the numbers do not tell of it.
    pub(super) fn rollback(&mut self) {
        for text in self.texts.drain(self.kept..) {
            self.numbers.remove(&text);
        }
    }
}
