//! The conditions that stand by themselves in a workflow or a trait, and what is sure where each of them is asked.

use super::{Asked, Fact, From, Given, Place};
use crate::check::Project;
use crate::lower::{ConditionNote, Notes, TraitUnit, WorkflowUnit};
use crate::model::{Condition, Crossing, Root, StepKind, Trait, Trigger};

/// What a condition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Role {
    Trigger,
    Audience,
    ExitWhen,
    Goal,
    WaitFor,
    When,
    Until,
    Trait,
}

/// A condition that stands by itself.
#[derive(Debug, Clone)]
pub(in crate::check) struct Whole<'a> {
    pub role: Role,
    pub fact: Fact<'a>,
    /// Its key.
    pub key: Place<'a>,
    /// Steps of its own stand behind a wait for it.
    pub leads: bool,
    /// The moment at which it is asked first, in which nothing has happened since.
    pub moment: Option<From>,
}

/// Those of a workflow, in the order of the model; none where some could not be read.
pub(in crate::check) fn of_workflow<'a>(project: &Project<'a>, unit: &'a WorkflowUnit) -> Vec<Whole<'a>> {
    let model = &unit.model;
    let started_by = event_of(project, unit);
    let filters = model.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Event { name, filter: Some(filter), .. } => Some((Role::Trigger, filter, Some(name.as_str()), From::All)),
        _ => None,
    });
    let audience = model.audience.iter().map(|condition| (Role::Audience, condition, started_by, From::All));
    let exit_when = model.exit_when.iter().map(|condition| (Role::ExitWhen, condition, started_by, From::Entry));
    let goal = model.goal.iter().map(|goal| (Role::Goal, &goal.condition, started_by, From::Entry));
    let steps = model.steps.iter().flat_map(|step| {
        let (role, from) = match &step.kind {
            StepKind::WaitFor { since, .. } if *since == crate::model::Since::Entry => (Role::WaitFor, From::Entry),
            StepKind::WaitFor { .. } => (Role::WaitFor, From::Step),
            StepKind::Branch { .. } => (Role::When, From::All),
            _ => (Role::Until, From::All),
        };
        of_step(&step.kind).into_iter().map(move |condition| (role, condition, started_by, from))
    });
    let mut leads = model.steps.iter().filter_map(|step| match &step.kind {
        StepKind::WaitFor { then, .. } => Some(then.is_some() && *then != step.next),
        _ => None,
    });
    let all: Vec<_> = filters.chain(audience).chain(exit_when).chain(goal).chain(steps).collect();
    let mut wholes = placed(&unit.at.file, &unit.notes, all);
    for wait in wholes.iter_mut().filter(|whole| whole.role == Role::WaitFor) {
        wait.leads = leads.next().unwrap_or_default();
    }
    wholes
}

/// Those of a trait.
pub(in crate::check) fn of_trait(unit: &TraitUnit) -> Vec<Whole<'_>> {
    let all = match &unit.model {
        Trait::Events(events) => {
            let filter = events.filter.as_deref();
            filter.map(|filter| (Role::Trait, filter, Some(events.event.as_str()), From::All)).into_iter().collect()
        }
        Trait::Score { points, .. } => points
            .iter()
            .filter_map(|points| Some((Role::Trait, points.filter.as_deref()?, Some(points.event.as_str()), From::All)))
            .collect(),
        Trait::FirstMatch { cases, .. } => cases.iter().map(|(_, condition)| (Role::Trait, condition, None, From::All)).collect(),
        Trait::Rank { .. } | Trait::Tier { .. } => Vec::new(),
    };
    placed(&unit.at.file, &unit.notes, all)
}

type Unplaced<'a> = (Role, &'a Condition, Option<&'a str>, From);

/// With the places that were noted of them, in the same order.
fn placed<'a>(file: &'a str, notes: &'a Notes, all: Vec<Unplaced<'a>>) -> Vec<Whole<'a>> {
    if all.len() != notes.conditions.len() {
        return Vec::new();
    }
    let place = |((role, condition, event, from), note): (Unplaced<'a>, &'a ConditionNote)| {
        let asked = Asked { own: role == Role::WaitFor, ..Asked::new(file, event, from) };
        let moment = (matches!(role, Role::WaitFor | Role::ExitWhen | Role::Goal) && from != From::All).then_some(from);
        Whole {
            role,
            fact: Fact { condition, places: &note.places, so: true, asked },
            key: Place { file, span: note.key },
            leads: false,
            // What happened between entry and a step is not known.
            moment: moment.filter(|from| role != Role::WaitFor || *from == From::Step),
        }
    };
    all.into_iter().zip(&notes.conditions).map(place).collect()
}

fn of_step(kind: &StepKind) -> Vec<&Condition> {
    match kind {
        StepKind::WaitFor { condition, .. } => vec![condition],
        StepKind::Branch { cases } => cases.iter().filter_map(|case| case.when.as_ref()).collect(),
        StepKind::Repeat(repeat) => repeat.until.iter().collect(),
        _ => Vec::new(),
    }
}

/// The only event that starts this workflow, if it is one.
fn event_of<'a>(project: &Project<'a>, unit: &'a WorkflowUnit) -> Option<&'a str> {
    let [Trigger::Event { name, .. }] = unit.model.triggers.as_slice() else { return None };
    project.events_of(unit).map(|_| name.as_str())
}

/// What is sure all along a run: what the only event that starts it met. `event.*` stays what it was at entry.
pub(in crate::check) fn sure<'a>(project: &Project<'a>, unit: &'a WorkflowUnit, wholes: &[Whole<'a>]) -> Vec<Given<'a>> {
    let Some(trigger) = wholes.first().filter(|whole| whole.role == Role::Trigger && event_of(project, unit).is_some()) else {
        return Vec::new();
    };
    let of_event = |fact: &Fact<'a>| matches!(fact.condition, Condition::Value { path, .. } if path.root == Root::Event);
    let facts: Vec<Fact<'a>> = match trigger.fact.condition {
        Condition::All(_) => trigger.fact.inside().collect(),
        _ => vec![trigger.fact],
    };
    facts.into_iter().filter(of_event).map(Given::Fact).collect()
}

/// What is sure where a run waits for something: what ends the run has not come to be, as it is looked at first.
pub(in crate::check) fn while_waiting<'a>(unit: &'a WorkflowUnit, wholes: &[Whole<'a>]) -> Vec<Given<'a>> {
    let ends = |whole: &&Whole<'a>| match whole.role {
        Role::ExitWhen => true,
        Role::Goal => unit.model.goal.as_ref().is_some_and(|goal| goal.within.is_none() && !goal.stay),
        _ => false,
    };
    wholes.iter().filter(ends).map(|whole| Given::Fact(whole.fact.not())).collect()
}

/// What is sure when a contact comes in, by each trigger in turn. `None` where there are ways in of which nothing is known.
pub(in crate::check) fn ways_in<'a>(
    project: &Project<'a>,
    unit: &'a WorkflowUnit,
    wholes: &[Whole<'a>],
    at: Place<'a>,
) -> Option<Vec<Given<'a>>> {
    project.events_of(unit)?;
    let mut filters = wholes.iter().filter(|whole| whole.role == Role::Trigger);
    unit.model
        .triggers
        .iter()
        .map(|trigger| match trigger {
            Trigger::Event { filter: Some(_), .. } => filters.next().map(|whole| Given::Fact(whole.fact)),
            Trigger::Segment { segment, change } => Some(Given::Segment { name: segment, so: *change == Crossing::Enter, at }),
            _ => None,
        })
        .collect()
}
