//! A simulation in numbers, for people.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde_json::Value;

use super::Line;
use crate::state::{LogKind, MessageStatus};

/// Counts lines as they come.
#[derive(Debug, Default)]
pub struct Summary {
    workflows: BTreeMap<String, Workflow>,
    /// Messages sent, by date in the project's zone.
    days: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct Workflow {
    entered: u64,
    left: u64,
    exits: BTreeMap<String, u64>,
    messages: BTreeMap<String, Messages>,
}

#[derive(Debug, Default)]
struct Messages {
    sent: u64,
    failed: u64,
    skipped: BTreeMap<String, u64>,
    /// The dates of the first and the last that was sent.
    dates: Option<(String, String)>,
}

impl Summary {
    /// Counts the workflow though nothing may happen in it.
    pub fn expect(&mut self, workflow: &str) {
        self.workflows.entry(workflow.to_owned()).or_default();
    }

    pub fn count(&mut self, line: &Line) {
        let workflow = self.workflows.entry(line.workflow.clone()).or_default();
        let reason = || line.detail.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
        match line.kind {
            LogKind::Enter => workflow.entered += 1,
            LogKind::Exit => {
                workflow.left += 1;
                *workflow.exits.entry(reason()).or_default() += 1;
            }
            _ => {}
        }
        let Some(sent) = &line.sent else { return };
        let messages = workflow.messages.entry(sent.template.clone()).or_default();
        let date = line.at.get(..10).unwrap_or_default().to_owned();
        match sent.status {
            Some(MessageStatus::Sent) => {
                messages.sent += 1;
                *self.days.entry(date.clone()).or_default() += 1;
                match &mut messages.dates {
                    Some((_, last)) => *last = date,
                    none => *none = Some((date.clone(), date)),
                }
            }
            Some(_) => messages.failed += 1,
            None => *messages.skipped.entry(reason()).or_default() += 1,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, workflow) in &self.workflows {
            workflow.show(name, f)?;
            f.write_char('\n')?;
        }
        let busiest = self.days.iter().max_by_key(|(date, count)| (**count, std::cmp::Reverse(*date)));
        match (self.days.first_key_value(), self.days.last_key_value(), busiest) {
            (Some((first, _)), Some((last, _)), Some((busiest, most))) => writeln!(
                f,
                "{} sent from {first} to {last}, at most {} on one day ({busiest})",
                counted(self.days.values().sum(), "message"),
                grouped(*most)
            ),
            _ => writeln!(f, "no messages sent"),
        }
    }
}

impl Workflow {
    fn show(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{name}: {} entered, {} still inside", grouped(self.entered), grouped(self.entered.saturating_sub(self.left)))?;
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
