//! One attempt to put the files as they are now in force: all of them or none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, Location, Severity};
use dsl::model::{Catalog, Settings};
use dsl::{ProjectError, ProjectFiles};

use crate::clock::Clock;
use crate::daemon::{CarryError, LastGood, Loaded, Mailbox, Pools, Replacement, Stopped, as_json};
use crate::instant;
use crate::kernel::Plan;
use crate::metrics::Metrics;
use crate::render::RenderError;
use crate::secrets::{SecretError, Secrets};
use crate::store::StoreError;
use crate::web::{InForce, Rules, RulesError};

/// What became of an attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The files are those that were looked at last.
    Unchanged,
    InForce {
        /// Of workflows.
        number: usize,
    },
    /// What was in force stays.
    Refused(Refusal),
}

/// Why files were not put in force.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{} {} in the project; `campaignd validate` shows them", .0, if *.0 == 1 { "error" } else { "errors" })]
    Errors(usize),
    #[error(transparent)]
    Unreadable(#[from] ProjectError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error(transparent)]
    Channels(#[from] CarryError),
    #[error(transparent)]
    Template(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Puts files in force. Holds what is in force, to build upon.
pub struct Reloader {
    pub(super) root: PathBuf,
    pub(super) mailbox: Mailbox,
    pub(super) pools: Arc<Pools>,
    pub(super) rules: Arc<InForce>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) plan: Arc<Plan>,
    /// What the process was started with: changes of some settings need a restart.
    pub(super) started_with: Arc<Settings>,
    pub(super) loaded: Loaded,
    /// The hash of the files last looked at, unless something that may pass by itself kept them from being put in force.
    pub(super) seen: Option<String>,
}

/// What a reloader starts from.
pub struct Start {
    pub root: PathBuf,
    pub plan: Arc<Plan>,
    pub loaded: Loaded,
    /// [`ProjectFiles::hash`] of the files that were found at the start, good or not.
    pub seen: String,
}

impl Reloader {
    pub fn new(
        start: Start,
        mailbox: Mailbox,
        pools: Arc<Pools>,
        rules: Arc<InForce>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Reloader {
        Reloader {
            root: start.root,
            mailbox,
            pools,
            rules,
            clock,
            metrics,
            started_with: start.plan.catalog.settings.clone(),
            plan: start.plan,
            loaded: start.loaded,
            seen: Some(start.seen),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Reads the files and puts them in force if they changed and are good. `asked`: also when they did not change. Says in the log, the metrics
    /// and the store what became of it. Blocks until the kernel's thread has answered.
    pub fn attempt(&mut self, asked: bool) -> Outcome {
        let files = match ProjectFiles::read(&self.root) {
            Ok(files) => files,
            Err(error) => {
                self.seen = None;
                return self.refuse(error.into(), &[], asked);
            }
        };
        let hash = files.hash();
        if self.seen.as_ref() == Some(&hash) && !asked {
            return Outcome::Unchanged;
        }
        let compiled = dsl::compile(&files);
        let Some(catalog) = compiled.catalog else {
            self.seen = Some(hash);
            let errors = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
            return self.refuse(Refusal::Errors(errors), &compiled.diagnostics, asked);
        };
        match self.put_in_force(Arc::new(catalog), &files, &compiled.diagnostics) {
            Ok(()) => {
                self.seen = Some(hash);
                Outcome::InForce { number: self.plan.workflows.len() }
            }
            Err(refusal) => {
                self.seen = None;
                self.refuse(refusal, &compiled.diagnostics, asked)
            }
        }
    }

    fn put_in_force(&mut self, catalog: Arc<Catalog>, files: &ProjectFiles, diagnostics: &[Diagnostic]) -> Result<(), Refusal> {
        let plan = Arc::new(Plan::new(catalog, Some(&self.plan))?);
        let settings = plan.catalog.settings.clone();
        let secrets = Secrets::of_project(&self.root)?;
        let rules = Arc::new(Rules::of(&plan.catalog, &secrets)?);
        let replacement = self.pools.prepare(&settings, &secrets)?;
        let restarted = restarted(&replacement);
        let (pools, in_force) = (self.pools.clone(), self.rules.clone());
        let then = move || {
            pools.install(replacement);
            in_force.store(rules);
        };
        self.mailbox.reload(plan.clone(), then).wait()??;
        let now = self.clock.now();
        self.metrics.know_channels(settings.channels.keys());
        self.metrics.reloaded(now);
        tracing::info!(
            workflows = plan.workflows.len(),
            hash = plan.catalog.hash.0,
            channels_restarted = restarted,
            warnings = diagnostics.len(),
            "the project's files are in force"
        );
        self.say_what_needs_a_restart(&settings);
        self.loaded = Loaded {
            hash: Some(plan.catalog.hash.0.clone()),
            loaded_at: Some(instant::text(now, &instant::project_zone(&settings))),
            stale: false,
            diagnostics: as_json(diagnostics),
        };
        self.plan = plan;
        self.note(vec![self.loaded.note(), LastGood::note(files)]);
        Ok(())
    }

    /// What is in force does not depend on it.
    fn note(&self, notes: Vec<(&'static str, String)>) {
        match self.mailbox.note(notes).wait() {
            Ok(Ok(())) | Err(Stopped) => {}
            Ok(Err(error)) => tracing::warn!(%error, "`status` will not show what was loaded"),
        }
    }

    fn refuse(&mut self, refusal: Refusal, diagnostics: &[Diagnostic], asked: bool) -> Outcome {
        self.metrics.reload_refused();
        let shown = match &refusal {
            Refusal::Errors(_) => as_json(diagnostics),
            other => as_json(&[about_the_whole(other)]),
        };
        if self.loaded.stale && self.loaded.diagnostics == shown && !asked {
            // It has been said.
            return Outcome::Refused(refusal);
        }
        tracing::error!(reason = %refusal, "the project's files are not put in force; what was in force stays");
        for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).take(10) {
            let place = &diagnostic.location;
            tracing::error!(code = diagnostic.code, "{}:{}:{}: {}", place.file, place.line, place.column, diagnostic.message);
        }
        self.loaded.stale = true;
        self.loaded.diagnostics = shown;
        self.note(vec![self.loaded.note()]);
        Outcome::Refused(refusal)
    }

    /// What is set up once, at the start.
    fn say_what_needs_a_restart(&self, settings: &Settings) {
        let started = &self.started_with;
        for (name, changed) in
            [("http.listen", started.http.listen != settings.http.listen), ("store", started.store != settings.store)]
        {
            if changed {
                tracing::warn!("the settings of `{name}` changed: they take effect when campaignd is restarted");
            }
        }
    }
}

fn restarted(replacement: &Replacement) -> String {
    replacement.names().join(" ")
}

/// For `status`: why files that are in order in themselves cannot be put in force.
fn about_the_whole(refusal: &Refusal) -> Diagnostic {
    let location = Location { file: "campaignd.yaml".to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
    Diagnostic::error("not-loadable", location, refusal.to_string())
}
