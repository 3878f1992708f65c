//! The suppression list, and messages that go by another channel than was meant.

use super::*;

fn row(channel: &str, address: &str, why: Why, at: i64) -> Suppressed {
    let (source, detail) = ("maildir".to_owned(), Some(format!("5.1.1 at {at}")));
    Suppressed { channel: channel.to_owned(), address: address.to_owned(), why, at, source, detail }
}

pub(super) fn kept_as_it_came_first(store: &mut dyn Store) {
    let manual = Suppressed { detail: None, source: "manual".to_owned(), ..row("email", "ada@example.com", Why::Manual, T) };
    assert_eq!(store.suppressed("email", "ada@example.com").unwrap(), None);
    within(store, |store| store.suppress(&manual).unwrap());
    within(store, |store| store.suppress(&row("email", "ada@example.com", Why::Bounced, T + 1)).unwrap());
    assert_eq!(store.suppressed("email", "ada@example.com").unwrap(), Some(manual));
    // Of a channel that was never heard of, and of another address.
    assert_eq!(store.suppressed("sms", "ada@example.com").unwrap(), None);
    assert_eq!(store.suppressed("email", "ADA@example.com").unwrap(), None);
    // A complaint weighs more, the first of them.
    let complaint = row("email", "ada@example.com", Why::Complained, T + 2);
    within(store, |store| store.suppress(&complaint).unwrap());
    within(store, |store| store.suppress(&row("email", "ada@example.com", Why::Complained, T + 3)).unwrap());
    within(store, |store| store.suppress(&row("email", "ada@example.com", Why::Bounced, T + 4)).unwrap());
    assert_eq!(store.suppressed("email", "ada@example.com").unwrap(), Some(complaint));
}

pub(super) fn taken_off(store: &mut dyn Store) {
    within(store, |store| {
        store.suppress(&row("email", "ada@example.com", Why::Bounced, T)).unwrap();
        store.suppress(&row("sms", "ada@example.com", Why::Bounced, T)).unwrap();
        assert!(!store.allow_address("push", "ada@example.com").unwrap());
        assert!(!store.allow_address("email", "bo@example.com").unwrap());
        assert!(store.allow_address("email", "ada@example.com").unwrap());
        assert!(!store.allow_address("email", "ada@example.com").unwrap());
    });
    assert_eq!(store.suppressed("email", "ada@example.com").unwrap(), None);
    assert!(store.suppressed("sms", "ada@example.com").unwrap().is_some());
    store.begin().unwrap();
    store.suppress(&row("email", "ada@example.com", Why::Bounced, T)).unwrap();
    store.rollback();
    assert_eq!(store.suppressed("email", "ada@example.com").unwrap(), None);
}

pub(super) fn listed_in_pages(store: &mut dyn Store) {
    // Not in the order in which the channels were first heard of.
    let rows = [
        row("sms", "+49301", Why::Bounced, T),
        row("email", "zoë@example.com", Why::Complained, T),
        row("email", "ada@example.com", Why::Manual, T),
        row("push", "", Why::Bounced, T),
    ];
    within(store, |store| rows.iter().for_each(|row| store.suppress(row).unwrap()));
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| (&a.channel, &a.address).cmp(&(&b.channel, &b.address)));
    assert_eq!(store.suppressed_after(None, 10).unwrap(), sorted);
    let mut pages = Vec::new();
    loop {
        let last: Option<&Suppressed> = pages.last();
        let last = last.map(|last| (last.channel.clone(), last.address.clone()));
        let page = store.suppressed_after(last.as_ref().map(|(channel, address)| (&**channel, &**address)), 1).unwrap();
        if page.is_empty() {
            break;
        }
        pages.extend(page);
    }
    assert_eq!(pages, sorted);
}

pub(super) fn messages_are_redirected(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    let ada = new_contact(store, "ada");
    let run = new_run(store, &a_run(ada, workflow, ""));
    let message = new_message(store, &Message { due: T + 5, ..a_message(&run, "hello") });
    let sent = new_message(store, &Message { status: MessageStatus::Sent, ..a_message(&run, "hello") });
    within(store, |store| store.redirect_message(message.id, "sms").unwrap());
    assert_eq!(store.message(message.id).unwrap(), Some(Message { channel: "sms".to_owned(), ..message.clone() }));
    assert_eq!(store.due_messages("email", i64::MAX, 10).unwrap(), []);
    assert_eq!(
        (store.due_messages("sms", T + 5, 10).unwrap(), store.next_due_message("sms").unwrap()),
        (vec![message.id], Some(T + 5))
    );
    // Only what is still queued can go another way.
    within(store, |store| {
        assert!(store.redirect_message(sent.id, "sms").is_err());
        assert!(store.redirect_message(MessageId(99), "sms").is_err());
    });
    assert_eq!(store.message(sent.id).unwrap().unwrap().channel, "email");
    store.begin().unwrap();
    store.redirect_message(message.id, "email").unwrap();
    store.rollback();
    assert_eq!(store.due_messages("sms", i64::MAX, 10).unwrap(), [message.id]);
    assert_eq!(store.due_messages("email", i64::MAX, 10).unwrap(), []);
    // It leaves the queue that it is in now.
    let moved = Message { channel: "sms".to_owned(), status: MessageStatus::Skipped, ..message };
    within(store, |store| store.update_message(&moved).unwrap());
    assert_eq!(store.next_due_message("sms").unwrap(), None);
}
