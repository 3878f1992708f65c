//! The welcome journey, to the end and durable: enrol, send, wait, branch, send, set, exit. Beside it, in the same run, what bare
//! SQLite does with as many rows in batches of 1,000: the limit.
//!
//!     cargo bench -p runner --bench journeys -- [JOURNEYS] [WAITING]
//!
//! JOURNEYS (10,000) contacts go through; WAITING (0) other runs stand in the store meanwhile.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark measures real time, and stops at the first trouble"
)]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use runner::channels::{ChannelOptions, ChannelPool, Delivery, Report, SenderOptions, Timeouts};
use runner::ingest::{ContactInput, Occurrence, What};
use runner::kernel::{Input, Kernel, Options, Plan};
use runner::store::SqliteStore;
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SETTINGS: &str = "project: bench\ntime_zone: UTC\ncontract: open\nchannels: { email: { deliver: 'null:', connections: 1000, from: Shop <hello@shop.example> } }\n";
const WELCOME: &str = "workflow: welcome
trigger: { event: signed_up }
steps:
  - send: welcome
  - wait: 1 day
  - branch:
      - { when: { event.plan: pro }, steps: [ { send: welcome-pro } ] }
      - steps: [ { send: welcome-basic } ]
  - set: { contact.onboarded: true }
  - exit
";
const WAITING: &str = "workflow: waiting\ntrigger: { event: parked }\nsteps: [ { wait: 300 days }, { send: welcome } ]\n";
const DAY: i64 = 86_400_000;
const START: i64 = 1_767_225_600_000;

/// 8 KiB of a mail as people write them: a loop, a condition, a handful of names.
fn template(subject: &str) -> String {
    let mut html = format!(
        "---\nsubject: \"{subject}, {{{{contact.first_name}}}}\"\npreheader: Good to have you.\n---\n<h1>Hello {{{{contact.first_name}}}}</h1>\n<p>You are on the {{{{event.plan}}}} plan; your coupon is <b>{{{{event.coupon}}}}</b>.</p>\n{{{{#if contact.city}}}}<p>How is {{{{contact.city}}}}?</p>{{{{/if}}}}\n<ul>{{{{#each event.topics}}}}<li>{{{{this}}}}</li>{{{{/each}}}}</ul>\n"
    );
    let paragraph = "<p style=\"font:16px/1.5 sans-serif;color:#222\">Over the next few days we show you how to get the most from your account, one short message at a time. If you have a question, just answer this message; a person reads every answer.</p>\n";
    while html.len() < 8 * 1024 {
        html.push_str(paragraph);
    }
    html
}

fn plan() -> Arc<Plan> {
    let mut files = vec![
        ("campaignd.yaml".to_owned(), SETTINGS.to_owned()),
        ("workflows/welcome.yaml".to_owned(), WELCOME.to_owned()),
        ("workflows/waiting.yaml".to_owned(), WAITING.to_owned()),
    ];
    for name in ["welcome", "welcome-pro", "welcome-basic"] {
        files.push((format!("templates/{name}.html.hbs"), template(name)));
    }
    let compiled = dsl::compile(&dsl::ProjectFiles::from_texts(files));
    Arc::new(Plan::new(Arc::new(compiled.catalog.expect("the project is fine")), None).unwrap())
}

/// A kernel, its null channel, and the time it is told.
struct Rig {
    kernel: Kernel,
    pool: ChannelPool,
    reports: mpsc::Receiver<Report>,
    now: i64,
    sent: usize,
}

impl Rig {
    fn open(path: &Path, runtime: &tokio::runtime::Handle) -> Rig {
        let plan = plan();
        let settings = &plan.catalog.settings.channels["email"];
        let options = ChannelOptions {
            connections: settings.connections,
            delivery: Delivery::Null,
            sender: SenderOptions { from: settings.from.clone(), ..SenderOptions::default() },
            hello: "localhost".to_owned(),
            timeouts: Timeouts::default(),
        };
        let (reports_in, reports) = mpsc::channel();
        let report = Arc::new(move |report| drop(reports_in.send(report)));
        let pool = ChannelPool::start("email", &options, report, runtime).unwrap();
        let kernel = Kernel::open(Box::new(SqliteStore::open(path).unwrap()), plan, Options::default(), START).unwrap();
        Rig { kernel, pool, reports, now: START, sent: 0 }
    }

    /// Turns until everything has arrived, nothing is due and nothing is in flight. As in the daemon, a turn takes what waits: up to 1,000 arrivals and
    /// every report there is.
    fn settle(&mut self, mut arriving: impl Iterator<Item = Input>) {
        let mut inputs: Vec<Input> = arriving.by_ref().take(1000).collect();
        loop {
            let turn = self.kernel.turn(self.now, &inputs).unwrap();
            for (_, job) in turn.jobs {
                self.pool.submit(job);
            }
            inputs.clear();
            inputs.extend(self.reports.try_iter().map(Input::Report));
            let reports = inputs.len();
            inputs.extend(arriving.by_ref().take(1000));
            self.sent += reports;
            if inputs.is_empty() && !turn.more {
                if self.kernel.in_flight() == 0 {
                    return;
                }
                inputs.push(Input::Report(self.reports.recv().unwrap()));
                self.sent += 1;
            }
        }
    }

    fn occur(&mut self, name: &str, range: std::ops::Range<usize>) {
        let (at, name) = (self.now, name.to_owned());
        let inputs = range.map(|i| {
            let plan = if i % 2 == 0 { "basic" } else { "pro" };
            let properties = json!({ "plan": plan, "coupon": format!("WELCOME-{i:06}"), "topics": ["a", "b", "c", "d", "e"] });
            let properties: Map<String, Value> = serde_json::from_value(properties).unwrap();
            let what = What::Event { name: name.clone(), properties, id: Some(format!("{name}-{i}")) };
            Input::Occurrence(Occurrence { at, contact: format!("contact-{i}"), anonymous: false, what })
        });
        self.settle(inputs);
    }
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (journeys, waiting) = (numbers.first().copied().unwrap_or(10_000), numbers.get(1).copied().unwrap_or(0));
    let folder = tempfile::Builder::new().prefix("journeys-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let path = folder.path().join("store.db");
    let mut rig = Rig::open(&path, runtime.handle());
    for chunk in (0..journeys + waiting).collect::<Vec<_>>().chunks(1000) {
        let contacts = chunk.iter().map(|i| {
            Input::Contact(ContactInput {
                id: format!("contact-{i}"),
                email: Some(format!("contact-{i}@example.test")),
                attributes: serde_json::from_value(json!({ "first_name": format!("Contact {i}"), "city": "Berlin" })).unwrap(),
                ..ContactInput::default()
            })
        });
        rig.settle(contacts);
    }
    rig.occur("parked", journeys..journeys + waiting);
    let before = size(folder.path());
    let begun = Instant::now();
    rig.occur("signed_up", 0..journeys);
    rig.now += DAY;
    rig.settle(std::iter::empty());
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(rig.sent, 2 * journeys, "every journey sends two messages");
    let rate = journeys as f64 / seconds;
    // Closed, so that what the write-ahead log holds is in the file, once.
    drop(rig);
    let disk = (size(folder.path()) - before) as f64 / journeys as f64;
    println!(
        "{journeys} journeys, {waiting} other runs waiting: {rate:.0} journeys/s ({seconds:.2} s), {disk:.0} bytes on disk each, {} MB resident at most",
        peak()
    );
    let limit = bare(&folder.path().join("bare.db"), journeys as i64);
    println!("bare SQLite, the same number of rows, 1,000 journeys a commit: {limit:.0} journeys/s; ratio {:.2}", rate / limit);
}

fn size(folder: &Path) -> u64 {
    ["store.db", "store.db-wal"].iter().filter_map(|name| folder.join(name).metadata().ok()).map(|file| file.len()).sum()
}

/// The most that was ever resident, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

/// One row a run, one a history entry, one a message, one update of the contact; no engine, no rendering, no unique keys.
fn bare(path: &Path, journeys: i64) -> f64 {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;
         CREATE TABLE contacts (id INTEGER PRIMARY KEY, onboarded INTEGER);
         CREATE TABLE runs (id INTEGER PRIMARY KEY, node INTEGER, due INTEGER); CREATE INDEX due ON runs (due) WHERE due IS NOT NULL;
         CREATE TABLE history (run INTEGER, number INTEGER, at INTEGER, kind INTEGER, PRIMARY KEY (run, number)) WITHOUT ROWID;
         CREATE TABLE messages (id INTEGER PRIMARY KEY, run INTEGER, state INTEGER, at INTEGER); BEGIN;",
    )
    .unwrap();
    for i in 0..journeys {
        db.prepare_cached("INSERT INTO contacts VALUES (?1, 0)").unwrap().execute([i]).unwrap();
    }
    db.execute_batch("COMMIT").unwrap();
    let begun = Instant::now();
    let batches = |act: &dyn Fn(i64)| {
        for chunk in (0..journeys).collect::<Vec<_>>().chunks(1000) {
            db.execute_batch("BEGIN IMMEDIATE").unwrap();
            chunk.iter().for_each(|i| act(*i));
            db.execute_batch("COMMIT").unwrap();
        }
    };
    let history = |i: i64, number: i64| {
        db.prepare_cached("INSERT INTO history VALUES (?1, ?2, ?3, ?2)").unwrap().execute(params![i, number, START]).unwrap();
    };
    let update = |i: i64, node: i64, due: Option<i64>| {
        db.prepare_cached("UPDATE runs SET node = ?2, due = ?3 WHERE id = ?1").unwrap().execute(params![i, node, due]).unwrap();
    };
    let message = |i: i64| {
        db.prepare_cached("INSERT INTO messages (run, state, at) VALUES (?1, 1, ?2)")
            .unwrap()
            .execute(params![i, START])
            .unwrap();
    };
    batches(&|i| {
        db.prepare_cached("INSERT INTO runs VALUES (?1, 0, NULL)").unwrap().execute([i]).unwrap();
        (0..3).for_each(|number| history(i, number));
        message(i);
        update(i, 2, Some(START + DAY));
    });
    batches(&|i| {
        (3..7).for_each(|number| history(i, number));
        message(i);
        db.prepare_cached("UPDATE contacts SET onboarded = 1 WHERE id = ?1").unwrap().execute([i]).unwrap();
        update(i, 6, None);
    });
    journeys as f64 / begun.elapsed().as_secs_f64()
}
