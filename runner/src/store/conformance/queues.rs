//! What is due when.

use std::collections::BTreeSet;

use super::*;

/// A workflow and a contact with a run for each due time.
fn runs(store: &mut dyn Store, due: &[Option<i64>]) -> (WorkflowId, Vec<Run>) {
    let workflow = new_workflow(store, "welcome");
    let contact = new_contact(store, "ada");
    let run = |(number, due): (usize, &Option<i64>)| Run { due: *due, ..a_run(contact, workflow, &number.to_string()) };
    let runs: Vec<Run> = due.iter().enumerate().map(run).collect();
    (workflow, runs.iter().map(|run| new_run(store, run)).collect())
}

fn check_runs(store: &mut dyn Store, runs: &[Run], now: i64, limit: usize, expected: &[usize], next: Option<i64>) {
    let expected: Vec<RunId> = expected.iter().map(|number| runs[*number].id).collect();
    assert_eq!(store.due_runs(now, limit).unwrap(), expected, "due at {now}");
    assert_eq!(store.next_due_run().unwrap(), next);
}

pub(super) fn runs_due(store: &mut dyn Store) {
    assert_eq!(store.next_due_run().unwrap(), None);
    let (_, runs) = runs(store, &[Some(30), Some(10), None, Some(20), Some(20)]);
    check_runs(store, &runs, 9, 9, &[], Some(10));
    check_runs(store, &runs, 10, 9, &[1], Some(10));
    check_runs(store, &runs, 99, 9, &[1, 3, 4, 0], Some(10));
    check_runs(store, &runs, 99, 2, &[1, 3], Some(10));
    let with_due = |number: usize, due| Run { due, ..runs[number].clone() };
    within(store, |store| store.update_run(&with_due(1, Some(40))).unwrap());
    check_runs(store, &runs, 99, 9, &[3, 4, 0, 1], Some(20));
    within(store, |store| store.update_run(&with_due(2, Some(5))).unwrap());
    check_runs(store, &runs, 99, 9, &[2, 3, 4, 0, 1], Some(5));
    within(store, |store| store.update_run(&with_due(2, None)).unwrap());
    // What a transaction changed it sees itself, also when it changes it twice.
    within(store, |store| {
        store.update_run(&with_due(3, Some(1))).unwrap();
        check_runs(store, &runs, 99, 9, &[3, 4, 0, 1], Some(1));
        store.update_run(&with_due(3, Some(50))).unwrap();
        let read = store.run(runs[0].id).unwrap().unwrap();
        store.update_run(&Run { due: Some(60), ..read }).unwrap();
    });
    check_runs(store, &runs, 99, 9, &[4, 1, 3, 0], Some(20));
    // An ended run is not due, whatever it says.
    within(store, |store| store.update_run(&ended(&with_due(4, Some(20)), T, EndReason::Completed)).unwrap());
    check_runs(store, &runs, 99, 9, &[1, 3, 0], Some(40));
}

pub(super) fn runs_park(store: &mut dyn Store) {
    let (workflow, runs) = runs(store, &[Some(10), Some(20), Some(30), None]);
    let other = new_workflow(store, "other");
    within(store, |store| {
        for run in [&runs[0], &runs[1], &runs[3]] {
            store.park_run(run.id).unwrap();
        }
    });
    check_runs(store, &runs, 99, 9, &[2], Some(30));
    within(store, |store| store.unpark(other).unwrap());
    check_runs(store, &runs, 99, 9, &[2], Some(30));
    within(store, |store| store.unpark(workflow).unwrap());
    check_runs(store, &runs, 99, 9, &[0, 1, 2], Some(10));
    // What ended while it was parked stays away, and an update makes due again.
    within(store, |store| {
        store.park_run(runs[0].id).unwrap();
        store.park_run(runs[1].id).unwrap();
    });
    within(store, |store| store.update_run(&ended(&runs[0], T, EndReason::Goal)).unwrap());
    within(store, |store| store.update_run(&runs[1]).unwrap());
    check_runs(store, &runs, 99, 9, &[1, 2], Some(20));
    within(store, |store| store.unpark(workflow).unwrap());
    check_runs(store, &runs, 99, 9, &[1, 2], Some(20));
}

/// Queued messages: channel and due time.
fn messages(store: &mut dyn Store, places: &[(&str, i64)]) -> (WorkflowId, Vec<Message>) {
    let (workflow, runs) = runs(store, &[None]);
    let message =
        |(channel, due): &(&str, i64)| Message { channel: (*channel).to_owned(), due: *due, ..a_message(&runs[0], "hello") };
    (workflow, places.iter().map(message).map(|message| new_message(store, &message)).collect())
}

fn check_messages(store: &mut dyn Store, all: &[Message], channel: &str, now: i64, expected: &[usize], next: Option<i64>) {
    let expected: Vec<MessageId> = expected.iter().map(|number| all[*number].id).collect();
    assert_eq!(store.due_messages(channel, now, 9).unwrap(), expected, "{channel} at {now}");
    assert_eq!(store.next_due_message(channel).unwrap(), next, "{channel}");
}

pub(super) fn messages_due_by_channel(store: &mut dyn Store) {
    let (_, all) = messages(store, &[("email", 20), ("sms", 15), ("email", 10), ("email", 20)]);
    check_messages(store, &all, "email", 9, &[], Some(10));
    check_messages(store, &all, "email", 10, &[2], Some(10));
    check_messages(store, &all, "email", 99, &[2, 0, 3], Some(10));
    check_messages(store, &all, "sms", 99, &[1], Some(15));
    check_messages(store, &all, "push", 99, &[], None);
    assert_eq!(store.due_messages("email", 99, 1).unwrap(), [all[2].id]);
    within(store, |store| {
        let sending = Message { status: MessageStatus::Sending, ..all[2].clone() };
        store.update_message(&sending).unwrap();
        check_messages(store, &all, "email", 99, &[0, 3], Some(20));
        store.update_message(&Message { status: MessageStatus::Queued, due: 30, ..sending }).unwrap();
    });
    check_messages(store, &all, "email", 99, &[0, 3, 2], Some(20));
    within(store, |store| store.update_message(&Message { due: 40, ..all[0].clone() }).unwrap());
    check_messages(store, &all, "email", 99, &[3, 2, 0], Some(20));
    within(store, |store| {
        for message in [&all[0], &all[2], &all[3]] {
            store.update_message(&Message { status: MessageStatus::Skipped, ..message.clone() }).unwrap();
        }
    });
    check_messages(store, &all, "email", 99, &[], None);
}

pub(super) fn messages_park(store: &mut dyn Store) {
    let (workflow, all) = messages(store, &[("email", 10), ("sms", 20), ("email", 30)]);
    within(store, |store| {
        store.park_message(all[0].id).unwrap();
        store.park_message(all[1].id).unwrap();
    });
    check_messages(store, &all, "email", 99, &[2], Some(30));
    check_messages(store, &all, "sms", 99, &[], None);
    within(store, |store| store.unpark(WorkflowId(workflow.0 + 1)).unwrap());
    check_messages(store, &all, "sms", 99, &[], None);
    within(store, |store| store.unpark(workflow).unwrap());
    check_messages(store, &all, "email", 99, &[0, 2], Some(10));
    check_messages(store, &all, "sms", 99, &[1], Some(20));
}

pub(super) fn rolled_back(store: &mut dyn Store) {
    let (workflow, runs) = runs(store, &[Some(10), Some(20)]);
    let first = new_message(store, &Message { due: 10, ..a_message(&runs[0], "hello") });
    store.begin().unwrap();
    store.update_run(&Run { due: Some(5), ..runs[1].clone() }).unwrap();
    store.update_run(&Run { due: Some(6), ..runs[1].clone() }).unwrap();
    store.update_run(&ended(&runs[0], T, EndReason::Completed)).unwrap();
    store.insert_run(&Run { due: Some(1), ..a_run(runs[0].contact, workflow, "new") }).unwrap();
    store.insert_message(&Message { due: 1, channel: "new".to_owned(), ..first.clone() }).unwrap();
    store.update_message(&Message { status: MessageStatus::Sending, ..first.clone() }).unwrap();
    store.rollback();
    check_runs(store, &runs, 99, 9, &[0, 1], Some(10));
    check_messages(store, std::slice::from_ref(&first), "email", 99, &[0], Some(10));
    check_messages(store, &[], "new", 99, &[], None);
    // What was read before the transaction was undone does not mislead a later change.
    within(store, |store| store.update_run(&Run { due: Some(30), ..runs[0].clone() }).unwrap());
    check_runs(store, &runs, 99, 9, &[1, 0], Some(20));
}

pub(super) fn parking_rolled_back(store: &mut dyn Store) {
    let (workflow, runs) = runs(store, &[Some(10), Some(20)]);
    within(store, |store| store.park_run(runs[0].id).unwrap());
    store.begin().unwrap();
    store.park_run(runs[1].id).unwrap();
    store.rollback();
    check_runs(store, &runs, 99, 9, &[1], Some(20));
    store.begin().unwrap();
    store.unpark(workflow).unwrap();
    store.rollback();
    check_runs(store, &runs, 99, 9, &[1], Some(20));
}

pub(super) fn due_count(store: &mut dyn Store) {
    assert_eq!(store.due_count(i64::MAX).unwrap(), (0, None));
    let (_, runs) = runs(store, &[Some(10), Some(20), None, Some(5)]);
    new_message(store, &Message { due: 15, ..a_message(&runs[0], "hello") });
    new_message(store, &Message { due: 2, status: MessageStatus::Sent, ..a_message(&runs[0], "hello") });
    within(store, |store| store.update_run(&ended(&runs[3], T, EndReason::Completed)).unwrap());
    for (now, expected) in [(9, (0, None)), (10, (1, Some(10))), (15, (2, Some(10))), (20, (3, Some(10)))] {
        assert_eq!(store.due_count(now).unwrap(), expected, "by {now}");
    }
}

/// Many changes in no particular order, some undone: the queue always equals a list made from them.
pub(super) fn like_a_plain_list(store: &mut dyn Store) {
    let (_, runs) = runs(store, &[None; 20]);
    let mut truth: Vec<Option<i64>> = vec![None; runs.len()];
    let mut seed = 1u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..300 {
        let mut changed = truth.clone();
        store.begin().unwrap();
        for _ in 0..draw(6) {
            let number = draw(20) as usize;
            let due = (draw(4) > 0).then(|| draw(50) as i64);
            let run = if draw(2) == 0 { runs[number].clone() } else { store.run(runs[number].id).unwrap().unwrap() };
            store.update_run(&Run { due, ..run }).unwrap();
            changed[number] = due;
        }
        if draw(3) == 0 {
            store.rollback();
        } else {
            store.commit().unwrap();
            truth = changed;
        }
        let queue: BTreeSet<(i64, RunId)> = truth.iter().zip(&runs).filter_map(|(due, run)| Some(((*due)?, run.id))).collect();
        let now = draw(60) as i64;
        let expected: Vec<RunId> = queue.iter().filter(|(due, _)| *due <= now).map(|(_, id)| *id).collect();
        assert_eq!(store.due_runs(now, 99).unwrap(), expected);
        assert_eq!(store.next_due_run().unwrap(), queue.first().map(|(due, _)| *due));
    }
}
