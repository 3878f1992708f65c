//! `report`: what came of each workflow, its messages and its experiments, read from the store at one moment; with or without a runner.

mod chart;
mod experiments;
mod figures;
mod html;
mod human;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::beside::Beside;
use super::output::{colour_on_stdout, print};
use super::{CouldNotRun, Exit, Outcome};
use crate::clock::{Clock, WallClock};
use crate::instant::project_zone;
use figures::Report as Figures;

#[derive(clap::Args)]
pub struct Report {
    /// One workflow only
    workflow: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
    /// One page that needs nothing else
    Html,
}

impl Report {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        let zone = project_zone(&beside.settings);
        let now = WallClock.now().div_euclid(1000) * 1000;
        let mut figures = Figures::empty(&beside.settings.project, now, &zone);
        if let Some(store) = &mut beside.store {
            store.at_one_moment(|store| figures.read(store, self.workflow.as_deref(), now, &zone))?;
        }
        if let Some(wanted) = &self.workflow
            && figures.workflows.is_empty()
        {
            return Err(CouldNotRun(format!(
                "no workflow `{}` has been in force; `campaignd status` lists those there are",
                wanted.escape_debug()
            )));
        }
        print(|out| match self.format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &figures)?;
                writeln!(out)
            }
            Format::Human => human::write(out, &figures, colour_on_stdout()),
            Format::Html => out.write_all(html::page(&figures).as_bytes()),
        })?;
        Ok(Exit::Fine)
    }
}
