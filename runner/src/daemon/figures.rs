//! The figures that people and monitors watch, from the store's counters.

use std::collections::BTreeMap;

use crate::kernel::Kernel;
use crate::state::{EndReason, MessageStatus, WorkflowId};
use crate::store::{Result, Store};

/// How many entered a workflow, and how they left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passages {
    pub entered: i64,
    /// Went through to the end.
    pub completed: i64,
    /// Ended in another way, by the word of the reason.
    pub exited: BTreeMap<String, i64>,
}

impl Passages {
    /// Those inside.
    pub fn active(&self) -> i64 {
        self.entered - self.completed - self.exited.values().sum::<i64>()
    }
}

/// The passages of every workflow that anybody entered. Costs what the number of workflows costs, not that of runs.
///
/// # Errors
/// Those of the store.
pub fn passages(store: &mut dyn Store) -> Result<BTreeMap<WorkflowId, Passages>> {
    let mut all: BTreeMap<WorkflowId, Passages> = BTreeMap::new();
    for (workflow, what, number) in store.counters()? {
        let passages = all.entry(workflow).or_default();
        match what.strip_prefix("exit:") {
            Some(reason) if reason == EndReason::Completed.word() => passages.completed = number,
            Some(reason) => {
                passages.exited.insert(reason.to_owned(), number);
            }
            None if what == "entered" => passages.entered = number,
            None => {}
        }
    }
    Ok(all)
}

/// What a monitor asks a running kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// By workflow name.
    pub workflows: Vec<(String, Passages)>,
    /// Messages queued.
    pub queued: i64,
    /// How late the work that has waited longest is.
    pub lag_ms: i64,
}

impl Figures {
    /// Reads counters and the ends of the due queues.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(kernel: &mut Kernel, now: i64) -> Result<Figures> {
        let channels: Vec<String> = kernel.plan().catalog.settings.channels.keys().cloned().collect();
        let store = kernel.store();
        let mut due = store.next_due_run()?;
        for channel in channels {
            due = due.into_iter().chain(store.next_due_message(&channel)?).min();
        }
        let mut passages = passages(store)?;
        let workflows = store.workflows()?.into_iter().map(|row| (row.name, passages.remove(&row.id).unwrap_or_default()));
        Ok(Figures {
            workflows: workflows.collect(),
            queued: store
                .message_counts()?
                .into_iter()
                .filter(|(status, _)| *status == MessageStatus::Queued)
                .map(|(_, n)| n)
                .sum(),
            lag_ms: due.map_or(0, |due| (now - due).max(0)),
        })
    }
}
