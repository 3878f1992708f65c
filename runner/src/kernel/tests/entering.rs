//! Entering: triggers, audience, re-entry, and what ends a run.

use serde_json::json;

use super::World;
use crate::ingest::What;

#[track_caller]
fn check(workflow: &str, events: &[(&str, &str, serde_json::Value)], expected: &[&str]) {
    let mut world = World::new(workflow);
    for (at, name, properties) in events {
        world.event(at, name, properties.clone());
    }
    world.check("60 days", expected);
}

#[test]
fn once_by_default_or_again_after_a_while() {
    let steps = "\nsteps: [ { send: a } ]";
    let twice = [("0s", "e", json!({})), ("3 days", "e", json!({})), ("10 days", "e", json!({}))];
    let one = ["0 seconds enter w", "0 seconds send a", "0 seconds exit completed"];
    check(&format!("trigger: {{ event: e }}{steps}"), &twice, &one);
    let mut two = one.to_vec();
    two.extend(["10 days enter w", "10 days send a", "10 days exit completed"]);
    check(&format!("trigger: {{ event: e }}\nreentry: {{ after: 7 days }}{steps}"), &twice, &two);
    let three = [&one[..], &["3 days enter w", "3 days send a", "3 days exit completed"], &two[3..]].concat();
    check(&format!("trigger: {{ event: e }}\nreentry: always{steps}"), &twice, &three);
}

#[test]
fn one_run_per_key() {
    let events = [
        ("0s", "e", json!({ "cart": "x" })),
        ("1s", "e", json!({ "cart": "y" })),
        ("2s", "e", json!({ "cart": "x" })),
        ("3s", "e", json!({})),
    ];
    check(
        "trigger: { event: e, key: event.cart }\nreentry: always\nsteps: [ { wait: 1 day } ]",
        &events,
        &["0 seconds enter w", "1 second enter w", "1 day exit completed", "1 day 1 second exit completed"],
    );
}

#[test]
fn restart_supersedes_the_open_run() {
    check(
        "trigger: { event: e }\nwhile_active: restart\nsteps: [ { wait: 1 day }, { send: a } ]",
        &[("0s", "e", json!({})), ("1h", "e", json!({}))],
        &["0 seconds enter w", "1 hour exit superseded", "1 hour enter w", "1 day 1 hour send a", "1 day 1 hour exit completed"],
    );
}

#[test]
fn where_and_audience_must_hold() {
    let workflow = "trigger: { event: e, where: { event.total: { at_least: 20 } } }\naudience: { contact.country: [DE, AT] }\nreentry: always\nsteps: [ { send: a } ]";
    let mut world = World::new(workflow);
    world.event("0s", "e", json!({ "total": 50 }));
    world.contact(json!({ "id": "ada", "country": "AT" }));
    world.event("1h", "e", json!({ "total": 10 })).event("2h", "e", json!({ "total": 20 }));
    world.check("1 day", &["2 hours enter w", "2 hours send a", "2 hours exit completed"]);
}

#[test]
fn exit_when_works_in_the_middle_of_a_wait() {
    let workflow = "trigger: { event: e }\nexit_when: { event: bought }\nsteps: [ { wait: 3 days }, { send: a } ]";
    check(workflow, &[("0s", "e", json!({})), ("1 day", "bought", json!({}))], &["0 seconds enter w", "1 day exit exit_when"]);
    // What happened before entry does not count, nor does the event that started the run.
    check(
        workflow,
        &[("0s", "bought", json!({})), ("1h", "e", json!({}))],
        &["1 hour enter w", "3 days 1 hour send a", "3 days 1 hour exit completed"],
    );
    check(
        "trigger: { event: e }\nexit_when: { event: e }\nsteps: [ { wait: 3 days }, { send: a } ]",
        &[("0s", "e", json!({}))],
        &["0 seconds enter w", "3 days send a", "3 days exit completed"],
    );
}

#[test]
fn exit_when_that_only_time_brings_about() {
    check(
        "trigger: { event: e }\nexit_when: { event: seen, count: 0, within: 2 days }\nsteps: [ { wait: 9 days }, { send: a } ]",
        &[("0s", "seen", json!({})), ("1s", "e", json!({})), ("1 day", "seen", json!({}))],
        &["1 second enter w", "3 days 0.001 seconds exit exit_when"],
    );
}

#[test]
fn goals_are_recorded() {
    let goal = |more: &str| {
        format!(
            "trigger: {{ event: e }}\ngoal: {{ event: bought, within: 7 days, value: event.total{more} }}\nsteps: [ {{ wait: 9 days }}, {{ send: a }} ]"
        )
    };
    let events = |at: &'static str| [("0s", "e", json!({})), (at, "bought", json!({ "total": 5 }))];
    check(&goal(""), &events("1 day"), &["0 seconds enter w", "1 day goal", "1 day exit goal"]);
    check(&goal(""), &events("7 days"), &["0 seconds enter w", "7 days goal", "7 days exit goal"]);
    check(&goal(""), &events("8 days"), &["0 seconds enter w", "9 days send a", "9 days exit completed"]);
    check(
        &goal(", stay: true"),
        &events("1 day"),
        &["0 seconds enter w", "1 day goal", "9 days send a", "9 days exit completed"],
    );
    // Both for the same event: the goal is recorded and the reason is exit_when.
    let both = "trigger: { event: e }\nexit_when: { event: bought }\ngoal: { event: bought }\nsteps: [ { wait: 9 days } ]";
    check(both, &events("1 day"), &["0 seconds enter w", "1 day goal", "1 day exit exit_when"]);
}

#[test]
fn erased_people_leave() {
    let mut world = World::new("trigger: { event: e }\nreentry: always\nsteps: [ { wait: 1 day }, { send: a } ]");
    world.event("0s", "e", json!({})).happens("1h", "ada", What::Erase).event("2h", "e", json!({}));
    world.check("9 days", &["0 seconds enter w", "1 hour exit erased"]);
}

#[test]
fn the_same_event_id_counts_once() {
    let mut world = World::new("trigger: { event: e }\nreentry: always\nsteps: [ { send: a } ]");
    for at in ["0s", "1h"] {
        world.happens(at, "ada", What::Event { name: "e".into(), properties: serde_json::Map::new(), id: Some("1".into()) });
    }
    world.check("1 day", &["0 seconds enter w", "0 seconds send a", "0 seconds exit completed"]);
}

#[test]
fn drafts_closed_and_paused_let_nobody_in() {
    for status in ["draft", "closed", "paused"] {
        check(&format!("status: {status}\ntrigger: {{ event: e }}\nsteps: [ {{ send: a }} ]"), &[("0s", "e", json!({}))], &[]);
    }
}

#[test]
fn workflows_that_go_on_starting_each_other_are_cut() {
    // Both triggers of the second hold for the same event, which enters once.
    for (trigger, step) in [("message_sent", "send: a"), ("go", "record: go")] {
        let mut world = World::new(&format!(
            "trigger: [ {{ event: {trigger} }}, {{ event: go }} ]\naudience: {{ contact.id: ada }}\nreentry: always\nsteps: [ {{ {step} }} ]"
        ));
        world.event("0s", "go", json!({})).until("1 day");
        let entered = world.seen.lock().unwrap().iter().filter(|line| line.contains("enter")).count();
        assert!((2..=40).contains(&entered), "{trigger}: {entered}");
    }
}
