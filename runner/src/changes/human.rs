//! A plan for a terminal.

use std::fmt::Write;

use dsl::compare::{Change, Line, What};

use super::wording::{change, definition, entering, fates, members, per_day, sign, status, summary};
use super::{Report, SharedChange, WorkflowPlan, grouped, runs};

/// The report as text, in colour if wanted.
pub fn text(report: &Report, colour: bool) -> String {
    let paint = Paint(colour);
    let mut text = format!("plan for {} at {}: ", report.project, report.at);
    if report.unchanged {
        text.push_str("nothing changes\n");
    } else {
        let _ = writeln!(text, "{}", summary(report));
    }
    for note in &report.notes {
        let _ = writeln!(text, "  {note}");
    }
    for plan in &report.workflows {
        workflow(&mut text, plan, &paint);
    }
    shared(&mut text, "segments", &report.segments, &paint);
    shared(&mut text, "traits", &report.traits, &paint);
    if !report.messages.is_empty() {
        text.push_str("\nmessages\n");
    }
    for message in &report.messages {
        let _ = writeln!(text, "  {} {}  (in {})", paint.sign(message.change), message.name, message.used_by.join(", "));
        for part in &message.parts {
            let _ = writeln!(text, "      {}", part.part);
            for line in &part.lines {
                let _ = match line {
                    Line::Gone(line) => writeln!(text, "        {}", paint.red(&format!("- {line}"))),
                    Line::New(line) => writeln!(text, "        {}", paint.green(&format!("+ {line}"))),
                    Line::More(number) => writeln!(text, "        … {number} more lines"),
                };
            }
        }
    }
    if !report.settings.is_empty() {
        text.push_str("\nsettings\n");
    }
    for setting in &report.settings {
        let _ = writeln!(text, "  {} {}", paint.sign(setting.what), change(setting));
    }
    text
}

fn workflow(text: &mut String, plan: &WorkflowPlan, paint: &Paint) {
    let what = match plan.change {
        What::Added => "new",
        What::Removed => "removed",
        _ => "changed",
    };
    let _ = writeln!(text, "\n{} {}  {what}, {}", paint.sign(plan.change), paint.bold(&plan.name), status(&plan.status));
    changes(text, &plan.changes, paint);
    if plan.runs.inside > 0 {
        let _ = writeln!(text, "    inside  {}: {}", runs(plan.runs.inside), fates(&plan.runs.becomes, None));
        let width = plan.runs.steps.iter().map(|step| step.step.chars().count()).max().unwrap_or(0);
        for step in &plan.runs.steps {
            let becomes = fates(&step.becomes, step.moves_to.as_deref());
            let _ = writeln!(text, "      {:width$}  {:>9}  {becomes}", step.step, grouped(step.runs));
        }
        for (reason, number) in &plan.runs.ends {
            let _ = writeln!(text, "      {} end as {reason}", grouped(*number));
        }
    } else if plan.change != What::Added {
        text.push_str("    inside  nobody\n");
    }
    for coming in &plan.entering {
        let _ = writeln!(text, "    enters  {}", entering(coming));
    }
    if let Some(day) = per_day(&plan.per_day) {
        let _ = writeln!(text, "    a day   {day}\n            ({})", plan.per_day.how);
    }
    for note in &plan.notes {
        let _ = writeln!(text, "    note    {note}");
    }
}

/// Under the step they are about.
fn changes(text: &mut String, changes: &[Change], paint: &Paint) {
    for one in changes {
        let step = one.step.as_ref().map(|step| format!("{step}  ")).unwrap_or_default();
        let _ = writeln!(text, "    {} {step}{}", paint.sign(one.what), change(one));
    }
}

fn shared(text: &mut String, heading: &str, all: &[SharedChange], paint: &Paint) {
    if !all.is_empty() {
        let _ = writeln!(text, "\n{heading}");
    }
    for one in all {
        let _ = writeln!(text, "  {} {}  {}", paint.sign(one.change), one.name, definition(one));
        let backfill = if one.backfill { ", backfill: enter fires for those in it" } else { "" };
        let members = members(one).map(|members| format!("{members}{backfill}"));
        let used = (!one.used_by.is_empty()).then(|| format!("in {}", one.used_by.join(", ")));
        let more: Vec<String> = members.into_iter().chain(used).collect();
        if !more.is_empty() {
            let _ = writeln!(text, "      {}", more.join("; "));
        }
    }
}

/// ANSI colours, or none.
struct Paint(bool);

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn red(&self, text: &str) -> String {
        self.with("31", text)
    }

    fn green(&self, text: &str) -> String {
        self.with("32", text)
    }

    fn sign(&self, what: What) -> String {
        let sign = sign(what).to_string();
        match what {
            What::Added => self.green(&sign),
            What::Removed => self.red(&sign),
            What::Changed | What::Moved | What::Renamed => self.with("33", &sign),
        }
    }
}
