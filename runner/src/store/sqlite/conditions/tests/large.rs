//! Conditions beyond what one statement takes: many parts, deep ones, long lists, segments that fan out.

use std::collections::BTreeMap;

use dsl::model::{Condition, EventCondition, Path, Predicate, Root};
use serde_json::{Map, Value, json};

use super::settings;
use super::world::{Past, Person, Store20};
use crate::state::{Consent, ContactId};
use crate::store::{Outdated, Question};

/// Ten contacts; number N has `n: N` and did `bought` N times.
fn ten() -> Store20 {
    let person = |number: i64| Person {
        attributes: [("n".to_owned(), json!(number)), ("t".to_owned(), json!(format!("t{number}")))]
            .into_iter()
            .collect::<Map<_, _>>(),
        time_zone: None,
        email: None,
        phone: None,
        locale: None,
        consent: Consent::default(),
        erased: false,
        version: 0,
        recheck: None,
        traits: None,
        lists: Vec::new(),
        past: Past { events: (0..number).map(|at| ("bought".to_owned(), at, json!({}))).collect(), ..Past::default() },
    };
    Store20::new(&(0..10).map(person).collect::<Vec<_>>())
}

fn value(key: &str, test: Predicate) -> Condition {
    Condition::Value { path: Path { root: Root::Contact, keys: vec![key.to_owned()] }, tests: vec![test] }
}

fn bought(least: i32) -> Condition {
    let count = Some(vec![Predicate::AtLeast(least.into())]);
    Condition::Event(EventCondition {
        name: "bought".into(),
        filter: None,
        count,
        aggregates: Vec::new(),
        within: None,
        since: None,
    })
}

/// The contacts found are these, by their numbers, and those that the check in memory finds.
#[track_caller]
fn check(condition: &Condition, segments: &BTreeMap<String, Condition>, expected: &[i64]) {
    let (mut store, settings) = (ten(), settings());
    let question = Question { condition, segments, settings: &settings, now: 100, outdated: Outdated::Ignore };
    let expected: Vec<ContactId> = expected.iter().map(|number| ContactId(number + 1)).collect();
    assert_eq!(store.found(&question), expected);
    assert_eq!(store.found_in_pages(&question, 4), expected);
    assert_eq!(store.counted(&question), expected.len() as u64);
    assert_eq!(store.expected(&question), expected);
}

#[test]
fn many_parts() {
    for many in [450, 1_500] {
        let ones = || (0..many).map(|_| bought(1));
        check(&Condition::All(ones().chain([value("n", Predicate::Above(7.0))]).collect()), &BTreeMap::new(), &[8, 9]);
        check(
            &Condition::Any(ones().chain([value("n", Predicate::Is(0.into()))]).collect()),
            &BTreeMap::new(),
            &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        );
        check(&Condition::None(ones().collect()), &BTreeMap::new(), &[0]);
        let filtered = Condition::All((0..many).map(|_| value("n", Predicate::Above(7.0))).collect());
        check(&filtered, &BTreeMap::new(), &[8, 9]);
    }
}

#[test]
fn deep_ones() {
    for deep in [30, 200, 255, 256, 300] {
        let not = (0..deep).fold(bought(8), |inner, _| Condition::Not(Box::new(inner)));
        let all = (0..deep).fold(bought(8), |inner, _| Condition::All(vec![inner]));
        // What lies deeper than anybody looks does not hold.
        let (seen, even) = (deep < 256, deep % 2 == 0);
        let expected: &[i64] = match (seen, even) {
            (true, true) => &[8, 9],
            (true, false) => &[0, 1, 2, 3, 4, 5, 6, 7],
            (false, true) => &[],
            (false, false) => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        };
        check(&not, &BTreeMap::new(), expected);
        check(&all, &BTreeMap::new(), if seen { &[8, 9] } else { &[] });
    }
}

#[test]
fn long_lists() {
    for long in [900_i64, 40_000] {
        let texts = (9..long).map(|number| Value::from(format!("t{number}"))).collect();
        check(&value("t", Predicate::OneOf(texts)), &BTreeMap::new(), &[9]);
        let numbers = (8..long).map(Value::from).collect();
        check(&value("n", Predicate::OneOf(numbers)), &BTreeMap::new(), &[8, 9]);
    }
    let lists = (0..60).map(|_| value("t", Predicate::OneOf((8..900).map(|number| Value::from(format!("t{number}"))).collect())));
    check(&Condition::All(lists.collect()), &BTreeMap::new(), &[8, 9]);
}

#[test]
fn segments_that_fan_out_and_turn_back() {
    let segment = |number: usize| Condition::Segment(format!("s{number}"));
    let fan = |number: usize| (format!("s{number}"), Condition::All(vec![segment(number + 1), segment(number + 1)]));
    let mut segments: BTreeMap<String, Condition> = (0..11).map(fan).collect();
    segments.insert("s11".to_owned(), bought(9));
    check(&segment(0), &segments, &[9]);
    segments.extend((11..38).map(fan));
    segments.insert("s38".to_owned(), bought(99));
    check(&segment(0), &segments, &[]);
    // Nobody is in what needs itself.
    segments.insert("s11".to_owned(), segment(0));
    check(&segment(0), &segments, &[]);
    check(&Condition::Not(Box::new(segment(0))), &segments, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}
