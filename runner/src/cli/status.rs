//! `status`: what the runner is doing, read from the store; with or without a runner.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use dsl::model::Status as Written;
use serde::Serialize;

use super::beside::Beside;
use super::output::print;
use super::{CouldNotRun, Exit, Outcome};
use crate::clock::{Clock, WallClock};
use crate::daemon::{Loaded, Passages, passages};
use crate::state::MessageStatus;
use crate::store::{self, Store, WorkflowRow};

#[derive(clap::Args)]
pub struct Status {
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
}

#[derive(Debug, Serialize)]
struct Report {
    definitions: Loaded,
    workflows: Vec<WorkflowReport>,
    messages: BTreeMap<&'static str, i64>,
    /// Runs and messages that are due.
    due: i64,
    lag_seconds: f64,
}

#[derive(Debug, Serialize, PartialEq)]
struct WorkflowReport {
    name: String,
    status: String,
    active: i64,
    entered: i64,
    completed: i64,
    exited: BTreeMap<String, i64>,
}

impl Status {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        let mut report = Report::empty();
        if let Some(store) = &mut beside.store {
            report.read(store, WallClock.now())?;
        }
        if report.definitions.hash.is_none() {
            report.add_files(&beside)?;
        }
        print(|out| match self.format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &report)?;
                writeln!(out)
            }
            Format::Human => report.write_human(out),
        })?;
        Ok(Exit::Fine)
    }
}

impl Report {
    fn empty() -> Report {
        Report {
            definitions: Loaded::default(),
            workflows: Vec::new(),
            messages: MessageStatus::ALL.into_iter().map(|status| (status.word(), 0)).collect(),
            due: 0,
            lag_seconds: 0.0,
        }
    }

    fn read(&mut self, store: &mut dyn Store, now: i64) -> store::Result<()> {
        self.definitions = Loaded::find(store)?.unwrap_or_default();
        let mut passages = passages(store)?;
        for row in store.workflows()?.into_iter().filter(|row| row.definition.is_some()) {
            let found = passages.remove(&row.id).unwrap_or_default();
            let status = shown(&row).to_owned();
            self.workflows.push(WorkflowReport::new(row.name, status, found));
        }
        self.workflows.sort_by(|a, b| a.name.cmp(&b.name));
        for (status, number) in store.message_counts()? {
            self.messages.insert(status.word(), number);
        }
        let (due, earliest) = store.due_count(now)?;
        self.due = due;
        self.lag_seconds = earliest.map_or(0, |earliest| (now - earliest).max(0)) as f64 / 1000.0;
        Ok(())
    }

    /// No runner has ever run: what it would put in force.
    fn add_files(&mut self, beside: &Beside) -> Result<(), CouldNotRun> {
        let Some(catalog) = beside.catalog()? else { return Ok(()) };
        for (name, entry) in &catalog.workflows {
            let status = match entry.definition.workflow.status {
                Written::Live => "live",
                Written::Draft => "draft",
                Written::Paused => "paused",
                Written::Closed => "closed",
            };
            self.workflows.push(WorkflowReport::new(name.clone(), status.to_owned(), Passages::default()));
        }
        Ok(())
    }

    fn write_human(&self, out: &mut dyn Write) -> io::Result<()> {
        match (&self.definitions.hash, &self.definitions.loaded_at) {
            (Some(hash), Some(at)) => writeln!(out, "definitions  {} in force since {at}", &hash[..hash.len().min(12)])?,
            _ => writeln!(out, "definitions  none in force yet; `campaignd run` puts them in force")?,
        }
        if self.definitions.stale {
            writeln!(out, "             stale: the files have errors, the last good definitions run (`campaignd validate`)")?;
        }
        let width = self.workflows.iter().map(|workflow| workflow.name.chars().count()).max().unwrap_or(0).max(8);
        writeln!(out, "\n{:width$}  status  {:>9} {:>9} {:>9}  exited", "workflow", "active", "entered", "completed")?;
        for workflow in &self.workflows {
            let exited: Vec<String> = workflow.exited.iter().map(|(reason, number)| format!("{reason} {number}")).collect();
            let WorkflowReport { name, status, active, entered, completed, .. } = workflow;
            let line = format!("{name:width$}  {status:6}  {active:>9} {entered:>9} {completed:>9}  {}", exited.join(", "));
            writeln!(out, "{}", line.trim_end())?;
        }
        let messages: Vec<String> =
            MessageStatus::ALL.iter().map(|status| format!("{} {}", status.word(), self.messages[status.word()])).collect();
        writeln!(out, "\nmessages  {}", messages.join(", "))?;
        writeln!(out, "due       {} (the longest for {:.1} s)", self.due, self.lag_seconds)
    }
}

impl WorkflowReport {
    fn new(name: String, status: String, passages: Passages) -> WorkflowReport {
        WorkflowReport {
            name,
            status,
            active: passages.active(),
            entered: passages.entered,
            completed: passages.completed,
            exited: passages.exited,
        }
    }
}

/// A live workflow that was paused by command is paused.
pub(super) fn shown(row: &WorkflowRow) -> &str {
    if row.paused && row.status == "live" { "paused" } else { &row.status }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::SqliteStore;

    fn store() -> SqliteStore {
        let mut store = SqliteStore::in_memory().unwrap();
        store.begin().unwrap();
        for (name, status, paused) in [("b", "live", true), ("a", "closed", false)] {
            let id = store.workflow_id(name).unwrap();
            let definition = store.put_definition(id, name, "{}", 0).unwrap();
            let (name, status) = (name.to_owned(), status.to_owned());
            store.set_workflow(&WorkflowRow { id, name, definition: Some(definition), status, paused }).unwrap();
            for (what, number) in [("entered", 9), ("ignored", 4), ("exit:completed", 2), ("exit:goal", 3), ("goal", 3)] {
                store.count(id, what, number).unwrap();
            }
        }
        let loaded = Loaded { hash: Some("h".to_owned()), loaded_at: Some("t".to_owned()), ..Loaded::default() };
        let (name, text) = loaded.note();
        store.set_property(name, &text).unwrap();
        store.commit().unwrap();
        store
    }

    #[test]
    fn has_the_fields_of_the_contract() {
        let mut report = Report::empty();
        report.read(&mut store(), 1000).unwrap();
        let passages = json!({ "active": 4, "entered": 9, "completed": 2, "exited": { "goal": 3 } });
        let workflow = |name: &str, status: &str| {
            let mut workflow = passages.clone();
            workflow["name"] = name.into();
            workflow["status"] = status.into();
            workflow
        };
        let expected = json!({
            "definitions": { "hash": "h", "loaded_at": "t", "stale": false, "diagnostics": [] },
            "workflows": [workflow("a", "closed"), workflow("b", "paused")],
            "messages": { "queued": 0, "sending": 0, "sent": 0, "failed": 0, "skipped": 0, "unknown": 0, "called": 0 },
            "due": 0,
            "lag_seconds": 0.0,
        });
        assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    }

    #[test]
    fn is_all_zeros_without_a_store() {
        let report = serde_json::to_value(Report::empty()).unwrap();
        assert_eq!(report["definitions"], json!({ "hash": null, "loaded_at": null, "stale": false, "diagnostics": [] }));
        assert_eq!((&report["due"], &report["messages"]["sent"]), (&json!(0), &json!(0)));
    }
}
