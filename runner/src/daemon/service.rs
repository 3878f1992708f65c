//! The service: everything that `campaignd run` brings up, in order, and takes down again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dsl::diagnostic::Diagnostic;
use dsl::model::{Catalog, Settings, Status};
use dsl::{ProjectError, ProjectFiles};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::signals::Signals;
use super::{
    Carry, CarryError, KernelThread, LastGood, Loaded, MaildirThread, Pools, StopError, as_json, mailbox, service_manager,
};
use crate::clock::{Clock, WallClock};
use crate::instant;
use crate::kernel::{Input, Kernel, Options, Plan};
use crate::metrics::Metrics;
use crate::reload::{Outcome, Progress, ReloadThread, Reloader, Start};
use crate::render::RenderError;
use crate::secrets::{SecretError, Secrets};
use crate::store::{SqliteStore, StoreError};
use crate::tracking::Bursts;
use crate::web;

/// Where the store is when campaignd.yaml is too broken to say.
const USUAL_STORE: &str = "state/campaignd.db";

/// Why the service did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("the project has errors, and there are no last good definitions to run")]
    Findings { diagnostics: Vec<Diagnostic>, files: Box<ProjectFiles> },
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Rules(#[from] web::RulesError),
    #[error(transparent)]
    Channels(#[from] CarryError),
    #[error("{0}; `campaignd validate` should have said so: report this")]
    Template(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} cannot be listened on ({1}); stop what listens there, or change http.listen in campaignd.yaml")]
    Listen(String, #[source] std::io::Error),
    #[error("the system gives no threads or signals: {0}")]
    System(#[source] std::io::Error),
    #[error(transparent)]
    Stop(#[from] StopError),
}

/// Runs the project in `root` until a signal ends it. Blocks.
///
/// # Errors
/// When it cannot start, or what the channels reported last could not be stored.
pub fn run(root: &Path) -> Result<(), ServiceError> {
    let clock: Arc<dyn Clock> = Arc::new(WallClock);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(ServiceError::System)?;
    let chosen = choose(root)?;
    let settings = chosen.catalog.settings.clone();
    let secrets = Secrets::of_project(root)?;
    let rules = Arc::new(web::InForce::from_pointee(web::Rules::of(&chosen.catalog, &secrets)?));
    let (mailbox, intake) = mailbox();
    let pools = Arc::new(Pools::new(root, mailbox.reporter(), runtime.handle().clone()));
    pools.install(pools.prepare(&settings, &secrets)?);
    let listener = listen(&runtime, &settings)?;
    let metrics = Arc::new(Metrics::default());
    let started = start_kernel(chosen, &*clock, &metrics)?;
    let signer = started.kernel.signer().clone();
    let bursts = Arc::new(Bursts::default());
    let carriers: Arc<dyn Carry> = pools.clone();
    let thread = KernelThread::start(started.kernel, clock.clone(), carriers, (mailbox.clone(), intake), metrics.clone())?;
    let pages = web::Pages {
        mailbox: mailbox.clone(),
        health: thread.health().clone(),
        metrics: metrics.clone(),
        rules: rules.clone(),
        clock: clock.clone(),
        signer,
        bursts: bursts.clone(),
        certificates: Arc::new(web::Certificates::new(Arc::new(web::Online::new()))),
        planning: Arc::new(web::Planning::of(Some(root.join(&settings.store)))),
    };
    let signals = Signals::take(&runtime).map_err(ServiceError::System)?;
    runtime.spawn(web::serve(listener, pages));
    runtime.spawn(service_manager::feed_watchdog(thread.health().clone()));
    let maildir = MaildirThread::start(root, mailbox.clone(), clock.clone()).map_err(ServiceError::System)?;
    let start = Start { root: root.to_owned(), plan: started.plan, loaded: started.loaded, seen: started.seen };
    let reloader = Reloader::new(start, mailbox, pools, rules, clock, metrics);
    let reloading = ReloadThread::start(reloader, Arc::new(tell_manager)).map_err(ServiceError::System)?;
    service_manager::ready(&announce(&settings, root, &started.summary));
    let hints = reloading.hints();
    runtime.block_on(signals.until_told_to_stop(hints));
    tracing::info!(within_seconds = settings.stop_within.millis() / 1000, "stopping: what the channels carry may finish");
    service_manager::stopping();
    reloading.stop();
    bursts.release_all().into_iter().for_each(|click| thread.mailbox().send(Input::Tracked(click)));
    maildir.stop();
    let ended = thread.stop(Duration::from_millis(settings.stop_within.millis().unsigned_abs()));
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended?;
    tracing::info!("stopped; the store is closed");
    Ok(())
}

/// What the service starts with.
struct Chosen {
    catalog: Catalog,
    store: SqliteStore,
    /// The files that the catalog was made from.
    files: ProjectFiles,
    /// The catalog is not that of the project's files as they are.
    stale: bool,
    /// Of the project's files as they are.
    diagnostics: Vec<Diagnostic>,
    seen: String,
}

/// The project's files if they are good; else the last good ones that the store remembers.
fn choose(root: &Path) -> Result<Chosen, ServiceError> {
    let files = ProjectFiles::read(root)?;
    let seen = files.hash();
    let compiled = dsl::compile(&files);
    let store = compiled.settings.as_ref().map_or(USUAL_STORE, |settings| &settings.store);
    let path = root.join(store);
    let diagnostics = compiled.diagnostics;
    if let Some(catalog) = compiled.catalog {
        let store = SqliteStore::open(&path)?;
        return Ok(Chosen { catalog, store, files, stale: false, diagnostics, seen });
    }
    let last_good = if path.is_file() {
        let mut store = SqliteStore::open(&path)?;
        let good = LastGood::find(&mut store)?;
        good.and_then(|good| Some((dsl::compile(&good).catalog?, good, store)))
    } else {
        None
    };
    match last_good {
        Some((catalog, good, store)) => Ok(Chosen { catalog, store, files: good, stale: true, diagnostics, seen }),
        None => Err(ServiceError::Findings { diagnostics, files: Box::new(files) }),
    }
}

fn listen(runtime: &Runtime, settings: &Settings) -> Result<TcpListener, ServiceError> {
    let address = &settings.http.listen;
    runtime.block_on(TcpListener::bind(address)).map_err(|error| ServiceError::Listen(address.clone(), error))
}

struct Started {
    kernel: Kernel,
    plan: Arc<Plan>,
    loaded: Loaded,
    seen: String,
    summary: String,
}

/// Puts what was chosen in force, and writes down that it is.
fn start_kernel(chosen: Chosen, clock: &dyn Clock, metrics: &Metrics) -> Result<Started, ServiceError> {
    let plan = Arc::new(Plan::new(Arc::new(chosen.catalog), None)?);
    let settings = &plan.catalog.settings;
    let now = clock.now();
    let mut kernel = Kernel::open(Box::new(chosen.store), plan.clone(), Options::default(), now)?;
    let loaded = Loaded {
        hash: Some(plan.catalog.hash.0.clone()),
        loaded_at: Some(instant::text(now, &instant::project_zone(settings))),
        stale: chosen.stale,
        diagnostics: as_json(&chosen.diagnostics),
    };
    let mut notes = vec![loaded.note()];
    metrics.reloaded(now);
    metrics.know_channels(settings.channels.keys());
    if chosen.stale {
        metrics.reload_refused();
        tracing::error!("the project has errors: the last good definitions run; `campaignd validate` shows what is wrong");
    } else {
        notes.push(LastGood::note(&chosen.files));
    }
    kernel.note(&notes, now)?;
    let live =
        plan.workflows.values().filter(|planned| planned.prepared.program.definition.workflow.status == Status::Live).count();
    let summary =
        format!("{} workflows in force, {live} live{}", plan.workflows.len(), if chosen.stale { ", stale" } else { "" });
    Ok(Started { kernel, plan, loaded, seen: chosen.seen, summary })
}

/// Says in one line what runs, where, and with what.
fn announce(settings: &Settings, root: &Path, summary: &str) -> String {
    let store: PathBuf = root.join(&settings.store);
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        project = settings.project,
        store = %store.display(),
        listen = settings.http.listen,
        channels = settings.channels.len(),
        "campaignd runs: {summary}"
    );
    summary.to_owned()
}

/// Tells the service manager how the reloading goes.
fn tell_manager(progress: &Progress) {
    match progress {
        Progress::Begun => service_manager::reloading(),
        Progress::Ended => service_manager::ready_again(),
        Progress::Done(Outcome::InForce { number }) => service_manager::status(&format!("{number} workflows in force")),
        Progress::Done(Outcome::Refused(refusal)) => service_manager::status(&format!("stale: {refusal}")),
        Progress::Done(Outcome::Unchanged) => {}
    }
}
