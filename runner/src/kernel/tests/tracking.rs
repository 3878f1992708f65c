//! Opens and clicks: what they start, what counts twice, and what machines do.

use serde_json::json;

use super::*;
use crate::kernel::Tracked;
use crate::state::MessageId;

const WORKFLOW: &str = "trigger: { event: go }
topic: offers
steps:
  - send: a
  - wait_for: { message: a, is: clicked }
    within: 2 hours
    then: [ { send: b } ]
    otherwise: [ { send: c } ]
";

/// What follows the first message, sent at 0m: when, which link (or an open), and whether by a machine; the events that come of it, and what is sent.
#[track_caller]
fn check(tracked: &[(&str, Option<&str>, bool)], events: &[(&str, i64)], sent: &str) {
    let mut world = World::new(WORKFLOW);
    world.event("0m", "go", json!({}));
    for (at, url, machine) in tracked {
        world.until(at);
        let url = url.map(str::to_owned);
        let tracked = Tracked { message: MessageId(1), url, machine: *machine, at: world.now };
        world.feed(Input::Tracked(tracked));
    }
    world.until("3h");
    let contact = world.kernel.store.contact_id("ada").unwrap().unwrap();
    for (name, expected) in events {
        let found = world.kernel.store.events(contact, name, 0, false).unwrap();
        assert_eq!(found.len() as i64, *expected, "{name} {tracked:?}");
        assert!(found.iter().all(|event| (event.message.is_none()) == (event.properties["machine"] == true)), "{found:?}");
    }
    let seen = world.seen.lock().unwrap();
    assert!(seen.iter().any(|line| line.ends_with(&format!("send {sent}"))), "{tracked:?}: {seen:#?}");
}

#[test]
fn a_click_ends_the_wait_for_it() {
    let (x, y) = (Some("https://x.example"), Some("https://y.example"));
    check(&[("1m", x, false)], &[("message_clicked", 1), ("message_opened", 0)], "b");
    check(&[("1m", None, false)], &[("message_clicked", 0), ("message_opened", 1)], "c");
    check(&[("1m", x, true)], &[("message_clicked", 1)], "c");
    check(&[("1m", x, true), ("1m", x, false)], &[("message_clicked", 2)], "b");
    check(&[("1m", x, false), ("1m", y, false)], &[("message_clicked", 2)], "b");
}

#[test]
fn the_same_counts_once_for_a_while() {
    let x = Some("https://x.example");
    check(&[("1m", x, false), ("1m", x, false), ("119s", x, false)], &[("message_clicked", 1)], "b");
    check(&[("1m", x, false), ("2m", x, false)], &[("message_clicked", 2)], "b");
    check(&[("1m", None, false), ("60m", None, false)], &[("message_opened", 1)], "c");
    check(&[("1m", None, false), ("61m", None, false)], &[("message_opened", 2)], "c");
    check(&[("1m", None, true), ("2m", None, true), ("3m", None, false)], &[("message_opened", 2)], "c");
}

/// Told by others, a machine's open is none either.
#[test]
fn what_others_tell_of_machines() {
    let mut world = World::new(WORKFLOW);
    world.event("0m", "go", json!({})).event("1m", "message_clicked", json!({ "template": "a", "machine": true }));
    world.event("5m", "message_clicked", json!({ "template": "a" }));
    world.check(
        "3h",
        &["0 seconds enter w", "0 seconds send a", "5 minutes branch \"then\"", "5 minutes send b", "5 minutes exit completed"],
    );
}

#[test]
fn what_leads_nowhere_is_nothing() {
    let mut world = World::new(WORKFLOW);
    let tracked = |message| Input::Tracked(Tracked { message: MessageId(message), url: None, machine: false, at: 0 });
    world.feed(tracked(1)).feed(tracked(99)).event("0m", "go", json!({})).happens("1m", "ada", What::Erase);
    let contact = world.kernel.store.message(MessageId(1)).unwrap().unwrap().contact;
    world.feed(tracked(1));
    assert_eq!(world.kernel.store.events(contact, "message_opened", 0, false).unwrap(), []);
}
