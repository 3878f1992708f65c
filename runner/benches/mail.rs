//! Mails to smtp-sink, every state recorded durably. Beside them, in the same run, smtp-source with as many kept sessions, which renders and records
//! nothing: the limit.
//!
//!     cargo bench -p runner --bench mail -- [plain|campaign|decision] [MESSAGES] [SESSIONS]
//!
//! `plain`: transactional mails of 10 KiB. `campaign`: marketing mails with an MJML layout, in the reader's language, under caps, with consent and suppression
//! looked up, signed with DKIM (without, Ed25519, RSA-2048). With NODE_MODULES naming a folder that has nodemailer and handlebars, these beside it.
//! `decision`: what the last-moment decision costs, with the claim and the job that follow from it.
//!
//! Needs Debian's postfix (smtp-sink, smtp-source) and openssl; all run on loopback and end with the benchmark.

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
        ("templates/mail.txt.hbs", "Hello {{contact.first_name}}\n{{#each event.topics}}- {{this}}\n{{/each}}\n"),
    ]));
    Arc::new(Plan::new(Arc::new(compiled.catalog.expect("the project is fine")), None).unwrap())
}

/// A marketing campaign of a newsletter's size: about 10 KiB of HTML from an MJML layout, in two languages.
fn campaign_plan(channel: &str, limits: &str) -> Arc<Plan> {
    let settings = format!(
        "project: bench\ntime_zone: UTC\nurl: https://mail.shop.example\ncontract: open\nchannels: {{ email: {{ from: Shop <hello@shop.example>, {channel} }} }}\n\
         topics: {{ news: {{ title: News, default: unsubscribed }} }}\n\
         limits: {{ spread: 0 minutes, frequency: [ {{ at_most: 3, per: 7 days }}, {{ at_most: 1, per: 1 day, topic: news }} ]{limits} }}\n"
    );
    let layout = "<mjml><mj-head><mj-attributes><mj-all font-family=\"sans-serif\" /></mj-attributes></mj-head><mj-body>{{{body}}}<mj-section><mj-column><mj-text><a href=\"{{unsubscribe_url}}\">Unsubscribe</a></mj-text></mj-column></mj-section></mj-body></mjml>";
    let section = |title: &str| {
        format!(
            "<mj-section><mj-column><mj-text>{title} {{{{contact.first_name}}}}</mj-text>{{{{#each event.topics}}}}<mj-text>{{{{this}}}} {{{{number 1234.5}}}}</mj-text>{{{{/each}}}}<mj-button href=\"https://shop.example/{{{{contact.id}}}}\">Shop</mj-button></mj-column></mj-section>"
        )
    };
    let body = |hello: &str| {
        let front = format!("---\nsubject: \"{hello} {{{{contact.first_name}}}}\"\nlayout: news\n---\n");
        format!("{front}{}", section(hello).repeat(2))
    };
    let text = "{{contact.first_name}}, the news:\n{{#each event.topics}}- {{this}}\n{{/each}}\n{{unsubscribe_url}}\n";
    let compiled = dsl::compile(&dsl::ProjectFiles::from_texts([
        ("campaignd.yaml", settings.as_str()),
        ("workflows/w.yaml", "workflow: w\ntrigger: { event: e }\ntopic: news\nsteps: [ { send: mail } ]\n"),
        ("templates/layouts/news.mjml.hbs", layout),
        ("templates/mail.mjml.hbs", &body("Hello")),
        ("templates/mail.txt.hbs", text),
        ("templates/mail.de.mjml.hbs", &body("Guten Tag")),
        ("templates/mail.de.txt.hbs", text),
    ]));
    let catalog = compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    Arc::new(Plan::new(Arc::new(catalog), None).unwrap())
}

/// Everyone is known, subscribed, and every second one reads German.
fn people(messages: usize) -> Vec<Input> {
    let person = |i: usize| {
        let attributes = serde_json::from_value(json!({ "first_name": format!("Contact {i}") })).unwrap();
        Input::Contact(ContactInput {
            id: format!("c{i}"),
            email: Some(format!("contact-{i}@example.test")),
            locale: i.is_multiple_of(2).then(|| "de-AT".to_owned()),
            topics: Some(vec!["news".to_owned()]),
            attributes,
            ..ContactInput::default()
        })
    };
    (0..messages).map(person).collect()
}

fn events(messages: usize) -> Vec<Input> {
    let occurs = |i: usize| {
        let properties: Map<_, _> = serde_json::from_value(json!({ "topics": ["a", "b", "c", "d", "e"] })).unwrap();
        let what = What::Event { name: "e".to_owned(), properties, id: None };
        Input::Occurrence(Occurrence { at: NOW, contact: format!("c{i}"), anonymous: false, what })
    };
    (0..messages).map(occurs).collect()
}

/// The daemon's own loop and pools; everyone has entered and waits for a connection when the time begins.
fn campaignd(folder: &Path, plan: Arc<Plan>, messages: usize) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
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
    kernel.turn(NOW, &people(messages)).unwrap();
    let first = kernel.turn(NOW, &events(messages)).unwrap();
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

/// What a message costs from its due time to its job: consent, suppression, caps and quiet hours looked up and decided, the claim recorded.
fn decision(messages: usize) {
    let folder = tempfile::Builder::new().prefix("mail-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    // 1 January 2026, 00:00 UTC: in the quiet hours.
    let plan = campaign_plan(&format!("deliver: 'null:', connections: {messages}"), ", quiet_hours: 21:00-08:00");
    let store = Box::new(SqliteStore::open(&folder.path().join("store.db")).unwrap());
    let mut kernel = Kernel::open(store, plan, Options::default(), NOW).unwrap();
    kernel.turn(NOW, &people(messages)).unwrap();
    let begun = Instant::now();
    let mut held = kernel.turn(NOW, &events(messages)).unwrap();
    while held.more {
        held = kernel.turn(NOW, &[]).unwrap();
    }
    let entered = begun.elapsed();
    let begun = Instant::now();
    let jobs = kernel.turn(NOW + 8 * 3_600_000, &[]).unwrap().jobs.len();
    let each = begun.elapsed().as_secs_f64() * 1e6 / messages as f64;
    assert_eq!(jobs, messages, "every message leaves when the quiet hours end");
    println!(
        "{messages} decisions: {each:.1} us a message from due to job, recorded durably ({:.1} us each to enter, queue and hold)",
        entered.as_secs_f64() * 1e6 / messages as f64
    );
}

fn dkim(folder: &Path, algorithm: &[&str], name: &str) -> String {
    let key = folder.join(format!("{name}.pem"));
    let made = Command::new("openssl").arg("genpkey").args(algorithm).arg("-out").arg(&key).stderr(Stdio::null()).status();
    assert!(made.expect("openssl starts").success());
    format!(", dkim: {{ domain: shop.example, selector: {name}, key: {} }}", key.display())
}

fn campaign(messages: usize, sessions: usize) {
    for _ in 0..3 {
        let folder = tempfile::Builder::new().prefix("mail-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (_running, address) = sink();
        let limit = smtp_source(&address, messages, sessions);
        println!("smtp-source -d: {limit:.0}/s");
        let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
        for (name, signing) in [
            ("unsigned", String::new()),
            ("Ed25519", dkim(folder.path(), &["-algorithm", "ED25519"], "ed")),
            ("RSA-2048", dkim(folder.path(), &rsa, "rsa")),
        ] {
            let store = folder.path().join(name);
            std::fs::create_dir(&store).unwrap();
            let channel = format!("deliver: 'smtp://{address}', connections: {sessions}{signing}");
            let ours = campaignd(&store, campaign_plan(&channel, ""), messages);
            println!("{messages} marketing mails, {sessions} sessions, {name}: {ours:.0}/s; ratio {:.2}", ours / limit);
        }
        if let Some(modules) = std::env::var_os("NODE_MODULES") {
            let peer = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/mail_peer.mjs");
            let begun = Instant::now();
            let (_, port) = address.rsplit_once(':').unwrap();
            let arguments = [port, &sessions.to_string(), &messages.to_string()];
            let status =
                Command::new("node").arg(peer).args(arguments).env("NODE_MODULES", modules).status().expect("node starts");
            assert!(status.success());
            println!(
                "nodemailer and handlebars, 2 processes, unsigned: {:.0}/s",
                messages as f64 / begun.elapsed().as_secs_f64()
            );
        }
    }
}

fn plain(messages: usize, sessions: usize) {
    for _ in 0..3 {
        let folder = tempfile::Builder::new().prefix("mail-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (_running, address) = sink();
        let limit = smtp_source(&address, messages, sessions);
        let ours = campaignd(folder.path(), plan(&address, sessions), messages);
        println!(
            "{messages} messages of 10 KiB, {sessions} sessions: {ours:.0}/s; smtp-source -d: {limit:.0}/s; ratio {:.2}",
            ours / limit
        );
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let sessions = numbers.get(1).copied().unwrap_or(8);
    match arguments.first().map(String::as_str) {
        Some("campaign") => campaign(numbers.first().copied().unwrap_or(50_000), sessions),
        Some("decision") => decision(numbers.first().copied().unwrap_or(20_000)),
        _ => plain(numbers.first().copied().unwrap_or(20_000), sessions),
    }
}
