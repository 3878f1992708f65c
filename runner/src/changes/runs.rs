//! What becomes of the runs inside, by the engine itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::model::InFlight;

use super::before::Stored;
use super::{After, Fate, Planner, Runs, StepRuns, is_frozen, shown};
use crate::engine::{self, Effect, Program, Progress};
use crate::instant::project_zone;
use crate::standing::{self, Happened, contact_row};
use crate::state::{Contact, EndReason, Run};
use crate::store::{Result, StoredFacts, WorkflowRow};

/// So many runs are read at once.
const PAGE: usize = 1000;

/// What a workflow's runs come to.
struct Target {
    /// `None`: its file is gone.
    program: Option<Program>,
    hash: String,
    /// What is in force.
    current: Option<Arc<Stored>>,
    pinned: bool,
    frozen: bool,
    was_frozen: bool,
}

impl Planner<'_> {
    pub(super) fn runs(&mut self, row: &WorkflowRow, after: Option<&After<'_>>) -> Result<Runs> {
        let target = Target {
            program: after.map(|after| Program::new(after.entry.definition.clone())),
            hash: after.map(|after| after.entry.hash.0.clone()).unwrap_or_default(),
            current: self.before.current(row),
            pinned: after.is_some_and(|after| after.entry.definition.workflow.in_flight == InFlight::Pinned),
            frozen: after.is_some_and(|after| is_frozen(super::status_word(after.status))),
            was_frozen: is_frozen(shown(row)),
        };
        let (mut runs, mut steps) = (Runs::default(), BTreeMap::<String, StepRuns>::new());
        let mut place = None;
        loop {
            let page = self.store.open_runs_of(row.id, place, PAGE)?;
            let Some(last) = page.last() else { break };
            place = Some((last.contact, last.id));
            for run in page {
                let step = run.step.clone();
                let (fate, to) = self.becomes(run, &target, &mut runs.ends)?;
                let stood = StepRuns { step: step.clone(), runs: 0, becomes: BTreeMap::new(), moves_to: None };
                let entry = steps.entry(step).or_insert(stood);
                entry.runs += 1;
                *entry.becomes.entry(fate).or_default() += 1;
                entry.moves_to = to.or(entry.moves_to.take());
                runs.inside += 1;
                *runs.becomes.entry(fate).or_default() += 1;
            }
        }
        runs.steps = steps.into_values().collect();
        Ok(runs)
    }

    /// As the kernel does soon after an edit, with each open run.
    fn becomes(&mut self, mut run: Run, target: &Target, ends: &mut BTreeMap<String, u64>) -> Result<(Fate, Option<String>)> {
        if target.frozen {
            return Ok((Fate::Frozen, None));
        }
        let own = self.before.stored(self.store, run.definition)?;
        let under = match &target.program {
            None => Err(Fate::Closing),
            Some(_) if own.hash == target.hash => Err(Fate::Stays),
            Some(_) if target.pinned => Err(Fate::Pinned),
            Some(program) => Ok(program),
        };
        if let Err(fate) = under
            && !target.was_frozen
            && self.changed.traits.is_empty()
        {
            return Ok((fate, None));
        }
        let Some((contact, retraited)) = self.contact(&run)? else { return Ok((Fate::Stays, None)) };
        // The runner goes through all open runs of whom a trait has become another.
        let looked_at = target.was_frozen || retraited;
        let (was, stood) = (run.due, run.step.clone());
        let fate = match under {
            Ok(program) if !self.follow(program, &mut run, &contact) => {
                let left = target.current.as_ref().is_some_and(|current| current.program.step(&run.step).is_none());
                Err(if left { Fate::Older } else { Fate::StepGone })
            }
            Ok(program) => Ok(program),
            Err(fate) => Err(fate),
        };
        let moved = (run.step != stood).then(|| run.step.clone());
        // Those that stay under what they began with were looked at all along, but for those that were frozen and those whose traits move.
        let program = match fate {
            Ok(program) => program,
            Err(fate) if !looked_at => return Ok((fate, None)),
            Err(_) => &own.program,
        };
        let due = run.due;
        let (went, ended) = self.advance(program, &mut run, &contact)?;
        let goes_anyway = was.is_some_and(|was| was <= self.moment.now) && !target.was_frozen;
        let fate = match (ended, went, fate) {
            (Some(reason), ..) => {
                *ends.entry(reason.to_owned()).or_default() += 1;
                Fate::Ends
            }
            (None, _, Ok(_)) if moved.is_some() => Fate::Moved,
            (None, true, Ok(_)) if goes_anyway => Fate::Follows,
            (None, true, Err(fate)) if goes_anyway => fate,
            (None, true, _) => Fate::AtOnce,
            (None, false, Ok(_)) if due != was => Fate::Rescheduled,
            (None, false, Ok(_)) => Fate::Follows,
            (None, false, Err(fate)) => fate,
        };
        Ok((fate, moved.filter(|_| fate == Fate::Moved)))
    }

    fn follow(&self, program: &Program, run: &mut Run, contact: &Contact) -> bool {
        let zone = self.zone_of(contact);
        engine::follow(program, run, contact, self.engine_moment(&zone), &mut Vec::new())
    }

    /// Whether the run goes on at once, and why it ends if it does.
    fn advance(&mut self, program: &Program, run: &mut Run, contact: &Contact) -> Result<(bool, Option<&'static str>)> {
        let zone = self.zone_of(contact);
        let tree = self.tree.clone();
        let moment = engine::Moment {
            now: self.moment.now,
            timers: self.moment.now,
            last_event: self.moment.last_event,
            zone: &zone,
            settings: &tree.settings,
        };
        let mut facts = StoredFacts { store: &mut *self.store, contact };
        let (effects, progress) = engine::advance(program, run, &mut facts, moment, None)?;
        let sends = effects.iter().any(|effect| matches!(effect, Effect::Queue(_)));
        // Whoever comes to the end of the steps goes on, too.
        let by_condition = |reason: &EndReason| matches!(reason, EndReason::ExitWhen | EndReason::Goal);
        let ended = run.ended.as_ref().map(|ended| ended.reason);
        Ok((progress == Progress::Moved || sends || ended.is_some(), ended.filter(by_condition).map(EndReason::word)))
    }

    fn engine_moment<'m>(&'m self, zone: &'m jiff::tz::TimeZone) -> engine::Moment<'m> {
        let standing::Moment { now, last_event } = self.moment;
        engine::Moment { now, timers: now, last_event, zone, settings: &self.tree.settings }
    }

    pub(super) fn zone_of(&self, contact: &Contact) -> jiff::tz::TimeZone {
        contact.time_zone.as_deref().and_then(dsl::time::zone).unwrap_or_else(|| project_zone(&self.tree.settings))
    }

    /// The run's contact with traits as they would be, and whether they are others than they are; `None`: it is gone.
    fn contact(&mut self, run: &Run) -> Result<Option<(Contact, bool)>> {
        let Some(contact) = contact_row(self.store, run.contact)? else { return Ok(None) };
        let traits = contact.traits.clone();
        let contact = self.worked_out(contact)?;
        let retraited = contact.traits != traits;
        Ok(Some((contact, retraited)))
    }

    pub(super) fn worked_out(&mut self, contact: Contact) -> Result<Contact> {
        if !self.definitions.outdated(&contact, self.moment.now) {
            return Ok(contact);
        }
        let worked_out = self.definitions.look(self.store, contact, Happened::Nothing, self.moment)?;
        Ok(worked_out.contact)
    }
}
