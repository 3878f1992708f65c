//! A plan as the comment of a pull request: what matters in a table, the details folded.

use std::fmt::Write;

use dsl::compare::{Line, What};

use super::wording::{change, definition, entering, fates, members, number, per_day, sign, status, summary};
use super::{Report, SharedChange, WorkflowPlan, grouped, runs};

/// Git hosts take comments of 65,536 characters; what comes after the comment's end must fit as well.
const LONGEST: usize = 65_000;
/// Room for what is said where details are left out.
const REST: usize = 300;

/// The report as Markdown, with what `--strict` stops for at its head.
pub fn text(report: &Report, breaches: &[String]) -> String {
    let mut text = format!("### campaignd plan: {}\n\n", escaped(&report.project));
    if report.unchanged {
        text.push_str("Nothing changes.\n");
        return text;
    }
    let _ = writeln!(text, "{}.", summary(report));
    for breach in breaches {
        let _ = writeln!(text, "\n> [!WARNING]\n> {}", escaped(breach));
    }
    for note in &report.notes {
        let _ = writeln!(text, "\n{}", escaped(note));
    }
    let mut sections = Vec::new();
    if !report.workflows.is_empty() {
        sections.push(table(&report.workflows));
        sections.extend(report.workflows.iter().filter_map(details));
    }
    sections.extend(shared("Segments", &report.segments));
    sections.extend(shared("Traits", &report.traits));
    if !report.settings.is_empty() {
        let lines = report.settings.iter().map(|setting| format!("{} {}", sign(setting.what), change(setting)));
        sections.push(folded("Settings", &fenced(lines)));
    }
    sections.extend(report.messages.iter().map(|message| {
        let heading = format!("Message <code>{}</code> in {}", html(&message.name), html(&message.used_by.join(", ")));
        let lines = message.parts.iter().flat_map(|part| {
            let lines = part.lines.iter().map(|line| match line {
                Line::Gone(line) => format!("- {line}"),
                Line::New(line) => format!("+ {line}"),
                Line::More(number) => format!("  … {number} more lines"),
            });
            std::iter::once(format!("@@ {} @@", part.part)).chain(lines).collect::<Vec<_>>()
        });
        folded(&heading, &fenced(lines))
    }));
    let _ = write!(sections.last_mut().unwrap_or(&mut text), "\n<sub>For the store as it is at {}.</sub>\n", report.at);
    let whole = sections.len();
    let mut length = text.chars().count();
    for (number, section) in sections.into_iter().enumerate() {
        let more = section.chars().count() + 1;
        if length + more + REST > LONGEST {
            let _ = writeln!(text, "\n{} more sections do not fit here: `campaignd plan` shows them.", whole - number);
            break;
        }
        length += more;
        text.push('\n');
        text.push_str(&section);
    }
    text
}

fn table(workflows: &[WorkflowPlan]) -> String {
    let mut text =
        String::from("| | workflow | status | inside | of these | enters | messages a day |\n|---|---|---|--:|---|---|---|\n");
    for plan in workflows {
        let what = match plan.change {
            What::Added => "new",
            What::Removed => "removed",
            _ => "changed",
        };
        let inside = grouped(plan.runs.inside);
        let becomes = fates(&plan.runs.becomes, None);
        let enters = if plan.entering.is_empty() {
            String::new()
        } else {
            let each = plan.entering.iter().map(|coming| {
                let when = if coming.when.is_none() { "**at once**" } else { "later" };
                format!("{} {when}", grouped(coming.people))
            });
            each.collect::<Vec<_>>().join("<br>")
        };
        let day = match (plan.per_day.messages_before, plan.per_day.messages) {
            (before, Some((least, most))) => {
                let after =
                    if number(least) == number(most) { number(least) } else { format!("{} to {}", number(least), number(most)) };
                before.map_or(after.clone(), |before| format!("{} → {after}", number(before)))
            }
            (Some(before), None) => format!("{} → ?", number(before)),
            (None, None) => String::new(),
        };
        let _ = writeln!(
            text,
            "| {what} | `{}` | {} | {inside} | {} | {enters} | {day} |",
            plan.name.replace('`', ""),
            escaped(&status(&plan.status)),
            escaped(&becomes)
        );
    }
    text
}

/// `None`: the table says it all.
fn details(plan: &WorkflowPlan) -> Option<String> {
    let mut lines: Vec<String> = plan
        .changes
        .iter()
        .map(|one| {
            format!("{} {}{}", sign(one.what), one.step.as_ref().map(|step| format!("{step}  ")).unwrap_or_default(), change(one))
        })
        .collect();
    if plan.runs.inside > 0 {
        lines.push(format!("  inside: {}", runs(plan.runs.inside)));
        for step in &plan.runs.steps {
            lines.push(format!("    {}  {}: {}", step.step, grouped(step.runs), fates(&step.becomes, step.moves_to.as_deref())));
        }
        lines.extend(plan.runs.ends.iter().map(|(reason, number)| format!("    {} end as {reason}", grouped(*number))));
    }
    lines.extend(plan.entering.iter().map(|coming| format!("  enters: {}", entering(coming))));
    if let Some(day) = per_day(&plan.per_day) {
        lines.push(format!("  a day: {day} ({})", plan.per_day.how));
    }
    lines.extend(plan.notes.iter().map(|note| format!("  {note}")));
    (!lines.is_empty()).then(|| folded(&format!("<code>{}</code>", html(&plan.name)), &fenced(lines)))
}

fn shared(heading: &str, all: &[SharedChange]) -> Option<String> {
    let lines = all.iter().map(|one| {
        let members = members(one).map(|members| format!("{members}{}", if one.backfill { ", backfill" } else { "" }));
        let used = (!one.used_by.is_empty()).then(|| format!("in {}", one.used_by.join(", ")));
        let more: Vec<String> = members.into_iter().chain(used).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
        format!("{} {}  {}{more}", sign(one.change), one.name, definition(one))
    });
    (!all.is_empty()).then(|| folded(heading, &fenced(lines)))
}

/// `heading` is HTML.
fn folded(heading: &str, body: &str) -> String {
    format!("<details><summary>{heading}</summary>\n\n{body}\n</details>\n")
}

/// Lines in a fence that nothing in them closes.
fn fenced(lines: impl IntoIterator<Item = String>) -> String {
    let body: Vec<String> = lines.into_iter().map(|line| line.replace(['\n', '\r'], " ")).collect();
    let longest = body.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}diff\n{}\n{fence}\n", body.join("\n"))
}

/// Text that is no markup, in a table's cell as well.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        let check = |text: &str, expected: &str| assert_eq!(escaped(text), expected);
        check("a|b", "a\\|b");
        check("<b> & @all", "&lt;b&gt; &amp; \\@all");
        check("*a*\n_b_", "\\*a\\* \\_b\\_");
    }

    #[test]
    fn nothing_closes_a_fence() {
        let fence = |line: &str| fenced([line.to_owned()]).lines().next().map(str::to_owned);
        assert_eq!(fence("plain").as_deref(), Some("```diff"));
        assert_eq!(fence("a ``` b").as_deref(), Some("````diff"));
        assert_eq!(fenced(["a\nb".to_owned()]), "```diff\na b\n```\n");
    }
}
