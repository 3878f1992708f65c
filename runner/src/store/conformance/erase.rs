//! Erasing a contact.

use serde_json::json;

use super::*;

/// A contact with one of everything; gives the ended run and the message.
fn with_everything(store: &mut dyn Store, uid: &str) -> (ContactId, Run, Message) {
    let contact = Contact {
        email: Some(format!("{uid}@example.com")),
        phone: Some("123".to_owned()),
        time_zone: Some("Asia/Tokyo".to_owned()),
        attributes: map(json!({ "name": uid })).into(),
        consent: Consent { none: true, ..Consent::default() }.into(),
        ..a_contact(uid)
    };
    let workflow = new_workflow(store, "welcome");
    let id = within(store, |store| store.insert_contact(&contact, T).unwrap());
    let run = new_run(store, &a_run(id, workflow, &format!("order-{uid}")));
    let message = Message {
        to: contact.email.clone(),
        subject: Some(format!("Hello {uid}")),
        error: Some(format!("550 {uid} unknown")),
        status: MessageStatus::Sent,
        ..a_message(&run, "hello")
    };
    let message = new_message(store, &message);
    within(store, |store| {
        let event =
            NewEvent { properties: map(json!({ "who": uid })), uid: Some(format!("e-{uid}")), ..an_event(id, "order", T) };
        store.insert_event(&event, T).unwrap();
        let detail = map(json!({ "reason": uid }));
        store.log(&LogEntry { run: run.id, number: 0, at: T, kind: LogKind::Enter, step: String::new(), detail }).unwrap();
        store.assign(&an_assignment(id, workflow, "split", "a")).unwrap();
        store.set_date_timer(workflow, "birthday", id, Some(T)).unwrap();
        let item = InboxItem::Enroll { workflow: "welcome".to_owned(), contact: id, with: map(json!({ "who": uid })) };
        store.push_inbox(&item, T).unwrap();
        let over = Ended { at: T, reason: EndReason::Erased, detail: Some(uid.to_owned()) };
        store.update_run(&Run { ended: Some(over), ..run.clone() }).unwrap();
    });
    (id, run, message)
}

pub(super) fn nothing_personal_is_left(store: &mut dyn Store) {
    // No name that chance could write in hexadecimal.
    let (id, run, message) = with_everything(store, "zora");
    within(store, |store| {
        store.erase_contact(id, T + 1).unwrap();
        assert!(store.contact(id).unwrap().unwrap().erased);
    });
    let contact = store.contact(id).unwrap().unwrap();
    assert!(contact.uid.starts_with("erased-") && !contact.uid.contains("zora"), "{}", contact.uid);
    assert_eq!(contact, Contact { id, erased: true, ..a_contact(&contact.uid) });
    assert_eq!(store.contact_id("zora").unwrap(), None);
    assert_eq!(store.events(id, "order", 0, false).unwrap(), []);
    let message = store.message(message.id).unwrap().unwrap();
    assert_eq!((message.to, message.subject, message.error), (None, None, None));
    assert_eq!(message.status, MessageStatus::Sent);
    let run = store.run(run.id).unwrap().unwrap();
    assert_eq!(run.key, "");
    assert_eq!(run.ended, Some(Ended { at: T, reason: EndReason::Erased, detail: None }));
    let log = store.run_log(run.id).unwrap();
    assert_eq!((log.len(), log[0].kind, log[0].detail.len()), (1, LogKind::Enter, 0));
    assert_eq!(store.assignment(run.workflow, "split", id).unwrap(), None);
    assert_eq!(store.due_date_timers(i64::MAX, 10).unwrap(), []);
    assert_eq!(store.inbox(10).unwrap(), []);
    assert!(store.contact_zones().unwrap().is_empty());
    assert_eq!(store.contacts_after(ContactId(0), ZoneFilter::All, 10).unwrap(), []);
}

pub(super) fn others_are_not_touched(store: &mut dyn Store) {
    let (ada, ..) = with_everything(store, "ada");
    let (bob, run, message) = with_everything(store, "bob");
    let (contact, run, message) = (store.contact(bob).unwrap(), store.run(run.id).unwrap(), store.message(message.id).unwrap());
    within(store, |store| store.erase_contact(ada, T + 1).unwrap());
    assert_eq!(store.contact(bob).unwrap(), contact);
    assert_eq!(store.run(run.clone().unwrap().id).unwrap(), run);
    assert_eq!(store.message(message.clone().unwrap().id).unwrap(), message);
    assert_eq!(store.events(bob, "order", 0, true).unwrap().len(), 1);
    assert_eq!(store.run_log(run.unwrap().id).unwrap()[0].detail["reason"], "bob");
    assert_eq!(store.due_date_timers(i64::MAX, 10).unwrap().len(), 1);
    assert_eq!(store.inbox(10).unwrap().len(), 1);
    // The old name is free again, and two erased contacts do not collide.
    new_contact(store, "ada");
    within(store, |store| store.erase_contact(bob, T + 1).unwrap());
}

pub(super) fn refused_while_runs_are_open(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    let ada = new_contact(store, "ada");
    let run = new_run(store, &a_run(ada, workflow, "k"));
    within(store, |store| assert!(store.erase_contact(ada, T).is_err()));
    assert_eq!(store.contact(ada).unwrap().unwrap().uid, "ada");
    assert_eq!(store.run(run.id).unwrap(), Some(run));
    within(store, |store| assert!(store.erase_contact(ContactId(99), T).is_err()));
}
