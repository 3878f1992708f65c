//! Whole projects, as texts: what they compile to, and what is wrong with them.

mod allowing;
mod journeys;
mod limits;
mod rules;
mod settings;
mod traits;

use super::*;
use crate::model::{CatalogEntry, StepKind};

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ntopics:\n  offers: { title: Offers, default: unsubscribed }\nrules: { unused-template: off, unused-segment: off, no-consent: off, renumbered-step: off, unused-with: off, untracked-wait: off }\n";

fn project(files: &[(&str, &str)]) -> Compiled {
    let mut all = vec![
        ("campaignd.yaml", SETTINGS),
        ("templates/welcome.html.hbs", "---\nsubject: Hello\n---\n<p>Hello</p><a href=\"{{unsubscribe_url}}\">No more</a>"),
    ];
    all.extend(files);
    compile(&ProjectFiles::from_texts(all))
}

fn found(compiled: &Compiled) -> Vec<String> {
    let line = |diagnostic: &Diagnostic| {
        let at = &diagnostic.location;
        format!("{}:{} {} {}", at.line, at.column, diagnostic.severity.word(), diagnostic.code)
    };
    compiled.diagnostics.iter().map(line).collect()
}

fn codes(compiled: &Compiled) -> Vec<&'static str> {
    compiled.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// One workflow file against what is found in it.
fn check(text: &str, expected: &[&str]) {
    let compiled = project(&[("workflows/a.yaml", text)]);
    assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
}

const CART: &str = r#"# yaml-language-server: $schema=../schemas/workflow.schema.json
workflow: cart-recovery
description: Bring back shoppers who left something in the cart.
status: live                    # live (default) | draft | paused | closed

trigger:
  event: cart_updated
  where: { event.total: { at_least: 20 } }
  key: event.cart_id            # one run per contact and cart; without it, one per contact

audience:                       # must hold to enter
  all:
    - segment: subscribers
    - contact.country: [DE, AT, CH]

reentry: { after: 7 days }      # once (default) | always | { after: <duration> }
while_active: ignore            # ignore (default) | restart
exit_when: { event: order_completed }
goal: { event: order_completed, within: 7 days, value: event.total }
topic: offers                   # consent every marketing send here needs
in_flight: follow               # follow (default) | pinned: see 'Changing a live workflow'

steps:
  - wait: 1 hour
  - send: cart-reminder
  - wait_for: { message: cart-reminder, is: clicked }
    within: 1 day
    otherwise:
      - branch:
          - when: { contact.lifetime_value: { above: 500 } }
            steps:
              - send: cart-vip
          - steps:                          # no `when`: everyone else
              - send: cart-discount
                with: { coupon: SAVE10 }
  - set: { contact.last_recovery_at: now }
"#;

fn cart_files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("workflows/cart.yaml", CART),
        ("workflows/segments.yml", "segments:\n  subscribers: { topic: offers }\n"),
        (
            "templates/cart-reminder.html.hbs",
            "---\nsubject: \"{{default contact.first_name \\\"there\\\"}}, you left something behind\"\n---\n<p>Hi {{preferences_url}}</p>",
        ),
        ("templates/cart-vip.html.hbs", "---\nsubject: For you\n---\n<p>Hi {{unsubscribe_url}}</p>"),
        (
            "templates/cart-discount.html.hbs",
            "---\nsubject: A coupon\nneeds: [coupon]\n---\n<p>{{coupon}} {{unsubscribe_url}}</p>",
        ),
    ]
}

fn entry(compiled: &Compiled, name: &str) -> CatalogEntry {
    compiled.catalog.as_ref().unwrap().workflows[name].clone()
}

#[test]
fn the_language_page_s_example_compiles() {
    let compiled = project(&cart_files());
    assert_eq!(found(&compiled), [""; 0], "{}", crate::render::short(&compiled.diagnostics));
    let entry = entry(&compiled, "cart-recovery");
    let steps: Vec<(&str, Option<usize>)> =
        entry.definition.workflow.steps.iter().map(|step| (step.id.as_str(), step.next)).collect();
    let expected = [
        ("wait-1-hour", Some(1)),
        ("send-cart-reminder", Some(2)),
        ("wait-for-cart-reminder", Some(6)),
        ("branch", Some(6)),
        ("send-cart-vip", Some(6)),
        ("send-cart-discount", Some(6)),
        ("set-last-recovery-at", None),
    ];
    assert_eq!(steps, expected);
    let StepKind::WaitFor { then, otherwise, .. } = &entry.definition.workflow.steps[2].kind else { panic!() };
    assert_eq!((*then, *otherwise), (Some(6), Some(3)));
    assert_eq!(entry.step_lines["send-cart-vip"], 32);
    assert_eq!(entry.definition.segments.keys().collect::<Vec<_>>(), ["subscribers"]);
    let back: crate::model::Definition = serde_json::from_str(&entry.canonical).unwrap();
    assert_eq!(&back, entry.definition.as_ref());
}

#[test]
fn hashes_follow_meaning() {
    let before = entry(&project(&cart_files()), "cart-recovery").hash;
    let with = |path: &str, text: &str| {
        let mut files = cart_files();
        files.retain(|(name, _)| *name != path);
        let text = text.to_owned();
        files.push((path, text.as_str()));
        entry(&project(&files), "cart-recovery").hash
    };
    assert_eq!(
        before,
        with("workflows/cart.yaml", &CART.replace("# must hold to enter", "").replace("{ after: 7 days }", "\n  after: 1 week"))
    );
    assert_eq!(before, with("templates/welcome.html.hbs", "---\nsubject: Bye\n---\n<p>Bye</p>"));
    assert_ne!(before, with("templates/cart-vip.html.hbs", "---\nsubject: For you\n---\n<p>Ho</p>"));
    assert_ne!(before, with("workflows/segments.yml", "segments:\n  subscribers: { not: { topic: offers } }\n"));
}

/// A workflow around these steps.
fn steps(steps: &str) -> String {
    format!("workflow: a\ntrigger: {{ event: signed_up }}\ntopic: offers\nsteps:\n{steps}")
}

#[test]
fn shapes() {
    check("", &["1:1 error empty-file"]);
    check("# nothing\n", &["1:1 error empty-file"]);
    check("[a]\n", &["1:1 error wrong-type"]);
    check("workflow: a\ntriger: { event: x }\nsteps:\n  - send: welcome\ntopic: offers\n", &["2:1 error unknown-key"]);
    check(
        "workflow: a\ntrigger: { event: x, key: 5 }\ntopic: 1\nsteps: []\n",
        &["2:27 error wrong-type", "3:8 error wrong-type", "4:8 warning empty-steps"],
    );
    check(&steps("  - send: welcome\n    wait: 1 day\n"), &["6:5 error two-verbs"]);
    check(&steps("  - id: x\n"), &["5:5 error no-verb"]);
    check(&steps("  - sned: welcome\n"), &["5:5 error unknown-key"]);
    check(&steps("  - stop\n"), &["5:5 error unknown-value"]);
    check(&steps("  - exit\n"), &[]);
    check(
        &steps("  - send: welcome\n    when_caped: skip\n  - wait: soon\n"),
        &["6:5 error unknown-key", "7:11 error invalid-duration"],
    );
    check(&steps("  - send: welcome\n    when_capped: skipp\n"), &["6:18 error unknown-value"]);
    check(&steps("  - send: { subject: Hi }\n"), &["5:11 error missing-key"]);
    check(&steps("  - wait: { for: 1 day, untli: x }\n"), &["5:25 error unknown-key"]);
    check(&steps("  - experiment: e\n    variants: { a: { wait: 1 } }\n"), &["6:20 error missing-key", "6:22 error unknown-key"]);
    check("workflow: a\nworkflow: b\n", &["2:1 error duplicate-key"]);
    check("trigger: { event: x }\n", &["1:1 error missing-key"]);
    check("workflow: a\ntrigger: { date: contact.birthday, every: year, at: \"09:00\" }\ntopic: offers\nsteps: [exit]\n", &[]);
    check("workflow: a\ntrigger: { event: x, manual: true }\nsteps: [exit]\n", &["2:22 error two-verbs"]);
    check("workflow: a\ntrigger: { manual: no }\nsteps: [exit]\n", &["2:20 error wrong-type"]);
    check("workflow: a\ntrigger: { manual: true }\nreentry: twice\nsteps: [exit]\n", &["3:10 error unknown-value"]);
}

/// Whatever is wrong in one place, the rest of the file is looked at.
#[test]
fn every_error_in_one_run() {
    let contact = r#"{"type":"object","properties":{"country":{"type":"string"}},"additionalProperties":false}"#;
    let check = |broken: &str, expected: &[&str]| {
        let text = format!(
            "workflow: a\ntrigger: {{ manual: true }}\naudience: {{ contact.contry: DE }}\nreentry: {{ after: 3 dayz }}\n\
             topic: offers\nsteps:\n  - send: welcom\n  - wait: 2 dayz\n{broken}\n"
        );
        let compiled = project(&[("schemas/contact.schema.json", contact), ("workflows/a.yaml", &text)]);
        let mut all = vec![
            "3:13 error unknown-attribute",
            "4:19 error invalid-duration",
            "7:11 error unknown-template",
            "8:11 error invalid-duration",
        ];
        all.extend(expected);
        assert_eq!(found(&compiled), all, "{text}\n{}", crate::render::short(&compiled.diagnostics));
    };
    check("", &[]);
    check("  - sned: x", &["9:5 error unknown-key"]);
    check("  - id: x", &["9:5 error no-verb"]);
    check("  - exti", &["9:5 error unknown-value"]);
    check("  - wait: 5", &["9:11 error wrong-type"]);
    check("  - wait:", &["9:5 error null-value"]);
    check("  - 5\n  - wait: 3 dayz", &["9:5 error wrong-type", "10:11 error invalid-duration"]);
    check("  - repeat: { times: -1, steps: [{ wait: 1 dayz }] }", &["9:22 error invalid-number", "9:42 error invalid-duration"]);
    check("  - send: welcome\n    send: other", &["10:5 error duplicate-key"]);
    check("  - exit\nsteps: [{ wait: 7 dayz }]", &["10:1 error duplicate-key"]);
    check(
        "  - wait_for: { contact.country: { atleast: 5 } }\n    within: 1 dayz\n    then: [{ send: welcme }]",
        &["9:36 error unknown-key", "10:13 error invalid-duration", "11:20 error unknown-template"],
    );
    check(
        "  - branch:\n      - when: { contact.country: { atleast: 5 } }\n        steps: [exti]\n      - steps: [{ send: welcome }]",
        &["10:36 error unknown-key", "11:17 error unknown-value"],
    );
    check(
        "  - experiment:\n    variants: { a: { weight: -1, steps: [{ send: welcme }] } }",
        &["9:5 error null-value", "10:5 error invalid-number", "10:30 error invalid-number", "10:50 error unknown-template"],
    );
    check(
        "  - send: { subject: Hi }\n    id: x\n  - wait_for: { message: x, is: opened }\n    within: 1 day",
        &["9:11 error missing-key"],
    );
    let text = |settings: &str| compile(&ProjectFiles::from_texts([("campaignd.yaml", settings)]));
    let compiled = text(
        "project: shop\ntime_zone: Europe/Berlim\ngrace: 1 huor\nlimits:\n  spread: 5 minuts\n  frequency:\n    - { at_most: -1, per: 7 dayz }\n",
    );
    let expected = [
        "2:12 error invalid-zone",
        "3:8 error invalid-duration",
        "5:11 error invalid-duration",
        "7:18 error invalid-number",
        "7:27 error invalid-duration",
    ];
    assert_eq!(found(&compiled), expected, "{}", crate::render::short(&compiled.diagnostics));
    let message = &compiled.diagnostics[3].message;
    assert!(message.contains("`at_most` is -1; the smallest number allowed is 0"), "{message}");
}

/// Ids are made in linear time: thousands of equal steps take no longer than as many different ones.
#[test]
fn many_equal_steps() {
    let many = steps(&"  - send: welcome\n".repeat(5_002)) + "  - { exit: x, id: send-welcome-4 }\n";
    let compiled = project(&[("workflows/a.yaml", &many)]);
    assert_eq!(found(&compiled), [""; 0]);
    let entry = entry(&compiled, "a");
    let ids: Vec<&str> = entry.definition.workflow.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids[..4], ["send-welcome", "send-welcome-2", "send-welcome-3", "send-welcome-5"]);
    assert_eq!(ids[5_001], "send-welcome-5003");
}

#[test]
fn conditions() {
    let check = |condition: &str, expected: &[&str]| {
        check(&format!("workflow: a\ntrigger: {{ event: x }}\naudience: {condition}\nsteps: [exit]\n"), expected);
    };
    check("{ contact.age: { at_least: 18, below: 65 }, contact.country: [DE, AT], contact.vip: true }", &[]);
    check("{ contact.a: ~ }", &["3:13 error null-value"]);
    check("{ contact.a: [] }", &["3:24 error empty-list"]);
    check("{ contact.a: { is: ~ } }", &["3:26 error null-value"]);
    check("{ contact.a: { abve: 5 } }", &["3:26 error unknown-key"]);
    check("{ contact.a: { above: old } }", &["3:33 error wrong-type"]);
    check("{ contact.a: { matches: \"(\" } }", &["3:35 error invalid-regex"]);
    check("{ contact.a: { before: in 3 days, after: 30 days ago, within: { last: 30 days } } }", &[]);
    check("{ contact.a: { before: soon } }", &["3:34 error invalid-date"]);
    check("{ contact: { country: DE } }", &["3:13 error unknown-key"]);
    check("{ contat.country: DE }", &["3:13 error unknown-key"]);
    check("{ event: x, count: 3, sum: { of: event.total, above: 5 }, within: 90 days }", &[]);
    check("{ event: x, count: -1 }", &["3:30 error invalid-number"]);
    check("{ count: 3 }", &["3:13 error misplaced-key"]);
    check("{ event: x, message: any, is: sent }", &["3:32 error two-subjects"]);
    check("{ message: any }", &["3:13 error missing-key"]);
    check("{ message: any, is: completed }", &["3:31 error unknown-value"]);
    check("{ workflow: a, is: never }", &[]);
    check("{ all: [] }", &["3:18 error empty-list"]);
    check("{}", &["3:11 error empty-mapping"]);
    check("{ none: [ { contact.a: 1 }, { not: { any: [ { topic: offers } ] } } ] }", &[]);
}

#[test]
fn values() {
    check(&steps("  - wait: -1 day\n"), &["5:11 error invalid-duration"]);
    check(&steps("  - wait: { for: 36 hours, at: \"09:00\" }\n"), &["5:18 error invalid-duration"]);
    check(&steps("  - wait: { for: 2 days, at: \"9 am\", days: weekdays }\n"), &["5:30 error invalid-time"]);
    check(&steps("  - wait: { until: \"09:00\", days: [mon, thursday, fun] }\n"), &["5:51 error invalid-weekday"]);
    check(&steps("  - wait: { until: contact.trial_ends_at, offset: -3 days, on_missing: exit }\n"), &[]);
    check(&steps("  - wait: { until: contact.trial_ends_at, days: mon }\n"), &["5:43 error misplaced-key"]);
    check(&steps("  - repeat: { times: 0, steps: [] }\n"), &["5:22 error invalid-number", "5:32 error empty-list"]);
    check(
        &steps("  - experiment: e\n    variants: { a: { weight: 0 }, b: { weight: -1 } }\n"),
        &["6:5 error invalid-number", "6:48 error invalid-number"],
    );
    check(
        &steps("  - set: { contact.id: x, contact.n: { add: 1 }, nowhere: 1 }\n"),
        &["5:12 error invalid-path", "5:59 error invalid-path"],
    );
    check(&steps("  - set: { contact.n: \"{{event.x}}\" }\n"), &["5:23 error misplaced-expression"]);
    check(&steps("  - send: welcome\n    id: x\n  - exit: x\n    id: x\n"), &["8:9 error duplicate-id"]);
    check(&steps("  - record: x\n    with: { a: \"${SECRET}\" }\n"), &["6:16 error environment"]);
    check(&steps("  - call: { post: \"https://x.example\" }\n"), &[]);
    let triggered = |trigger: &str| format!("workflow: a\ntrigger: {trigger}\nsteps: [exit]\n");
    check(&triggered("{ schedule: \"0 9 * * MON\", time_zone: contact }"), &[]);
    check(&triggered("{ schedule: \"0 9 30 2 *\" }"), &["2:22 error never-fires"]);
    check(
        &triggered("{ schedule: \"0 25 * * *\", time_zone: Mars/Base }"),
        &["2:22 error invalid-cron", "2:47 error invalid-zone"],
    );
    check(&triggered("{ at: 2026-11-27T09:00, time_zone: Europe/Berlin }"), &[]);
    check(&triggered("{ at: 2026-11-27 }"), &["2:16 error invalid-date"]);
    check(&triggered("{ date: contact.birthday, offset: -36 hours }"), &["2:44 error invalid-duration"]);
}

#[test]
fn one_run_reports_every_file() {
    let compiled = project(&[
        ("workflows/a.yaml", "workflow: [a\n"),
        ("workflows/b.yaml", "workflow: b\ntrigger: { event: x }\naudience: { segment: maybe_in_a }\nsteps:\n  - wait: soon\n"),
    ]);
    let places: Vec<(&str, &str)> =
        compiled.diagnostics.iter().map(|diagnostic| (diagnostic.location.file.as_str(), diagnostic.code)).collect();
    assert_eq!(places, [("workflows/a.yaml", "yaml-syntax"), ("workflows/b.yaml", "invalid-duration")]);
    assert!(compiled.catalog.is_none() && compiled.settings.is_some());
}

#[test]
fn ids_and_wiring() {
    let text = steps(
        "  - wait: 1 hour\n  - wait: 1 hour\n  - wait: 1 day\n    id: wait-1-hour-2\n  - experiment: subject-line\n    variants:\n      question: { weight: 45, steps: [ { send: welcome } ] }\n      holdout: { weight: 10 }\n      another: { weight: 45, steps: [ exit ] }\n  - repeat:\n      times: 3\n      every: 7 days\n      steps:\n        - record: x\n        - send: { subject: Hi, text: Ho }\n",
    );
    let compiled = project(&[("workflows/a.yaml", &text)]);
    let entry = entry(&compiled, "a");
    let shown: Vec<String> = entry.definition.workflow.steps.iter().map(|step| format!("{} {:?}", step.id, step.next)).collect();
    let expected = [
        "wait-1-hour Some(1)",
        "wait-1-hour-3 Some(2)",
        "wait-1-hour-2 Some(3)",
        "experiment-subject-line Some(6)",
        "send-welcome Some(6)",
        "exit None",
        "repeat None",
        "record-x Some(8)",
        "send-message Some(6)",
    ];
    assert_eq!(shown, expected);
    let StepKind::Experiment { variants, .. } = &entry.definition.workflow.steps[3].kind else { panic!() };
    let arms: Vec<(&str, Option<usize>)> = variants.iter().map(|variant| (variant.name.as_str(), variant.to)).collect();
    assert_eq!(arms, [("question", Some(4)), ("holdout", Some(6)), ("another", Some(5))]);
    let StepKind::Repeat(repeat) = &entry.definition.workflow.steps[6].kind else { panic!() };
    assert_eq!(repeat.body, 7);
    assert_eq!(entry.definition.templates.keys().collect::<Vec<_>>(), ["send-message", "welcome"]);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z:{}\\[\\]\\- \n\"'&*|>!?#,.0-9~]{0,200}") {
        let _ = compile(&ProjectFiles::from_texts([("campaignd.yaml", text.clone()), ("workflows/a.yaml", text)]));
    }

    #[test]
    fn a_cut_workflow_never_panics(cut in 0..CART.len(), patch in "[a-z:{}\\[\\] \n~0-9]{0,6}") {
        let text = format!("{}{patch}{}", &CART[..cut], &CART[(cut + 3).min(CART.len())..]);
        let compiled = compile(&ProjectFiles::from_texts([("campaignd.yaml", SETTINGS.to_owned()), ("workflows/a.yaml", text)]));
        for diagnostic in &compiled.diagnostics {
            assert!(diagnostic.location.line >= 1 && diagnostic.location.column >= 1);
        }
    }
}

/// The forms that the language's page lists, but for those of a later release.
#[test]
fn the_language_page_s_forms_compile() {
    let text = r#"
workflow: forms
trigger:
  - { event: signed_up, where: { event.plan: pro }, key: event.x }
  - { schedule: "0 9 * * MON", time_zone: Europe/Berlin }
  - { at: 2026-11-27T09:00, time_zone: contact }
  - { date: contact.birthday, every: year, offset: -7 days, at: "09:00", feb_29: feb_28 }
  - { manual: true }
audience:
  contact.age: { at_least: 18, below: 65 }
  contact.name: { exists: true }
  any:
    - event: order_completed
      where: { event.total: { above: 50 } }
      count: { at_least: 3 }
      sum: { of: event.total, above: 500 }
      within: 90 days
    - { message: any, is: opened, within: 14 days }
    - { segment: vip_at_risk }
    - { topic: offers }
    - { workflow: forms, is: never }
exit_when: { event: order_completed }
goal: { event: order_completed, within: 7 days, value: event.total, stay: true }
topic: offers
in_flight: pinned
overdue: { after: 2 days, do: skip }
moved: { old: wait-2-days }
steps:
  - send: welcome
    channel: email
    with: { coupon: SAVE10 }
    window: { between: "09:00-20:00", days: weekdays }
    when_capped: skip
    when_unreachable: exit
  - send: { subject: "Hi {{default contact.first_name \"there\"}}", html: "<p>Hi</p>", text: Hi }
    transactional: true
  - wait: 2 days
  - wait: { for: 2 days, at: "09:00", days: weekdays }
  - wait: { until: "09:00", days: [mon, thu] }
  - wait: { until: contact.trial_ends_at, offset: -3 days, on_missing: continue, on_past: exit }
  - wait_for: { event: cart_updated, event.total: { above: 5 } }
    within: 3 days
    since: entry
    then: [ exit: bought ]
    otherwise: [ { wait: 30m } ]
  - branch: [ { when: { contact.stage: new }, steps: [ { exit: x } ] }, { steps: [ exit ] } ]
    id: fork
"#;
    let rest = r#"
workflow: more
trigger: { manual: true }
topic: offers
segments:
  vip_at_risk:
    description: Big spenders gone quiet.
    all:
      - contact.value_tier: high
      - { event: order_completed, count: 0, within: 60 days }
steps:
  - experiment: subject-line
    variants:
      question: { weight: 45, steps: [ { send: welcome } ] }
      plain: { weight: 45, steps: [ { send: welcome } ] }
      holdout: { weight: 10 }
  - repeat: { times: 3, every: 7 days, until: { topic: offers }, steps: [ { wait: P2D } ] }
  - set: { contact.stage: onboarded, contact.points: { add: 10 }, contact.tags: { append: vip }, contact.old: null }
  - subscribe: offers
  - unsubscribe: offers
  - record: survey_requested
    with: { a: "{{contact.id}}", n: 5 }
  - start: forms
    with: { plan: pro }
  - exit
"#;
    let compiled = project(&[("workflows/forms.yaml", text), ("workflows/more.yaml", rest)]);
    assert_eq!(found(&compiled), [""; 0], "{}", crate::render::short(&compiled.diagnostics));
    let forms = entry(&compiled, "forms");
    assert_eq!(forms.definition.segments.len(), 1);
    let kinds: Vec<&str> = forms.definition.workflow.steps.iter().map(|step| step.id.as_str()).collect();
    let expected = [
        "send-welcome",
        "send-message",
        "wait-2-days",
        "wait-2-days-2",
        "wait-until-09-00",
        "wait-until-trial-ends-at",
        "wait-for-cart-updated",
        "exit",
        "wait-30m",
        "fork",
        "exit-2",
        "exit-3",
    ];
    assert_eq!(kinds, expected);
    let StepKind::WaitFor { condition: crate::model::Condition::Event(event), .. } = &forms.definition.workflow.steps[6].kind
    else {
        panic!()
    };
    assert!(event.filter.is_some());
}
