//! The tracking spec by example: a body, and what the kernel is told, or what is wrong with it.

use std::sync::{Arc, LazyLock};

use dsl::model::{InvalidData, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ingest::{Alias, Expected, Identification, Occurrence, What};
use crate::kernel::Input;

/// 2026-03-27T08:00:00Z: when everything here is received.
const NOW: i64 = 1_774_598_400_000;

static EXPECTED: LazyLock<Expected> = LazyLock::new(|| expected(InvalidData::Reject, &[]));
static STRICT: LazyLock<Expected> = LazyLock::new(|| expected(InvalidData::Reject, &SCHEMAS));
static LENIENT: LazyLock<Expected> = LazyLock::new(|| expected(InvalidData::Accept, &SCHEMAS));

const SCHEMAS: [(&str, &str); 2] = [
    (
        "schemas/contact.schema.json",
        r#"{"type":"object","required":["first_name"],"properties":{"first_name":{"type":"string"},"address":{"type":"object","properties":{"lines":{"type":"array","items":{"type":"string"}}}}}}"#,
    ),
    ("schemas/events/ordered.schema.json", r#"{"type":"object","required":["total"],"properties":{"total":{"type":"number"}}}"#),
];

fn expected(invalid_data: InvalidData, files: &[(&str, &str)]) -> Expected {
    let all =
        [("campaignd.yaml", "project: shop\ntime_zone: Europe/Berlin\ngrace: 1 hour\n")].into_iter().chain(files.iter().copied());
    let compiled = dsl::compile(&dsl::ProjectFiles::from_texts(all));
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    let expected = Expected::of(&catalog);
    let settings = Settings { invalid_data, ..Settings::clone(&expected.settings) };
    Expected { settings: Arc::new(settings), ..expected }
}

/// In one line: what it is, about whom (`~` before an anonymous id), when relative to now in seconds, what, and by which message id.
fn shown(input: &Input) -> String {
    let event = |occurrence: &Occurrence, verb: &str| {
        let What::Event { name, properties, id } = &occurrence.what else { panic!("{occurrence:?}") };
        let after = (occurrence.at - NOW) as f64 / 1000.0;
        let who = if occurrence.anonymous { format!("~{}", occurrence.contact) } else { occurrence.contact.clone() };
        format!("{verb} {who} {after} {name} {} {}", Value::Object(properties.clone()), id.as_deref().unwrap_or("-"))
    };
    match input {
        Input::Occurrence(occurrence) => event(occurrence, "event"),
        Input::History(occurrence) => event(occurrence, "history"),
        Input::Alias(Alias { previous, contact, message_id }) => {
            format!("alias {previous} {contact} {}", message_id.as_deref().unwrap_or("-"))
        }
        Input::Identify(Identification { contact, anonymous, anonymous_only, message_id }) => {
            let mut known = contact.attributes.clone();
            let own = [&contact.email, &contact.phone, &contact.locale, &contact.time_zone];
            for (name, value) in ["@email", "@phone", "@locale", "@time_zone"].into_iter().zip(own) {
                known.extend(value.clone().map(|value| (name.to_owned(), value.into())));
            }
            known.extend(contact.topics.clone().map(|topics| ("@topics".to_owned(), topics.into())));
            let who = if *anonymous_only { format!("~{}", contact.id) } else { contact.id.clone() };
            let (anonymous, message_id) = (anonymous.as_deref().unwrap_or("-"), message_id.as_deref().unwrap_or("-"));
            format!("identify {who} {anonymous} {} {message_id}", Value::Object(known))
        }
        other => panic!("{other:?}"),
    }
}

fn problem(problem: &Problem) -> String {
    format!("{} {} {}", problem.status.as_u16(), problem.code, problem.field.as_deref().unwrap_or("-"))
}

#[track_caller]
fn check_by(expected: &Expected, call: Call, body: &str, wanted: Result<&[&str], &str>) {
    let taken = read(call, body, Moment { now: NOW, expected }, &mut Notes::default());
    let got = match &taken {
        Ok(taken) => {
            let rejected = taken.rejected.iter().map(|rejected| {
                format!("{} {} {}", rejected.index, rejected.message_id.as_deref().unwrap_or("-"), problem(&rejected.problem))
            });
            Ok(taken.inputs.iter().map(shown).chain(rejected).collect::<Vec<_>>())
        }
        Err(wrong) => Err(problem(wrong)),
    };
    let wanted = wanted.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect()).map_err(str::to_owned);
    assert_eq!(got, wanted, "{body}");
}

#[track_caller]
fn check(call: Call, body: Value, wanted: Result<&[&str], &str>) {
    check_by(&EXPECTED, call, &body.to_string(), wanted);
}

#[test]
fn an_event_is_somebodys() {
    let track = |body, wanted| check(Call::Track, body, wanted);
    track(json!({ "userId": "ada", "event": "e" }), Ok(&["event ada 0 e {} -"]));
    track(
        json!({ "type": "track", "userId": "ada", "anonymousId": "a1", "event": "e", "properties": { "x": [1] }, "messageId": "m",
                "context": { "traits": { "email": "no@shop.example" } }, "traits": { "plan": "pro" }, "integrations": {}, "writeKey": "k" }),
        Ok(&[r#"event ada 0 e {"x":[1]} m"#]),
    );
    track(json!({ "anonymousId": "a1", "event": "e", "userId": null }), Ok(&["event ~a1 0 e {} -"]));
    track(json!({ "anonymousId": "a1", "event": "e", "userId": "" }), Ok(&["event ~a1 0 e {} -"]));
    track(json!({ "userId": 17, "event": "e", "messageId": 3.0 }), Ok(&["event 17 0 e {} 3"]));
    track(json!({ "userId": "ada", "event": "e", "properties": null }), Ok(&["event ada 0 e {} -"]));
    track(json!({ "event": "e" }), Err("400 missing userId"));
    track(json!({ "userId": "", "event": "e" }), Err("400 missing userId"));
    for wrong in
        [json!(true), json!([]), json!({}), json!(1.5), json!(9_007_199_254_740_992_i64), json!("a\nb"), json!("x".repeat(1001))]
    {
        track(json!({ "userId": wrong, "event": "e" }), Err("400 invalid userId"));
        track(json!({ "anonymousId": wrong, "event": "e" }), Err("400 invalid anonymousId"));
        track(json!({ "userId": "ada", "event": "e", "messageId": wrong }), Err("400 invalid messageId"));
        track(json!({ "userId": "ada", "event": wrong }), Err("400 invalid event"));
    }
    track(json!({ "userId": "ada" }), Err("400 missing event"));
    track(json!({ "userId": "ada", "event": "" }), Err("400 missing event"));
    track(json!({ "userId": "ada", "event": "e", "properties": [] }), Err("400 invalid properties"));
    track(json!({ "userId": "ä".repeat(1000), "event": "e" }), Ok(&[&format!("event {} 0 e {{}} -", "ä".repeat(1000))]));
}

#[test]
fn pages_screens_and_groups_are_events() {
    check(
        Call::Page,
        json!({ "userId": "ada", "name": "Home", "category": "Docs", "properties": { "url": "/", "name": "Old" } }),
        Ok(&[r#"event ada 0 page {"category":"Docs","name":"Home","url":"/"} -"#]),
    );
    check(Call::Screen, json!({ "anonymousId": "a1", "messageId": "m" }), Ok(&["event ~a1 0 screen {} m"]));
    check(
        Call::Group,
        json!({ "userId": "ada", "groupId": 7, "traits": { "plan": "pro" } }),
        Ok(&[r#"event ada 0 group {"group_id":"7","plan":"pro"} -"#]),
    );
    check(Call::Page, json!({ "userId": "ada", "name": 7 }), Err("400 invalid name"));
    check(Call::Screen, json!({ "userId": "ada", "category": {} }), Err("400 invalid category"));
    check(Call::Group, json!({ "userId": "ada" }), Err("400 missing groupId"));
    check(Call::Group, json!({ "userId": "ada", "groupId": "g", "traits": 7 }), Err("400 invalid traits"));
}

#[test]
fn identify_says_who_somebody_is() {
    let identify = |body, wanted| check(Call::Identify, body, wanted);
    identify(json!({ "userId": "ada" }), Ok(&["identify ada - {} -"]));
    identify(
        json!({ "userId": "ada", "anonymousId": "a1", "messageId": "m", "traits": {
            "email": "ada@shop.example", "phone": "+49", "locale": "de", "time_zone": "Europe/Berlin", "topics": ["offers"],
            "timezone": "x", "id": "other", "plan": null, "n": 1 } }),
        Ok(&[
            r#"identify ada a1 {"@email":"ada@shop.example","@locale":"de","@phone":"+49","@time_zone":"Europe/Berlin","@topics":["offers"],"n":1,"plan":null,"timezone":"x"} m"#,
        ]),
    );
    identify(
        json!({ "anonymousId": "a1", "traits": { "plan": "pro", "email": null } }),
        Ok(&[r#"identify ~a1 - {"plan":"pro"} -"#]),
    );
    identify(json!({ "traits": {} }), Err("400 missing userId"));
    identify(json!({ "userId": "ada", "traits": "x" }), Err("400 invalid traits"));
    identify(json!({ "userId": "ada", "traits": { "email": 7 } }), Err("400 contract traits.email"));
    identify(json!({ "userId": "ada", "traits": { "email": "nobody" } }), Err("400 contract traits.email"));
    identify(json!({ "userId": "ada", "traits": { "topics": "offers" } }), Err("400 contract traits.topics"));
    identify(json!({ "userId": "ada", "timestamp": "yesterday" }), Err("400 invalid timestamp"));
}

#[test]
fn alias_names_two_ids() {
    check(Call::Alias, json!({ "previousId": "a1", "userId": "ada", "messageId": "m" }), Ok(&["alias a1 ada m"]));
    check(Call::Alias, json!({ "userId": "ada" }), Err("400 missing previousId"));
    check(Call::Alias, json!({ "previousId": "a1" }), Err("400 missing userId"));
    check(Call::Alias, json!({ "previousId": {}, "userId": "ada" }), Err("400 invalid previousId"));
}

#[test]
fn times_are_put_right_by_the_senders_clock() {
    let at = |more: Value, wanted: &str| {
        let mut body = json!({ "userId": "ada", "event": "e" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let lines = [wanted];
        check(Call::Track, body, if wanted.starts_with("400") { Err(wanted) } else { Ok(&lines) });
    };
    at(json!({ "timestamp": "2026-03-27T07:59:50Z" }), "event ada -10 e {} -");
    at(json!({ "timestamp": "2026-03-27T09:59:50.250+02:00" }), "event ada -9.75 e {} -");
    // Without an offset it is the project's time.
    at(json!({ "timestamp": "2026-03-27T08:59:50" }), "event ada -10 e {} -");
    at(json!({ "timestamp": "2026-03-27T08:00:01Z" }), "event ada 0 e {} -");
    // The sender's clock is an hour ahead; it waited ten seconds before it sent.
    at(json!({ "timestamp": "2026-03-27T08:59:50Z", "sentAt": "2026-03-27T09:00:00Z" }), "event ada -10 e {} -");
    at(json!({ "originalTimestamp": "2026-03-27T08:59:50Z", "sentAt": "2026-03-27T09:00:00Z" }), "event ada -10 e {} -");
    at(json!({ "timestamp": "2026-03-27T06:59:50Z", "sentAt": "2026-03-27T07:00:00Z" }), "event ada -10 e {} -");
    at(json!({ "sentAt": "2026-03-27T07:00:00Z" }), "event ada 0 e {} -");
    // Up to an hour late it may start something.
    at(json!({ "timestamp": "2026-03-27T07:00:00Z" }), "event ada -3600 e {} -");
    at(json!({ "timestamp": "2026-03-27T06:59:59.999Z" }), "history ada -3600.001 e {} -");
    for wrong in
        [json!("yesterday"), json!(""), json!(1_774_598_400_000_i64), json!("2026-02-30T00:00:00Z"), json!({}), json!(true)]
    {
        at(json!({ "timestamp": wrong }), "400 invalid timestamp");
        at(json!({ "sentAt": wrong }), "400 invalid sentAt");
        at(json!({ "originalTimestamp": wrong }), "400 invalid originalTimestamp");
    }
    let long_ago = json!({ "timestamp": "-009999-01-02T00:00:00Z", "userId": "ada", "event": "e" });
    check(Call::Track, long_ago, Err("400 invalid timestamp"));
}

#[test]
fn a_batch_keeps_what_is_good_in_order() {
    let good = json!({ "type": "track", "userId": "ada", "event": "e", "messageId": "m1" });
    check(
        Call::Batch,
        json!({
            "batch": [
                good,
                { "type": "identify", "userId": 1, "anonymousId": {}, "messageId": "m2" },
                7,
                { "type": "alias", "previousId": "a1", "userId": "ada" },
                { "type": "page", "anonymousId": "a1", "timestamp": "2026-03-27T06:59:50Z" },
                { "userId": "ada" },
                { "type": "batch", "userId": "ada" },
                { "type": "track", "userId": "ada", "event": "e", "properties": { "a": 1 }, "sentAt": "x" },
            ],
            "sentAt": "2026-03-27T07:00:00Z",
            "context": { "library": { "name": "x" } },
            "writeKey": "k",
        }),
        Ok(&[
            "event ada 0 e {} m1",
            "alias a1 ada -",
            "event ~a1 -10 page {} -",
            "1 m2 400 invalid batch[1].anonymousId",
            "2 - 400 invalid batch[2]",
            "5 - 400 invalid batch[5].type",
            "6 - 400 invalid batch[6].type",
            "7 - 400 invalid batch[7].sentAt",
        ]),
    );
    check(Call::Batch, json!({ "batch": [{ "type": "track" }, { "type": "x" }] }), Err("400 missing batch[0].event"));
    check(Call::Batch, json!({ "batch": [] }), Err("400 missing batch"));
    check(Call::Batch, json!({ "batch": null }), Err("400 missing batch"));
    check(Call::Batch, json!({ "batch": { "type": "track" } }), Err("400 missing batch"));
    check(Call::Batch, json!({ "batch": "x", "sentAt": [] }), Err("400 invalid sentAt"));
    check(Call::Batch, good.clone(), Err("400 missing batch"));
    check(Call::Batch, json!([good]), Err("400 invalid -"));
    check(Call::Batch, json!({ "batch": vec![good.clone(); 30_001] }), Err("400 invalid batch"));
    check(Call::Import, json!({ "batch": [good] }), Ok(&["history ada 0 e {} m1"]));
}

#[test]
fn what_is_no_json_is_refused_as_a_whole() {
    let check = |body: &str, wanted| {
        check_by(&EXPECTED, Call::Track, body, Err(wanted));
        check_by(&EXPECTED, Call::Batch, body, Err(wanted));
    };
    for body in ["", "{", "nonsense", "{}{}", &"[".repeat(10_000), "\u{feff}{}"] {
        check(body, "400 invalid_json -");
    }
    for body in ["[]", "7", "null", "\"x\"", "true", "-1", "1.5", "[{}]"] {
        check(body, "400 invalid -");
    }
    let lost = r#"{"userId":"ada","event":"e","properties":{"a":1e999}}"#;
    check_by(&EXPECTED, Call::Track, lost, Err("400 invalid_json -"));
    let nested = format!(r#"{{"userId":"ada","event":"e","properties":{{"a":{}1{}}}}}"#, "[".repeat(200), "]".repeat(200));
    check_by(&EXPECTED, Call::Track, &nested, Err("400 invalid_json -"));
    // What is not looked at may be as deep as it likes.
    let deep = format!(r#"{{"userId":"ada","event":"e","context":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
    check_by(&EXPECTED, Call::Track, &deep, Ok(&["event ada 0 e {} -"]));
}

#[test]
fn a_key_given_twice_is_one_items_fault() {
    for twice in [
        r#"{"userId":"ada","userId":"bo","event":"e"}"#,
        r#"{"userId":"ada","event":"e","properties":{"a":{"b":1,"b":1}}}"#,
        r#"{"userId":"ada","event":"e","properties":{},"properties":{}}"#,
    ] {
        check_by(&EXPECTED, Call::Track, twice, Err("400 invalid -"));
        let batch =
            format!(r#"{{"batch":[{},{{"type":"page","userId":"ada"}}]}}"#, twice.replacen('{', r#"{"type":"track","#, 1));
        check_by(&EXPECTED, Call::Batch, &batch, Ok(&["event ada 0 page {} -", "0 - 400 invalid batch[0]"]));
    }
    check_by(&EXPECTED, Call::Batch, r#"{"batch":[],"batch":[]}"#, Err("400 invalid -"));
}

#[test]
fn the_data_contract_is_kept_or_its_breach_reported() {
    let both = |call: Call, body: Value, refused: &str, stored: &str| {
        check_by(&STRICT, call, &body.to_string(), Err(refused));
        check_by(&LENIENT, call, &body.to_string(), Ok(&[stored]));
        for expected in [&*STRICT, &*LENIENT] {
            let mut notes = Notes::default();
            // What became of it was looked at above.
            let _ = read(call, &body.to_string(), Moment { now: NOW, expected }, &mut notes);
            assert_eq!((notes.contacts, notes.events), if call == Call::Identify { (1, 0) } else { (0, 1) }, "{body}");
        }
    };
    let order = |properties: Value| json!({ "userId": "ada", "event": "ordered", "properties": properties });
    both(Call::Track, order(json!({ "total": "x" })), "400 contract properties.total", r#"event ada 0 ordered {"total":"x"} -"#);
    both(Call::Track, order(json!({})), "400 contract properties.total", "event ada 0 ordered {} -");
    let undeclared = json!({ "userId": "ada", "event": "unheard_of" });
    both(Call::Track, undeclared, "400 contract properties", "event ada 0 unheard_of {} -");
    let lines = json!({ "userId": "ada", "traits": { "address": { "lines": ["a", 7] } } });
    both(Call::Identify, lines, "400 contract traits.address.lines[1]", r#"identify ada - {"address":{"lines":["a",7]}} -"#);
    let email = json!({ "userId": "ada", "traits": { "email": "nobody" } });
    both(Call::Identify, email, "400 contract traits.email", r#"identify ada - {"@email":"nobody"} -"#);
    // What cannot be kept at all is refused in any case.
    let number = json!({ "userId": "ada", "traits": { "email": 7 } }).to_string();
    check_by(&LENIENT, Call::Identify, &number, Err("400 invalid traits.email"));
    let control = json!({ "userId": "ada", "traits": { "email": "a@b.example\r\nBcc: x" } }).to_string();
    check_by(&LENIENT, Call::Identify, &control, Err("400 invalid traits.email"));
    // A first name may be known already.
    check_by(&STRICT, Call::Identify, r#"{"userId":"ada","traits":{"plan":"pro"}}"#, Ok(&[r#"identify ada - {"plan":"pro"} -"#]));
    check_by(
        &STRICT,
        Call::Track,
        r#"{"userId":"ada","event":"subscribed","properties":{"topic":"offers"}}"#,
        Ok(&[r#"event ada 0 subscribed {"topic":"offers"} -"#]),
    );
}

/// A body that is nearly right.
fn bodies() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "track",
            "identify",
            "alias",
            "group",
            "2026-03-27T08:00:00Z",
            "-009999-01-01",
            "9999-12-31T23:59:59Z",
            "ada@shop.example"
        ])
        .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "type",
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "messageId",
        "event",
        "name",
        "properties",
        "traits",
        "timestamp",
        "sentAt",
        "originalTimestamp",
        "batch",
        "email",
        "topics",
        "time_zone",
        "x",
    ]);
    let value = leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    });
    let cut = |(text, at): (String, Option<prop::sample::Index>)| match at {
        None => text,
        Some(at) => text.chars().take(at.index(text.len().max(1))).collect(),
    };
    (value.prop_map(|value| value.to_string()), prop::option::weighted(0.2, any::<prop::sample::Index>())).prop_map(cut)
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in prop_oneof![".{0,200}".boxed(), bodies().boxed()]) {
        for call in [Call::Identify, Call::Track, Call::Page, Call::Screen, Call::Group, Call::Alias, Call::Batch, Call::Import] {
            for expected in [&*EXPECTED, &*STRICT, &*LENIENT] {
                match read(call, &body, Moment { now: NOW, expected }, &mut Notes::default()) {
                    Ok(taken) => prop_assert!(!taken.inputs.is_empty()),
                    Err(problem) => prop_assert!(problem.status.is_client_error() && !problem.message.is_empty()),
                }
            }
        }
    }
}

#[test]
fn an_item_that_cannot_be_read_takes_no_other_with_it() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for wrong in [deep.as_str(), "1e999", "-1e999"] {
        let body = format!(
            r#"{{"batch":[{{"type":"track","userId":"ada","event":"a","properties":{{"x":{wrong}}}}},{{"type":"track","userId":"ada","event":"b"}},7]}}"#
        );
        let wanted: [&str; 3] = ["event ada 0 b {} -", "0 - 400 invalid_json batch[0]", "2 - 400 invalid batch[2]"];
        check_by(&EXPECTED, Call::Batch, &body, Ok(&wanted));
        // What is no JSON at all has no items.
        check_by(&EXPECTED, Call::Batch, &body[..body.len() - 1], Err("400 invalid_json -"));
    }
    // Where there is nothing else, it is what the answer is about.
    check_by(&EXPECTED, Call::Batch, r#"{"batch":[{"x":1,"userId":1e999}]}"#, Err("400 invalid_json batch[0]"));
}

#[test]
fn a_text_that_was_cut_inside_a_character_is_taken() {
    let event = r#"{"type":"track","userId":"ada","event":"e","properties":{"title":"cut \ud83d"}}"#;
    let wanted: [&str; 1] = ["event ada 0 e {\"title\":\"cut \u{fffd}\"} -"];
    check_by(&EXPECTED, Call::Track, event, Ok(&wanted));
    check_by(&EXPECTED, Call::Batch, &format!(r#"{{"batch":[{event}]}}"#), Ok(&wanted));
}
