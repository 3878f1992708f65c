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
                "extra": { "type": "object", "additionalProperties": true }
            },
            "required": ["first_name"],
            "additionalProperties": false,
            "$defs": {
                "address": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] }
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
    place(json!({ "shoe": 1, "address": { "city": 7 } }), &["address.city", "first_name", "shoe"]);
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
        assert_eq!(built_in::looks_like_address(address), good, "{address:?}");
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
    check(CONTACT_FILE, "{\"properties\": {\"a\": {\n \"pattern\": \"(\\\\p{L}{90})N\"}}}", (2, 13), "too large");
    check(CONTACT_FILE, "{\"properties\": {\"a\": {\"patternProperties\": {\n \"\\\\p{L}{90}\": {}}}}}", (2, 16), "too large");
    let many: Vec<String> =
        (0..20).map(|number| format!("\"a{number}\": {{\n\"pattern\": \"\\\\p{{L}}{{50}}{number}\"}}")).collect();
    check(CONTACT_FILE, &format!("{{\"properties\": {{{}}}}}", many.join(",\n")), (32, 12), "too large together");
    check("schemas/events/message_sent.schema.json", "{}", (1, 1), "runner itself");
    let other = BTreeMap::from([("schemas/workflow.schema.json".to_owned(), "no json".to_owned())]);
    assert_eq!(Contract::load(&other).1, []);
}

#[test]
fn events_of_the_tracking_api_are_declared() {
    let page = json!({ "properties": { "name": { "type": "string" } }, "additionalProperties": false });
    let object = Declared::Known(Kinds { object: true, ..Kinds::default() });
    let text = Declared::Known(Kinds { text: true, ..Kinds::default() });
    let typed = contract(None, &[("page", page), ("ordered", json!({}))]);
    let open = contract(None, &[("ordered", json!({}))]);
    for (contract, event, property, declared, wrong) in [
        (&typed, "page", "name", text, vec!["`name` must be text"]),
        (&typed, "page", "title", Declared::Unknown(vec!["name".to_owned()]), vec!["`name` must be text"]),
        (&typed, "screen", "name", Declared::Open, vec![]),
        (&open, "page", "name", Declared::Open, vec![]),
        (&open, "group", "name", Declared::Open, vec![]),
    ] {
        assert_eq!(contract.event(event), object, "{event}");
        assert_eq!(contract.event_property(event, &keys(property)), declared, "{event} {property}");
        assert_eq!(contract.check_event(event, &json!({ "name": 5 })), wrong, "{event}");
    }
    assert!(matches!(open.event("pages"), Declared::Unknown(names) if names.contains(&"page".to_owned())));
}

#[test]
fn personal_data_is_known() {
    let personal = json!({ "type": "string", "x-personal": true });
    let schema = json!({
        "properties": {
            "first_name": personal,
            "plan": { "type": "string", "x-personal": false },
            "odd": { "x-personal": "yes" },
            "address": { "$ref": "#/$defs/address" },
            "home": { "x-personal": true, "properties": { "city": { "type": "string" } } },
            "friends": { "type": "array", "items": { "properties": { "name": personal, "since": {} } } },
            "either": { "anyOf": [{ "type": "number" }, { "properties": { "name": personal } }] },
            "loop": { "properties": { "loop": { "$ref": "#/properties/loop" } } }
        },
        "$defs": { "address": { "properties": { "street": personal, "country": {} } } }
    });
    let contract = contract(Some(schema.clone()), &[("seen", schema)]);
    for (path, expected) in [
        ("first_name", true),
        ("first_name.x", true),
        ("plan", false),
        ("odd", true),
        ("address", true),
        ("address.street", true),
        ("address.country", false),
        ("home.city", true),
        ("friends", true),
        ("friends.0.name", true),
        ("friends.0.since", false),
        ("either.name", true),
        ("loop.loop.loop", false),
        ("unheard_of", false),
    ] {
        assert_eq!(contract.personal_attribute(&keys(path)), expected, "{path}");
        assert_eq!(contract.personal_property("seen", &keys(path)), expected, "{path}");
    }
    for (path, attribute) in [("email", true), ("phone", true), ("locale", false)] {
        assert_eq!(contract.personal_attribute(&keys(path)), attribute, "{path}");
        assert!(!contract.personal_property("seen", &keys(path)), "{path}");
    }
    assert!(Contract::default().personal_attribute(&keys("email")));
}

/// Whatever a schema asks and whatever the data holds instead, no message repeats the data: not its values, not its odd names.
#[test]
fn no_message_holds_data() {
    let long = "ada@secret.example ".repeat(8);
    let hostile = [
        json!("ada@secret.example"),
        json!(long),
        json!("secret\n\u{1b}[31m"),
        json!(49_170_555_777_i64),
        json!(-49_170_555_777.5),
        json!(["ada@secret.example", "ada@secret.example"]),
        json!({ "ada@secret.example": "ada@secret.example", "49170555777": { "+49 170 555777": ["secret!"] } }),
        json!(true),
    ];
    let keywords = [
        json!({ "type": "null" }),
        json!({ "type": ["null", "boolean"] }),
        json!({ "enum": ["a"] }),
        json!({ "const": "a" }),
        json!({ "minLength": 900 }),
        json!({ "maxLength": 1 }),
        json!({ "pattern": "^never$" }),
        json!({ "format": "date" }),
        json!({ "format": "email" }),
        json!({ "format": "uuid" }),
        json!({ "minimum": 1e300 }),
        json!({ "maximum": -1e300 }),
        json!({ "exclusiveMinimum": 1e300 }),
        json!({ "exclusiveMaximum": -1e300 }),
        json!({ "multipleOf": 7.25 }),
        json!({ "minItems": 9 }),
        json!({ "maxItems": 0 }),
        json!({ "uniqueItems": true }),
        json!({ "items": false }),
        json!({ "items": { "type": "null" } }),
        json!({ "prefixItems": [{ "const": 1 }] }),
        json!({ "contains": { "const": 1 } }),
        json!({ "unevaluatedItems": false }),
        json!({ "required": ["there"] }),
        json!({ "minProperties": 9 }),
        json!({ "maxProperties": 0 }),
        json!({ "propertyNames": { "maxLength": 1 } }),
        json!({ "additionalProperties": false }),
        json!({ "additionalProperties": { "type": "null" } }),
        json!({ "additionalProperties": { "additionalProperties": false } }),
        json!({ "patternProperties": { "": { "type": "null" } } }),
        json!({ "unevaluatedProperties": false }),
        json!({ "dependentRequired": { "ada@secret.example": ["there"] } }),
        json!({ "dependentSchemas": { "ada@secret.example": false } }),
        json!({ "not": {} }),
        json!({ "anyOf": [{ "type": "null" }, { "const": 1 }] }),
        json!({ "oneOf": [{}, {}] }),
        json!({ "allOf": [{ "type": "null" }] }),
        json!({ "if": {}, "then": { "type": "null" } }),
        json!(false),
    ];
    for keyword in keywords {
        let mut found = 0;
        for value in &hostile {
            let schema = json!({ "properties": { "x": keyword } });
            let contract = contract(Some(schema.clone()), &[("seen", schema)]);
            let data = json!({ "x": value });
            let messages = contract.check_contact(&data);
            let of_event = contract.check_event("seen", &data);
            assert_eq!(messages.is_empty(), of_event.is_empty());
            for words in messages.iter().chain(&of_event) {
                let held = ["secret", "ada@", "555777"].iter().any(|part| words.contains(part));
                assert!(!held && !words.contains(char::is_control), "{keyword} {value}: {words}");
            }
            found += messages.len();
        }
        assert!(found > 0, "{keyword} is never broken");
    }
    let declared = contract(Some(json!({ "additionalProperties": false })), &[("seen", json!({}))]);
    let names = json!({ "ada@secret.example": 1, "shoe": 1 });
    assert_eq!(declared.check_contact(&names), ["`…`, `shoe` are not declared"]);
    assert_eq!(declared.check_event("ada@secret.example", &json!({})), ["no schema under schemas/events/ declares this event"]);
    let built_in = json!({ "id": 49_170_555_777_i64, "email": "ada@secret", "phone": ["secret"], "topics": "secret" });
    let built_in = declared.check_contact(&built_in).join(" ");
    assert!(!built_in.contains("secret") && !built_in.contains("555777"), "{built_in}");
}

/// Data without nulls is looked at where it is; with nulls it comes to the same.
#[test]
fn nulls_are_missing() {
    let contract = people();
    for data in [json!({ "first_name": "Ada" }), json!({ "first_name": "Secret-Name", "age": 5 }), json!({ "shoe": 1 })] {
        let mut with_nulls = data.clone();
        with_nulls["birthday"] = Value::Null;
        with_nulls["topics"] = Value::Null;
        assert_eq!(contract.check_contact(&with_nulls), contract.check_contact(&data), "{data}");
    }
}

/// Parts that each name the next one ten times: nobody could be held against them.
#[test]
fn parts_that_name_each_other_are_refused() {
    let parts = |next: usize| (0..10).map(|_| json!({ "$ref": format!("#/$defs/d{next}") })).collect::<Vec<_>>();
    let mut defs: serde_json::Map<String, Value> = (0..20).map(|k| (format!("d{k}"), json!({ "anyOf": parts(k + 1) }))).collect();
    defs.insert("d20".to_owned(), json!({ "type": "string" }));
    let schema = json!({ "properties": { "x": { "$ref": "#/$defs/d0" } }, "$defs": defs });
    let files = BTreeMap::from([(CONTACT_FILE.to_owned(), schema.to_string())]);
    let (_, diagnostics) = Contract::load(&files);
    assert_eq!(diagnostics.iter().map(|found| found.code).collect::<Vec<_>>(), ["invalid-contract"]);
}
