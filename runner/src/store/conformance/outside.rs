//! Inbox, counters, properties.

use serde_json::json;

use super::*;

pub(super) fn inbox_in_order(store: &mut dyn Store) {
    let items = [
        InboxItem::Contacts(vec![ContactId(1), ContactId(2)]),
        InboxItem::Events { first: EventId(3), last: EventId(9) },
        InboxItem::Enroll { workflow: "welcome".to_owned(), contact: ContactId(1), with: map(json!({ "plan": "pro" })) },
        InboxItem::Resend(MessageId(4)),
        InboxItem::Pause("welcome".to_owned()),
        InboxItem::Resume("welcome".to_owned()),
    ];
    for (number, item) in items.iter().enumerate() {
        within(store, |store| store.push_inbox(item, T + number as i64).unwrap());
    }
    let found = store.inbox(99).unwrap();
    assert!(found.iter().map(|(_, _, item)| item).eq(items.iter()));
    assert!(found.iter().map(|(_, at, _)| *at).eq(T..T + 6));
    assert_eq!(store.inbox(2).unwrap(), found[..2]);
    within(store, |store| store.drop_inbox(found[0].0).unwrap());
    assert_eq!(store.inbox(99).unwrap(), found[1..]);
}

pub(super) fn counters_add_up(store: &mut dyn Store) {
    let welcome = new_workflow(store, "welcome");
    let other = new_workflow(store, "other");
    within(store, |store| {
        for (workflow, what, by) in
            [(welcome, "entered", 1), (other, "entered", 5), (welcome, "entered", 2), (welcome, "exit:goal", 1)]
        {
            store.count(workflow, what, by).unwrap();
        }
        assert_eq!(store.counters().unwrap().len(), 3);
        store.count(welcome, "entered", 1).unwrap();
    });
    store.begin().unwrap();
    store.count(welcome, "entered", 100).unwrap();
    store.rollback();
    within(store, |store| store.count(other, "entered", -1).unwrap());
    let mut counters = store.counters().unwrap();
    counters.sort();
    let row = |workflow, what: &str, number| (workflow, what.to_owned(), number);
    assert_eq!(counters, [row(welcome, "entered", 4), row(welcome, "exit:goal", 1), row(other, "entered", 4)]);
}

pub(super) fn properties(store: &mut dyn Store) {
    assert_eq!(store.property("loaded").unwrap(), None);
    for value in ["a", "b", ""] {
        within(store, |store| store.set_property("loaded", value).unwrap());
        assert_eq!(store.property("loaded").unwrap().as_deref(), Some(value));
    }
    let identity = store.identity().unwrap();
    assert!(!identity.is_empty());
    assert_eq!(store.identity().unwrap(), identity);
    let secret = store.secret().unwrap();
    assert!(!secret.is_empty());
    assert_eq!(store.secret().unwrap(), secret);
}

pub(super) fn nobody_else_wrote(store: &mut dyn Store) {
    assert!(!store.changed_outside().unwrap());
    new_contact(store, "ada");
    assert!(!store.changed_outside().unwrap());
}
