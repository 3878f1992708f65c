//! Reloading a project in a folder: all of it or nothing.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::*;
use crate::clock::{Clock, FastClock};
use crate::daemon::{KernelThread, LastGood, Loaded, Pools, mailbox};
use crate::kernel::{Kernel, Options, Plan};
use crate::metrics::Metrics;
use crate::secrets::Secrets;
use crate::store::SqliteStore;
use crate::web::{InForce, Rules};

/// A generous limit for what takes milliseconds.
const SOON: Duration = Duration::from_secs(30);
const SETTINGS: &str =
    "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nchannels: { email: { deliver: \"outbox:outbox/\" } }\n";
const GOOD: &str = "trigger: { manual: true }\nsteps: [{ wait: 1 hour }]\n";

struct Bench {
    dir: tempfile::TempDir,
    reloader: Reloader,
    thread: KernelThread,
    metrics: Arc<Metrics>,
    _runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// A project with the live workflow `a`.
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["workflows", "templates"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        write(&dir, "campaignd.yaml", SETTINGS);
        write(&dir, "workflows/a.yaml", &format!("workflow: a\n{GOOD}"));
        let files = dsl::ProjectFiles::read(dir.path()).unwrap();
        let plan = Arc::new(Plan::new(Arc::new(dsl::compile(&files).catalog.unwrap()), None).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(FastClock::new(0, 1.0));
        let store = Box::new(SqliteStore::in_memory().unwrap());
        let kernel = Kernel::open(store, plan.clone(), Options::default(), 0).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (mailbox, intake) = mailbox();
        let pools = Arc::new(Pools::new(dir.path(), mailbox.reporter(), runtime.handle().clone()));
        let metrics = Arc::new(Metrics::default());
        let ends = (mailbox.clone(), intake);
        let thread = KernelThread::start(kernel, clock.clone(), pools.clone(), ends, metrics.clone()).unwrap();
        let start = Start { root: dir.path().to_owned(), plan, loaded: Loaded::default(), seen: files.hash() };
        let secrets = Secrets::of_project(dir.path()).unwrap();
        let rules = Arc::new(InForce::from_pointee(Rules::of(&start.plan.catalog, &secrets).unwrap()));
        let reloader = Reloader::new(start, mailbox, pools, rules, clock, metrics.clone());
        Bench { dir, reloader, thread, metrics, _runtime: runtime }
    }

    fn write(&mut self, path: &str, text: &str) -> &mut Bench {
        write(&self.dir, path, text);
        self
    }

    /// The workflows that are live in the store.
    fn live(&self) -> Vec<String> {
        let rows = self.thread.mailbox().ask(|kernel, _| kernel.store().workflows().unwrap()).wait().unwrap();
        let mut live: Vec<String> = rows.into_iter().filter(|row| row.status == "live").map(|row| row.name).collect();
        live.sort();
        live
    }

    fn loaded(&self) -> Loaded {
        self.thread.mailbox().ask(|kernel, _| Loaded::find(kernel.store()).unwrap().unwrap_or_default()).wait().unwrap()
    }

    fn success(&self) -> bool {
        self.metrics.text().unwrap().contains("campaignd_reload_success 1")
    }
}

fn write(dir: &tempfile::TempDir, path: &str, text: &str) {
    std::fs::write(dir.path().join(path), text).unwrap();
}

#[test]
fn unchanged_files_change_nothing() {
    let mut bench = Bench::new();
    assert!(matches!(bench.reloader.attempt(false), Outcome::Unchanged));
    assert!(matches!(bench.reloader.attempt(true), Outcome::InForce { number: 1 }));
}

#[test]
fn good_files_are_in_force_and_remembered() {
    let mut bench = Bench::new();
    bench.write("workflows/b.yaml", &format!("workflow: b\n{GOOD}"));
    assert!(matches!(bench.reloader.attempt(false), Outcome::InForce { number: 2 }));
    assert_eq!(bench.live(), ["a", "b"]);
    assert!(bench.success() && !bench.loaded().stale);
    let remembered =
        bench.thread.mailbox().ask(|kernel, _| LastGood::find(kernel.store()).unwrap().unwrap().hash()).wait().unwrap();
    assert_eq!(remembered, dsl::ProjectFiles::read(bench.dir.path()).unwrap().hash());
}

#[test]
fn one_error_keeps_everything_as_it_was() {
    let mut bench = Bench::new();
    bench.write("workflows/b.yaml", &format!("workflow: b\n{GOOD}")).write("workflows/c.yaml", "workflow: c\nsteps: 3\n");
    assert!(matches!(bench.reloader.attempt(false), Outcome::Refused(Refusal::Errors(1..))));
    assert_eq!(bench.live(), ["a"]);
    let loaded = bench.loaded();
    assert!(loaded.stale && !bench.success());
    assert_eq!(loaded.diagnostics[0]["file"], "workflows/c.yaml");
    assert!(matches!(bench.reloader.attempt(false), Outcome::Unchanged), "the same files need not be looked at twice");
    bench.write("workflows/c.yaml", &format!("workflow: c\n{GOOD}"));
    assert!(matches!(bench.reloader.attempt(false), Outcome::InForce { number: 3 }));
    assert_eq!(bench.live(), ["a", "b", "c"]);
    assert!(bench.success() && !bench.loaded().stale);
}

#[test]
fn a_removed_file_closes_its_workflow() {
    let mut bench = Bench::new();
    std::fs::remove_file(bench.dir.path().join("workflows/a.yaml")).unwrap();
    assert!(matches!(bench.reloader.attempt(false), Outcome::InForce { number: 0 }));
    assert_eq!(bench.live(), Vec::<String>::new());
}

#[test]
fn channels_that_cannot_run_keep_everything_as_it_was() {
    let mut bench = Bench::new();
    let smtp = SETTINGS.replace("\"outbox:outbox/\"", "\"smtp://me:${NO_SUCH_SECRET}@127.0.0.1:25\", from: a@example.com");
    bench.write("campaignd.yaml", &smtp).write("workflows/b.yaml", &format!("workflow: b\n{GOOD}"));
    assert!(matches!(bench.reloader.attempt(false), Outcome::Refused(Refusal::Channels(_))));
    assert_eq!(bench.live(), ["a"]);
    let said = bench.loaded().diagnostics[0]["message"].as_str().unwrap().to_owned();
    assert!(said.contains("NO_SUCH_SECRET"), "{said}");
    // What was missing may come without a change of the files that are hashed.
    bench.write(".env", "NO_SUCH_SECRET=x\n");
    assert!(matches!(bench.reloader.attempt(false), Outcome::InForce { number: 2 }));
}

#[test]
fn an_unreadable_project_keeps_everything_as_it_was() {
    let mut bench = Bench::new();
    std::fs::remove_file(bench.dir.path().join("campaignd.yaml")).unwrap();
    assert!(matches!(bench.reloader.attempt(false), Outcome::Refused(Refusal::Unreadable(_))));
    assert_eq!(bench.live(), ["a"]);
    bench.write("campaignd.yaml", SETTINGS);
    assert!(matches!(bench.reloader.attempt(false), Outcome::InForce { number: 1 }));
}

#[test]
fn a_save_is_noticed_also_in_a_new_folder() {
    let bench = Bench::new();
    let (sender, told) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let told_of = move |progress: &Progress| {
        if let Progress::Done(Outcome::InForce { number }) = progress {
            sender.lock().unwrap().send(*number).unwrap();
        }
    };
    let Bench { dir, reloader, thread, _runtime, .. } = bench;
    let reloading = ReloadThread::start(reloader, Arc::new(told_of)).unwrap();
    // The first hint by hand: whether the watches stand already is not known.
    write(&dir, "workflows/b.yaml", &format!("workflow: b\n{GOOD}"));
    reloading.hints().send(Hint::Changed).unwrap();
    assert_eq!(told.recv_timeout(SOON).unwrap(), 2);
    std::fs::create_dir(dir.path().join("workflows/new")).unwrap();
    write(&dir, "workflows/new/c.yaml", &format!("workflow: c\n{GOOD}"));
    assert_eq!(told.recv_timeout(SOON).unwrap(), 3);
    write(&dir, "workflows/new/d.yaml", &format!("workflow: d\n{GOOD}"));
    assert_eq!(told.recv_timeout(SOON).unwrap(), 4);
    reloading.stop();
    thread.stop(SOON).unwrap();
}
