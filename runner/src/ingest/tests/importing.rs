//! Imports into a store: what is new is written, what is there stays, and the runner is told.

use super::super::{Counts, Import, ImportOptions, Incoming, Place};
use super::*;
use crate::kernel::{Kernel, Options, Plan};
use crate::state::{Consent, ContactId, EventId, NewEvent};
use crate::store::{InboxItem, SqliteStore, Store};

/// 2026-04-01T00:00:00Z.
pub(super) const NOW: i64 = 1_775_001_600_000;

fn store() -> SqliteStore {
    SqliteStore::in_memory().unwrap()
}

/// Imports a text of JSON Lines in one transaction; gives what became of it, and the lines that were refused.
pub(super) fn import<T: Incoming>(store: &mut dyn Store, text: &str, options: ImportOptions) -> (Counts, Vec<u64>) {
    let rows = reader::<T>(text.as_bytes(), Format::JsonLines, &[], false).unwrap().map(|row| row.unwrap().unwrap()).collect();
    let mut import = Import::new(store, catalog(false).settings, options).unwrap();
    import.begin().unwrap();
    let refused = import.chunk::<T>(rows, NOW).unwrap();
    import.commit(None, Place { offset: 0, lines: 0 }, 0).unwrap();
    (import.counts, refused.into_iter().map(|rejection| rejection.line).collect())
}

fn events(store: &mut SqliteStore, text: &str, dry_run: bool) -> Counts {
    import::<Occurrence>(store, text, ImportOptions { dry_run, ..ImportOptions::default() }).0
}

fn contacts(store: &mut dyn Store, text: &str) -> Counts {
    import::<ContactRow>(store, text, ImportOptions::default()).0
}

fn inbox(store: &mut SqliteStore) -> Vec<InboxItem> {
    store.inbox(100).unwrap().into_iter().map(|(_, _, item)| item).collect()
}

fn consent(store: &mut SqliteStore, uid: &str) -> Consent {
    let id = store.contact_id(uid).unwrap().unwrap();
    Consent::clone(&store.contact(id).unwrap().unwrap().consent)
}

#[track_caller]
fn check(counts: Counts, added: u64, changed: u64, unchanged: u64, erased: u64) {
    assert_eq!(counts, Counts { added, changed, unchanged, erased, merged: 0 });
}

#[test]
fn contacts_are_added_then_changed_then_left_alone() {
    let mut store = store();
    check(contacts(&mut store, "{\"id\":\"ada\",\"topics\":[\"news\"]}\n{\"id\":\"bo\"}"), 2, 0, 0, 0);
    check(contacts(&mut store, "{\"id\":\"ada\",\"email\":\"ada@example.com\"}\n{\"id\":\"bo\"}"), 0, 1, 1, 0);
    check(contacts(&mut store, "{\"id\":\"ada\",\"email\":\"ada@example.com\"}\n{\"id\":\"bo\"}"), 0, 0, 2, 0);
    let told = [vec![ContactId(1), ContactId(2)], vec![ContactId(1)]].map(InboxItem::Contacts);
    assert_eq!(inbox(&mut store), told);
    assert_eq!(consent(&mut store, "ada").topics, [("news".to_owned(), true), ("offers".to_owned(), false)].into());
    assert_eq!(consent(&mut store, "bo"), Consent::default());
}

#[test]
fn events_count_once_however_often_they_are_imported() {
    let text = r#"{"at":"2026-03-01","contact":"ada","event":"order","properties":{"a":1,"b":2}}
{"at":"2026-03-01","contact":"ada","event":"order","properties":{"b":2,"a":1}}
{"at":"2026-03-01","contact":"ada","event":"order","id":"o1"}
{"at":"2026-03-02","contact":"ada","event":"order","id":"o1"}
{"at":"2026-03-01","contact":"ada","unsubscribe":"offers"}"#;
    let mut store = store();
    check(events(&mut store, text, false), 4, 0, 1, 0);
    check(events(&mut store, text, false), 0, 0, 5, 0);
    assert_eq!(store.events(ContactId(1), "order", 0, true).unwrap().len(), 3);
    assert_eq!(store.events(ContactId(1), "unsubscribed", 0, true).unwrap().len(), 1);
}

#[test]
fn equal_events_of_one_file_are_several_and_the_file_again_brings_none() {
    let line = r#"{"at":"2026-03-01","contact":"ada","event":"order"}"#;
    let mut store = store();
    for count in [1, 2, 3, 9, 64] {
        let mut store = SqliteStore::in_memory().unwrap();
        let text = vec![line; count].join("\n");
        check(events(&mut store, &text, false), count as u64, 0, 0, 0);
        check(events(&mut store, &text, false), 0, 0, count as u64, 0);
        assert_eq!(store.events(ContactId(1), "order", 0, true).unwrap().len(), count);
    }
    // Nothing that another file brought is a twin.
    check(events(&mut store, line, false), 1, 0, 0, 0);
    check(events(&mut store, &[line; 3].join("\n"), false), 0, 0, 3, 0);
}

#[test]
fn what_an_export_called_an_event_without_an_id_is_the_event() {
    let mut store = store();
    contacts(&mut store, r#"{"id":"ada"}"#);
    store.begin().unwrap();
    let event =
        NewEvent { contact: ContactId(1), name: "order".into(), at: 5, properties: Default::default(), uid: None, message: None };
    let id = store.insert_event(&event, NOW).unwrap().unwrap();
    store.commit().unwrap();
    let line =
        |number: i64| format!(r#"{{"at":"2026-03-01","contact":"ada","event":"order","id":"campaignd:simulation:{number}"}}"#);
    check(events(&mut store, &line(id.0), false), 0, 0, 1, 0);
    check(events(&mut store, &line(id.0 + 1), false), 1, 0, 0, 0);
}

#[test]
fn a_dry_run_writes_nothing() {
    let mut store = store();
    check(events(&mut store, r#"{"at":"2026-03-01","contact":"ada","event":"order"}"#, true), 1, 0, 0, 0);
    assert_eq!((store.contact_id("ada").unwrap(), inbox(&mut store)), (None, Vec::new()));
}

#[test]
fn only_what_is_fresh_starts_anything() {
    let text = r#"{"at":"2026-03-31T23:30:00Z","contact":"ada","event":"a"}
{"at":"2026-03-31T23:00:00Z","contact":"ada","event":"b"}
{"at":"2026-03-31T22:59:59Z","contact":"ada","event":"c"}
{"at":"2026-04-01T00:30:00Z","contact":"bo","event":"d"}"#;
    let mut store = store();
    events(&mut store, text, false);
    let range = |first, last| InboxItem::Events { first: EventId(first), last: EventId(last) };
    let history = InboxItem::History { first: EventId(3), last: EventId(3) };
    assert_eq!(inbox(&mut store), [InboxItem::Contacts(vec![ContactId(1), ContactId(2)]), range(1, 2), history, range(4, 4)]);
}

#[test]
fn consent_is_changed_unless_something_newer_was_said() {
    let line = |at: &str, what: &str| format!("{{\"at\":\"{at}\",\"contact\":\"ada\",{what}}}\n");
    let cases = [
        (line("2026-03-02", r#""unsubscribe":"offers""#) + &line("2026-03-01", r#""subscribe":"offers""#), false, Some(false)),
        (line("2026-03-01", r#""unsubscribe":"offers""#) + &line("2026-03-02", r#""subscribe":"offers""#), false, Some(true)),
        (line("2026-03-02", r#""unsubscribe":"all""#) + &line("2026-03-01", r#""subscribe":"offers""#), true, None),
        (line("2026-03-02", r#""unsubscribe":"offers""#) + &line("2026-03-01", r#""subscribe":"all""#), false, Some(false)),
        (line("2026-03-02", r#""subscribe":"offers""#) + &line("2026-03-01", r#""subscribe":"news""#), false, Some(true)),
        (line("2026-03-02", r#""event":"unsubscribed","topic":"offers""#), false, Some(false)),
    ];
    for (text, none, offers) in cases {
        let mut store = store();
        events(&mut store, &text, false);
        let consent = consent(&mut store, "ada");
        assert_eq!((consent.none, consent.topics.get("offers").copied()), (none, offers), "{text}");
    }
}

#[test]
fn set_changes_the_contact_and_erase_is_left_to_the_runner() {
    let text = r#"{"at":"2026-03-31T23:30:00Z","contact":"ada","event":"a"}
{"at":"2026-03-31T23:31:00Z","contact":"ada","set":{"name":"Ada","email":"ada@example.com"}}
{"at":"2026-03-31T23:32:00Z","contact":"ada","erase":true}
{"at":"2026-03-31T23:33:00Z","contact":"bo","event":"a"}
{"at":"2026-03-31T23:34:00Z","contact":"nobody","erase":true}"#;
    let mut store = store();
    check(events(&mut store, text, false), 2, 2, 0, 1);
    let ada = store.contact(ContactId(1)).unwrap().unwrap();
    assert_eq!((ada.email.as_deref(), ada.attributes["name"].as_str()), (Some("ada@example.com"), Some("Ada")));
    let range = |id| InboxItem::Events { first: EventId(id), last: EventId(id) };
    let told = |id| InboxItem::Contacts(vec![ContactId(id)]);
    assert_eq!(inbox(&mut store), [told(1), range(1), InboxItem::Erase(ContactId(1)), told(2), range(2)]);
}

#[test]
fn the_runner_erases_whom_it_is_told_to_and_they_are_not_made_anew() {
    let text = r#"{"at":"2026-03-31T23:30:00Z","contact":"ada","event":"a"}
{"at":"2026-03-31T23:30:00Z","contact":"ada","set":{"email":"ada@example.com"}}
{"at":"2026-03-31T23:32:00Z","contact":"ada","erase":true}
{"at":"2026-03-31T23:32:00Z","contact":"ada","erase":true}"#;
    let mut store = store();
    events(&mut store, text, false);
    let plan = Arc::new(Plan::new(Arc::new(catalog(false)), None).unwrap());
    let mut kernel = Kernel::open(Box::new(store), plan, Options::default(), NOW).unwrap();
    while kernel.turn(NOW, &[]).unwrap().more {}
    let store = kernel.store();
    assert_eq!(store.contact_id("ada").unwrap(), None);
    assert!(store.events(ContactId(1), "a", 0, true).unwrap().is_empty());
    check(contacts(store, r#"{"id":"ada"}"#), 0, 0, 0, 1);
    check(contacts(store, r#"{"id":"new","email":"ADA@example.com"}"#), 0, 0, 0, 1);
    check(contacts(store, r#"{"email":"Ada@example.com"}"#), 0, 0, 0, 1);
    let event = r#"{"at":"2026-03-31","contact":"Ada@Example.com","event":"a"}"#;
    let (counts, _) = import::<Occurrence>(store, event, ImportOptions::default());
    check(counts, 0, 0, 0, 1);
    // Nor does somebody else get the address.
    check(contacts(store, "{\"id\":\"bo\"}\n{\"id\":\"bo\",\"email\":\"ada@example.com\"}"), 1, 0, 0, 1);
    let set = r#"{"at":"2026-03-31","contact":"bo","set":{"email":"ada@example.com","name":"Bo"}}"#;
    let (counts, _) = import::<Occurrence>(store, set, ImportOptions::default());
    check(counts, 0, 0, 0, 1);
    let bo = store.contact_id("bo").unwrap().unwrap();
    assert_eq!(store.contact(bo).unwrap().unwrap().email, None);
}
