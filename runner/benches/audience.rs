//! Events at 10,000 and at a million contacts, without and with 100 segments and 20 traits kept up to date: what one costs the kernel, and how many
//! a second the daemon takes in over HTTP, durably.
//!
//!     cargo bench -p runner --bench audience -- [CONTACTS] [EVENTS] [keep]
//!
//! Five events for each of CONTACTS (1,000,000) stand in the store before EVENTS (300,000) more are measured. `keep` leaves the store for the next
//! run to take up.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark measures real time, and stops at the first trouble"
)]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runner::ingest::{ContactInput, Occurrence, What};
use runner::kernel::{Input, Kernel, Options, Plan};
use runner::store::SqliteStore;
use serde_json::{Map, Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SMALL: usize = 10_000;
const DAY: i64 = 86_400_000;
/// How many events one turn of the kernel or one request takes.
const TURN: usize = 1000;
const BATCH: usize = 100;
const CONNECTIONS: usize = 4;

/// Name, and how many of a hundred events are of it.
const NAMES: [(&str, usize); 8] = [
    ("page_viewed", 50),
    ("product_viewed", 18),
    ("cart_updated", 10),
    ("order_completed", 8),
    ("searched", 6),
    ("message_opened", 5),
    ("message_clicked", 2),
    ("reviewed", 1),
];
const PLANS: [&str; 3] = ["free", "basic", "pro"];
const COUNTRIES: [&str; 8] = ["DE", "FR", "AT", "CH", "NL", "IT", "ES", "PL"];

const TRAITS: &str = "
traits:
  spent: { sum: event.total, of: order_completed }
  spent_90d: { sum: event.total, of: order_completed, within: 90 days }
  orders: { count: order_completed }
  orders_30d: { count: order_completed, within: 30 days }
  average_order: { avg: event.total, of: order_completed }
  least_order: { min: event.total, of: order_completed, within: 365 days }
  largest_order: { max: event.total, of: order_completed }
  first_order_at: { first: order_completed }
  last_order_at: { last: order_completed }
  last_seen_at: { last: page_viewed }
  views_7d: { count: page_viewed, within: 7 days }
  carts_30d: { count: cart_updated, within: 30 days }
  searches: { count: searched }
  lead_score: { score: [ { event: message_clicked, points: 5 }, { event: product_viewed, points: 1 }, { event: order_completed, points: 20 } ], halves_every: 30 days }
  review_points: { score: [ { event: reviewed, points: 10 } ] }
  value_tier: { by: contact.spent, tiers: { high: 500, medium: 100, low: 0 } }
  warmth: { by: contact.lead_score, tiers: { hot: 40, warm: 10 } }
  recency: { rank: contact.last_order_at, into: 5 }
  monetary: { rank: contact.spent, into: 5 }
  lifecycle: { first_match: { churned: { all: [ { event: order_completed }, { event: order_completed, count: 0, within: 180 days } ] }, active: { event: order_completed, within: 90 days }, new: { event: page_viewed, within: 7 days } }, otherwise: prospect }
";

/// A hundred segments of the kinds people make.
fn segments() -> String {
    let mut text = String::from("segments:\n");
    for i in 0..100 {
        let country = COUNTRIES[i % COUNTRIES.len()];
        let (name, days, count) = (NAMES[(i / 5) % NAMES.len()].0, 7 + i % 60, 1 + i % 4);
        let condition = match i % 10 {
            0 => format!(
                "contact.country: {country}\n    event: order_completed\n    count: {{ at_least: {count} }}\n    within: {days} days"
            ),
            1 => format!("all: [ {{ contact.country: {country} }}, {{ contact.value_tier: high }} ]"),
            2 => format!("all: [ {{ event: {name} }}, {{ event: {name}, count: 0, within: {days} days }} ]"),
            3 => format!("contact.spent: {{ at_least: {} }}", i * 10),
            4 => format!(
                "all: [ {{ event: order_completed, within: {days} days }}, {{ message: any, is: opened, within: {days} days }} ]"
            ),
            5 => format!("any: [ {{ contact.plan: pro }}, {{ contact.lead_score: {{ above: {i} }} }} ]"),
            6 => format!("event: reviewed\n    sum: {{ of: event.stars, above: {count} }}\n    within: {days} days"),
            7 => "all: [ { contact.lifecycle: active }, { contact.recency: { at_least: 4 } }, { topic: offers } ]".to_owned(),
            8 => format!("event: cart_updated\n    where: {{ event.total: {{ above: {i} }} }}\n    within: {days} days"),
            _ => format!("all: [ {{ contact.birthday: {{ exists: true }} }}, {{ segment: s{} }} ]", i - 9),
        };
        writeln!(text, "  s{i}:\n    {condition}").unwrap();
    }
    text
}

fn files(audience: bool, listen: &str) -> Vec<(String, String)> {
    let settings = format!(
        "project: bench\ntime_zone: Europe/Berlin\ncontract: open\ntopics: {{ offers: {{ default: subscribed }} }}\nhttp: {{ listen: \"{listen}\" }}\nchannels: {{ email: {{ deliver: 'null:' }} }}\n"
    );
    let mut files = vec![("campaignd.yaml".to_owned(), settings)];
    if audience {
        files.push(("workflows/traits.yaml".to_owned(), TRAITS.to_owned()));
        files.push(("workflows/segments.yaml".to_owned(), segments()));
    }
    files
}

fn plan(audience: bool) -> Arc<Plan> {
    let compiled = dsl::compile(&dsl::ProjectFiles::from_texts(files(audience, "127.0.0.1:0")));
    let catalog = compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    Arc::new(Plan::new(Arc::new(catalog), None).unwrap())
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ bits >> 31) % bound as u64) as usize
    }

    /// An id such as clients make.
    fn uuid(&mut self) -> String {
        let (one, other) = (self.below(usize::MAX), self.below(usize::MAX));
        format!("{one:016x}-{other:016x}")
    }

    fn event(&mut self) -> (&'static str, Map<String, Value>) {
        let mut left = self.below(100);
        let name = NAMES.iter().find(|(_, share)| {
            let hit = left < *share;
            left = left.wrapping_sub(*share);
            hit
        });
        let name = name.map_or("page_viewed", |(name, _)| name);
        let properties = match name {
            "order_completed" | "cart_updated" => {
                json!({ "total": self.below(20_000) as f64 / 100.0, "currency": "EUR", "items": 1 + self.below(5) })
            }
            "reviewed" => json!({ "stars": 1 + self.below(5) }),
            "message_opened" | "message_clicked" => json!({ "template": "welcome" }),
            _ => json!({ "url": format!("https://shop.example/p/{}", self.below(5000)), "referrer": "https://search.example/" }),
        };
        (name, serde_json::from_value(properties).unwrap())
    }
}

fn contact(i: usize, random: &mut Random) -> ContactInput {
    let attributes = json!({
        "first_name": format!("Name {i}"), "country": COUNTRIES[random.below(8)], "plan": PLANS[random.below(3)],
        "birthday": format!("19{:02}-{:02}-{:02}", 50 + random.below(50), 1 + random.below(12), 1 + random.below(28)),
    });
    ContactInput {
        id: format!("c{i}"),
        email: Some(format!("person-{i}@example.test")),
        time_zone: Some("Europe/Berlin".to_owned()),
        attributes: serde_json::from_value(attributes).unwrap(),
        ..ContactInput::default()
    }
}

fn occurrence(contacts: usize, at: i64, random: &mut Random) -> Occurrence {
    let (name, properties) = random.event();
    let what = What::Event { name: name.to_owned(), properties, id: Some(random.uuid()) };
    Occurrence { at, contact: format!("c{}", random.below(contacts)), anonymous: false, what }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// A store with so many contacts and five times as many events over the last year.
fn build(path: &Path, contacts: usize, audience: bool) {
    if path.exists() {
        return;
    }
    let (begun, now, mut random) = (Instant::now(), now(), Random(1));
    let mut kernel = Kernel::open(Box::new(SqliteStore::open(path).unwrap()), plan(audience), Options::default(), now).unwrap();
    settle(&mut kernel, now);
    for first in (0..contacts).step_by(10 * TURN) {
        let inputs: Vec<Input> =
            (first..contacts.min(first + 10 * TURN)).map(|i| Input::Known(contact(i, &mut random))).collect();
        kernel.turn(now, &inputs).unwrap();
    }
    for _ in (0..5 * contacts).step_by(10 * TURN) {
        let ago = |random: &mut Random| now - DAY - (random.below(365) as i64) * DAY;
        let inputs: Vec<Input> = (0..10 * TURN)
            .map(|_| {
                let at = ago(&mut random);
                Input::History(occurrence(contacts, at, &mut random))
            })
            .collect();
        kernel.turn(now, &inputs).unwrap();
    }
    settle(&mut kernel, now);
    println!("built a store of {contacts} contacts and {} events in {:.0} s", 5 * contacts, begun.elapsed().as_secs_f64());
}

fn settle(kernel: &mut Kernel, now: i64) {
    while kernel.turn(now, &[]).unwrap().more {}
}

/// Microseconds of the kernel for one event, a thousand to a turn, each turn durable.
fn kernel_cost(path: &Path, contacts: usize, events: usize, audience: bool, seed: u64) -> f64 {
    let (start, mut random) = (now(), Random(seed ^ now() as u64));
    let mut kernel = Kernel::open(Box::new(SqliteStore::open(path).unwrap()), plan(audience), Options::default(), start).unwrap();
    settle(&mut kernel, start);
    let chunks: Vec<Vec<Input>> = (0..events / TURN)
        .map(|_| (0..TURN).map(|_| Input::Occurrence(occurrence(contacts, start, &mut random))).collect())
        .collect();
    // Caches as they are in a runner that has been up for a while.
    let (warm, measured) = chunks.split_at(chunks.len() / 5);
    warm.iter().for_each(|chunk| drop(kernel.turn(start, chunk).unwrap()));
    let begun = Instant::now();
    measured.iter().for_each(|chunk| drop(kernel.turn(start, chunk).unwrap()));
    begun.elapsed().as_secs_f64() * 1e6 / (measured.len() * TURN) as f64
}

/// The daemon on the store, told when it is ready.
struct Daemon {
    child: Child,
    address: String,
}

impl Daemon {
    fn start(folder: &Path, audience: bool) -> Daemon {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        for (name, text) in files(audience, &address) {
            let file = folder.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let child = Command::new(env!("CARGO_BIN_EXE_campaignd"))
            .args(["run", "--project"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(120), "the daemon does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        let daemon = Daemon { child, address };
        println!("the daemon was ready after {:.2} s", begun.elapsed().as_secs_f64());
        daemon
    }

    /// The most that was ever resident, in MB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Batches as Segment's clients send them.
fn bodies(contacts: usize, batches: usize, seed: u64) -> Vec<String> {
    let mut random = Random(seed ^ now() as u64);
    (0..batches)
        .map(|_| {
            let items: Vec<Value> = (0..BATCH)
                .map(|_| {
                    let (name, properties) = random.event();
                    json!({ "type": "track", "userId": format!("c{}", random.below(contacts)), "event": name, "properties": properties, "messageId": random.uuid() })
                })
                .collect();
            json!({ "batch": items }).to_string()
        })
        .collect()
}

/// Posts the bodies one after the other on one connection; each is answered when it is durable.
fn post(address: &str, bodies: &[String]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for body in bodies {
        let head = format!(
            "POST /v1/batch HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        loop {
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body.as_bytes()).unwrap();
            match answer(&mut answers).as_str() {
                "200" => break,
                "429" => std::thread::sleep(Duration::from_millis(20)),
                other => panic!("answered {other}"),
            }
        }
    }
}

fn answer(answers: &mut impl BufRead) -> String {
    let (mut line, mut length) = (String::new(), 0);
    answers.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        line.clear();
        answers.read_line(&mut line).unwrap();
        let lower = line.to_ascii_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    answers.read_exact(&mut vec![0; length]).unwrap();
    status
}

fn over_http(folder: &Path, contacts: usize, events: usize, audience: bool) {
    let daemon = Daemon::start(folder, audience);
    let batches = events / BATCH / CONNECTIONS;
    let warm: Vec<String> = bodies(contacts, 50, 7);
    post(&daemon.address, &warm);
    let all: Vec<Vec<String>> = (0..CONNECTIONS).map(|connection| bodies(contacts, batches, connection as u64)).collect();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for bodies in &all {
            scope.spawn(|| post(&daemon.address, bodies));
        }
    });
    let sent = batches * BATCH * CONNECTIONS;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "HTTP, {contacts} contacts, {CONNECTIONS} connections, batches of {BATCH}: {:.0} events/s durable ({sent} in {seconds:.1} s), {} MB resident at most",
        sent as f64 / seconds,
        daemon.peak()
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let numbers: Vec<usize> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let (large, events) = (numbers.first().copied().unwrap_or(1_000_000), numbers.get(1).copied().unwrap_or(300_000));
    let keep = arguments.iter().any(|argument| argument == "keep");
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("audience");
    let mut plain = Vec::new();
    for audience in [false, true] {
        let with = if audience { "with 100 segments and 20 traits" } else { "without segments and traits" };
        let mut costs = Vec::new();
        for contacts in [SMALL, large] {
            let folder = root.join(format!("{contacts}-{audience}"));
            std::fs::create_dir_all(folder.join("state")).unwrap();
            let path = folder.join("state/campaignd.db");
            build(&path, contacts, audience);
            let cost = kernel_cost(&path, contacts, events, audience, 2);
            println!("kernel, {contacts} contacts, {with}: {cost:.1} us an event");
            over_http(&folder, contacts, events, audience);
            costs.push(cost);
        }
        println!("{with}, an event's cost at {large} contacts is {:.2} times that at {SMALL}", costs[1] / costs[0]);
        if audience {
            let upkeep: Vec<String> = costs.iter().zip(&plain).map(|(cost, plain)| format!("{:.1} us", cost - plain)).collect();
            println!("the upkeep of 100 segments and 20 traits takes {} an event", upkeep.join(" and "));
        }
        plain = costs;
    }
    if !keep {
        std::fs::remove_dir_all(root).unwrap();
    }
}
