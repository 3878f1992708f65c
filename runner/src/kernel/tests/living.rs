//! Changing a live workflow: runs follow, stay pinned, or finish on what they began.

use serde_json::json;

use super::World;
use crate::store::{InboxItem, Migration};

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

/// At 09:00 the message waits for its window; at 10:00 that is another one.
#[test]
fn a_held_message_goes_by_the_changed_window() {
    let send = |window: &str| format!("steps: [ {{ send: a, window: {{ between: \"{window}\" }} }} ]");
    check(&send("20:00-20:30"), &send("08:00-20:00"), &["0 seconds enter w", "1 hour send a", "1 hour exit completed"]);
    check(&send("20:00-20:30"), &send("09:00-09:30"), &["0 seconds enter w", "1 day send a", "1 day exit completed"]);
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

/// Ada enters `before` at the start; after an hour the file becomes `after`, and an hour later she is migrated, twice.
#[track_caller]
fn check_migrated(after: &str, moves: &[(&str, &str)], rest: Option<&str>, expected: &[&str]) {
    let head = "workflow: w\ntrigger: { event: e }\n";
    let mut world = World::with(super::SETTINGS, &[(FILE, &format!("{head}{BEFORE}\n"))], super::START);
    world.event("0s", "e", json!({})).edit("1h", FILE, &format!("{head}{after}\n"));
    let moves = moves.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect();
    let item = InboxItem::Migrate(Migration { workflow: "w".to_owned(), moves, rest: rest.map(str::to_owned) });
    world.ask("2h", item.clone()).ask("3h", item);
    world.check("30 days", expected);
}

#[test]
fn migrated_runs_go_over_to_the_definition_in_force() {
    let pinned = "in_flight: pinned\nsteps: [ { wait: 3 days, id: pause }, { send: b } ]";
    let over = ["0 seconds enter w", "2 hours follow", "3 days send b", "3 days exit completed"];
    check_migrated(pinned, &[], None, &over);
    // What was said of a step that is there is done all the same.
    let at_once = ["0 seconds enter w", "2 hours follow", "2 hours send b", "2 hours exit completed"];
    check_migrated(&pinned.replace("send: b", "send: b, id: it"), &[("pause", "it")], None, &at_once);
    let gone = "steps: [ { wait: 1 day, id: later }, { send: b } ]";
    let later = ["0 seconds enter w", "2 hours follow", "1 day 2 hours send b", "1 day 2 hours exit completed"];
    check_migrated(gone, &[("pause", "later")], None, &later);
    check_migrated(gone, &[("other", "later")], Some("later"), &later);
    check_migrated(gone, &[], None, &["0 seconds enter w", "2 days send a", "2 days exit completed"]);
    check_migrated(gone, &[("pause", "nowhere")], None, &["0 seconds enter w", "2 days send a", "2 days exit completed"]);
    // A paused workflow's runs are moved, and go on when it does.
    let frozen = format!("status: paused\n{gone}");
    check_migrated(&frozen, &[("pause", "later")], None, &["0 seconds enter w", "2 hours follow"]);
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
