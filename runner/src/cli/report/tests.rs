//! Reports of a store that something happened in.

use serde_json::{Value, json};

use super::figures::Report;
use super::{html, human};
use crate::state::{
    Assignment, Contact, EventId, Mark, Measured, Message, MessageStatus, NewEvent, Run, RunId, RunState, Stage, WorkflowId,
};
use crate::store::{SqliteStore, Store, WorkflowRow};

const WORKFLOW: &str = "workflow: w
trigger: { event: e }
goal: { event: bought, within: 7 days, value: event.total }
steps:
  - experiment: subject
    variants:
      question: { weight: 45, steps: [{ send: { subject: A, text: A }, id: send-a, transactional: true }] }
      plain: { weight: 45, steps: [{ send: { subject: B, text: B }, id: send-b, transactional: true }] }
      none: { weight: 10 }
    winner: { metric: clicked, after: 200, confidence: 95% }
";

fn put_in_force(store: &mut SqliteStore) -> WorkflowId {
    let settings = "project: shop\ntime_zone: UTC\ncontract: open\ntracking: { clicks: true }\n".to_owned();
    let files = dsl::ProjectFiles::from_texts([("campaignd.yaml", settings), ("workflows/w.yaml", WORKFLOW.to_owned())]);
    let compiled = dsl::compile(&files);
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    let entry = &catalog.workflows["w"];
    let id = store.workflow_id("w").unwrap();
    let definition = store.put_definition(id, &entry.hash.0, &entry.canonical, 0).unwrap();
    let row = WorkflowRow { id, name: "w".to_owned(), definition: Some(definition), status: "live".to_owned(), paused: false };
    store.set_workflow(&row).unwrap();
    id
}

/// So many contacts of a variant, of whom so many click and so many buy.
fn variant(store: &mut SqliteStore, workflow: WorkflowId, variant: &str, contacts: usize, clicked: usize, bought: usize) {
    for number in 0..contacts {
        let contact = store.insert_contact(&Contact::new(&format!("{variant}-{number}")), 0).unwrap();
        let mark = Mark(0, EventId(0));
        let assignment = Assignment {
            contact,
            workflow,
            experiment: "subject".to_owned(),
            variant: variant.to_owned(),
            at: 1,
            measured: Some(Measured::new(RunId(1), Some(mark))),
        };
        store.assign(&assignment).unwrap();
        if number < clicked {
            store.reached(&assignment, dsl::model::Metric::Clicked, 5, None).unwrap();
        }
        if number < bought {
            store.reached(&assignment, dsl::model::Metric::Goal, 5, Some(10.0)).unwrap();
        }
    }
}

fn message(store: &mut SqliteStore, workflow: WorkflowId, step: &str, status: MessageStatus, error: Option<&str>) {
    let contact = store.insert_contact(&Contact::new(&format!("m-{step}-{status:?}-{error:?}")), 0).unwrap();
    let mark = Mark(0, EventId(0));
    let state = RunState {
        visit: 1,
        logged: 0,
        stage: Stage::Ready,
        began: mark,
        since: mark,
        event: None,
        vars: Default::default(),
        passes: Default::default(),
        depth: 0,
        goal_met: false,
    };
    let definition = store.workflows().unwrap()[0].definition.unwrap();
    let run = Run {
        id: RunId(0),
        contact,
        workflow,
        definition,
        key: String::new(),
        entered_at: 0,
        step: step.to_owned(),
        state,
        due: None,
        ended: None,
    };
    let run = store.insert_run(&run).unwrap().unwrap();
    let mut row = a_message(run, contact, workflow, definition, step);
    row.status = status;
    row.error = error.map(str::to_owned);
    let id = store.insert_message(&row).unwrap();
    if status == MessageStatus::Sent {
        let event = |name: &str| NewEvent {
            contact,
            name: name.to_owned(),
            at: 5,
            properties: Default::default(),
            uid: None,
            message: Some(id),
        };
        store.insert_event(&event("message_delivered"), 5).unwrap();
        store.insert_event(&event("message_opened"), 5).unwrap();
    }
}

fn a_message(
    run: RunId,
    contact: crate::state::ContactId,
    workflow: WorkflowId,
    definition: crate::state::DefinitionId,
    step: &str,
) -> Message {
    Message {
        id: crate::state::MessageId(0),
        run,
        contact,
        workflow,
        definition,
        step: step.to_owned(),
        visit: 1,
        template: step.to_owned(),
        channel: "email".to_owned(),
        topic: None,
        marketing: true,
        status: MessageStatus::Queued,
        to: None,
        subject: None,
        attempts: 0,
        error: None,
        created_at: 0,
        due: 0,
        taken_at: None,
        at: 0,
        capped_at: None,
    }
}

/// With so many contacts, clicks and goals in question, plain and none.
fn report(variants: [(usize, usize, usize); 3]) -> Report {
    let mut store = SqliteStore::in_memory().unwrap();
    store.begin().unwrap();
    let workflow = put_in_force(&mut store);
    for (name, (contacts, clicked, bought)) in ["question", "plain", "none"].into_iter().zip(variants) {
        variant(&mut store, workflow, name, contacts, clicked, bought);
    }
    for step in ["send-b", "send-a", "gone"] {
        message(&mut store, workflow, step, MessageStatus::Sent, None);
    }
    message(&mut store, workflow, "send-a", MessageStatus::Skipped, Some("capped"));
    for (what, number) in [("entered", 10), ("exit:completed", 6), ("exit:goal", 3), ("goal", 4)] {
        store.count(workflow, what, number).unwrap();
    }
    store.add_goal_value(workflow, 40.5).unwrap();
    store.commit().unwrap();
    let mut report = Report::empty("shop", 0, &jiff::tz::TimeZone::UTC);
    report.read(&mut store, None, 7, &jiff::tz::TimeZone::UTC).unwrap();
    report
}

/// Looks up a value by the names and numbers on the way to it.
#[track_caller]
fn check(report: &Value, path: &str, expected: Value) {
    assert_eq!(report.pointer(path), Some(&expected), "{path} in {report:#}");
}

#[test]
fn json_has_the_fields_of_the_contract() {
    let report = serde_json::to_value(report([(120, 60, 12), (120, 12, 12), (20, 0, 1)])).unwrap();
    check(&report, "/project", json!("shop"));
    check(&report, "/at", json!("1970-01-01T00:00:00+00:00"));
    let w = |path: &str| format!("/workflows/0{path}");
    check(&report, &w("/entered"), json!(10));
    check(&report, &w("/active"), json!(1));
    check(&report, &w("/exited"), json!({ "goal": 3 }));
    check(&report, &w("/goal"), json!({ "met": 4, "rate": 0.4, "value": 40.5 }));
    // In the order of the steps; what is gone comes last.
    for (place, step) in ["send-a", "send-b", "gone"].into_iter().enumerate() {
        check(&report, &w(&format!("/messages/{place}/step")), json!(step));
    }
    check(&report, &w("/messages/0/skipped"), json!({ "capped": 1 }));
    check(&report, &w("/messages/1/delivered"), json!(1));
    check(&report, &w("/messages/1/opened"), json!(1));
    let e = |path: &str| w(&format!("/experiments/0{path}"));
    check(&report, &e("/assigned"), json!(260));
    check(&report, &e("/variants/0/clicked/lift"), Value::Null);
    check(&report, &e("/variants/1/clicked/lift/against"), json!("question"));
    check(&report, &e("/variants/1/clicked/lift/difference"), json!(-0.4));
    check(&report, &e("/variants/1/clicked/lift/relative"), json!(-0.8));
    check(&report, &e("/variants/0/goal/lift/against"), json!("none"));
    check(&report, &e("/variants/2/goal/lift"), Value::Null);
    check(&report, &e("/variants/2/clicked/lift"), Value::Null);
    check(&report, &e("/variants/2/holdout"), json!(true));
    check(&report, &e("/variants/0/value"), json!(120.0));
    check(&report, &e("/winner/variant"), json!("question"));
    check(&report, &e("/winner/at"), Value::Null);
    check(&report, &e("/winner/method"), json!("z_test"));
    check(&report, &e("/winner/figures/1"), json!({ "variant": "plain", "assigned": 120, "reached": 12 }));
    check(&report, &e("/contest/missing"), Value::Null);
}

#[test]
fn says_what_is_missing() {
    let missing = |variants| {
        let report = serde_json::to_value(report(variants)).unwrap();
        let experiment = &report["workflows"][0]["experiments"][0];
        assert_eq!(experiment["winner"], Value::Null);
        experiment["contest"]["missing"].as_str().unwrap().to_owned()
    };
    assert_eq!(missing([(80, 40, 0), (80, 10, 0), (20, 0, 0)]), "180 of 200 contacts");
    assert_eq!(missing([(120, 2, 0), (120, 1, 0), (20, 0, 0)]), "3 of 4 clicks for the next look");
    assert_eq!(missing([(120, 30, 0), (120, 28, 0), (20, 0, 0)]), "no difference that is sure enough");
}

#[test]
fn people_read_it_too() {
    let report = report([(120, 60, 12), (120, 12, 12), (20, 0, 1)]);
    let mut out = Vec::new();
    human::write(&mut out, &report, false).unwrap();
    let text = String::from_utf8(out).unwrap();
    for expected in [
        "w (live)\n  entered 10, active 1, completed 6, goal 3\n  goal 4 (40.0%), worth 40.50\n",
        "capped 1",
        "none (hold-out)",
        "-40.0 points (",
        "winner: question, by clicks; everybody gets it from the next contact on",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let mut out = Vec::new();
    human::write(&mut out, &Report::empty("shop", 0, &jiff::tz::TimeZone::UTC), false).unwrap();
    assert!(String::from_utf8(out).unwrap().starts_with("nothing has run yet"));
}

/// Nothing from elsewhere, nothing that runs, and names stay text.
#[test]
fn the_page_stands_alone() {
    let mut report = report([(120, 60, 12), (120, 12, 12), (20, 0, 1)]);
    let hostile = "<script>alert('x')</script>\"";
    report.project = hostile.to_owned();
    report.workflows[0].name = hostile.to_owned();
    report.workflows[0].messages[0].template = hostile.to_owned();
    report.workflows[0].experiments[0].name = hostile.to_owned();
    report.workflows[0].experiments[0].variants[0].name = hostile.to_owned();
    let page = html::page(&report);
    for never in ["<script", "http://", "https://", "src=", "url(", "@import"] {
        assert!(!page.contains(never), "{never}");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;"));
    for tag in ["svg", "table", "section", "div", "tr", "th", "td", "text", "g"] {
        let (opened, closed) = (
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count(),
            page.matches(&format!("</{tag}>")).count(),
        );
        assert_eq!(opened, closed, "{tag}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("role=\"img\" aria-label=").count());
}
