//! Events.

use serde_json::json;

use super::*;

pub(super) fn same_uid_counts_once(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    let mut check = |uid: Option<&str>, stored: bool| {
        let event = NewEvent { uid: uid.map(str::to_owned), ..an_event(ada, "order", T) };
        let id = within(store, |store| store.insert_event(&event, T).unwrap());
        assert_eq!(id.is_some(), stored, "{uid:?}");
    };
    check(Some("e1"), true);
    check(Some("e1"), false);
    check(Some("e2"), true);
    check(None, true);
    check(None, true);
    assert_eq!(store.events(ada, "order", 0, true).unwrap().len(), 4);
    let same_elsewhere = NewEvent { uid: Some("e1".to_owned()), ..an_event(ContactId(ada.0 + 1), "other", T + 9) };
    within(store, |store| assert_eq!(store.insert_event(&same_elsewhere, T).unwrap(), None));
}

pub(super) fn in_order_from_inclusive(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    let bob = new_contact(store, "bob");
    let ids: Vec<EventId> = within(store, |store| {
        [(ada, "order", 20), (ada, "order", 10), (bob, "order", 10), (ada, "visit", 10), (ada, "order", 20), (ada, "order", -5)]
            .map(|(contact, name, at)| store.insert_event(&an_event(contact, name, at), T).unwrap().unwrap())
            .to_vec()
    });
    let mut check = |from: i64, expected: &[usize]| {
        let found: Vec<EventId> = store.events(ada, "order", from, true).unwrap().iter().map(|event| event.id).collect();
        assert_eq!(found, expected.iter().map(|number| ids[*number]).collect::<Vec<_>>(), "from {from}");
    };
    check(i64::MIN, &[5, 1, 0, 4]);
    check(10, &[1, 0, 4]);
    check(11, &[0, 4]);
    check(20, &[0, 4]);
    check(21, &[]);
    assert_eq!(store.events(ada, "unheard-of", 0, false).unwrap(), []);
}

pub(super) fn bare_has_no_properties(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    let properties = json!({ "total": 12.5, "items": [1, 2] });
    let full = NewEvent { properties: map(properties.clone()), message: Some(MessageId(7)), ..an_event(ada, "order", 1) };
    let ids =
        within(store, |store| [&full, &an_event(ada, "order", 2)].map(|event| store.insert_event(event, T).unwrap().unwrap()));
    let expect = |(first, message): (Value, Option<MessageId>), second: Value| {
        vec![
            Event { id: ids[0], at: 1, properties: first, message },
            Event { id: ids[1], at: 2, properties: second, message: None },
        ]
    };
    assert_eq!(store.events(ada, "order", 0, false).unwrap(), expect((properties, Some(MessageId(7))), json!({})));
    assert_eq!(store.events(ada, "order", 0, true).unwrap(), expect((Value::Null, None), Value::Null));
}

pub(super) fn found_by_id(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    let event = NewEvent { properties: map(json!({ "n": 1 })), ..an_event(ada, "order", 5) };
    let id = within(store, |store| store.insert_event(&event, T).unwrap().unwrap());
    let expected = StoredEvent {
        contact: ada,
        name: "order".to_owned(),
        event: Event { id, at: 5, properties: json!({ "n": 1 }), message: None },
    };
    assert_eq!(store.event(id).unwrap(), Some(expected));
    assert_eq!(store.event(EventId(id.0 + 1)).unwrap(), None);
}

pub(super) fn ids_are_never_given_twice(store: &mut dyn Store) {
    assert_eq!(store.last_event().unwrap(), EventId(0));
    let ada = new_contact(store, "ada");
    let bob = new_contact(store, "bob");
    let first = within(store, |store| store.insert_event(&an_event(bob, "order", T), T).unwrap().unwrap());
    let second = within(store, |store| store.insert_event(&an_event(ada, "order", T), T).unwrap().unwrap());
    assert!(second > first);
    assert_eq!(store.last_event().unwrap(), second);
    within(store, |store| store.erase_contact(ada, T).unwrap());
    assert_eq!(store.last_event().unwrap(), second);
    let third = within(store, |store| store.insert_event(&an_event(bob, "order", T), T).unwrap().unwrap());
    assert!(third > second);
}
