//! Which workflows a step may start: by name, by an event, or by what it changes about the contact, who then comes into a segment or leaves it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Project;
use super::certain::{asks_for_more, may_meet};
use crate::contract::ASKED_EVENT;
use crate::lower::WorkflowUnit;
use crate::model::{
    Assignment, Change, Condition, Crossing, EventCondition, EventsTrait, Fate, Path, Points, Predicate, Root, Send, Status,
    StepKind, Trait, Trigger,
};

/// How deep segments and traits are followed.
const DEEPEST: usize = 8;
/// How many conditions are looked at over a project.
const MOST: usize = 500_000;
/// How many steps and listeners are held against each other over a project.
const MOST_PAIRS: usize = 500_000;

/// What a step does that others may listen to.
#[derive(Debug)]
enum Touch<'a> {
    Set(&'a Assignment),
    /// An event on the contact, with what is known of its properties; `whole`: it has no others.
    Event {
        name: &'a str,
        properties: Map<String, Value>,
        whole: bool,
    },
    Sent(&'a Send),
    Topic {
        name: &'a str,
        subscribed: bool,
    },
}

/// A workflow that is started, and by which segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Started<'a> {
    pub workflow: &'a str,
    pub crossing: Option<(&'a str, bool)>,
}

/// What listens in a project: workflows that are running, by what starts them.
pub(super) struct Starts<'p, 'a> {
    project: &'p Project<'a>,
    by_event: BTreeMap<&'a str, Vec<(&'a str, Option<&'a Condition>)>>,
    by_segment: BTreeMap<(&'a str, bool), Vec<&'a str>>,
    segments: BTreeMap<&'a str, &'a Condition>,
    traits: BTreeMap<&'a str, &'a Trait>,
    left: usize,
    pairs: usize,
}

pub(super) fn is_running(workflow: &WorkflowUnit) -> bool {
    matches!(workflow.model.status, Status::Live | Status::Paused)
}

impl<'p, 'a> Starts<'p, 'a> {
    pub(super) fn new(project: &'p Project<'a>) -> Starts<'p, 'a> {
        let mut starts = Starts {
            project,
            by_event: BTreeMap::new(),
            by_segment: BTreeMap::new(),
            segments: project.segments().map(|segment| (segment.name.as_str(), &segment.condition)).collect(),
            traits: project.traits().map(|unit| (unit.name.as_str(), &unit.model)).collect(),
            left: MOST,
            pairs: MOST_PAIRS,
        };
        for unit in project.workflows().filter(|unit| is_running(unit)) {
            let name = unit.model.name.as_str();
            for trigger in &unit.model.triggers {
                match trigger {
                    Trigger::Event { name: event, filter, .. } => {
                        starts.by_event.entry(event).or_default().push((name, filter.as_ref()));
                    }
                    Trigger::Segment { segment, change } => {
                        starts.by_segment.entry((segment, *change == Crossing::Enter)).or_default().push(name);
                    }
                    _ => {}
                }
            }
        }
        starts
    }

    /// Whether a step of this kind could start anything here.
    pub(super) fn may_start(&self, kind: &StepKind) -> bool {
        match kind {
            StepKind::Start { .. } | StepKind::Record { .. } => true,
            StepKind::Set(_) => !self.by_segment.is_empty(),
            StepKind::Consent { .. } => {
                let events = ["subscribed", "unsubscribed", ASKED_EVENT];
                !self.by_segment.is_empty() || events.iter().any(|event| self.by_event.contains_key(event))
            }
            StepKind::Send(_) => !self.by_segment.is_empty() || self.by_event.contains_key(Fate::Sent.event()),
            _ => false,
        }
    }

    /// What a step of this workflow may start, each once.
    pub(super) fn of_step(&mut self, workflow: &'a str, step: &'a str, kind: &'a StepKind) -> BTreeSet<Started<'a>> {
        let mut started = BTreeSet::new();
        if let StepKind::Start { workflow, .. } = kind {
            started.insert(Started { workflow, crossing: None });
        }
        for touch in self.touches(workflow, step, kind) {
            let heard = if let Touch::Event { name, .. } = &touch { self.by_event.get(name).map_or(0, Vec::len) } else { 0 };
            let Some(rest) = self.pairs.checked_sub(heard + self.by_segment.len()) else { break };
            self.pairs = rest;
            if let Touch::Event { name, properties, whole } = &touch {
                let listeners = self.by_event.get(name).into_iter().flatten();
                let met = listeners.filter(|(_, filter)| filter.is_none_or(|filter| may_be(filter, true, properties, *whole)));
                started.extend(met.map(|(workflow, _)| Started { workflow, crossing: None }));
            }
            let segments: Vec<(&'a str, bool)> = self.by_segment.keys().copied().collect();
            for (segment, enter) in segments {
                if self.may_cross(segment, enter, &touch) {
                    let workflows = self.by_segment.get(&(segment, enter)).into_iter().flatten();
                    started.extend(workflows.map(|workflow| Started { workflow, crossing: Some((segment, enter)) }));
                }
            }
        }
        started
    }

    /// Whether a step may take the contact into the segment, or out of it.
    pub(super) fn crosses(&mut self, workflow: &'a str, step: &'a str, kind: &'a StepKind, segment: &str, enter: bool) -> bool {
        self.touches(workflow, step, kind).iter().any(|touch| self.may_cross(segment, enter, touch))
    }

    fn may_cross(&mut self, segment: &str, enter: bool, touch: &Touch<'_>) -> bool {
        self.segments.get(segment).copied().is_some_and(|condition| self.may_become(condition, enter, touch, 0))
    }

    fn touches(&self, workflow: &'a str, step: &'a str, kind: &'a StepKind) -> Vec<Touch<'a>> {
        let text = |text: &str| Value::String(text.to_owned());
        match kind {
            StepKind::Set(assignments) => {
                assignments.iter().filter(|assignment| assignment.path.root == Root::Contact).map(Touch::Set).collect()
            }
            StepKind::Record { event, with } => vec![Touch::Event { name: event, properties: with.clone(), whole: true }],
            StepKind::Consent { topic, subscribe } => {
                let settings = self.project.settings;
                let confirms = settings.and_then(|settings| settings.topics.get(topic)).is_some_and(|topic| topic.confirm);
                let properties = Map::from_iter([("topic".to_owned(), text(topic))]);
                let event = |name| Touch::Event { name, properties, whole: false };
                match (subscribe, confirms) {
                    (true, true) => vec![event(ASKED_EVENT)],
                    (true, false) => vec![event("subscribed"), Touch::Topic { name: topic, subscribed: true }],
                    (false, _) => vec![event("unsubscribed"), Touch::Topic { name: topic, subscribed: false }],
                }
            }
            StepKind::Send(send) => {
                let known = [("template", send.template.as_str()), ("workflow", workflow), ("step", step)];
                let known = known.into_iter().filter(|(key, _)| !(send.inline && *key == "template"));
                let properties = known.map(|(key, value)| (key.to_owned(), text(value))).collect();
                vec![Touch::Event { name: Fate::Sent.event(), properties, whole: false }, Touch::Sent(send)]
            }
            _ => Vec::new(),
        }
    }

    /// Whether what the step does may make the condition so.
    fn may_become(&mut self, condition: &Condition, so: bool, touch: &Touch<'_>, depth: usize) -> bool {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 || depth > DEEPEST * 64 {
            return false;
        }
        let mut any = |parts: &[Condition], so: bool| parts.iter().any(|part| self.may_become(part, so, touch, depth + 1));
        match condition {
            Condition::All(parts) | Condition::Any(parts) => any(parts, so),
            Condition::None(parts) => any(parts, !so),
            Condition::Not(part) => any(std::slice::from_ref(part), !so),
            Condition::Segment(name) => {
                let inner = self.segments.get(name.as_str()).copied().filter(|_| depth < DEEPEST * 64);
                inner.is_some_and(|inner| self.may_become(inner, so, touch, depth + 64))
            }
            Condition::Value { path, tests } => self.value_becomes(path, tests, so, touch, depth),
            Condition::Event(event) => happens(event, so, touch),
            Condition::Message(message) => match touch {
                Touch::Sent(send) => {
                    let about = message.template.as_ref().is_none_or(|template| *template == send.template);
                    so && about && message.is == Fate::Sent
                }
                _ => false,
            },
            Condition::Topic(topic) => matches!(touch, Touch::Topic { name, subscribed } if name == topic && *subscribed == so),
            Condition::Listed(_) | Condition::Workflow { .. } => false,
        }
    }

    fn value_becomes(&mut self, path: &Path, tests: &[Predicate], so: bool, touch: &Touch<'_>, depth: usize) -> bool {
        if let Some(name) = self.project.trait_of(path) {
            return match self.traits.get(name).copied() {
                Some(Trait::FirstMatch { cases, .. }) if depth < DEEPEST * 64 => cases.iter().any(|(name, condition)| {
                    // The case that is asked for comes true, or one that stands in its way does no longer.
                    let asked_for = meets(tests, &Value::String(name.clone())) == so;
                    self.may_become(condition, asked_for, touch, depth + 64)
                }),
                _ => self.moves(path, touch, depth),
            };
        }
        match touch {
            Touch::Set(assignment) => becomes(assignment, path, tests, so),
            _ => false,
        }
    }

    /// Whether what the step does may give this another value.
    fn moves(&mut self, path: &Path, touch: &Touch<'_>, depth: usize) -> bool {
        let definition = self.project.trait_of(path).and_then(|name| self.traits.get(name).copied());
        let Some(definition) = definition else {
            return matches!(touch, Touch::Set(assignment) if assignment.path == *path);
        };
        if depth >= DEEPEST * 64 {
            return false;
        }
        let counted = |name: &String, filter: Option<&Condition>| match touch {
            Touch::Event { name: event, properties, whole } => {
                name == event && filter.is_none_or(|filter| may_be(filter, true, properties, *whole))
            }
            _ => false,
        };
        match definition {
            Trait::Events(EventsTrait { event, filter, .. }) => counted(event, filter.as_deref()),
            Trait::Score { points, .. } => points.iter().any(|Points { event, filter, .. }| counted(event, filter.as_deref())),
            // A rank moves when everybody's are found anew, not when a step changes something.
            Trait::Rank { .. } => false,
            Trait::Tier { by, .. } => self.moves(by, touch, depth + 64),
            Trait::FirstMatch { cases, .. } => cases.iter().any(|(_, condition)| {
                self.may_become(condition, true, touch, depth + 64) || self.may_become(condition, false, touch, depth + 64)
            }),
        }
    }
}

/// Whether a value meets all of the tests, as far as that is known.
fn meets(tests: &[Predicate], value: &Value) -> bool {
    tests.iter().all(|test| may_meet(test, Some(value)) != Some(false))
}

/// Whether one more such event may make the condition so.
fn happens(event: &EventCondition, so: bool, touch: &Touch<'_>) -> bool {
    match touch {
        Touch::Event { name, properties, whole } => {
            let about =
                event.name == *name && event.filter.as_deref().is_none_or(|filter| may_be(filter, true, properties, *whole));
            about && asks_for_more(event).is_none_or(|more| more == so)
        }
        _ => false,
    }
}

/// Whether the assignment may make the tests of this value so.
fn becomes(assignment: &Assignment, path: &Path, tests: &[Predicate], so: bool) -> bool {
    let (set, asked) = (&assignment.path.keys, &path.keys);
    if set != asked {
        // A part of what is asked for, or what it is a part of.
        return set.starts_with(asked) || asked.starts_with(set);
    }
    match &assignment.change {
        Change::To(value) => {
            let met: Vec<Option<bool>> =
                tests.iter().map(|test| may_meet(test, Some(value).filter(|value| !value.is_null()))).collect();
            if so { !met.contains(&Some(false)) } else { met.iter().any(|met| *met != Some(true)) }
        }
        // What only grows meets what it met, unless that is an upper limit.
        Change::Add(by) => tests.iter().any(|test| match test {
            Predicate::Above(_) | Predicate::AtLeast(_) => (*by > 0.0) == so,
            Predicate::Below(_) | Predicate::AtMost(_) => (*by < 0.0) == so,
            _ => true,
        }),
        Change::Append(value) => tests.iter().any(|test| match test {
            Predicate::Contains(part) => so && part == value,
            _ => true,
        }),
        Change::Now => true,
    }
}

/// Whether a filter may be so of an event with these properties.
fn may_be(filter: &Condition, so: bool, properties: &Map<String, Value>, whole: bool) -> bool {
    let some = |parts: &[Condition], so: bool| parts.iter().any(|part| may_be(part, so, properties, whole));
    let every = |parts: &[Condition], so: bool| parts.iter().all(|part| may_be(part, so, properties, whole));
    match (filter, so) {
        (Condition::All(parts), true) => every(parts, true),
        (Condition::Any(parts), false) | (Condition::None(parts), true) => every(parts, false),
        (Condition::All(parts), false) => some(parts, false),
        (Condition::Any(parts), true) | (Condition::None(parts), false) => some(parts, true),
        (Condition::Not(part), so) => may_be(part, !so, properties, whole),
        (Condition::Value { path, tests }, so) if path.root == Root::Event => {
            let written = path
                .keys
                .split_first()
                .and_then(|(first, rest)| rest.iter().try_fold(properties.get(first)?, |value, key| value.as_object()?.get(key)));
            let worked_out = written.and_then(Value::as_str).is_some_and(|text| text.contains("{{"));
            if worked_out || (written.is_none() && !whole) {
                return true;
            }
            let met: Vec<Option<bool>> =
                tests.iter().map(|test| may_meet(test, written.filter(|value| !value.is_null()))).collect();
            if so { !met.contains(&Some(false)) } else { met.iter().any(|met| *met != Some(true)) }
        }
        _ => true,
    }
}
