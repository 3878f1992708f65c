//! Dispatching: what is decided when a message leaves.

use serde_json::json;

use super::{START, World};
use crate::channels::Outcome;
use crate::ingest::What;

/// With `limits` in the settings; Ada's event `e` at each of the times enters a workflow of these steps.
#[track_caller]
fn check(limits: &str, steps: &str, times: &[&str], expected: &[&str]) {
    let settings = format!(
        "project: shop\ntime_zone: Europe/Berlin\ncontract: open\ntopics: {{ offers: {{ default: subscribed }} }}\nlimits: {{ spread: 0 minutes, {limits} }}\n"
    );
    let workflow = format!("workflow: w\ntrigger: {{ event: e, key: event.n }}\nreentry: always\n{steps}\n");
    let mut world = World::with(&settings, &[("workflows/w.yaml", &workflow)], START);
    for (n, at) in times.iter().enumerate() {
        world.event(at, "e", json!({ "n": n }));
    }
    world.check("40 days", expected);
}

#[test]
fn quiet_hours_hold_marketing_only() {
    let quiet = r#"quiet_hours: "21:00-08:00""#;
    // 09:00 + 13 h is 22:00; the next 08:00 comes 10 hours later.
    check(quiet, "steps: [ { send: a } ]", &["13h"], &["13 hours enter w", "23 hours send a", "23 hours exit completed"]);
    check(
        quiet,
        "steps: [ { send: a, transactional: true } ]",
        &["13h"],
        &["13 hours enter w", "13 hours send a", "13 hours exit completed"],
    );
    // The night in which the clocks go forward is an hour shorter.
    check(
        quiet,
        "steps: [ { send: a } ]",
        &["37h"],
        &["1 day 13 hours enter w", "1 day 22 hours send a", "1 day 22 hours exit completed"],
    );
}

#[test]
fn windows_belong_to_the_step() {
    check(
        "",
        r#"steps: [ { send: a, window: { between: "10:00-12:00", days: weekdays } } ]"#,
        &["4h"],
        &["4 hours enter w", "3 days send a", "3 days exit completed"],
    );
}

#[test]
fn caps_roll_and_wait_or_skip() {
    let cap = "frequency: [ { at_most: 1, per: 2 days, topic: any } ]";
    check(
        cap,
        "steps: [ { send: a } ]",
        &["0s", "1h"],
        &[
            "0 seconds enter w",
            "0 seconds send a",
            "0 seconds exit completed",
            "1 hour enter w",
            "2 days send a",
            "2 days exit completed",
        ],
    );
    check(
        cap,
        "steps: [ { send: a, when_capped: skip } ]",
        &["0s", "1h"],
        &[
            "0 seconds enter w",
            "0 seconds send a",
            "0 seconds exit completed",
            "1 hour enter w",
            "1 hour skip send-a capped",
            "1 hour exit completed",
        ],
    );
    // Three days at most, then it is skipped.
    check(
        "frequency: [ { at_most: 1, per: 9 days, topic: any } ]",
        "steps: [ { send: a } ]",
        &["0s", "1h"],
        &[
            "0 seconds enter w",
            "0 seconds send a",
            "0 seconds exit completed",
            "1 hour enter w",
            "3 days 1 hour skip send-a capped",
            "3 days 1 hour exit completed",
        ],
    );
}

#[test]
fn consent_is_asked_when_the_message_leaves() {
    let workflow = "trigger: { event: e }\ntopic: offers\nsteps: [ { send: a }, { wait: 1 day }, { send: b }, { send: c, transactional: true } ]";
    let first = ["0 seconds enter w", "0 seconds send a"];
    let expect = |skipped: bool| {
        let second = if skipped { "1 day skip send-b unsubscribed" } else { "1 day send b" };
        [&first[..], &[second, "1 day send c", "1 day exit completed"]].concat()
    };
    for (what, skipped) in [
        (What::Unsubscribe("offers".into()), true),
        (What::Unsubscribe("all".into()), true),
        (What::Unsubscribe("news".into()), false),
    ] {
        let mut world = World::new(workflow);
        world.event("0s", "e", json!({})).happens("1h", "ada", what);
        world.check("9 days", &expect(skipped));
    }
}

#[test]
fn who_cannot_be_reached_goes_on_or_leaves() {
    for (policy, end) in [("continue", "completed"), ("exit", "unreachable")] {
        let mut world = World::new(&format!("trigger: {{ event: e }}\nsteps: [ {{ send: a, when_unreachable: {policy} }} ]"));
        world.contact(json!({ "id": "bo" }));
        world.happens("0s", "bo", What::Event { name: "e".into(), properties: serde_json::Map::new(), id: None });
        world.check(
            "9 days",
            &["0 seconds bo: enter w", "0 seconds bo: skip send-a no_address", &format!("0 seconds bo: exit {end}")],
        );
    }
}

#[test]
fn refusals_are_tried_again_and_end_in_failure() {
    let run = |replies: Vec<Outcome>| {
        let mut world = World::new("trigger: { event: e }\nsteps: [ { send: a } ]");
        world.replies.insert("ada@example.com".into(), replies);
        world.event("0s", "e", json!({})).until("9 days");
        world.seen.lock().unwrap().clone()
    };
    let deferred = || Outcome::Deferred("451 later".into());
    assert_eq!(run(vec![Outcome::Failed("550 no".into())])[1..], ["0 seconds send a \"failed\"", "0 seconds exit completed"]);
    assert_eq!(run(vec![Outcome::Unknown("lost".into())])[1..], ["0 seconds send a \"unknown\"", "0 seconds exit completed"]);
    let seen = run(vec![deferred(), deferred()]);
    assert!(seen[1].ends_with("send a") && !seen[1].starts_with("0 seconds"), "{seen:?}");
    let seen = run((0..100_000).map(|_| deferred()).collect());
    assert!(seen[1].starts_with("1 day 23 hours") && seen[1].ends_with("send a \"failed\""), "{seen:?}");
}

#[test]
fn a_run_that_ends_cancels_what_is_held() {
    let mut world = World::with(
        "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nlimits: { spread: 0 minutes, quiet_hours: \"08:00-12:00\" }\n",
        &[("workflows/w.yaml", "workflow: w\ntrigger: { event: e }\nexit_when: { event: bought }\nsteps: [ { send: a } ]\n")],
        START,
    );
    world.event("0s", "e", json!({})).event("1h", "bought", json!({}));
    world.check("9 days", &["0 seconds enter w", "1 hour exit exit_when"]);
}

#[test]
fn what_piled_up_is_spread() {
    let settings =
        "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nlimits: { spread: 10 minutes, quiet_hours: \"08:00-12:00\" }\n";
    let mut world =
        World::with(settings, &[("workflows/w.yaml", "workflow: w\ntrigger: { event: e }\nsteps: [ { send: a } ]\n")], START);
    for n in 0..40 {
        let id = format!("c{n}");
        world.contact(json!({ "id": id, "email": format!("{id}@example.com") }));
        world.happens("0s", &id, What::Event { name: "e".into(), properties: serde_json::Map::new(), id: None });
    }
    world.until("2h 59m 59s");
    assert!(!world.seen.lock().unwrap().iter().any(|line| line.contains("send")));
    world.until("3h 10m");
    let sends: std::collections::BTreeSet<String> = world
        .seen
        .lock()
        .unwrap()
        .iter()
        .filter(|line| line.contains("send"))
        .map(|line| line.split(" c").next().unwrap().to_owned())
        .collect();
    assert!(sends.len() > 30, "{sends:?}");
}
