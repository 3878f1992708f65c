//! Runs and their log.

use serde_json::json;

use super::*;

fn place(store: &mut dyn Store) -> (ContactId, WorkflowId) {
    (new_contact(store, "ada"), new_workflow(store, "welcome"))
}

pub(super) fn round_trip(store: &mut dyn Store) {
    let (contact, workflow) = place(store);
    let stages =
        [Stage::Ready, Stage::Waiting(T), Stage::WaitingFor(None), Stage::WaitingFor(Some(T)), Stage::Sending(MessageId(8))];
    for (number, stage) in stages.into_iter().enumerate() {
        let mut run = a_run(contact, workflow, &number.to_string());
        run.due = Some(T + 1);
        run.state.stage = stage;
        run.state.event = Some(json!({ "total": 12.5 }));
        run.state.vars = map(json!({ "code": "X", "list": [null, 1] }));
        run.state.passes = [("repeat".to_owned(), Pass { done: 2, began: T })].into();
        run.state.goal_met = true;
        run.id = within(store, |store| store.insert_run(&run).unwrap().unwrap());
        assert_eq!(store.run(run.id).unwrap(), Some(run.clone()));
        run.definition = DefinitionId(9);
        run.step = "other".to_owned();
        run.due = None;
        run.state.vars = map(json!({ "code": "Y" }));
        within(store, |store| store.update_run(&run).unwrap());
        assert_eq!(store.run(run.id).unwrap(), Some(run));
    }
    assert_eq!(store.run(RunId(99)).unwrap(), None);
    within(store, |store| assert!(store.update_run(&Run { id: RunId(99), ..a_run(contact, workflow, "x") }).is_err()));
}

pub(super) fn one_open_run_by_key(store: &mut dyn Store) {
    let (ada, welcome) = place(store);
    let bob = new_contact(store, "bob");
    let other = new_workflow(store, "other");
    let mut check = |run: &Run, entered: bool| {
        let id = within(store, |store| store.insert_run(run).unwrap());
        assert_eq!(id.is_some(), entered, "{run:?}");
    };
    check(&a_run(ada, welcome, ""), true);
    check(&a_run(ada, welcome, ""), false);
    check(&a_run(ada, welcome, "order-1"), true);
    check(&a_run(ada, welcome, "order-1"), false);
    check(&a_run(bob, welcome, ""), true);
    check(&a_run(ada, other, ""), true);
    for _ in 0..3 {
        let open = store.run_history(ada, welcome, Some("")).unwrap().open.unwrap();
        let run = store.run(open).unwrap().unwrap();
        within(store, |store| {
            assert_eq!(store.insert_run(&run).unwrap(), None);
            store.update_run(&ended(&run, T, EndReason::Completed)).unwrap();
            assert!(store.insert_run(&run).unwrap().is_some());
        });
    }
}

pub(super) fn ended_keeps_its_counters(store: &mut dyn Store) {
    let (contact, workflow) = place(store);
    for (number, reason) in EndReason::ALL.into_iter().enumerate() {
        let mut run = a_run(contact, workflow, &number.to_string());
        run.state.event = Some(json!({ "secret": 1 }));
        run.state.goal_met = true;
        let mut run = new_run(store, &run);
        run.step = "last".to_owned();
        run.due = Some(T);
        run.state.visit = 12;
        run.state.logged = 34;
        run.ended = Some(Ended { at: T + 9, reason, detail: Some("asked for".to_owned()) });
        within(store, |store| store.update_run(&run).unwrap());
        let kept = store.run(run.id).unwrap().unwrap();
        assert_eq!(kept.ended, run.ended);
        assert_eq!((kept.step.as_str(), kept.due, &kept.key), ("last", None, &run.key));
        assert_eq!((kept.state.visit, kept.state.logged), (12, 34));
        assert_eq!((kept.state.event, kept.state.goal_met), (None, false));
    }
}

pub(super) fn ended_stays_ended(store: &mut dyn Store) {
    let (contact, workflow) = place(store);
    let run = new_run(store, &Run { due: Some(T), ..a_run(contact, workflow, "") });
    let over = ended(&run, T, EndReason::Goal);
    within(store, |store| store.update_run(&over).unwrap());
    within(store, |store| assert!(store.update_run(&run).is_err()));
    within(store, |store| store.update_run(&ended(&run, T + 1, EndReason::Exit)).unwrap());
    assert_eq!(store.run(run.id).unwrap().unwrap().ended.unwrap().reason, EndReason::Exit);
    assert_eq!(store.due_runs(i64::MAX, 9).unwrap(), []);
}

pub(super) fn inserted_ended(store: &mut dyn Store) {
    let (contact, workflow) = place(store);
    let run = ended(&Run { due: Some(T), ..a_run(contact, workflow, "") }, T, EndReason::Unreachable);
    let first = new_run(store, &run);
    let second = new_run(store, &run);
    assert_ne!(first.id, second.id);
    assert_eq!(first.ended, run.ended);
    assert_eq!(store.due_runs(i64::MAX, 9).unwrap(), []);
    assert_eq!(store.open_runs(contact).unwrap(), []);
}

pub(super) fn open_of_a_contact(store: &mut dyn Store) {
    let (ada, welcome) = place(store);
    let bob = new_contact(store, "bob");
    let other = new_workflow(store, "other");
    let first = new_run(store, &a_run(ada, other, "z"));
    new_run(store, &a_run(bob, welcome, ""));
    let second = new_run(store, &a_run(ada, welcome, "b"));
    let third = new_run(store, &a_run(ada, welcome, "a"));
    assert_eq!(store.open_runs(ada).unwrap(), [first, second.clone(), third.clone()]);
    within(store, |store| store.update_run(&ended(&second, T, EndReason::Goal)).unwrap());
    assert_eq!(store.open_runs(ada).unwrap().len(), 2);
}

pub(super) fn open_of_a_workflow_in_pages(store: &mut dyn Store) {
    let welcome = new_workflow(store, "welcome");
    let other = new_workflow(store, "other");
    let contacts = ["a", "b", "c"].map(|uid| new_contact(store, uid));
    let mut expected = Vec::new();
    for (contact, workflow, key) in
        [(2, welcome, ""), (1, welcome, "z"), (0, other, ""), (1, welcome, "y"), (0, welcome, ""), (1, welcome, "x")]
    {
        let run = new_run(store, &a_run(contacts[contact], workflow, key));
        if workflow == welcome && key != "y" {
            expected.push(run);
        } else if key == "y" {
            within(store, |store| store.update_run(&ended(&run, T, EndReason::Goal)).unwrap());
        }
    }
    expected.sort_by_key(|run| (run.contact, run.id));
    assert_eq!(store.open_runs_of(welcome, None, 99).unwrap(), expected);
    let mut after = None;
    for run in &expected {
        assert_eq!(store.open_runs_of(welcome, after, 1).unwrap(), std::slice::from_ref(run));
        after = Some((run.contact, run.id));
    }
    assert_eq!(store.open_runs_of(welcome, after, 1).unwrap(), []);
}

pub(super) fn history(store: &mut dyn Store) {
    let (ada, welcome) = place(store);
    let other = new_workflow(store, "other");
    assert_eq!(store.run_history(ada, welcome, None).unwrap(), RunHistory::default());
    let mut enter = |workflow, key: &str, at: i64, end: Option<EndReason>| {
        let run = new_run(store, &Run { entered_at: at, ..a_run(ada, workflow, key) });
        if let Some(reason) = end {
            within(store, |store| store.update_run(&ended(&run, at + 1, reason)).unwrap());
        }
        run.id
    };
    enter(welcome, "done", 30, Some(EndReason::Completed));
    enter(welcome, "done", 20, Some(EndReason::Completed));
    enter(welcome, "goal", 10, Some(EndReason::Goal));
    enter(welcome, "left", 40, Some(EndReason::ExitWhen));
    enter(other, "", 90, Some(EndReason::Completed));
    let open = enter(welcome, "open", 25, None);
    let mut check =
        |key: Option<&str>, expected: RunHistory| assert_eq!(store.run_history(ada, welcome, key).unwrap(), expected, "{key:?}");
    let row = |open, last_entered, completed, exited| RunHistory { open, last_entered: Some(last_entered), completed, exited };
    check(Some("done"), row(None, 30, true, false));
    check(Some("goal"), row(None, 10, true, false));
    check(Some("left"), row(None, 40, false, true));
    check(Some("open"), row(Some(open), 25, false, false));
    check(Some("nope"), RunHistory::default());
    check(None, row(Some(open), 40, true, true));
    for key in ["open", "nope"] {
        let history = store.run_history(ada, welcome, Some(key)).unwrap();
        let last = store.last_entry(ada, welcome, key).unwrap();
        assert_eq!((last.open, last.last_entered), (history.open, history.last_entered), "{key}");
    }
}

pub(super) fn active_by_step(store: &mut dyn Store) {
    let (ada, welcome) = place(store);
    let other = new_workflow(store, "other");
    for (workflow, key, step) in [(welcome, "1", "a"), (welcome, "2", "b"), (welcome, "3", "a"), (other, "4", "a")] {
        new_run(store, &Run { step: step.to_owned(), ..a_run(ada, workflow, key) });
    }
    let over = new_run(store, &a_run(ada, other, "5"));
    within(store, |store| store.update_run(&ended(&over, T, EndReason::Goal)).unwrap());
    let mut active = store.active().unwrap();
    active.sort();
    let row = |workflow, step: &str, number| (workflow, step.to_owned(), number);
    assert_eq!(active, [row(welcome, "a", 2), row(welcome, "b", 1), row(other, "a", 1)]);
}

pub(super) fn log(store: &mut dyn Store) {
    let entry = |run: i64, number: u32, kind: LogKind| LogEntry {
        run: RunId(run),
        number,
        at: T + i64::from(number),
        kind,
        step: if number == 0 { String::new() } else { "step".to_owned() },
        detail: if number == 1 { map(json!({ "until": 5, "why": "x" })) } else { Map::new() },
    };
    let entries: Vec<LogEntry> = LogKind::ALL.into_iter().zip(0..).map(|(kind, number)| entry(1, number, kind)).collect();
    within(store, |store| {
        store.log(&entry(2, 0, LogKind::Enter)).unwrap();
        for entry in entries.iter().rev() {
            store.log(entry).unwrap();
        }
    });
    store.begin().unwrap();
    assert!(store.log(&entries[0]).and_then(|()| store.commit()).is_err());
    store.rollback();
    assert_eq!(store.run_log(RunId(1)).unwrap(), entries);
    assert_eq!(store.run_log(RunId(2)).unwrap().len(), 1);
    assert_eq!(store.run_log(RunId(3)).unwrap(), []);
}
