//! What happened beside what was expected: the alignment with the fewest differences.

use dsl::diagnostic::Location;
use dsl::model::journey::{Expectation, Expected, ExpectedMessage, Journey, Suite, When};
use serde_json::Value;

use super::Snapshots;
use super::report::words::{offset, told};
use crate::rehearsal::Line;
use crate::state::{LogKind, MessageStatus};

/// What it costs that a pair differs.
const DIFFERS: u32 = 1;
/// What it costs that something is only on one side.
const ALONE: u32 = 2;

/// A line of the two timelines.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub verdict: Verdict,
    /// What is expected: its number.
    pub expected: Option<usize>,
    /// What happened: the number of the line.
    pub actual: Option<usize>,
    /// What is wrong, in sentences.
    pub problems: Vec<String>,
    /// Where to look.
    pub at: Location,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    /// It happened, in another way.
    Differs,
    Missing,
    Unexpected,
    /// It happened and need not be listed.
    Beside,
}

impl Row {
    pub fn is_fine(&self) -> bool {
        matches!(self.verdict, Verdict::Fine | Verdict::Beside)
    }
}

/// How an expectation and a line go together.
enum Fit {
    No,
    /// The same thing, in another way.
    Differs(Vec<String>),
    Yes,
}

/// Aligns expectations and lines, and looks at the snapshots.
pub(super) fn compare(suite: &Suite, journey: &Journey, lines: &[Line], snapshots: &Snapshots) -> Vec<Row> {
    let seen: Vec<usize> = (0..lines.len()).filter(|index| is_seen(suite, journey, &lines[*index])).collect();
    let sides = Sides { suite, journey, lines, seen: &seen };
    let mut rows = sides.rows();
    for row in &mut rows {
        let (Some(expected), Some(actual)) = (row.expected, row.actual) else { continue };
        let (Some(expectation), Some(line)) = (journey.expect.get(expected), lines.get(actual)) else { continue };
        if let Expected::Send(ExpectedMessage { snapshot: Some(name), .. }) = &expectation.what
            && let Some(problem) = snapshots.compare(&suite.file, name, line)
        {
            row.verdict = Verdict::Differs;
            row.problems.push(problem);
        }
    }
    rows
}

/// Whether everything that is expected has happened, times and contents aside.
pub(super) fn comes_true(suite: &Suite, journey: &Journey, lines: &[Line]) -> bool {
    let mut coming = journey.expect.iter().peekable();
    for line in lines {
        coming.next_if(|expectation| is_same(suite, journey, expectation, line));
    }
    coming.peek().is_none()
}

/// What is shown and may be listed.
fn is_seen(suite: &Suite, journey: &Journey, line: &Line) -> bool {
    let named = || journey.expect.iter().any(|expectation| expectation.workflow.as_ref() == Some(&line.workflow));
    journey.all_workflows || line.workflow == suite.workflow || named()
}

/// What must be listed.
fn is_due(suite: &Suite, journey: &Journey, line: &Line) -> bool {
    let counts = journey.all_workflows || line.workflow == suite.workflow;
    counts
        && match line.kind {
            LogKind::Send | LogKind::Exit => true,
            LogKind::Enter | LogKind::Goal | LogKind::Follow => false,
            _ => journey.steps,
        }
}

/// Whether they speak of the same thing.
fn is_same(suite: &Suite, journey: &Journey, expectation: &Expectation, line: &Line) -> bool {
    let here = match &expectation.workflow {
        Some(workflow) => *workflow == line.workflow,
        None => journey.all_workflows || line.workflow == suite.workflow,
    };
    if !here || expectation.contact.as_ref().is_some_and(|contact| *contact != line.contact) {
        return false;
    }
    let message = |template: &str, step: &Option<String>| {
        line.sent.as_ref().is_some_and(|sent| sent.template == template) && step.as_ref().is_none_or(|step| *step == line.step)
    };
    match &expectation.what {
        Expected::Send(send) => line.kind == LogKind::Send && message(&send.template, &send.step),
        Expected::Skip { template, step, .. } => line.kind == LogKind::Skip && message(template, step),
        Expected::Exit { .. } => line.kind == LogKind::Exit,
        Expected::Enter => line.kind == LogKind::Enter,
        Expected::Goal => line.kind == LogKind::Goal,
        Expected::Step { kind, step, .. } => {
            *step == line.step
                && match kind {
                    Some(kind) => *kind == line.kind.word(),
                    // That the run ended there, or met its goal, is not what the step did.
                    None => !matches!(line.kind, LogKind::Goal) && !ends_elsewhere(line),
                }
        }
    }
}

/// A run that ended while it stood at a step, by something else than the step.
fn ends_elsewhere(line: &Line) -> bool {
    line.kind == LogKind::Exit && line.detail.get("reason").and_then(Value::as_str) != Some("exit")
}

struct Sides<'a> {
    suite: &'a Suite,
    journey: &'a Journey,
    lines: &'a [Line],
    /// The lines that count.
    seen: &'a [usize],
}

impl Sides<'_> {
    fn fit(&self, expected: usize, seen: usize) -> Fit {
        let (expectation, line) = (&self.journey.expect[expected], &self.lines[self.seen[seen]]);
        if !is_same(self.suite, self.journey, expectation, line) {
            return Fit::No;
        }
        let problems = differences(self.suite, expectation, line);
        if problems.is_empty() { Fit::Yes } else { Fit::Differs(problems) }
    }

    fn alone(&self, seen: usize) -> u32 {
        if is_due(self.suite, self.journey, &self.lines[self.seen[seen]]) { ALONE } else { 0 }
    }

    /// The cheapest way to put the two beside each other, found from the end (as an edit distance is).
    fn rows(&self) -> Vec<Row> {
        let (expected, seen) = (self.journey.expect.len(), self.seen.len());
        let width = seen + 1;
        let mut cost = vec![0_u32; (expected + 1) * width];
        let mut pair = vec![None; expected * seen];
        for e in (0..=expected).rev() {
            for s in (0..=seen).rev() {
                let mut best = if e == expected && s == seen { 0 } else { u32::MAX };
                if e < expected {
                    best = best.min(cost[(e + 1) * width + s] + ALONE);
                }
                if s < seen {
                    best = best.min(cost[e * width + s + 1] + self.alone(s));
                }
                if e < expected && s < seen {
                    let costs = match self.fit(e, s) {
                        Fit::No => None,
                        Fit::Differs(_) => Some(DIFFERS),
                        Fit::Yes => Some(0),
                    };
                    pair[e * seen + s] = costs;
                    best = best.min(costs.map_or(u32::MAX, |costs| cost[(e + 1) * width + s + 1] + costs));
                }
                cost[e * width + s] = best;
            }
        }
        let mut rows = Vec::with_capacity(expected + seen);
        let (mut e, mut s) = (0, 0);
        while e < expected || s < seen {
            let here = cost[e * width + s];
            let paired = if e < expected && s < seen { pair[e * seen + s] } else { None };
            if paired.is_some_and(|costs| cost[(e + 1) * width + s + 1] + costs == here) {
                rows.push(self.paired(e, s));
                (e, s) = (e + 1, s + 1);
            } else if e < expected && cost[(e + 1) * width + s] + ALONE == here && self.comes_first(e, s) {
                rows.push(self.missing(e));
                e += 1;
            } else if s < seen && cost[e * width + s + 1] + self.alone(s) == here {
                rows.push(self.unlisted(s));
                s += 1;
            } else {
                rows.push(self.missing(e));
                e += 1;
            }
        }
        rows
    }

    /// Whether what is missing belongs before this line.
    fn comes_first(&self, expected: usize, seen: usize) -> bool {
        let first = match self.journey.expect[expected].when {
            Some(When::At(at) | When::Between(at, _)) => at,
            None => return false,
        };
        self.seen.get(seen).is_none_or(|line| first <= self.lines[*line].instant)
    }

    fn paired(&self, expected: usize, seen: usize) -> Row {
        let (verdict, problems) = match self.fit(expected, seen) {
            Fit::Differs(problems) => (Verdict::Differs, problems),
            Fit::Yes | Fit::No => (Verdict::Fine, Vec::new()),
        };
        let at = self.journey.expect[expected].at.clone();
        Row { verdict, expected: Some(expected), actual: Some(self.seen[seen]), problems, at }
    }

    fn missing(&self, expected: usize) -> Row {
        let expectation = &self.journey.expect[expected];
        let problems = vec![format!("this did not happen: {}", expectation.text)];
        Row { verdict: Verdict::Missing, expected: Some(expected), actual: None, problems, at: expectation.at.clone() }
    }

    fn unlisted(&self, seen: usize) -> Row {
        let line = &self.lines[self.seen[seen]];
        let due = self.alone(seen) > 0;
        let when = offset(line.instant - self.suite.start);
        let problems = if due { vec![format!("this is not expected: {} at {when}", told(line, self.suite))] } else { Vec::new() };
        let verdict = if due { Verdict::Unexpected } else { Verdict::Beside };
        Row { verdict, expected: None, actual: Some(self.seen[seen]), problems, at: self.journey.at.clone() }
    }
}

/// In what way something happened that is otherwise as expected.
fn differences(suite: &Suite, expectation: &Expectation, line: &Line) -> Vec<String> {
    let mut problems = Vec::new();
    let came = |time: i64| offset(time - suite.start);
    match expectation.when {
        Some(When::At(at)) if at != line.instant => {
            problems.push(format!("it came at {}, not at {}", came(line.instant), came(at)));
        }
        Some(When::Between(first, last)) if !(first..=last).contains(&line.instant) => {
            problems.push(format!("it came at {}, not between {} and {}", came(line.instant), came(first), came(last)));
        }
        _ => {}
    }
    match &expectation.what {
        Expected::Send(send) => sent(send, line, &mut problems),
        Expected::Skip { reason, channel, .. } => {
            same("its reason", reason.as_deref(), said(line, "reason"), &mut problems);
            same("its channel", channel.as_deref(), line.sent.as_ref().map(|sent| sent.channel.as_str()), &mut problems);
        }
        Expected::Exit { reason, detail } => {
            same("the reason", Some(reason), said(line, "reason"), &mut problems);
            same("the detail", detail.as_deref(), said(line, "detail"), &mut problems);
        }
        Expected::Enter | Expected::Goal => {}
        Expected::Step { detail, .. } => {
            for (key, wanted) in detail {
                let found = line.detail.get(key).cloned().unwrap_or_default();
                let (wanted, fits) = match (key.as_str(), wanted.as_i64()) {
                    ("until", Some(until)) => {
                        let there = dsl::time::parse_date(found.as_str().unwrap_or_default());
                        let there = there.map(|date| date.instant(&jiff::tz::TimeZone::UTC));
                        (format!("{} from the start", came(until)), there == Some(until))
                    }
                    // An answer that says nothing of its status was a good one.
                    ("status", _) if found.is_null() => (wanted.to_string(), wanted == "called"),
                    _ => (wanted.to_string(), holds(wanted, &found)),
                };
                if !fits {
                    problems.push(format!("its `{key}` is {found}, not {wanted}"));
                }
            }
        }
    }
    problems
}

/// Of an object the named members count, of anything else all of it.
fn holds(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(key, value)| found.get(key).is_some_and(|found| holds(value, found)))
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

fn sent(send: &ExpectedMessage, line: &Line, problems: &mut Vec<String>) {
    let Some(sent) = &line.sent else { return };
    let status = sent.status.map_or("", MessageStatus::word);
    if send.status != status {
        let why = sent.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        problems.push(format!("it is {status}{why}; expected is {}", send.status));
    }
    same("its channel", send.channel.as_deref(), Some(&sent.channel), problems);
    same("its address", send.to.as_deref(), sent.to.as_deref(), problems);
    let subject = sent.subject.as_deref().map(one_line).unwrap_or_default();
    for text in send.subject.iter().filter(|text| !subject.contains(&one_line(text))) {
        problems.push(format!("its subject is “{subject}”, in which “{text}” does not stand"));
    }
    if !send.body.is_empty() {
        let parts = [line.text.as_deref(), line.html.as_deref()].map(|part| part.map(one_line).unwrap_or_default());
        for text in send.body.iter().filter(|text| !parts.iter().any(|part| part.contains(&one_line(text)))) {
            problems.push(format!("“{text}” stands neither in its text nor in its HTML"));
        }
    }
}

/// A text as people read it: line breaks are spaces.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn same(what: &str, wanted: Option<&str>, found: Option<&str>, problems: &mut Vec<String>) {
    let Some(wanted) = wanted else { return };
    let found = found.unwrap_or_default();
    if wanted != found {
        let found = if found.is_empty() { "missing".to_owned() } else { format!("`{found}`") };
        problems.push(format!("{what} is {found}, not `{wanted}`"));
    }
}

fn said<'l>(line: &'l Line, key: &str) -> Option<&'l str> {
    line.detail.get(key).and_then(Value::as_str)
}
