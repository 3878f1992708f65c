//! For continuous integration: JUnit's XML as GitLab, Jenkins and GitHub's actions read it. Times are measured, in seconds.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use dsl::diagnostic::Diagnostic;

use super::super::Outcome;
use super::Told;

pub fn junit(told: &Told<'_>) -> String {
    let mut files: BTreeMap<&str, Vec<&Outcome<'_>>> = BTreeMap::new();
    for outcome in told.outcomes {
        files.entry(&outcome.suite.file).or_default().push(outcome);
    }
    let mut broken: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in told.diagnostics {
        broken.entry(&diagnostic.location.file).or_default().push(diagnostic);
    }
    let took: Duration = told.outcomes.iter().map(|outcome| outcome.took).sum();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        text,
        "<testsuites name=\"campaignd test\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3}\">",
        told.outcomes.len() + broken.len(),
        told.failed(),
        broken.len(),
        took.as_secs_f64()
    );
    for (file, outcomes) in files {
        suite(file, &outcomes, &mut text);
    }
    for (file, diagnostics) in broken {
        let name = escaped(file);
        let _ =
            writeln!(text, "  <testsuite name=\"{name}\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0.000\">");
        let line = diagnostics.first().map_or(1, |diagnostic| diagnostic.location.line);
        let _ =
            writeln!(text, "    <testcase name=\"{name}\" classname=\"{name}\" file=\"{name}\" line=\"{line}\" time=\"0.000\">");
        let message = diagnostics.first().map_or("", |diagnostic| diagnostic.message.as_str());
        let all = dsl::render::short(&diagnostics.into_iter().cloned().collect::<Vec<_>>());
        let _ = writeln!(text, "      <error message=\"{}\" type=\"diagnostic\">{}</error>", escaped(message), escaped(&all));
        text.push_str("    </testcase>\n  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(file: &str, outcomes: &[&Outcome<'_>], text: &mut String) {
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let took: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    let file = escaped(file);
    let _ = writeln!(
        text,
        "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{:.3}\">",
        outcomes.len(),
        took.as_secs_f64()
    );
    for outcome in outcomes {
        let _ = write!(
            text,
            "    <testcase name=\"{}\" classname=\"{}\" file=\"{file}\" line=\"{}\" time=\"{:.3}\"",
            escaped(&outcome.journey.name),
            escaped(&outcome.suite.workflow),
            outcome.journey.at.line,
            outcome.took.as_secs_f64()
        );
        if outcome.passed() {
            text.push_str("/>\n");
            continue;
        }
        let place = |line: usize, column: usize, problem: &str| format!("{}:{line}:{column}: {problem}", outcome.suite.file);
        let at = &outcome.journey.at;
        let error = outcome.error.iter().map(|error| place(at.line, at.column, error));
        let wrong = outcome.rows.iter().filter(|row| !row.is_fine());
        let problems = wrong.flat_map(|row| row.problems.iter().map(move |problem| place(row.at.line, row.at.column, problem)));
        let all: Vec<String> = error.chain(problems).collect();
        let first = all.first().map_or("", String::as_str);
        let _ = writeln!(
            text,
            ">\n      <failure message=\"{}\" type=\"expectation\">{}</failure>\n    </testcase>",
            escaped(first),
            escaped(&all.join("\n"))
        );
    }
    text.push_str("  </testsuite>\n");
}

/// Text as XML 1.0 can hold it, also within attributes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            // Nothing that XML has no way to write (section 2.2).
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_the_xml() {
        assert_eq!(escaped("a < \"b\" & c\u{7}\n"), "a &lt; &quot;b&quot; &amp; c\u{fffd}&#10;");
    }
}
