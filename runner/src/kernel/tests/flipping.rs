//! Into segments and out of them: nothing lost, nothing twice, whatever comes at the same time.

use serde_json::json;

use super::audience::object;
use super::*;
use crate::state::ContactId;

const AUDIENCE: &str = "workflows/shared.yaml";

fn world(audience: &str, workflow: &str) -> World {
    World::with(SETTINGS, &[("workflows/w.yaml", &format!("workflow: w\n{workflow}")), (AUDIENCE, audience)], START)
}

fn order(at: i64, who: &str) -> Input {
    let what = What::Event { name: "order".to_owned(), properties: Map::new(), id: None };
    Input::Occurrence(Occurrence { at, contact: who.to_owned(), anonymous: false, what })
}

/// As with events that start a workflow: the run that the event ends does not keep the contact out.
#[test]
fn an_event_that_ends_a_run_and_brings_into_a_segment_starts_the_next_one() {
    world(
        "segments: { even: { any: [ { event: order, count: 1 }, { event: order, count: 3 } ] } }",
        "trigger: { segment: even }\nreentry: always\nexit_when: { event: order }\nsteps: [ wait: 9 days, send: a ]",
    )
    .event("1h", "order", json!({}))
    .event("2h", "order", json!({}))
    .event("3h", "order", json!({}))
    .check("4h", &["1 hour enter w", "2 hours exit exit_when", "3 hours enter w"]);
}

#[test]
fn an_event_that_ends_a_run_and_brings_back_into_a_segment_starts_the_next_one() {
    world(
        "segments: { some: { event: order, count: { at_least: 1 } }, more: { event: order, count: { at_least: 2 } } }",
        "trigger: [ { segment: some }, { segment: more } ]\nreentry: always\nexit_when: { event: order }\nsteps: [ wait: 9 days, send: a ]",
    )
    .event("1h", "order", json!({}))
    .event("2h", "order", json!({}))
    .check("4h", &["1 hour enter w", "2 hours exit exit_when", "2 hours enter w"]);
}

/// Contacts whom time took out of a segment while the runner was down left it, though an event brings them back before it gets to them.
#[test]
fn whoever_left_while_the_runner_was_down_left_before_they_come_back() {
    let mut world = world(
        "segments: { recent: { event: order, within: 1 day } }",
        "trigger: { segment: recent, change: leave }\nreentry: always\nsteps: [ send: a ]",
    );
    let start = world.start;
    // More than a turn takes.
    let crowd: Vec<Input> = (0..1500).map(|number| order(start, &format!("c{number}"))).chain([order(start, "zoe")]).collect();
    world.settle(crowd);
    world.now = start + 2 * 86_400_000;
    let now = world.now;
    world.settle(vec![order(now, "zoe")]);
    let left = world.seen.lock().unwrap().iter().filter(|line| line.ends_with("zoe: enter w")).count();
    assert_eq!(left, 1);
}

/// An edit is silent about who fits, not about what happens while all contacts are gone through.
#[test]
fn an_event_during_a_sweep_brings_into_the_edited_segment() {
    let mut world = world(
        "segments: { buyers: { event: order, count: { at_least: 5 } } }",
        "trigger: { segment: buyers }\nsteps: [ send: a ]",
    );
    world.files.insert(AUDIENCE.to_owned(), "segments: { buyers: { event: order, count: { at_least: 1 } } }".to_owned());
    let new = plan(&world.files, Some(world.kernel.plan()));
    let now = world.now;
    world.kernel.reload(new, now).unwrap();
    world.feed(order(now, "ada"));
    world.check("1d", &["0 seconds enter w", "0 seconds send a", "0 seconds exit completed"]);
}

#[test]
fn a_change_during_a_sweep_brings_into_the_edited_segment() {
    let mut world = world("segments: { pros: { contact.plan: enterprise } }", "trigger: { segment: pros }\nsteps: [ send: a ]");
    world.files.insert(AUDIENCE.to_owned(), "segments: { pros: { contact.plan: pro } }".to_owned());
    let new = plan(&world.files, Some(world.kernel.plan()));
    let now = world.now;
    world.kernel.reload(new, now).unwrap();
    world.contact(json!({ "id": "ada", "plan": "pro" }));
    world.check("1d", &["0 seconds enter w", "0 seconds send a", "0 seconds exit completed"]);
}

/// Whoever is imported brings all that follows with them, however many there are.
#[test]
fn what_follows_from_an_import_is_not_dropped() {
    let audience: String = (0..12).map(|number| format!("  s{number}: {{ contact.plan: pro }}\n")).collect();
    let mut world = World::with(
        SETTINGS,
        &[
            (AUDIENCE, &format!("segments:\n{audience}")),
            ("workflows/w.yaml", "workflow: w\ntrigger: { segment: s11 }\nsteps: [ send: a ]"),
        ],
        START,
    );
    let ids = world
        .kernel
        .transaction(world.now, |kernel| {
            (0..1000)
                .map(|number| {
                    let contact = crate::state::Contact {
                        attributes: object(json!({ "plan": "pro" })).into(),
                        email: Some(format!("c{number}@example.com")),
                        ..crate::state::Contact::new(&format!("c{number}"))
                    };
                    kernel.store.insert_contact(&contact, kernel.now)
                })
                .collect::<crate::store::Result<Vec<ContactId>>>()
        })
        .unwrap();
    world.ask("1h", InboxItem::Contacts(ids));
    let entries = world.seen.lock().unwrap().iter().filter(|line| line.contains("enter")).count();
    assert_eq!(entries, 1000);
}

/// What is imported while all contacts are gone through was not there before.
#[test]
fn whoever_is_imported_during_a_sweep_enters() {
    let mut world = world("segments: { pros: { contact.plan: enterprise } }", "trigger: { segment: pros }\nsteps: [ send: a ]");
    world.files.insert(AUDIENCE.to_owned(), "segments: { pros: { contact.plan: pro } }".to_owned());
    let new = plan(&world.files, Some(world.kernel.plan()));
    let now = world.now;
    world.kernel.reload(new, now).unwrap();
    let id = world
        .kernel
        .transaction(now, |kernel| {
            let contact = crate::state::Contact {
                attributes: object(json!({ "plan": "pro" })).into(),
                email: Some("bea@example.com".to_owned()),
                ..crate::state::Contact::new("bea")
            };
            kernel.store.insert_contact(&contact, kernel.now)
        })
        .unwrap();
    world.ask("0s", InboxItem::Contacts(vec![id]));
    world.check("1d", &["0 seconds bea: enter w", "0 seconds bea: send a", "0 seconds bea: exit completed"]);
}

/// What the runs of the workflow say is up to date for the very run that says it.
#[test]
fn a_trait_of_runs_is_up_to_date_in_the_run_itself() {
    world(
        "traits: { stage: { first_match: { inside: { workflow: w, is: active } }, otherwise: outside } }",
        "trigger: { event: go }\nsteps:\n  - branch:\n      - { when: { contact.stage: inside }, steps: [ send: a ] }\n      - steps: [ send: b ]\n",
    )
    .event("1h", "go", json!({}))
    .check("1d", &["1 hour enter w", "1 hour branch 1", "1 hour send a", "1 hour exit completed"]);
}

#[test]
fn a_recorded_event_counts_for_the_steps_after_it() {
    world(
        "traits: { gos: { count: pinged }, band: { by: contact.gos, tiers: { hot: 2, cold: 0 } } }\nsegments: { done: { contact.flag: true } }",
        "trigger: { event: go }\nsteps:\n  - record: pinged\n  - record: pinged\n  - set: { contact.flag: true }\n  - branch:\n      - { when: { contact.band: hot }, steps: [ send: a ] }\n      - steps: [ send: b ]\n",
    )
    .event("1h", "go", json!({}))
    .check("1d", &["1 hour enter w", "1 hour record", "1 hour record", "1 hour set {\"contact.flag\":true}", "1 hour branch 1", "1 hour send a", "1 hour exit completed"]);
}

#[test]
fn an_edit_and_back_loses_and_repeats_nothing() {
    let one = "segments: { recent: { event: order, within: 1 day } }";
    let mut world =
        world(one, "trigger: [ { segment: recent }, { segment: recent, change: leave } ]\nreentry: always\nsteps: [ send: a ]");
    world.event("1h", "order", json!({}));
    world.edit("2h", AUDIENCE, "segments: { recent: { event: order, within: 2 days } }");
    world.edit("3h", AUDIENCE, one);
    world.check(
        "9 days",
        &[
            "1 hour enter w",
            "1 hour send a",
            "1 hour exit completed",
            "1 day 1 hour 0.001 seconds enter w",
            "1 day 1 hour 0.001 seconds send a",
            "1 day 1 hour 0.001 seconds exit completed",
        ],
    );
}

#[test]
fn a_wait_for_a_segment_and_for_a_run_ends_with_them() {
    World::with(
        SETTINGS,
        &[
            (AUDIENCE, "segments: { done: { workflow: other, is: completed } }"),
            ("workflows/w.yaml", "workflow: w\ntrigger: { event: go }\nsteps:\n  - wait_for: { segment: done }\n    within: 9 days\n    then: [ send: a ]\n"),
            ("workflows/other.yaml", "workflow: other\ntrigger: { event: go }\nsteps: [ wait: 1 hour ]\n"),
        ],
        START,
    )
    .event("1h", "go", json!({}))
    .check("5 days", &["1 hour enter other", "1 hour enter w", "2 hours exit completed", "2 hours branch \"then\"", "2 hours send a", "2 hours exit completed"]);
}

#[test]
fn equal_values_have_equal_ranks() {
    let mut world = world(
        "traits: { spent: { sum: event.total, of: order }, band: { rank: contact.spent, into: 4 } }",
        "trigger: { manual: true }\nsteps: [ send: a ]",
    );
    for who in ["bea", "cem", "dan"] {
        world.contact(json!({ "id": who }));
    }
    world.until("2 days");
    let bands: Vec<Value> = ["ada", "bea", "cem", "dan"].iter().map(|who| world.values(who)["band"].clone()).collect();
    assert_eq!(bands, [4, 4, 4, 4]);
}

/// Each limit that a score falls to is looked at once, and not again and again.
#[test]
fn a_score_falls_to_every_limit_once() {
    let mut world = world(
        "traits: { heat: { score: [ { event: order, points: 3 } ], halves_every: 3 hours }, band: { by: contact.heat, tiers: { hot: 3, warm: 1, cold: 0 } } }\nsegments: { low: { contact.heat: { at_most: 1.5 } } }",
        "trigger: { segment: low }\nreentry: always\nsteps: [ exit ]",
    );
    world.event("1h", "order", json!({}));
    let mut wakes = 0;
    while let Some(wake) = world.kernel.next_wake().unwrap() {
        world.now = world.now.max(wake);
        world.settle(Vec::new());
        wakes += 1;
        assert!(wakes < 10);
    }
    assert_eq!(world.values("ada")["band"], "cold");
    world.check("9 days", &["0 seconds enter w", "0 seconds exit exit", "4 hours enter w", "4 hours exit exit"]);
}

/// An edit and the next one, with somebody imported in between: they are new, and who was there before is not.
#[test]
fn whoever_is_imported_between_two_edits_enters_and_nobody_else_does() {
    let mut world = world("segments: { pros: { contact.plan: x } }", "trigger: { segment: pros }\nsteps: [ exit ]");
    world.contact(json!({ "id": "old", "plan": "pro" }));
    let edit = |world: &mut World, plan_of: &str| {
        world.files.insert(AUDIENCE.to_owned(), format!("segments: {{ pros: {{ contact.plan: {plan_of} }} }}"));
        let (new, now) = (plan(&world.files, Some(world.kernel.plan())), world.now);
        world.kernel.reload(new, now).unwrap();
    };
    edit(&mut world, "y");
    let now = world.now;
    let contact =
        crate::state::Contact { attributes: object(json!({ "plan": "pro" })).into(), ..crate::state::Contact::new("bea") };
    let id = world.kernel.transaction(now, |kernel| kernel.store.insert_contact(&contact, now)).unwrap();
    edit(&mut world, "pro");
    world.ask("0s", InboxItem::Contacts(vec![id]));
    world.check("1d", &["0 seconds bea: enter w", "0 seconds bea: exit exit"]);
}

/// Time has moved more contacts than a turn takes when history comes: it says nothing of what time did.
#[test]
fn history_does_not_silence_what_time_did_before_it() {
    let mut world = world(
        "segments: { recent: { event: order, within: 1 day } }",
        "trigger: { segment: recent, change: leave }\nsteps: [ exit ]",
    );
    let start = world.start;
    world.settle((0..1500).map(|number| order(start, &format!("c{number}"))).collect());
    world.now = start + 2 * 86_400_000;
    let now = world.now;
    let last = world.kernel.store().contact_id("c1499").unwrap().unwrap();
    let event = crate::state::NewEvent {
        contact: last,
        name: "order".to_owned(),
        at: start - 5 * 86_400_000,
        properties: Map::new(),
        uid: None,
        message: None,
    };
    let stored = world.kernel.transaction(now, |kernel| {
        let id = kernel.store.insert_event(&event, now)?.unwrap();
        kernel.store.push_inbox(&InboxItem::History { first: id, last: id }, now)
    });
    stored.unwrap();
    world.kernel.inbox = true;
    world.settle(Vec::new());
    let left = world.seen.lock().unwrap().iter().filter(|line| line.ends_with("enter w")).count();
    assert_eq!(left, 1500);
}

/// Who is imported enters by what they are, not by what they did long ago, nor by not having done it.
#[test]
fn whoever_is_imported_with_their_history_enters_by_what_they_are() {
    let mut world = world(
        "traits: { orders: { count: order } }\nsegments: { buyers: { event: order }, never: { contact.orders: 0 }, pros: { contact.plan: pro }, callers: { event: call } }",
        "trigger: [ { segment: buyers }, { segment: never } ]\nsteps: [ exit ]",
    );
    let (by_what_they_are, by_what_they_just_did) = (
        "workflow: pro\ntrigger: { segment: pros }\nsteps: [ exit ]",
        "workflow: call\ntrigger: { segment: callers }\nsteps: [ exit ]",
    );
    world.edit("1h", "workflows/pro.yaml", by_what_they_are);
    world.edit("1h", "workflows/call.yaml", by_what_they_just_did);
    let now = world.now;
    let contact =
        crate::state::Contact { attributes: object(json!({ "plan": "pro" })).into(), ..crate::state::Contact::new("bea") };
    let brought = world.kernel.transaction(now, |kernel| {
        let id = kernel.store.insert_contact(&contact, now)?;
        kernel.store.push_inbox(&InboxItem::Contacts(vec![id]), now)?;
        for (name, at, fresh) in [("order", now - 90 * 86_400_000, false), ("call", now - 1000, true)] {
            let event = crate::state::NewEvent {
                contact: id,
                name: name.to_owned(),
                at,
                properties: Map::new(),
                uid: None,
                message: None,
            };
            let event = kernel.store.insert_event(&event, now)?.unwrap();
            let (first, last) = (event, event);
            let item = if fresh { InboxItem::Events { first, last } } else { InboxItem::History { first, last } };
            kernel.store.push_inbox(&item, now)?;
        }
        Ok(())
    });
    brought.unwrap();
    world.kernel.inbox = true;
    world.settle(Vec::new());
    assert_eq!(world.values("bea"), json!({ "orders": 1 }));
    world.check(
        "1d",
        &[
            "0 seconds enter w",
            "0 seconds exit exit",
            "1 hour bea: enter call",
            "1 hour bea: exit exit",
            "1 hour bea: enter pro",
            "1 hour bea: exit exit",
        ],
    );
}

/// What is older than it is to be kept counts before it goes: when it is imported, and when a trait is new.
#[test]
fn nothing_is_deleted_before_it_is_counted() {
    let settings = format!("{SETTINGS}retention: {{ events: 10 days }}\n");
    let old = "traits: { orders: { count: order } }";
    let mut world = World::with(
        &settings,
        &[("workflows/w.yaml", "workflow: w\ntrigger: { manual: true }\nsteps: [ exit ]"), (AUDIENCE, old)],
        START,
    );
    world.until("1 day");
    let now = world.now;
    // The runner was down over the night, and somebody brought more than a turn takes.
    let brought = world.kernel.transaction(now + 86_400_000, |kernel| {
        for number in 0..1500 {
            let uid = Some(format!("o{number}"));
            let (contact, name, properties) = (ContactId(1), "order".to_owned(), Map::new());
            let event = crate::state::NewEvent { contact, name, at: now - 90 * 86_400_000, properties, uid, message: None };
            let id = kernel.store.insert_event(&event, now)?.unwrap();
            if number % 500 == 499 {
                let item = InboxItem::History { first: crate::state::EventId(id.0 - 499), last: id };
                kernel.store.push_inbox(&item, now)?;
            }
        }
        Ok(())
    });
    brought.unwrap();
    world.now = now + 86_400_000;
    world.kernel.inbox = true;
    world.files.insert(AUDIENCE.to_owned(), "traits: { orders: { count: order }, same: { count: order } }".to_owned());
    let new = plan(&world.files, Some(world.kernel.plan()));
    world.kernel.reload(new, world.now).unwrap();
    world.settle(Vec::new());
    assert_eq!(world.values("ada"), json!({ "orders": 1500, "same": 1500 }));
    assert_eq!(world.kernel.store().events(ContactId(1), "order", 0, true).unwrap().len(), 0);
}

/// An edit of what a topic's default is puts everybody into a segment at once, as an edit of the segment would.
#[test]
fn an_edit_of_a_topics_default_is_silent() {
    let mut world = world(
        "segments: { keen: { topic: news }, offered: { topic: offers } }",
        "trigger: [ { segment: keen }, { segment: offered } ]\nreentry: always\nsteps: [ exit ]",
    );
    world.edit("1h", "campaignd.yaml", &SETTINGS.replace("news: { default: unsubscribed }", "news: { default: subscribed }"));
    world.contact(json!({ "id": "bea" }));
    world.check(
        "1d",
        &[
            "0 seconds enter w",
            "0 seconds exit exit",
            "1 hour bea: enter w",
            "1 hour bea: exit exit",
            "1 hour bea: enter w",
            "1 hour bea: exit exit",
        ],
    );
}
