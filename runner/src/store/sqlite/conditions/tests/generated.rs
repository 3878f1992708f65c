//! Generated questions over generated stores: whoever SQL finds are those for whom the check in memory holds.

use std::collections::BTreeMap;

use dsl::model::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::settings;
use super::world::{Past, Person, Store20};
use crate::audience::tests::generated::{
    LATEST, aggregate, date_predicate, event_condition, instant, message_condition, number_predicate, predicate, properties,
    span, value, value_condition, workflow_condition,
};
use crate::state::{Consent, EndReason, MessageStatus};
use crate::store::{Outdated, Question};

/// Keys that are anything but plain, and some that only look like something else.
const KEYS: [&str; 14] = ["a", "score", "n", "", "a.b", "a\"b", "\"", "a\\", "a'b", "$", "x[0]", "0", "ключ", "nul\u{0}"];

/// As many as PROPTEST_CASES says, and no fewer than these.
fn cases() -> u32 {
    ProptestConfig::default().cases.max(300)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn sql_finds_those_for_whom_the_check_holds(
        conditions in vec(conditions(), 1..6),
        shared in conditions(),
        people in vec(person(), 16..22),
        now in 0..LATEST,
        outdated in outdated(),
    ) {
        let segments: BTreeMap<String, Condition> = [("shared".to_owned(), shared)].into();
        let settings = settings();
        let mut store = Store20::new(&people);
        for condition in &conditions {
            let question = Question { condition, segments: &segments, settings: &settings, now, outdated };
            let expected = store.expected(&question);
            prop_assert_eq!(store.found(&question), expected.clone(), "{:?}", condition);
            prop_assert_eq!(store.found_in_pages(&question, 3), expected.clone(), "in pages: {:?}", condition);
            prop_assert_eq!(store.counted(&question), expected.len() as u64, "counted: {:?}", condition);
        }
    }
}

fn outdated() -> impl Strategy<Value = Outdated> {
    prop_oneof![3 => Just(Outdated::Ignore), 1 => Just(Outdated::Include(1)), 1 => Just(Outdated::Exclude(1))]
}

fn conditions() -> impl Strategy<Value = Condition> {
    let topics = vec!["news", "offers", "unknown", "o\"d.d'"];
    let leaf = prop_oneof![
        3 => value_condition(),
        4 => own_value_condition(),
        4 => event_condition(Just(None)),
        2 => common_event_condition(),
        1 => message_condition(),
        2 => any_message_condition(),
        1 => prop::sample::select(vec!["shared", "nobody"]).prop_map(|name| Condition::Segment(name.into())),
        1 => prop::sample::select(vec!["testers", "ключ'", "nobody"]).prop_map(|name| Condition::Listed(name.into())),
        1 => prop::sample::select(topics).prop_map(|name| Condition::Topic(name.into())),
        1 => workflow_condition(),
        1 => Just(Condition::Workflow { name: "unheard of".into(), is: WorkflowState::Never }),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..4).prop_map(Condition::All),
            2 => vec(inner.clone(), 0..4).prop_map(Condition::Any),
            1 => vec(inner.clone(), 0..3).prop_map(Condition::None),
            1 => inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            3 => event_condition(inner.clone().prop_map(Some)),
            1 => sent_condition(option::of(inner)),
        ]
    })
}

/// Fields, attributes, traits and properties under all sorts of keys.
fn own_value_condition() -> impl Strategy<Value = Condition> {
    let fields = ["id", "email", "phone", "locale", "time_zone", "topics"];
    let key = prop_oneof![3 => prop::sample::select(KEYS.to_vec()), 1 => prop::sample::select(fields.to_vec())];
    let keys = vec(key.prop_map(str::to_owned), 1..3);
    let root = prop_oneof![3 => Just(Root::Contact), 2 => Just(Root::Event)];
    let local = vec(date_predicate(), 1..3)
        .prop_map(|tests| Condition::Value { path: Path { root: Root::Contact, keys: vec!["local".into()] }, tests });
    let any = (root, keys, vec(own_predicate(), 1..3))
        .prop_map(|(root, keys, tests)| Condition::Value { path: Path { root, keys }, tests });
    prop_oneof![4 => any, 1 => local]
}

fn own_predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        1 => predicate(),
        1 => date_predicate(),
        2 => odd_value().prop_map(Predicate::Is),
        2 => odd_value().prop_map(Predicate::IsNot),
        2 => vec(odd_value(), 0..4).prop_map(Predicate::OneOf),
        1 => vec(odd_text(), 9..12).prop_map(Predicate::OneOf),
        1 => vec(odd_value(), 0..4).prop_map(Predicate::NoneOf),
        1 => odd_value().prop_map(Predicate::Contains),
        2 => (odd_number(), 0..4).prop_map(|(limit, kind)| match kind {
            0 => Predicate::Above(limit),
            1 => Predicate::AtLeast(limit),
            2 => Predicate::Below(limit),
            _ => Predicate::AtMost(limit),
        }),
        1 => any::<bool>().prop_map(Predicate::Exists),
        1 => prop::sample::select(vec!["^c1", "(?i)DE", "\\d+$", "\u{0}"]).prop_map(|text| Predicate::Matches(text.into())),
    ]
}

fn odd_text() -> impl Strategy<Value = Value> {
    let texts = [
        "DE",
        "de",
        "5",
        "[\"DE\"]",
        "{}",
        "\"DE\"",
        "true",
        "null",
        "",
        "a\u{0}b",
        "ab",
        "'; DROP TABLE contacts; --",
        "c1",
        "ё\n\"\\",
    ];
    prop::sample::select(texts.to_vec()).prop_map(Value::from)
}

/// Values that are easily taken for one another.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => odd_text(),
        2 => odd_number().prop_map(Value::from),
        1 => prop::sample::select(vec![json!(9_007_199_254_740_993_i64), json!(u64::MAX), json!(i64::MIN), json!(i64::MAX), json!(5)]),
        1 => prop::sample::select(vec![json!(true), json!(false), json!(["DE"]), json!([]), json!({}), json!({"a": 5}), json!([5.0, {"a": [1]}])]),
        1 => Just(Value::Null),
        2 => value(),
    ]
}

fn odd_number() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        0.0,
        -0.0,
        1.0,
        2.0,
        2.5,
        5.0,
        0.1,
        0.3,
        0.1 + 0.2,
        19.99,
        1.0 / 3.0,
        123_456_789.123_456_78,
        1e300,
        5e-324,
        9_007_199_254_740_991.0,
        9_007_199_254_740_992.0,
        9_007_199_254_740_994.0,
        9.3e18,
    ])
}

/// As they are written most, and what leads the search to the contacts.
fn common_event_condition() -> impl Strategy<Value = Condition> {
    let name = prop::sample::select(vec!["bought", "seen", "message_clicked", "never seen"]);
    let count = option::of(prop_oneof![
        (0..4_i32).prop_map(|least| vec![Predicate::AtLeast(least.into())]),
        (0..4_i32).prop_map(|exactly| vec![Predicate::Is(exactly.into())]),
        (1..4_i32, 1..4_i32).prop_map(|(least, below)| vec![Predicate::AtLeast(least.into()), Predicate::Below(below.into())]),
        vec(0..5_i32, 0..4).prop_map(|numbers| vec![Predicate::OneOf(numbers.into_iter().map(Value::from).collect())]),
        odd_value().prop_map(|odd| vec![Predicate::Is(odd)]),
        Just(vec![Predicate::Above(2.5)]),
    ]);
    (name, count, option::of(span())).prop_map(|(name, count, within)| {
        Condition::Event(EventCondition { name: name.into(), filter: None, count, aggregates: Vec::new(), within, since: None })
    })
}

/// The event `message_sent`, which is no row of events.
fn sent_condition(filter: impl Strategy<Value = Option<Condition>>) -> impl Strategy<Value = Condition> {
    let own = prop::sample::select(vec![("template", "hello"), ("workflow", "other"), ("step", "send"), ("channel", "email")])
        .prop_map(|(key, text)| Condition::Value {
            path: Path { root: Root::Event, keys: vec![key.to_owned()] },
            tests: vec![Predicate::Is(text.into())],
        });
    let filter = prop_oneof![1 => filter, 2 => own.prop_map(Some)];
    let count = option::of(vec(number_predicate(), 1..3));
    (filter, count, vec(aggregate(), 0..2), option::of(span())).prop_map(|(filter, count, aggregates, within)| {
        let name = Fate::Sent.event().to_owned();
        Condition::Event(EventCondition { name, filter: filter.map(Box::new), count, aggregates, within, since: None })
    })
}

fn any_message_condition() -> impl Strategy<Value = Condition> {
    let template = option::of(prop::sample::select(vec!["hello", "bye", "", "unheard of"]).prop_map(str::to_owned));
    (template, prop::sample::select(Fate::ALL.to_vec()), option::of(span()))
        .prop_map(|(template, is, within)| Condition::Message(MessageCondition { template, is, within, since: None }))
}

fn person() -> impl Strategy<Value = Person> {
    let zone =
        prop::sample::select(vec![None, None, Some("Europe/Berlin"), Some("america/NEW_YORK"), Some("Mars/Olympus"), Some("DE")]);
    let text = || option::of(prop::sample::select(vec!["DE", "c1", "5", "", "a\u{0}b"]).prop_map(str::to_owned));
    let said = btree_map(prop::sample::select(settings().topics.into_keys().collect::<Vec<_>>()), any::<bool>(), 0..4);
    let consent = (said, prop::bool::weighted(0.2)).prop_map(|(topics, none)| Consent { none, topics, ..Consent::default() });
    let standing = (0..2_i64, option::of(0..LATEST), traits());
    let lists = vec(prop::sample::select(vec!["testers", "ключ'"]), 0..2);
    (attributes(), zone, (text(), text(), text()), consent, prop::bool::weighted(0.05), standing, lists, past()).prop_map(
        |(attributes, time_zone, (email, phone, locale), consent, erased, (version, recheck, traits), lists, past)| Person {
            attributes,
            time_zone: time_zone.map(str::to_owned),
            email,
            phone,
            locale,
            consent,
            erased,
            version,
            recheck,
            traits,
            lists: lists.into_iter().map(str::to_owned).collect(),
            past,
        },
    )
}

/// Under plain and odd keys, two deep; null never at the top.
fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let local = (0..3, 0..LATEST).prop_map(|(hour, at)| Value::from(format!("1970-01-01T0{hour}:00:00.{at:03}")));
    (odd_properties(), option::of(properties()), option::of(local)).prop_map(|(mut all, deep, local)| {
        all.extend(deep.map(|deep| ("deep".to_owned(), deep)));
        all.extend(local.map(|local| ("local".to_owned(), local)));
        all.retain(|_, value| !value.is_null());
        all
    })
}

fn odd_properties() -> impl Strategy<Value = Map<String, Value>> {
    let key = || prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned);
    let deep = btree_map(key(), odd_value(), 0..3).prop_map(|deep| Value::Object(deep.into_iter().collect()));
    let odd = btree_map(key(), prop_oneof![4 => odd_value(), 1 => deep], 0..5);
    (odd, properties()).prop_map(|(odd, plain)| {
        let Value::Object(mut all) = plain else { return Map::new() };
        all.extend(odd);
        all
    })
}

/// `None`: the column is null.
fn traits() -> impl Strategy<Value = Option<Value>> {
    let fading = (0..8_i32, 0..LATEST, 1..9_i64).prop_map(|(value, at, half)| json!({"v": value, "t": at, "h": half}));
    let plain = odd_value().prop_filter("a trait without a value is left out", |value| !value.is_null() && !value.is_object());
    let names = prop::sample::select(vec!["a", "score", "n", "a.b", "email"]).prop_map(str::to_owned);
    option::of(btree_map(names, prop_oneof![plain, fading], 0..3).prop_map(|traits| json!(traits)))
}

fn past() -> impl Strategy<Value = Past> {
    let plain = (
        prop::sample::select(vec!["bought", "seen"]),
        0..LATEST,
        prop_oneof![properties(), odd_properties().prop_map(Value::Object)],
    );
    let template = option::of(prop::sample::select(vec![json!("hello"), json!(""), json!("bye"), json!(5)]));
    let machine = option::of(prop::sample::select(vec![json!(true), json!(false), json!(1), json!("true")]));
    let said = (template, machine).prop_map(|(template, machine)| {
        let given = [("template", template), ("machine", machine)].into_iter();
        given.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<String, Value>>()
    });
    let fate = (prop::sample::select(Fate::ALL[1..].to_vec()), 0..LATEST, said, option::of(0..3_usize));
    let status =
        prop::sample::select(vec![MessageStatus::Sent, MessageStatus::Sent, MessageStatus::Queued, MessageStatus::Failed]);
    let message = (status, 0..LATEST, prop::sample::select(vec!["hello", "bye"]), prop::sample::select(vec!["other", "another"]));
    let reasons =
        vec![None, Some(EndReason::Completed), Some(EndReason::Goal), Some(EndReason::ExitWhen), Some(EndReason::Erased)];
    let run = (prop::sample::select(vec!["other", "another"]), prop::sample::select(reasons));
    (vec(plain, 0..6), vec(fate, 0..3), vec(message, 0..3), vec(run, 0..3)).prop_map(|(events, fates, messages, runs)| Past {
        events: events.into_iter().map(|(name, at, with)| (name.to_owned(), at, with)).collect(),
        fates,
        messages,
        runs,
    })
}

/// A date that the in-memory tests use, so that both look at the same moments.
#[test]
fn instants_are_dates() {
    assert_eq!(dsl::time::parse_date(&instant(7)).map(|date| date.instant(&jiff::tz::TimeZone::UTC)), Some(7));
}
