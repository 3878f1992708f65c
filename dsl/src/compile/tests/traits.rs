//! Traits, static segments and segment triggers: right ones to the exact model, wrong ones with their place.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{entry, found, project};
use crate::compile::Compiled;
use crate::model::{Condition, Crossing, Trait, Trigger};

const CONTACT: &str = r#"{"type":"object","properties":{"country":{"type":"string"},"age":{"type":"number"},"vip":{"type":"boolean"},
    "birthday":{"type":"string","format":"date"}},"required":["country"],"additionalProperties":false}"#;
const BOUGHT: &str = r#"{"type":"object","properties":{"total":{"type":"number"},"cart_id":{"type":"string"},
    "buyer":{"type":"string","x-personal":true},"ref":{"properties":{"sku":{"type":"string"}}},
    "items":{"type":"array"},"due":{"type":"string","format":"date"}}}"#;

fn shop(files: &[(&str, &str)]) -> Compiled {
    let mut all = vec![("schemas/contact.schema.json", CONTACT), ("schemas/events/bought.schema.json", BOUGHT)];
    all.extend(files);
    project(&all)
}

fn check(text: &str, expected: &[&str]) -> Compiled {
    let compiled = shop(&[("workflows/a.yaml", text)]);
    assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
    compiled
}

/// The trait `t` in its form as written.
fn one(form: &str, expected: &[&str]) -> Compiled {
    check(&format!("traits:\n  t: {form}\n"), expected)
}

#[test]
fn right_traits() {
    let check = |form: &str, expected: Value| {
        let catalog = one(form, &[]).catalog.unwrap();
        assert_eq!(serde_json::to_value(&catalog.traits["t"]).unwrap(), expected, "{form}");
    };
    let events = |function: &str, of: Value, filter: Value, within: Value| json!({ "events": { "function": function, "event": "bought", "of": of, "filter": filter, "within": within } });
    let path = |root: &str, keys: &[&str]| json!({ "root": root, "keys": keys });
    let total = || path("event", &["total"]);
    let above = |number: f64| json!({ "value": { "path": total(), "tests": [{ "above": number }] } });
    let none = || Value::Null;
    let days = |days: i64| json!(days * 86_400_000);
    for function in ["sum", "avg", "min", "max", "first", "last"] {
        check(&format!("{{ {function}: event.total, of: bought }}"), events(function, total(), none(), none()));
    }
    check("{ count: bought, description: All of them. }", events("count", none(), none(), none()));
    check("{ first: bought }", events("first", none(), none(), none()));
    check("{ last: bought, within: 90 days }", events("last", none(), none(), days(90)));
    check("{ last: event.ref.sku, of: bought }", events("last", path("event", &["ref", "sku"]), none(), none()));
    check(
        "{ sum: event.total, of: bought, within: 90 days, where: { event.total: { above: 5 } } }",
        events("sum", total(), above(5.0), days(90)),
    );
    check(
        "{ count: bought, where: { any: [{ event.total: { above: 5 } }, { not: { event.total: { above: 1 } } }] } }",
        events("count", none(), json!({ "any": [above(5.0), { "not": above(1.0) }] }), none()),
    );
    check("{ rank: contact.age, into: 5 }", json!({ "rank": { "by": path("contact", &["age"]), "into": 5 } }));
    check("{ rank: contact.birthday, into: 100 }", json!({ "rank": { "by": path("contact", &["birthday"]), "into": 100 } }));
    check(
        "{ by: contact.age, tiers: { low: 0, top: 500.5, medium: 100, debt: -5 } }",
        json!({ "tier": { "by": path("contact", &["age"]), "tiers": [["top", 500.5], ["medium", 100.0], ["low", 0.0], ["debt", -5.0]] } }),
    );
    check(
        "{ score: [{ event: bought, points: 5, where: { event.total: { above: 5 } } }, { event: message_bounced, points: -2.5 }], halves_every: 30 days }",
        json!({ "score": {
            "points": [
                { "event": "bought", "filter": above(5.0), "points": 5.0 },
                { "event": "message_bounced", "filter": null, "points": -2.5 },
            ],
            "halves_every": days(30),
        } }),
    );
    check(
        "{ score: [{ event: bought, points: 1 }] }",
        json!({ "score": { "points": [{ "event": "bought", "filter": null, "points": 1.0 }], "halves_every": null } }),
    );
    check(
        "{ first_match: { zoe: { contact.vip: true }, adult: { contact.vip: true }, new: { topic: offers } }, otherwise: none }",
        json!({ "first_match": {
            "cases": [
                ["zoe", { "value": { "path": path("contact", &["vip"]), "tests": [{ "is": true }] } }],
                ["adult", { "value": { "path": path("contact", &["vip"]), "tests": [{ "is": true }] } }],
                ["new", { "topic": "offers" }],
            ],
            "otherwise": "none",
        } }),
    );
    check(
        "{ first_match: { a: { topic: offers } } }",
        json!({ "first_match": { "cases": [["a", { "topic": "offers" }]], "otherwise": null } }),
    );
}

/// What an alias stands for is what was written, in the order it was written in.
#[test]
fn aliases() {
    let text = "traits:\n  t: { first_match: &cases { zoe: { event: bought, count: 3 }, amy: &amy { topic: offers } } }\n  \
                u: { first_match: *cases }\n  v: &v { first_match: { zoe: *amy, amy: *amy, max: { not: *amy } } }\n  w: *v\n";
    let traits = check(text, &[]).catalog.unwrap().traits;
    let names = |name: &str| {
        let Trait::FirstMatch { cases, .. } = &traits[name] else { panic!() };
        cases.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names("t"), ["zoe", "amy"]);
    assert_eq!(names("v"), ["zoe", "amy", "max"]);
    assert_eq!((&traits["t"], &traits["v"]), (&traits["u"], &traits["w"]));
    check(
        "traits:\n  t: { first_match: &m { a: { topic: ofers } } }\n  u: { first_match: *m }\n",
        &["2:38 error unknown-topic", "3:21 error unknown-topic"],
    );
}

#[test]
fn wrong_traits() {
    let check = |form: &str, expected: &[&str]| {
        one(form, expected);
    };
    check("{ sum: event.total }", &["2:6 error missing-key"]);
    check("{ sum: event.total, of: bougt }", &["2:30 error unknown-event"]);
    check("{ sum: event.totl, of: bought }", &["2:13 error unknown-attribute"]);
    check("{ sum: event.cart_id, of: bought }", &["2:13 error predicate-type"]);
    check("{ max: contact.age, of: bought }", &["2:13 error invalid-path"]);
    check("{ count: bought, of: bought }", &["2:23 error unknown-key"]);
    check("{ count: bougt, within: 90 dayz }", &["2:15 error unknown-event", "2:30 error invalid-duration"]);
    check("{ count: bought, within: 0 days }", &["2:31 error invalid-duration"]);
    check("{ last: event.total }", &["2:14 error missing-key"]);
    check("{ last: bought, of: bought }", &["2:14 error invalid-path"]);
    check("{ first: event.totl, of: bought }", &["2:15 error unknown-attribute"]);
    for key in ["contact.vip: true", "vars.x: 1", "event: bought", "segment: s", "topic: offers", "workflow: w", "message: any"] {
        check(&format!("{{ count: bought, where: {{ {key} }} }}"), &["2:32 error misplaced-key"]);
    }
    check(
        "{ count: bought, where: { not: { event.totl: 5, topic: offers } } }",
        &["2:39 error unknown-attribute", "2:54 error misplaced-key"],
    );
    check("{ last: event.items, of: bought }", &["2:14 error predicate-type"]);
    check("{ last: event.ref, of: bought }", &["2:14 error predicate-type"]);
    check("{ count: bought, where: { event.due: { before: 3 days ago } } }", &["2:53 error misplaced-key"]);
    check("{ count: bought, where: { not: { event.due: { within: { last: 3 days } } } } }", &["2:60 error misplaced-key"]);
    check("{ count: bought, where: { event.due: { before: 2026-03-29 } } }", &[]);
    check("{ rank: contact.age, into: 1 }", &["2:33 error invalid-number"]);
    check("{ rank: contact.age, into: 101 }", &["2:33 error invalid-number"]);
    check("{ rank: contact.age }", &["2:6 error missing-key"]);
    check("{ rank: event.total, into: 5 }", &["2:14 error invalid-path"]);
    check("{ rank: contact.agge, into: 5 }", &["2:14 error unknown-attribute"]);
    check("{ rank: contact.country, into: 5 }", &["2:14 error predicate-type"]);
    check("{ by: contact.age, tiers: { low: 0, high: 5, old: 5 } }", &["2:56 error invalid-number"]);
    check("{ by: contact.age, tiers: {} }", &["2:32 error empty-mapping"]);
    check("{ by: contact.age, tiers: { \"\": 5 } }", &["2:34 error invalid-name"]);
    check("{ by: contact.birthday, tiers: { low: 0 } }", &["2:12 error predicate-type"]);
    check("{ score: [] }", &["2:15 error empty-list"]);
    check("{ score: [{ event: bought }] }", &["2:16 error missing-key"]);
    check(
        "{ score: [{ event: bougt, points: 1 }], halves_every: soon }",
        &["2:25 error unknown-event", "2:60 error invalid-duration"],
    );
    check("{ score: [{ event: bought, points: 1, where: { segment: s } }] }", &["2:53 error misplaced-key"]);
    check("{ first_match: {} }", &["2:21 error empty-mapping"]);
    check("{ first_match: { a: { segment: vipp, topic: ofers } } }", &["2:37 error unknown-segment", "2:50 error unknown-topic"]);
    check("{ first_match: { a: { workflow: w, is: active } } }", &["2:38 error unknown-workflow"]);
    check("{ first_match: { a: { message: welcom, is: sent } } }", &["2:37 error unknown-template"]);
    check(
        "{ first_match: { a: { event.total: 5 }, b: { vars.x: 1 } } }",
        &["2:28 error misplaced-key", "2:51 error misplaced-key"],
    );
    check("{ count: bought, sum: event.total }", &["2:8 error two-verbs"]);
    check("{ cuont: bought }", &["2:8 error unknown-key"]);
    check("{ description: Nothing }", &["2:6 error no-verb"]);
    super::check(
        "traits: { Not_Good: { count: x }, topics: { count: x } }\n",
        &["1:11 error invalid-name", "1:35 error invalid-name"],
    );
}

/// What a trait's name means under `contact`, in conditions and in what is written.
#[test]
fn kinds_of_traits() {
    let traits = "traits:\n  n: { sum: event.total, of: bought }\n  at: { last: bought }\n  sku: { last: event.ref.sku, of: bought }\n  \
                  tier: { by: contact.n, tiers: { a: 1 } }\n  rank: { rank: contact.at, into: 4 }\n";
    let check = |condition: &str, expected: &[&str]| {
        check(&format!("workflow: a\ntrigger: {{ event: bought }}\nsteps: [exit]\naudience: {condition}\n{traits}"), expected)
    };
    check("{ contact.n: { above: 5 }, contact.rank: 4, contact.tier: a, contact.at: { before: 3 days ago } }", &[]);
    check("{ contact.sku: x }", &[]);
    check("{ contact.n: many }", &["4:24 error predicate-type"]);
    let text = check("{ contact.tier: 4 }", &["4:27 error predicate-type"]);
    let message = "`is` goes with a number here, but `contact.tier` is text as a trait";
    assert_eq!(text.diagnostics[0].message, message);
    check("{ contact.rank: { before: now } }", &["4:37 error predicate-type"]);
    check("{ contact.at: { above: 5 } }", &["4:34 error predicate-type"]);
    check("{ contact.sku: { above: 5 } }", &["4:35 error predicate-type"]);
    check("{ contact.n.x: 5 }", &["4:13 error unknown-attribute"]);
    check("{ contact.sku.x: 5 }", &["4:13 error unknown-attribute"]);
    let near = check("{ contact.tiers: a }", &["4:13 error unknown-attribute"]);
    assert_eq!(near.diagnostics[0].help.as_deref(), Some("did you mean `tier`?"));
    let dated = |trigger: &str, expected: &[&str]| {
        let text = format!(
            "workflow: a\ntrigger: {{ date: {trigger}, every: once }}\nsteps: [{{ wait: {{ until: {trigger} }} }}]\n{traits}"
        );
        super::traits::check(&text, expected);
    };
    dated("contact.at", &[]);
    dated("contact.n", &["2:18 error predicate-type", "3:26 error predicate-type"]);
}

/// A trait that shows a personal value is personal itself; one that is worked out from it is not.
#[test]
fn personal_traits() {
    for (form, personal) in [
        ("{ last: event.buyer, of: bought }", true),
        ("{ first: event.cart_id, of: bought }", false),
        ("{ max: event.total, of: bought }", false),
        ("{ count: bought, where: { event.buyer: x } }", false),
        ("{ first_match: { a: { contact.email: { exists: true } } } }", false),
    ] {
        let contract = one(form, &[]).catalog.unwrap().contract;
        assert_eq!(contract.personal_attribute(&["t".to_owned()]), personal, "{form}");
    }
}

/// What is always there may be printed as it is.
#[test]
fn traits_in_templates() {
    let traits = "traits:\n  n: { sum: event.total, of: bought }\n  times: { count: bought }\n  score: { score: [{ event: bought, points: 1 }] }\n  \
                  life: { first_match: { a: { topic: offers } }, otherwise: b }\n  part: { first_match: { a: { topic: offers } } }\n  \
                  at: { last: bought }\n  best: { max: event.total, of: bought }\n  tier: { by: contact.n, tiers: { a: 1 } }\n  \
                  rank: { rank: contact.n, into: 4 }\n";
    let workflow = "workflow: a\ntrigger: { manual: true }\ntopic: offers\nsteps: [{ send: t }]\n";
    for (name, always) in [
        ("n", true),
        ("times", true),
        ("score", true),
        ("life", true),
        ("part", false),
        ("at", false),
        ("best", false),
        ("tier", false),
        ("rank", false),
    ] {
        for (value, fine) in [(format!("contact.{name}"), always), (format!("default contact.{name} \"-\""), true)] {
            let template = format!("---\nsubject: Hi\n---\n<p>{{{{{value}}}}} {{{{unsubscribe_url}}}}</p>");
            let files = [("workflows/t.yaml", traits), ("workflows/a.yaml", workflow), ("templates/t.html.hbs", &template)];
            let expected: &[&str] = if fine { &[] } else { &["4:6 warning possibly-missing"] };
            assert_eq!(found(&shop(&files)), expected, "{value}");
        }
    }
    let files = [
        ("workflows/t.yaml", traits),
        ("workflows/a.yaml", workflow),
        ("templates/t.html.hbs", "---\nsubject: Hi\n---\n<p>{{contact.ran}} {{unsubscribe_url}}</p>"),
    ];
    let unknown = shop(&files);
    assert_eq!(found(&unknown), ["4:6 error unknown-variable"]);
    assert_eq!(unknown.diagnostics[0].help.as_deref(), Some("did you mean `rank`?"));
}

/// What could not be read may be the trait that seems to be missing.
#[test]
fn traits_that_were_set_aside() {
    let asks = ("workflows/a.yaml", "segments: { s: { contact.spent: { above: 5 } } }\n");
    let check = |other: &str, expected: &[&str]| {
        let compiled = shop(&[asks, ("workflows/b.yaml", other)]);
        assert_eq!(found(&compiled), expected, "{other}");
    };
    check("traits: { spent: { count: bought } }\n", &[]);
    check("traits: { spent: { count: 5 } }\n", &["1:27 error wrong-type"]);
    check("traits: { spent: { last: event.total } }\n", &["1:26 error missing-key"]);
    check("traits: { spent: [\n", &["2:1 error yaml-syntax"]);
    check("segments: [\n", &["1:18 error unknown-attribute", "2:1 error yaml-syntax"]);
}

#[test]
fn static_segments() {
    let compiled = check(
        "segments:\n  testers: { list: true, description: Who said yes. }\n  others: { not: { segment: testers }, backfill: true }\n  all: { topic: offers, backfill: false }\n",
        &[],
    );
    let catalog = compiled.catalog.unwrap();
    assert_eq!(catalog.segments["testers"], Condition::Listed("testers".to_owned()));
    assert_eq!(catalog.backfill.iter().collect::<Vec<_>>(), ["others"]);
    check("segments: { s: { list: true, topic: offers } }\n", &["1:30 error misplaced-key"]);
    check("segments: { s: { list: true, backfill: true } }\n", &["1:30 error misplaced-key"]);
    check("segments: { s: { list: false } }\n", &["1:24 error unknown-value"]);
    check("segments: { s: { description: Nobody } }\n", &["1:16 error empty-mapping"]);
}

#[test]
fn segment_triggers() {
    let check = |trigger: &str, rest: &str, expected: &[&str]| {
        let segments = "segments: { vip: { contact.vip: true }, testers: { list: true } }\n";
        check(&format!("workflow: a\ntrigger: {trigger}\nsteps: [exit]\n{rest}{segments}"), expected)
    };
    for (trigger, segment, change) in [
        ("{ segment: vip }", "vip", Crossing::Enter),
        ("{ segment: testers, change: enter }", "testers", Crossing::Enter),
        ("{ segment: vip, change: leave }", "vip", Crossing::Leave),
    ] {
        let entry = entry(&check(trigger, "", &[]), "a");
        let expected = Trigger::Segment { segment: segment.to_owned(), change };
        assert_eq!(entry.definition.workflow.triggers, [expected]);
        assert_eq!(entry.definition.workflow.reentry, crate::model::Reentry::Once);
        assert_eq!(entry.definition.segments.keys().collect::<Vec<_>>(), [segment]);
    }
    let unknown = check("{ segment: vipp }", "", &["2:21 error unknown-segment"]);
    assert_eq!(unknown.diagnostics[0].help.as_deref(), Some("did you mean `vip`?"));
    check("{ segment: vip, change: entre }", "", &["2:34 error unknown-value"]);
    check("{ segment: vip, key: event.x }", "", &["2:26 error unknown-key"]);
    check("{ segment: vip }", "audience: { event.total: 5 }\n", &["4:13 error unknown-attribute"]);
    check("[{ segment: vip }, { event: bought }]", "audience: { event.total: 5 }\n", &[]);
}

/// The catalog's hash changes with whatever changes what the runner does.
#[test]
fn hashes_cover_traits() {
    let hash = |text: &str| check(text, &[]).catalog.unwrap().hash;
    let texts = [
        "segments: { s: { topic: offers } }\n",
        "segments: { s: { topic: offers, backfill: true } }\n",
        "segments: { s: { topic: offers } }\ntraits: { t: { count: bought } }\n",
        "segments: { s: { topic: offers } }\ntraits: { t: { count: bought, within: 1 day } }\n",
        "segments: { s: { list: true } }\n",
    ];
    let hashes: BTreeMap<_, _> = texts.iter().map(|text| (hash(text), text)).collect();
    assert_eq!(hashes.len(), texts.len());
    assert_eq!(
        hash(texts[2]),
        hash("# why\ntraits:\n  t: { count: bought, description: Orders. }\nsegments: { s: { topic: offers } }\n")
    );
}
