//! Small projects and their tests: what passes, what fails, and what is said about it.

use std::sync::Arc;

use dsl::ProjectFiles;

use super::report::{Told, human, json, junit};
use super::*;

const SETTINGS: &str = "project: shop
time_zone: Europe/Berlin
url: https://shop.example
contract: open
topics: { offers: { default: subscribed } }
channels:
  email: { from: shop@shop.example, deliver: \"outbox:outbox/\" }
";

const WORKFLOW: &str = "workflow: w
status: draft
trigger: { event: signed_up }
reentry: always
topic: offers
steps:
  - send: hello
  - wait: 1 hour
  - branch:
      - when: { segment: vip }
        steps: [ send: hello ]
  - start: other
";

const OTHER: &str = "workflow: other
trigger: [{ manual: true }, { segment: beta }]
reentry: always
steps:
  - experiment: greeting
    variants:
      loud: { weight: 1, steps: [ { send: hello, transactional: true, id: loud } ] }
      none: { weight: 0 }
segments:
  vip: { contact.points: { above: 5 } }
  beta: { list: true }
";

const HELLO: &str =
    "---\nsubject: Hello {{contact.name}}\n---\n<p>A fine\nday &amp; night</p><a href=\"{{unsubscribe_url}}\">No more</a>";

fn files(tests: &str) -> ProjectFiles {
    ProjectFiles::from_texts([
        ("campaignd.yaml", SETTINGS),
        ("workflows/w.yaml", WORKFLOW),
        ("workflows/other.yaml", OTHER),
        ("templates/hello.html.hbs", HELLO),
        ("tests/w.test.yaml", tests),
    ])
}

/// What comes of a file's tests, with the coverage of its project, as people see it.
struct Done {
    text: String,
    json: serde_json::Value,
    junit: String,
}

fn done(tests: &str, snapshots: &Snapshots) -> Done {
    let files = files(tests);
    let compiled = dsl::compile(&files);
    let catalog = compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    let wrong: Vec<_> = compiled.diagnostics.iter().filter(|found| found.location.file.starts_with("tests/")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let plans = Plans::new(Arc::new(catalog)).unwrap();
    let chosen: Vec<_> =
        compiled.tests.iter().flat_map(|suite| suite.journeys.iter().map(move |journey| (suite, journey))).collect();
    let outcomes = perform(&chosen, &plans, snapshots);
    let again = perform(&chosen, &plans, snapshots);
    for (one, two) in outcomes.iter().zip(&again) {
        assert_eq!((&one.rows, &one.lines), (&two.rows, &two.lines), "the same test gives the same");
    }
    let covered = coverage(plans.catalog(), &outcomes, plans.catalog().workflows.keys().map(String::as_str));
    let (written, stale) = (snapshots.written().unwrap(), snapshots.stale());
    let told =
        Told { outcomes: &outcomes, diagnostics: &[], files: &files, coverage: Some(&covered), written: &written, stale: &stale };
    Done { text: human(&told, true, false), json: serde_json::from_str(&json(&told).unwrap()).unwrap(), junit: junit(&told) }
}

fn nowhere() -> Snapshots {
    Snapshots::new(std::path::Path::new("nowhere"), None, false)
}

/// The problems of one test, in order; none: it passed.
#[track_caller]
fn check(rest: &str, expect: &str, expected: &[&str]) {
    let given = if rest.contains("given:") { "" } else { "    given: { contact: { id: ada, email: ada@x.de, name: Ada } }\n" };
    let text = format!(
        "workflow: w\nstart: 2026-03-28T12:00\ntests:\n  - name: x\n{given}{rest}    timeline: [{{ at: 0m, event: signed_up }}]\n    expect: [ {expect} ]\n"
    );
    let done = done(&text, &nowhere());
    let problems = done.json["tests"][0]["problems"].as_array().unwrap();
    let problems: Vec<&str> = problems.iter().map(|problem| problem["message"].as_str().unwrap()).collect();
    assert_eq!(problems, expected, "{}", done.text);
}

const FINE: &str = "{ at: 0m, send: hello }, { at: 1h, exit: completed }";

#[test]
fn messages_and_the_end_must_be_listed() {
    check("", FINE, &[]);
    check(
        "",
        "{ send: hello, subject: Hello Ada, body: [fine day, '&amp;', '& night'], to: ada@x.de, channel: email }, { exit: completed }",
        &[],
    );
    check("", "{ send: hello }", &["this is not expected: exit completed at 1h"]);
    check("", "{ exit: completed }", &["this is not expected: send hello at 0m"]);
    check("", "", &["this is not expected: send hello at 0m", "this is not expected: exit completed at 1h"]);
    check("    until: 30m\n", "{ send: hello }", &[]);
    check("", "{ send: hello }, { send: hello, at: 1h }, { exit: completed }", &["this did not happen: { send: hello, at: 1h }"]);
    check(
        "",
        "{ exit: completed }, { send: hello }",
        &["this is not expected: send hello at 0m", "this did not happen: { send: hello }"],
    );
}

#[test]
fn what_is_said_of_them_must_be_so() {
    check(
        "",
        "{ at: 1m, send: hello }, { between: [2h, 3h], exit: goal, detail: x }",
        &[
            "it came at 0m, not at 1m",
            "it came at 1h, not between 2h and 3h",
            "the reason is `completed`, not `goal`",
            "the detail is missing, not `x`",
        ],
    );
    check(
        "",
        "{ send: hello, subject: Bo, body: nowhere, to: bo@x.de, status: failed }, { exit: completed }",
        &[
            "it is sent; expected is failed",
            "its address is `ada@x.de`, not `bo@x.de`",
            "its subject is “Hello Ada”, in which “Bo” does not stand",
            "“nowhere” stands neither in its text nor in its HTML",
        ],
    );
    check(
        "    given: { contact: { id: ada, email: ada@x.de, name: Ada }, channels: { email: [\"550 5.7.1 spam\"] } }\n",
        FINE,
        &["it is failed: 550 5.7.1 spam; expected is sent"],
    );
    check("    given: { contact: { id: ada, email: ada@x.de } }\n", "{ send: hello, status: failed }, { exit: completed }", &[]);
}

#[test]
fn the_rest_may_be_listed_and_with_steps_must() {
    check("", "{ at: 0m, enter: true }, { send: hello }, { branch: branch, taken: none }, { exit: completed }", &[]);
    check(
        "",
        "{ send: hello }, { wait: wait-1-hour, until: 2h }, { branch: branch, taken: 1 }, { exit: completed }",
        &["its `until` is \"2026-03-28T13:00:00+01:00\", not 2h from the start", "its `taken` is null, not 1"],
    );
    check(
        "    steps: true\n",
        FINE,
        &[
            "this is not expected: wait wait-1-hour until 1h at 0m",
            "this is not expected: branch branch, taken none at 1h",
            "this is not expected: start start-other at 1h",
        ],
    );
    let all = "{ step: send-hello }, { step: wait-1-hour }, { step: branch }, { start: start-other }, { exit: completed }";
    check("    steps: true\n", all, &[]);
    check("    given: { contact: { id: ada } }\n", "{ skip: hello, reason: no_address }, { exit: completed }", &[]);
    check(
        "    given: { contact: { id: ada } }\n",
        "{ skip: hello, reason: capped }, { exit: completed }",
        &["its reason is `no_address`, not `capped`"],
    );
    check("    given: { contact: { id: ada } }\n", "{ exit: completed }", &[]);
}

#[test]
fn other_workflows_count_when_they_are_asked_for() {
    check("", "{ send: hello, workflow: w }, { exit: completed, workflow: w }", &[]);
    let entered = "{ enter: true, workflow: other, at: 1h }";
    check("", &format!("{{ send: hello }}, {{ exit: completed }}, {entered}"), &[]);
    check("", &format!("{{ send: hello }}, {entered}, {{ exit: completed }}"), &[&format!("this did not happen: {entered}")]);
    let theirs = "{ send: hello, workflow: other, step: loud }, { exit: completed }";
    check("    workflows: all\n", &format!("{{ send: hello }}, {{ exit: completed }}, {theirs}"), &[]);
    check(
        "    workflows: all\n",
        FINE,
        &["this is not expected: send hello in other at 1h", "this is not expected: exit completed in other at 1h"],
    );
}

#[test]
fn segments_are_what_the_test_says() {
    let given =
        |segments: &str| format!("    given: {{ contact: {{ id: ada, email: ada@x.de, name: Ada }}, segments: [{segments}] }}\n");
    check(&given("vip"), "{ send: hello }, { at: 1h, send: hello, step: send-hello-2 }, { exit: completed }", &[]);
    // Being on the list from before starts nothing.
    let listed = format!("    workflows: all\n    until: 30m\n{}", given("beta"));
    check(&listed, "{ send: hello }", &[]);
}

#[test]
fn a_failure_is_shown_at_its_line_with_both_timelines() {
    let text = "workflow: w
start: 2026-03-28T12:00
tests:
  - name: no mail at all
    given: { contact: { id: ada, email: ada@x.de, name: Ada } }
    timeline: [{ at: 0m, event: signed_up }]
    expect:
      - { at: 0m, send: hello, subject: Bye }
      - { at: 2h, exit: completed }
  - name: nobody
    given: { contact: { id: ada } }
    expect:
      - { send: hello }
  - name: fine
    given: { contact: { id: ada } }
    expect: []
";
    let done = done(text, &nowhere());
    let expected = "\
tests/w.test.yaml
  FAIL  no mail at all
  FAIL  nobody
  ok    fine

error[test-failed]: no mail at all: its subject is “Hello Ada”, in which “Bye” does not stand
 --> tests/w.test.yaml:8:9
  |
8 |       - { at: 0m, send: hello, subject: Bye }
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
";
    assert!(done.text.starts_with(expected), "{}", done.text);
    for line in [
        "     expected                       actual",
        "                                    0m          enter  (03-28 12:00)",
        "   ! 0m  send: hello, subject: Bye  0m          send hello  (03-28 12:00)",
        "       its subject is “Hello Ada”, in which “Bye” does not stand",
        "   ! 2h  exit: completed            1h          exit completed  (03-28 13:00)",
        "       it came at 1h, not at 2h",
        "     nobody entered w: look at its trigger, its audience and its reentry",
        "w              4 of 5       1 of 2",
        "1 passed, 2 failed; the tests reach",
        "no test reaches workflows/w.yaml:9: branch, taken 1",
    ] {
        assert!(done.text.contains(line), "{line}\n{}", done.text);
    }
    assert!(done.junit.contains("<testsuites name=\"campaignd test\" tests=\"3\" failures=\"2\" errors=\"0\""), "{}", done.junit);
    assert!(
        done.junit.contains("<testcase name=\"nobody\" classname=\"w\" file=\"tests/w.test.yaml\" line=\"10\""),
        "{}",
        done.junit
    );
    let rows = &done.json["tests"][0]["timeline"];
    assert_eq!(rows[1]["verdict"], "differs");
    assert_eq!(rows[1]["expected"]["line"], 8);
    assert_eq!((&rows[1]["actual"]["after"], &rows[1]["actual"]["subject"]), (&"0m".into(), &"Hello Ada".into()));
}

#[test]
fn snapshots_are_compared_and_written() {
    let root = tempfile::tempdir().unwrap();
    let text = "workflow: w
start: 2026-03-28T12:00
tests:
  - name: x
    given: { contact: { id: ada, email: ada@x.de, name: NAME } }
    timeline: [{ at: 0m, event: signed_up }]
    expect: [{ send: hello, snapshot: first }, { exit: completed }]
";
    let at = |name: &str, update: bool| {
        let snapshots = Snapshots::new(root.path(), Some("https://shop.example"), update);
        let done = done(&text.replace("NAME", name), &snapshots);
        let problem = done.json["tests"][0]["problems"][0]["message"].as_str().unwrap_or_default().to_owned();
        (problem, done.json["snapshots"]["written"].clone(), done.json["snapshots"]["stale"].clone())
    };
    let path = "tests/snapshots/w/first.txt";
    assert!(at("Ada", false).0.starts_with(&format!("there is no snapshot {path} yet")));
    assert_eq!(at("Ada", true), (String::new(), serde_json::json!([path]), serde_json::json!([])));
    assert_eq!(at("Ada", false).0, "");
    let kept = std::fs::read_to_string(root.path().join(path)).unwrap();
    assert!(kept.starts_with("Channel: email\nTo: ada@x.de\nSubject: Hello Ada\n\n--- text\nA fine day & night"), "{kept}");
    assert!(kept.contains("<a href=\"https://shop.example/u/TOKEN\">"), "{kept}");
    let (problem, ..) = at("Bo", false);
    assert!(
        problem.starts_with(&format!("it is not as in {path}: line 3 was “Subject: Hello Ada” and is “Subject: Hello Bo”")),
        "{problem}"
    );
    assert_eq!(at("Bo", true).1, serde_json::json!([path]));
    std::fs::write(root.path().join("tests/snapshots/w/old.txt"), "x").unwrap();
    assert_eq!(at("Bo", false).2, serde_json::json!(["tests/snapshots/w/old.txt"]));
}
