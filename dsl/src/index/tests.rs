use super::*;

fn index(files: &[(&str, &str)]) -> Index {
    Index::of(&ProjectFiles::from_texts(files.iter().copied()))
}

/// `kind name` of every occurrence in a file, `=` before definitions, with what it belongs to and the characters at its place.
fn names(path: &str, text: &str) -> Vec<String> {
    let lines = text::Lines::new(text);
    let told = |found: &Occurrence| {
        let sign = if found.definition.is_some() { "=" } else { "" };
        let of = if found.of.is_empty() { String::new() } else { format!(" of {}", found.of.join("+")) };
        let slice = lines.slice(&found.at);
        // Over several lines, and with escapes, what stands there is longer than what it says.
        let respelt = slice.contains(['\n', '\\', '\'']);
        assert!(slice.is_empty() || slice == found.name || respelt, "{found:?} stands at {slice:?}");
        format!("{sign}{:?} {}{of}", found.kind, found.name)
    };
    let mut names: Vec<String> = FileIndex::read(path, text).occurrences.iter().map(told).collect();
    names.sort();
    names
}

#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    assert_eq!(names(path, text), expected, "{text}");
}

#[test]
fn names_in_a_workflow() {
    check(
        "workflows/a.yaml",
        "workflow: \"a\"\ntrigger: { event: signed_up, key: event.id }\naudience: { contact.country: DE, segment: s }\n\
         steps:\n  - send: hello\n  - wait_for: { event: bought, where: { event.total: 5 } }\n    then: [{ start: b }]\n\
         \x20 - set: { vars.x: 1, contact.stage: y }\n  - send: { subject: \"{{contact.name}} {{event.id}}\", text: x }\n    id: m\n",
        &[
            "=Step m of a",
            "=Step send-hello of a",
            "=Step set-x of a",
            "=Step start-b of a",
            "=Step wait-for-bought of a",
            "=Variable x",
            "=Workflow a",
            "Attribute country",
            "Attribute name",
            "Attribute stage",
            "Event bought",
            "Event signed_up",
            "Property id of signed_up",
            "Property id of signed_up",
            "Property total of bought",
            "Segment s",
            "Template hello",
            "Workflow b",
        ],
    );
}

#[test]
fn names_in_shared_parts() {
    check(
        "workflows/shared.yaml",
        "segments:\n  s: { description: d, contact.tier: high }\ntraits:\n  tier: { by: contact.spent, tiers: { high: 5 } }\n\
         \x20 spent: { sum: event.total, of: bought }\n  seen: { last: page }\n  coupon: { last: event.code, of: bought }\n",
        &[
            "=Attribute coupon",
            "=Attribute seen",
            "=Attribute spent",
            "=Attribute tier",
            "=Segment s",
            "Attribute spent",
            "Attribute tier",
            "Event bought",
            "Event bought",
            "Event page",
            "Property code of bought",
            "Property total of bought",
        ],
    );
}

#[test]
fn names_in_settings_templates_and_schemas() {
    check(
        "campaignd.yaml",
        "project: p\ntopics: { offers: {} }\nchannels: { sms: { to: contact.phone, deliver: { post: x, json: { a: \"{{contact.id}}\" } } } }\n\
         limits: { frequency: [{ at_most: 1, per: 1 day, topic: offers }, { at_most: 1, per: 1 day, topic: any }] }\nsecrets: { crm: x }\n",
        &["=Channel sms", "=Secret crm", "=Topic offers", "Attribute id", "Attribute phone", "Topic offers"],
    );
    check(
        "templates/mail/hello.de.html.hbs",
        "---\nsubject: \"{{contact.name}}\"\nlayout: shop\ntopic: offers\nneeds: [coupon]\n---\n{{> parts/button label=event.x}} {{vars.y}}\n",
        &[
            "=Template mail/hello",
            "Attribute name",
            "Layout shop",
            "Partial parts/button",
            "Property x",
            "Topic offers",
            "Variable y",
        ],
    );
    check("templates/layouts/shop.de.html.hbs", "{{{body}}}", &["=Layout shop"]);
    check("templates/partials/parts/button.hbs", "{{label}}", &["=Partial parts/button"]);
    check("templates/images/logo.png", "", &[]);
    check(
        "schemas/events/bought.schema.json",
        "{\n\t\"properties\": { \"total\": { \"type\": \"number\" } } }",
        &["=Event bought", "=Property total of bought"],
    );
    check("schemas/contact.schema.json", r#"{"properties":{"tier":{}}}"#, &["=Attribute tier"]);
    check("schemas/workflow.schema.json", r#"{"properties":{"tier":{}}}"#, &[]);
}

#[test]
fn names_in_journey_tests() {
    check(
        "tests/a.test.yaml",
        "workflow: a\ntests:\n  - name: x\n    given: { contact: { id: a, topics: [offers] }, segments: [vip], events: [{ at: -1d, event: bought, with: { total: 1 } }] }\n    timeline:\n      \
         - { at: 1h, event: message_clicked, with: { template: hello } }\n      - { at: 2h, set: { contact.tier: x } }\n    \
         expect:\n      - { send: hello }\n      - { branch: which, taken: 1 }\n",
        &[
            "Attribute id",
            "Attribute tier",
            "Attribute topics",
            "Event bought",
            "Event message_clicked",
            "Property total of bought",
            "Segment vip",
            "Step which of a",
            "Template hello",
            "Template hello",
            "Topic offers",
            "Workflow a",
        ],
    );
}

#[test]
fn names_in_audiences() {
    check(
        "tests/audience.yaml",
        "audience: a\ncontacts: { at_start: 5 }\nprofile: { topics: { offers: 5% }, attributes: { country: DE } }\nevents:\n  \
         - { event: seen, rate: 1 per day, with: { page: { numbered: x } } }\n  \
         - { event: bought, follows: seen, template: hello, with: { total: { same: event.page } } }\n\
         reactions: [{ to: [hello, any], clicked: 5% }]\n",
        &[
            "Attribute country",
            "Event bought",
            "Event seen",
            "Event seen",
            "Property page of seen",
            "Property page of seen",
            "Property total of bought",
            "Template hello",
            "Template hello",
            "Topic offers",
        ],
    );
    check("tests/compose.yaml", "services: { web: { events: [{ event: x }] } }\n", &[]);
}

#[test]
fn what_may_be_a_name() {
    for name in ["true", "null", "~", "", "a b", "a:b", "7", "1e5", "A", "-a", "a/b", "é"] {
        assert!(!Kind::Segment.may_be_called(name), "{name}");
        assert!(!Kind::Attribute.may_be_called(name), "{name}");
        assert!(name == "a/b" || !Kind::Template.may_be_called(name), "{name}");
    }
    for (kind, name, may) in [
        (Kind::Segment, "vip_2", true),
        (Kind::Attribute, "email", false),
        (Kind::Template, "any", false),
        (Kind::Template, "layouts/x", false),
        (Kind::Template, "2024-news", true),
        (Kind::Partial, "parts/button", true),
        (Kind::Partial, "null", false),
        (Kind::Layout, "shop", true),
    ] {
        assert_eq!(kind.may_be_called(name), may, "{kind:?} {name}");
    }
}

#[test]
fn names_of_a_file_that_is_being_written() {
    check(
        "workflows/a.yaml",
        "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: hello\n    id: h\n  - sen\n  - wait: {\n",
        &["=Step h of a", "=Workflow a", "Template hello"],
    );
    let whole = "segments:\n  s: { topic: t }\n  u: { topic: t }\n";
    let mut index = index(&[("workflows/a.yaml", whole)]);
    index.put("workflows/a.yaml", "segments:\n  s: { topic: \n  u: { topic: t }\n");
    assert_eq!(index.names(Kind::Segment).into_keys().collect::<Vec<_>>(), ["s", "u"]);
    index.put("workflows/a.yaml", "segments:\n  u: { topic: t }\n");
    assert_eq!(index.names(Kind::Segment).into_keys().collect::<Vec<_>>(), ["u"]);
}

#[test]
fn what_stands_at_a_place_and_where_else() {
    let index = index(&[
        (
            "workflows/a.yaml",
            "workflow: a\ntrigger: { event: bought }\naudience: { segment: s }\nsegments: { s: { topic: t } }\n",
        ),
        (
            "workflows/b.yaml",
            "workflow: b\nsteps: [{ send: hello }, { send: { text: x }, id: own }, { wait_for: { message: own } }]\n",
        ),
        ("templates/hello.html.hbs", "---\nsubject: Hi\nneeds: [x]\n---\n{{event.total}}"),
        ("templates/hello.de.html.hbs", "{{event.total}}"),
    ]);
    let at = |file: &str, line, column| index.at(file, line, column).map(|found| found.name.as_str());
    assert_eq!(at("workflows/a.yaml", 3, 22), Some("s"));
    assert_eq!(at("workflows/a.yaml", 3, 23), Some("s"));
    assert_eq!(at("workflows/a.yaml", 3, 20), None);
    let segment = index.at("workflows/a.yaml", 3, 22).unwrap();
    assert_eq!(index.same(segment).count(), 2);
    assert_eq!(index.definitions(segment)[0].at.line, 4);
    let template = index.at("workflows/b.yaml", 2, 18).unwrap();
    assert_eq!(index.definitions(template).len(), 2);
    assert_eq!(index.needs_of("hello"), ["x"]);
    let own = index.all().find(|found| found.kind == Kind::Template && found.name == "own").unwrap();
    assert_eq!(index.definitions(own)[0].kind, Kind::Step);
}

#[test]
fn the_outline_nests_steps() {
    fn told(symbols: &[Symbol]) -> String {
        let one = |symbol: &Symbol| {
            let inside = if symbol.children.is_empty() { String::new() } else { format!("({})", told(&symbol.children)) };
            format!("{}{inside}", symbol.name)
        };
        symbols.iter().map(one).collect::<Vec<_>>().join(" ")
    }
    let text = "workflow: a\nsteps:\n  - branch:\n      - when: { topic: t }\n        steps:\n          - send: x\n      - steps: [exit]\n  \
                - wait: 1 day\nsegments: { s: { topic: t } }\ntraits: { n: { count: e } }\n";
    assert_eq!(told(&FileIndex::read("workflows/a.yaml", text).symbols), "a(branch(send-x exit) wait-1-day) s n");
    assert_eq!(told(&FileIndex::read("campaignd.yaml", "project: p\ntopics: { b: {}, a: {} }\n").symbols), "project topics(b a)");
    assert_eq!(
        told(&FileIndex::read("tests/a.test.yaml", "workflow: a\ntests: [{ name: one }, { name: two }]\n").symbols),
        "one two"
    );
}

proptest::proptest! {
    /// Whatever is cut out of a file, looking through it neither fails nor names places that are not there.
    #[test]
    fn any_broken_file_is_looked_through(cut in 0usize..700, length in 0usize..60, put in "[ \\n:{}\\[\\]'\"#|>&*-]{0,4}") {
        let text = include_str!("../../../workflows/welcome.yaml");
        let from = text.floor_char_boundary(cut.min(text.len()));
        let to = text.floor_char_boundary((cut + length).min(text.len()));
        let broken = format!("{}{put}{}", &text[..from], &text[to..]);
        for path in ["workflows/welcome.yaml", "tests/audience.yaml", "templates/welcome.html.hbs", "schemas/contact.schema.json", "campaignd.yaml", "tests/a.test.yaml"] {
            names(path, &broken);
        }
    }
}
