//! Workflows and definitions.

use super::*;

pub(super) fn workflows(store: &mut dyn Store) {
    let welcome = new_workflow(store, "welcome");
    let other = new_workflow(store, "other");
    assert_ne!(welcome, other);
    assert_eq!(new_workflow(store, "welcome"), welcome);
    // Known names need no transaction.
    assert_eq!(store.workflow_id("other").unwrap(), other);
    assert_eq!(store.workflow_name(welcome).unwrap().as_deref(), Some("welcome"));
    assert_eq!(store.workflow_name(WorkflowId(99)).unwrap(), None);
    let mut rows = store.workflows().unwrap();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.definition.is_none() && !row.paused));
    rows[0].definition = Some(DefinitionId(4));
    rows[0].status = "paused".to_owned();
    rows[0].paused = true;
    within(store, |store| store.set_workflow(&rows[0]).unwrap());
    assert_eq!(store.workflows().unwrap(), rows);
    within(store, |store| assert!(store.set_workflow(&WorkflowRow { id: WorkflowId(99), ..rows[0].clone() }).is_err()));
}

pub(super) fn definitions_by_hash(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    within(store, |store| {
        let first = store.put_definition(workflow, "h1", "{1}", T).unwrap();
        let second = store.put_definition(workflow, "h2", "{2}", T).unwrap();
        assert_ne!(first, second);
        assert_eq!(store.put_definition(workflow, "h1", "{1}", T + 1).unwrap(), first);
        assert_eq!(store.definition(first).unwrap().as_deref(), Some("{1}"));
        assert_eq!(store.definition(second).unwrap().as_deref(), Some("{2}"));
        assert_eq!(store.definition(DefinitionId(99)).unwrap(), None);
    });
}

pub(super) fn files_stay_while_something_names_them(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    within(store, |store| {
        for (hash, bytes) in [("hash-aa", &b"one"[..]), ("hash-bb", b"\0\xff"), ("hash-cc", b""), ("hash-aa", b"one")] {
            store.put_asset(hash, bytes).unwrap();
        }
        let definition = store.put_definition(workflow, "h", "{\"sha256\":\"hash-aa\"}", T).unwrap();
        let mut row = store.workflows().unwrap().remove(0);
        row.definition = Some(definition);
        store.set_workflow(&row).unwrap();
        store.set_property("last_good", "{\"asset:x\":\"hash-bb\"}").unwrap();
        assert_eq!(store.asset("hash-bb").unwrap().as_deref(), Some(&b"\0\xff"[..]));
        assert_eq!(store.asset("hash-cc").unwrap().as_deref(), Some(&b""[..]));
        store.drop_unused_definitions().unwrap();
    });
    let kept = ["hash-aa", "hash-bb", "hash-cc"].map(|hash| store.asset(hash).unwrap().is_some());
    assert_eq!(kept, [true, true, false]);
}

pub(super) fn unused_definitions_go(store: &mut dyn Store) {
    let workflow = new_workflow(store, "welcome");
    let contact = new_contact(store, "ada");
    let ids: Vec<DefinitionId> = within(store, |store| {
        (0..6).map(|number| store.put_definition(workflow, &number.to_string(), "{}", T).unwrap()).collect()
    });
    let mut row = store.workflows().unwrap().remove(0);
    row.definition = Some(ids[0]);
    let open = new_run(store, &Run { definition: ids[1], ..a_run(contact, workflow, "open") });
    let over = new_run(store, &Run { definition: ids[2], ..a_run(contact, workflow, "over") });
    for (number, status) in [(3, MessageStatus::Queued), (4, MessageStatus::Sending), (5, MessageStatus::Failed)] {
        new_message(store, &Message { definition: ids[number], status, ..a_message(&open, "hello") });
    }
    within(store, |store| {
        store.set_workflow(&row).unwrap();
        store.update_run(&ended(&over, T, EndReason::Completed)).unwrap();
        assert_eq!(store.drop_unused_definitions().unwrap(), 2);
    });
    let mut kept = ids.iter().map(|id| store.definition(*id).unwrap().is_some());
    assert!(kept.by_ref().eq([true, true, false, true, true, false]));
    // An id that ended runs refer to never comes to mean something else.
    let next = within(store, |store| store.put_definition(workflow, "new", "{}", T).unwrap());
    assert!(!ids.contains(&next));
}
