//! Changing a live workflow: runs follow, stay pinned, or finish on what they began.

use serde_json::json;

use super::World;
use crate::store::InboxItem;

const FILE: &str = "workflows/w.yaml";

/// Ada enters `before` at the start; after an hour the file becomes `after`.
#[track_caller]
fn check(before: &str, after: &str, expected: &[&str]) {
    let head = "workflow: w\ntrigger: { event: e }\n";
    let mut world = World::with(super::SETTINGS, &[(FILE, &format!("{head}{before}\n"))], super::START);
    world.event("0s", "e", json!({}));
    let after = if after.is_empty() { String::new() } else { format!("{head}{after}\n") };
    world.edit("1h", FILE, &after);
    world.check("30 days", expected);
}

const BEFORE: &str = "steps: [ { wait: 2 days, id: pause }, { send: a } ]";

#[test]
fn a_changed_wait_counts_from_when_it_began() {
    check(
        BEFORE,
        "steps: [ { wait: 3 days, id: pause }, { send: b } ]",
        &["0 seconds enter w", "1 hour follow", "3 days send b", "3 days exit completed"],
    );
    check(
        BEFORE,
        "steps: [ { wait: 30 minutes, id: pause }, { send: b } ]",
        &["0 seconds enter w", "1 hour follow", "1 hour send b", "1 hour exit completed"],
    );
}

#[test]
fn pinned_runs_finish_as_they_began() {
    check(
        BEFORE,
        "in_flight: pinned\nsteps: [ { wait: 3 days, id: pause }, { send: b } ]",
        &["0 seconds enter w", "2 days send a", "2 days exit completed"],
    );
}

#[test]
fn a_step_that_is_gone_keeps_the_old_definition_or_moves() {
    check(BEFORE, "steps: [ { send: b } ]", &["0 seconds enter w", "2 days send a", "2 days exit completed"]);
    check(
        BEFORE,
        "moved: { pause: later }\nsteps: [ { send: c }, { wait: 1 day, id: later }, { send: b } ]",
        &["0 seconds enter w", "1 hour follow", "1 day 1 hour send b", "1 day 1 hour exit completed"],
    );
}

#[test]
fn a_removed_file_closes_the_workflow() {
    check(BEFORE, "", &["0 seconds enter w", "2 days send a", "2 days exit completed"]);
}

#[test]
fn paused_freezes_and_resume_goes_on() {
    let paused = format!("workflow: w\nstatus: paused\ntrigger: {{ event: e }}\n{BEFORE}\n");
    let live = format!("workflow: w\ntrigger: {{ event: e }}\n{BEFORE}\n");
    let mut world = World::with(super::SETTINGS, &[(FILE, &live)], super::START);
    world.event("0s", "e", json!({})).edit("1h", FILE, &paused).edit("5 days", FILE, &live);
    world.check("30 days", &["0 seconds enter w", "5 days send a", "5 days exit completed"]);
}

#[test]
fn overdue_sends_follow_the_workflows_word() {
    for (action, rest) in [
        ("run", vec!["5 days send a", "5 days exit completed"]),
        ("skip", vec!["5 days skip send-a overdue", "5 days exit completed"]),
        ("exit", vec!["5 days skip send-a overdue", "5 days exit overdue"]),
    ] {
        let text = |status: &str| {
            format!(
                "workflow: w\nstatus: {status}\noverdue: {{ after: 2 days, do: {action} }}\ntrigger: {{ event: e }}\n{BEFORE}\n"
            )
        };
        let mut world = World::with(super::SETTINGS, &[(FILE, &text("live"))], super::START);
        world.event("0s", "e", json!({})).edit("1h", FILE, &text("paused")).edit("5 days", FILE, &text("live"));
        world.check("30 days", &[&["0 seconds enter w"][..], &rest].concat());
    }
}

#[test]
fn what_happened_during_a_pause_is_looked_at_when_it_ends() {
    let steps = "steps: [ { wait_for: { event: bought }, within: 9 days, then: [ { send: a } ] } ]";
    let text = |status: &str| format!("workflow: w\nstatus: {status}\ntrigger: {{ event: e }}\n{steps}\n");
    for frozen in ["paused", "draft"] {
        let mut world = World::with(super::SETTINGS, &[(FILE, &text("live"))], super::START);
        world.event("0s", "e", json!({})).edit("1h", FILE, &text(frozen)).event("2 days", "bought", json!({}));
        world.edit("5 days", FILE, &text("live"));
        world.check("30 days", &["0 seconds enter w", "5 days branch \"then\"", "5 days send a", "5 days exit completed"]);
    }
}

#[test]
fn pause_and_resume_by_command() {
    let workflow = "trigger: { event: e }\nexit_when: { event: bought }\nsteps: [ { wait: 9 days }, { send: a } ]";
    let mut world = World::new(workflow);
    world.event("0s", "e", json!({})).ask("1h", InboxItem::Pause("w".into()));
    world.event("2 days", "bought", json!({})).ask("3 days", InboxItem::Resume("w".into()));
    world.check("30 days", &["0 seconds enter w", "3 days exit exit_when"]);
}
