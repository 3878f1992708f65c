//! A kernel on its thread, with channels that do as they are told and a clock that is moved by hand.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::Map;

use super::*;
use crate::channels::{Job, Outcome, Report, ReportTo};
use crate::clock::Clock;
use crate::ingest::{ContactInput, Occurrence, What};
use crate::kernel::{Input, Kernel, Options, Plan};
use crate::metrics::Metrics;
use crate::state::{MessageId, MessageStatus};
use crate::store::{InboxItem, SqliteStore, Store};

/// A generous limit for what takes milliseconds.
const SOON: Duration = Duration::from_secs(30);

/// Moves only by hand.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn until(&self, instant: i64) -> Duration {
        if instant <= self.now() { Duration::ZERO } else { Duration::from_secs(3600) }
    }
}

/// Says what it was handed, and reports at once or only when it is closed.
struct Carrier {
    handed: Mutex<mpsc::Sender<MessageId>>,
    report: ReportTo,
    held: Option<Mutex<Vec<MessageId>>>,
}

impl Carrier {
    fn sent(&self, message: MessageId) {
        (self.report)(Report::new(message, None, Outcome::Sent, Duration::ZERO));
    }
}

impl Carry for Carrier {
    fn submit(&self, channel: &str, job: Job) {
        assert_eq!(channel, "email");
        match &self.held {
            Some(held) => held.lock().unwrap().push(job.message),
            None => self.sent(job.message),
        }
        self.handed.lock().unwrap().send(job.message).unwrap();
    }

    fn forget(&self, _message_ids: &[String]) {}

    fn close(&self, _within: Duration) {
        let held = self.held.as_ref().map(|held| std::mem::take(&mut *held.lock().unwrap()));
        held.unwrap_or_default().into_iter().for_each(|message| self.sent(message));
    }
}

struct Bench {
    thread: KernelThread,
    clock: Arc<Hands>,
    handed: mpsc::Receiver<MessageId>,
    metrics: Arc<Metrics>,
    dir: tempfile::TempDir,
}

const WORKFLOW: &str = "workflow: w
trigger: [{ event: signed_up }, { manual: true }]
steps:
  - wait: 1 hour
  - send: { subject: Hi, text: Hello. }
    transactional: true
";

impl Bench {
    fn new(hold: bool) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let files =
            [("campaignd.yaml", "project: shop\ntime_zone: Europe/Berlin\ncontract: open\n"), ("workflows/w.yaml", WORKFLOW)];
        let compiled = dsl::compile(&dsl::ProjectFiles::from_texts(files));
        let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
        let plan = Arc::new(Plan::new(Arc::new(catalog), None).unwrap());
        let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
        let kernel = Kernel::open(Box::new(store), plan, Options::default(), 0).unwrap();
        let (sender, handed) = mpsc::channel();
        let ends = mailbox();
        let held = hold.then(Mutex::default);
        let carrier = Carrier { handed: Mutex::new(sender), report: ends.0.reporter(), held };
        let clock = Arc::new(Hands(AtomicI64::new(0)));
        let metrics = Arc::new(Metrics::default());
        let thread = KernelThread::start(kernel, clock.clone(), Arc::new(carrier), ends, metrics.clone()).unwrap();
        let bench = Bench { thread, clock, handed, metrics, dir };
        let ada = ContactInput { id: "ada".to_owned(), email: Some("ada@example.com".to_owned()), ..ContactInput::default() };
        bench.thread.mailbox().send(Input::Contact(ada));
        bench
    }

    fn sign_up(&self) {
        let what = What::Event { name: "signed_up".to_owned(), properties: Map::new(), id: None };
        let occurrence = Occurrence { at: self.clock.now(), contact: "ada".to_owned(), anonymous: false, what };
        self.thread.mailbox().send_and_wait(vec![Input::Occurrence(occurrence)]).wait().unwrap();
    }

    fn an_hour_later(&self) {
        self.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    }

    fn beside(&self) -> SqliteStore {
        SqliteStore::open_beside(&self.dir.path().join("store.db")).unwrap()
    }
}

#[test]
fn what_was_answered_is_durable() {
    let bench = Bench::new(false);
    bench.sign_up();
    let passages = passages(&mut bench.beside()).unwrap();
    assert_eq!(passages.values().map(|passages| (passages.entered, passages.active())).collect::<Vec<_>>(), [(1, 1)]);
}

#[test]
fn wakes_when_something_is_due_and_counts() {
    let bench = Bench::new(false);
    bench.sign_up();
    assert!(bench.handed.try_recv().is_err(), "nothing is due yet");
    bench.an_hour_later();
    let message = bench.handed.recv_timeout(SOON).unwrap();
    // The report was sent before this question.
    let status = bench.thread.mailbox().send_and_wait(Vec::new()).wait().and_then(|()| {
        bench.thread.mailbox().ask(move |kernel, _| kernel.store().message(message).unwrap().unwrap().status).wait()
    });
    assert_eq!(status.unwrap(), MessageStatus::Sent);
    let text = bench.metrics.text().unwrap();
    for line in
        ["campaignd_steps_total 2", "campaignd_events_total 1", r#"campaignd_messages_total{channel="email",status="sent"} 1"#]
    {
        assert!(text.lines().any(|shown| shown == line), "no line `{line}` in\n{text}");
    }
    let figures = bench.thread.mailbox().ask(Figures::of).wait().unwrap().unwrap();
    assert_eq!(figures.workflows[0].1, Passages { entered: 1, completed: 1, exited: [].into() });
    assert_eq!((figures.queued, figures.lag_ms), (0, 0));
}

#[test]
fn notices_what_another_process_left() {
    let bench = Bench::new(false);
    bench.thread.mailbox().send_and_wait(Vec::new()).wait().unwrap();
    let mut beside = bench.beside();
    let contact = beside.contact_id("ada").unwrap().unwrap();
    beside.begin().unwrap();
    beside.push_inbox(&InboxItem::Enroll { workflow: "w".to_owned(), contact, with: Map::new() }, 0).unwrap();
    beside.commit().unwrap();
    let entered = |store: &mut SqliteStore| passages(store).unwrap().values().map(|passages| passages.entered).sum::<i64>();
    let began = crate::clock::Stopwatch::start();
    while entered(&mut beside) == 0 {
        assert!(began.elapsed() < SOON, "the inbox was not noticed");
        std::thread::yield_now();
    }
}

#[test]
fn a_stop_records_what_the_channels_still_carry() {
    let bench = Bench::new(true);
    bench.sign_up();
    bench.an_hour_later();
    let message = bench.handed.recv_timeout(SOON).unwrap();
    let Bench { thread, dir, .. } = bench;
    let mailbox = thread.mailbox().clone();
    thread.stop(SOON).unwrap();
    // The store was let go of, so another runner may have it; nothing is in doubt for it.
    let mut store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
    assert_eq!(store.message(message).unwrap().unwrap().status, MessageStatus::Sent);
    assert!(store.messages_in_doubt().unwrap().is_empty());
    assert!(mailbox.send_and_wait(Vec::new()).wait().is_err(), "nothing is taken in any more");
}

#[test]
fn a_stop_hands_out_nothing_more() {
    let bench = Bench::new(true);
    bench.sign_up();
    bench.thread.mailbox().stop_sending().wait().unwrap();
    bench.an_hour_later();
    bench.thread.mailbox().send_and_wait(Vec::new()).wait().unwrap();
    let Bench { thread, handed, .. } = bench;
    thread.stop(SOON).unwrap();
    assert!(handed.try_recv().is_err());
}
