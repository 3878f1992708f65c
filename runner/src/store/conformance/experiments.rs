//! Experiments: who was given what, what came of it, who won; and what became of messages.

use std::collections::BTreeMap;

use dsl::model::{Fate, Metric};
use serde_json::json;

use super::*;
use crate::experiment::{Looks, Method};

pub(super) fn assignments(store: &mut dyn Store) {
    let (ada, welcome, other) = (new_contact(store, "ada"), new_workflow(store, "welcome"), new_workflow(store, "other"));
    assert_eq!(store.assignment(welcome, "split", ada).unwrap(), None);
    let first = an_assignment(ada, welcome, "split", "a");
    let second = Assignment { measured: Some(Measured::new(RunId(2), None)), ..an_assignment(ada, other, "split", "b") };
    within(store, |store| {
        store.assign(&first).unwrap();
        store.assign(&second).unwrap();
    });
    let given = |store: &mut dyn Store, workflow, experiment, contact| store.assignment(workflow, experiment, contact).unwrap();
    assert_eq!(given(store, welcome, "split", ada).as_deref(), Some("a"));
    assert_eq!(given(store, other, "split", ada).as_deref(), Some("b"));
    assert_eq!(given(store, welcome, "split-2", ada), None);
    assert_eq!(given(store, welcome, "split", ContactId(99)), None);
    let third = Assignment { measured: None, variant: "c".to_owned(), ..first };
    within(store, |store| store.assign(&third).unwrap());
    assert_eq!(given(store, welcome, "split", ada).as_deref(), Some("c"));
    assert_eq!(store.assignments_of(ada).unwrap(), [third, second]);
    assert_eq!(store.assignments_of(ContactId(99)).unwrap(), []);
}

/// Assigned, opened, clicked, goals and what they were worth, by variant.
fn counted(store: &mut dyn Store, workflow: WorkflowId) -> BTreeMap<String, (u64, u64, u64, u64, f64)> {
    let counts = store.variant_counts(Some(workflow)).unwrap();
    counts.into_iter().map(|one| (one.variant, (one.assigned, one.opened, one.clicked, one.goals, one.value))).collect()
}

pub(super) fn counted_once(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    let (ada, bob) = (new_contact(store, "ada"), new_contact(store, "bob"));
    let given = an_assignment(ada, workflow, "split", "a");
    let unmeasured = Assignment { measured: None, ..an_assignment(bob, workflow, "split", "a") };
    within(store, |store| {
        store.assign(&given).unwrap();
        store.assign(&unmeasured).unwrap();
        assert!(store.reached(&given, Metric::Opened, T + 1, None).unwrap());
        assert!(!store.reached(&given, Metric::Opened, T + 2, None).unwrap());
        assert!(store.reached(&given, Metric::Clicked, T + 3, None).unwrap());
        assert!(store.reached(&given, Metric::Goal, T + 4, Some(12.5)).unwrap());
        assert!(!store.reached(&given, Metric::Goal, T + 5, Some(99.0)).unwrap());
        assert!(!store.reached(&unmeasured, Metric::Goal, T + 5, None).unwrap());
        // Of another run than the one that was given it nothing counts.
        let other = Assignment { measured: Some(Measured::new(RunId(7), None)), ..given.clone() };
        assert!(!store.reached(&other, Metric::Goal, T + 5, None).unwrap());
    });
    let measured = store.assignments_of(ada).unwrap()[0].measured.unwrap();
    let times = [Metric::Opened, Metric::Clicked, Metric::Goal].map(|metric| measured.reached(metric));
    assert_eq!((times, measured.value), ([Some(T + 1), Some(T + 3), Some(T + 4)], Some(12.5)));
    let expected = BTreeMap::from([("a".to_owned(), (1, 1, 1, 1, 12.5))]);
    assert_eq!(counted(store, workflow), expected);
    store.begin().unwrap();
    store.assign(&an_assignment(bob, workflow, "split", "a")).unwrap();
    store.rollback();
    // Who is erased was there all the same.
    within(store, |store| store.erase_contact(ada, T).unwrap());
    assert_eq!(counted(store, workflow), expected);
    assert_eq!(store.assignments_of(ada).unwrap(), []);
    assert_eq!(store.variant_counts(None).unwrap().len(), 1);
    assert_eq!(store.variant_counts(Some(WorkflowId(99))).unwrap(), []);
}

/// Two contacts in an experiment turn out to be one person.
pub(super) fn counted_once_a_person(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    let (anonymous, ada) = (new_contact(store, "anon"), new_contact(store, "ada"));
    let gone = an_assignment(anonymous, workflow, "split", "b");
    let moves = an_assignment(anonymous, workflow, "layout", "wide");
    let stays = an_assignment(ada, workflow, "split", "a");
    within(store, |store| {
        for assignment in [&gone, &moves, &stays] {
            store.assign(assignment).unwrap();
            store.reached(assignment, Metric::Clicked, T, None).unwrap();
            store.reached(assignment, Metric::Goal, T, Some(5.0)).unwrap();
        }
        store.join_contacts(anonymous, ada).unwrap();
    });
    let once = (1, 0, 1, 1, 5.0);
    let expected = [("a", once), ("b", (0, 0, 0, 0, 0.0)), ("wide", once)].map(|(variant, counts)| (variant.to_owned(), counts));
    assert_eq!(counted(store, workflow), BTreeMap::from(expected));
    assert_eq!(store.assignments_of(ada).unwrap().len(), 2);
}

pub(super) fn contests(store: &mut dyn Store) {
    let (welcome, other) = (new_workflow(store, "welcome"), new_workflow(store, "other"));
    assert_eq!(store.contest(welcome, "split").unwrap(), None);
    let open = Contest {
        workflow: welcome,
        experiment: "split".to_owned(),
        metric: Metric::Clicked,
        looks: Looks { taken: 2, did: 12, spent: 0.5 },
        winner: None,
    };
    let won = Won {
        variant: "a".to_owned(),
        at: T,
        metric: Metric::Goal,
        figures: vec![Figure { variant: "a".to_owned(), assigned: 500, reached: 30 }],
        p: 0.001,
        method: Method::ZTest,
        needed: 0.02,
    };
    let over = Contest { workflow: other, metric: Metric::Goal, winner: Some(won), ..open.clone() };
    within(store, |store| {
        store.set_contest(&Contest { looks: Looks::default(), metric: Metric::Opened, ..open.clone() }).unwrap();
        store.set_contest(&over).unwrap();
        store.set_contest(&open).unwrap();
    });
    assert_eq!(store.contest(welcome, "split").unwrap().as_ref(), Some(&open));
    assert_eq!(store.contests().unwrap(), [open, over.clone()]);
    within(store, |store| {
        store.drop_contest(welcome, "split").unwrap();
        store.drop_contest(welcome, "no such").unwrap();
    });
    assert_eq!(store.contests().unwrap(), [over]);
}

pub(super) fn goal_values(store: &mut dyn Store) {
    let (welcome, other) = (new_workflow(store, "welcome"), new_workflow(store, "other"));
    within(store, |store| {
        for (workflow, value) in [(welcome, 1.5), (other, 4.0), (welcome, 2.0)] {
            store.add_goal_value(workflow, value).unwrap();
        }
    });
    assert_eq!(store.goal_values().unwrap(), [(welcome, 3.5), (other, 4.0)]);
}

pub(super) fn message_figures(store: &mut dyn Store) {
    let (ada, welcome, other) = (new_contact(store, "ada"), new_workflow(store, "welcome"), new_workflow(store, "other"));
    let run = new_run(store, &a_run(ada, welcome, ""));
    let elsewhere = new_run(store, &a_run(ada, other, ""));
    let sent = Message { status: MessageStatus::Sent, ..a_message(&run, "hello") };
    let skipped = Message { status: MessageStatus::Skipped, error: Some("capped".to_owned()), ..a_message(&run, "hello") };
    let (one, two) = (new_message(store, &sent).id, new_message(store, &sent).id);
    new_message(store, &skipped);
    new_message(store, &Message { error: None, ..skipped });
    new_message(store, &Message { channel: CALLS.to_owned(), ..sent.clone() });
    new_message(store, &Message { run: elsewhere.id, workflow: other, step: "send-x".to_owned(), ..a_message(&run, "x") });
    let said = |message: MessageId, source: &str| map(json!({ "topic": "all", "message": message.0, "source": source }));
    within(store, |store| {
        for (name, message, properties) in [
            ("message_opened", Some(one), map(json!({}))),
            ("message_opened", Some(one), map(json!({}))),
            ("message_opened", Some(two), map(json!({ "machine": true }))),
            ("message_clicked", Some(two), map(json!({ "machine": false }))),
            ("message_clicked", None, map(json!({}))),
            ("unsubscribed", None, said(two, "page")),
            ("unsubscribed", None, said(one, "complaint")),
            ("unsubscribed", None, map(json!({ "topic": "all" }))),
        ] {
            store.insert_event(&NewEvent { message, properties, ..an_event(ada, name, T) }, T).unwrap();
        }
    });
    let all = store.message_figures(None).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(
        all[0],
        MessageFigures {
            workflow: welcome,
            step: "send-hello".to_owned(),
            template: "hello".to_owned(),
            by_status: BTreeMap::from([(MessageStatus::Sent, 2), (MessageStatus::Skipped, 2)]),
            skipped: BTreeMap::from([("capped".to_owned(), 1), ("erased".to_owned(), 1)]),
            fates: BTreeMap::from([(Fate::Opened, 1), (Fate::Clicked, 1)]),
            unsubscribed: 1,
        }
    );
    assert_eq!(all[1].by_status, BTreeMap::from([(MessageStatus::Queued, 1)]));
    assert_eq!(store.message_figures(Some(other)).unwrap(), all[1..]);
}
