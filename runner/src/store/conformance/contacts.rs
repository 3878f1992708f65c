//! Contacts.

use serde_json::json;

use super::*;

fn full(uid: &str) -> Contact {
    Contact {
        email: Some("ada@example.com".to_owned()),
        phone: Some("+4930123".to_owned()),
        locale: Some("de-DE".to_owned()),
        time_zone: Some("Europe/Berlin".to_owned()),
        attributes: map(json!({ "plan": "pro", "visits": 3, "tags": ["a", { "b": 1.5 }] })).into(),
        consent: Consent {
            none: true,
            topics: [("news".to_owned(), false)].into(),
            pending: [("offers".to_owned(), 5)].into(),
            log: vec![ConsentEntry {
                at: 4,
                topic: "all".to_owned(),
                said: Said::Unsubscribed,
                source: "one_click".to_owned(),
                message: Some(MessageId(9)),
            }],
        }
        .into(),
        anonymous: true,
        ..Contact::new(uid)
    }
}

pub(super) fn round_trip(store: &mut dyn Store) {
    for contact in [full("ada"), a_contact("bob"), Contact { erased: true, ..a_contact("gone") }] {
        let id = within(store, |store| store.insert_contact(&contact, T).unwrap());
        assert_eq!(store.contact(id).unwrap(), Some(Contact { id, ..contact.clone() }));
        assert_eq!(store.contact_id(&contact.uid).unwrap(), Some(id));
    }
    assert_eq!(store.contact(ContactId(99)).unwrap(), None);
    assert_eq!(store.contact_id("nobody").unwrap(), None);
}

pub(super) fn uid_is_unique(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    within(store, |store| assert!(store.insert_contact(&full("ada"), T).is_err()));
    assert_eq!(store.contact(ada).unwrap().unwrap().email, None);
}

pub(super) fn update_changes_everything(store: &mut dyn Store) {
    let id = new_contact(store, "ada");
    let changes = [
        Contact { id, ..full("ada") },
        Contact { id, time_zone: Some("Asia/Tokyo".to_owned()), ..full("ada") },
        Contact { id, email: None, ..full("ada-2") },
        Contact { id, erased: true, ..full("ada-2") },
        Contact { id, ..a_contact("ada") },
    ];
    for contact in changes {
        within(store, |store| store.update_contact(&contact, T + 1).unwrap());
        assert_eq!(store.contact(id).unwrap(), Some(contact.clone()));
        assert_eq!(store.contact_id(&contact.uid).unwrap(), Some(id));
    }
    within(store, |store| assert!(store.update_contact(&Contact { id: ContactId(99), ..full("x") }, T).is_err()));
}

pub(super) fn listed_in_order_by_zone(store: &mut dyn Store) {
    let zones = [Some("Europe/Berlin"), None, Some("Asia/Tokyo"), Some("Europe/Berlin"), None, Some("Europe/Berlin")];
    let ids: Vec<ContactId> = within(store, |store| {
        let zoned = |(number, zone): (usize, &Option<&str>)| Contact {
            time_zone: zone.map(str::to_owned),
            erased: number == 5,
            ..a_contact(&format!("c{number}"))
        };
        zones.iter().enumerate().map(zoned).map(|contact| store.insert_contact(&contact, T).unwrap()).collect()
    });
    let mut check = |after: ContactId, zone, limit, expected: &[usize]| {
        let expected: Vec<ContactId> = expected.iter().map(|number| ids[*number]).collect();
        assert_eq!(store.contacts_after(after, zone, limit).unwrap(), expected, "{zone:?} after {after}");
    };
    check(ContactId(0), ZoneFilter::All, 10, &[0, 1, 2, 3, 4]);
    check(ids[1], ZoneFilter::All, 2, &[2, 3]);
    check(ids[4], ZoneFilter::All, 2, &[]);
    check(ContactId(0), ZoneFilter::In(Some("Europe/Berlin")), 10, &[0, 3]);
    check(ids[0], ZoneFilter::In(Some("Europe/Berlin")), 10, &[3]);
    check(ContactId(0), ZoneFilter::In(Some("Europe/Berlin")), 1, &[0]);
    check(ContactId(0), ZoneFilter::In(None), 10, &[1, 4]);
    check(ids[1], ZoneFilter::In(None), 10, &[4]);
    check(ContactId(0), ZoneFilter::In(Some("Mars/Olympus")), 10, &[]);
}

pub(super) fn zones_are_distinct(store: &mut dyn Store) {
    assert!(store.contact_zones().unwrap().is_empty());
    for (number, zone) in [Some("B"), Some("A"), None, Some("B"), None, Some("C"), Some("A")].into_iter().enumerate() {
        let contact = Contact { time_zone: zone.map(str::to_owned), ..a_contact(&number.to_string()) };
        within(store, |store| store.insert_contact(&contact, T).unwrap());
    }
    let mut zones = store.contact_zones().unwrap();
    zones.sort();
    assert_eq!(zones, [None, Some("A".to_owned()), Some("B".to_owned()), Some("C".to_owned())]);
}

pub(super) fn any_text_survives(store: &mut dyn Store) {
    let texts = [
        "".to_owned(),
        "a\0b\0".to_owned(),
        "'; DROP TABLE contacts; --".to_owned(),
        "𝄞é\u{202e}".to_owned(),
        "x".repeat(1 << 20),
    ];
    for text in texts {
        let contact = Contact {
            email: Some(text.clone()),
            time_zone: Some(text.clone()),
            attributes: map(json!({ text.clone(): text.clone() })).into(),
            ..a_contact(&text)
        };
        let id = within(store, |store| store.insert_contact(&contact, T).unwrap());
        assert!(store.contact(id).unwrap() == Some(Contact { id, ..contact }));
        assert_eq!(store.contact_id(&text).unwrap(), Some(id));
        let event = NewEvent { properties: map(json!({ "t": text })), uid: Some(text.clone()), ..an_event(id, &text, T) };
        within(store, |store| {
            assert!(store.insert_event(&event, T).unwrap().is_some());
            assert!(store.insert_event(&event, T).unwrap().is_none());
        });
        let events = store.events(id, &text, T, false).unwrap();
        assert!(events.len() == 1 && events[0].properties["t"] == text.as_str());
        let workflow = new_workflow(store, &text);
        let run = Run { step: text.clone(), ..a_run(id, workflow, &text) };
        let run = new_run(store, &run);
        assert!(run.key == text && run.step == text);
        assert_eq!(store.run_history(id, workflow, Some(&text)).unwrap().open, Some(run.id));
    }
}
