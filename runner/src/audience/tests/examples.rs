//! Conditions by example: the awkward cases, and the exact millisecond at which an answer turns.

use serde_json::{Value, json};

use super::super::{contact_json, subscribed, value_at};
use super::*;

const DAY: i64 = 86_400_000;

/// The condition at time `now` gives this answer, to be looked at again then.
fn expect(world: &World, json: Value, now: i64, holds: bool, recheck: Option<i64>) {
    let (truth, _) = world.check(&condition(json.clone()), now);
    assert_eq!(truth, Truth { holds, recheck }, "{json} at {now}");
}

fn value(path: &str, test: Value) -> Value {
    json!({"value": {"path": path, "tests": [test]}})
}

fn event(name: &str, more: Value) -> Value {
    let mut event = json!({"name": name, "filter": null, "count": null, "aggregates": [], "within": null, "since": null});
    object(more).into_iter().for_each(|(key, value)| event[key] = value);
    json!({"event": event})
}

fn message(template: Option<&str>, more: Value) -> Value {
    let mut message = json!({"template": template, "is": "clicked", "within": null, "since": null});
    object(more).into_iter().for_each(|(key, value)| message[key] = value);
    json!({"message": message})
}

#[test]
fn values() {
    let mut world = World::with_attributes(json!({
        "age": 18, "half": 0.5, "digits": "18", "name": "Ada", "empty": "", "none": null, "tags": ["vip", 5], "nothing": [],
        "address": {"city": "Wien", "at": null}, "big": 9_007_199_254_740_993_i64, "email": "not the field", "yes": true,
    }));
    world.event = Some(json!({"total": 20}));
    world.vars = Some(object(json!({"ticket": "t1"})));
    for (path, test, holds) in [
        ("contact.age", json!({"is": 18}), true),
        ("contact.age", json!({"is": 18.0}), true),
        ("contact.age", json!({"is": "18"}), false),
        ("contact.digits", json!({"is": 18}), false),
        ("contact.big", json!({"is": 9_007_199_254_740_992_i64}), false),
        ("contact.age", json!({"above": 18}), false),
        ("contact.age", json!({"at_least": 18}), true),
        ("contact.age", json!({"below": 18}), false),
        ("contact.age", json!({"at_most": 18}), true),
        ("contact.half", json!({"below": 1}), true),
        ("contact.digits", json!({"above": 2}), false),
        ("contact.digits", json!({"below": 20}), false),
        ("contact.yes", json!({"at_least": 0}), false),
        ("contact.name", json!({"is": "ada"}), false),
        ("contact.name", json!({"is_not": "ada"}), true),
        ("contact.name", json!({"one_of": ["Bo", "Ada"]}), true),
        ("contact.name", json!({"one_of": []}), false),
        ("contact.name", json!({"none_of": ["Bo", "Ada"]}), false),
        ("contact.name", json!({"contains": "d"}), true),
        ("contact.name", json!({"contains": "D"}), false),
        ("contact.age", json!({"contains": "1"}), false),
        ("contact.tags", json!({"contains": "vip"}), true),
        ("contact.tags", json!({"contains": "vi"}), false),
        ("contact.tags", json!({"contains": 5.0}), true),
        ("contact.tags", json!({"contains": "5"}), false),
        ("contact.tags", json!({"is": ["vip", 5.0]}), true),
        ("contact.name", json!({"starts_with": "A"}), true),
        ("contact.name", json!({"starts_with": "a"}), false),
        ("contact.name", json!({"ends_with": "da"}), true),
        ("contact.age", json!({"starts_with": "1"}), false),
        ("contact.name", json!({"matches": "d"}), true),
        ("contact.name", json!({"matches": "^d"}), false),
        ("contact.name", json!({"matches": "(?i)^ADA$"}), true),
        ("contact.age", json!({"matches": "18"}), false),
        ("contact.name", json!({"matches": "("}), false),
        ("contact.empty", json!({"exists": true}), true),
        ("contact.nothing", json!({"exists": true}), true),
        ("contact.none", json!({"exists": true}), false),
        ("contact.none", json!({"exists": false}), true),
        ("contact.gone", json!({"exists": false}), true),
        ("contact.gone", json!({"is_not": 1}), true),
        ("contact.gone", json!({"none_of": [1]}), true),
        ("contact.gone", json!({"is": null}), false),
        ("contact.gone", json!({"below": 1}), false),
        ("contact.gone", json!({"contains": ""}), false),
        ("contact.gone", json!({"starts_with": ""}), false),
        ("contact.gone", json!({"matches": ""}), false),
        ("contact.gone", json!({"before": "now"}), false),
        ("contact.address.city", json!({"is": "Wien"}), true),
        ("contact.address.at", json!({"exists": false}), true),
        ("contact.address.city.deeper", json!({"exists": false}), true),
        ("contact.tags.0", json!({"exists": false}), true),
        ("contact.id", json!({"is": "ada"}), true),
        ("contact.id.deeper", json!({"exists": false}), true),
        ("contact.email", json!({"is": "ada@example.com"}), true),
        ("contact.phone", json!({"exists": false}), true),
        ("contact.locale", json!({"is": "de-AT"}), true),
        ("contact.time_zone", json!({"exists": false}), true),
        ("contact.topics", json!({"is": ["news"]}), true),
        ("event.total", json!({"at_least": 20}), true),
        ("event.other", json!({"exists": false}), true),
        ("vars.ticket", json!({"is": "t1"}), true),
        ("vars.other", json!({"exists": false}), true),
    ] {
        expect(&world, value(path, test), 0, holds, None);
    }
    expect(&World::new(), value("event.total", json!({"exists": false})), 0, true, None);
    expect(&World::new(), value("vars.total", json!({"exists": false})), 0, true, None);
}

/// 2026-03-29 is the day on which clocks go forward in Berlin: it begins at 28 March 23:00 UTC and has 23 hours.
#[test]
fn dates() {
    let midnight = 1_774_738_800_000;
    let mut world = World::with_attributes(json!({
        "date": "2026-03-29", "local": "2026-03-29T00:00", "instant": "2026-03-29T00:00:00+01:00", "word": "soon", "number": midnight,
    }));
    world.zone = "Europe/Berlin";
    for path in ["contact.date", "contact.local", "contact.instant"] {
        for (test, now, holds, recheck) in [
            (json!({"before": "now"}), midnight, false, Some(midnight + 1)),
            (json!({"before": "now"}), midnight + 1, true, None),
            (json!({"after": "now"}), midnight - 1, true, Some(midnight)),
            (json!({"after": "now"}), midnight, false, None),
            (json!({"before": {"ago": 30 * DAY}}), midnight, false, Some(midnight + 30 * DAY + 1)),
            (json!({"before": {"ago": 30 * DAY}}), midnight + 30 * DAY, false, Some(midnight + 30 * DAY + 1)),
            (json!({"before": {"ago": 30 * DAY}}), midnight + 30 * DAY + 1, true, None),
            (json!({"after": {"ago": DAY}}), midnight + DAY - 1, true, Some(midnight + DAY)),
            (json!({"after": {"ago": DAY}}), midnight + DAY, false, None),
            (json!({"after": {"ahead": DAY}}), midnight - DAY - 1, true, Some(midnight - DAY)),
            (json!({"before": {"ahead": DAY}}), midnight - DAY, false, Some(midnight - DAY + 1)),
            (json!({"before": {"date": "2026-03-30"}}), 0, true, None),
            (json!({"before": {"date": "2026-03-29"}}), 0, false, None),
            (json!({"after": {"date": "2026-03-29"}}), 0, false, None),
            (json!({"after": {"date": "2026-03-28T23:59:59.999"}}), 0, true, None),
            (json!({"within_last": DAY}), midnight - 1, false, Some(midnight)),
            (json!({"within_last": DAY}), midnight, true, Some(midnight + DAY + 1)),
            (json!({"within_last": DAY}), midnight + DAY, true, Some(midnight + DAY + 1)),
            (json!({"within_last": DAY}), midnight + DAY + 1, false, None),
            (json!({"within_next": DAY}), midnight - DAY - 1, false, Some(midnight - DAY)),
            (json!({"within_next": DAY}), midnight - DAY, true, Some(midnight + 1)),
            (json!({"within_next": DAY}), midnight, true, Some(midnight + 1)),
            (json!({"within_next": DAY}), midnight + 1, false, None),
            (json!({"within_next": i64::MAX}), midnight, true, Some(midnight + 1)),
            (json!({"within_last": i64::MAX}), midnight, true, None),
        ] {
            expect(&world, value(path, test), now, holds, recheck);
        }
    }
    for path in ["contact.word", "contact.number", "contact.gone"] {
        for test in [json!({"before": "now"}), json!({"after": "now"}), json!({"within_last": DAY}), json!({"within_next": DAY})]
        {
            expect(&world, value(path, test), midnight, false, None);
        }
    }
}

#[test]
fn combinations() {
    let world = World::with_attributes(json!({"a": 1, "early": "1970-01-01T00:00:00.010Z", "late": "1970-01-01T00:00:00.020Z"}));
    let so = || value("contact.a", json!({"is": 1}));
    let not_so = || value("contact.a", json!({"is": 2}));
    // Both false until their instant has passed.
    let early = || value("contact.early", json!({"before": "now"}));
    let late = || value("contact.late", json!({"before": "now"}));
    for (condition, now, holds, recheck) in [
        (json!({"all": []}), 0, true, None),
        (json!({"any": []}), 0, false, None),
        (json!({"none": []}), 0, true, None),
        (json!({"all": [so(), not_so()]}), 0, false, None),
        (json!({"any": [so(), not_so()]}), 0, true, None),
        (json!({"none": [so(), not_so()]}), 0, false, None),
        (json!({"not": not_so()}), 0, true, None),
        // It cannot hold before the part that fails does.
        (json!({"all": [late(), early()]}), 0, false, Some(21)),
        (json!({"all": [so(), early()]}), 0, false, Some(11)),
        (json!({"all": [early(), not_so()]}), 15, false, None),
        (json!({"any": [late(), early()]}), 0, false, Some(11)),
        (json!({"any": [late(), early()]}), 11, true, None),
        (json!({"none": [late(), early()]}), 0, true, Some(11)),
        (json!({"not": early()}), 0, true, Some(11)),
    ] {
        expect(&world, condition, now, holds, recheck);
    }
}

#[test]
fn events() {
    let world = World::new()
        .did("bought", 10, json!({"total": 20, "kind": "book"}))
        .did("bought", 20, json!({"total": 50.5, "kind": "toy"}))
        .did("bought", 20, json!({"total": "50", "kind": "toy"}))
        .did("bought", 30, json!({"total": 5}));
    let sum = |tests: Value| json!([{"function": "sum", "of": "event.total", "tests": tests}]);
    let average = |tests: Value| json!([{"function": "avg", "of": "event.total", "tests": tests}]);
    let toys = || value("event.kind", json!({"is": "toy"}));
    for (more, now, holds, recheck) in [
        (json!({}), 9, false, Some(10)),
        (json!({}), 40, true, None),
        (json!({"count": [{"is": 0}]}), 9, true, Some(10)),
        (json!({"count": [{"is": 4}]}), 40, true, None),
        (json!({"count": [{"at_least": 2}, {"below": 4}]}), 25, true, Some(30)),
        // At the edge it still counts; it is the newest whose leaving matters, and the second newest where two are needed.
        (json!({"within": 5}), 35, true, Some(36)),
        (json!({"within": 5}), 36, false, None),
        (json!({"within": 100}), 40, true, Some(131)),
        (json!({"within": 100, "count": [{"at_least": 2}]}), 40, true, Some(121)),
        (json!({"within": 100, "count": [{"is": 0}]}), 40, false, Some(131)),
        (json!({"within": 100, "count": [{"is": 1}]}), 40, false, Some(121)),
        (json!({"within": 100, "count": [{"at_least": 5}]}), 40, false, None),
        (json!({"filter": toys(), "count": [{"is": 2}]}), 40, true, None),
        (json!({"filter": toys(), "within": 10}), 40, false, None),
        (json!({"filter": toys(), "within": 15}), 30, true, Some(36)),
        (json!({"aggregates": sum(json!([{"is": 75.5}]))}), 40, true, None),
        (json!({"aggregates": sum(json!([{"above": 75.5}]))}), 40, false, None),
        (json!({"aggregates": sum(json!([{"is": 55.5}])), "within": 10}), 30, true, Some(31)),
        (json!({"aggregates": sum(json!([{"is": 0}])), "within": 1}), 40, false, None),
        (json!({"aggregates": sum(json!([{"is": 0}])), "within": 1, "count": [{"is": 0}]}), 40, true, None),
        (json!({"aggregates": average(json!([{"exists": false}])), "within": 1, "count": [{"is": 0}]}), 40, true, None),
        (json!({"aggregates": average(json!([{"at_most": 9}])), "within": 1, "count": [{"is": 0}]}), 40, false, None),
        (json!({"aggregates": [{"function": "min", "of": "event.total", "tests": [{"is": 5}]}]}), 40, true, None),
        (json!({"aggregates": [{"function": "max", "of": "event.total", "tests": [{"is": 50.5}]}]}), 40, true, None),
        (json!({"aggregates": average(json!([{"above": 25.16}, {"below": 25.17}]))}), 40, true, None),
    ] {
        expect(&world, event("bought", more), now, holds, recheck);
    }
    expect(&world, event("sold", json!({})), 40, false, None);
    let prices = World::new().did("bought", 1, json!({"total": 0.7})).did("bought", 2, json!({"total": 0.1}));
    expect(&prices, event("bought", json!({"aggregates": sum(json!([{"at_least": 0.8}]))})), 9, true, None);
    expect(&prices, event("bought", json!({"aggregates": average(json!([{"is": 0.4}]))})), 9, true, None);
}

#[test]
fn filters_see_the_counted_event_and_everything_else_as_it_was() {
    let mut world = World::with_attributes(json!({"limit": "1970-01-01T00:00:00.050Z"}))
        .did("bought", 10, json!({"due": "1970-01-01T00:00:00.020Z", "n": 1}))
        .did("bought", 12, json!({"due": "1970-01-01T00:00:00.030Z", "n": 2}))
        .did("paid", 5, json!({}));
    world.event = Some(json!({"n": 7}));
    world.vars = Some(object(json!({"wanted": true})));
    world.entry = Some(Mark(11, EventId(0)));
    let with = |filter: Value| event("bought", json!({"filter": filter}));
    for (condition, now, holds, recheck) in [
        (with(value("event.n", json!({"is": 7}))), 15, false, None),
        (with(value("event.due", json!({"before": "now"}))), 15, false, Some(21)),
        (with(value("event.due", json!({"before": "now"}))), 21, true, Some(31)),
        (with(value("contact.limit", json!({"after": "now"}))), 21, true, Some(50)),
        (with(value("vars.wanted", json!({"is": true}))), 15, true, None),
        (with(event("paid", json!({}))), 15, true, None),
        (with(event("paid", json!({"since": "entry"}))), 15, false, None),
    ] {
        expect(&world, condition, now, holds, recheck);
    }
}

#[test]
fn since_and_marks() {
    // Ids 1, 2 and 3.
    let mut world = World::new().did("bought", 10, json!({})).did("bought", 10, json!({})).did("bought", 20, json!({}));
    let count = |more: Value| {
        let mut more = more;
        more["count"] = json!([{"is": 2}]);
        event("bought", more)
    };
    expect(&world, event("bought", json!({"count": [{"is": 3}], "since": "entry"})), 50, true, None);
    world.entry = Some(Mark(10, EventId(1)));
    world.step = Some(Mark(10, EventId(0)));
    world.default_since = Some(Mark(20, EventId(3)));
    for (condition, holds) in [
        (count(json!({"since": "entry"})), true),
        (count(json!({"since": "step"})), false),
        (event("bought", json!({"count": [{"is": 3}], "since": "step"})), true),
        (event("bought", json!({})), false),
        (event("bought", json!({"within": 1000})), true),
        (event("bought", json!({"since": "entry"})), true),
    ] {
        let (truth, _) = world.check(&condition_of(&condition), 50);
        assert_eq!(truth.holds, holds, "{condition}");
    }
    expect(&world, event("bought", json!({"within": 35, "since": "entry"})), 50, true, Some(56));
    // A future event counts once its time has come, if it comes after the mark.
    expect(&world, event("bought", json!({"since": "entry"})), 9, false, Some(10));
    expect(&world, event("bought", json!({})), 9, false, None);
}

fn condition_of(json: &Value) -> Condition {
    condition(json.clone())
}

#[test]
fn messages() {
    let mut world =
        World::new().fate(Fate::Clicked, 10, "hello", 1).fate(Fate::Clicked, 20, "bye", 2).fate(Fate::Clicked, 30, "hello", 2);
    for (template, more, now, holds, recheck) in [
        (None, json!({}), 15, true, None),
        (Some("bye"), json!({}), 15, false, Some(20)),
        (Some("bye"), json!({}), 20, true, None),
        (Some("other"), json!({}), 40, false, None),
        (None, json!({"is": "sent"}), 40, false, None),
        (Some("hello"), json!({"within": 5}), 20, false, Some(30)),
        (Some("hello"), json!({"within": 5}), 35, true, Some(36)),
        (Some("hello"), json!({"within": 50}), 35, true, Some(81)),
    ] {
        expect(&world, message(template, more), now, holds, recheck);
    }
    world.own_run = Some(RunId(1));
    expect(&world, message(Some("hello"), json!({"within": 25})), 35, true, Some(36));
    expect(&world, message(Some("bye"), json!({})), 35, false, None);
    world.default_since = Some(Mark(10, EventId(1)));
    expect(&world, message(None, json!({})), 35, false, None);
    expect(&world, message(None, json!({"within": 100})), 35, true, Some(111));
}

#[test]
fn topics_and_consent() {
    for (consent, erased, news, offers, listed) in [
        (json!({}), false, true, false, json!(["news"])),
        (json!({"topics": {"news": false, "offers": true}}), false, false, true, json!(["offers"])),
        (json!({"none": true}), false, false, false, json!([])),
        // Asked for after everything was refused: this one and nothing else.
        (json!({"none": true, "topics": {"offers": true}}), false, false, true, json!(["offers"])),
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
        (json!({"all": [bought(), {"workflow": {"name": "other", "is": "active"}}, so()]}), vec!["bought all bare"]),
        (event("bought", json!({"within": 10})), vec!["bought from 90 bare"]),
        (event("bought", json!({"within": 10, "filter": so()})), vec!["bought from 90"]),
        (event("bought", json!({"aggregates": [{"function": "sum", "of": "event.n", "tests": []}]})), vec!["bought all"]),
        (event("message_clicked", json!({})), vec!["message_clicked all bare"]),
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

#[test]
fn templates_see_fields_and_attributes() {
    let world = World::with_attributes(json!({"first_name": "Ada", "email": "no", "phone": "no", "deep": {"a": 1}}));
    assert_eq!(
        contact_json(&world.contact, &world.settings),
        json!({
            "id": "ada", "email": "ada@example.com", "locale": "de-AT", "topics": ["news"], "first_name": "Ada", "deep": {"a": 1},
        })
    );
}

#[test]
fn paths_are_looked_up_for_others_too() {
    let world = World::with_attributes(json!({"deep": {"a": 1, "b": null}}));
    let zone = jiff::tz::TimeZone::UTC;
    let at_hand = json!({"a": 2});
    let scope = Scope {
        now: 0,
        zone: &zone,
        settings: &world.settings,
        segments: &world.segments,
        event: Some(&at_hand),
        vars: None,
        entry: None,
        step: None,
        default_since: None,
        own_run: None,
    };
    for (at, expected) in [
        ("contact.id", Some(json!("ada"))),
        ("contact.deep.a", Some(json!(1))),
        ("contact.deep.b", None),
        ("event.a", Some(json!(2))),
        ("vars.a", None),
    ] {
        assert_eq!(value_at(&path(at), &world.contact, &scope).as_deref(), expected.as_ref(), "{at}");
    }
}
