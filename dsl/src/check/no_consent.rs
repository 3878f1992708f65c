//! Warns of messages that go to people who cannot have agreed to them yet.
//!
//! # What it does
//! Looks at topics to which nobody is subscribed by default, and at every workflow that sends something of such a topic: some way into it (the audience, each of its
//! triggers) must ask for the topic, or a `subscribe` step or a condition on the topic must stand before the message, which must not be on the way of those who are not
//! subscribed. Workflows that are started by hand or by others are left out. In every workflow it looks for messages of a topic from which the run itself has just
//! unsubscribed the contact.
//!
//! # Why is this bad
//! Whoever comes in without having agreed is skipped, silently: a welcome that nobody gets.
//!
//! # Example
//! ```yaml
//! # campaignd.yaml says `topics: { offers: { title: Offers, default: unsubscribed } }`
//! workflow: welcome
//! trigger: { event: signed_up }
//! topic: offers
//! steps:
//!   - send: welcome
//! ```
//!
//! # Use instead
//! ```yaml
//! workflow: welcome
//! trigger: { event: signed_up }
//! audience: { topic: offers }
//! topic: offers
//! steps:
//!   - send: welcome
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::paths::Paths;
use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::lower::WorkflowUnit;
use crate::model::{Condition, Crossing, Predicate, Settings, Step, StepIndex, StepKind, Trigger};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(settings) = project.settings else { return };
    let segments: BTreeMap<&str, &Condition> =
        project.segments().map(|segment| (segment.name.as_str(), &segment.condition)).collect();
    let mut entries: HashMap<&str, Entry<'_>> = HashMap::new();
    for workflow in project.workflows().filter(|workflow| !workflow.notes.partial) {
        after_unsubscribing(workflow, report);
        let model = &workflow.model;
        let by_hand = model.triggers.is_empty() || model.triggers.contains(&Trigger::Manual);
        if by_hand || project.started.contains(model.name.as_str()) {
            continue;
        }
        let mut topics: BTreeMap<&str, Vec<StepIndex>> = BTreeMap::new();
        for (index, step) in model.steps.iter().enumerate() {
            if let StepKind::Send(send) = &step.kind
                && let Some(topic) = send.topic.as_deref().filter(|topic| is_asked_for(settings, topic))
            {
                topics.entry(topic).or_default().push(index);
            }
        }
        for (topic, sends) in topics {
            let entry = entries.entry(topic).or_insert_with(|| Entry { segments: &segments, topic, known: RefCell::default() });
            if !entry.asks(workflow) {
                without(workflow, topic, &sends, report);
            }
        }
    }
}

/// Whether people have to say that they want it.
fn is_asked_for(settings: &Settings, topic: &str) -> bool {
    settings.topics.get(topic).is_some_and(|topic| !topic.subscribed_by_default)
}

/// Reports the first send of the topic that nothing stands before.
fn without(workflow: &WorkflowUnit, topic: &str, sends: &[StepIndex], report: &mut Report<'_>) {
    let steps = &workflow.model.steps;
    let Some(paths) = Paths::of(steps) else { return };
    let evidence = steps.iter().flat_map(|step| evidence(step, topic)).flatten();
    let after = paths.from(evidence);
    let bare = sends.iter().find(|send| after.get(**send) == Some(&false));
    if let Some(at) = bare.and_then(|send| workflow.step_places.get(*send)) {
        let message =
            format!("nothing before this says that the contact is subscribed to `{topic}`: whoever is not gets nothing");
        let help = format!("add `audience: {{ topic: {topic} }}`, or `subscribe: {topic}` before it where they have just agreed");
        report.warning("no-consent", at, &message, &help);
    }
}

/// Where those go on of whom a step says that they are subscribed, or might.
fn evidence(step: &Step, topic: &str) -> Vec<Option<StepIndex>> {
    let about = |condition: &Condition| names(condition, topic);
    match &step.kind {
        StepKind::Consent { topic: other, subscribe: true } if other == topic => vec![step.next],
        StepKind::WaitFor { condition, then, otherwise, .. } if about(condition) => {
            // Who waits for the topic and does not get it is not subscribed.
            let alone = matches!(condition, Condition::Topic(_));
            let mut ways = vec![*then];
            ways.extend((!alone).then_some(*otherwise));
            ways
        }
        StepKind::Branch { cases } if cases.iter().filter_map(|case| case.when.as_ref()).any(about) => {
            let denies = |condition: &Condition| match condition {
                Condition::Not(part) => matches!(&**part, Condition::Topic(other) if other == topic),
                Condition::None(parts) => parts.iter().any(|part| matches!(part, Condition::Topic(other) if other == topic)),
                _ => false,
            };
            let told = cases.iter().filter(|case| !case.when.as_ref().is_some_and(denies)).map(|case| case.to);
            told.chain([step.next]).collect()
        }
        StepKind::Repeat(repeat) if repeat.until.as_ref().is_some_and(about) => vec![step.next, Some(repeat.body)],
        _ => Vec::new(),
    }
}

/// Reports messages that only those come to whom the run itself has unsubscribed, with nothing since that could have brought them back.
fn after_unsubscribing(workflow: &WorkflowUnit, report: &mut Report<'_>) {
    let steps = &workflow.model.steps;
    let leaves = |step: &Step, topic: &str| matches!(&step.kind, StepKind::Consent { topic: other, subscribe: false } if other == topic || other == "all");
    let unsubscribes = steps.iter().any(|step| matches!(step.kind, StepKind::Consent { subscribe: false, .. }));
    let Some(paths) = unsubscribes.then(|| Paths::of(steps)).flatten() else { return };
    let topics: BTreeSet<&str> = steps.iter().filter_map(|step| of_topic(step)).collect();
    for topic in topics {
        // Who may still, or again, be subscribed: from the beginning, and behind whatever may bring them back.
        let back = |step: &Step| !evidence(step, topic).is_empty() || matches!(step.kind, StepKind::WaitFor { .. });
        let begins = steps.iter().enumerate().filter(|(_, step)| back(step)).map(|(index, _)| index);
        let may_be =
            paths.without([0].into_iter().chain(begins), |index| steps.get(index).is_some_and(|step| leaves(step, topic)));
        let left = steps.iter().position(|step| leaves(step, topic));
        for (index, _) in steps.iter().enumerate().filter(|(_, step)| of_topic(step) == Some(topic)) {
            let before = left.filter(|left| paths.after([*left]).get(index) == Some(&true));
            if let (Some(left), Some(false), Some(at)) = (before, may_be.get(index), workflow.step_places.get(index)) {
                let message = format!("nobody gets this: the run has unsubscribed them from `{topic}` before");
                let mut diagnostic = Diagnostic::warning("no-consent", at.clone(), message);
                if let Some(place) = workflow.step_places.get(left) {
                    diagnostic = diagnostic.related(place.clone(), "here");
                }
                report.push(diagnostic.help("send it before, or `transactional: true` if it is no marketing"));
            }
        }
    }
}

/// The topic whose consent a message needs.
fn of_topic(step: &Step) -> Option<&str> {
    match &step.kind {
        StepKind::Send(send) if !send.transactional => send.topic.as_deref(),
        _ => None,
    }
}

fn names(condition: &Condition, topic: &str) -> bool {
    match condition {
        Condition::Topic(other) => other == topic,
        Condition::Event(event) if event.name == "subscribed" => true,
        // It may ask for the topic in its turn.
        Condition::Segment(_) => true,
        other => other.inside().any(|part| names(part, topic)),
    }
}

/// How deep segments are looked into; deeper ones are an error of their own.
const DEEPEST: usize = 64;

/// What is asked of whoever comes in.
struct Entry<'a> {
    segments: &'a BTreeMap<&'a str, &'a Condition>,
    topic: &'a str,
    /// What is known of segments: many workflows ask for the same.
    known: RefCell<HashMap<&'a str, bool>>,
}

impl<'a> Entry<'a> {
    fn asks(&self, workflow: &'a WorkflowUnit) -> bool {
        let model = &workflow.model;
        let audience = model.audience.as_ref().is_some_and(|audience| self.implied(audience, 0));
        // Whoever is not subscribed leaves before the first step.
        let stay = model.exit_when.as_ref().is_some_and(|exit| self.implied_without(exit, 0));
        audience || stay || model.triggers.iter().all(|trigger| self.trigger(trigger))
    }

    fn trigger(&self, trigger: &'a Trigger) -> bool {
        match trigger {
            Trigger::Event { name, filter, .. } => {
                let this = |filter: &Condition| about(filter, self.topic);
                name == "subscribed" && filter.as_ref().is_none_or(this)
            }
            Trigger::Segment { segment, change: Crossing::Enter } => self.segment(segment, 0),
            _ => false,
        }
    }

    /// Whether the condition holds only for who is subscribed.
    fn implied(&self, condition: &'a Condition, depth: usize) -> bool {
        match condition {
            Condition::Topic(topic) => topic == self.topic,
            Condition::All(parts) => parts.iter().any(|part| self.implied(part, depth)),
            // Who asked for another topic may be meant to get another message.
            Condition::Any(parts) => parts.iter().any(|part| self.implied(part, depth)),
            // Who is on a list was put there on purpose.
            Condition::Listed(_) => true,
            Condition::Segment(name) => self.segment(name, depth),
            Condition::Not(part) => self.implied_without(part, depth),
            Condition::None(parts) => parts.iter().any(|part| self.implied_without(part, depth)),
            _ => false,
        }
    }

    /// Whether the condition fails only for who is subscribed, as far as it is written with `not` and `none`.
    fn implied_without(&self, condition: &'a Condition, depth: usize) -> bool {
        match condition {
            Condition::Not(part) => self.implied(part, depth),
            Condition::None(parts) => parts.iter().any(|part| self.implied(part, depth)),
            Condition::Any(parts) => parts.iter().any(|part| self.implied_without(part, depth)),
            _ => false,
        }
    }

    /// The same of a segment. One in a circle, or that is not there, is another rule's.
    fn segment(&self, name: &'a str, depth: usize) -> bool {
        let Some(inner) = self.segments.get(name).filter(|_| depth < DEEPEST) else { return true };
        if let Some(known) = self.known.borrow().get(name) {
            return *known;
        }
        // Where it comes to itself again, that says nothing.
        self.known.borrow_mut().insert(name, false);
        let implied = self.implied(inner, depth + 1);
        self.known.borrow_mut().insert(name, implied);
        implied
    }
}

/// Whether the filter of a consent event lets this topic's through.
fn about(filter: &Condition, topic: &str) -> bool {
    match filter {
        Condition::Value { path, tests } if path.keys == ["topic"] => tests.iter().any(|test| match test {
            Predicate::Is(value) => value == topic,
            Predicate::OneOf(values) => values.iter().any(|value| value == topic),
            _ => false,
        }),
        Condition::All(parts) => parts.iter().any(|part| about(part, topic)),
        _ => false,
    }
}
