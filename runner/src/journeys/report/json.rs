//! For programs: one JSON document.

use serde_json::{Value, json};

use super::super::{Outcome, Row, Verdict};
use super::Told;
use super::words::offset;

/// # Errors
/// When something in it is no JSON.
pub fn json(told: &Told<'_>) -> Result<String, serde_json::Error> {
    let tests: Vec<Value> = told.outcomes.iter().map(test).collect::<Result<_, _>>()?;
    let diagnostics: Value = serde_json::from_str(&dsl::render::json(told.diagnostics)?)?;
    let document = json!({
        "passed": told.passed(),
        "failed": told.failed(),
        "tests": tests,
        "diagnostics": diagnostics,
        "coverage": told.coverage.map(|coverage| json!({
            "percent": coverage.percent(),
            "workflows": coverage.workflows,
        })),
        "snapshots": { "written": told.written, "stale": told.stale },
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

fn test(outcome: &Outcome<'_>) -> Result<Value, serde_json::Error> {
    let at = &outcome.journey.at;
    let problems = outcome.rows.iter().filter(|row| !row.is_fine()).flat_map(|row| {
        row.problems.iter().map(move |problem| json!({ "line": row.at.line, "column": row.at.column, "message": problem }))
    });
    let error = outcome.error.iter().map(|error| json!({ "line": at.line, "column": at.column, "message": error }));
    let timeline: Vec<Value> = outcome.rows.iter().map(|row| self::row(row, outcome)).collect::<Result<_, _>>()?;
    Ok(json!({
        "file": outcome.suite.file,
        "line": at.line,
        "column": at.column,
        "workflow": outcome.suite.workflow,
        "name": outcome.journey.name,
        "status": if outcome.passed() { "passed" } else { "failed" },
        "problems": error.chain(problems).collect::<Vec<_>>(),
        "timeline": timeline,
    }))
}

fn row(row: &Row, outcome: &Outcome<'_>) -> Result<Value, serde_json::Error> {
    let verdict = match row.verdict {
        Verdict::Fine => "as_expected",
        Verdict::Differs => "differs",
        Verdict::Missing => "missing",
        Verdict::Unexpected => "unexpected",
        Verdict::Beside => "beside",
    };
    let expected = row.expected.and_then(|expected| outcome.journey.expect.get(expected));
    let line = row.actual.and_then(|actual| outcome.lines.get(actual));
    let mut value = json!({
        "verdict": verdict,
        "expected": expected.map(|expected| json!({ "line": expected.at.line, "text": expected.text })),
        "actual": line.map(serde_json::to_value).transpose()?,
    });
    if let Some(line) = line {
        value["actual"]["after"] = offset(line.instant - outcome.suite.start).into();
    }
    Ok(value)
}
