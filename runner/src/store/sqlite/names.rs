//! Names of steps, templates, events and the like, kept as numbers in the rows.
//!
//! A name is never removed, so what was once read stays true; only names that the open transaction made are forgotten when it is undone.

use std::collections::HashMap;
use std::sync::Arc;

use super::db::{Db, damaged};
use crate::store::Result;

#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, i64>,
    texts: HashMap<i64, Arc<str>>,
    /// Made by the open transaction.
    fresh: Vec<i64>,
}

impl Names {
    /// The name's number, if it has one.
    pub(super) fn find(&mut self, db: &Db, name: &str) -> Result<Option<i64>> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(Some(*number));
        }
        let number = db.row("look up a name", "SELECT id FROM names WHERE name = ?1", [name], |row| Ok(row.get(0)?))?;
        if let Some(number) = number {
            self.remember(number, name);
        }
        Ok(number)
    }

    /// The name's number, made if need be.
    pub(super) fn number(&mut self, db: &Db, name: &str) -> Result<i64> {
        if let Some(number) = self.find(db, name)? {
            return Ok(number);
        }
        let number = db.insert("write a name", "INSERT INTO names (name) VALUES (?1)", [name])?;
        self.remember(number, name);
        self.fresh.push(number);
        Ok(number)
    }

    pub(super) fn text(&mut self, db: &Db, number: i64) -> Result<String> {
        if let Some(text) = self.texts.get(&number) {
            return Ok(text.to_string());
        }
        let text: Option<String> =
            db.row("read a name", "SELECT name FROM names WHERE id = ?1", [number], |row| Ok(row.get(0)?))?;
        let text = text.ok_or_else(|| damaged("name", format!("number {number} has no text")))?;
        self.remember(number, &text);
        Ok(text)
    }

    pub(super) fn commit(&mut self) {
        self.fresh.clear();
    }

    pub(super) fn rollback(&mut self) {
        for number in self.fresh.drain(..) {
            if let Some(text) = self.texts.remove(&number) {
                self.numbers.remove(&text);
            }
        }
    }

    fn remember(&mut self, number: i64, name: &str) {
        let text: Arc<str> = Arc::from(name);
        self.numbers.insert(text.clone(), number);
        self.texts.insert(number, text);
    }
}
