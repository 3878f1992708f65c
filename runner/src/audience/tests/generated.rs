//! Generated conditions over generated contacts and histories. Times are a few dozen milliseconds after 1970 began, so that edges meet all the
//! time and every millisecond up to the recheck can be tried.

use dsl::model::*;
use dsl::time::Duration;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::oracle::Stand;
use super::{World, path, settings};
use crate::state::{Consent, EventId, Mark, RunId};
use crate::store::RunHistory;

/// Nothing is dated later than this, and no span is longer than [`LONGEST`]: beyond their sum nothing changes any more.
pub(crate) const LATEST: i64 = 20;
const LONGEST: i64 = 9;

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_check_is_right_and_stays_right_until_its_recheck(
        condition in conditions(),
        world in worlds(),
        now in 0..LATEST,
    ) {
        let (truth, _) = world.check(&condition, now);
        prop_assert_eq!(truth.holds, Stand::new(&world, now).holds(&condition));
        if let Some(recheck) = truth.recheck {
            prop_assert!(recheck > now, "the recheck at {} is no later than now", recheck);
        }
        for time in now + 1..truth.recheck.unwrap_or(LATEST + 2 * LONGEST + 2) {
            prop_assert_eq!(Stand::new(&world, time).holds(&condition), truth.holds, "at {}, before {:?}", time, truth.recheck);
        }
    }
}

fn conditions() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        4 => value_condition(),
        4 => event_condition(Just(None)),
        1 => message_condition(),
        1 => prop::sample::select(vec!["shared", "nobody"]).prop_map(|name| Condition::Segment(name.into())),
        1 => prop::sample::select(vec!["news", "offers", "unknown"]).prop_map(|name| Condition::Topic(name.into())),
        1 => workflow_condition(),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            2 => vec(inner.clone(), 0..4).prop_map(Condition::All),
            2 => vec(inner.clone(), 0..4).prop_map(Condition::Any),
            1 => vec(inner.clone(), 0..3).prop_map(Condition::None),
            1 => inner.clone().prop_map(|part| Condition::Not(Box::new(part))),
            3 => event_condition(inner.prop_map(Some)),
        ]
    })
}

pub(crate) fn value_condition() -> impl Strategy<Value = Condition> {
    let paths = [
        "contact.a",
        "contact.b",
        "contact.deep.a",
        "contact.topics",
        "contact.id",
        "contact.phone",
        "event.a",
        "event.b",
        "vars.a",
    ];
    let dates = ["contact.at", "event.at"];
    prop_oneof![
        (prop::sample::select(paths.to_vec()), vec(predicate(), 1..3)),
        (prop::sample::select(dates.to_vec()), vec(date_predicate(), 1..3)),
    ]
    .prop_map(|(at, tests)| Condition::Value { path: path(at), tests })
}

pub(crate) fn predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        value().prop_map(Predicate::Is),
        value().prop_map(Predicate::IsNot),
        vec(value(), 0..3).prop_map(Predicate::OneOf),
        vec(value(), 0..3).prop_map(Predicate::NoneOf),
        value().prop_map(Predicate::Contains),
        any::<bool>().prop_map(Predicate::Exists),
        prop::sample::select(vec!["a", "ad", ""]).prop_map(|text| Predicate::StartsWith(text.into())),
        prop::sample::select(vec!["a", "da", ""]).prop_map(|text| Predicate::EndsWith(text.into())),
        prop::sample::select(vec!["^a.a$", "d", "^$"]).prop_map(|text| Predicate::Matches(text.into())),
        number_predicate(),
        date_predicate(),
    ]
}

pub(crate) fn date_predicate() -> impl Strategy<Value = Predicate> {
    prop_oneof![
        when().prop_map(Predicate::Before),
        when().prop_map(Predicate::After),
        span().prop_map(Predicate::WithinLast),
        span().prop_map(Predicate::WithinNext),
    ]
}

pub(crate) fn number_predicate() -> impl Strategy<Value = Predicate> {
    (0..6, 0..4_i32).prop_map(|(kind, limit)| match kind {
        0 => Predicate::Above(limit.into()),
        1 => Predicate::AtLeast(limit.into()),
        2 => Predicate::Below(limit.into()),
        3 => Predicate::AtMost(limit.into()),
        4 => Predicate::Is(limit.into()),
        _ => Predicate::IsNot(limit.into()),
    })
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        Just(When::Now),
        span().prop_map(When::Ago),
        span().prop_map(When::Ahead),
        (0..LATEST).prop_map(|at| When::Date(instant(at))),
    ]
}

pub(crate) fn span() -> impl Strategy<Value = Duration> {
    (0..=LONGEST).prop_map(Duration)
}

pub(crate) fn event_condition(filter: impl Strategy<Value = Option<Condition>>) -> impl Strategy<Value = Condition> {
    let name = prop::sample::select(vec!["bought", "seen"]);
    let count = option::of(vec(number_predicate(), 1..3));
    (name, filter, count, vec(aggregate(), 0..2), option::of(span()), since()).prop_map(
        |(name, filter, count, aggregates, within, since)| {
            Condition::Event(EventCondition { name: name.into(), filter: filter.map(Box::new), count, aggregates, within, since })
        },
    )
}

pub(crate) fn aggregate() -> impl Strategy<Value = Aggregate> {
    let function = prop::sample::select(vec![
        AggregateFunction::Sum,
        AggregateFunction::Avg,
        AggregateFunction::Min,
        AggregateFunction::Max,
    ]);
    let tests = vec(prop_oneof![3 => number_predicate(), 1 => any::<bool>().prop_map(Predicate::Exists)], 1..2);
    (function, tests).prop_map(|(function, tests)| Aggregate { function, of: path("event.n"), tests })
}

pub(crate) fn message_condition() -> impl Strategy<Value = Condition> {
    let template = option::of(prop::sample::select(vec!["hello", "bye"]).prop_map(str::to_owned));
    (template, fate(), option::of(span()), since())
        .prop_map(|(template, is, within, since)| Condition::Message(MessageCondition { template, is, within, since }))
}

pub(crate) fn workflow_condition() -> impl Strategy<Value = Condition> {
    let states = vec![WorkflowState::Active, WorkflowState::Completed, WorkflowState::Exited, WorkflowState::Never];
    prop::sample::select(states).prop_map(|is| Condition::Workflow { name: "other".into(), is })
}

fn fate() -> impl Strategy<Value = Fate> {
    prop::sample::select(vec![Fate::Sent, Fate::Clicked])
}

fn since() -> impl Strategy<Value = Option<Since>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(Since::Entry)), 1 => Just(Some(Since::Step))]
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0..4).prop_map(Value::from),
        (0..4).prop_map(|number| Value::from(f64::from(number))),
        prop::sample::select(vec![json!("ada"), json!(""), json!("2"), json!(true), json!([2, "ada"]), json!([])]),
        (0..LATEST).prop_map(|at| Value::from(instant(at))),
    ]
}

pub(crate) fn properties() -> impl Strategy<Value = Value> {
    let value = prop_oneof![3 => value(), 1 => Just(Value::Null)];
    let mixed = btree_map(prop::sample::select(vec!["a", "b"]).prop_map(str::to_owned), value, 0..3);
    (mixed, option::of(0..LATEST), option::of(0..4)).prop_map(|(mixed, at, number)| {
        let at = at.map(|at| ("at".to_owned(), Value::from(instant(at))));
        let number = number.map(|number| ("n".to_owned(), Value::from(number)));
        Value::Object(mixed.into_iter().chain(at).chain(number).collect())
    })
}

fn worlds() -> impl Strategy<Value = World> {
    let mark = || option::of((0..LATEST, 0..6_i64).prop_map(|(at, id)| Mark(at, EventId(id))));
    let happened = vec((prop::sample::select(vec!["bought", "seen"]), 0..LATEST, properties()), 0..7);
    let fates = vec((fate(), 0..LATEST, prop::sample::select(vec!["hello", "bye"]), 1..3_i64), 0..4);
    let scope = (option::of(properties()), option::of(properties()), mark(), mark(), mark());
    (contact(), happened, fates, histories(), conditions(), scope, option::of((1..3_i64).prop_map(RunId))).prop_map(
        |(contact, happened, fates, history, shared, (event, vars, entry, step, default_since), own_run)| {
            let mut world = World { contact, event, entry, step, default_since, own_run, ..World::new() };
            world.vars = vars.and_then(|vars| vars.as_object().cloned());
            world.workflows.extend(history.map(|history| ("other".to_owned(), history)));
            world = happened.into_iter().fold(world, |world, (name, at, with)| world.did(name, at, with));
            world = fates.into_iter().fold(world, |world, (fate, at, template, run)| world.fate(fate, at, template, run));
            // Segments that need themselves are refused before anything is checked.
            if !mentions_a_segment(&shared) {
                world = world.segment("shared", shared);
            }
            world
        },
    )
}

fn contact() -> impl Strategy<Value = crate::state::Contact> {
    let said = btree_map(prop::sample::select(settings().topics.into_keys().collect::<Vec<_>>()), any::<bool>(), 0..3);
    let attributes = (properties(), option::of(properties()));
    (attributes, said, prop::bool::weighted(0.1), prop::bool::weighted(0.1)).prop_map(
        |((attributes, deep), topics, none, erased)| {
            let mut world = World::with_attributes(attributes);
            std::sync::Arc::make_mut(&mut world.contact.attributes).extend(deep.map(|deep| ("deep".to_owned(), deep)));
            world.contact.consent = Consent { none, topics, ..Consent::default() }.into();
            world.contact.erased = erased;
            world.contact
        },
    )
}

fn histories() -> impl Strategy<Value = Option<RunHistory>> {
    option::of((any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(open, completed, exited)| RunHistory {
        open: open.then_some(RunId(7)),
        last_entered: Some(1),
        completed,
        exited,
    }))
}

fn mentions_a_segment(condition: &Condition) -> bool {
    match condition {
        Condition::Segment(_) => true,
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => parts.iter().any(mentions_a_segment),
        Condition::Not(part) => mentions_a_segment(part),
        Condition::Event(event) => event.filter.as_deref().is_some_and(mentions_a_segment),
        _ => false,
    }
}

/// An instant so many ms after 1970 began, as data holds it.
pub(crate) fn instant(at: i64) -> String {
    format!("1970-01-01T00:00:00.{at:03}Z")
}
