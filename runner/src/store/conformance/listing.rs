//! Going through everything there is, and adding what is not there.

use super::*;

pub(super) fn unknown_contacts_only(store: &mut dyn Store) {
    let with_email = |uid: &str, email: &str| Contact { email: Some(email.to_owned()), ..a_contact(uid) };
    let ada = within(store, |store| store.insert_unknown_contact(&with_email("ada", "Ada@example.com"), T).unwrap()).unwrap();
    within(store, |store| store.set_alias("a-1", ada).unwrap());
    let cases = [
        (a_contact("ada"), false),
        (a_contact("a-1"), false),
        (with_email("bo", "ada@EXAMPLE.com"), false),
        (with_email("bo", "bo@example.com"), true),
        (a_contact("cy"), true),
        (a_contact("cy"), false),
    ];
    for (contact, expected) in cases {
        let added = within(store, |store| store.insert_unknown_contact(&contact, T).unwrap());
        assert_eq!(added.is_some(), expected, "{contact:?}");
        if let Some(id) = added {
            assert_eq!(store.contact(id).unwrap(), Some(Contact { id, ..contact }));
        }
    }
}

pub(super) fn contacts_in_pages(store: &mut dyn Store) {
    let ids = ["ada", "bo", "cy"].map(|uid| new_contact(store, uid));
    within(store, |store| store.erase_contact(ids[1], T).unwrap());
    let page = |store: &mut dyn Store, after, limit| -> Vec<String> {
        store.contact_page(after, limit).unwrap().into_iter().map(|contact| contact.uid).collect()
    };
    assert_eq!(page(store, ContactId(0), 9), ["ada", "cy"]);
    assert_eq!(page(store, ContactId(0), 1), ["ada"]);
    assert_eq!(page(store, ids[0], 1), ["cy"]);
    assert_eq!(page(store, ids[2], 1), [] as [&str; 0]);
}

pub(super) fn events_in_pages_and_latest(store: &mut dyn Store) {
    let (ada, bo) = (new_contact(store, "ada"), new_contact(store, "bo"));
    let events = [(ada, "order", T + 5), (bo, "order", T), (ada, "visit", T), (ada, "order", T)];
    let ids: Vec<EventId> = within(store, |store| {
        let each = events.iter().enumerate();
        each.map(|(number, (contact, name, at))| {
            let event = NewEvent { uid: Some(format!("e{number}")), ..an_event(*contact, name, *at) };
            store.insert_event(&event, T).unwrap().unwrap()
        })
        .collect()
    });
    let uids = |rows: Vec<EventRow>| -> Vec<String> { rows.into_iter().map(|row| row.uid.unwrap()).collect() };
    assert_eq!(uids(store.event_page(EventId(0), 3).unwrap()), ["e0", "e1", "e2"]);
    let rest = store.event_page(ids[2], 3).unwrap();
    assert_eq!((rest[0].contact, rest[0].name.as_str(), rest[0].event.at, rest.len()), (ada, "order", T, 1));
    assert_eq!(uids(store.latest_events(ada, 9).unwrap()), ["e0", "e3", "e2"]);
    assert_eq!(uids(store.latest_events(ada, 1).unwrap()), ["e0"]);
    assert_eq!(store.event_of_uid("e3").unwrap(), Some(ids[3]));
    assert_eq!(store.event_of_uid("e4").unwrap(), None);
    assert!(!store.any_property("x:").unwrap());
    within(store, |store| store.set_property("x:1", "").unwrap());
    assert!(store.any_property("x:").unwrap() && !store.any_property("y:").unwrap());
    assert!(within(store, |store| store.remove_property("x:1").unwrap()));
    assert!(!within(store, |store| store.remove_property("x:1").unwrap()));
}

pub(super) fn runs_and_messages(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    let (ada, bo) = (new_contact(store, "ada"), new_contact(store, "bo"));
    let first = new_run(store, &a_run(ada, workflow, "a"));
    let other = new_run(store, &a_run(bo, workflow, "a"));
    let over = ended(&first, T + 9, EndReason::Goal);
    within(store, |store| store.update_run(&over).unwrap());
    let second = new_run(store, &a_run(ada, workflow, "b"));
    let ids = |runs: Vec<Run>| -> Vec<RunId> { runs.into_iter().map(|run| run.id).collect() };
    assert_eq!(ids(store.runs_of(ada).unwrap()), [first.id, second.id]);
    assert_eq!(ids(store.run_page(RunId(0), 2).unwrap()), [first.id, other.id]);
    assert_eq!(ids(store.run_page(other.id, 2).unwrap()), [second.id]);
    assert_eq!(store.runs_of(ada).unwrap()[0].ended, over.ended);
    let messages = [&first, &other, &second].map(|run| new_message(store, &a_message(run, "hello")));
    assert_eq!(store.messages_of(ada).unwrap(), [messages[0].clone(), messages[2].clone()]);
}
