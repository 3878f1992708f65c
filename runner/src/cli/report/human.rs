//! A report for a terminal.

use std::collections::BTreeMap;
use std::io::{self, Write};

use dsl::model::Metric;

use super::experiments::{ContestReport, ExperimentReport, Lift, MetricReport, VariantReport, WinnerReport, plural};
use super::figures::{MessageReport, Report, WorkflowReport};

/// Writes all of it.
///
/// # Errors
/// Those of writing.
pub fn write(out: &mut dyn Write, report: &Report, colour: bool) -> io::Result<()> {
    if report.workflows.is_empty() {
        return writeln!(out, "nothing has run yet; `campaignd run` puts workflows in force");
    }
    for (index, workflow) in report.workflows.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let (bold, plain) = if colour { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        writeln!(out, "{bold}{}{plain} ({})", workflow.name, workflow.status)?;
        passages(out, workflow)?;
        messages(out, &workflow.messages)?;
        for experiment in &workflow.experiments {
            writeln!(out)?;
            write_experiment(out, experiment)?;
        }
    }
    Ok(())
}

fn passages(out: &mut dyn Write, workflow: &WorkflowReport) -> io::Result<()> {
    let WorkflowReport { entered, active, completed, exited, goal, .. } = workflow;
    let exited: String = exited.iter().map(|(reason, number)| format!(", {reason} {number}")).collect();
    writeln!(out, "  entered {entered}, active {active}, completed {completed}{exited}")?;
    let Some(goal) = goal else { return Ok(()) };
    let rate = goal.rate.map(|rate| format!(" ({})", percent(rate))).unwrap_or_default();
    let worth = goal.value.map(|value| format!(", worth {}", amount(value))).unwrap_or_default();
    writeln!(out, "  goal {}{rate}{worth}", goal.met)
}

fn messages(out: &mut dyn Write, messages: &[MessageReport]) -> io::Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    let head = [
        "step",
        "template",
        "sent",
        "delivered",
        "opened",
        "clicked",
        "bounced",
        "complained",
        "unsubscribed",
        "failed",
        "skipped",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for message in messages {
        let number = |number: u64| number.to_string();
        rows.push([
            message.step.clone(),
            message.template.clone(),
            number(message.sent),
            number(message.delivered),
            share_of(message.opened, message.sent),
            share_of(message.clicked, message.sent),
            number(message.bounced),
            number(message.complained),
            number(message.unsubscribed),
            number(message.failed),
            skipped(&message.skipped),
        ]);
    }
    writeln!(out)?;
    table(out, &rows, 2)
}

/// How many, and of how many that is which part.
fn share_of(number: u64, of: u64) -> String {
    if number == 0 || of == 0 { number.to_string() } else { format!("{number} ({})", percent(number as f64 / of as f64)) }
}

fn skipped(reasons: &BTreeMap<String, u64>) -> String {
    let reasons: Vec<String> = reasons.iter().map(|(reason, number)| format!("{reason} {number}")).collect();
    if reasons.is_empty() { "0".to_owned() } else { reasons.join(", ") }
}

fn write_experiment(out: &mut dyn Write, experiment: &ExperimentReport) -> io::Result<()> {
    writeln!(out, "  experiment {}: {} contacts", experiment.name, experiment.assigned)?;
    for (metric, of) in shown_metrics(experiment) {
        let against = experiment.variants.iter().find_map(|variant| of(variant)?.lift.as_ref()).map(|lift| lift.against.as_str());
        let lift = against.map(|against| format!("against {against}, 95% sure")).unwrap_or_default();
        let mut rows = vec![["variant".to_owned(), "contacts".to_owned(), plural(metric).to_owned(), "rate".to_owned(), lift]];
        for variant in &experiment.variants {
            let Some(figures) = of(variant) else { continue };
            rows.push([
                variant_name(variant),
                variant.assigned.to_string(),
                figures.count.to_string(),
                figures.rate.map(|rate| format!("{} ({})", percent(rate), range(figures.low, figures.high))).unwrap_or_default(),
                figures.lift.as_ref().map(lift_text).unwrap_or_default(),
            ]);
        }
        table(out, &rows, 1)?;
    }
    writeln!(out, "  {}", verdict(experiment))
}

/// The part of a variant that is about one metric.
type Part = fn(&VariantReport) -> Option<&MetricReport>;

/// What decides and whatever else came of any variant.
pub(super) fn shown_metrics(experiment: &ExperimentReport) -> Vec<(Metric, Part)> {
    let all: [(Metric, Part); 3] = [
        (Metric::Opened, |variant| Some(&variant.opened)),
        (Metric::Clicked, |variant| Some(&variant.clicked)),
        (Metric::Goal, |variant| variant.goal.as_ref()),
    ];
    let decides = experiment.contest.as_ref().map(|contest| contest.metric);
    let any = |of: Part| experiment.variants.iter().filter_map(of).any(|figures| figures.count > 0);
    all.into_iter().filter(|(metric, of)| decides == Some(*metric) || any(*of)).collect()
}

pub(super) fn variant_name(variant: &VariantReport) -> String {
    match (variant.holdout, variant.weight) {
        (_, None) => format!("{} (removed)", variant.name),
        (true, _) => format!("{} (hold-out)", variant.name),
        (false, _) => variant.name.clone(),
    }
}

/// The difference in points, and in proportion.
pub(super) fn lift_text(lift: &Lift) -> String {
    let points = |part: f64| format!("{:+.1}", part * 100.0);
    let mut text = format!("{} points ({} to {})", points(lift.difference), points(lift.low), points(lift.high));
    if let (Some(relative), Some(low), Some(high)) = (lift.relative, lift.relative_low, lift.relative_high) {
        text.push_str(&format!(", {}% ({} to {})", points(relative), points(low), points(high)));
    }
    text
}

/// Who has won, or what is missing.
pub(super) fn verdict(experiment: &ExperimentReport) -> String {
    match (&experiment.winner, &experiment.contest) {
        (Some(WinnerReport { variant, at, metric, p, needed, .. }), _) => {
            let since = match at {
                Some(at) => format!("everybody gets it since {at}"),
                None => "everybody gets it from the next contact on".to_owned(),
            };
            format!("winner: {variant}, by {}; {since} ({}, needed below {needed:.4})", plural(*metric), chance(*p))
        }
        (None, Some(ContestReport { metric, confidence, missing, .. })) => {
            let missing = missing.as_deref().unwrap_or_default();
            format!("no winner yet by {} at {}: {missing}", plural(*metric), percent(*confidence))
        }
        (None, None) => "no winner is looked for".to_owned(),
    }
}

fn chance(p: f64) -> String {
    if p < 0.0001 { "p below 0.0001".to_owned() } else { format!("p {p:.4}") }
}

pub(super) fn percent(part: f64) -> String {
    format!("{:.1}%", part * 100.0)
}

pub(super) fn range(low: f64, high: f64) -> String {
    format!("{:.1}–{:.1}%", low * 100.0, high * 100.0)
}

/// With two decimals where there are any.
pub(super) fn amount(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The first `left` columns and the last to the left, numbers to the right.
fn table<const N: usize>(out: &mut dyn Write, rows: &[[String; N]], left: usize) -> io::Result<()> {
    let widths: Vec<usize> =
        (0..N).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()).collect();
    for row in rows {
        let mut line = String::from("    ");
        for (column, cell) in row.iter().enumerate() {
            let width = widths[column];
            if column < left || column == N - 1 {
                line.push_str(&format!("{cell:width$}  "));
            } else {
                line.push_str(&format!("{cell:>width$}  "));
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
