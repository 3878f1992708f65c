//! Files of journey tests: what they are read as, and what is wrong with them.

use super::*;
use crate::model::journey::{Answer, Expected, Happening, When};

const SHOP: &str = "project: shop
time_zone: Europe/Berlin
topics:
  offers: { title: Offers, default: unsubscribed }
channels:
  email: { from: shop@shop.example }
  sms: { deliver: { post: \"https://sms.example/\", json: { text: \"{{body}}\" } } }
";

const WORKFLOW: &str = "workflow: cart
trigger: [ { event: cart_updated }, { manual: true } ]
topic: offers
steps:
  - send: welcome
  - experiment: subject
    variants:
      a: { weight: 1, steps: [ send: welcome ] }
      b: { weight: 1 }
  - wait_for: { event: order }
    id: order
    within: 1 day
    otherwise:
      - branch:
          - when: { segment: vip }
            steps: [ set: { contact.stage: vip } ]
          - steps: [ exit: nothing came of it ]
        id: who
segments:
  vip: { contact.points: { above: 5 } }
  beta: { list: true }
traits:
  orders: { count: order }
";

const ORDER: &str = r#"{ "type": "object", "required": ["total"], "properties": { "total": { "type": "number" } } }"#;
const CONTACT: &str = r#"{ "type": "object", "properties": { "country": { "type": "string" }, "points": { "type": "number" }, "stage": { "type": "string" } } }"#;

const HEAD: &str = "workflow: cart\nstart: 2026-03-27T09:00:00+01:00\ntests:\n";

/// 2026-03-27T09:00+01:00.
const START: i64 = 1_774_598_400_000;

fn compiled(text: &str) -> Compiled {
    let files = [
        ("campaignd.yaml", SHOP),
        ("templates/welcome.html.hbs", "---\nsubject: Hello\n---\n<p>Hello</p><a href=\"{{unsubscribe_url}}\">No more</a>"),
        ("workflows/cart.yaml", WORKFLOW),
        ("schemas/contact.schema.json", CONTACT),
        ("schemas/events/cart_updated.schema.json", ORDER),
        ("schemas/events/order.schema.json", ORDER),
        ("tests/shop/cart.test.yaml", text),
    ];
    compile(&ProjectFiles::from_texts(files))
}

/// What is found in the tests' file. The project has its catalog all the same.
#[track_caller]
fn found_in(text: &str, expected: &[&str]) {
    let compiled = compiled(text);
    let lines: Vec<String> = compiled
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.location.file.starts_with("tests/"))
        .map(|diagnostic| {
            let at = &diagnostic.location;
            let severity = if diagnostic.severity == Severity::Warning { "warning " } else { "" };
            format!("{}:{} {severity}{}", at.line, at.column, diagnostic.code)
        })
        .collect();
    assert_eq!(lines, expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
    assert!(compiled.catalog.is_some(), "{}", crate::render::short(&compiled.diagnostics));
    let wrong = expected.iter().any(|line| !line.contains("warning"));
    assert_eq!(compiled.tests.is_empty(), wrong);
}

/// One test whose parts these are.
#[track_caller]
fn check(given: &str, timeline: &str, expect: &str, expected: &[&str]) {
    let given = if given.is_empty() { "contact: { id: ada }" } else { given };
    let text = format!("{HEAD}  - name: x\n    given: {{ {given} }}\n    timeline: [ {timeline} ]\n    expect: [ {expect} ]\n");
    found_in(&text, expected);
}

#[test]
fn everything_that_can_be_written() {
    let text = format!(
        "{HEAD}
  - name: all of it
    given:
      contacts: [ {{ id: ada, email: ada@x.de, country: DE, topics: [offers] }}, {{ id: bo }} ]
      segments: [vip, beta]
      events: [ {{ at: -3 days, contact: ada, event: order, with: {{ total: 5 }} }} ]
      channels: {{ email: [ok, timeout, 451 try later], sms: [503, 400 no], call: [{{ status: 200, json: {{ a: 1 }} }}] }}
      experiments: {{ subject: b }}
    timeline:
      - {{ at: 0m, contact: ada, event: cart_updated, with: {{ total: 5 }} }}
      - {{ at: 1h, contact: bo, set: {{ contact.country: AT, contact.points: 7 }} }}
      - {{ at: 2026-03-27T10:30, contact: ada, subscribe: offers }}
      - {{ at: 2h, contact: ada, unsubscribe: all }}
      - {{ at: 2h, contact: ada, confirm: offers }}
      - {{ at: 2h, contact: ada, enroll: cart, with: {{ a: 1 }} }}
      - {{ at: 2h, contact: ada, join: beta }}
      - {{ at: 2h, contact: ada, leave: beta }}
      - {{ at: 2h, contact: ada, event: message_clicked, with: {{ template: welcome }} }}
      - {{ at: 3h, contact: ada, erase: true }}
    expect:
      - {{ enter: true, contact: ada }}
      - {{ at: 0m, send: welcome, step: send-welcome, subject: Hello, body: [a, b], to: ada@x.de, channel: email, status: failed, snapshot: one }}
      - {{ at: 0m, assign: experiment-subject, variant: b }}
      - {{ wait: order, until: 1 day }}
      - {{ between: [1 day, 25h], skip: welcome, reason: capped }}
      - {{ branch: order, taken: otherwise }}
      - {{ branch: who, taken: 2, workflow: cart }}
      - {{ branch: who, taken: none }}
      - {{ set: set-stage, values: {{ contact.stage: vip }} }}
      - {{ step: exit }}
      - {{ goal: true }}
      - {{ exit: exit, detail: nothing came of it }}
    steps: true
    workflows: all
    until: 30 days
"
    );
    found_in(&text, &[]);
    let compiled = compiled(&text);
    let [suite] = &compiled.tests[..] else { panic!("{:?}", compiled.tests) };
    assert_eq!((suite.workflow.as_str(), suite.start), ("cart", START));
    let journey = &suite.journeys[0];
    assert_eq!((journey.at.line, journey.steps, journey.all_workflows), (5, true, true));
    assert_eq!(journey.until, Some(START + 30 * 86_400_000));
    let times: Vec<i64> = journey.timeline.iter().map(|entry| (entry.at - START) / 60_000).collect();
    assert_eq!(times, [-3 * 1440, 0, 60, 90, 120, 120, 120, 120, 120, 120, 180]);
    assert!(matches!(&journey.timeline[2].what, Happening::Set(values) if values["points"] == 7));
    assert_eq!(journey.given.channels["email"][1..], [Answer::Silence, Answer::Said("451 try later".to_owned())]);
    assert_eq!(journey.given.channels["sms"][0], Answer::Said("503".to_owned()));
    assert_eq!(journey.expect[0].text, "{ enter: true, contact: ada }");
    assert_eq!(journey.expect[4].when, Some(When::Between(START + 86_400_000, START + 90_000_000)));
    assert_eq!(journey.expect[4].text, "{ between: [1 day, 25h], skip: welcome, reason: capped }");
    assert!(matches!(&journey.expect[7].what, Expected::Step { detail, .. } if detail["taken"].is_null()));
}

#[test]
fn nothing_that_runs_depends_on_tests() {
    let files = |tests: &str| ProjectFiles::from_texts([("campaignd.yaml", SETTINGS), ("tests/a.test.yaml", tests)]);
    assert_eq!(files("a").hash(), files("b").hash());
    assert_eq!(files("a").text("tests/a.test.yaml"), Some("a"));
    let edited = files("a").overlaid("tests/a.test.yaml", "b");
    assert_eq!((edited.text("tests/a.test.yaml"), edited.hash()), (Some("b"), files("a").hash()));
    assert_eq!(files("a").paths().collect::<Vec<_>>(), ["campaignd.yaml"]);
}

#[test]
fn a_file_that_is_none() {
    found_in("", &["1:1 empty-file"]);
    found_in("workflow: cart\nstart: 2026-03-27\ntests: []\n", &["3:8 empty-list"]);
    found_in(
        "workflow: carts\nstart: soon\ntests: [{ name: x, given: { contact: { id: ada } }, expect: [] }]\n",
        &["1:11 unknown-workflow", "2:8 test-time"],
    );
    let twice = "  - { name: x, given: { contact: { id: ada } }, expect: [] }\n";
    found_in(&format!("{HEAD}{twice}{twice}"), &["5:13 duplicate-name"]);
    found_in(&format!("{HEAD}  - {{ name: x, expect: [] }}\n"), &["4:5 missing-key"]);
}

#[test]
fn what_is_given() {
    check("contact: { id: ada, country: DE }", "", "", &[]);
    check("contacts: []", "", "", &["5:12 test-data"]);
    check("contact: { country: DE }", "", "", &["5:23 test-data"]);
    check("contact: { id: ada, country: 5 }", "", "", &["5:43 test-data"]);
    check("contact: { id: ada, orders: 5 }", "", "", &["5:34 test-data"]);
    check("contact: { id: ada, contry: DE }", "", "", &["5:34 warning unknown-attribute"]);
    check("contact: { id: ada, topics: [offer] }", "", "", &["5:43 unknown-topic"]);
    check("contacts: [{ id: a }, { id: a }]", "", "", &["5:42 duplicate-name"]);
    check("contact: { id: a }, contacts: [{ id: b }]", "", "", &["5:34 test-data"]);
    check("contact: { id: a }, segments: [vipp]", "", "", &["5:45 unknown-segment"]);
    check("contact: { id: a }, experiments: { subjekt: a }", "", "", &["5:49 test-name"]);
    check("contact: { id: a }, experiments: { subject: c }", "", "", &["5:58 test-name"]);
    check("contact: { id: a }, channels: { post: [ok] }", "", "", &["5:46 unknown-channel"]);
    for (channel, answer) in [("email", "busy"), ("email", "354 go on"), ("sms", "100 wait"), ("call", "no")] {
        check(
            &format!("contact: {{ id: a }}, channels: {{ {channel}: [{answer}] }}"),
            "",
            "",
            &[&format!("5:{} test-answer", 49 + channel.len())],
        );
    }
    check("contact: { id: a }, channels: { email: [{ status: 200 }] }", "", "", &["5:54 test-answer"]);
    check("contact: { id: a }, events: [{ at: 0m, event: order, with: { total: 1 } }]", "", "", &["5:49 test-time"]);
}

#[test]
fn what_happens() {
    check("", "{ at: 0m, event: odrer }", "", &["6:34 unknown-event"]);
    check("", "{ at: 0m, event: order }", "", &["6:34 test-data"]);
    check("", "{ at: 0m, event: order, with: { total: much } }", "", &["6:56 test-data"]);
    check("", "{ at: 0m, event: order, with: { total: 1, x: 1 } }", "", &["6:59 warning unknown-attribute"]);
    check("", "{ at: 0m, event: message_clicked }", "", &["6:34 test-data"]);
    check("", "{ at: 0m, event: message_clicked, with: { template: welcom } }", "", &["6:69 unknown-template"]);
    check("", "{ at: 1h, erase: true }, { at: 0m, erase: true }", "", &["6:48 test-order"]);
    check("", "{ at: soon, erase: true }", "", &["6:23 test-time"]);
    check("", "{ at: 0m, contact: bo, erase: true }", "", &["6:36 test-name"]);
    check("contacts: [{ id: a }, { id: b }]", "{ at: 0m, erase: true }", "", &["6:17 test-name"]);
    check("", "{ at: 0m, set: { country: AT } }", "", &["6:34 test-data"]);
    check("", "{ at: 0m, set: { contact.country: 1 } }", "", &["6:51 test-data"]);
    check("", "{ at: 0m, set: { contact.id: x } }", "", &["6:34 test-data"]);
    check("", "{ at: 0m, subscribe: offer }", "", &["6:38 unknown-topic"]);
    check("", "{ at: 0m, join: vip }", "", &["6:33 test-data"]);
    check("", "{ at: 0m, enroll: welcome }", "", &["6:35 unknown-workflow"]);
    check("", "{ at: -1h, enroll: cart }", "", &["6:23 test-time"]);
    check("", "{ at: 0m, evnt: order }", "", &["6:27 unknown-key"]);
}

#[test]
fn what_is_expected() {
    check("", "", "{ send: welcom }", &["7:23 unknown-template"]);
    check("", "", "{ send: send-welcome }", &["7:23 unknown-template"]);
    check("", "", "{ send: welcome, step: send-welcom }", &["7:38 test-name"]);
    check("", "", "{ send: welcome, channel: fax }", &["7:41 unknown-channel"]);
    check("", "", "{ send: welcome, snapshot: a/b }", &["7:42 invalid-name"]);
    check("", "", "{ send: welcome, snapshot: a }, { send: welcome, snapshot: a }", &["7:74 duplicate-name"]);
    check("", "", "{ exit: bought }", &["7:23 unknown-value"]);
    check("", "", "{ wait: nowhere }", &["7:23 test-name"]);
    check("", "", "{ branch: send-welcome }", &["7:25 test-name"]);
    check("", "", "{ branch: who, taken: 3 }", &["7:37 test-name"]);
    check("", "", "{ branch: order, taken: 1 }", &["7:39 test-name"]);
    check("", "", "{ at: 2h, enter: true }, { at: 1h, goal: true }", &["7:46 test-order"]);
    check("", "", "{ at: -2h, enter: true }", &["7:21 test-time"]);
    check("", "", "{ at: 2h, between: [1h, 2h], enter: true }", &["7:25 test-time"]);
    check("", "", "{ between: [3h, 2h], enter: true }", &["7:26 test-time"]);
    check("", "", "{ at: 1h }", &["7:15 no-verb"]);
    check("", "", "{ send: welcome, skip: welcome }", &["7:32 two-verbs"]);
    check("", "", "{ send: welcome, contact: bo }", &["7:41 test-name"]);
    check("", "", "{ send: welcome, workflow: car }", &["7:42 unknown-workflow"]);
}
