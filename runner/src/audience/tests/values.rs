//! Conditions on values by example, and the exact millisecond at which one about dates turns.

use serde_json::json;

use super::super::{contact_json, value_at};
use super::*;

const DAY: i64 = 86_400_000;

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
fn templates_see_fields_and_attributes() {
    let world = World::with_attributes(json!({"first_name": "Ada", "email": "no", "phone": "no", "deep": {"a": 1}}));
    assert_eq!(
        contact_json(&world.contact, &world.settings, 0),
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
