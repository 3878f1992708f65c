//! `migrate`: the runs that an edit left under an older definition go over to the one in force.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dsl::model::Definition;

use super::beside::Beside;
use super::output::{note, print};
use super::{CouldNotRun, Exit, Outcome};
use crate::store::{InboxItem, Migration, SqliteStore, Store, WorkflowRow};

/// So many runs are read at once.
const PAGE: usize = 1000;

#[derive(clap::Args)]
pub struct Migrate {
    /// The workflow's name
    workflow: String,
    /// Those on step OLD go to step NEW of the definition in force; may be given several times
    #[arg(long = "map", value_name = "OLD=NEW")]
    moves: Vec<String>,
    /// Where those go whose step is gone and whom no --map and no `moved` takes
    #[arg(long, value_name = "STEP")]
    to: Option<String>,
    /// Only say who would go where
    #[arg(long)]
    dry_run: bool,
}

/// Open runs under an older definition, by the step they stand on: how many, and where they go.
type Behind = BTreeMap<String, (u64, Goes)>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Goes {
    /// On from the step they stand on.
    On,
    To(String),
    /// Their step is gone, and nothing says where they go.
    Nowhere,
}

impl Migrate {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let moves = self.moves()?;
        let mut beside = Beside::open(given)?;
        let found = match &mut beside.store {
            Some(store) => in_force(store, &self.workflow)?,
            None => None,
        };
        let Some((row, definition)) = found else {
            let name = self.workflow.escape_debug();
            return Err(CouldNotRun(format!("no workflow `{name}` is in force; `campaignd status` lists them")));
        };
        if let Some(step) = moves.values().chain(&self.to).find(|step| !has(&definition, step)) {
            let step = step.escape_debug();
            return Err(CouldNotRun(format!(
                "the definition in force has no step `{step}`; `campaignd graph` shows those it has"
            )));
        }
        let migration = Migration { workflow: self.workflow.clone(), moves, rest: self.to.clone() };
        let Some(store) = &mut beside.store else { return Ok(Exit::Findings) };
        let behind = store.at_one_moment::<_, CouldNotRun>(|store| behind(store, &row, &definition, &migration))?;
        for old in migration.moves.keys().filter(|old| !behind.contains_key(*old)) {
            note(&format!("campaignd: nobody under an older definition stands on `{}`", old.escape_debug()));
        }
        let lost = behind.values().filter(|(_, goes)| *goes == Goes::Nowhere).map(|(runs, _)| runs).sum::<u64>();
        let moved = behind.values().map(|(runs, _)| runs).sum::<u64>() - lost;
        if !self.dry_run && moved > 0 {
            beside.leave(&InboxItem::Migrate(migration))?;
        }
        self.tell(&behind, moved, lost)?;
        Ok(if lost == 0 { Exit::Fine } else { Exit::Findings })
    }

    fn moves(&self) -> Result<BTreeMap<String, String>, CouldNotRun> {
        let pair = |text: &String| match text.split_once('=') {
            Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
            _ => Err(CouldNotRun(format!("--map `{}` is not OLD=NEW, such as --map ask=ask-again", text.escape_debug()))),
        };
        self.moves.iter().map(pair).collect()
    }

    fn tell(&self, behind: &Behind, moved: u64, lost: u64) -> Result<(), CouldNotRun> {
        let name = &self.workflow;
        print(|out| {
            if behind.is_empty() {
                return writeln!(out, "{name}: nobody inside is under an older definition than the last one");
            }
            for (step, (runs, goes)) in behind {
                let goes = match goes {
                    Goes::On => "go on from here".to_owned(),
                    Goes::To(step) => format!("go to {step}"),
                    Goes::Nowhere => format!("stay: the step is gone; --map {step}=STEP or --to STEP says where they go"),
                };
                writeln!(out, "{runs:>9}  {step}: {goes}")?;
            }
            if self.dry_run {
                writeln!(out, "{name}: {moved} would be moved, {lost} would stay; nothing was changed")
            } else if moved == 0 {
                writeln!(out, "{name}: nobody is moved, {lost} stay")
            } else {
                writeln!(out, "{name}: {moved} are moved by the runner: at once if it runs, else when it starts; {lost} stay")
            }
        })
    }
}

fn in_force(store: &mut SqliteStore, name: &str) -> Result<Option<(WorkflowRow, Definition)>, CouldNotRun> {
    let row = store.workflows()?.into_iter().find(|row| row.name == name);
    let Some((row, id)) = row.and_then(|row| Some((row.definition?, row))).map(|(id, row)| (row, id)) else { return Ok(None) };
    let text = store.definition(id)?;
    let definition = text.and_then(|text| serde_json::from_str(&text).ok());
    Ok(definition.map(|definition| (row, definition)))
}

fn behind(
    store: &mut SqliteStore,
    row: &WorkflowRow,
    definition: &Definition,
    migration: &Migration,
) -> Result<Behind, CouldNotRun> {
    let (mut behind, mut place) = (Behind::new(), None);
    loop {
        let page = store.open_runs_of(row.id, place, PAGE)?;
        let Some(last) = page.last() else { return Ok(behind) };
        place = Some((last.contact, last.id));
        for run in page.iter().filter(|run| Some(run.definition) != row.definition) {
            let known = behind.entry(run.step.clone()).or_insert_with(|| (0, goes(&run.step, definition, migration)));
            known.0 += 1;
        }
    }
}

/// As the kernel decides it.
fn goes(step: &str, definition: &Definition, migration: &Migration) -> Goes {
    if let Some(to) = migration.moves.get(step) {
        return Goes::To(to.clone());
    }
    if has(definition, step) {
        return Goes::On;
    }
    let moved = definition.workflow.moved.get(step).or(migration.rest.as_ref());
    moved.map_or(Goes::Nowhere, |to| Goes::To(to.clone()))
}

fn has(definition: &Definition, step: &str) -> bool {
    definition.workflow.steps.iter().any(|known| known.id == step)
}
