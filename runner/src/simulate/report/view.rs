//! What the page's template sees.

use std::collections::BTreeMap;

use dsl::model::Catalog;
use jiff::civil::Date;
use serde::Serialize;

use super::super::figures::{Cause, Figures, HoldFigures, MessageFigures, WorkflowFigures};
use super::super::summary::{counted, grouped, people, span};
use super::days::{self, COLOURS, long};
use super::drawn::drawn;
use super::{Head, charts};
use crate::instant;
use crate::page::{Bar, bars};

/// For how many limits it is said how many got more.
const LIMITS: u32 = 10;
/// How many of those who got the most are named.
const NAMED: usize = 10;

#[derive(Serialize)]
pub struct View {
    style: String,
    project: String,
    from: Moment,
    until: Moment,
    /// Who and what was simulated, in a sentence.
    who: String,
    tiles: Vec<Tile>,
    sent: bool,
    days: String,
    legend: Vec<Legend>,
    months: Months,
    pressure: Option<PressureView>,
    holds: Vec<HoldView>,
    unresolved: Option<String>,
    skips: Vec<SkipView>,
    workflows: Vec<WorkflowView>,
}

/// A time, for programs and for people.
#[derive(Serialize)]
struct Moment {
    exact: String,
    shown: String,
}

/// A figure and what it is.
#[derive(Serialize)]
struct Tile {
    name: &'static str,
    figure: String,
    note: String,
}

#[derive(Serialize)]
struct Legend {
    colour: usize,
    name: String,
    messages: String,
}

/// The chart of days as a table.
#[derive(Serialize)]
struct Months {
    workflows: Vec<String>,
    rows: Vec<MonthRow>,
}

#[derive(Serialize)]
struct MonthRow {
    month: String,
    counts: Vec<String>,
    sum: String,
}

#[derive(Serialize)]
struct PressureView {
    chart: String,
    people: String,
    above: Vec<Above>,
    worst: Vec<WorstView>,
}

#[derive(Serialize)]
struct Above {
    limit: u32,
    people: String,
    share: String,
}

#[derive(Serialize)]
struct WorstView {
    contact: String,
    most: u32,
    at: String,
    total: u32,
}

#[derive(Serialize)]
struct HoldView {
    workflow: String,
    why: &'static str,
    /// The sum over all workflows.
    whole: bool,
    messages: String,
    mean: String,
    longest: String,
    skipped: String,
}

#[derive(Serialize)]
struct SkipView {
    workflow: String,
    step: String,
    reason: &'static str,
    word: String,
    count: String,
    contacts: Vec<String>,
}

#[derive(Serialize)]
struct WorkflowView {
    name: String,
    /// For links inside the page.
    anchor: String,
    bars: String,
    goal: Option<String>,
    picture: String,
    messages: Vec<MessageView>,
    experiments: Vec<ExperimentView>,
}

#[derive(Serialize)]
struct MessageView {
    name: String,
    sent: String,
    skipped: String,
    failed: String,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct ExperimentView {
    name: String,
    variants: Vec<Share>,
}

/// How many of all.
#[derive(Serialize)]
struct Share {
    name: String,
    count: String,
    share: String,
}

impl View {
    pub fn of(head: &Head, catalog: &Catalog, figures: &Figures, style: String) -> View {
        let dates = dates(head);
        let workflows = catalog.workflows.iter().map(|(name, entry)| {
            let none = WorkflowFigures::default();
            let passed = figures.workflows.get(name).unwrap_or(&none);
            let workflow = &entry.definition.workflow;
            WorkflowView {
                anchor: format!("workflow-{name}"),
                bars: passages(name, passed, workflow.goal.is_some()),
                goal: passed.goal_value.map(amount),
                picture: drawn(&entry.definition, passed),
                messages: messages(passed),
                experiments: experiments(passed),
                name: name.clone(),
            }
        });
        let busy = figures.workflows.iter().filter(|(_, workflow)| !workflow.days.is_empty());
        let legend = busy.enumerate().map(|(index, (name, workflow))| Legend {
            colour: index.min(COLOURS - 1),
            name: name.clone(),
            messages: grouped(workflow.days.values().sum()),
        });
        View {
            style,
            project: head.project.clone(),
            from: moment(&head.from),
            until: moment(&head.until),
            who: who(head),
            tiles: tiles(figures),
            sent: figures.sent() > 0,
            days: dates.map(|(first, last)| days::chart(figures, first, last)).unwrap_or_default(),
            legend: legend.collect(),
            months: months(figures),
            pressure: pressure(head, figures),
            holds: holds(figures),
            unresolved: (figures.holds.unresolved() > 0).then(|| counted(figures.holds.unresolved(), "message")),
            skips: skips(figures),
            workflows: workflows.collect(),
        }
    }
}

/// The time of day is left out at midnight.
fn moment(text: &str) -> Moment {
    let day = long(text.get(..10).unwrap_or_default());
    let time = text.get(11..16).filter(|time| *time != "00:00");
    Moment { exact: text.to_owned(), shown: time.map_or_else(|| day.clone(), |time| format!("{day}, {time}")) }
}

fn who(head: &Head) -> String {
    let made = match &head.audience {
        Some(audience) => format!("The made-up audience {audience}: {} at the start", people(head.contacts)),
        None => counted(head.contacts, "contact"),
    };
    let newcomers = head.newcomers_text();
    let seed = if head.seed.is_empty() { String::new() } else { format!(", seed {}", head.seed) };
    format!("{made}{newcomers}, {}{seed}.", counted(head.events, "event"))
}

/// The first and the last day that is simulated.
fn dates(head: &Head) -> Option<(Date, Date)> {
    let date = |text: &str| text.get(..10)?.parse::<Date>().ok();
    let (first, end) = (date(&head.from)?, date(&head.until)?);
    // An end at midnight is the last moment of the day before.
    let midnight = head.until.get(11..19) == Some("00:00:00");
    let last = if midnight { end.yesterday().ok()? } else { end };
    Some((first, last.max(first)))
}

fn tiles(figures: &Figures) -> Vec<Tile> {
    let busiest = figures.busiest();
    let worst = figures.pressure.worst(1).into_iter().next();
    // The channel's rate holds nobody back for long; that is in the table.
    let held = figures.holds.causes().into_iter().filter(|(cause, _)| *cause != Cause::Rate);
    let held = held.map(|(_, held)| held).fold(HoldFigures::default(), HoldFigures::and);
    let skipped = figures.skipped();
    let reasons: Vec<String> = skipped.iter().map(|(reason, count)| format!("{} {}", grouped(*count), words(reason))).collect();
    vec![
        Tile {
            name: "Messages sent",
            figure: grouped(figures.sent()),
            note: format!("to {}", people(figures.pressure.people())),
        },
        Tile {
            name: "On the busiest day",
            figure: grouped(busiest.map_or(0, |(_, most)| most)),
            note: busiest.map(|(date, _)| long(date)).unwrap_or_default(),
        },
        Tile {
            name: "Most to one person in 7 days",
            figure: worst.as_ref().map_or(0, |worst| worst.most).to_string(),
            note: worst.map(|worst| worst.contact).unwrap_or_default(),
        },
        Tile {
            name: "Had to wait",
            figure: grouped(held.messages),
            note: if held.messages > 0 { format!("{} on average", span(held.mean())) } else { String::new() },
        },
        Tile { name: "Not sent", figure: grouped(skipped.values().sum()), note: reasons.join(", ") },
    ]
}

fn passages(name: &str, figures: &WorkflowFigures, goal: bool) -> String {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let mut all = vec![Bar::new("entered", number(figures.entered), "entered")];
    if goal {
        all.push(Bar::new("goal met", number(figures.goals), "goal"));
    }
    let completed = figures.exits.get("completed").copied().unwrap_or_default();
    all.push(Bar::new("completed", number(completed), "left"));
    let others = figures.exits.iter().filter(|(reason, _)| *reason != "completed");
    all.extend(others.map(|(reason, count)| Bar::new(&format!("left: {reason}"), number(*count), "left")));
    all.push(Bar::new("still inside", number(figures.inside()), "inside"));
    bars(&format!("{name} in numbers"), &all)
}

fn messages(figures: &WorkflowFigures) -> Vec<MessageView> {
    let one = |(name, message): (&String, &MessageFigures)| {
        let reasons: Vec<String> =
            message.skipped.iter().map(|(reason, count)| format!("{} {}", grouped(*count), words(reason))).collect();
        let (first, last) = message.dates.clone().unwrap_or_else(|| ("–".to_owned(), "–".to_owned()));
        MessageView {
            name: name.clone(),
            sent: grouped(message.sent),
            skipped: if reasons.is_empty() { "0".to_owned() } else { reasons.join(", ") },
            failed: grouped(message.failed),
            first,
            last,
        }
    };
    figures.messages.iter().map(one).collect()
}

fn experiments(figures: &WorkflowFigures) -> Vec<ExperimentView> {
    let one = |(name, variants): (&String, &BTreeMap<String, u64>)| {
        let whole: u64 = variants.values().sum();
        let variants = variants.iter().map(|(name, count)| Share {
            name: name.clone(),
            count: grouped(*count),
            share: percent(*count, whole),
        });
        ExperimentView { name: name.clone(), variants: variants.collect() }
    };
    figures.experiments.iter().map(one).collect()
}

fn months(figures: &Figures) -> Months {
    let mut rows: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (name, workflow) in &figures.workflows {
        for (date, count) in &workflow.days {
            *rows.entry(date.get(..7).unwrap_or_default()).or_default().entry(name.as_str()).or_default() += count;
        }
    }
    let busy = figures.workflows.iter().filter(|(_, workflow)| !workflow.days.is_empty());
    let workflows: Vec<String> = busy.map(|(name, _)| name.clone()).collect();
    let rows = rows.into_iter().map(|(month, counts)| MonthRow {
        month: month.to_owned(),
        counts: workflows.iter().map(|name| grouped(counts.get(name.as_str()).copied().unwrap_or_default())).collect(),
        sum: grouped(counts.values().sum()),
    });
    Months { rows: rows.collect(), workflows }
}

fn pressure(head: &Head, figures: &Figures) -> Option<PressureView> {
    let all = figures.pressure.people();
    if all == 0 {
        return None;
    }
    let above = (1..=LIMITS).map(|limit| {
        let above = figures.pressure.above(limit);
        Above { limit, people: grouped(above), share: percent(above, all) }
    });
    let worst = figures.pressure.worst(NAMED).into_iter().map(|worst| WorstView {
        contact: worst.contact,
        most: worst.most,
        at: instant::text(worst.at, &head.zone).get(..10).unwrap_or_default().to_owned(),
        total: worst.total,
    });
    Some(PressureView {
        chart: charts::pressure(&figures.pressure.histogram()),
        people: people(all),
        above: above.collect(),
        worst: worst.collect(),
    })
}

fn holds(figures: &Figures) -> Vec<HoldView> {
    let mut rows = Vec::new();
    for (cause, sum) in figures.holds.causes() {
        let row = |workflow: &str, whole: bool, held: &HoldFigures| HoldView {
            workflow: workflow.to_owned(),
            why: cause.words(),
            whole,
            messages: grouped(held.messages),
            mean: span(held.mean()),
            longest: span(held.longest),
            skipped: grouped(held.skipped),
        };
        rows.push(row("all", true, &sum));
        let of_cause = figures.holds.by.iter().filter(|((_, why), _)| *why == cause);
        rows.extend(of_cause.map(|((workflow, _), held)| row(workflow, false, held)));
    }
    rows
}

fn skips(figures: &Figures) -> Vec<SkipView> {
    let mut all: Vec<(u64, SkipView)> = Vec::new();
    for (name, workflow) in &figures.workflows {
        for ((step, reason), skips) in &workflow.skips {
            let view = SkipView {
                workflow: name.clone(),
                step: step.clone(),
                reason: words(reason),
                word: reason.clone(),
                count: grouped(skips.count),
                contacts: skips.contacts.clone(),
            };
            all.push((skips.count, view));
        }
    }
    // The most first; of as many, as they are named.
    all.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    all.into_iter().map(|(_, view)| view).collect()
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "–".to_owned() } else { format!("{:.1}%", part as f64 / whole as f64 * 100.0) }
}

/// With its thousands set apart, and two decimals: `1,234.50`.
fn amount(value: f64) -> String {
    let cents = (value.abs() * 100.0).round() as u64;
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}.{:02}", grouped(cents / 100), cents % 100)
}

/// A skip's reason in words.
fn words(reason: &str) -> &'static str {
    match reason {
        "no_address" => "without an address",
        "suppressed" => "address suppressed",
        "unsubscribed" => "not subscribed",
        "erased" => "erased",
        "capped" => "over a frequency cap",
        "overdue" => "too late",
        "no_opening" => "never an open hour",
        _ => "for another reason",
    }
}
