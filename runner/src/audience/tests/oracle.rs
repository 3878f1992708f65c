//! Conditions evaluated by their definition: everything is looked at, nothing is remembered, nothing is clever.

use dsl::model::*;
use serde_json::Value;

use super::World;
use crate::state::{Event, EventId, Mark};

/// Where the oracle stands: in a world at a time, perhaps with the properties of an event of its own at hand.
#[derive(Clone, Copy)]
pub(super) struct Stand<'a> {
    pub world: &'a World,
    pub now: i64,
    /// Inside a segment nothing but the contact is seen.
    pub in_segment: bool,
    pub event: Option<&'a Value>,
}

impl<'a> Stand<'a> {
    pub(super) fn new(world: &'a World, now: i64) -> Stand<'a> {
        Stand { world, now, in_segment: false, event: world.event.as_ref() }
    }

    pub(super) fn holds(self, condition: &Condition) -> bool {
        let world = self.world;
        match condition {
            Condition::All(parts) => parts.iter().filter(|part| !self.holds(part)).count() == 0,
            Condition::Any(parts) => parts.iter().filter(|part| self.holds(part)).count() > 0,
            Condition::None(parts) => parts.iter().filter(|part| self.holds(part)).count() == 0,
            Condition::Not(part) => !self.holds(part),
            Condition::Value { path, tests } => {
                let value = self.value(path);
                tests.iter().filter(|test| !self.meets(test, value.as_ref())).count() == 0
            }
            Condition::Event(event) => self.did(event),
            Condition::Message(message) => world.fates.get(&message.is).into_iter().flatten().any(|row| {
                message.template.as_ref().is_none_or(|template| *template == row.template)
                    && (self.in_segment || world.own_run.is_none() || world.own_run == row.run)
                    && self.counts(row.at, row.id, message.within.map(|span| span.0), message.since)
            }),
            Condition::Segment(name) => {
                world.segments.get(name).is_some_and(|segment| Stand { in_segment: true, event: None, ..self }.holds(segment))
            }
            Condition::Listed(list) => world.lists.iter().any(|known| known == list),
            Condition::Topic(topic) => self.topics().contains(topic),
            Condition::Workflow { name, is } => {
                let history = world.workflows.get(name);
                match is {
                    WorkflowState::Active => history.is_some_and(|history| history.open.is_some()),
                    WorkflowState::Completed => history.is_some_and(|history| history.completed),
                    WorkflowState::Exited => history.is_some_and(|history| history.exited),
                    WorkflowState::Never => history.is_none(),
                }
            }
        }
    }

    fn topics(self) -> Vec<String> {
        let consent = &self.world.contact.consent;
        if self.world.contact.erased {
            return Vec::new();
        }
        let defaults = self.world.settings.topics.iter();
        let said = defaults
            .map(|(name, topic)| (name, *consent.topics.get(name).unwrap_or(&(topic.subscribed_by_default && !consent.none))));
        said.filter(|(_, subscribed)| *subscribed).map(|(name, _)| name.clone()).collect()
    }

    fn value(self, path: &Path) -> Option<Value> {
        let contact = &self.world.contact;
        let root = match path.root {
            Root::Contact => {
                let mut all = serde_json::Map::clone(&contact.attributes);
                all.insert("id".into(), contact.uid.clone().into());
                all.insert("email".into(), contact.email.clone().into());
                all.insert("phone".into(), contact.phone.clone().into());
                all.insert("locale".into(), contact.locale.clone().into());
                all.insert("time_zone".into(), contact.time_zone.clone().into());
                all.insert("topics".into(), self.topics().into());
                Value::Object(all)
            }
            Root::Event => self.event?.clone(),
            Root::Vars if self.in_segment => return None,
            Root::Vars => Value::Object(self.world.vars.clone()?),
        };
        root.pointer(&format!("/{}", path.keys.join("/"))).filter(|value| !value.is_null()).cloned()
    }

    fn meets(self, test: &Predicate, value: Option<&Value>) -> bool {
        let Some(value) = value else {
            return matches!(test, Predicate::Exists(false) | Predicate::IsNot(_) | Predicate::NoneOf(_));
        };
        let same = |other: &Value| in_floats(value) == in_floats(other);
        let text = |test: &dyn Fn(&str) -> bool| value.as_str().is_some_and(test);
        let date = |test: &dyn Fn(i64) -> bool| value.as_str().and_then(date).is_some_and(test);
        match test {
            Predicate::Is(other) => same(other),
            Predicate::IsNot(other) => !same(other),
            Predicate::OneOf(others) => others.iter().any(same),
            Predicate::NoneOf(others) => !others.iter().any(same),
            Predicate::Above(limit) => value.is_number() && value.as_f64() > Some(*limit),
            Predicate::AtLeast(limit) => value.is_number() && value.as_f64() >= Some(*limit),
            Predicate::Below(limit) => value.is_number() && value.as_f64() < Some(*limit),
            Predicate::AtMost(limit) => value.is_number() && value.as_f64() <= Some(*limit),
            Predicate::Contains(part) => match value {
                Value::Array(list) => list.iter().any(|element| in_floats(element) == in_floats(part)),
                _ => part.as_str().is_some_and(|part| text(&|it| it.contains(part))),
            },
            Predicate::StartsWith(start) => text(&|it| it.starts_with(start.as_str())),
            Predicate::EndsWith(end) => text(&|it| it.ends_with(end.as_str())),
            Predicate::Matches(expression) => {
                let expression = regex::Regex::new(expression).expect("compiles");
                text(&|it| expression.is_match(it))
            }
            Predicate::Exists(wanted) => *wanted,
            Predicate::Before(when) => date(&|at| at < self.moment(when)),
            Predicate::After(when) => date(&|at| at > self.moment(when)),
            Predicate::WithinLast(span) => date(&|at| self.now - span.0 <= at && at <= self.now),
            Predicate::WithinNext(span) => date(&|at| self.now <= at && at <= self.now + span.0),
        }
    }

    fn moment(self, when: &When) -> i64 {
        match when {
            When::Now => self.now,
            When::Ago(span) => self.now - span.0,
            When::Ahead(span) => self.now + span.0,
            When::Date(text) => date(text).expect("a date"),
        }
    }

    fn counts(self, at: i64, id: EventId, within: Option<i64>, since: Option<Since>) -> bool {
        let mark = match since {
            _ if self.in_segment => None,
            Some(Since::Entry) => self.world.entry,
            Some(Since::Step) => self.world.step,
            None if within.is_none() => self.world.default_since,
            None => None,
        };
        let after_mark = mark.is_none_or(|Mark(time, last)| at > time || (at == time && id > last));
        at <= self.now && within.is_none_or(|within| self.now - at <= within) && after_mark
    }

    fn did(self, condition: &EventCondition) -> bool {
        let events: Vec<&Event> = self.world.events.get(&condition.name).into_iter().flatten().collect();
        let within = condition.within.map(|span| span.0);
        let mut counted = events;
        counted.retain(|event| self.counts(event.at, event.id, within, condition.since));
        counted.retain(|event| {
            let stand = Stand { event: Some(&event.properties), ..self };
            condition.filter.as_ref().is_none_or(|filter| stand.holds(filter))
        });
        let count = Value::from(counted.len());
        let enough = match &condition.count {
            Some(tests) => tests.iter().all(|test| self.meets(test, Some(&count))),
            None => !counted.is_empty(),
        };
        enough
            && condition.aggregates.iter().all(|aggregate| {
                let pointer = format!("/{}", aggregate.of.keys.join("/"));
                let numbers = counted.iter().filter_map(|event| event.properties.pointer(&pointer)?.as_f64());
                let value = of(aggregate.function, numbers.collect());
                aggregate.tests.iter().all(|test| self.meets(test, value.as_ref()))
            })
    }
}

fn of(function: AggregateFunction, mut numbers: Vec<f64>) -> Option<Value> {
    numbers.sort_by(f64::total_cmp);
    let sum: f64 = numbers.iter().sum();
    match function {
        AggregateFunction::Sum => Some(sum.into()),
        AggregateFunction::Avg if numbers.is_empty() => None,
        AggregateFunction::Avg => Some((sum / numbers.len() as f64).into()),
        AggregateFunction::Min => numbers.first().map(|least| (*least).into()),
        AggregateFunction::Max => numbers.last().map(|most| (*most).into()),
    }
}

/// The generated instants, and nothing else, are dates here: read by a library that the code under test does not use for it.
fn date(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond())
}

/// The value with every number in it a floating-point number.
fn in_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(list) => list.iter().map(in_floats).collect(),
        other => other.clone(),
    }
}
