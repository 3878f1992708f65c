//! Finds workflows that start each other in a circle.
//!
//! # What it does
//! Follows every `start` step to the workflow that it names, and every `record` step to the workflows that the event starts. A circle in which nothing waits and
//! every workflow lets in everybody, again and again, is an error (`endless-loop`); any other is a warning.
//!
//! # Why is this bad
//! People go round in it, and get the same messages with every round, until something else stops them.
//!
//! # Example
//! ```yaml
//! # workflows/a.yaml
//! workflow: ask
//! trigger: { event: survey_requested }
//! steps:
//!   - send: survey
//!   - wait: 7 days
//!   - start: remind
//! # workflows/b.yaml
//! workflow: remind
//! trigger: { manual: true }
//! steps:
//!   - record: survey_requested
//! ```
//!
//! # Use instead
//! ```yaml
//! # workflows/a.yaml
//! workflow: ask
//! trigger: { event: survey_requested }
//! steps:
//!   - repeat: { times: 2, every: 7 days, until: { event: survey_answered }, steps: [{ send: survey }] }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::paths::Paths;
use super::{Project, Report};
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::WorkflowUnit;
use crate::model::{Reentry, Status, StepKind, Trigger};

/// How many circles are told of, and how many workflows of one: with more, a project has other things to put in order first.
const MOST_CIRCLES: usize = 50;
const MOST_NAMED: usize = 12;

/// What a circle is made of: workflows, and the events by which they start each other. An event stands between whoever records it and whoever
/// it starts, as there may be very many of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    Workflow(&'a str),
    Event(&'a str),
}

/// Where one leads to another one.
struct Edge<'a> {
    to: Node<'a>,
    /// The step; `None` from an event to a workflow.
    at: Option<&'a Location>,
    /// A run comes there in the moment in which it begins.
    at_once: bool,
}

type Edges<'a> = BTreeMap<Node<'a>, Vec<Edge<'a>>>;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let running = || project.workflows().filter(|workflow| matches!(workflow.model.status, Status::Live | Status::Paused));
    let units: BTreeMap<&str, &WorkflowUnit> = running().map(|workflow| (workflow.model.name.as_str(), workflow)).collect();
    let mut edges: Edges<'_> = units.iter().map(|(name, workflow)| (Node::Workflow(name), edges(workflow))).collect();
    for workflow in running() {
        for trigger in &workflow.model.triggers {
            if let Trigger::Event { name, .. } = trigger {
                let edge = Edge { to: Node::Workflow(&workflow.model.name), at: None, at_once: true };
                edges.entry(Node::Event(name)).or_default().push(edge);
            }
        }
    }
    let mut done: BTreeSet<Node<'_>> = BTreeSet::new();
    let mut circles = 0;
    for node in edges.keys() {
        walk(*node, &edges, &units, (&mut done, &mut circles), report);
    }
}

fn edges(workflow: &WorkflowUnit) -> Vec<Edge<'_>> {
    let steps = &workflow.model.steps;
    let starts = |kind: &StepKind| matches!(kind, StepKind::Start { .. } | StepKind::Record { .. });
    if !steps.iter().any(|step| starts(&step.kind)) {
        return Vec::new();
    }
    let at_once = Paths::of(steps).map(|paths| paths.at_once(steps)).unwrap_or_default();
    let mut edges = Vec::new();
    for ((index, step), at) in steps.iter().enumerate().zip(&workflow.step_places) {
        let to = match &step.kind {
            StepKind::Start { workflow, .. } => Node::Workflow(workflow),
            StepKind::Record { event, .. } => Node::Event(event),
            _ => continue,
        };
        edges.push(Edge { to, at: Some(at), at_once: at_once.get(index) == Some(&true) });
    }
    // What goes round at once is worse, and found first.
    edges.sort_by_key(|edge| !edge.at_once);
    edges
}

/// Depth first, without recursion: each circle that begins at a node not gone through before is found once.
fn walk<'a>(
    start: Node<'a>,
    edges: &Edges<'a>,
    units: &BTreeMap<&str, &WorkflowUnit>,
    (done, circles): (&mut BTreeSet<Node<'a>>, &mut usize),
    report: &mut Report<'_>,
) {
    let mut path: Vec<(Node<'a>, usize)> = vec![(start, 0)];
    let mut open: BTreeSet<Node<'a>> = BTreeSet::from([start]);
    while let Some((node, next)) = path.pop() {
        let edge = edges.get(&node).and_then(|edges| edges.get(next)).filter(|_| !done.contains(&node));
        let Some(edge) = edge else {
            done.insert(node);
            open.remove(&node);
            continue;
        };
        path.push((node, next + 1));
        if open.contains(&edge.to) {
            *circles += 1;
            if *circles > MOST_CIRCLES {
                continue;
            }
            let begin = path.iter().position(|(open, _)| *open == edge.to).unwrap_or_default();
            let mut circle: Vec<(&str, &Edge<'_>)> = Vec::new();
            for (node, next) in &path[begin..] {
                let edge = next.checked_sub(1).and_then(|next| edges.get(node)?.get(next));
                if let (Node::Workflow(name), Some(edge)) = (node, edge) {
                    circle.push((name, edge));
                }
            }
            tell(&circle, units, report);
        } else if edges.contains_key(&edge.to) && !done.contains(&edge.to) {
            open.insert(edge.to);
            path.push((edge.to, 0));
        }
    }
}

/// Whether everybody may enter, again and again.
fn lets_in_anybody(unit: &WorkflowUnit) -> bool {
    let filtered = |trigger: &Trigger| matches!(trigger, Trigger::Event { filter: Some(_), .. });
    let model = &unit.model;
    model.reentry == Reentry::Always && model.audience.is_none() && !model.triggers.iter().any(filtered)
}

/// A circle: each workflow, and where it leads on.
fn tell(circle: &[(&str, &Edge<'_>)], units: &BTreeMap<&str, &WorkflowUnit>, report: &mut Report<'_>) {
    let Some(((_, last), before)) = circle.split_last() else { return };
    let Some(at) = last.at else { return };
    let endless = circle.iter().all(|(name, edge)| edge.at_once && units.get(name).is_some_and(|unit| lets_in_anybody(unit)));
    let mut round: Vec<&str> = circle.iter().map(|(name, _)| *name).take(MOST_NAMED).collect();
    round.extend((circle.len() > MOST_NAMED).then_some("…"));
    round.extend(circle.first().map(|(name, _)| *name));
    let message = format!("workflows start each other in a circle: {}", round.join(" starts "));
    let mut diagnostic = if endless {
        Diagnostic::error("endless-loop", at.clone(), format!("{message}; nothing in it waits, and everybody may enter again"))
            .help("let one of them wait, or be entered `once`")
    } else {
        Diagnostic::warning("workflow-loop", at.clone(), message)
            .help("use `repeat` in one workflow, or allow it if something else ends it")
    };
    let started = circle.iter().skip(1).map(|(name, _)| name);
    for ((_, edge), started) in before.iter().zip(started).take(MOST_NAMED) {
        if let Some(place) = edge.at {
            diagnostic = diagnostic.related(place.clone(), format!("this starts `{started}`"));
        }
    }
    report.push(diagnostic);
}
