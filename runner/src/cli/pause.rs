//! `pause` and `resume`: freezing a workflow, over reloads and restarts.

use std::path::PathBuf;

use super::beside::Beside;
use super::output::print;
use super::{CouldNotRun, Exit, Outcome};
use crate::store::{InboxItem, Store};

#[derive(clap::Args)]
pub struct Pause {
    /// The workflow's name
    workflow: String,
}

#[derive(clap::Args)]
pub struct Resume {
    /// The workflow's name
    workflow: String,
}

impl Pause {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        leave(given, &self.workflow, InboxItem::Pause(self.workflow.clone()), "paused")
    }
}

impl Resume {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        leave(given, &self.workflow, InboxItem::Resume(self.workflow.clone()), "resumed")
    }
}

fn leave(given: Option<PathBuf>, workflow: &str, item: InboxItem, word: &str) -> Outcome {
    let mut beside = Beside::open(given)?;
    if !is_known(&mut beside, workflow)? {
        eprintln!("campaignd: there is no workflow `{workflow}` in this project; `campaignd status` lists them");
        return Ok(Exit::Findings);
    }
    beside.leave(&item)?;
    print(|out| writeln!(out, "{workflow} is {word} by the runner: at once if it runs, else when it starts"))?;
    Ok(Exit::Fine)
}

/// In the store, or in files that were never run.
fn is_known(beside: &mut Beside, workflow: &str) -> Result<bool, CouldNotRun> {
    if let Some(store) = &mut beside.store
        && store.workflows()?.iter().any(|row| row.name == workflow)
    {
        return Ok(true);
    }
    Ok(beside.catalog()?.is_some_and(|catalog| catalog.workflows.contains_key(workflow)))
}
