//! What a report says of experiments: rates, lifts with their intervals, and who has won or what is still missing.

use dsl::model::{Metric, Step, StepKind, Variant, Winner, Workflow};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::experiment::{Interval, Looks, Method, Share, compare, difference, next_look, rate, ratio};
use crate::instant;
use crate::kernel::stands;
use crate::state::{Figure, VariantCount, WorkflowId};
use crate::store::{Result, Store};

#[derive(Debug, Serialize)]
pub struct ExperimentReport {
    pub name: String,
    /// The step's id.
    pub step: String,
    /// Contacts in all variants, as far as they are measured.
    pub assigned: u64,
    /// In the order in which they are written, then those that are not written any more.
    pub variants: Vec<VariantReport>,
    /// `None`: it is not to have a winner.
    pub contest: Option<ContestReport>,
    pub winner: Option<WinnerReport>,
}

#[derive(Debug, Serialize)]
pub struct VariantReport {
    pub name: String,
    /// `None`: not written any more.
    pub weight: Option<f64>,
    /// Without steps: measured, and cannot win.
    pub holdout: bool,
    pub assigned: u64,
    pub opened: MetricReport,
    pub clicked: MetricReport,
    /// `None`: the workflow has no goal.
    pub goal: Option<MetricReport>,
    /// What the goals were worth together.
    pub value: f64,
}

/// How many did it, with Wilson's interval of the rate.
#[derive(Debug, Serialize)]
pub struct MetricReport {
    pub count: u64,
    /// `None`: of nobody.
    pub rate: Option<f64>,
    pub low: f64,
    pub high: f64,
    /// Against the variant that others are compared with; `None` for that one itself, and for opens and clicks of hold-outs.
    pub lift: Option<Lift>,
}

/// How much more do it than of another variant. All intervals are of 95%.
#[derive(Debug, Serialize)]
pub struct Lift {
    pub against: String,
    /// Of the rates, with Newcombe's interval.
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    /// The difference in proportion to the other's rate, with the interval of the logarithm of the ratio; `None` where a rate is 0.
    pub relative: Option<f64>,
    pub relative_low: Option<f64>,
    pub relative_high: Option<f64>,
    /// Of this one comparison, on both sides, at this one moment: it decides nothing.
    pub p: f64,
}

/// How the winner is found.
#[derive(Debug, Serialize)]
pub struct ContestReport {
    pub metric: Metric,
    pub after: u32,
    pub confidence: f64,
    /// Looks taken so far.
    pub looks: u32,
    /// What the next look waits for, or why the last did not decide; `None` once somebody has won.
    pub missing: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct WinnerReport {
    pub variant: String,
    /// Since when everybody gets it; `None`: from the next contact on who comes to the step, if nothing changes until then.
    pub at: Option<String>,
    pub metric: Metric,
    /// The largest p against another variant, how it was found, and below what it had to be.
    pub p: f64,
    pub method: Method,
    pub needed: f64,
    /// What it was decided by.
    pub figures: Vec<Figure>,
}

/// The experiments of a workflow, in the order of its steps.
///
/// # Errors
/// Those of the store.
pub fn experiments(
    store: &mut dyn Store,
    id: WorkflowId,
    workflow: &Workflow,
    now: i64,
    zone: &TimeZone,
) -> Result<Vec<ExperimentReport>> {
    let counts = store.variant_counts(Some(id))?;
    let mut reports: Vec<ExperimentReport> = Vec::new();
    for step in &workflow.steps {
        let StepKind::Experiment { name, variants, winner } = &step.kind else { continue };
        if reports.iter().any(|report| report.name == *name) {
            continue;
        }
        let counts: Vec<VariantCount> = counts.iter().filter(|count| count.experiment == *name).cloned().collect();
        let (contest, winner) = match winner {
            Some(winner) => {
                let known = store.contest(id, name)?;
                let rivals = step.rivals(variants);
                contest(winner, &rivals, &counts, known, now, zone)
            }
            None => (None, None),
        };
        reports.push(ExperimentReport {
            name: name.clone(),
            step: step.id.clone(),
            assigned: counts.iter().map(|count| count.assigned).sum(),
            variants: variant_reports(step, variants, &counts, workflow.goal.is_some()),
            contest,
            winner,
        });
    }
    Ok(reports)
}

fn variant_reports(step: &Step, variants: &[Variant], counts: &[VariantCount], goal: bool) -> Vec<VariantReport> {
    let holdout = variants.iter().find(|variant| step.is_holdout(variant));
    let holdouts: Vec<&str> =
        variants.iter().filter(|variant| step.is_holdout(variant)).map(|variant| variant.name.as_str()).collect();
    let treated = variants.iter().find(|variant| !step.is_holdout(variant));
    let first = |metric: Metric| match metric {
        // Whoever is sent nothing opens nothing.
        Metric::Opened | Metric::Clicked => treated,
        Metric::Goal => holdout.or(treated),
    };
    let share = |name: &str, metric: Metric| {
        let count = counts.iter().find(|count| count.variant == name);
        count.map_or_else(Share::default, |count| Share { did: count.reached(metric), of: count.assigned })
    };
    let metric = |name: &str, metric: Metric| {
        let own = share(name, metric);
        let sent_nothing = metric != Metric::Goal && holdouts.contains(&name);
        let against = first(metric).filter(|first| first.name != name && !sent_nothing);
        let Interval { low, high } = rate(own);
        MetricReport {
            count: own.did,
            rate: (own.of > 0).then(|| own.rate()),
            low,
            high,
            lift: against.and_then(|against| lift(own, &against.name, share(&against.name, metric))),
        }
    };
    let gone = counts.iter().filter(|count| variants.iter().all(|variant| variant.name != count.variant));
    let names = variants.iter().map(|variant| (&variant.name, Some(variant))).chain(gone.map(|count| (&count.variant, None)));
    let report = |(name, variant): (&String, Option<&Variant>)| {
        let count = counts.iter().find(|count| count.variant == *name);
        VariantReport {
            name: name.clone(),
            weight: variant.map(|variant| variant.weight),
            holdout: variant.is_some_and(|variant| step.is_holdout(variant)),
            assigned: count.map_or(0, |count| count.assigned),
            opened: metric(name, Metric::Opened),
            clicked: metric(name, Metric::Clicked),
            goal: goal.then(|| metric(name, Metric::Goal)),
            value: count.map_or(0.0, |count| count.value),
        }
    };
    names.map(report).collect()
}

fn lift(own: Share, against: &str, other: Share) -> Option<Lift> {
    let Interval { low, high } = difference(own, other)?;
    let relative = ratio(own, other);
    Some(Lift {
        against: against.to_owned(),
        difference: own.rate() - other.rate(),
        low,
        high,
        relative: relative.map(|_| own.rate() / other.rate() - 1.0),
        relative_low: relative.map(|relative| relative.low - 1.0),
        relative_high: relative.map(|relative| relative.high - 1.0),
        p: compare(own, other).p,
    })
}

fn contest(
    winner: &Winner,
    rivals: &[String],
    counts: &[VariantCount],
    known: Option<crate::state::Contest>,
    now: i64,
    zone: &TimeZone,
) -> (Option<ContestReport>, Option<WinnerReport>) {
    let known = known.filter(|known| known.winner.is_some() || known.metric == winner.metric);
    let looks = known.as_ref().map_or_else(Looks::default, |known| known.looks);
    let (won, at) = match known.and_then(|known| known.winner) {
        Some(won) => {
            let at = instant::text(won.at, zone);
            (Some(won), Some(at))
        }
        // As the kernel will see it when the next contact comes.
        None => (stands(winner, rivals, counts, looks, now).and_then(|(_, won)| won), None),
    };
    let missing = won.is_none().then(|| missing(winner, rivals, counts, looks));
    let report =
        ContestReport { metric: winner.metric, after: winner.after, confidence: winner.confidence, looks: looks.taken, missing };
    let winner = won.map(|won| WinnerReport {
        variant: won.variant,
        at,
        metric: won.metric,
        p: won.p,
        method: won.method,
        needed: won.needed,
        figures: won.figures,
    });
    (Some(report), winner)
}

fn missing(winner: &Winner, rivals: &[String], counts: &[VariantCount], looks: Looks) -> String {
    let assigned: u64 = counts.iter().map(|count| count.assigned).sum();
    if assigned < u64::from(winner.after) {
        return format!("{assigned} of {} contacts", winner.after);
    }
    let of_rivals = counts.iter().filter(|count| rivals.contains(&count.variant));
    let did: u64 = of_rivals.map(|count| count.reached(winner.metric)).sum();
    let next = next_look(looks);
    if did < next {
        return format!("{did} of {next} {} for the next look", plural(winner.metric));
    }
    "no difference that is sure enough".to_owned()
}

/// What is counted.
pub fn plural(metric: Metric) -> &'static str {
    match metric {
        Metric::Opened => "opens",
        Metric::Clicked => "clicks",
        Metric::Goal => "goals",
    }
}
