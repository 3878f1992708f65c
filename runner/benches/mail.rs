//! 20,000 rendered messages of 10 KiB to smtp-sink, every state recorded durably. Beside it, in the same run, smtp-source with as many kept sessions, which
//! renders and records nothing: the limit.
//!
//!     cargo bench -p runner --bench mail -- [MESSAGES] [SESSIONS]
//!
//! Needs Debian's postfix (smtp-sink, smtp-source); both run on loopback and end with the benchmark.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark measures real time, and stops at the first trouble"
)]

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use runner::channels::ReportTo;
use runner::clock::VirtualClock;
use runner::daemon::{self, Carry, KernelThread, Pools};
use runner::ingest::{ContactInput, Occurrence, What};
use runner::kernel::{Input, Kernel, Options, Plan};
use runner::secrets::Secrets;
use runner::state::MessageStatus;
use runner::store::SqliteStore;
use serde_json::{Map, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: i64 = 1_767_225_600_000;
const SIZE: usize = 10 * 1024;

/// Ends the process when it goes out of scope.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mail server that takes everything, on a free port.
fn sink() -> (Running, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let child = Command::new("/usr/sbin/smtp-sink").args(["-u", "nobody", &address, "1000"]).stdout(Stdio::null()).spawn();
    let running = Running(child.expect("smtp-sink starts; install postfix"));
    while TcpStream::connect(&address).is_err() {
        std::thread::yield_now();
    }
    (running, address)
}

fn smtp_source(address: &str, messages: usize, sessions: usize) -> f64 {
    let (messages_text, sessions, size) = (messages.to_string(), sessions.to_string(), SIZE.to_string());
    let begun = Instant::now();
    let status = Command::new("/usr/sbin/smtp-source")
        .args(["-d", "-s", &sessions, "-m", &messages_text, "-l", &size, "-f", "a@example.test", "-t", "b@example.test", address])
        .status()
        .expect("smtp-source starts");
    assert!(status.success());
    messages as f64 / begun.elapsed().as_secs_f64()
}

fn plan(address: &str, sessions: usize) -> Arc<Plan> {
    let settings = format!(
        "project: bench\ntime_zone: UTC\ncontract: open\nchannels: {{ email: {{ deliver: 'smtp://{address}', connections: {sessions}, from: Shop <hello@shop.example> }} }}\n"
    );
    let mut html = "---\nsubject: \"Hello {{contact.first_name}}\"\n---\n<h1>Hello {{contact.first_name}}</h1>\n<ul>{{#each event.topics}}<li>{{this}}</li>{{/each}}</ul>\n".to_owned();
    while html.len() < SIZE {
        html.push_str("<p style=\"color:#222\">One short message at a time, and a person reads every answer.</p>\n");
    }
    let compiled = dsl::compile(&dsl::ProjectFiles::from_texts([
        ("campaignd.yaml", settings.as_str()),
        ("workflows/w.yaml", "workflow: w\ntrigger: { event: e }\nsteps: [ { send: mail } ]\n"),
        ("templates/mail.html.hbs", &html),
    ]));
    Arc::new(Plan::new(Arc::new(compiled.catalog.expect("the project is fine")), None).unwrap())
}

/// The daemon's own loop and pools; everyone has entered and waits for a connection when the time begins.
fn campaignd(folder: &Path, address: &str, messages: usize, sessions: usize) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let plan = plan(address, sessions);
    let (mailbox, intake) = daemon::mailbox();
    let (reported, reports) = mpsc::channel();
    let to_kernel = mailbox.reporter();
    let report: ReportTo = Arc::new(move |report| {
        to_kernel(report);
        let _ = reported.send(());
    });
    let pools = Pools::new(folder, report, runtime.handle().clone());
    let secrets = Secrets::of_project(folder).unwrap();
    pools.install(pools.prepare(&plan.catalog.settings, &secrets).unwrap());
    let store = Box::new(SqliteStore::open(&folder.join("store.db")).unwrap());
    let mut kernel = Kernel::open(store, plan, Options::default(), NOW).unwrap();
    let contacts = (0..messages).map(|i| {
        let attributes = serde_json::from_value(json!({ "first_name": format!("Contact {i}") })).unwrap();
        let email = Some(format!("contact-{i}@example.test"));
        Input::Contact(ContactInput { id: format!("c{i}"), email, attributes, ..ContactInput::default() })
    });
    kernel.turn(NOW, &contacts.collect::<Vec<_>>()).unwrap();
    let occurs = |i: usize| {
        let properties: Map<_, _> = serde_json::from_value(json!({ "topics": ["a", "b", "c", "d", "e"] })).unwrap();
        let what = What::Event { name: "e".to_owned(), properties, id: None };
        Input::Occurrence(Occurrence { at: NOW, contact: format!("c{i}"), anonymous: false, what })
    };
    let first = kernel.turn(NOW, &(0..messages).map(occurs).collect::<Vec<_>>()).unwrap();
    let begun = Instant::now();
    for (channel, job) in first.jobs {
        pools.submit(&channel, job);
    }
    let clock = Arc::new(VirtualClock::at(NOW));
    let thread = KernelThread::start(kernel, clock, Arc::new(pools), (mailbox, intake), Arc::default()).unwrap();
    for _ in 0..messages {
        reports.recv().unwrap();
    }
    // Answered after the turn that recorded the last report.
    thread.mailbox().send_and_wait(Vec::new()).wait().unwrap();
    let rate = messages as f64 / begun.elapsed().as_secs_f64();
    let counts = thread.mailbox().ask(|kernel, _| kernel.store().message_counts().unwrap()).wait().unwrap();
    assert_eq!(counts, [(MessageStatus::Sent, messages as i64)], "every message is sent");
    thread.stop(std::time::Duration::from_secs(5)).unwrap();
    rate
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (messages, sessions) = (numbers.first().copied().unwrap_or(20_000), numbers.get(1).copied().unwrap_or(8));
    for _ in 0..3 {
        let folder = tempfile::Builder::new().prefix("mail-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (_running, address) = sink();
        let limit = smtp_source(&address, messages, sessions);
        let ours = campaignd(folder.path(), &address, messages, sessions);
        println!(
            "{messages} messages of 10 KiB, {sessions} sessions: {ours:.0}/s; smtp-source -d: {limit:.0}/s; ratio {:.2}",
            ours / limit
        );
    }
}
