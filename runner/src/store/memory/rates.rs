//! How much has been going on of late: what a plan reckons with.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::Fate;

use super::MemoryStore;
use super::names::Sym;
use crate::state::{CALLS, MessageStatus, WorkflowId};
use crate::store::{Entries, Happened};

impl MemoryStore {
    pub(super) fn entries(&self, from: i64) -> Vec<Entries> {
        let mut entries: BTreeMap<u32, Entries> = BTreeMap::new();
        for (workflow, at) in self.runs.entered() {
            let none = Entries { workflow: WorkflowId(workflow.into()), first: at, number: 0 };
            let of = entries.entry(workflow).or_insert(none);
            of.first = of.first.min(at);
            of.number += u64::from(at >= from);
        }
        entries.into_values().collect()
    }

    pub(super) fn queued(&self, from: i64) -> Vec<(WorkflowId, String, u64)> {
        let calls = self.names.find(CALLS);
        let mut steps: BTreeMap<(u32, Sym), u64> = BTreeMap::new();
        for (_, row) in self.messages.rows(0).filter(|(_, row)| row.created_at >= from && Some(row.channel) != calls) {
            *steps.entry((row.workflow, row.step)).or_default() += 1;
        }
        let named =
            |((workflow, step), number): ((u32, Sym), u64)| (WorkflowId(workflow.into()), self.names.string(step), number);
        let mut queued: Vec<_> = steps.into_iter().map(named).collect();
        queued.sort();
        queued
    }

    pub(super) fn number_of(&self, event: &str, from: i64) -> Happened {
        if event == Fate::Sent.event() {
            let sent = self.messages.rows(0).filter(|(_, row)| row.status == MessageStatus::Sent && row.at >= from);
            return counted(sent.map(|(_, row)| row.contact));
        }
        let Some(name) = self.names.find(event) else { return Happened::default() };
        let events = self.events.after(0).filter(|(_, row)| row.name == name && row.at >= from);
        counted(events.map(|(_, row)| row.contact))
    }
}

fn counted(contacts: impl Iterator<Item = u32>) -> Happened {
    let mut number = 0;
    let distinct: BTreeSet<u32> = contacts.inspect(|_| number += 1).collect();
    Happened { number, contacts: distinct.len() as u64 }
}
