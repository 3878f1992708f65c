//! Conditions on topics, workflows and segments by example, and what a check reads.

use serde_json::json;

use super::super::subscribed;
use super::*;

#[test]
fn topics_and_consent() {
    for (consent, erased, news, offers, listed) in [
        (json!({}), false, true, false, json!(["news"])),
        (json!({"topics": {"news": false, "offers": true}}), false, false, true, json!(["offers"])),
        (
            json!({"none": true, "topics": {"offers": true}}),
            false,
            false,
            // Asked for after everything was refused: this one and nothing else.
            true,
            json!(["offers"]),
        ),
        (json!({"topics": {"offers": true}}), true, false, false, json!([])),
        (json!({"topics": {"offers": true, "unknown": true}}), false, true, true, json!(["news", "offers"])),
    ] {
        let mut world = World::new();
        world.contact.consent = serde_json::from_value(consent).expect("a consent");
        world.contact.erased = erased;
        expect(&world, json!({"topic": "news"}), 0, news, None);
        expect(&world, json!({"topic": "offers"}), 0, offers, None);
        expect(&world, json!({"topic": "unknown"}), 0, false, None);
        expect(&world, value("contact.topics", json!({"is": listed})), 0, true, None);
        assert_eq!(subscribed(&world.contact, &world.settings, "offers"), offers);
    }
}

#[test]
fn workflows() {
    let history =
        |open: bool, completed, exited| RunHistory { open: open.then_some(RunId(3)), last_entered: Some(5), completed, exited };
    for (history, [active, was_completed, was_exited, never]) in [
        (None, [false, false, false, true]),
        (Some(history(true, false, false)), [true, false, false, false]),
        (Some(history(false, true, false)), [false, true, false, false]),
        (Some(history(true, true, true)), [true, true, true, false]),
    ] {
        let mut world = World::new();
        world.workflows.extend(history.map(|history| ("other".to_owned(), history)));
        for (is, holds) in [("active", active), ("completed", was_completed), ("exited", was_exited), ("never", never)] {
            expect(&world, json!({"workflow": {"name": "other", "is": is}}), 0, holds, None);
        }
    }
}

#[test]
fn segments_see_the_contact_alone() {
    let mut world = World::with_attributes(json!({"a": 1})).did("bought", 10, json!({})).fate(Fate::Clicked, 10, "hello", 1);
    world.event = Some(json!({"a": 1}));
    world.vars = Some(object(json!({"a": 1})));
    world.entry = Some(Mark(30, EventId(9)));
    world.step = world.entry;
    world.default_since = world.entry;
    world.own_run = Some(RunId(2));
    for (inside, holds) in [
        (value("contact.a", json!({"is": 1})), true),
        (value("event.a", json!({"exists": true})), false),
        (value("vars.a", json!({"exists": true})), false),
        (event("bought", json!({})), true),
        (event("bought", json!({"since": "entry"})), true),
        (event("bought", json!({"since": "step"})), true),
        (message(None, json!({})), true),
        (json!({"segment": "unknown"}), false),
        (json!({"segment": "asked"}), false),
    ] {
        let world = world.clone().segment("asked", condition(inside));
        expect(&world, json!({"segment": "asked"}), 50, holds, None);
    }
}

#[test]
fn no_circle_and_no_depth_exhausts_anything() {
    let both = |name: &str| condition(json!({"any": [{"segment": name}, {"not": {"segment": name}}]}));
    let mut world = World::new().segment("a", both("b")).segment("b", both("a"));
    world.check(&condition(json!({"segment": "a"})), 0);
    for number in 0..10_000 {
        world = world.segment(&number.to_string(), Condition::Segment((number + 1).to_string()));
    }
    world = world.segment("10000", Condition::All(Vec::new()));
    expect(&world, json!({"segment": "0"}), 0, false, None);
    expect(&world, json!({"segment": "9800"}), 0, true, None);
}

#[test]
fn reads_only_what_it_needs() {
    let world = World::with_attributes(json!({"a": 1}));
    let so = || value("contact.a", json!({"is": 1}));
    let not_so = || value("contact.a", json!({"is": 2}));
    let bought = || event("bought", json!({}));
    for (json, reads) in [
        (json!({"all": [bought(), not_so()]}), vec![]),
        (json!({"any": [bought(), so()]}), vec![]),
        (json!({"none": [bought(), {"topic": "news"}]}), vec![]),
        (json!({"all": [bought(), {"workflow": {"name": "other", "is": "active"}}, so()]}), vec!["bought latest 1"]),
        (event("bought", json!({"within": 10})), vec!["bought latest 1"]),
        (event("bought", json!({"within": 10, "filter": so()})), vec!["bought from 90"]),
        (event("bought", json!({"aggregates": [{"function": "sum", "of": "event.n", "tests": []}]})), vec!["bought all"]),
        (event("message_clicked", json!({})), vec!["message_clicked latest 1"]),
        (message(None, json!({"within": 10})), vec!["clicked from 90"]),
    ] {
        assert_eq!(world.check(&condition(json.clone()), 100).1, reads, "{json}");
    }
    let marked = World { entry: Some(Mark(95, EventId(1))), step: Some(Mark(50, EventId(1))), ..world };
    for (since, reads) in [("entry", "bought from 95 bare"), ("step", "bought from 90 bare")] {
        let json = event("bought", json!({"within": 10, "since": since}));
        assert_eq!(marked.check(&condition(json), 100).1, [reads]);
    }
}
