//! Which steps and branches of workflows the tests reach.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::{Catalog, StepIndex, StepKind, Workflow};
use serde::Serialize;
use serde_json::Value;

use crate::rehearsal::Line;
use crate::state::LogKind;

/// Of all workflows that count, in order of name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Coverage {
    pub workflows: Vec<WorkflowCoverage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorkflowCoverage {
    pub workflow: String,
    /// Relative to the project.
    pub file: String,
    pub steps: Share,
    /// The ways out of branches, waits for something and experiments.
    pub branches: Share,
    /// What no test reaches, in the order of the steps.
    pub unreached: Vec<Unreached>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    pub reached: usize,
    pub total: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// The step's id.
    pub step: String,
    /// From 1.
    pub line: usize,
    /// Which way out of it; `None`: the step itself.
    pub case: Option<String>,
}

impl Share {
    fn add(&mut self, reached: bool) {
        self.total += 1;
        self.reached += usize::from(reached);
    }
}

impl Coverage {
    /// Steps and ways together, in per cent; 100 of nothing.
    pub fn percent(&self) -> f64 {
        let shares = self.workflows.iter().flat_map(|workflow| [workflow.steps, workflow.branches]);
        let (reached, total) = shares.fold((0, 0), |(reached, total), share| (reached + share.reached, total + share.total));
        if total == 0 { 100.0 } else { 100.0 * reached as f64 / total as f64 }
    }
}

/// What was reached, by workflow.
#[derive(Debug, Default)]
pub(super) struct Reached {
    steps: BTreeSet<(String, String)>,
    /// The way that was taken from a step.
    ways: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Reached {
    pub(super) fn note(&mut self, line: &Line) {
        if line.step.is_empty() {
            return;
        }
        let key = (line.workflow.clone(), line.step.clone());
        let taken = match line.kind {
            LogKind::Branch => line.detail.get("taken").map(|taken| match taken {
                Value::String(text) => text.clone(),
                Value::Null => "none".to_owned(),
                number => number.to_string(),
            }),
            LogKind::Assign => line.detail.get("variant").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        if let Some(taken) = taken {
            self.ways.entry(key.clone()).or_default().insert(taken);
        }
        self.steps.insert(key);
    }

    pub(super) fn of<'c>(&self, catalog: &Catalog, workflows: impl Iterator<Item = &'c str>) -> Coverage {
        let names: BTreeSet<&str> = workflows.collect();
        let entries = names.into_iter().filter_map(|name| catalog.workflows.get(name));
        let of = |entry: &dsl::model::CatalogEntry| {
            let workflow = &entry.definition.workflow;
            let mut coverage = WorkflowCoverage {
                workflow: workflow.name.clone(),
                file: entry.file.clone(),
                steps: Share::default(),
                branches: Share::default(),
                unreached: Vec::new(),
            };
            for (index, step) in workflow.steps.iter().enumerate() {
                let line = entry.step_lines.get(&step.id).copied().unwrap_or(1);
                let mut miss = |case: Option<String>| coverage.unreached.push(Unreached { step: step.id.clone(), line, case });
                let reached = self.reaches(workflow, index);
                coverage.steps.add(reached);
                if !reached {
                    miss(None);
                }
                let taken = self.ways.get(&(workflow.name.clone(), step.id.clone()));
                for way in ways(&step.kind) {
                    let takes = taken.is_some_and(|taken| taken.contains(&way));
                    coverage.branches.add(takes);
                    // That nobody comes to the step at all has been said.
                    if !takes && reached {
                        miss(Some(way));
                    }
                }
            }
            coverage
        };
        Coverage { workflows: entries.map(of).collect() }
    }

    /// A repeat that never waits says nothing itself: its steps do.
    fn reaches(&self, workflow: &Workflow, index: StepIndex) -> bool {
        let Some(step) = workflow.steps.get(index) else { return false };
        if self.steps.contains(&(workflow.name.clone(), step.id.clone())) {
            return true;
        }
        match &step.kind {
            StepKind::Repeat(repeat) => repeat.body != index && self.reaches(workflow, repeat.body),
            _ => false,
        }
    }
}

/// The ways out of a step, by the words of outputs.
fn ways(kind: &StepKind) -> Vec<String> {
    match kind {
        StepKind::Branch { cases } => {
            let numbered = (1..=cases.len()).map(|number| number.to_string());
            let none = cases.iter().all(|case| case.when.is_some()).then(|| "none".to_owned());
            numbered.chain(none).collect()
        }
        StepKind::WaitFor { within, .. } => {
            let otherwise = within.is_some().then(|| "otherwise".to_owned());
            std::iter::once("then".to_owned()).chain(otherwise).collect()
        }
        StepKind::Experiment { variants, .. } => {
            variants.iter().filter(|variant| variant.weight > 0.0).map(|variant| variant.name.clone()).collect()
        }
        _ => Vec::new(),
    }
}
