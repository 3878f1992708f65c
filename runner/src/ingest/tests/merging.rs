//! Rows about people who are known already, by another id or by their address; lists; and going on after a cut.

use super::super::{Checkpoint, Import, ImportOptions, Place};
use super::importing::{NOW, import};
use super::*;
use crate::store::{SqliteStore, Store};

/// The contact's e-mail address and other names.
fn known(store: &mut SqliteStore, uid: &str) -> Option<(String, Option<String>, Vec<String>)> {
    let id = store.contact_id(uid).unwrap()?;
    let contact = store.contact(id).unwrap().unwrap();
    let aliases = store.aliases(id).unwrap();
    Some((contact.uid, contact.email, aliases))
}

/// What becomes of rows in a store that knows ada (ada@example.com) and bo (no address): added, changed, unchanged, merged, refused.
#[track_caller]
fn check(text: &str, expected: [u64; 5]) -> SqliteStore {
    let mut store = SqliteStore::in_memory().unwrap();
    let before = "{\"id\":\"ada\",\"email\":\"ada@example.com\"}\n{\"id\":\"bo\"}";
    import::<ContactRow>(&mut store, before, ImportOptions::default());
    let (counts, refused) = import::<ContactRow>(&mut store, text, ImportOptions::default());
    let got = [counts.added, counts.changed, counts.unchanged, counts.merged, refused.len() as u64];
    assert_eq!(got, expected, "{text}");
    store
}

#[test]
fn a_row_is_about_whoever_has_its_id_or_else_its_address() {
    check(r#"{"id":"ada","email":"ADA@example.com "}"#, [0, 1, 0, 0, 0]);
    check(r#"{"id":"ada","email":"ada@new.example"}"#, [0, 1, 0, 0, 0]);
    check(r#"{"email":"Ada@Example.com"}"#, [0, 1, 0, 0, 0]);
    check(r#"{"email":"ada@example.com"}"#, [0, 0, 1, 0, 0]);
    check(r#"{"id":"bo","email":"ada@example.com"}"#, [0, 0, 0, 0, 1]);
    let mut store = check(
        "{\"id\":\"a-2\",\"email\":\"Ada@Example.com\",\"name\":\"Ada\"}\n{\"id\":\"a-2\",\"name\":\"A.\"}",
        [0, 1, 0, 1, 0],
    );
    let ada = ("ada".to_owned(), Some("Ada@Example.com".to_owned()), vec!["a-2".to_owned()]);
    assert_eq!(known(&mut store, "a-2"), Some(ada.clone()));
    assert_eq!(known(&mut store, "ada"), Some(ada));
    let mut store = check("{\"email\":\"Cy@Example.com\"}\n{\"email\":\"cy@example.com\",\"name\":\"Cy\"}", [1, 1, 0, 0, 0]);
    assert_eq!(known(&mut store, "cy@example.com").unwrap().1.as_deref(), Some("cy@example.com"));
    // Nothing of a refused row is applied.
    let mut store = check(r#"{"id":"bo","email":"ada@example.com","name":"Bo"}"#, [0, 0, 0, 0, 1]);
    assert_eq!(known(&mut store, "bo"), Some(("bo".to_owned(), None, Vec::new())));
}

#[test]
fn events_find_people_by_address_where_nobody_has_that_id() {
    let mut store = check(r#"{"email":"ada@example.com"}"#, [0, 0, 1, 0, 0]);
    let text = r#"{"at":"2026-03-01","contact":"ADA@example.com","event":"order"}"#;
    import::<Occurrence>(&mut store, text, ImportOptions::default());
    let ada = store.contact_id("ada").unwrap().unwrap();
    assert_eq!(store.events(ada, "order", 0, true).unwrap().len(), 1);
}

#[test]
fn everybody_in_the_file_is_put_on_the_list() {
    let mut store = SqliteStore::in_memory().unwrap();
    import::<ContactRow>(&mut store, r#"{"id":"ada"}"#, ImportOptions::default());
    let options = ImportOptions { segment: Some("beta".to_owned()), ..ImportOptions::default() };
    let text = "{\"id\":\"ada\"}\n{\"id\":\"bo\"}";
    let counts = import::<ContactRow>(&mut store, text, options.clone()).0;
    assert_eq!((counts.added, counts.changed), (1, 1));
    for uid in ["ada", "bo"] {
        let id = store.contact_id(uid).unwrap().unwrap();
        assert_eq!(store.lists_of(id).unwrap(), [("beta".to_owned(), NOW)], "{uid}");
    }
    assert_eq!(import::<ContactRow>(&mut store, text, options).0.unchanged, 2);
}

#[test]
fn an_import_goes_on_where_it_was_cut_off() {
    let line = |number: usize| format!("{{\"at\":\"2026-03-01\",\"contact\":\"c{number}\",\"event\":\"order\"}}\n");
    // Each event twice, so that the second half must know which twins came in the first.
    let text: String = (0..10).chain(0..10).map(line).collect();
    let mut store = SqliteStore::in_memory().unwrap();
    let mut part = |from: Option<Checkpoint>, rows: usize, place: Place| {
        let mut import = Import::new(&mut store, catalog(false).settings, ImportOptions::default()).unwrap();
        let found = import.checkpoint("key").unwrap();
        assert_eq!(found.map(|found| found.place), from.map(|from| from.place));
        let mut reader = reader::<Occurrence>(text.as_bytes(), Format::JsonLines, &[], false).unwrap();
        if let Some(found) = &found {
            import.go_on(found);
        }
        let skipped = found.map_or(0, |found| found.place.lines as usize);
        let rows = reader.by_ref().skip(skipped).take(rows).map(|row| row.unwrap().unwrap()).collect();
        import.begin().unwrap();
        import.chunk::<Occurrence>(rows, NOW).unwrap();
        import.commit(Some("key"), place, 0).unwrap();
        let checkpoint = import.checkpoint("key").unwrap();
        (checkpoint, import.counts.added)
    };
    let (checkpoint, added) = part(None, 13, Place { offset: 1, lines: 13 });
    assert_eq!(added, 13);
    assert_eq!(part(checkpoint, 7, Place { offset: 2, lines: 20 }).1, 20);
    let mut import = Import::new(&mut store, catalog(false).settings, ImportOptions::default()).unwrap();
    import.finish(Some("key")).unwrap();
    assert_eq!(import.checkpoint("key").unwrap(), None);
}

#[test]
fn reading_goes_on_at_any_place_it_gave() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contacts.csv");
    let text = "id,name\r\nada,\"A\nda\"\r\nbo,\"never closed\ncy,C\n\ndee,D";
    std::fs::write(&path, text).unwrap();
    let open =
        || super::super::open::<ContactRow>(&path, Format::Csv, &Mapping::default(), Arc::new(Expected::of(&catalog(true))));
    let whole = rows(open().unwrap());
    assert_eq!(whole.len(), 4, "{whole:?}");
    let mut reader = open().unwrap();
    let mut read = 0;
    loop {
        let mut later = open().unwrap();
        later.go_on(&path, reader.place()).unwrap();
        assert_eq!(rows(later), whole[read..]);
        if reader.next().is_none() {
            break;
        }
        read += 1;
    }
}
