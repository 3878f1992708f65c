//! How much has been going on of late.

use super::*;

pub(super) fn entries_messages_and_events(store: &mut dyn Store) {
    let (ada, bo) = (new_contact(store, "ada"), new_contact(store, "bo"));
    let (welcome, digest) = (new_workflow(store, "welcome"), new_workflow(store, "digest"));
    let entered = |store: &mut dyn Store, contact, workflow, at| {
        let run = Run { entered_at: at, ..a_run(contact, workflow, "") };
        new_run(store, &run)
    };
    let early = entered(store, ada, welcome, T - 5);
    let late = entered(store, bo, welcome, T);
    entered(store, bo, digest, T - 1);
    for (run, step, at) in [(&early, "hello", T - 1), (&late, "hello", T), (&late, "again", T + 1), (&late, "again", T + 2)] {
        let message = Message { step: step.to_owned(), created_at: at, ..a_message(run, "t") };
        new_message(store, &message);
    }
    let call = Message { channel: CALLS.to_owned(), created_at: T, ..a_message(&late, "c") };
    new_message(store, &call);
    within(store, |store| {
        for (contact, name, at) in
            [(ada, "order", T - 1), (ada, "order", T), (ada, "order", T + 1), (bo, "order", T), (bo, "visit", T)]
        {
            store.insert_event(&an_event(contact, name, at), T).unwrap();
        }
    });
    let expected =
        [Entries { workflow: welcome, first: T - 5, number: 1 }, Entries { workflow: digest, first: T - 1, number: 0 }];
    assert_eq!(store.entries_since(T).unwrap(), expected);
    let expected = [(welcome, "again".to_owned(), 2), (welcome, "hello".to_owned(), 1)];
    assert_eq!(store.queued_since(T).unwrap(), expected);
    assert_eq!(store.happened_since("order", T).unwrap(), Happened { number: 3, contacts: 2 });
    assert_eq!(store.happened_since("never", T).unwrap(), Happened::default());
    assert_eq!(store.happened_since("message_sent", T).unwrap(), Happened::default());
}
