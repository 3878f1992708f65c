//! Experiments: what comes of the variants, and when one of them has won.
//!
//! What happens to a contact costs the same however many there are: what came of a variant is counted as it happens, and nothing is looked up unless
//! an experiment in force may heed it. Whether somebody has won is asked when the next contact comes.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use dsl::model::{Fate, Goal, Metric, StepKind, Winner, Workflow};
use dsl::time::Duration;
use serde_json::Value;

use super::{Kernel, Prepared};
use crate::audience::{Scope, check, walk};
use crate::experiment::{self, Looks, Share};
use crate::standing::{Cause, causes_of};
use crate::state::*;
use crate::store::{Result, StoredFacts};

/// How long after the assignment a goal counts for the variant, where the goal itself sets no time.
const GOAL_WITHIN: Duration = Duration(30 * Duration::DAY.0);

/// What is known of the experiments in force.
#[derive(Clone, Default)]
pub(super) struct Experiments {
    by_workflow: Arc<HashMap<WorkflowId, Vec<Planned>>>,
    goals: Arc<Goals>,
    /// Something may have come of a variant since they were last looked at.
    touched: BTreeSet<(WorkflowId, String)>,
}

/// An experiment as it is written.
struct Planned {
    name: String,
    variants: Vec<String>,
    /// Those of them that can win: they have steps and somebody gets them.
    rivals: Vec<String>,
    winner: Option<Winner>,
}

/// What the goals of workflows with experiments depend on.
#[derive(Default)]
struct Goals {
    events: HashSet<String>,
    /// Something besides events.
    contacts: bool,
}

impl Planned {
    fn all_of(workflow: &Workflow) -> Vec<Planned> {
        let mut all: Vec<Planned> = Vec::new();
        for step in &workflow.steps {
            let StepKind::Experiment { name, variants, winner } = &step.kind else { continue };
            // Of two steps of one name, which share their assignments, the first decides.
            if all.iter().any(|planned| planned.name == *name) {
                continue;
            }
            let rivals = step.rivals(variants);
            let variants = variants.iter().map(|variant| variant.name.clone()).collect();
            all.push(Planned { name: name.clone(), variants, rivals, winner: winner.clone() });
        }
        all
    }
}

impl Goals {
    fn heed(&mut self, causes: BTreeSet<Cause>) {
        for cause in causes {
            match cause {
                Cause::Event(name) => {
                    self.events.insert(name);
                }
                _ => self.contacts = true,
            }
        }
    }
}

impl Kernel {
    /// Takes over the experiments of the workflows in force, and forgets a winner that is not to be had any more.
    pub(super) fn put_experiments_in_force(&mut self) -> Result<()> {
        let mut by_workflow = HashMap::new();
        let mut goals = Goals::default();
        for (id, current) in self.in_force.all() {
            let definition = &current.prepared.program.definition;
            let planned = Planned::all_of(&definition.workflow);
            if planned.is_empty() {
                continue;
            }
            if let Some(goal) = &definition.workflow.goal {
                goals.heed(causes_of(&goal.condition, &definition.segments));
            }
            by_workflow.insert(id, planned);
        }
        let named = |(workflow, planned): (&WorkflowId, &Vec<Planned>)| {
            planned.iter().map(|planned| (*workflow, planned.name.clone())).collect::<Vec<_>>()
        };
        self.experiments.touched = by_workflow.iter().flat_map(named).collect();
        self.experiments.by_workflow = Arc::new(by_workflow);
        self.experiments.goals = Arc::new(goals);
        for contest in self.store.contests()? {
            let planned = self.planned(contest.workflow, &contest.experiment).filter(|planned| planned.winner.is_some());
            let stands = match (planned, &contest.winner) {
                (Some(planned), Some(won)) => planned.variants.contains(&won.variant),
                (planned, _) => planned.is_some(),
            };
            if !stands {
                if let Some(won) = &contest.winner {
                    tracing::info!(
                        experiment = contest.experiment,
                        variant = won.variant,
                        "an edit took the winner away: it is forgotten"
                    );
                }
                self.store.drop_contest(contest.workflow, &contest.experiment)?;
            }
        }
        Ok(())
    }

    fn planned(&self, workflow: WorkflowId, experiment: &str) -> Option<&Planned> {
        self.experiments.by_workflow.get(&workflow)?.iter().find(|planned| planned.name == experiment)
    }

    /// The run was given a variant.
    pub(super) fn assigned(&mut self, run: &Run, experiment: String, variant: String, measured: bool) -> Result<()> {
        let since = (!run.state.goal_met).then_some(run.state.since);
        let assignment = Assignment {
            contact: run.contact,
            workflow: run.workflow,
            experiment,
            variant,
            at: self.now,
            measured: measured.then(|| Measured::new(run.id, since)),
        };
        self.store.assign(&assignment)?;
        if measured {
            self.experiments.touched.insert((run.workflow, assignment.experiment));
        }
        Ok(())
    }

    /// The run met its goal.
    pub(super) fn goal_met(&mut self, run: &Run, value: Option<f64>) -> Result<()> {
        self.store.count(run.workflow, "goal", 1)?;
        if let Some(value) = value {
            self.store.add_goal_value(run.workflow, value)?;
        }
        if !self.experiments.by_workflow.contains_key(&run.workflow) {
            return Ok(());
        }
        let goal = self.goal_of(run.workflow);
        for assignment in self.assignments_of_run(run)? {
            if self.now <= counts_until(goal.as_ref(), run, &assignment) {
                self.came_of(&assignment, Metric::Goal, self.now, value)?;
            }
        }
        Ok(())
    }

    fn goal_of(&self, workflow: WorkflowId) -> Option<Goal> {
        self.in_force.get(workflow).and_then(|current| current.prepared.program.goal()).cloned()
    }

    fn assignments_of_run(&mut self, run: &Run) -> Result<Vec<Assignment>> {
        let mut all = self.store.assignments_of(run.contact)?;
        all.retain(|one| one.measured.is_some_and(|measured| measured.run == run.id));
        Ok(all)
    }

    fn came_of(&mut self, assignment: &Assignment, metric: Metric, at: i64, value: Option<f64>) -> Result<()> {
        if self.store.reached(assignment, metric, at, value)? {
            self.experiments.touched.insert((assignment.workflow, assignment.experiment.clone()));
        }
        Ok(())
    }

    /// An event was stored: an open or a click may count for the variant whose run sent the message.
    pub(super) fn measure(&mut self, name: &str, event: &Event) -> Result<()> {
        let metric = match Fate::from_event(name) {
            Some(Fate::Opened) => Metric::Opened,
            Some(Fate::Clicked) => Metric::Clicked,
            _ => return Ok(()),
        };
        if self.experiments.by_workflow.is_empty() || event.properties["machine"] == true {
            return Ok(());
        }
        let Some(message) = event.message else { return Ok(()) };
        let Some(message) = self.store.message(message)? else { return Ok(()) };
        if !self.experiments.by_workflow.contains_key(&message.workflow) {
            return Ok(());
        }
        for assignment in self.store.assignments_of(message.contact)? {
            let sent_it = assignment.measured.is_some_and(|measured| measured.run == message.run);
            if sent_it && assignment.at <= message.created_at {
                self.came_of(&assignment, metric, event.at, None)?;
            }
        }
        Ok(())
    }

    /// Something happened to the contact, `None`: but no event. A run that had ended by then may have met its goal, as it would have counted inside.
    pub(super) fn look_at_goals_since(&mut self, contact: ContactId, event: Option<(&str, &Value)>) -> Result<()> {
        let goals = &self.experiments.goals;
        let heeded = match event {
            Some((name, _)) => goals.events.contains(name),
            None => goals.contacts,
        };
        if !heeded {
            return Ok(());
        }
        for assignment in self.store.assignments_of(contact)? {
            let Some(Measured { run, since: Some(since), goal_at: None, .. }) = assignment.measured else { continue };
            let Some(goal) = self.goal_of(assignment.workflow) else { continue };
            let Some(run) = self.store.run(run)?.filter(|run| run.ended.is_some()) else { continue };
            let until = counts_until(Some(&goal), &run, &assignment);
            // What comes later than this is told late by more than anything that starts something may be.
            if self.now > until.saturating_add(self.plan.catalog.settings.grace.millis()) {
                continue;
            }
            let now = self.now.min(until);
            if self.holds_since(&goal, &run, since, now)? {
                let value = goal.value.as_ref().zip(event).and_then(|(path, (_, properties))| walk(properties, &path.keys));
                self.came_of(&assignment, Metric::Goal, now, value.and_then(Value::as_f64))?;
            }
        }
        Ok(())
    }

    /// The goal, as it counts from the run's entry. What the run itself remembered is gone with it.
    fn holds_since(&mut self, goal: &Goal, run: &Run, since: Mark, now: i64) -> Result<bool> {
        let Some(current) = self.in_force.get(run.workflow).cloned() else { return Ok(false) };
        let contact = self.load_contact(run.contact)?;
        let (plan, zone) = (self.plan.clone(), self.zone_of(&contact));
        let segments = &current.prepared.program.definition.segments;
        let scope = Scope {
            entry: Some(since),
            step: Some(since),
            default_since: Some(since),
            ..Scope::outside(now, &zone, &plan.catalog.settings, segments)
        };
        let mut facts = StoredFacts { store: &mut *self.store, contact: &contact };
        Ok(check(&goal.condition, &scope, &mut facts)?.holds)
    }

    /// A run is about to be given a variant: now, and not before, it matters who has won. What came of the variants meanwhile is seen all together,
    /// whatever came first.
    pub(super) fn decide_where(&mut self, run: &Run, prepared: &Prepared) -> Result<()> {
        if self.experiments.touched.is_empty() || run.ended.is_some() || run.state.stage != Stage::Ready {
            return Ok(());
        }
        let step = prepared.program.step(&run.step).map(|index| &prepared.program.definition.workflow.steps[index].kind);
        let Some(StepKind::Experiment { name, winner: Some(_), .. }) = step else { return Ok(()) };
        if self.experiments.touched.remove(&(run.workflow, name.clone())) { self.decide(run.workflow, name) } else { Ok(()) }
    }

    fn decide(&mut self, workflow: WorkflowId, name: &str) -> Result<()> {
        let Some(Planned { rivals, winner: Some(winner), .. }) = self.planned(workflow, name) else { return Ok(()) };
        let (rivals, winner) = (rivals.clone(), winner.clone());
        let fresh =
            Contest { workflow, experiment: name.to_owned(), metric: winner.metric, looks: Looks::default(), winner: None };
        // Of another metric nothing has been seen yet.
        let known = self.store.contest(workflow, name)?.filter(|known| known.winner.is_some() || known.metric == winner.metric);
        let mut contest = known.unwrap_or(fresh);
        if contest.winner.is_some() {
            return Ok(());
        }
        let mut counts = self.store.variant_counts(Some(workflow))?;
        counts.retain(|count| count.experiment == name);
        let Some((looks, won)) = stands(&winner, &rivals, &counts, contest.looks, self.now) else { return Ok(()) };
        contest.looks = looks;
        if let Some(won) = &won {
            let workflow = self.in_force.get(workflow).map_or("", |current| &current.name);
            tracing::info!(
                workflow,
                experiment = name,
                variant = won.variant,
                p = won.p,
                "an experiment is decided: from now on everybody gets this variant"
            );
        }
        contest.winner = won;
        self.store.set_contest(&contest)
    }
}

/// Until when a goal counts for the variant, inside the run and after it.
fn counts_until(goal: Option<&Goal>, run: &Run, assignment: &Assignment) -> i64 {
    match goal.and_then(|goal| goal.within) {
        Some(within) => run.entered_at.saturating_add(within.millis()),
        None => assignment.at.saturating_add(GOAL_WITHIN.millis()),
    }
}

/// What a look at the counts of an experiment shows: the looks with this one, and the variant that has won. `None`: it is not time for one.
pub(crate) fn stands(
    winner: &Winner,
    rivals: &[String],
    counts: &[VariantCount],
    before: Looks,
    now: i64,
) -> Option<(Looks, Option<Won>)> {
    let figure = |variant: &String| {
        let count = counts.iter().find(|count| count.variant == *variant);
        Figure {
            variant: variant.clone(),
            assigned: count.map_or(0, |count| count.assigned),
            reached: count.map_or(0, |count| count.reached(winner.metric)),
        }
    };
    let figures: Vec<Figure> = rivals.iter().map(figure).collect();
    let shares: Vec<Share> = figures.iter().map(|figure| Share { did: figure.reached, of: figure.assigned }).collect();
    let plan = experiment::Plan { after: u64::from(winner.after), confidence: winner.confidence };
    let look = experiment::look(&plan, counts.iter().map(|count| count.assigned).sum(), &shares, before)?;
    let best = look.winner.and_then(|index| rivals.get(index));
    let won = best.map(|best| Won {
        variant: best.clone(),
        at: now,
        metric: winner.metric,
        figures,
        p: look.p,
        method: look.method,
        needed: look.needed,
    });
    Some((look.looks, won))
}
