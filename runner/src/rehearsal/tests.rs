//! What becomes of messages by what is answered, and what is done besides events.

use std::sync::Arc;

use dsl::ProjectFiles;
use serde_json::{Map, Value, json};

use super::*;
use crate::channels::Written;
use crate::ingest::{ContactInput, What};

const SETTINGS: &str = "project: shop
contract: open
topics: { offers: { default: subscribed } }
channels:
  email: { from: shop@shop.example, deliver: \"outbox:outbox/\" }
";

fn plan(workflow: &str) -> Arc<Plan> {
    let files = [
        ("campaignd.yaml", SETTINGS.to_owned()),
        ("workflows/w.yaml", format!("workflow: w\n{workflow}")),
        ("templates/hello.txt.hbs", "---\nsubject: Hello\n---\nHello.\n".to_owned()),
    ];
    let compiled = dsl::compile(&ProjectFiles::from_texts(files));
    let catalog = compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    Arc::new(Plan::new(Arc::new(catalog), None).unwrap())
}

fn signed_up(at: i64) -> Act {
    let what = What::Event { name: "signed_up".to_owned(), properties: Map::new(), id: None };
    Act::Occurrence(Occurrence { at, contact: "ada".to_owned(), anonymous: false, what })
}

/// Each line as `SECONDS kind what`, after `acts` with these answers on these channels.
#[track_caller]
fn check(workflow: &str, answers: &[(&str, Written)], acts: Vec<Act>, expected: &[&str]) {
    let plan = plan(workflow);
    let mut script = Script::default();
    for (channel, answer) in answers {
        assert!(script.then(channel, &plan.catalog.settings, answer), "{answer:?}");
    }
    let mut rehearsal = Rehearsal::new(plan, ("", false), 0, script).unwrap();
    let ada = json!({ "country": "DE" }).as_object().cloned().unwrap();
    let ada = ContactInput {
        id: "ada".to_owned(),
        email: Some("ada@shop.example".to_owned()),
        attributes: ada,
        ..ContactInput::default()
    };
    rehearsal.know(&[Input::Known(ada)]).unwrap();
    rehearsal.expect(acts).unwrap();
    let mut lines = Vec::new();
    while let Some(now) = rehearsal.next_time().unwrap().filter(|now| *now < 86_400_000) {
        for line in rehearsal.advance(now).unwrap() {
            assert_eq!(line.instant, now);
            let status = line.sent.as_ref().and_then(|sent| sent.status).map(|status| status.word().to_owned());
            let reason = line.detail.get("reason").and_then(Value::as_str).map(str::to_owned);
            let what = status.or(reason).unwrap_or_default();
            lines.push(format!("{} {} {what}", now / 1000, line.kind.word()).trim_end().to_owned());
        }
    }
    assert_eq!(lines, expected);
}

const TWO: &str = "
trigger: { event: signed_up }
reentry: always
steps: [ send: hello, wait: 1 hour, send: hello ]
";

#[test]
fn answers_are_judged_as_the_channel_does() {
    let said = |words: &str| ("email", Written::Said(words.to_owned()));
    check(TWO, &[], vec![signed_up(0)], &["0 enter", "0 send sent", "0 wait", "3600 send sent", "3600 exit completed"]);
    check(
        TWO,
        &[said("451 try later"), ("email", Written::Taken)],
        vec![signed_up(0)],
        &["0 enter", "1 send sent", "1 wait", "3601 send sent", "3601 exit completed"],
    );
    check(
        TWO,
        &[said("550 5.1.1 no such user")],
        vec![signed_up(0)],
        &["0 enter", "0 send failed", "0 wait", "3600 skip suppressed", "3600 exit completed"],
    );
    check(
        TWO,
        &[("email", Written::Silence)],
        vec![signed_up(0)],
        &["0 enter", "0 send unknown", "0 wait", "3600 send sent", "3600 exit completed"],
    );
}

#[test]
fn who_is_called_answers_too() {
    let calling = "
trigger: { event: signed_up }
steps:
  - call: { post: \"https://crm.example/leads\", save: vars.lead }
  - branch:
      - when: { vars.lead.tier: gold }
        steps: [ exit: gold ]
";
    let gold = Written::Answered { status: 200, json: json!({"tier": "gold"}) };
    check(calling, &[("call", gold.clone())], vec![signed_up(0)], &["0 enter", "0 call", "0 branch", "0 exit exit"]);
    let late = [("call", Written::Said("503".to_owned())), ("call", gold)];
    check(calling, &late, vec![signed_up(0)], &["0 enter", "1 call", "1 branch", "1 exit exit"]);
    check(calling, &[], vec![signed_up(0)], &["0 enter", "0 call", "0 branch", "0 exit completed"]);
}

#[test]
fn what_is_done_by_hand_is_done() {
    let manual = "
trigger: { manual: true }
reentry: always
steps: [ send: hello ]
";
    let enroll = |at, workflow: &str| {
        Act::Enroll(at, Enrolment { workflow: workflow.to_owned(), contact: "ada".to_owned(), with: Map::new(), key: None })
    };
    let once = ["0 enter", "0 send sent", "0 exit completed"];
    let twice = [&once[..], &["5 enter", "5 send sent", "5 exit completed"]].concat();
    check(manual, &[], vec![enroll(5000, "w"), enroll(0, "w")], &twice);
    let mut rehearsal = Rehearsal::new(plan(manual), ("", false), 0, Taken).unwrap();
    rehearsal.expect(vec![enroll(0, "nothing")]).unwrap();
    let error = rehearsal.advance(0).unwrap_err().to_string();
    assert_eq!(
        error,
        "nobody can be enrolled in `nothing`: there is no workflow of this name in force; `campaignd status` lists them"
    );
}
