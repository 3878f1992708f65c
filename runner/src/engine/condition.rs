//! Conditions as a run sees them: what `since: entry` and `since: step` mean, and whether the workflow's goal or exit_when ends the run.

use dsl::model::{Condition, Since};
use serde_json::{Map, Value};

use super::{Effect, Moment, Program, RunFacts, earliest};
use crate::audience::{Scope, Truth, check, walk};
use crate::state::{EndReason, LogKind, Mark, Run};

/// From where events count in a condition that does not say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// From the beginning of time: branches, repeat's until.
    All,
    /// From the run's entry: exit_when, goal.
    Entry,
    /// From the step, or entry where the step says so; messages are this run's own: wait_for.
    WaitFor(Since),
}

pub(super) fn holds<F: RunFacts>(
    condition: &Condition,
    counting: Counting,
    program: &Program,
    run: &Run,
    facts: &mut F,
    moment: Moment<'_>,
) -> Result<Truth, F::Error> {
    let state = &run.state;
    let default_since = match counting {
        Counting::All => None,
        Counting::Entry | Counting::WaitFor(Since::Entry) => Some(state.since),
        Counting::WaitFor(Since::Step) => Some(state.began),
    };
    let scope = Scope {
        now: moment.now,
        zone: moment.zone,
        settings: moment.settings,
        segments: &program.definition.segments,
        event: state.event.as_ref(),
        vars: Some(&state.vars),
        entry: Some(state.since),
        step: Some(state.began),
        default_since,
        own_run: matches!(counting, Counting::WaitFor(_)).then_some(run.id),
    };
    check(condition, &scope, facts)
}

/// Whether the run goes on, and when that may change by time alone.
pub(super) struct Standing {
    pub ended: Option<EndReason>,
    pub recheck: Option<i64>,
}

/// Looks at the goal first: where both hold for the same event, the goal is recorded and the run ends for exit_when.
pub(super) fn standing<F: RunFacts>(
    program: &Program,
    run: &mut Run,
    facts: &mut F,
    moment: Moment<'_>,
    cause: Option<&Value>,
    effects: &mut Vec<Effect>,
) -> Result<Standing, F::Error> {
    let workflow = &program.definition.workflow;
    let mut standing = Standing { ended: None, recheck: None };
    if let Some(goal) = workflow.goal.as_ref().filter(|_| !run.state.goal_met) {
        let deadline = goal.within.map(|within| run.entered_at.saturating_add(within.millis()));
        // Exactly at the deadline is in time; after it the moment of the deadline is what counts.
        let at = Moment { now: deadline.map_or(moment.now, |deadline| deadline.min(moment.now)), ..moment };
        let truth = holds(&goal.condition, Counting::Entry, program, run, facts, at)?;
        if truth.holds {
            run.state.goal_met = true;
            let value = goal.value.as_ref().and_then(|path| walk(cause?, &path.keys));
            let detail: Map<String, Value> = value.map(|value| ("value".to_owned(), value.clone())).into_iter().collect();
            effects.push(Effect::Log { kind: LogKind::Goal, step: run.step.clone(), detail });
            effects.push(Effect::Goal { value: value.and_then(Value::as_f64) });
            if !goal.stay {
                standing.ended = Some(EndReason::Goal);
            }
        } else {
            standing.recheck = truth.recheck.filter(|at| deadline.is_none_or(|deadline| *at <= deadline));
        }
    }
    if let Some(condition) = &workflow.exit_when {
        let truth = holds(condition, Counting::Entry, program, run, facts, moment)?;
        if truth.holds {
            standing.ended = Some(EndReason::ExitWhen);
        }
        standing.recheck = earliest(standing.recheck, truth.recheck);
    }
    Ok(standing)
}

impl Mark {
    /// From when on events count for a run that this event started, or that started without one.
    pub fn of_entry(now: i64, event: Option<(i64, crate::state::EventId)>, last_event: crate::state::EventId) -> Mark {
        event.map_or(Mark(now, last_event), |(at, id)| Mark(at.min(now), id))
    }
}
