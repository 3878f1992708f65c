//! A definition made ready to run: the way from a step's id to its place.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::model::{Definition, Goal, StepKind};

#[derive(Debug, Clone)]
pub struct Program {
    pub definition: Arc<Definition>,
    steps: HashMap<String, usize>,
}

impl Program {
    pub fn new(definition: Arc<Definition>) -> Program {
        let steps = definition.workflow.steps.iter().enumerate().map(|(index, step)| (step.id.clone(), index)).collect();
        Program { definition, steps }
    }

    /// The index of the step of this id.
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.get(id).copied()
    }

    pub fn goal(&self) -> Option<&Goal> {
        self.definition.workflow.goal.as_ref()
    }

    /// Whether something that happens to the contact can matter to a run standing on this step, besides its message's end.
    pub fn listens_at(&self, step: &str) -> bool {
        let workflow = &self.definition.workflow;
        workflow.exit_when.is_some()
            || workflow.goal.is_some()
            || self.step(step).is_some_and(|index| match &workflow.steps[index].kind {
                StepKind::WaitFor { .. } => true,
                StepKind::Repeat(repeat) => repeat.until.is_some(),
                _ => false,
            })
    }
}
