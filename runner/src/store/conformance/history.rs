//! What was said to a contact, and what became of it.

use dsl::model::Fate;
use serde_json::json;

use super::*;

/// An open run of ada in `welcome`.
fn run(store: &mut dyn Store) -> Run {
    let workflow = new_workflow(store, "welcome");
    let ada = new_contact(store, "ada");
    new_run(store, &a_run(ada, workflow, ""))
}

fn sent(run: &Run, template: &str, at: i64) -> Message {
    Message { status: MessageStatus::Sent, attempts: 1, at, taken_at: Some(at), ..a_message(run, template) }
}

pub(super) fn sent_messages_are_events(store: &mut dyn Store) {
    let run = run(store);
    let late = new_message(store, &sent(&run, "late", 30));
    let early = new_message(store, &sent(&run, "early", 10));
    new_message(store, &a_message(&run, "queued"));
    new_message(store, &Message { status: MessageStatus::Failed, ..sent(&run, "failed", 40) });
    let event = |message: &Message, bare: bool| Event {
        id: EventId(i64::MAX),
        at: message.at,
        properties: if bare {
            Value::Null
        } else {
            json!({ "template": message.template, "workflow": "welcome", "step": "send-hello", "channel": "email" })
        },
        message: Some(message.id),
    };
    for bare in [false, true] {
        let (early, late) = (event(&early, bare), event(&late, bare));
        assert_eq!(store.events(run.contact, "message_sent", 0, bare).unwrap(), [early.clone(), late.clone()]);
        assert_eq!(store.events(run.contact, "message_sent", 10, bare).unwrap(), [early, late.clone()]);
        assert_eq!(store.events(run.contact, "message_sent", 11, bare).unwrap(), [late]);
    }
}

pub(super) fn fates_of_messages(store: &mut dyn Store) {
    let run = run(store);
    let second = new_message(store, &sent(&run, "tips", 20));
    let first = new_message(store, &sent(&run, "hello", 10));
    new_message(store, &a_message(&run, "queued"));
    let sent = |message: &Message| FateRow {
        id: EventId(i64::MAX),
        at: message.at,
        template: message.template.clone(),
        run: Some(run.id),
    };
    assert_eq!(store.fates(run.contact, Fate::Sent, 10).unwrap(), [sent(&first), sent(&second)]);
    assert_eq!(store.fates(run.contact, Fate::Sent, 11).unwrap(), [sent(&second)]);
    for fate in Fate::ALL.into_iter().filter(|fate| *fate != Fate::Sent) {
        assert_eq!(store.fates(run.contact, fate, 0).unwrap(), []);
        let template = |name: &str| map(json!({ "template": name }));
        let known =
            NewEvent { message: Some(first.id), properties: template("ignored"), ..an_event(run.contact, fate.event(), 30) };
        let alone = NewEvent { properties: template("old"), ..an_event(run.contact, fate.event(), 25) };
        let nothing = an_event(run.contact, fate.event(), 31);
        let ids = within(store, |store| [&known, &alone, &nothing].map(|event| store.insert_event(event, T).unwrap().unwrap()));
        let row = |number: usize, at, template: &str, run| FateRow { id: ids[number], at, template: template.to_owned(), run };
        let (alone, known, nothing) = (row(1, 25, "old", None), row(0, 30, "hello", Some(run.id)), row(2, 31, "", None));
        // What machines opened or clicked does not count.
        let machine = map(json!({ "template": "old", "machine": true }));
        let machine = NewEvent { properties: machine, ..an_event(run.contact, fate.event(), 40) };
        let id = within(store, |store| store.insert_event(&machine, T)).unwrap().unwrap();
        let machine = FateRow { id, at: 40, template: "old".to_owned(), run: None };
        let machine: Vec<_> = Some(machine).filter(|_| !fate.by_people()).into_iter().collect();
        assert_eq!(store.fates(run.contact, fate, 32).unwrap(), machine);
        assert_eq!(store.fates(run.contact, fate, 25).unwrap()[..3], [alone, known.clone(), nothing.clone()]);
        assert_eq!(store.fates(run.contact, fate, 26).unwrap()[..2], [known, nothing]);
    }
}

pub(super) fn slots_latest_first(store: &mut dyn Store) {
    let run = run(store);
    let message = |taken_at, topic: Option<&str>, marketing| Message {
        taken_at,
        topic: topic.map(str::to_owned),
        marketing,
        ..a_message(&run, "hello")
    };
    for message in [
        message(Some(20), Some("news"), true),
        message(Some(30), None, true),
        message(Some(10), Some("offers"), true),
        message(Some(25), Some("news"), false),
        message(None, Some("news"), true),
    ] {
        new_message(store, &message);
    }
    let slot = |at, topic: Option<&str>| Slot { at, topic: topic.map(str::to_owned), channel: "email".to_owned() };
    let (news, offers) = (Some("news"), Some("offers"));
    assert_eq!(store.slots_taken(run.contact, 9).unwrap(), [slot(30, None), slot(20, news), slot(10, offers)]);
    assert_eq!(store.slots_taken(run.contact, 10).unwrap(), [slot(30, None), slot(20, news)]);
    assert_eq!(store.slots_taken(run.contact, 30).unwrap(), []);
    assert_eq!(store.slots_taken(ContactId(99), 0).unwrap(), []);
}

pub(super) fn latest_message(store: &mut dyn Store) {
    let run = run(store);
    let other = new_workflow(store, "other");
    let old = new_message(store, &sent(&run, "hello", 10));
    let late = new_message(store, &sent(&run, "hello", 30));
    let elsewhere = new_message(store, &Message { workflow: other, ..sent(&run, "hello", 20) });
    new_message(store, &Message { at: 50, ..a_message(&run, "hello") });
    let mut check = |template: &str, workflow: Option<&str>, expected: Option<&Message>| {
        let found = store.latest_message(run.contact, template, workflow).unwrap();
        assert_eq!(found, expected.map(|message| message.id), "{template} {workflow:?}");
    };
    check("hello", None, Some(&late));
    check("hello", Some("welcome"), Some(&late));
    check("hello", Some("other"), Some(&elsewhere));
    check("hello", Some("nope"), None);
    check("nope", None, None);
    assert!(late.id > old.id);
}
