//! One visit of a run to one step.

use dsl::model::{Assignment, Case, Change, Path, Repeat, Root, Send, StepKind, Variant, Winner};
use serde_json::{Map, Number, Value, json};

use super::condition::{Counting, holds};
use super::wait::{Until, until, value_at};
use super::{Effect, Moment, Program, Progress, Queue, RunFacts, earliest, end, stable_fraction};
use crate::state::{CALLS, EndReason, LogKind, MessageId, Pass, Run, Stage};

/// A rest with the time to look again, or a move.
type Outcome = (Progress, Option<i64>);

const MOVED: Outcome = (Progress::Moved, None);

pub(super) struct Visit<'a> {
    pub program: &'a Program,
    pub index: usize,
    pub moment: Moment<'a>,
}

/// Puts a run on a step, not yet begun, or completes it.
pub(super) fn go(program: &Program, run: &mut Run, to: Option<usize>, moment: Moment<'_>, effects: &mut Vec<Effect>) {
    match to {
        Some(index) => {
            run.step.clone_from(&program.definition.workflow.steps[index].id);
            run.state.visit += 1;
            run.state.stage = Stage::Ready;
            run.state.began = moment.mark();
            run.due = None;
        }
        None => {
            run.state.stage = Stage::Ready;
            end(run, moment.now, EndReason::Completed, None, effects);
        }
    }
}

impl<'a> Visit<'a> {
    fn step(&self) -> &'a dsl::model::Step {
        &self.program.definition.workflow.steps[self.index]
    }

    fn go(&self, run: &mut Run, to: Option<usize>, effects: &mut Vec<Effect>) -> Outcome {
        go(self.program, run, to, self.moment, effects);
        if run.ended.is_some() { (Progress::Rests, None) } else { MOVED }
    }

    fn next(&self, run: &mut Run, effects: &mut Vec<Effect>) -> Outcome {
        self.go(run, self.step().next, effects)
    }

    /// The step was reached and not begun.
    pub fn begin<F: RunFacts>(&self, run: &mut Run, facts: &mut F, effects: &mut Vec<Effect>) -> Result<Outcome, F::Error> {
        Ok(match &self.step().kind {
            StepKind::Send(send) => self.send(run, send, effects),
            StepKind::Wait(wait) => {
                let contact = facts.contact();
                match until(wait, self.moment.now, run, contact, self.moment.settings, self.moment.zone) {
                    Until::At(at) if at > self.moment.now => self.rest(run, Stage::Waiting(at), Some(at), effects),
                    Until::At(_) | Until::Continue => self.next(run, effects),
                    Until::Exit(why) => self.end(run, EndReason::Exit, Some(why), effects),
                }
            }
            StepKind::WaitFor { within, .. } => {
                let deadline = within.map(|within| self.moment.now.saturating_add(within.millis()));
                self.rest(run, Stage::WaitingFor(deadline), deadline, effects);
                self.wait_for_on(run, facts, deadline, effects)?
            }
            StepKind::Branch { cases } => self.branch(run, facts, cases, effects)?,
            StepKind::Experiment { name, variants, winner } => {
                self.experiment(run, facts, Experiment { name, variants, winner: winner.as_ref() }, effects)?
            }
            StepKind::Repeat(repeat) => self.repeat(run, facts, repeat, effects)?,
            StepKind::Set(assignments) => self.set(run, facts, assignments, effects),
            StepKind::Consent { topic, subscribe } => {
                let kind = if *subscribe { LogKind::Subscribe } else { LogKind::Unsubscribe };
                effects.push(Effect::log(kind, &run.step, json!({ "topic": topic })));
                effects.push(Effect::Consent { topic: topic.clone(), subscribe: *subscribe });
                self.next(run, effects)
            }
            StepKind::Record { event, with } => {
                effects.push(Effect::log(LogKind::Record, &run.step, json!({ "event": event })));
                effects.push(Effect::Record { event: event.clone(), with: with.clone() });
                self.next(run, effects)
            }
            StepKind::Call(_) => self.call(run, effects),
            StepKind::Start { workflow, with } => {
                effects.push(Effect::log(LogKind::Start, &run.step, json!({ "workflow": workflow })));
                effects.push(Effect::Start { workflow: workflow.clone(), with: with.clone() });
                self.next(run, effects)
            }
            StepKind::Exit { reason } => self.end(run, EndReason::Exit, reason.clone(), effects),
        })
    }

    fn end(&self, run: &mut Run, reason: EndReason, detail: Option<String>, effects: &mut Vec<Effect>) -> Outcome {
        end(run, self.moment.now, reason, detail, effects);
        (Progress::Rests, None)
    }

    fn rest(&self, run: &mut Run, stage: Stage, until: Option<i64>, effects: &mut Vec<Effect>) -> Outcome {
        run.state.stage = stage;
        effects.push(Effect::log(LogKind::Wait, &run.step, json!({ "until": until })));
        (Progress::Rests, until)
    }

    fn send(&self, run: &mut Run, send: &Send, effects: &mut Vec<Effect>) -> Outcome {
        // The id is known once the message is stored; whoever applies the effect fills it in.
        run.state.stage = Stage::Sending(MessageId(0));
        effects.push(Effect::Queue(Queue {
            step: run.step.clone(),
            visit: run.state.visit,
            template: send.template.clone(),
            channel: send.channel.clone(),
            topic: send.topic.clone(),
            marketing: !send.transactional,
        }));
        (Progress::Rests, None)
    }

    /// A call goes the way of messages: it is made once, tried again, and the run stands on it until it came out.
    fn call(&self, run: &mut Run, effects: &mut Vec<Effect>) -> Outcome {
        run.state.stage = Stage::Sending(MessageId(0));
        effects.push(Effect::Queue(Queue {
            step: run.step.clone(),
            visit: run.state.visit,
            template: run.step.clone(),
            channel: Some(CALLS.to_owned()),
            topic: None,
            marketing: false,
        }));
        (Progress::Rests, None)
    }

    /// A wait that has begun, or a repeat between two passes.
    pub fn wait_on<F: RunFacts>(
        &self,
        run: &mut Run,
        facts: &mut F,
        until: i64,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, F::Error> {
        match &self.step().kind {
            StepKind::Repeat(repeat) => self.repeat(run, facts, repeat, effects),
            _ if until <= self.moment.timers => Ok(self.next(run, effects)),
            _ => Ok((Progress::Rests, Some(until))),
        }
    }

    /// A wait_for that has begun. What happened up to the deadline, and at it, is in time.
    pub fn wait_for_on<F: RunFacts>(
        &self,
        run: &mut Run,
        facts: &mut F,
        deadline: Option<i64>,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, F::Error> {
        let StepKind::WaitFor { condition, since, then, otherwise, .. } = &self.step().kind else {
            // The step changed its kind under a run that stayed on it: begin it as what it is now.
            run.state.stage = Stage::Ready;
            return Ok(MOVED);
        };
        let now = deadline.map_or(self.moment.now, |deadline| deadline.min(self.moment.now));
        let truth = holds(condition, Counting::WaitFor(*since), self.program, run, facts, Moment { now, ..self.moment })?;
        let over = deadline.is_some_and(|deadline| deadline <= self.moment.timers);
        let (taken, to) = match (truth.holds, over) {
            (true, _) => ("then", *then),
            (false, true) => ("otherwise", *otherwise),
            (false, false) => return Ok((Progress::Rests, earliest(deadline, truth.recheck))),
        };
        effects.push(Effect::log(LogKind::Branch, &run.step, json!({ "taken": taken })));
        Ok(self.go(run, to, effects))
    }

    fn branch<F: RunFacts>(
        &self,
        run: &mut Run,
        facts: &mut F,
        cases: &[Case],
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, F::Error> {
        for (number, case) in cases.iter().enumerate() {
            let taken = match &case.when {
                None => true,
                Some(condition) => holds(condition, Counting::All, self.program, run, facts, self.moment)?.holds,
            };
            if taken {
                effects.push(Effect::log(LogKind::Branch, &run.step, json!({ "taken": number + 1 })));
                return Ok(self.go(run, case.to, effects));
            }
        }
        effects.push(Effect::log(LogKind::Branch, &run.step, json!({ "taken": null })));
        Ok(self.next(run, effects))
    }

    /// The winner once there is one, whatever the contact had before; else what they had, else one by weight.
    fn experiment<F: RunFacts>(
        &self,
        run: &mut Run,
        facts: &mut F,
        Experiment { name, variants, winner }: Experiment<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, F::Error> {
        let called = |wanted: Option<String>| variants.iter().find(|variant| Some(&variant.name) == wanted.as_ref());
        let known = called(facts.assignment(run.workflow, name)?);
        let won = called(if winner.is_some() { facts.winner(run.workflow, name)? } else { None });
        let picked = || pick(variants, &self.program.definition.workflow.name, name, &facts.contact().uid);
        let Some(variant) = won.or(known).or_else(picked) else { return Ok(self.next(run, effects)) };
        let mut detail = json!({ "experiment": name, "variant": variant.name });
        if won.is_some() {
            detail["winner"] = Value::Bool(true);
        }
        effects.push(Effect::log(LogKind::Assign, &run.step, detail));
        if known.is_none() {
            let (experiment, variant) = (name.to_owned(), variant.name.clone());
            effects.push(Effect::Assign { experiment, variant, measured: won.is_none() });
        }
        Ok(self.go(run, variant.to, effects))
    }

    fn repeat<F: RunFacts>(
        &self,
        run: &mut Run,
        facts: &mut F,
        repeat: &Repeat,
        effects: &mut Vec<Effect>,
    ) -> Result<Outcome, F::Error> {
        let now = self.moment.now;
        let pass = run.state.passes.get(&run.step).copied();
        let mut recheck = None;
        let mut over = pass.is_some_and(|pass| pass.done >= repeat.times);
        if let Some(condition) = repeat.until.as_ref().filter(|_| !over) {
            let truth = holds(condition, Counting::All, self.program, run, facts, self.moment)?;
            over = truth.holds;
            recheck = truth.recheck;
        }
        if over {
            run.state.passes.remove(&run.step);
            return Ok(self.next(run, effects));
        }
        let planned = pass.zip(repeat.every).map(|(pass, every)| pass.began.saturating_add(every.millis()));
        let reached = if run.state.stage == Stage::Ready { now } else { self.moment.timers };
        if let Some(at) = planned.filter(|at| *at > reached) {
            if run.state.stage == Stage::Ready {
                self.rest(run, Stage::Waiting(at), Some(at), effects);
            }
            return Ok((Progress::Rests, earliest(Some(at), recheck)));
        }
        // Counted from the planned time, not from when the runner came round to it: passes do not drift.
        let began = planned.unwrap_or(now);
        run.state.passes.insert(run.step.clone(), Pass { done: pass.map_or(0, |pass| pass.done) + 1, began });
        Ok(self.go(run, Some(repeat.body), effects))
    }

    fn set<F: RunFacts>(&self, run: &mut Run, facts: &mut F, assignments: &[Assignment], effects: &mut Vec<Effect>) -> Outcome {
        let mut logged = Map::new();
        let mut contact = Vec::new();
        for Assignment { path, change } in assignments {
            let value = changed(change, value_at(path, run, facts.contact(), self.moment.settings, self.moment.now), self.moment);
            logged.insert(path.to_string(), value.clone());
            match path.root {
                Root::Contact => contact.push((path.clone(), value)),
                Root::Vars | Root::Event => assign(&mut run.state.vars, path, value),
            }
        }
        effects.push(Effect::log(LogKind::Set, &run.step, json!({ "set": logged })));
        if !contact.is_empty() {
            effects.push(Effect::SetContact(contact));
        }
        self.next(run, effects)
    }
}

/// An experiment step.
struct Experiment<'a> {
    name: &'a str,
    variants: &'a [Variant],
    winner: Option<&'a Winner>,
}

/// By weight; the same contact gets the same variant for as long as the weights stay.
fn pick<'a>(variants: &'a [Variant], workflow: &str, experiment: &str, contact: &str) -> Option<&'a Variant> {
    let total: f64 = variants.iter().map(|variant| variant.weight).sum();
    let mut left = stable_fraction(&[workflow, experiment, contact]) * total;
    let fits = variants.iter().find(|variant| {
        left -= variant.weight;
        left < 0.0
    });
    fits.or_else(|| variants.iter().rev().find(|variant| variant.weight > 0.0))
}

fn changed(change: &Change, old: Option<Value>, moment: Moment<'_>) -> Value {
    match change {
        Change::To(value) => value.clone(),
        Change::Now => Value::String(crate::instant::text(moment.now, &crate::instant::project_zone(moment.settings))),
        Change::Add(by) => number(old.as_ref().and_then(Value::as_f64).unwrap_or(0.0) + by),
        Change::Append(value) => {
            let mut list = match old {
                Some(Value::Array(list)) => list,
                Some(single) => vec![single],
                None => Vec::new(),
            };
            if !list.contains(value) {
                list.push(value.clone());
            }
            Value::Array(list)
        }
    }
}

/// A whole number stays one.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        Value::from(value as i64)
    } else {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }
}

/// Sets the value at a path, making objects on the way; null removes it.
pub(crate) fn assign(root: &mut Map<String, Value>, path: &Path, value: Value) {
    let Some((last, parents)) = path.keys.split_last() else { return };
    let mut map = root;
    for key in parents {
        let entry = map.entry(key.clone()).or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        let Value::Object(inner) = entry else { return };
        map = inner;
    }
    if value.is_null() {
        map.remove(last);
    } else {
        map.insert(last.clone(), value);
    }
}

/// When the wait a run stands on ends under this definition, counted from when it began; `None` where it does not stand on a wait.
pub(super) fn deadline(
    program: &Program,
    index: usize,
    run: &Run,
    contact: &crate::state::Contact,
    moment: Moment<'_>,
) -> Option<Option<i64>> {
    let began = run.state.began.0;
    match (&program.definition.workflow.steps[index].kind, run.state.stage) {
        (StepKind::Wait(wait), Stage::Waiting(_)) => Some(match until(wait, began, run, contact, moment.settings, moment.zone) {
            Until::At(at) => Some(at),
            Until::Continue | Until::Exit(_) => Some(moment.now),
        }),
        (StepKind::WaitFor { within, .. }, Stage::WaitingFor(_)) => {
            Some(within.map(|within| began.saturating_add(within.millis())))
        }
        (StepKind::Repeat(repeat), Stage::Waiting(_)) => {
            let pass = run.state.passes.get(&run.step)?;
            Some(Some(repeat.every.map_or(moment.now, |every| pass.began.saturating_add(every.millis()))))
        }
        _ => None,
    }
}
