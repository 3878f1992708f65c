//! What became of everybody: a funnel for each workflow.

use std::collections::BTreeMap;
use std::fmt;

use dsl::model::{Catalog, StepKind};

use crate::state::{EndReason, MessageId, MessageStatus, WorkflowId};
use crate::store::{Result, Store};

/// How many messages are read at a time.
const CHUNK: usize = 1_000;

/// One workflow's way from entry to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funnel {
    pub workflow: String,
    pub entered: i64,
    /// For each send, in the order they are written.
    pub sends: Vec<Sends>,
    pub completed: i64,
    /// Every other end, by its reason; only those that happened.
    pub exits: Vec<(&'static str, i64)>,
    pub active: i64,
}

/// One send step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sends {
    pub step: String,
    pub sent: i64,
    /// Skipped, failed or in doubt.
    pub not_sent: i64,
}

/// The funnels of all the catalog's workflows, in order of name.
///
/// # Errors
/// Those of the store.
pub fn funnels(store: &mut dyn Store, catalog: &Catalog) -> Result<Vec<Funnel>> {
    let names: BTreeMap<WorkflowId, String> = store.workflows()?.into_iter().map(|row| (row.id, row.name)).collect();
    let messages = messages(store)?;
    let (counters, active) = (store.counters()?, store.active()?);
    let counted = |workflow: &str, what: &str| -> i64 {
        let of = |(id, name, by): &(WorkflowId, String, i64)| {
            (names.get(id).is_some_and(|found| found == workflow) && name == what).then_some(*by)
        };
        counters.iter().filter_map(of).sum()
    };
    let funnels = catalog.workflows.iter().map(|(name, entry)| {
        let id = names.iter().find(|(_, found)| *found == name).map(|(id, _)| *id);
        let sends = entry.definition.workflow.steps.iter().filter(|step| matches!(step.kind, StepKind::Send(_))).map(|step| {
            let number = |sent: bool| id.and_then(|id| messages.get(&(id, step.id.clone(), sent))).copied().unwrap_or(0);
            Sends { step: step.id.clone(), sent: number(true), not_sent: number(false) }
        });
        let exits = EndReason::ALL.into_iter().filter(|reason| *reason != EndReason::Completed);
        let exits = exits.map(|reason| (reason.word(), counted(name, &format!("exit:{}", reason.word()))));
        Funnel {
            workflow: name.clone(),
            entered: counted(name, "entered"),
            sends: sends.collect(),
            completed: counted(name, "exit:completed"),
            exits: exits.filter(|(_, by)| *by > 0).collect(),
            active: active.iter().filter(|(found, _, _)| Some(*found) == id).map(|(_, _, by)| by).sum(),
        }
    });
    Ok(funnels.collect())
}

/// How many messages each step has finished with, and whether they were sent.
fn messages(store: &mut dyn Store) -> Result<BTreeMap<(WorkflowId, String, bool), i64>> {
    let mut counts = BTreeMap::new();
    let mut after = MessageId(0);
    loop {
        let chunk = store.messages_after(after, None, CHUNK)?;
        let Some(last) = chunk.last() else { return Ok(counts) };
        after = last.id;
        for message in chunk.into_iter().filter(|message| message.status.is_final()) {
            *counts.entry((message.workflow, message.step, message.status == MessageStatus::Sent)).or_default() += 1;
        }
    }
}

/// A line for each stage, with a bar: as many characters as its share of those who entered, 30 for all.
impl fmt::Display for Funnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.workflow)?;
        let mut line = |name: &str, number: i64, note: &str| {
            let share = if self.entered > 0 { number as f64 / self.entered as f64 } else { 0.0 };
            let bar = "█".repeat((share * 30.0).round().clamp(0.0, 40.0) as usize);
            writeln!(f, "{}", format!("  {name:<26} {number:>6} {:>4.0}%  {bar}{note}", share * 100.0).trim_end())
        };
        line("entered", self.entered, "")?;
        for send in &self.sends {
            let note = if send.not_sent > 0 { format!("  ({} not sent)", send.not_sent) } else { String::new() };
            line(&send.step, send.sent, &note)?;
        }
        line("completed", self.completed, "")?;
        for (reason, number) in &self.exits {
            line(&format!("ended: {reason}"), *number, "")?;
        }
        if self.active > 0 {
            line("still inside", self.active, "")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_a_table() {
        let sends = vec![Sends { step: "send-hello".to_owned(), sent: 9, not_sent: 1 }];
        let funnel =
            Funnel { workflow: "welcome".to_owned(), entered: 10, sends, completed: 5, exits: vec![("goal", 2)], active: 3 };
        let expected = "\
welcome
  entered                        10  100%  ██████████████████████████████
  send-hello                      9   90%  ███████████████████████████  (1 not sent)
  completed                       5   50%  ███████████████
  ended: goal                     2   20%  ██████
  still inside                    3   30%  █████████
";
        assert_eq!(funnel.to_string(), expected);
    }

    #[test]
    fn of_nobody_is_empty_and_not_a_division_by_nothing() {
        let funnel =
            Funnel { workflow: "x".to_owned(), entered: 0, sends: Vec::new(), completed: 0, exits: Vec::new(), active: 0 };
        assert!(funnel.to_string().contains("entered                         0    0%"));
    }
}
