//! Where contacts stand, static segments, contacts that are joined, and what is deleted when it is old.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::standing::Standing;

pub(super) fn standing(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    assert_eq!(store.standing(ada).unwrap(), None);
    let mut contact = store.contact(ada).unwrap().unwrap();
    assert_eq!((contact.upkeep, contact.traits.len()), (Upkeep::default(), 0));
    contact.upkeep = Upkeep { version: 7, recheck: Some(T + 5) };
    Arc::make_mut(&mut contact.traits).insert("spent".to_owned(), TraitValue::Plain(json!(12.5)));
    Arc::make_mut(&mut contact.traits)
        .insert("score".to_owned(), TraitValue::Fading(Fading { value: 3.5, at: T, halves_every: 1000 }));
    let standing = Standing::from_bytes(&Standing::default().to_bytes()).unwrap();
    within(store, |store| store.set_standing(&contact, &standing).unwrap());
    assert_eq!(store.contact(ada).unwrap(), Some(contact.clone()));
    assert_eq!(store.standing(ada).unwrap(), Some(standing));
    // The profile is written without the traits, and the traits without the profile.
    within(store, |store| {
        let known = store.contact(ada).unwrap().unwrap();
        store.update_contact(&Contact { phone: Some("1".to_owned()), traits: Default::default(), ..known }, T).unwrap();
        assert_eq!(store.contact(ada).unwrap(), Some(Contact { phone: Some("1".to_owned()), ..contact.clone() }));
        store
            .set_standing(&Contact { phone: None, traits: Default::default(), ..contact.clone() }, &Standing::default())
            .unwrap();
        let now = store.contact(ada).unwrap().unwrap();
        assert_eq!((now.phone.as_deref(), now.traits.len()), (Some("1"), 0));
    });
}

pub(super) fn rechecks(store: &mut dyn Store) {
    let ids: Vec<ContactId> = ["a", "b", "c"].into_iter().map(|uid| new_contact(store, uid)).collect();
    let set = |store: &mut dyn Store, id: ContactId, recheck: Option<i64>| {
        let mut contact = store.contact(id).unwrap().unwrap();
        contact.upkeep = Upkeep { version: 1, recheck };
        store.set_standing(&contact, &Standing::default()).unwrap();
    };
    within(store, |store| {
        set(store, ids[0], Some(T + 9));
        set(store, ids[1], Some(T + 3));
        set(store, ids[2], None);
    });
    assert_eq!(store.next_recheck().unwrap(), Some(T + 3));
    assert_eq!(store.due_rechecks(T + 9, 10).unwrap(), [ids[1], ids[0]]);
    assert_eq!(store.due_rechecks(T + 8, 10).unwrap(), [ids[1]]);
    within(store, |store| set(store, ids[1], Some(T + 20)));
    assert_eq!(store.due_rechecks(T + 30, 1).unwrap(), [ids[0]]);
    store.begin().unwrap();
    set(store, ids[0], None);
    store.rollback();
    assert_eq!(store.next_recheck().unwrap(), Some(T + 9));
    within(store, |store| store.erase_contact(ids[0], T).unwrap());
    assert_eq!(store.next_recheck().unwrap(), Some(T + 20));
}

pub(super) fn lists(store: &mut dyn Store) {
    let (ada, bob) = (new_contact(store, "ada"), new_contact(store, "bob"));
    assert!(!store.listed(ada, "beta").unwrap());
    within(store, |store| {
        assert!(store.set_listed(ada, "beta", true, T).unwrap());
        assert!(!store.set_listed(ada, "beta", true, T + 1).unwrap());
        assert!(store.set_listed(ada, "alpha", true, T + 2).unwrap());
        assert!(!store.set_listed(bob, "beta", false, T).unwrap());
    });
    assert_eq!(store.lists_of(ada).unwrap(), [("alpha".to_owned(), T + 2), ("beta".to_owned(), T)]);
    assert_eq!((store.listed(ada, "beta").unwrap(), store.listed(bob, "beta").unwrap()), (true, false));
    within(store, |store| assert!(store.set_listed(ada, "beta", false, T).unwrap()));
    assert_eq!(store.lists_of(ada).unwrap().len(), 1);
}

pub(super) fn received(store: &mut dyn Store) {
    within(store, |store| {
        store.remember_received("a", "first", T).unwrap();
        store.remember_received("b", "", T + 1).unwrap();
    });
    assert_eq!(store.received("a").unwrap().as_deref(), Some("first"));
    assert_eq!(store.received("c").unwrap(), None);
    within(store, |store| assert_eq!(store.forget_received(T + 1, 10).unwrap(), 1));
    assert_eq!((store.received("a").unwrap(), store.received("b").unwrap().as_deref()), (None, Some("")));
}

pub(super) fn emails_and_aliases(store: &mut dyn Store) {
    let ada = within(store, |store| {
        let contact = Contact { email: Some("Ada@Example.com".to_owned()), ..a_contact("ada") };
        store.insert_contact(&contact, T).unwrap()
    });
    let bob = new_contact(store, "bob");
    assert_eq!(store.contact_of_email("ada@EXAMPLE.com").unwrap(), Some(ada));
    assert_eq!(store.contact_of_email("bob@example.com").unwrap(), None);
    within(store, |store| store.set_alias("a-1", ada).unwrap());
    assert_eq!(store.contact_id("a-1").unwrap(), Some(ada));
    within(store, |store| store.set_alias("a-1", bob).unwrap());
    assert_eq!(store.contact_id("a-1").unwrap(), Some(bob));
    assert_eq!((store.aliases(ada).unwrap(), store.aliases(bob).unwrap()), (vec![], vec!["a-1".to_owned()]));
}

/// Everything of the one is the other's afterwards, and every name leads there.
pub(super) fn joined(store: &mut dyn Store) {
    let (anonymous, ada) = (new_contact(store, "anon-1"), new_contact(store, "ada"));
    let workflow = new_workflow(store, "welcome");
    let run = new_run(store, &a_run(anonymous, workflow, "k"));
    let message = new_message(store, &a_message(&run, "hello"));
    within(store, |store| {
        store.insert_event(&an_event(anonymous, "view", T), T).unwrap();
        store.set_alias("anon-0", anonymous).unwrap();
        store.assign(&an_assignment(anonymous, workflow, "subject", "plain")).unwrap();
        store.assign(&an_assignment(anonymous, workflow, "layout", "wide")).unwrap();
        store.assign(&an_assignment(ada, workflow, "layout", "narrow")).unwrap();
        store.set_listed(anonymous, "beta", true, T).unwrap();
    });
    within(store, |store| store.join_contacts(anonymous, ada).unwrap());
    assert_eq!(store.contact(anonymous).unwrap(), None);
    assert_eq!(store.joined_to(anonymous).unwrap(), Some(ada));
    for name in ["anon-0", "anon-1", "ada"] {
        assert_eq!(store.contact_id(name).unwrap(), Some(ada), "{name}");
    }
    assert_eq!(store.events(ada, "view", 0, true).unwrap().len(), 1);
    assert_eq!(store.open_runs(ada).unwrap().len(), 1);
    assert_eq!(store.message(message.id).unwrap().unwrap().contact, ada);
    assert_eq!(store.assignment(workflow, "subject", ada).unwrap().as_deref(), Some("plain"));
    assert_eq!(store.assignment(workflow, "layout", ada).unwrap().as_deref(), Some("narrow"));
    assert!(store.listed(ada, "beta").unwrap());
    // And on from there. The id of a row that is gone still means who it was: nobody else gets it.
    let eve = new_contact(store, "eve");
    let brief = new_contact(store, "brief");
    assert_eq!(store.newest_contact().unwrap(), brief);
    within(store, |store| store.join_contacts(brief, ada).unwrap());
    assert!(new_contact(store, "frank") > brief);
    within(store, |store| store.join_contacts(ada, eve).unwrap());
    assert_eq!((store.joined_to(anonymous).unwrap(), store.contact_id("anon-0").unwrap()), (Some(eve), Some(eve)));
}

pub(super) fn not_joined_with_the_same_open_run(store: &mut dyn Store) {
    let (one, other) = (new_contact(store, "one"), new_contact(store, "other"));
    let workflow = new_workflow(store, "welcome");
    new_run(store, &a_run(one, workflow, "k"));
    new_run(store, &a_run(other, workflow, "k"));
    within(store, |store| assert!(store.join_contacts(one, other).is_err()));
    assert!(store.contact(one).unwrap().is_some());
}

pub(super) fn old_events_expire(store: &mut dyn Store) {
    let (ada, bob) = (new_contact(store, "ada"), new_contact(store, "bob"));
    within(store, |store| {
        for (contact, name, at) in
            [(ada, "view", T), (bob, "view", T + 10), (ada, "unsubscribed", T), (bob, "view", T + 1), (ada, "view", T + 11)]
        {
            store.insert_event(&an_event(contact, name, at), T).unwrap();
        }
    });
    let (mut after, mut contacts) = (0, Vec::new());
    loop {
        let expired = within(store, |store| store.expire(Old::Events, T + 10, after, 2).unwrap());
        contacts.extend(expired.contacts);
        match expired.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(contacts, [ada, bob]);
    assert_eq!(store.events(ada, "view", 0, true).unwrap().len(), 1);
    assert_eq!(store.events(bob, "view", 0, true).unwrap().len(), 1);
    assert_eq!(store.events(ada, "unsubscribed", 0, true).unwrap().len(), 1);
}

pub(super) fn old_messages_and_logs_expire(store: &mut dyn Store) {
    let ada = new_contact(store, "ada");
    let workflow = new_workflow(store, "welcome");
    let run = new_run(store, &a_run(ada, workflow, ""));
    let sent = new_message(store, &Message { status: MessageStatus::Sent, ..a_message(&run, "hello") });
    let waiting = new_message(store, &a_message(&run, "later"));
    within(store, |store| {
        let entry = LogEntry { run: run.id, number: 0, at: T, kind: LogKind::Enter, step: String::new(), detail: Map::new() };
        store.log(&entry).unwrap();
    });
    let expire = |store: &mut dyn Store, old| within(store, |store| store.expire(old, T + 1, 0, 10).unwrap().contacts);
    assert_eq!(expire(store, Old::Messages), [ada]);
    assert_eq!((store.message(sent.id).unwrap(), store.message(waiting.id).unwrap().is_some()), (None, true));
    // Its id is not given to another: events and links name it still.
    let last = new_message(store, &Message { status: MessageStatus::Sent, ..a_message(&run, "last") });
    expire(store, Old::Messages);
    assert!(new_message(store, &a_message(&run, "newer")).id > last.id);
    expire(store, Old::RunLogs);
    assert_eq!(store.run_log(run.id).unwrap().len(), 1);
    within(store, |store| store.update_run(&ended(&run, T, EndReason::Completed)).unwrap());
    expire(store, Old::RunLogs);
    assert_eq!(store.run_log(run.id).unwrap().len(), 0);
    assert!(store.run(run.id).unwrap().is_some());
}
