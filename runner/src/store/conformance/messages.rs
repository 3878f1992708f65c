//! Messages.

use super::*;

fn run(store: &mut dyn Store) -> Run {
    let workflow = new_workflow(store, "welcome");
    let ada = new_contact(store, "ada");
    new_run(store, &a_run(ada, workflow, ""))
}

pub(super) fn round_trip(store: &mut dyn Store) {
    let run = run(store);
    let bare = a_message(&run, "hello");
    let full = Message {
        topic: Some("news".to_owned()),
        marketing: false,
        status: MessageStatus::Unknown,
        to: Some("ada@example.com".to_owned()),
        subject: Some("Hello".to_owned()),
        attempts: 2,
        error: Some("timed out".to_owned()),
        taken_at: Some(T + 1),
        due: T + 2,
        at: T + 3,
        capped_at: Some(T + 4),
        ..bare.clone()
    };
    for message in [bare, full] {
        let message = new_message(store, &message);
        assert_eq!(store.message(message.id).unwrap(), Some(message));
    }
    assert_eq!(store.message(MessageId(99)).unwrap(), None);
}

pub(super) fn update_changes_everything(store: &mut dyn Store) {
    let run = run(store);
    let mut message = new_message(store, &a_message(&run, "hello"));
    let first = message.clone();
    for status in
        [MessageStatus::Queued, MessageStatus::Sending, MessageStatus::Queued, MessageStatus::Sending, MessageStatus::Sent]
    {
        message = Message {
            definition: DefinitionId(message.definition.0 + 1),
            step: format!("{}x", message.step),
            status,
            to: Some(format!("{}@example.com", message.attempts)),
            subject: Some("Hello".to_owned()),
            attempts: message.attempts + 1,
            error: message.error.map_or(Some("421".to_owned()), |_| None),
            due: message.due + 1,
            taken_at: Some(message.at),
            at: message.at + 7,
            capped_at: Some(message.at),
            ..message
        };
        within(store, |store| store.update_message(&message).unwrap());
        assert_eq!(store.message(message.id).unwrap(), Some(message.clone()));
    }
    within(store, |store| store.update_message(&first).unwrap());
    assert_eq!(store.message(first.id).unwrap(), Some(first.clone()));
    within(store, |store| assert!(store.update_message(&Message { id: MessageId(99), ..first }).is_err()));
}

pub(super) fn in_doubt_are_those_sending(store: &mut dyn Store) {
    let run = run(store);
    let mut sending = Vec::new();
    for status in MessageStatus::ALL.into_iter().chain(MessageStatus::ALL) {
        let message = new_message(store, &Message { status, ..a_message(&run, "hello") });
        if status == MessageStatus::Sending {
            sending.push(message.id);
        }
    }
    assert_eq!(store.messages_in_doubt().unwrap(), sending);
}

pub(super) fn listed_after_by_status(store: &mut dyn Store) {
    let run = run(store);
    let all: Vec<Message> = MessageStatus::ALL
        .into_iter()
        .chain(MessageStatus::ALL)
        .map(|status| new_message(store, &Message { status, ..a_message(&run, "hello") }))
        .collect();
    assert_eq!(store.messages_after(MessageId(0), None, 99).unwrap(), all);
    assert_eq!(store.messages_after(all[1].id, None, 3).unwrap(), all[2..5]);
    for status in MessageStatus::ALL {
        let of: Vec<Message> = all.iter().filter(|message| message.status == status).cloned().collect();
        assert_eq!(store.messages_after(MessageId(0), Some(status), 99).unwrap(), of);
        assert_eq!(store.messages_after(MessageId(0), Some(status), 1).unwrap(), of[..1]);
        assert_eq!(store.messages_after(of[0].id, Some(status), 99).unwrap(), of[1..]);
    }
}

pub(super) fn counted_by_status(store: &mut dyn Store) {
    use MessageStatus::*;
    let run = run(store);
    assert_eq!(store.message_counts().unwrap(), []);
    let first = new_message(store, &a_message(&run, "hello"));
    let second = new_message(store, &a_message(&run, "hello"));
    assert_eq!(store.message_counts().unwrap(), [(Queued, 2)]);
    within(store, |store| store.update_message(&Message { status: Sending, ..first.clone() }).unwrap());
    assert_eq!(store.message_counts().unwrap(), [(Queued, 1), (Sending, 1)]);
    within(store, |store| {
        store.update_message(&Message { status: Sent, ..first }).unwrap();
        store.update_message(&Message { status: Sending, ..second.clone() }).unwrap();
        store.update_message(&Message { status: Failed, ..second.clone() }).unwrap();
        assert_eq!(store.message_counts().unwrap(), [(Sent, 1), (Failed, 1)]);
    });
    store.begin().unwrap();
    store.update_message(&Message { status: Queued, ..second }).unwrap();
    store.rollback();
    assert_eq!(store.message_counts().unwrap(), [(Sent, 1), (Failed, 1)]);
}
