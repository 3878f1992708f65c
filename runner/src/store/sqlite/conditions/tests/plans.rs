//! How SQLite goes about the statements: by index, and through as little as the condition allows.

use std::collections::BTreeMap;

use dsl::model::{Condition, EventCondition, Fate, MessageCondition, Path, Predicate, Root};
use dsl::time::Duration;
use rusqlite::params_from_iter;

use super::settings;
use crate::state::{Contact, NewEvent};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::conditions::{Compiled, Shape};
use crate::store::{Outdated, Question, Store};

/// Somebody who did everything once, so that every name is known.
fn store() -> SqliteStore {
    let mut store = SqliteStore::in_memory().unwrap();
    store.begin().unwrap();
    let contact = store.insert_contact(&Contact::new("ada"), 0).unwrap();
    for name in ["order_completed", "message_opened"] {
        let event = NewEvent { contact, name: name.into(), at: 0, properties: Default::default(), uid: None, message: None };
        store.insert_event(&event, 0).unwrap();
    }
    store.commit().unwrap();
    store
}

fn german() -> Condition {
    let path = Path { root: Root::Contact, keys: vec!["country".into()] };
    Condition::Value { path, tests: vec![Predicate::Is("DE".into())] }
}

fn bought(least: i32) -> Condition {
    let count = Some(vec![Predicate::AtLeast(least.into())]);
    let within = Some(Duration::DAY);
    Condition::Event(EventCondition {
        name: "order_completed".into(),
        filter: None,
        count,
        aggregates: Vec::new(),
        within,
        since: None,
    })
}

fn opened() -> Condition {
    Condition::Message(MessageCondition { template: None, is: Fate::Opened, within: Some(Duration::DAY), since: None })
}

/// What SQLite says it does, line by line.
#[track_caller]
fn check(condition: &Condition, shape: Shape, expected: &[&str]) {
    let (mut store, settings, segments) = (store(), settings(), BTreeMap::new());
    let question = Question { condition, segments: &segments, settings: &settings, now: 0, outdated: Outdated::Ignore };
    let compiled = Compiled::new(&mut store, &question, shape).unwrap();
    let sql = format!("EXPLAIN QUERY PLAN SELECT c.id FROM {} WHERE {}", compiled.from, compiled.filter);
    let mut statement = store.db.conn.prepare(&sql).unwrap();
    let rows = statement.query_map(params_from_iter(&compiled.params), |row| row.get::<_, String>(3)).unwrap();
    assert_eq!(rows.map(Result::unwrap).collect::<Vec<_>>(), expected, "{sql}");
}

const LOOKED_UP: &str = "COVERING INDEX events_contact (contact=? AND name=? AND at>? AND at<?)";

#[test]
fn by_contact_each_event_is_looked_up() {
    check(
        &Condition::All(vec![bought(3), german(), opened()]),
        Shape::ByContact,
        &[
            "SCAN c",
            "CORRELATED SCALAR SUBQUERY 1",
            &format!("SEARCH e1 USING {LOOKED_UP}"),
            "CORRELATED SCALAR SUBQUERY 2",
            // The row says whether a machine opened it.
            "SEARCH e2 USING INDEX events_contact (contact=? AND name=? AND at>? AND at<?)",
        ],
    );
}

#[test]
fn what_asks_for_the_most_events_leads_to_the_contacts() {
    check(
        &Condition::All(vec![german(), bought(1), bought(3), Condition::Not(Box::new(opened()))]),
        Shape::ByEvents,
        &[
            "CO-ROUTINE driving",
            "SCAN events USING COVERING INDEX events_contact",
            "SCAN driving",
            "SEARCH c USING INTEGER PRIMARY KEY (rowid=?)",
            "CORRELATED SCALAR SUBQUERY 2",
            &format!("SEARCH e1 USING {LOOKED_UP}"),
            "CORRELATED SCALAR SUBQUERY 3",
            // The row says whether a machine opened it.
            "SEARCH e2 USING INDEX events_contact (contact=? AND name=? AND at>? AND at<?)",
        ],
    );
}

#[test]
fn without_such_a_part_the_contacts_are_gone_through() {
    let any = Condition::Any(vec![german(), bought(1)]);
    check(&any, Shape::ByEvents, &["SCAN c", "CORRELATED SCALAR SUBQUERY 1", &format!("SEARCH e1 USING {LOOKED_UP}")]);
    check(
        &Condition::Not(Box::new(bought(1))),
        Shape::ByEvents,
        &["SCAN c", "CORRELATED SCALAR SUBQUERY 1", &format!("SEARCH e1 USING {LOOKED_UP}")],
    );
}
