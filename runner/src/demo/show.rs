//! The demo itself: the real kernel, store and channels, on a clock that runs fast.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dsl::model::{Catalog, Settings};
use jiff::civil::Date;

use super::{Funnel, Watcher, files, funnels, month, people, write};
use crate::clock::{Clock, FastClock};
use crate::daemon::{Carry, CarryError, KernelThread, Mailbox, Pools, StopError, Stopped, mailbox};
use crate::ingest::Occurrence;
use crate::instant::project_zone;
use crate::kernel::{Input, Kernel, Options, Plan};
use crate::metrics::Metrics;
use crate::render::RenderError;
use crate::secrets::{SecretError, Secrets};
use crate::store::{SqliteStore, StoreError};
use crate::web;

/// How many people the demo has.
const PEOPLE: usize = 1_000;
/// Makes the people and their month; another number, another thousand.
const SEED: u64 = 2026;
/// A Monday. The clocks change on the 29th.
const FIRST_DAY: Date = jiff::civil::date(2026, 3, 2);
/// How often is looked what has come up, and the progress shown.
const TICK: Duration = Duration::from_millis(20);
/// How long what is on its way may take once the time is over.
const SETTLES: Duration = Duration::from_secs(10);

/// Why the demo could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("{0} cannot be written ({1}); name another folder with --out")]
    Folder(PathBuf, #[source] std::io::Error),
    #[error("the shipped project does not compile; report this")]
    Broken,
    #[error("the shipped messages do not compile: {0}; report this")]
    Template(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Channels(#[from] CarryError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Rules(#[from] web::RulesError),
    #[error("{0} cannot be listened on ({1}); stop what listens there, or leave out --serve")]
    Listen(String, #[source] std::io::Error),
    #[error("the system gives no threads: {0}")]
    System(#[source] std::io::Error),
    #[error(transparent)]
    Stop(#[from] StopError),
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// How to show it.
pub struct Show<'a> {
    /// Where the project, its store and its outbox are made; empty or not there yet.
    pub folder: &'a Path,
    /// Milliseconds of the demo's time for each real one.
    pub speed: f64,
    pub days: u32,
    /// Whether health and metrics can be looked at meanwhile, at the address in the settings.
    pub serve: bool,
}

/// How far it is.
pub struct Progress {
    /// The demo's time, ms since 1970 UTC.
    pub now: i64,
    /// Days that are over.
    pub day: u32,
    pub sent: u64,
}

/// A demo whose days are over. Its pages stay up until it is ended.
pub struct Shown {
    pub funnels: Vec<Funnel>,
    pub sent: u64,
    /// `HOST:PORT` of the pages, where there are any.
    pub listen: Option<String>,
    runtime: tokio::runtime::Runtime,
    thread: KernelThread,
}

impl Show<'_> {
    /// Shows it, and tells `progress` several times a second how far it is. Blocks until the days are over.
    ///
    /// # Errors
    /// When the folder or the address cannot be used, or the store fails.
    pub fn run(&self, mut progress: impl FnMut(&Progress)) -> Result<Shown, DemoError> {
        write(self.folder).map_err(|error| DemoError::Folder(self.folder.to_owned(), error))?;
        let catalog = self.catalog()?;
        let settings = catalog.settings.clone();
        let zone = project_zone(&settings);
        let day = |number: u32| {
            let date = FIRST_DAY.saturating_add(jiff::Span::new().days(i64::from(number)));
            zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).map_or(0, |instant| instant.as_millisecond())
        };
        let (start, end) = (day(0), day(self.days));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(DemoError::System)?;
        let (mailbox, intake) = mailbox();
        let pools = Arc::new(Pools::new(self.folder, mailbox.reporter(), runtime.handle().clone()));
        let secrets = Secrets::of_project(self.folder)?;
        pools.install(pools.prepare(&settings, &secrets)?);
        let rules = Arc::new(web::InForce::from_pointee(web::Rules::of(&catalog, &secrets)?));

        let (watcher, reactions) = channel();
        let sent = Arc::new(AtomicU64::new(0));
        let options = Options { observer: Some(Box::new(Watcher { to: watcher, sent: sent.clone() })), ..Options::default() };
        let store = SqliteStore::open(&self.folder.join(&settings.store))?;
        let plan = Arc::new(Plan::new(Arc::new(catalog), None)?);
        let mut kernel = Kernel::open(Box::new(store), plan.clone(), options, start)?;
        let month = month(SEED, &people(SEED, PEOPLE), FIRST_DAY, self.days);
        let before = month.contacts.into_iter().map(Input::Contact).chain(month.history.into_iter().map(Input::History));
        let first = kernel.turn(start, &before.collect::<Vec<_>>())?;
        for (channel, job) in first.jobs {
            pools.submit(&channel, job);
        }

        let signer = kernel.signer().clone();
        let metrics = Arc::new(Metrics::default());
        metrics.know_channels(settings.channels.keys());
        let clock = Arc::new(DemoClock { fast: FastClock::new(start, self.speed), end });
        let thread = KernelThread::start(kernel, clock.clone(), pools, (mailbox.clone(), intake), metrics.clone())?;
        let pages = web::Pages {
            mailbox: mailbox.clone(),
            health: thread.health().clone(),
            metrics,
            rules,
            clock: clock.clone(),
            signer,
            bursts: Arc::default(),
            certificates: Arc::new(web::Certificates::new(Arc::new(web::Offline))),
            planning: Arc::new(web::Planning::of(None)),
        };
        let listen = if self.serve { Some(self.listen(&runtime, &settings, pages)?) } else { None };
        let mut feed = Feed::new(month.events, reactions);
        while clock.now() < end {
            feed.step(&*clock, thread.mailbox());
            let day = ((clock.now() - start) / 86_400_000) as u32;
            progress(&Progress { now: clock.now(), day: day.min(self.days), sent: sent.load(Ordering::Relaxed) });
        }
        settle(thread.mailbox(), end)?;
        let funnels = thread.mailbox().ask(move |kernel, _| funnels(kernel.store(), &plan.catalog)).wait()??;
        Ok(Shown { funnels, sent: sent.load(Ordering::Relaxed), listen, runtime, thread })
    }

    fn catalog(&self) -> Result<Catalog, DemoError> {
        let mut catalog = dsl::compile(&files()).catalog.ok_or(DemoError::Broken)?;
        // An hour of grace is a few milliseconds on this clock: a schedule that fires while the machine does something else would count
        // as missed.
        let grace = dsl::time::Duration(dsl::time::Duration::DAY.0 * 7);
        catalog.settings = Arc::new(Settings { grace, ..(*catalog.settings).clone() });
        Ok(catalog)
    }

    fn listen(&self, runtime: &tokio::runtime::Runtime, settings: &Settings, pages: web::Pages) -> Result<String, DemoError> {
        let address = settings.http.listen.clone();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(&address));
        let listener = listener.map_err(|error| DemoError::Listen(address.clone(), error))?;
        runtime.spawn(web::serve(listener, pages));
        Ok(address)
    }
}

impl Shown {
    /// Keeps the pages up until somebody presses Ctrl-C.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub fn wait_for_interrupt(&self) -> Result<(), DemoError> {
        self.runtime.block_on(tokio::signal::ctrl_c()).map_err(DemoError::System)
    }

    /// Ends it, and closes the store.
    ///
    /// # Errors
    /// When what the channels reported last could not be stored.
    pub fn end(self) -> Result<(), DemoError> {
        self.thread.stop(SETTLES)?;
        self.runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    }
}

/// Runs fast, and stops at the end.
struct DemoClock {
    fast: FastClock,
    end: i64,
}

impl Clock for DemoClock {
    fn now(&self) -> i64 {
        self.fast.now().min(self.end)
    }

    fn until(&self, instant: i64) -> Duration {
        if instant > self.end { Duration::MAX } else { self.fast.until(instant) }
    }
}

/// What happens next, in order of time; at the same moment in the order in which it came up.
struct Feed {
    next: BinaryHeap<Reverse<(i64, usize)>>,
    occurrences: Vec<Option<Occurrence>>,
    reactions: Receiver<Occurrence>,
}

impl Feed {
    fn new(events: Vec<Occurrence>, reactions: Receiver<Occurrence>) -> Feed {
        let mut feed = Feed { next: BinaryHeap::new(), occurrences: Vec::new(), reactions };
        events.into_iter().for_each(|event| feed.add(event));
        feed
    }

    fn add(&mut self, occurrence: Occurrence) {
        self.next.push(Reverse((occurrence.at, self.occurrences.len())));
        self.occurrences.push(Some(occurrence));
    }

    /// Sends what has happened by now, then waits for more, a tick at most.
    fn step(&mut self, clock: &dyn Clock, mailbox: &Mailbox) {
        let now = clock.now();
        while let Some(Reverse((_, index))) = self.next.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.next.pop();
            if let Some(occurrence) = self.occurrences.get_mut(index).and_then(Option::take) {
                mailbox.send(Input::Occurrence(occurrence));
            }
        }
        let wait = self.next.peek().map_or(TICK, |Reverse((at, _))| clock.until(*at).min(TICK));
        if let Ok(reaction) = self.reactions.recv_timeout(wait) {
            self.add(reaction);
            while let Ok(reaction) = self.reactions.try_recv() {
                self.add(reaction);
            }
        }
    }
}

/// Waits until what was due by the end is done.
fn settle(mailbox: &Mailbox, end: i64) -> Result<(), DemoError> {
    let tries = SETTLES.as_millis() / TICK.as_millis();
    for _ in 0..tries {
        let idle = mailbox.ask(move |kernel, _| {
            let wake = kernel.next_wake()?;
            Ok::<_, StoreError>(kernel.in_flight() == 0 && wake.is_none_or(|wake| wake > end))
        });
        if idle.wait()?? {
            return Ok(());
        }
        std::thread::sleep(TICK);
    }
    Ok(())
}
