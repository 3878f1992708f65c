//! A segment counted over the whole store: our count beside that of SQL written by hand, on the same file and in the same run; and what it costs to
//! check one contact in memory.
//!
//!     cargo bench -p runner --bench segments -- [CONTACTS] [EVENTS] [keep]
//!
//! CONTACTS (1,000,000) and EVENTS (5,000,000) over the last 90 days, made up from a fixed seed. With `keep` the store stays under target/ and is used
//! again by the next run; `segments_peers.py` measures other databases on it.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark measures real time, and stops at the first trouble"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use dsl::model::Catalog;
use runner::state::{Contact, ContactId, NewEvent};
use runner::store::{Outdated, Question, SqliteStore, Store};
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SETTINGS: &str = "project: bench\ntime_zone: UTC\ncontract: open\n";
const SEGMENT: &str = "segments:
  quiet_buyers:
    all:
      - contact.country: DE
      - { event: order_completed, count: { at_least: 3 }, within: 30 days }
      - not: { message: any, is: opened, within: 14 days }
";
/// By the events, then the contacts they lead to: the index of events once, in its order, and of the contacts only those with three orders.
const BY_EVENTS: &str = "SELECT count(*)
    FROM (SELECT contact FROM events INDEXED BY events_contact WHERE name = ?1 AND at BETWEEN ?3 AND ?5
          GROUP BY contact HAVING count(*) >= 3) AS buyer
    CROSS JOIN contacts ON contacts.id = buyer.contact
    WHERE erased = 0 AND attributes ->> '$.country' = 'DE'
        AND NOT EXISTS (SELECT 1 FROM events WHERE contact = contacts.id AND name = ?2 AND at BETWEEN ?4 AND ?5)";
/// By the contacts, each with its events looked up in the same index.
const BY_CONTACT: &str = "SELECT count(*) FROM contacts NOT INDEXED
    WHERE erased = 0 AND attributes ->> '$.country' = 'DE'
        AND (SELECT count(*) FROM events WHERE contact = contacts.id AND name = ?1 AND at BETWEEN ?3 AND ?5) >= 3
        AND NOT EXISTS (SELECT 1 FROM events WHERE contact = contacts.id AND name = ?2 AND at BETWEEN ?4 AND ?5)";
const NOW: i64 = 1_790_000_000_000;
const DAY: i64 = 86_400_000;
const CHECKED: u64 = 10_000;
const ROUNDS: usize = 5;

/// Numbers that look random and are the same every time (SplitMix64).
struct Made(u64);

impl Made {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }

    /// One of so many contacts; some do much more than others.
    fn contact(&mut self, contacts: u64) -> u64 {
        let (one, other) = (self.below(contacts), self.below(contacts));
        one.min(other).wrapping_mul(7_919) % contacts
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let (contacts, events) = (numbers.first().copied().unwrap_or(1_000_000), numbers.get(1).copied().unwrap_or(5_000_000));
    let keep = arguments.iter().any(|argument| argument == "keep");
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("segments-{contacts}-{events}.db"));
    if !keep || !path.is_file() {
        remove(&path);
        let begun = Instant::now();
        fill(&path, contacts, events);
        println!("{contacts} contacts and {events} events written in {:.0} s: {}", begun.elapsed().as_secs_f64(), path.display());
    }
    let compiled =
        dsl::compile(&dsl::ProjectFiles::from_texts([("campaignd.yaml", SETTINGS), ("workflows/segments.yaml", SEGMENT)]));
    let catalog = compiled.catalog.expect("the project is fine");
    let mut store = SqliteStore::open(&path).unwrap();
    compare(&path, &mut store, &question(&catalog));
    check_some(&mut store, &question(&catalog), contacts);
    drop(store);
    if !keep {
        remove(&path);
    }
}

fn question(catalog: &Catalog) -> Question<'_> {
    Question {
        condition: &catalog.segments["quiet_buyers"],
        segments: &catalog.segments,
        settings: &catalog.settings,
        now: NOW,
        outdated: Outdated::Ignore,
    }
}

/// The store as it would be after 90 days, through its own calls. Its index of events is put aside meanwhile, which changes nothing but the time.
fn fill(path: &Path, contacts: u64, events: u64) {
    let mut store = SqliteStore::open(path).unwrap();
    let index: String = {
        let beside = Connection::open(path).unwrap();
        let sql = "SELECT sql FROM sqlite_master WHERE name = 'events_contact'";
        let index = beside.query_row(sql, [], |row| row.get(0)).unwrap();
        beside.execute_batch("DROP INDEX events_contact").unwrap();
        index
    };
    let mut made = Made(1);
    in_batches(&mut store, contacts, |store, number| {
        let country = ["DE", "FR", "US", "GB", "AT"][made.below(5) as usize];
        let plan = ["free", "pro"][made.below(2) as usize];
        let attributes = json!({ "country": country, "plan": plan, "first_name": format!("Contact {number}"), "city": "Berlin" });
        let contact = Contact {
            email: Some(format!("contact-{number}@example.test")),
            time_zone: Some("Europe/Berlin".to_owned()),
            attributes: object(attributes).into(),
            ..Contact::new(&format!("contact-{number}"))
        };
        store.insert_contact(&contact, NOW - 90 * DAY).unwrap();
    });
    in_batches(&mut store, events, |store, number| {
        let at = NOW - 90 * DAY + (90.0 * DAY as f64 * number as f64 / events as f64) as i64;
        let contact = ContactId(made.contact(contacts) as i64 + 1);
        let (name, properties) = match made.below(10) {
            0..4 => ("order_completed", json!({ "total": made.below(20_000) as f64 / 100.0, "order_id": format!("o{number}") })),
            4..7 => ("message_opened", json!({ "template": "newsletter" })),
            _ => ("page_viewed", json!({ "url": format!("https://shop.example/{}", made.below(1_000)) })),
        };
        let uid = Some(format!("event-{number}"));
        let event = NewEvent { contact, name: name.to_owned(), at, properties: object(properties), uid, message: None };
        store.insert_event(&event, at).unwrap();
    });
    drop(store);
    Connection::open(path)
        .unwrap()
        .execute_batch(&format!("PRAGMA cache_size = -500000; {index}; PRAGMA wal_checkpoint(TRUNCATE);"))
        .unwrap();
}

fn in_batches(store: &mut SqliteStore, number: u64, mut add: impl FnMut(&mut SqliteStore, u64)) {
    for begin in (0..number).step_by(20_000) {
        store.begin().unwrap();
        (begin..number.min(begin + 20_000)).for_each(|number| add(store, number));
        store.commit().unwrap();
    }
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

/// All in turn, several times; the best of each counts.
fn compare(path: &Path, store: &mut SqliteStore, question: &Question<'_>) {
    let plain = Connection::open(path).unwrap();
    plain.execute_batch("PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY;").unwrap();
    let number =
        |name: &str| plain.query_row("SELECT id FROM names WHERE name = ?1", [name], |row| row.get::<_, i64>(0)).unwrap();
    let (order, opened) = (number("order_completed"), number("message_opened"));
    let by_hand = |sql: &str| {
        let params = params![order, opened, NOW - 30 * DAY, NOW - 14 * DAY, NOW];
        plain.query_row(sql, params, |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    let mut best = [f64::MAX; 3];
    let mut counts = [0; 3];
    for _ in 0..ROUNDS {
        let mut measure = |which: usize, count: &mut dyn FnMut() -> u64| {
            let begun = Instant::now();
            counts[which] = count();
            best[which] = best[which].min(begun.elapsed().as_secs_f64());
        };
        measure(0, &mut || store.count_matching(question).unwrap());
        measure(1, &mut || by_hand(BY_EVENTS));
        measure(2, &mut || by_hand(BY_CONTACT));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "they differ: {counts:?}");
    let [ours, by_events, by_contact] = best;
    println!("{} contacts match at {NOW}; best of {ROUNDS}:", counts[0]);
    println!("  our count                    {ours:.3} s");
    println!("  by hand, events first        {by_events:.3} s");
    println!("  by hand, contact by contact  {by_contact:.3} s");
    println!("  ratio to the better one      {:.2}", ours / by_events.min(by_contact));
}

/// Contacts taken at random, read and checked one by one.
fn check_some(store: &mut SqliteStore, question: &Question<'_>, contacts: u64) {
    let mut made = Made(2);
    let begun = Instant::now();
    let mut matching = 0;
    for _ in 0..CHECKED {
        let contact = store.contact(ContactId(made.below(contacts) as i64 + 1)).unwrap().unwrap();
        matching += u64::from(question.check(store, &contact).unwrap().holds);
    }
    let each = begun.elapsed().as_secs_f64() * 1e6 / CHECKED as f64;
    println!("one contact read and checked in memory: {each:.1} us (mean over {CHECKED} of which {matching} match)");
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        // Not there is as good as gone.
        let _ = std::fs::remove_file(name);
    }
}
