//! Finds workflows that start each other in a circle.
//!
//! # What it does
//! Follows every `start` step to the workflow that it names, every `record`, `subscribe`, `unsubscribe` and `send` step to the workflows that the event starts, and whatever
//! changes the contact (`set` above all) to the workflows that start as somebody comes into a segment or leaves it by that. A circle in which nothing waits and
//! every workflow lets in everybody, again and again, is an error (`endless-loop`); any other is a warning. Where a circle goes through a segment, something in it
//! must also take the contact out again.
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
use super::starts::{Starts, is_running};
use super::{Project, Report};
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::WorkflowUnit;
use crate::model::{Reentry, Trigger};

/// How many circles are told of, and how many workflows of one: with more, a project has other things to put in order first.
const MOST_CIRCLES: usize = 50;
const MOST_NAMED: usize = 12;
/// How many circles are looked at: some lead round only once.
const MOST_LOOKED_AT: usize = 1_000;

/// One workflow's step that starts another one.
#[derive(Clone, Copy)]
struct Edge<'a> {
    to: &'a str,
    at: &'a Location,
    /// By coming into this segment (or, `false`, leaving it).
    crossing: Option<(&'a str, bool)>,
    /// A run comes there in the moment in which it begins.
    at_once: bool,
}

type Edges<'a> = BTreeMap<&'a str, Vec<Edge<'a>>>;

/// Workflows by name, and what starts what.
struct Net<'p, 'a> {
    starts: Starts<'p, 'a>,
    units: BTreeMap<&'a str, &'a WorkflowUnit>,
    edges: Edges<'a>,
    /// How many circles were looked at.
    looked: usize,
}

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let mut starts = Starts::new(project);
    let running = || project.workflows().filter(|workflow| is_running(workflow));
    let units = running().map(|workflow| (workflow.model.name.as_str(), workflow)).collect();
    let edges = running().map(|workflow| (workflow.model.name.as_str(), edges(workflow, &mut starts))).collect();
    let mut net = Net { starts, units, edges, looked: 0 };
    let names: Vec<&str> = net.edges.keys().copied().collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut circles = 0;
    for name in names {
        walk(name, &mut net, (&mut done, &mut circles), report);
    }
}

fn edges<'a>(workflow: &'a WorkflowUnit, starts: &mut Starts<'_, 'a>) -> Vec<Edge<'a>> {
    let steps = &workflow.model.steps;
    if !steps.iter().any(|step| starts.may_start(&step.kind)) {
        return Vec::new();
    }
    let at_once = Paths::of(steps).map(|paths| paths.at_once(steps)).unwrap_or_default();
    let mut edges = Vec::new();
    for ((index, step), at) in steps.iter().enumerate().zip(&workflow.step_places) {
        let at_once = at_once.get(index) == Some(&true);
        for started in starts.of_step(&workflow.model.name, &step.id, &step.kind) {
            edges.push(Edge { to: started.workflow, at, crossing: started.crossing, at_once });
        }
    }
    // What goes round at once is worse, and found first.
    edges.sort_by_key(|edge| !edge.at_once);
    edges
}

/// Depth first, without recursion: each circle that begins at a workflow not gone through before is found once.
fn walk<'a>(
    start: &'a str,
    net: &mut Net<'_, 'a>,
    (done, circles): (&mut BTreeSet<&'a str>, &mut usize),
    report: &mut Report<'_>,
) {
    let mut path: Vec<(&'a str, usize)> = vec![(start, 0)];
    let mut open: BTreeSet<&str> = BTreeSet::from([start]);
    while let Some((name, next)) = path.pop() {
        let edge = net.edges.get(name).and_then(|edges| edges.get(next)).filter(|_| !done.contains(name));
        let Some(edge) = edge else {
            done.insert(name);
            open.remove(name);
            continue;
        };
        path.push((name, next + 1));
        if open.contains(edge.to) {
            net.looked += 1;
            if *circles >= MOST_CIRCLES || net.looked > MOST_LOOKED_AT {
                continue;
            }
            let begin = path.iter().position(|(open, _)| *open == edge.to).unwrap_or_default();
            let of_place = |(name, next): &(&str, usize)| net.edges.get(name)?.get(next.checked_sub(1)?).copied();
            let circle: Vec<Edge<'a>> = path[begin..].iter().filter_map(of_place).collect();
            let names: Vec<&'a str> = path[begin..].iter().map(|(name, _)| *name).collect();
            if net.comes_back(&names, &circle) {
                *circles += 1;
                tell(&names, &circle, &net.units, report);
            }
        } else if net.edges.contains_key(edge.to) && !done.contains(edge.to) {
            open.insert(edge.to);
            path.push((edge.to, 0));
        }
    }
}

impl<'a> Net<'_, 'a> {
    /// Who is in a segment comes into it again only when something has taken them out: whether the circle does so itself.
    fn comes_back(&mut self, names: &[&'a str], circle: &[Edge<'a>]) -> bool {
        let crossings: BTreeSet<(&str, bool)> = circle.iter().filter_map(|edge| edge.crossing).collect();
        crossings.into_iter().all(|(segment, enter)| {
            names.iter().filter_map(|name| self.units.get(name).copied()).any(|unit| {
                let mut steps = unit.model.steps.iter();
                steps.any(|step| self.starts.crosses(&unit.model.name, &step.id, &step.kind, segment, !enter))
            })
        })
    }
}

/// Whether everybody may enter, again and again.
fn lets_in_anybody(unit: &WorkflowUnit) -> bool {
    let filtered = |trigger: &Trigger| matches!(trigger, Trigger::Event { filter: Some(_), .. });
    let model = &unit.model;
    model.reentry == Reentry::Always && model.audience.is_none() && !model.triggers.iter().any(filtered)
}

fn tell(names: &[&str], circle: &[Edge<'_>], units: &BTreeMap<&str, &WorkflowUnit>, report: &mut Report<'_>) {
    let Some((last, before)) = circle.split_last() else { return };
    let endless = circle.iter().all(|edge| edge.at_once && edge.crossing.is_none())
        && names.iter().all(|name| units.get(name).is_some_and(|unit| lets_in_anybody(unit)));
    let mut round: Vec<&str> = names.iter().copied().take(MOST_NAMED).collect();
    round.extend((names.len() > MOST_NAMED).then_some("…"));
    round.extend(names.first().copied());
    let message = format!("workflows start each other in a circle: {}", round.join(" starts "));
    let by = match last.crossing {
        Some((segment, true)) => format!("; this takes people into the segment `{segment}`"),
        Some((segment, false)) => format!("; this takes people out of the segment `{segment}`"),
        None => String::new(),
    };
    let mut diagnostic = if endless {
        Diagnostic::error(
            "endless-loop",
            last.at.clone(),
            format!("{message}; nothing in it waits, and everybody may enter again"),
        )
        .help("let one of them wait, or be entered `once`")
    } else {
        Diagnostic::warning("workflow-loop", last.at.clone(), message + &by)
            .help("use `repeat` in one workflow, or allow it if something else ends it")
    };
    for edge in before.iter().take(MOST_NAMED) {
        let by = edge.crossing.map_or(String::new(), |(segment, _)| format!(" by the segment `{segment}`"));
        diagnostic = diagnostic.related(edge.at.clone(), format!("this starts `{}`{by}", edge.to));
    }
    report.push(diagnostic);
}
