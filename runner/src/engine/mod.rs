//! The engine: what a run does next.
//!
//! Architecture invariants: no I/O, no clock, no randomness but a hash of stable ids. Everything it needs to know comes in as an argument or
//! through [`RunFacts`]; everything it wants done goes out as [`Effect`]s. The daemon, the journey tests and the simulation run this same code.

mod choice;
mod condition;
mod effect;
mod follow;
mod program;
mod step;
mod wait;

pub use choice::stable_fraction;
pub use effect::{Effect, Queue};
pub use follow::{follow, move_to};
pub use program::Program;
pub(crate) use step::assign;

use dsl::model::{OverdueAction, Settings, StepKind};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::audience::Facts;
use crate::state::{EndReason, Ended, EventId, LogKind, Mark, Run, Stage, WorkflowId};
use condition::{Standing, standing};

/// What the engine asks about the run's contact besides what conditions ask.
pub trait RunFacts: Facts {
    /// The variant the contact was given in an experiment of this workflow before.
    fn assignment(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<String>, Self::Error>;
    /// The variant that has won an experiment of this workflow.
    fn winner(&mut self, workflow: WorkflowId, experiment: &str) -> Result<Option<String>, Self::Error>;
}

/// The moment and the place a run is looked at.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub now: i64,
    /// Waits that end by this time are over. It is earlier than now while something that arrived is looked at: what else arrives at this instant
    /// is still in time, and the timers of this instant come after it.
    pub timers: i64,
    /// The highest event id there is: events that come later are after this moment.
    pub last_event: EventId,
    /// The contact's zone.
    pub zone: &'a TimeZone,
    pub settings: &'a Settings,
}

/// How a message that a run stands on came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageEnd {
    /// Sent, failed or unknown: the run goes on.
    Left,
    /// Skipped: no address, unsubscribed, suppressed.
    Unreachable,
    /// Skipped for another reason; the run goes on.
    Skipped,
    /// A call that failed, and why.
    CallFailed(String),
    /// Late by more than the workflow allows, and the workflow says what then.
    Overdue(OverdueAction),
}

/// Whether there is more to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The run moved: apply the effects and call again.
    Moved,
    /// It waits, or it ended.
    Rests,
}

/// Takes a run one step further, or finds that it rests. Call again after applying the effects as long as it moved.
/// `cause` holds the properties of the event that made the runner look, if one did.
///
/// # Errors
/// Only those of `facts`.
pub fn advance<F: RunFacts>(
    program: &Program,
    run: &mut Run,
    facts: &mut F,
    moment: Moment<'_>,
    cause: Option<&Value>,
) -> Result<(Vec<Effect>, Progress), F::Error> {
    let mut effects = Vec::new();
    if run.ended.is_some() {
        return Ok((effects, Progress::Rests));
    }
    let Some(index) = program.step(&run.step) else {
        end(run, moment.now, EndReason::Failed, Some(format!("step `{}` is not in the definition", run.step)), &mut effects);
        return Ok((effects, Progress::Rests));
    };
    let Standing { ended, recheck } = standing(program, run, facts, moment, cause, &mut effects)?;
    if let Some(reason) = ended {
        end(run, moment.now, reason, None, &mut effects);
        return Ok((effects, Progress::Rests));
    }
    let visit = step::Visit { program, index, moment };
    let (progress, due) = match run.state.stage {
        Stage::Ready => visit.begin(run, facts, &mut effects)?,
        Stage::Waiting(until) => visit.wait_on(run, facts, until, &mut effects)?,
        Stage::WaitingFor(deadline) => visit.wait_for_on(run, facts, deadline, &mut effects)?,
        Stage::Sending(_) => (Progress::Rests, None),
    };
    run.due = if run.ended.is_some() { None } else { earliest(due, recheck) };
    Ok((effects, progress))
}

/// The run's message came out: the run goes on, or ends where its step or workflow says so.
pub fn message_ended(program: &Program, run: &mut Run, moment: Moment<'_>, how: MessageEnd) -> Vec<Effect> {
    let mut effects = Vec::new();
    let Some(index) = program.step(&run.step) else {
        end(run, moment.now, EndReason::Failed, Some(format!("step `{}` is not in the definition", run.step)), &mut effects);
        return effects;
    };
    let step = &program.definition.workflow.steps[index];
    let fails = matches!(&step.kind, StepKind::Call(call) if call.on_error == dsl::model::OnTrouble::Exit);
    let exits = matches!(&step.kind, StepKind::Send(send) if send.when_unreachable == dsl::model::OnTrouble::Exit);
    match how {
        MessageEnd::Unreachable if exits => end(run, moment.now, EndReason::Unreachable, None, &mut effects),
        MessageEnd::CallFailed(why) if fails => end(run, moment.now, EndReason::Failed, Some(why), &mut effects),
        MessageEnd::Overdue(OverdueAction::Exit) => end(run, moment.now, EndReason::Overdue, None, &mut effects),
        _ => step::go(program, run, step.next, moment, &mut effects),
    }
    effects
}

/// Puts a run at the workflow's first step.
pub fn start(program: &Program, run: &mut Run, moment: Moment<'_>, effects: &mut Vec<Effect>) {
    effects.push(Effect::log(LogKind::Enter, "", json!({})));
    step::go(program, run, if program.definition.workflow.steps.is_empty() { None } else { Some(0) }, moment, effects);
}

/// Ends a run; what it was waiting for is over.
pub fn end(run: &mut Run, now: i64, reason: EndReason, detail: Option<String>, effects: &mut Vec<Effect>) {
    let mut what = json!({ "reason": reason.word() });
    if let (Some(detail), Value::Object(what)) = (&detail, &mut what) {
        what.insert("detail".to_owned(), Value::String(detail.clone()));
    }
    effects.push(Effect::log(LogKind::Exit, &run.step, what));
    if let Stage::Sending(message) = run.state.stage {
        effects.push(Effect::Cancel { message, reason });
    }
    run.ended = Some(Ended { at: now, reason, detail });
    run.due = None;
}

fn earliest(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

impl Moment<'_> {
    fn mark(&self) -> Mark {
        Mark(self.now, self.last_event)
    }
}
