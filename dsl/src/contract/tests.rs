use serde_json::json;

use super::*;

fn contract(contact: Option<Value>, events: &[(&str, Value)]) -> Contract {
    let mut files: BTreeMap<_, _> =
        events.iter().map(|(name, schema)| (format!("schemas/events/{name}.schema.json"), schema.to_string())).collect();
    files.extend(contact.map(|schema| (CONTACT_FILE.to_owned(), schema.to_string())));
    let (contract, diagnostics) = Contract::load(&files);
    assert_eq!(diagnostics, []);
    contract
}

fn people() -> Contract {
    contract(
        Some(json!({
            "type": "object",
            "properties": {
                "first_name": { "type": "string", "maxLength": 5 },
                "age": { "type": ["integer", "null"], "minimum": 18 },
                "birthday": { "type": "string", "format": "date" },
                "site": { "type": "string", "format": "uri" },
                "second": { "type": "string", "format": "email" },
                "plan": { "enum": ["free", "pro"] },
                "address": { "$ref": "#/$defs/address" },
                "tags": { "type": "array", "items": { "type": "string" } },
                "extra": { "type": "object", "additionalProperties": true },
                "loop": { "$ref": "#/$defs/loop" }
            },
            "required": ["first_name"],
            "additionalProperties": false,
            "$defs": {
                "address": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
                "loop": { "$ref": "#/$defs/loop" }
            }
        })),
        &[(
            "ordered",
            json!({ "properties": { "total": { "type": "number" }, "items": { "type": "array", "items": { "properties": { "sku": { "type": "string" } } } } } }),
        )],
    )
}

fn keys(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

#[test]
fn data_is_checked_in_words_without_the_data() {
    let contract = people();
    let check = |data: Value, expected: &[&str]| assert_eq!(contract.check_contact(&data), expected, "{data}");
    check(
        json!({ "first_name": "Ada", "id": "1", "email": "ada@example.com", "phone": "+49", "locale": "de", "time_zone": "Europe/Berlin", "topics": ["a"] }),
        &[],
    );
    check(json!({ "first_name": "Ada", "birthday": null, "age": null, "email": null }), &[]);
    check(json!({}), &["`first_name` is missing"]);
    check(json!({ "first_name": null }), &["`first_name` is missing"]);
    check(json!({ "first_name": "Ada", "shoe": 1 }), &["`shoe` is not declared"]);
    check(json!({ "first_name": 17 }), &["`first_name` must be text"]);
    check(json!({ "first_name": "Secret-Name" }), &["`first_name` must have at most 5 characters"]);
    check(json!({ "first_name": "Ada", "age": 17 }), &["`age` must be at least 18"]);
    check(json!({ "first_name": "Ada", "birthday": "2026-02-30" }), &["`birthday` must be a date (2026-03-29)"]);
    check(json!({ "first_name": "Ada", "site": "no url" }), &["`site` must be a URL"]);
    check(json!({ "first_name": "Ada", "second": "nobody" }), &["`second` must be an email address"]);
    check(json!({ "first_name": "Ada", "plan": "secret" }), &["`plan` must be one of [\"free\",\"pro\"]"]);
    check(json!({ "first_name": "Ada", "address": {} }), &["`address.city` is missing"]);
    check(json!({ "first_name": "Ada", "tags": ["a", 2] }), &["`tags.1` must be text"]);
    check(json!({ "first_name": "Ada", "email": "a@b@c d" }), &["`email` must be an email address"]);
    check(
        json!({ "first_name": "Ada", "email": 7, "topics": "offers" }),
        &["`email` must be text", "`topics` must be a list of topic names"],
    );
    check(json!([]), &["a contact's attributes must be an object"]);
    let place = |data: Value, expected: &[&str]| {
        let faults = contract.contact_faults(&data);
        assert_eq!(faults.iter().map(|fault| fault.at.as_str()).collect::<Vec<_>>(), expected, "{data}");
    };
    place(json!({ "first_name": "Ada", "tags": ["a", 2] }), &["tags[1]"]);
    place(json!({ "first_name": "Ada", "address": {}, "email": "nobody" }), &["email", "address.city"]);
    place(json!({ "shoe": 1, "address": { "city": 7 } }), &["first_name", "shoe", "address.city"]);
    place(json!([]), &[""]);
    for (address, good) in [
        ("a@b", true),
        ("a.b+c@x.example", true),
        ("@b", false),
        ("a@", false),
        ("a b@c.d", false),
        ("a@b..c", false),
        ("a\r\n@b.c", false),
    ] {
        assert_eq!(looks_like_address(address), good, "{address:?}");
    }
}

#[test]
fn events_are_checked_once_any_is_declared() {
    let check = |contract: &Contract, name: &str, data: Value, expected: &[&str]| {
        assert_eq!(contract.check_event(name, &data), expected, "{name} {data}")
    };
    let open = Contract::default();
    check(&open, "anything", json!({ "x": 1 }), &[]);
    let contract = people();
    check(&contract, "ordered", json!({ "total": 3 }), &[]);
    check(&contract, "ordered", json!({ "total": "3" }), &["`total` must be a number"]);
    check(&contract, "message_clicked", json!({ "url": "https://x" }), &[]);
    check(&contract, "paid", json!({}), &["no schema declares the event `paid`; add schemas/events/paid.schema.json"]);
    assert_eq!(open.event("x"), Declared::Open);
    assert_eq!(contract.event("unsubscribed"), Declared::Known(Kinds { object: true, ..Kinds::default() }));
    assert!(matches!(contract.event("paid"), Declared::Unknown(names) if names.contains(&"ordered".to_owned())));
}

#[test]
fn what_is_declared() {
    let contract = people();
    let text = Kinds { text: true, ..Kinds::default() };
    let check = |path: &str, expected: Declared| assert_eq!(contract.contact_attribute(&keys(path)), expected, "{path}");
    check("first_name", Declared::Known(text));
    check("age", Declared::Known(Kinds { number: true, ..Kinds::default() }));
    check("birthday", Declared::Known(Kinds { date: true, ..text }));
    check("plan", Declared::Known(text));
    check("address.city", Declared::Known(text));
    check("address.street", Declared::Unknown(keys("city")));
    check("tags.0", Declared::Known(text));
    check("tags.first", Declared::Unknown(Vec::new()));
    check("first_name.x", Declared::Unknown(Vec::new()));
    check("extra.anything.goes", Declared::Open);
    check("loop", Declared::Open);
    check("email", Declared::Known(text));
    check("topics", Declared::Known(Kinds { list: true, ..Kinds::default() }));
    assert!(
        matches!(contract.contact_attribute(&keys("shoe")), Declared::Unknown(names) if names.contains(&"age".to_owned()) && names.contains(&"id".to_owned()))
    );
    assert_eq!(Contract::default().contact_attribute(&keys("shoe")), Declared::Open);

    let event = |name: &str, path: &str| contract.event_property(name, &keys(path));
    assert_eq!(event("ordered", "items.0.sku"), Declared::Known(text));
    assert_eq!(event("ordered", "items.0.size"), Declared::Unknown(keys("sku")));
    assert_eq!(event("message_clicked", "url"), Declared::Known(text));
    assert_eq!(event("subscribed", "topic"), Declared::Known(text));
    assert!(matches!(event("subscribed", "url"), Declared::Unknown(_)));
    assert_eq!(event("undeclared", "x"), Declared::Open);

    for (path, always) in
        [("first_name", true), ("age", false), ("id", true), ("phone", false), ("address.city", false), ("extra.x", true)]
    {
        assert_eq!(contract.contact_always_has(&keys(path)), always, "{path}");
    }
}

#[test]
fn bad_schemas_are_reported_at_their_place() {
    let check = |file: &str, text: &str, place: (usize, usize), words: &str| {
        let (_, diagnostics) = Contract::load(&BTreeMap::from([(file.to_owned(), text.to_owned())]));
        assert_eq!(diagnostics.len(), 1, "{text}: {diagnostics:?}");
        let found = &diagnostics[0];
        assert_eq!((found.code, found.location.file.as_str()), ("invalid-contract", file));
        assert_eq!((found.location.line, found.location.column), place, "{text}: {found:?}");
        assert!(found.message.contains(words), "{} / {words}", found.message);
    };
    check(CONTACT_FILE, "{\n  \"a\": ,\n}", (2, 8), "not JSON");
    check(CONTACT_FILE, "[]", (1, 1), "must be a JSON object");
    check(CONTACT_FILE, "{\n  \"properties\": {\n    \"a\": { \"type\": \"txt\" }\n  }\n}", (3, 20), "not a JSON Schema");
    check(CONTACT_FILE, "{\"$ref\": \"https://example.com/x.json\"}", (1, 1), "nothing is fetched");
    check(CONTACT_FILE, "{\"properties\": {\"a\": {\"$ref\": \"#/$defs/none\"}}}", (1, 1), "leads nowhere");
    check(CONTACT_FILE, "{\"properties\": {\"a\": {\"pattern\": \"(?=x)\"}}}", (1, 34), "regex");
    check("schemas/events/message_sent.schema.json", "{}", (1, 1), "runner itself");
    let other = BTreeMap::from([("schemas/workflow.schema.json".to_owned(), "no json".to_owned())]);
    assert_eq!(Contract::load(&other).1, []);
}
