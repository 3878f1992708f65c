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

/// One workflow's step that starts another one.
struct Edge<'a> {
    to: &'a str,
    at: &'a Location,
    /// A run comes there in the moment in which it begins.
    at_once: bool,
}

type Edges<'a> = BTreeMap<&'a str, Vec<Edge<'a>>>;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut by_event: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let running = || project.workflows().filter(|workflow| matches!(workflow.model.status, Status::Live | Status::Paused));
    for workflow in running() {
        for trigger in &workflow.model.triggers {
            if let Trigger::Event { name, .. } = trigger {
                by_event.entry(name.as_str()).or_default().push(workflow.model.name.as_str());
            }
        }
    }
    let units: BTreeMap<&str, &WorkflowUnit> = running().map(|workflow| (workflow.model.name.as_str(), workflow)).collect();
    let edges: Edges<'_> = units.iter().map(|(name, workflow)| (*name, edges(workflow, &by_event))).collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut circles = 0;
    for name in edges.keys() {
        walk(name, &edges, &units, (&mut done, &mut circles), report);
    }
}

fn edges<'a>(workflow: &'a WorkflowUnit, by_event: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<Edge<'a>> {
    let steps = &workflow.model.steps;
    let starts = |kind: &StepKind| matches!(kind, StepKind::Start { .. } | StepKind::Record { .. });
    if !steps.iter().any(|step| starts(&step.kind)) {
        return Vec::new();
    }
    let at_once = Paths::of(steps).map(|paths| paths.at_once(steps)).unwrap_or_default();
    let mut edges = Vec::new();
    for ((index, step), at) in steps.iter().enumerate().zip(&workflow.step_places) {
        let at_once = at_once.get(index) == Some(&true);
        match &step.kind {
            StepKind::Start { workflow, .. } => edges.push(Edge { to: workflow, at, at_once }),
            StepKind::Record { event, .. } => {
                let started = by_event.get(event.as_str()).into_iter().flatten();
                edges.extend(started.map(|to| Edge { to, at, at_once }));
            }
            _ => {}
        }
    }
    // What goes round at once is worse, and found first.
    edges.sort_by_key(|edge| !edge.at_once);
    edges
}

/// Depth first, without recursion: each circle that begins at a workflow not gone through before is found once.
fn walk<'a>(
    start: &'a str,
    edges: &Edges<'a>,
    units: &BTreeMap<&str, &WorkflowUnit>,
    (done, circles): (&mut BTreeSet<&'a str>, &mut usize),
    report: &mut Report<'_>,
) {
    let mut path: Vec<(&'a str, usize)> = vec![(start, 0)];
    let mut open: BTreeSet<&str> = BTreeSet::from([start]);
    while let Some((name, next)) = path.pop() {
        let edge = edges.get(name).and_then(|edges| edges.get(next)).filter(|_| !done.contains(name));
        let Some(edge) = edge else {
            done.insert(name);
            open.remove(name);
            continue;
        };
        path.push((name, next + 1));
        if open.contains(edge.to) {
            *circles += 1;
            if *circles > MOST_CIRCLES {
                continue;
            }
            let begin = path.iter().position(|(open, _)| *open == edge.to).unwrap_or_default();
            let circle: Vec<&Edge<'_>> =
                path[begin..].iter().filter_map(|(name, next)| edges.get(name)?.get(next.checked_sub(1)?)).collect();
            tell(&path[begin..], &circle, units, report);
        } else if edges.contains_key(edge.to) {
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

fn tell(names: &[(&str, usize)], circle: &[&Edge<'_>], units: &BTreeMap<&str, &WorkflowUnit>, report: &mut Report<'_>) {
    let Some((last, before)) = circle.split_last() else { return };
    let endless = circle.iter().all(|edge| edge.at_once)
        && names.iter().all(|(name, _)| units.get(name).is_some_and(|unit| lets_in_anybody(unit)));
    let mut round: Vec<&str> = names.iter().map(|(name, _)| *name).take(MOST_NAMED).collect();
    round.extend((names.len() > MOST_NAMED).then_some("…"));
    round.extend(names.first().map(|(name, _)| *name));
    let message = format!("workflows start each other in a circle: {}", round.join(" starts "));
    let mut diagnostic = if endless {
        Diagnostic::error(
            "endless-loop",
            last.at.clone(),
            format!("{message}; nothing in it waits, and everybody may enter again"),
        )
        .help("let one of them wait, or be entered `once`")
    } else {
        Diagnostic::warning("workflow-loop", last.at.clone(), message)
            .help("use `repeat` in one workflow, or allow it if something else ends it")
    };
    for edge in before.iter().take(MOST_NAMED) {
        diagnostic = diagnostic.related(edge.at.clone(), format!("this starts `{}`", edge.to));
    }
    report.push(diagnostic);
}
