//! A workflow drawn with what happened at each step.

use dsl::graph::{self, Kind, Notes};
use dsl::model::{Definition, StepKind};

use super::super::figures::{StepFigures, WorkflowFigures};
use super::super::summary::grouped;

/// The picture, as SVG.
pub fn drawn(definition: &Definition, figures: &WorkflowFigures) -> String {
    let graph = graph::of(definition);
    let waiting = figures.waiting();
    let mut notes = Notes {
        entry: Some(format!("{} entered", grouped(figures.entered))),
        end: Some(format!("{} came through", grouped(figures.exits.get("completed").copied().unwrap_or_default()))),
        ..Notes::default()
    };
    let none = StepFigures::default();
    for node in &graph.nodes {
        let Some(step) = &node.step else { continue };
        let passed = figures.steps.get(step).unwrap_or(&none);
        let wait = waiting.get(step.as_str()).copied().unwrap_or_default();
        notes.steps.insert(step.clone(), note(node.kind, passed, wait));
    }
    for step in &definition.workflow.steps {
        let Some(passed) = figures.steps.get(&step.id) else { continue };
        let whole: u64 = passed.ways.values().sum();
        for (way, count) in &passed.ways {
            let Some(arm) = arm(&step.kind, way) else { continue };
            let share = *count as f64 / whole.max(1) as f64 * 100.0;
            notes.arms.insert((step.id.clone(), arm), format!("{} · {share:.0}%", grouped(*count)));
        }
    }
    graph::svg(&graph, &notes)
}

fn note(kind: Kind, passed: &StepFigures, waiting: u64) -> String {
    let done = grouped(passed.done);
    let mut note = match kind {
        Kind::Send => format!("{done} sent"),
        Kind::Wait | Kind::WaitFor | Kind::Repeat => format!("{done} waited"),
        _ => format!("{done} came here"),
    };
    let more = [(passed.skipped, "skipped"), (passed.failed, "failed"), (waiting, "still wait"), (passed.ended, "left here")];
    for (count, word) in more.into_iter().filter(|(count, _)| *count > 0) {
        note.push_str(&format!(", {} {word}", grouped(count)));
    }
    note
}

/// Which of the picture's arms a way is.
fn arm(kind: &StepKind, way: &str) -> Option<usize> {
    match (kind, way) {
        (StepKind::WaitFor { .. }, "then") => Some(0),
        (StepKind::WaitFor { .. }, "otherwise") => Some(1),
        (StepKind::Branch { cases }, "-") => Some(cases.len()),
        (StepKind::Branch { .. }, number) => number.parse::<usize>().ok()?.checked_sub(1),
        (StepKind::Experiment { variants, .. }, name) => variants.iter().position(|variant| variant.name == name),
        _ => None,
    }
}
