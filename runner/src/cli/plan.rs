//! `plan`: what the project's files would change in a store, before anybody gets anything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::model::Catalog;

use super::output::colour_on_stdout;
use super::{CouldNotRun, Exit, Outcome, asking, output, project};
use crate::changes::{self, Report, human, markdown};
use crate::clock::{Clock, WallClock};
use crate::store::{SqliteStore, StoreError};

#[derive(clap::Args)]
pub struct Plan {
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// End with 1 when runs would lose their step, or more people than --max-audience be reached
    #[arg(long)]
    strict: bool,
    /// The most people that one broadcast or backfill may reach, under --strict
    #[arg(long, value_name = "N")]
    max_audience: Option<u64>,
    /// The store, or a backup of it; nothing is written to it. Default: the project's
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    store: Option<PathBuf>,
    /// Ask a runner over HTTP, such as https://campaigns.example
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The file that holds the runner's write key; default: the variable CAMPAIGND_KEY
    #[arg(long, value_name = "FILE", requires = "url")]
    key_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Json,
    /// For the comment of a pull request
    Markdown,
}

impl Plan {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let project = project::open(given)?;
        let Some(catalog) = project.catalog() else { return Ok(Exit::Findings) };
        let catalog = Arc::new(catalog);
        let report = match &self.url {
            Some(url) => asking::plan(url, self.key_file.as_deref(), &catalog)?,
            None => {
                let named = self.store.clone();
                let usual = project.store(&catalog.settings);
                of_store(named.as_deref(), &usual, &catalog)?
            }
        };
        let breaches = report.breaches(self.max_audience);
        let text = match self.format {
            Format::Human => human::text(&report, colour_on_stdout()),
            Format::Markdown => markdown::text(&report, if self.strict { &breaches } else { &[] }),
            Format::Json => serde_json::to_string_pretty(&report)
                .map(|text| text + "\n")
                .map_err(|error| CouldNotRun(format!("the plan cannot be written: {error}")))?,
        };
        output::text(&text)?;
        if !self.strict || breaches.is_empty() {
            return Ok(Exit::Fine);
        }
        breaches.iter().for_each(|breach| output::note(&format!("campaignd: {breach}")));
        Ok(Exit::Findings)
    }
}

/// `named`: it must be there. The project's own may not be there yet.
fn of_store(named: Option<&Path>, usual: &Path, catalog: &Arc<Catalog>) -> Result<Report, CouldNotRun> {
    let now = WallClock.now();
    let path = match named {
        Some(path) => path,
        None if usual.is_file() => usual,
        None => return Ok(changes::plan(None, catalog, now)?),
    };
    let report = SqliteStore::read_at_one_moment::<_, StoreError>(path, |store| changes::plan(Some(store), catalog, now))?;
    Ok(report)
}
