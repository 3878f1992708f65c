//! Steps: what each does and where a run goes next.

use serde_json::json;

use super::World;

/// Ada's signed_up at the start runs these steps; `events` (at, name) follow.
#[track_caller]
fn check(steps: &str, events: &[(&str, &str)], expected: &[&str]) {
    let mut world = World::new(&format!("trigger: {{ event: signed_up }}\n{steps}"));
    world.event("0s", "signed_up", json!({ "plan": "pro", "n": 5, "trial_ends": "2026-04-01" }));
    for (at, name) in events {
        world.event(at, name, json!({ "total": 60, "template": "a" }));
    }
    world.check("30 days", expected);
}

#[test]
fn one_after_the_other() {
    check(
        "steps: [ { send: a }, { wait: 2 days }, { send: b } ]",
        &[],
        &["0 seconds enter w", "0 seconds send a", "2 days send b", "2 days exit completed"],
    );
    check("steps: [ { exit: enough }, { send: a } ]", &[], &["0 seconds enter w", "0 seconds exit exit: enough"]);
    check("steps: [ exit ]", &[], &["0 seconds enter w", "0 seconds exit exit"]);
}

#[test]
fn branch_takes_the_first_that_holds() {
    let steps = |when: &str| {
        format!(
            "steps: [ {{ branch: [ {{ when: {when}, steps: [ {{ send: a }} ] }}, {{ steps: [ {{ send: b }} ] }} ] }}, {{ send: c }} ]"
        )
    };
    let a = ["0 seconds enter w", "0 seconds branch 1", "0 seconds send a", "0 seconds send c", "0 seconds exit completed"];
    let b = ["0 seconds enter w", "0 seconds branch 2", "0 seconds send b", "0 seconds send c", "0 seconds exit completed"];
    check(&steps("{ event.plan: pro }"), &[], &a);
    check(&steps("{ event.plan: basic }"), &[], &b);
    check(&steps("{ event.n: { at_least: 5 } }"), &[], &a);
    check(&steps("{ event.n: { above: 5 } }"), &[], &b);
    check(&steps("{ contact.missing: { is_not: x } }"), &[], &a);
    check(
        "steps: [ { branch: [ { when: { event.plan: basic }, steps: [ { send: a } ] } ] }, { send: c } ]",
        &[],
        &["0 seconds enter w", "0 seconds branch null", "0 seconds send c", "0 seconds exit completed"],
    );
}

#[test]
fn wait_for_what_comes_first() {
    let steps = "steps: [ { wait_for: { event: bought }, within: 3 days, then: [ { send: a } ], otherwise: [ { send: b } ] } ]";
    let then = |at: &str| vec![format!("{at} branch \"then\""), format!("{at} send a"), format!("{at} exit completed")];
    let expect = |lines: Vec<String>, at: &str, event: &[(&str, &str)]| {
        let mut all = vec!["0 seconds enter w".to_owned()];
        all.extend(lines);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let _ = at;
        check(steps, event, &all);
    };
    expect(then("1 day"), "", &[("1 day", "bought")]);
    // Exactly at the timeout is in time.
    expect(then("3 days"), "", &[("3 days", "bought")]);
    let late = vec!["3 days branch \"otherwise\"".to_owned(), "3 days send b".to_owned(), "3 days exit completed".to_owned()];
    expect(late.clone(), "", &[("4 days", "bought")]);
    expect(late, "", &[]);
}

#[test]
fn wait_for_counts_from_the_step_or_from_entry() {
    let steps = |since: &str| {
        format!(
            "steps: [ {{ wait: 1 day }}, {{ wait_for: {{ event: bought }}, within: 2 days, since: {since}, then: [ {{ send: a }} ] }} ]"
        )
    };
    check(&steps("step"), &[("1h", "bought")], &["0 seconds enter w", "3 days branch \"otherwise\"", "3 days exit completed"]);
    check(
        &steps("entry"),
        &[("1h", "bought")],
        &["0 seconds enter w", "1 day branch \"then\"", "1 day send a", "1 day exit completed"],
    );
}

#[test]
fn wait_for_a_message_of_this_run() {
    let steps = "steps: [ { send: a }, { wait_for: { message: a, is: clicked }, within: 1 day, otherwise: [ { send: b } ] } ]";
    check(
        steps,
        &[("2h", "message_clicked")],
        &["0 seconds enter w", "0 seconds send a", "2 hours branch \"then\"", "2 hours exit completed"],
    );
    check(
        steps,
        &[],
        &["0 seconds enter w", "0 seconds send a", "1 day branch \"otherwise\"", "1 day send b", "1 day exit completed"],
    );
}

#[test]
fn repeat_is_bounded_and_until_ends_it() {
    let steps =
        "steps: [ { repeat: { times: 3, every: 7 days, until: { event: bought }, steps: [ { send: a } ] } }, { send: b } ]";
    check(
        steps,
        &[],
        &["0 seconds enter w", "0 seconds send a", "7 days send a", "14 days send a", "14 days send b", "14 days exit completed"],
    );
    check(
        steps,
        &[("8 days", "bought")],
        &["0 seconds enter w", "0 seconds send a", "7 days send a", "8 days send b", "8 days exit completed"],
    );
}

#[test]
fn set_adds_appends_and_removes() {
    let mut world = World::new(
        "trigger: { event: signed_up }\nsteps:\n  - set: { contact.points: { add: 10 }, contact.tags: { append: vip }, vars.x: 1 }\n  - set: { contact.points: { add: 5 }, contact.tags: { append: vip } }\n  - branch: [ { when: { contact.points: 15, vars.x: 1 }, steps: [ { send: a } ] } ]\n  - set: { contact.at: now }\n",
    );
    world.event("0s", "signed_up", json!({}));
    world.check(
        "1 day",
        &[
            "0 seconds enter w",
            r#"0 seconds set {"contact.points":10,"contact.tags":["vip"],"vars.x":1}"#,
            r#"0 seconds set {"contact.points":15,"contact.tags":["vip"]}"#,
            "0 seconds branch 1",
            "0 seconds send a",
            r#"0 seconds set {"contact.at":"2026-03-27T09:00:00+01:00"}"#,
            "0 seconds exit completed",
        ],
    );
}

#[test]
fn waits_until_times_and_dates() {
    // 09:00 on Friday; the clocks go forward on Sunday.
    check(
        r#"steps: [ { wait: { until: "09:00" } }, { send: a } ]"#,
        &[],
        &["0 seconds enter w", "1 day send a", "1 day exit completed"],
    );
    check(
        r#"steps: [ { wait: { for: 2 days, at: "09:00" } }, { send: a } ]"#,
        &[],
        &["0 seconds enter w", "1 day 23 hours send a", "1 day 23 hours exit completed"],
    );
    check(
        r#"steps: [ { wait: { for: 2 days, at: "09:00", days: weekdays } }, { send: a } ]"#,
        &[],
        &["0 seconds enter w", "2 days 23 hours send a", "2 days 23 hours exit completed"],
    );
    check("steps: [ { wait: 2 days }, { send: a } ]", &[], &["0 seconds enter w", "2 days send a", "2 days exit completed"]);
    // 1 April 00:00 in summer time, three days earlier.
    check(
        "steps: [ { wait: { until: event.trial_ends, offset: -3 days } }, { send: a } ]",
        &[],
        &["0 seconds enter w", "1 day 14 hours send a", "1 day 14 hours exit completed"],
    );
    check(
        "steps: [ { wait: { until: event.none, on_missing: exit } }, { send: a } ]",
        &[],
        &["0 seconds enter w", "0 seconds exit exit: event.none is missing"],
    );
    check(
        "steps: [ { wait: { until: event.trial_ends, offset: -30 days } }, { send: a } ]",
        &[],
        &["0 seconds enter w", "0 seconds send a", "0 seconds exit completed"],
    );
}

#[test]
fn record_and_start_reach_other_workflows() {
    let other = "workflow: other\ntrigger: { event: asked }\nsteps: [ { branch: [ { when: { event.x: 1 }, steps: [ { send: b } ] } ] } ]\n";
    let called = "workflow: called\ntrigger: { manual: true }\nsteps: [ { branch: [ { when: { event.who: Ada }, steps: [ { send: c } ] } ] } ]\n";
    let w = "workflow: w\ntrigger: { event: signed_up }\nsteps: [ { record: asked, with: { x: 1 } }, { start: called, with: { who: \"{{contact.name}}\" } }, { send: a } ]\n";
    let files = [("workflows/w.yaml", w), ("workflows/o.yaml", other), ("workflows/c.yaml", called)];
    let mut world = World::with(super::SETTINGS, &files, super::START);
    world.contact(json!({ "id": "ada", "name": "Ada" })).event("0s", "signed_up", json!({}));
    world.check(
        "1 day",
        &[
            "0 seconds enter w",
            "0 seconds record",
            "0 seconds start",
            "0 seconds enter other",
            "0 seconds branch 1",
            "0 seconds enter called",
            "0 seconds branch 1",
            "0 seconds send a",
            "0 seconds exit completed",
            "0 seconds send b",
            "0 seconds exit completed",
            "0 seconds send c",
            "0 seconds exit completed",
        ],
    );
}

#[test]
fn wait_for_does_not_count_what_the_run_did_before_it() {
    check(
        "steps: [ { record: asked }, { wait_for: { event: asked }, within: 1 day, otherwise: [ { send: a } ] } ]",
        &[],
        &["0 seconds enter w", "0 seconds record", "1 day branch \"otherwise\"", "1 day send a", "1 day exit completed"],
    );
}
