//! Conditions on what happened by example: what counts, since when and until when.

use serde_json::json;

use super::*;

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
    for (json, holds) in [
        (count(json!({"since": "entry"})), true),
        (count(json!({"since": "step"})), false),
        (event("bought", json!({"count": [{"is": 3}], "since": "step"})), true),
        (event("bought", json!({})), false),
        (event("bought", json!({"within": 1000})), true),
        (event("bought", json!({"since": "entry"})), true),
    ] {
        let (truth, _) = world.check(&condition(json.clone()), 50);
        assert_eq!(truth.holds, holds, "{json}");
    }
    expect(&world, event("bought", json!({"within": 35, "since": "entry"})), 50, true, Some(56));
    // A future event counts once its time has come, if it comes after the mark.
    expect(&world, event("bought", json!({"since": "entry"})), 9, false, Some(10));
    expect(&world, event("bought", json!({})), 9, false, None);
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
