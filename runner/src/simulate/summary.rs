//! A simulation in numbers, for people at a terminal and in a log.

use std::fmt::{self, Write};

use dsl::time::Duration;

use super::Figures;
use super::figures::WorkflowFigures;

/// Up to this many messages a week it says how many people got more.
const MANY: u32 = 3;

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, workflow) in &self.workflows {
            workflow.show(name, f)?;
            f.write_char('\n')?;
        }
        let (Some((first, _)), Some((last, _)), Some((busiest, most))) =
            (self.days.first_key_value(), self.days.last_key_value(), self.busiest())
        else {
            return writeln!(f, "no messages sent");
        };
        writeln!(
            f,
            "{} sent from {first} to {last}, at most {} on one day ({busiest})",
            counted(self.sent(), "message"),
            grouped(most)
        )?;
        self.show_pressure(f)?;
        self.show_holds(f)
    }
}

impl Figures {
    fn show_pressure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(worst) = self.pressure.worst(1).into_iter().next() else { return Ok(()) };
        let most = counted(u64::from(worst.most), "message");
        write!(f, "{most} at most to one person in 7 days ({})", worst.contact)?;
        if worst.most > MANY {
            write!(f, "; more than {MANY} to {} of {}", people(self.pressure.above(MANY)), grouped(self.pressure.people()))?;
        }
        f.write_char('\n')
    }

    fn show_holds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (cause, held) in self.holds.causes() {
            write!(
                f,
                "{} waited for {}, {} on average, {} at most",
                counted(held.messages, "message"),
                cause.words(),
                span(held.mean()),
                span(held.longest)
            )?;
            if held.skipped > 0 {
                write!(f, "; {} of them not sent after all", grouped(held.skipped))?;
            }
            f.write_char('\n')?;
        }
        if self.holds.unresolved() > 0 {
            let waited = counted(self.holds.unresolved(), "message");
            writeln!(f, "{waited} waited and did not leave: the run ended before, or the simulation did")?;
        }
        Ok(())
    }
}

impl WorkflowFigures {
    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}: {} entered, {} still inside", grouped(self.entered), grouped(self.inside()))?;
        for (reason, count) in &self.exits {
            write!(f, ", {} {reason}", grouped(*count))?;
        }
        f.write_char('\n')?;
        if self.messages.is_empty() {
            return Ok(());
        }
        let width = self.messages.keys().map(|name| name.chars().count()).max().unwrap_or(0).max(8);
        writeln!(f, "  {:width$}  {:>9}  {:>9}  {:>9}  {:10}  {:10}", "message", "sent", "skipped", "failed", "first", "last")?;
        for (name, messages) in &self.messages {
            let (first, last) = messages.dates.as_ref().map_or(("-", "-"), |(first, last)| (first, last));
            let skipped: u64 = messages.skipped.values().sum();
            write!(
                f,
                "  {name:width$}  {:>9}  {:>9}  {:>9}  {first:10}  {last:10}",
                grouped(messages.sent),
                grouped(skipped),
                grouped(messages.failed)
            )?;
            let reasons: Vec<String> =
                messages.skipped.iter().map(|(reason, count)| format!("{} {reason}", grouped(*count))).collect();
            if !reasons.is_empty() {
                write!(f, "  skipped: {}", reasons.join(", "))?;
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}

/// A span as people say it; from a minute on without seconds, from a day on without minutes. `millis` is not negative.
pub fn span(millis: i64) -> String {
    let unit = match millis {
        86_400_000.. => Duration::HOUR,
        60_000.. => Duration::MINUTE,
        _ => Duration::SECOND,
    };
    Duration((millis + unit.millis() / 2) / unit.millis() * unit.millis()).to_string()
}

/// `1 person`, `2 people`.
pub fn people(number: u64) -> String {
    format!("{} {}", grouped(number), if number == 1 { "person" } else { "people" })
}

/// A number with its thousands set apart: `1,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 message`, `2 messages`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}
