//! Transactions.

use super::*;

pub(super) fn rollback_undoes_all(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    store.begin().unwrap();
    // Names that appear for the first time here must be made anew later.
    let workflow = store.workflow_id("welcome").unwrap();
    store.insert_contact(&a_contact("bob"), T).unwrap();
    store.insert_event(&NewEvent { uid: Some("e".to_owned()), ..an_event(ada, "order", T) }, T).unwrap();
    let run = store.insert_run(&a_run(ada, workflow, "")).unwrap().unwrap();
    store.insert_message(&a_message(&Run { id: run, ..a_run(ada, workflow, "") }, "hello")).unwrap();
    store.set_property("p", "v").unwrap();
    store.push_inbox(&InboxItem::Pause("welcome".to_owned()), T).unwrap();
    store.rollback();
    assert_eq!(store.contact_id("bob").unwrap(), None);
    assert_eq!(store.events(ada, "order", 0, true).unwrap(), []);
    assert_eq!(store.open_runs(ada).unwrap(), []);
    assert_eq!(store.messages_after(MessageId(0), None, 9).unwrap(), []);
    assert_eq!(store.property("p").unwrap(), None);
    assert_eq!(store.inbox(9).unwrap(), []);
    assert_eq!(store.workflows().unwrap(), []);
    let other = new_workflow(store, "other");
    within(store, |store| {
        let event = NewEvent { uid: Some("e".to_owned()), ..an_event(ada, "visit", T) };
        assert!(store.insert_event(&event, T).unwrap().is_some());
        store.insert_event(&an_event(ada, "order", T), T).unwrap();
    });
    assert_eq!(store.events(ada, "order", 0, true).unwrap().len(), 1);
    assert_eq!(store.events(ada, "visit", 0, true).unwrap().len(), 1);
    let run = new_run(store, &Run { step: "visit".to_owned(), ..a_run(ada, other, "") });
    assert_eq!(run.step, "visit");
}

pub(super) fn rollback_without_one(store: &mut dyn Store) {
    store.rollback();
    let ada = new_contact(store, "ada");
    store.rollback();
    assert!(store.contact(ada).unwrap().is_some());
    assert!(store.commit().is_err());
    store.begin().unwrap();
    assert!(store.begin().is_err());
    store.rollback();
}

pub(super) fn changes_need_one(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    let workflow = new_workflow(store, "welcome");
    assert!(store.insert_contact(&a_contact("bob"), T).is_err());
    assert!(store.insert_event(&an_event(ada, "order", T), T).is_err());
    assert!(store.insert_run(&Run { due: Some(1), ..a_run(ada, workflow, "") }).is_err());
    assert!(store.count(workflow, "entered", 1).is_err());
    assert_eq!(store.next_due_run().unwrap(), None);
    assert_eq!(store.counters().unwrap(), []);
}

pub(super) fn usable_after_an_error(store: &mut dyn Store) {
    new_contact(store, "ada");
    store.begin().unwrap();
    let bob = store.insert_contact(&a_contact("bob"), T).unwrap();
    assert!(store.insert_contact(&a_contact("ada"), T).is_err());
    let eve = store.insert_contact(&a_contact("eve"), T).unwrap();
    store.commit().unwrap();
    assert!(store.contact(bob).unwrap().is_some());
    assert!(store.contact(eve).unwrap().is_some());
}
