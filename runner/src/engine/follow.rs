//! A run goes over from one definition of its workflow to another.

use super::{Effect, Moment, Program, step};
use crate::state::{Contact, LogKind, Run, Stage};
use dsl::model::StepKind;
use serde_json::json;

/// Puts a run under the new definition; `false` when its step is gone and nothing says where it goes: it stays under the old one. The caller
/// sets the run's definition and advances the run, which looks at its conditions and times anew.
///
/// A changed wait counts from when that wait began: shortened and overdue it is over at once, lengthened it goes on.
pub fn follow(new: &Program, run: &mut Run, contact: &Contact, moment: Moment<'_>, effects: &mut Vec<Effect>) -> bool {
    if let Some(index) = new.step(&run.step) {
        if let Some(deadline) = step::deadline(new, index, run, contact, moment) {
            let (stage, old) = match run.state.stage {
                Stage::WaitingFor(old) => (Stage::WaitingFor(deadline), old),
                Stage::Waiting(old) => (Stage::Waiting(deadline.unwrap_or(old)), Some(old)),
                other => (other, deadline),
            };
            if old != deadline {
                effects.push(Effect::log(LogKind::Follow, &run.step, json!({ "until": deadline })));
            }
            run.state.stage = stage;
            run.due = deadline;
        } else if !stands(&new.definition.workflow.steps[index].kind, run.state.stage) {
            // Another kind of step under the same id: begin it.
            effects.push(Effect::log(LogKind::Follow, &run.step, json!({})));
            run.state.stage = Stage::Ready;
            run.due = Some(moment.now);
        }
        return true;
    }
    let moved = new.definition.workflow.moved.get(&run.step).and_then(|to| new.step(to));
    if let Some(index) = moved {
        move_to(new, run, index, moment, effects);
    }
    moved.is_some()
}

/// Puts a run under the new definition at the step of this index, which it begins. What it waited for is over.
pub fn move_to(new: &Program, run: &mut Run, index: usize, moment: Moment<'_>, effects: &mut Vec<Effect>) {
    let from = run.step.clone();
    if let Stage::Sending(message) = run.state.stage {
        effects.push(Effect::Cancel { message, reason: crate::state::EndReason::Superseded });
    }
    step::go(new, run, Some(index), moment, effects);
    effects.push(Effect::log(LogKind::Follow, &run.step, json!({ "from": from })));
    run.due = Some(moment.now);
}

/// Whether a run at this stage can stand on a step of this kind.
fn stands(kind: &StepKind, stage: Stage) -> bool {
    match stage {
        Stage::Ready => true,
        Stage::Sending(_) => matches!(kind, StepKind::Send(_) | StepKind::Call(_)),
        Stage::Waiting(_) => matches!(kind, StepKind::Wait(_) | StepKind::Repeat(_)),
        Stage::WaitingFor(_) => matches!(kind, StepKind::WaitFor { .. }),
    }
}
