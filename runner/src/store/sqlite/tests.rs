//! The conformance suite against both kinds of store, and what is particular to SQLite.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::state::*;
use crate::store::conformance::{self, AnyStore};
use crate::store::{InboxItem, Store};

#[test]
fn a_file_conforms() {
    conformance::check(
        |_| true,
        || {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(&folder.path().join("store.db")).unwrap();
            (Box::new(store) as AnyStore, folder)
        },
    );
}

#[test]
fn memory_conforms() {
    conformance::check(|_| true, || (Box::new(SqliteStore::in_memory().unwrap()) as AnyStore, ()));
}

/// Beside a runner the queues are read again and again, so that nothing stays parked; all else is the same.
#[test]
fn beside_a_runner_conforms() {
    conformance::check(
        |case| !case.contains("park"),
        || {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store.db");
            drop(SqliteStore::open(&path).unwrap());
            (Box::new(SqliteStore::open_beside(&path).unwrap()) as AnyStore, folder)
        },
    );
}

/// Two commands at once on a new project: one makes the store, and the other finds a file with nothing in it.
#[test]
fn a_store_that_is_just_being_made_is_waited_for() {
    let (_folder, path) = place();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(&path).unwrap();
    let makes = path.clone();
    let maker = std::thread::spawn(move || SqliteStore::open(&makes).map(drop));
    SqliteStore::open_beside(&path).unwrap();
    maker.join().unwrap().unwrap();
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new").join("store.db");
    (folder, path)
}

fn contact(uid: &str) -> Contact {
    Contact { email: Some(format!("{uid}@example.com")), ..Contact::new(uid) }
}

fn run(workflow: WorkflowId, contact: ContactId, key: &str, due: Option<i64>) -> Run {
    Run {
        id: RunId(0),
        contact,
        workflow,
        definition: DefinitionId(1),
        key: key.to_owned(),
        entered_at: 1,
        step: "wait".to_owned(),
        state: RunState {
            visit: 0,
            logged: 0,
            stage: Stage::Ready,
            began: Mark(1, EventId(0)),
            since: Mark(1, EventId(0)),
            event: None,
            vars: Default::default(),
            passes: Default::default(),
            depth: 0,
            goal_met: false,
        },
        due,
        ended: None,
    }
}

fn message(run: &Run, status: MessageStatus, due: i64) -> Message {
    Message {
        id: MessageId(0),
        run: run.id,
        contact: run.contact,
        workflow: run.workflow,
        definition: run.definition,
        step: "send".to_owned(),
        visit: 1,
        template: "hello".to_owned(),
        channel: "email".to_owned(),
        topic: None,
        marketing: true,
        status,
        to: None,
        subject: None,
        attempts: 0,
        error: None,
        created_at: 1,
        due,
        taken_at: None,
        at: 1,
        capped_at: None,
    }
}

#[test]
fn a_second_runner_is_refused() {
    let (_folder, path) = place();
    let first = SqliteStore::open(&path).unwrap();
    let refused = SqliteStore::open(&path).err().unwrap();
    assert!(matches!(&refused, StoreError::Held(shown) if *shown == path.display().to_string()));
    drop(first);
    SqliteStore::open(&path).unwrap();
}

#[test]
fn reopening_keeps_everything_and_what_is_due() {
    let (_folder, path) = place();
    let mut store = SqliteStore::open(&path).unwrap();
    store.begin().unwrap();
    let ada = store.insert_contact(&contact("ada"), 1).unwrap();
    let workflow = store.workflow_id("welcome").unwrap();
    let late = store.insert_run(&run(workflow, ada, "late", Some(30))).unwrap().unwrap();
    let soon = store.insert_run(&run(workflow, ada, "soon", Some(20))).unwrap().unwrap();
    store.insert_run(&run(workflow, ada, "event", None)).unwrap().unwrap();
    let over = store.insert_run(&run(workflow, ada, "over", Some(10))).unwrap().unwrap();
    let mut over = store.run(over).unwrap().unwrap();
    over.ended = Some(Ended { at: 5, reason: EndReason::Goal, detail: None });
    store.update_run(&over).unwrap();
    let queued = store.insert_message(&message(&over, MessageStatus::Queued, 15)).unwrap();
    let sending = store.insert_message(&message(&over, MessageStatus::Sending, 15)).unwrap();
    store.count(workflow, "entered", 4).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    store.park_run(soon).unwrap();
    store.park_message(queued).unwrap();
    store.commit().unwrap();
    let (identity, log) = (store.identity().unwrap(), store.workflows().unwrap());
    // Never committed.
    store.begin().unwrap();
    store.insert_contact(&contact("bob"), 1).unwrap();
    store.insert_run(&run(workflow, ada, "lost", Some(1))).unwrap().unwrap();
    drop(store);

    let mut store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.contact_id("ada").unwrap(), Some(ada));
    assert_eq!(store.contact_id("bob").unwrap(), None);
    assert_eq!(store.run(over.id).unwrap().unwrap().ended, over.ended);
    assert_eq!(store.due_runs(99, 9).unwrap(), [soon, late]);
    assert_eq!(store.due_messages("email", 99, 9).unwrap(), [queued]);
    assert_eq!(store.messages_in_doubt().unwrap(), [sending]);
    assert_eq!(store.counters().unwrap(), [(workflow, "entered".to_owned(), 4)]);
    assert_eq!((store.identity().unwrap(), store.workflows().unwrap()), (identity, log));
}

#[test]
fn writing_beside_a_runner_is_noticed() {
    let (_folder, path) = place();
    let mut runner = SqliteStore::open(&path).unwrap();
    let mut beside = SqliteStore::open_beside(&path).unwrap();
    assert!(!runner.changed_outside().unwrap());
    beside.begin().unwrap();
    beside.insert_contact(&contact("ada"), 1).unwrap();
    beside.push_inbox(&InboxItem::Contacts(vec![ContactId(1)]), 1).unwrap();
    assert!(!runner.changed_outside().unwrap());
    beside.commit().unwrap();
    assert!(runner.changed_outside().unwrap());
    assert!(!runner.changed_outside().unwrap());
    assert_eq!(runner.inbox(9).unwrap().len(), 1);
    // And the other way round: the queues beside follow the runner.
    assert_eq!(beside.next_due_run().unwrap(), None);
    runner.begin().unwrap();
    let workflow = runner.workflow_id("welcome").unwrap();
    runner.insert_run(&run(workflow, ContactId(1), "", Some(7))).unwrap();
    runner.commit().unwrap();
    assert_eq!(beside.next_due_run().unwrap(), Some(7));
    assert!(beside.changed_outside().unwrap());
}

#[test]
fn beside_needs_a_store_of_this_layout() {
    let (folder, path) = place();
    let error = |path: &Path| match SqliteStore::open_beside(path).err() {
        Some(StoreError::Backend { source, .. }) => source.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(error(&path).contains("there is no store"));
    assert!(!path.exists());
    assert!(error(folder.path()).contains("there is no store"));
}

#[test]
fn a_newer_layout_is_refused() {
    let (_folder, path) = place();
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for refused in [SqliteStore::open(&path), SqliteStore::open_beside(&path)] {
        assert!(matches!(refused.err(), Some(StoreError::Newer(_, 99))));
    }
}

#[test]
fn another_programs_database_is_left_alone() {
    let (folder, _) = place();
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(SqliteStore::open(&path).err(), Some(StoreError::Damaged { .. })));
    let tables: i64 =
        Connection::open(&path).unwrap().query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
}

#[test]
fn unreadable_rows_are_reported_as_damage() {
    let mut store = SqliteStore::in_memory().unwrap();
    store.begin().unwrap();
    let ada = store.insert_contact(&contact("ada"), 1).unwrap();
    let workflow = store.workflow_id("welcome").unwrap();
    let id = store.insert_run(&run(workflow, ada, "", None)).unwrap().unwrap();
    store.commit().unwrap();
    store.db.conn.execute_batch("UPDATE contacts SET attributes = '{'; UPDATE runs SET state = '[]'").unwrap();
    assert!(matches!(store.contact(ada), Err(StoreError::Damaged { what: "contact", .. })));
    assert!(matches!(store.run(id), Err(StoreError::Damaged { what: "run", .. })));
}

/// A full disk in the middle of a transaction, as SQLite reports it.
#[test]
fn a_full_disk_undoes_the_transaction_in_memory_too() {
    let (_folder, path) = place();
    let mut store = SqliteStore::open(&path).unwrap();
    store.begin().unwrap();
    let ada = store.insert_contact(&contact("ada"), 1).unwrap();
    let workflow = store.workflow_id("welcome").unwrap();
    store.insert_run(&run(workflow, ada, "kept", Some(20))).unwrap();
    store.commit().unwrap();
    let pages: i64 = store.db.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = |store: &SqliteStore, pages: i64| store.db.conn.pragma_update(None, "max_page_count", pages).unwrap();
    limit(&store, pages);
    store.begin().unwrap();
    store.insert_run(&run(workflow, ada, "small", Some(10))).unwrap();
    let full = store.insert_run(&run(workflow, ada, &"x".repeat(1 << 20), Some(5)));
    assert!(matches!(full, Err(StoreError::Backend { doing: "write a run", .. })));
    store.rollback();
    assert_eq!(store.next_due_run().unwrap(), Some(20));
    limit(&store, 1 << 30);
    store.begin().unwrap();
    store.insert_run(&run(workflow, ada, "small", Some(10))).unwrap().unwrap();
    store.commit().unwrap();
    assert_eq!(store.next_due_run().unwrap(), Some(10));
}

/// SQLite undoes a transaction by itself after some errors; nothing may be written after that as if it went on.
#[test]
fn nothing_is_written_after_sqlite_gave_up_the_transaction() {
    let mut store = SqliteStore::in_memory().unwrap();
    store.begin().unwrap();
    let ada = store.insert_contact(&contact("ada"), 1).unwrap();
    let workflow = store.workflow_id("welcome").unwrap();
    store.insert_run(&run(workflow, ada, "", Some(1))).unwrap();
    store.db.conn.execute_batch("ROLLBACK").unwrap();
    assert!(store.insert_contact(&contact("bob"), 1).is_err());
    assert!(store.commit().is_err());
    assert_eq!(store.next_due_run().unwrap(), None);
    assert_eq!(store.contact_id("bob").unwrap(), None);
    store.begin().unwrap();
    assert_eq!(store.workflow_id("welcome").unwrap(), workflow);
    store.commit().unwrap();
}

#[test]
fn erased_data_is_in_no_file() {
    let (_folder, path) = place();
    let mut store = SqliteStore::open(&path).unwrap();
    store.begin().unwrap();
    let ada = with_everything(&mut store, "ada-lovelace");
    with_everything(&mut store, "bo-ek-junior");
    store.commit().unwrap();
    let found = |name: &str| -> Vec<String> {
        let wal = path.with_extension("db-wal");
        let bytes = [std::fs::read(&path).unwrap(), std::fs::read(wal).unwrap_or_default()].concat();
        let held = |text: &String| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        WHERE.iter().map(|place| format!("{place} of {name}")).filter(|text| held(text)).collect()
    };
    assert_eq!(found("ada-lovelace").len(), WHERE.len());
    store.begin().unwrap();
    store.erase_contact(ada, 2).unwrap();
    store.commit().unwrap();
    assert_eq!(found("ada-lovelace"), [] as [&str; 0]);
    assert_eq!(found("bo-ek-junior").len(), WHERE.len());
}

/// What is stored of a person in this test, each place with a text of its own.
const WHERE: [&str; 14] = [
    "id",
    "email",
    "phone",
    "locale",
    "zone",
    "attribute",
    "trait",
    "alias",
    "property",
    "event id",
    "subject",
    "recipient",
    "error",
    "enrolment",
];

/// A contact with each of [`WHERE`].
fn with_everything(store: &mut SqliteStore, name: &str) -> ContactId {
    let text = |place: &str| format!("{place} of {name}");
    let object = |place: &str| serde_json::Map::from_iter([("x".to_owned(), text(place).into())]);
    let contact = Contact {
        email: Some(text("email")),
        phone: Some(text("phone")),
        locale: Some(text("locale")),
        time_zone: Some(text("zone")),
        attributes: object("attribute").into(),
        ..Contact::new(&text("id"))
    };
    let id = store.insert_contact(&contact, 1).unwrap();
    let traits = serde_json::Value::Object(object("trait")).to_string();
    store.db.write("test", "UPDATE contacts SET traits = ?2 WHERE id = ?1", rusqlite::params![id.0, traits]).unwrap();
    store.set_alias(&text("alias"), id).unwrap();
    store.set_listed(id, "beta", true, 1).unwrap();
    let event = NewEvent {
        contact: id,
        name: "order".to_owned(),
        at: 1,
        properties: object("property"),
        uid: Some(text("event id")),
        message: None,
    };
    store.insert_event(&event, 1).unwrap();
    let workflow = store.workflow_id("welcome").unwrap();
    let message = Message {
        id: MessageId(0),
        run: RunId(1),
        contact: id,
        workflow,
        definition: DefinitionId(1),
        step: "send".to_owned(),
        visit: 1,
        template: "hello".to_owned(),
        channel: "email".to_owned(),
        topic: None,
        marketing: true,
        status: MessageStatus::Failed,
        to: Some(text("recipient")),
        subject: Some(text("subject")),
        attempts: 1,
        error: Some(text("error")),
        created_at: 1,
        due: 1,
        taken_at: None,
        at: 1,
        capped_at: None,
    };
    let message = store.insert_message(&message).unwrap();
    let message = Message { to: Some(text("recipient")), ..store.message(message).unwrap().unwrap() };
    store.update_message(&message).unwrap();
    let item = InboxItem::Enroll { workflow: "welcome".to_owned(), contact: id, with: object("enrolment") };
    store.push_inbox(&item, 1).unwrap();
    id
}

#[test]
fn a_store_in_memory_is_the_same_each_time() {
    let make = || {
        let mut store = SqliteStore::in_memory().unwrap();
        store.begin().unwrap();
        let ada = store.insert_contact(&contact("ada"), 1).unwrap();
        store.erase_contact(ada, 2).unwrap();
        store.commit().unwrap();
        (store.identity().unwrap(), store.contact(ada).unwrap())
    };
    assert_eq!(make(), make());
    assert_eq!(make().0, "simulation");
}

#[test]
fn zones_are_found_by_index() {
    let store = SqliteStore::in_memory().unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = store.db.conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
        rows.map(|row| row.unwrap()).collect::<Vec<_>>().join("; ")
    };
    let check = |sql: &str, index: &str| {
        let plan = plan(sql);
        assert!(plan.contains(index) && !plan.contains("SCAN") && !plan.contains("TEMP"), "{sql}: {plan}");
    };
    check("SELECT id FROM contacts WHERE time_zone IS 'x' AND id > 5 AND erased = 0 ORDER BY id LIMIT 1", "contacts_zone");
    check("SELECT id, at FROM events WHERE contact = 1 AND name = 2 AND at >= 3 ORDER BY at, id", "events_contact");
    check("SELECT id FROM runs WHERE contact = 1 AND closed = 0", "runs_contact");
    check("SELECT id FROM runs WHERE contact = 1 AND workflow = 1 AND key = 'x'", "runs_contact");
}
