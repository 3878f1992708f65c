//! For people: each test on a line; of one that failed, the place, and expected beside actual as a timeline.

use std::fmt::Write;

use dsl::diagnostic::Diagnostic;
use dsl::model::journey::{Expectation, When};
use dsl::render;

use super::super::{Outcome, Row, Verdict};
use super::Told;
use super::words::{offset, told};
use crate::simulate::counted;
use crate::state::LogKind;

/// The most rows of a timeline that are shown.
const MOST_ROWS: usize = 80;
/// The widest that the expected side gets, in characters.
const WIDEST: usize = 64;
/// With more tests than this, only those that failed are named.
const MOST_NAMED: usize = 200;

/// `table`: the whole table of coverage, too.
pub fn human(told: &Told<'_>, table: bool, colour: bool) -> String {
    let paint = Paint { colour };
    let mut text = String::new();
    tests(told, &paint, &mut text);
    for outcome in told.outcomes.iter().filter(|outcome| !outcome.passed()) {
        failure(outcome, told, &paint, &mut text);
    }
    for path in told.written {
        let _ = writeln!(text, "written: {path}");
    }
    for path in told.stale {
        let _ = writeln!(text, "no test looks at {path} any more: delete it");
    }
    if table {
        coverage_table(told, &mut text);
    }
    unreached(told, &mut text);
    let failed = told.failed();
    let mut parts = vec![format!("{} passed", told.passed())];
    if failed > 0 {
        parts.push(paint.red(&format!("{failed} failed")));
    }
    let broken: std::collections::BTreeSet<&str> =
        told.diagnostics.iter().map(|diagnostic| diagnostic.location.file.as_str()).collect();
    if !broken.is_empty() {
        parts.push(paint.red(&format!("{} not in order", counted(broken.len() as u64, "file"))));
    }
    let _ = writeln!(text, "{}{}", parts.join(", "), share(told));
    text
}

fn tests(told: &Told<'_>, paint: &Paint, text: &mut String) {
    let all = told.outcomes.len() <= MOST_NAMED;
    let mut file = "";
    for outcome in told.outcomes {
        if !all && outcome.passed() {
            continue;
        }
        if outcome.suite.file != file {
            file = &outcome.suite.file;
            let _ = writeln!(text, "{}", paint.bold(file));
        }
        let mark = if outcome.passed() { paint.green("ok  ") } else { paint.red("FAIL") };
        let _ = writeln!(text, "  {mark}  {}", outcome.journey.name);
    }
    if !told.outcomes.is_empty() {
        text.push('\n');
    }
}

fn failure(outcome: &Outcome<'_>, told: &Told<'_>, paint: &Paint, text: &mut String) {
    let title = |problem: &str| format!("{}: {problem}", outcome.journey.name);
    let wrong = outcome.rows.iter().find(|row| !row.is_fine());
    let first = match (&outcome.error, wrong) {
        (Some(error), _) => Some((title(error), outcome.journey.at.clone())),
        (None, Some(row)) => row.problems.first().map(|problem| (title(problem), row.at.clone())),
        (None, None) => None,
    };
    if let Some((message, at)) = first {
        let excerpt = [Diagnostic::error("test-failed", at, message)];
        text.push_str(&render::human(&excerpt, told.files, paint.colour));
    }
    timeline(outcome, paint, text);
    let entered = outcome.lines.iter().any(|line| line.kind == LogKind::Enter && line.workflow == outcome.suite.workflow);
    if !entered && outcome.error.is_none() {
        let _ =
            writeln!(text, "     nobody entered {}: look at its trigger, its audience and its reentry", outcome.suite.workflow);
    }
    text.push('\n');
}

/// Expected on the left, actual on the right; what is wrong below its row.
fn timeline(outcome: &Outcome<'_>, paint: &Paint, text: &mut String) {
    if outcome.rows.is_empty() {
        text.push_str("  nothing happened\n");
        return;
    }
    let start = outcome.suite.start;
    let times: Vec<String> = outcome.rows.iter().map(|row| time(row, outcome)).collect();
    let wide = times.iter().map(|time| time.chars().count()).max().unwrap_or(0);
    let whats = outcome.rows.iter().map(|row| expected(row, outcome));
    let left: Vec<String> = times.iter().zip(whats).map(|(time, what)| format!("{time:wide$}  {what}")).collect();
    let width = left.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).clamp(8, WIDEST);
    let _ = writeln!(text, "     {}  {}", paint.bold(&format!("{:width$}", "expected")), paint.bold("actual"));
    for (row, cell) in outcome.rows.iter().zip(&left).take(MOST_ROWS) {
        let cell = cut(cell, width);
        let right = row.actual.and_then(|actual| outcome.lines.get(actual)).map(|line| {
            let local = line.at.get(5..16).unwrap_or_default().replace('T', " ");
            format!("{:10}  {}  ({local})", offset(line.instant - start), told(line, outcome.suite))
        });
        let right = right.unwrap_or_default();
        let (mark, right) = match row.verdict {
            Verdict::Fine => (paint.green("="), right),
            Verdict::Beside => (" ".to_owned(), paint.dim(&right)),
            Verdict::Differs => (paint.red("!"), paint.red(&right)),
            Verdict::Missing => (paint.red("-"), String::new()),
            Verdict::Unexpected => (paint.red("+"), paint.red(&right)),
        };
        let _ = writeln!(text, "{}", format!("   {mark} {cell:width$}  {right}").trim_end());
        if row.verdict == Verdict::Differs {
            for problem in &row.problems {
                let _ = writeln!(text, "       {}", paint.red(problem));
            }
        }
    }
    if outcome.rows.len() > MOST_ROWS {
        let _ = writeln!(text, "     … and {} more", outcome.rows.len() - MOST_ROWS);
    }
}

/// When it is expected.
fn time(row: &Row, outcome: &Outcome<'_>) -> String {
    let start = outcome.suite.start;
    match row.expected.and_then(|expected| outcome.journey.expect.get(expected)?.when) {
        Some(When::At(at)) => offset(at - start),
        Some(When::Between(first, last)) => format!("{} to {}", offset(first - start), offset(last - start)),
        None => String::new(),
    }
}

fn expected(row: &Row, outcome: &Outcome<'_>) -> String {
    row.expected.and_then(|expected| outcome.journey.expect.get(expected)).map(without_time).unwrap_or_default()
}

/// The expectation as it is written, its time aside.
fn without_time(expectation: &Expectation) -> String {
    let inner = expectation.text.strip_prefix("{ ").and_then(|text| text.strip_suffix(" }")).unwrap_or(&expectation.text);
    let mut rest = inner;
    for key in ["at: ", "between: ["] {
        if let Some(behind) = inner.strip_prefix(key) {
            let end = if key == "at: " { ", " } else { "], " };
            rest = behind.split_once(end).map_or("", |(_, rest)| rest);
        }
    }
    rest.to_owned()
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let begin: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{begin}…")
}

fn coverage_table(told: &Told<'_>, text: &mut String) {
    let Some(coverage) = told.coverage else { return };
    let width = coverage.workflows.iter().map(|workflow| workflow.workflow.chars().count()).max().unwrap_or(0).max(8);
    let _ = writeln!(text, "{:width$}  {:>11}  {:>11}", "workflow", "steps", "branches");
    for workflow in &coverage.workflows {
        let cell = |share: super::super::coverage::Share| format!("{} of {}", share.reached, share.total);
        let _ = writeln!(text, "{:width$}  {:>11}  {:>11}", workflow.workflow, cell(workflow.steps), cell(workflow.branches));
    }
    text.push('\n');
}

fn unreached(told: &Told<'_>, text: &mut String) {
    let Some(coverage) = told.coverage else { return };
    let before = text.len();
    for workflow in &coverage.workflows {
        if workflow.steps.reached == 0 {
            let _ = writeln!(text, "no test reaches anything of {} ({})", workflow.workflow, workflow.file);
            continue;
        }
        for unreached in &workflow.unreached {
            let way = unreached.case.as_ref().map(|case| format!(", taken {case}")).unwrap_or_default();
            let _ = writeln!(text, "no test reaches {}:{}: {}{way}", workflow.file, unreached.line, unreached.step);
        }
    }
    if text.len() > before {
        text.push('\n');
    }
}

fn share(told: &Told<'_>) -> String {
    let Some(coverage) = told.coverage else { return String::new() };
    let sum = |of: fn(&super::super::WorkflowCoverage) -> super::super::coverage::Share| {
        let shares = coverage.workflows.iter().map(of);
        shares.fold((0, 0), |(reached, total), share| (reached + share.reached, total + share.total))
    };
    let (steps, branches) = (sum(|workflow| workflow.steps), sum(|workflow| workflow.branches));
    format!(
        "; the tests reach {} of {} steps and {} of {} branches ({:.0}%)",
        steps.0,
        steps.1,
        branches.0,
        branches.1,
        coverage.percent().floor()
    )
}

/// Colours, where there are any.
struct Paint {
    colour: bool,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn red(&self, text: &str) -> String {
        self.with("31", text)
    }

    fn green(&self, text: &str) -> String {
        self.with("32", text)
    }

    fn dim(&self, text: &str) -> String {
        self.with("2", text)
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }
}
