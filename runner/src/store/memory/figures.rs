//! What became of messages, added up for reports.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::Fate;
use serde_json::Value;

use super::MemoryStore;
use super::events::Row;
use super::names::Sym;
use crate::state::{CALLS, MessageStatus, WorkflowId};
use crate::store::MessageFigures;

/// By workflow, step and template.
type Place = (u32, Sym, Sym);

impl MemoryStore {
    pub(super) fn figures(&self, workflow: Option<WorkflowId>) -> Vec<MessageFigures> {
        let mut places = self.by_status(workflow);
        for fate in Fate::ALL {
            for (place, number) in self.happened(fate.event(), |event| self.by_somebody(event)) {
                if let Some(figures) = places.get_mut(&place) {
                    figures.fates.insert(fate, number);
                }
            }
        }
        for (place, number) in self.happened("unsubscribed", |event| self.unsubscribed_by(event)) {
            if let Some(figures) = places.get_mut(&place) {
                figures.unsubscribed = number;
            }
        }
        let mut all: Vec<MessageFigures> = places.into_values().collect();
        all.sort_by(|a, b| (a.workflow, &a.step, &a.template).cmp(&(b.workflow, &b.step, &b.template)));
        all
    }

    fn by_status(&self, workflow: Option<WorkflowId>) -> BTreeMap<Place, MessageFigures> {
        let calls = self.names.find(CALLS);
        let mut places: BTreeMap<Place, MessageFigures> = BTreeMap::new();
        let asked = |of: u32| workflow.is_none_or(|workflow| workflow.0 == i64::from(of));
        for (_, row) in self.messages.rows(0).filter(|(_, row)| asked(row.workflow) && Some(row.channel) != calls) {
            let figures = places.entry((row.workflow, row.step, row.template)).or_insert_with(|| MessageFigures {
                workflow: WorkflowId(row.workflow.into()),
                step: self.names.string(row.step),
                template: self.names.string(row.template),
                by_status: BTreeMap::new(),
                skipped: BTreeMap::new(),
                fates: BTreeMap::new(),
                unsubscribed: 0,
            });
            *figures.by_status.entry(row.status).or_default() += 1;
            if row.status == MessageStatus::Skipped {
                // Of somebody who was erased it is not kept why.
                let why = row.error.as_deref().unwrap_or("erased");
                *figures.skipped.entry(why.to_owned()).or_default() += 1;
            }
        }
        places
    }

    /// To how many messages of each place such an event happened; `about` says to which, if it counts.
    fn happened(&self, event: &str, about: impl Fn(&Row) -> Option<i64>) -> BTreeMap<Place, u64> {
        let mut places = BTreeMap::new();
        let Some(name) = self.names.find(event) else { return places };
        let events = self.events.after(0).filter(|(_, event)| event.name == name);
        let messages: BTreeSet<i64> = events.filter_map(|(_, event)| about(event)).collect();
        for row in messages.into_iter().filter_map(|id| self.messages.row(id)) {
            *places.entry((row.workflow, row.step, row.template)).or_default() += 1;
        }
        places
    }

    /// The message it happened to, unless a machine did it.
    fn by_somebody(&self, event: &Row) -> Option<i64> {
        let machine = match self.events.property(event, "machine") {
            Some(Value::Bool(machine)) => *machine,
            Some(Value::Number(number)) => number.as_f64() == Some(1.0),
            _ => false,
        };
        event.message().filter(|_| !machine)
    }

    /// The message by whose link it was. A complaint, which unsubscribes too, is counted as one.
    fn unsubscribed_by(&self, event: &Row) -> Option<i64> {
        let complaint = self.events.property(event, "source").and_then(Value::as_str) == Some("complaint");
        self.events.property(event, "message").and_then(Value::as_i64).filter(|_| !complaint)
    }
}
