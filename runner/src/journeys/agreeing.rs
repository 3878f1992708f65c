//! The same definition, contacts, events and seed give the same timeline in a journey test, in a simulation and in the daemon: generated
//! workflows, people and events, the kernel's own thread over a store on disk, and every line compared.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dsl::ProjectFiles;
use dsl::model::Catalog;
use dsl::model::journey::{Entry, Happening, Suite};
use proptest::prelude::*;

use super::*;
use crate::channels::{Job, Outcome as Became, Report, ReportTo};
use crate::clock::Clock;
use crate::daemon::{Carry, KernelThread, mailbox};
use crate::ingest::{ContactInput, Expected, Format, Mapping, Occurrence, Reader, Source};
use crate::instant::project_zone;
use crate::kernel::{Input, Kernel, Options, Plan};
use crate::metrics::Metrics;
use crate::rehearsal::{Answers, Seen, Taken};
use crate::simulate::{Known, Simulation, Span, Told};
use crate::store::SqliteStore;

const SETTINGS: &str = "project: shop
time_zone: Europe/Berlin
contract: open
topics: { offers: { default: subscribed } }
channels:
  email: { from: shop@shop.example, deliver: \"outbox:outbox/\" }
limits:
  quiet_hours: 21:00-08:00
  frequency: [ { at_most: 3, per: 2 days, topic: any } ]
";

/// The clock changes two days later.
const START: &str = "2026-03-27T09:00:00+01:00";
const DAYS: i64 = 12;

/// One step, with those inside it, in flow style.
fn step() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => Just("send: hello".to_owned()),
        2 => Just("send: again, window: { between: \"10:00-11:30\", days: weekdays }".to_owned()),
        1 => Just("send: again, when_capped: skip".to_owned()),
        3 => (1..90_u32).prop_map(|hours| format!("wait: {hours} hours")),
        2 => Just("wait: { for: 1 day, at: \"02:30\" }".to_owned()),
        1 => Just("wait: { until: \"09:00\", days: [mon, thu] }".to_owned()),
        1 => Just("set: { contact.stage: seen, contact.points: { add: 1 } }".to_owned()),
        1 => Just("record: looked, with: { points: 3 }".to_owned()),
        1 => Just("unsubscribe: offers".to_owned()),
        1 => Just("exit: enough".to_owned()),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let steps = proptest::collection::vec(inner, 1..3).prop_map(|steps| listed(&steps));
        prop_oneof![
            (steps.clone(), steps.clone(), 1..60_u32).prop_map(|(then, otherwise, hours)| {
                format!("wait_for: {{ event: looked }}, within: {hours} hours, then: {then}, otherwise: {otherwise}")
            }),
            (steps.clone(), steps.clone()).prop_map(|(one, other)| {
                format!("branch: [{{ when: {{ contact.points: {{ above: 1 }} }}, steps: {one} }}, {{ steps: {other} }}]")
            }),
            (steps.clone(), steps.clone()).prop_map(|(one, other)| {
                format!("experiment: which, variants: {{ a: {{ weight: 1, steps: {one} }}, b: {{ weight: 2, steps: {other} }}, c: {{ weight: 1 }} }}")
            }),
            steps.prop_map(|steps| {
                format!("repeat: {{ times: 2, every: 20 hours, until: {{ event: ordered }}, steps: {steps} }}")
            }),
        ]
    })
}

fn listed(steps: &[String]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("{{ {step} }}")).collect();
    format!("[{}]", steps.join(", "))
}

/// What happens, to which of the three, and the hour.
fn entry() -> impl Strategy<Value = (i64, u8, String)> {
    let what = prop_oneof![
        4 => Just("event: signed_up".to_owned()),
        3 => Just("event: looked, with: { points: 2 }".to_owned()),
        1 => Just("event: ordered".to_owned()),
        1 => Just("event: message_clicked, with: { template: hello }".to_owned()),
        1 => Just("set: { contact.points: 5, contact.time_zone: Asia/Tokyo }".to_owned()),
        1 => Just("unsubscribe: all".to_owned()),
        1 => Just("subscribe: offers".to_owned()),
        1 => Just("erase: true".to_owned()),
    ];
    (-48..200_i64, 0..3_u8, what)
}

const PEOPLE: [(&str, &str); 3] = [
    ("ada", r#"{"id":"ada","email":"ada@example.com"}"#),
    ("bo", r#"{"id":"bo","email":"bo@example.com","time_zone":"America/New_York","points":4}"#),
    ("cy", r#"{"id":"cy","topics":[]}"#),
];

/// A project with a test; each entry has a time of its own, to the millisecond, so that none falls together with what another brought about.
fn project(steps: &[String], entries: &[(i64, u8, String)], seed: u8) -> ProjectFiles {
    let workflow = format!(
        "workflow: w\ntrigger: {{ event: signed_up }}\nreentry: {{ after: 30 hours }}\nexit_when: {{ event: ordered, count: 2 }}\ntopic: offers\nsteps: {}\n",
        listed(steps)
    );
    let other = "workflow: followed
trigger: { event: looked, where: { event.points: { at_least: 3 } } }
goal: { event: ordered, within: 1 day }
topic: offers
steps: [ { wait: 1 hour }, { send: again } ]
";
    let mut entries = entries.to_vec();
    entries.sort_by_key(|(hour, ..)| *hour);
    let mut timeline = String::new();
    for (index, (hour, person, what)) in entries.iter().enumerate() {
        let millis = hour * 3_600_000 + 1 + 13 * index as i64;
        let (id, _) = PEOPLE[usize::from(*person)];
        let _ = writeln!(timeline, "      - {{ at: \"{:.3} seconds\", contact: {id}, {what} }}", millis as f64 / 1000.0);
    }
    let people: Vec<&str> = PEOPLE.iter().map(|(_, row)| *row).collect();
    let test = format!(
        "workflow: w\nstart: {START}\nseed: {seed}\ntests:\n  - name: x\n    given: {{ contacts: [{}] }}\n    timeline:\n{timeline}    expect: []\n    until: {DAYS} days\n",
        people.join(", ")
    );
    let mail = |subject: &str| {
        format!("---\nsubject: {subject} {{{{default contact.points 0}}}}\n---\nHello. {{{{unsubscribe_url}}}}\n")
    };
    ProjectFiles::from_texts([
        ("campaignd.yaml", SETTINGS.to_owned()),
        ("workflows/w.yaml", workflow),
        ("workflows/followed.yaml", other.to_owned()),
        ("templates/hello.txt.hbs", mail("Hello")),
        ("templates/again.txt.hbs", mail("Again")),
        ("tests/w.test.yaml", test),
    ])
}

fn told(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect()
}

fn people(expected: &Arc<Expected>) -> Vec<ContactInput> {
    let rows: String = PEOPLE.iter().map(|(_, row)| format!("{row}\n")).collect();
    read(rows, expected)
}

fn read<T: Source>(rows: String, expected: &Arc<Expected>) -> Vec<T> {
    let source = Box::new(std::io::Cursor::new(rows));
    let reader = Reader::new(source, Format::JsonLines, &Mapping::default(), expected.clone()).unwrap();
    reader.map(|row| row.unwrap().unwrap_or_else(|rejection| panic!("{rejection:?}")).value).collect()
}

/// The timeline as rows of an event file.
fn rows(timeline: &[Entry], expected: &Arc<Expected>) -> Vec<Occurrence> {
    let rows = timeline.iter().map(|entry| {
        let mut row = match &entry.what {
            Happening::Event { name, properties } => serde_json::json!({ "event": name, "properties": properties }),
            Happening::Set(values) => serde_json::json!({ "set": values }),
            Happening::Subscribe(topic) => serde_json::json!({ "subscribe": topic }),
            Happening::Unsubscribe(topic) => serde_json::json!({ "unsubscribe": topic }),
            Happening::Erase => serde_json::json!({ "erase": true }),
            other => panic!("{other:?}"),
        };
        row["at"] = crate::instant::text(entry.at, &jiff::tz::TimeZone::UTC).into();
        row["contact"] = entry.contact.as_str().into();
        format!("{row}\n")
    });
    read(rows.collect(), expected)
}

fn simulated(catalog: &Arc<Catalog>, suite: &Suite, until: i64) -> Vec<Line> {
    let expected = Arc::new(Expected::of(catalog));
    let span = Span { from: suite.start, until, seed: suite.seed.clone() };
    let mut simulation = Simulation::new(catalog.clone(), false, span).unwrap();
    simulation.contacts(people(&expected).into_iter().map(Ok)).unwrap();
    let mut lines = Vec::new();
    let events = rows(&suite.journeys[0].timeline, &expected);
    simulation
        .run(&mut Known::new(events), |told| {
            if let Told::Line(line) = told {
                lines.push(*line);
            }
            Ok(())
        })
        .unwrap();
    lines
}

/// Moves only by hand; whoever waits looks again soon.
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn until(&self, instant: i64) -> Duration {
        if instant <= self.now() { Duration::ZERO } else { Duration::from_secs(3600) }
    }
}

/// Takes everything at once, and reports to the daemon's mailbox.
struct Carrier(ReportTo, Mutex<Taken>);

impl Carry for Carrier {
    fn submit(&self, channel: &str, job: Job) {
        let (subject, outcome) = match (job.compose)() {
            Ok(content) => (content.subject.clone(), self.1.lock().unwrap().answer(channel, &content).outcome),
            Err(why) => (None, Became::Failed(why)),
        };
        (self.0)(Report::new(job.message, subject, outcome, Duration::ZERO));
    }

    fn forget(&self, _: &[String]) {}

    fn close(&self, _: Duration) {}
}

/// The kernel's thread as the daemon runs it, over a store on disk, told at each instant what the world does.
fn run(catalog: &Arc<Catalog>, suite: &Suite, until: i64) -> Vec<Line> {
    let dir = tempfile::tempdir().unwrap();
    let expected = Arc::new(Expected::of(catalog));
    let seen = Seen::default();
    let observer = Some(seen.observer(project_zone(&catalog.settings)));
    let options = Options { observer, seed: suite.seed.clone(), drafts: false };
    let store = SqliteStore::open(&dir.path().join("store.db")).unwrap();
    let plan = Arc::new(Plan::new(catalog.clone(), None).unwrap());
    let before = suite.start - 1;
    let kernel = Kernel::open(Box::new(store), plan, options, before).unwrap();
    let clock = Arc::new(Hands(AtomicI64::new(before)));
    let ends = mailbox();
    let carrier = Arc::new(Carrier(ends.0.reporter(), Mutex::default()));
    let thread = KernelThread::start(kernel, clock.clone(), carrier, ends, Arc::new(Metrics::default())).unwrap();
    let mailbox = thread.mailbox();
    // The next instant with something to do, once everything up to now is done.
    let next = || loop {
        mailbox.send_and_wait(Vec::new()).wait().unwrap();
        let question =
            mailbox.ask(|kernel, now| (kernel.in_flight(), kernel.next_wake().unwrap().filter(|wake| *wake > now), now));
        let (in_flight, wake, now) = question.wait().unwrap();
        let due = mailbox.ask(move |kernel, _| kernel.next_wake().unwrap().is_some_and(|wake| wake <= now)).wait().unwrap();
        if in_flight == 0 && !due {
            return wake;
        }
    };
    next();
    let mut inputs: Vec<Input> = people(&expected).into_iter().map(Input::Known).collect();
    let mut coming = rows(&suite.journeys[0].timeline, &expected).into_iter().peekable();
    while let Some(old) = coming.next_if(|event| event.at < suite.start) {
        inputs.push(Input::History(old));
    }
    clock.0.store(suite.start, Ordering::SeqCst);
    mailbox.send_and_wait(inputs).wait().unwrap();
    let mut wake = next();
    loop {
        let event = coming.peek().map(|event| event.at);
        let Some(now) = event.into_iter().chain(wake).min().filter(|now| *now < until) else { break };
        clock.0.store(now, Ordering::SeqCst);
        while let Some(event) = coming.next_if(|event| event.at <= now) {
            mailbox.send_and_wait(vec![Input::Occurrence(event)]).wait().unwrap();
        }
        wake = next();
    }
    thread.stop(Duration::from_secs(30)).unwrap();
    seen.take()
}

fn agree(files: &ProjectFiles) -> usize {
    let compiled = dsl::compile(files);
    let [suite] = &compiled.tests[..] else { panic!("{}", dsl::render::short(&compiled.diagnostics)) };
    let Some(catalog) = &compiled.catalog else { panic!("{}", dsl::render::short(&compiled.diagnostics)) };
    let catalog = Arc::new(catalog.clone());
    let plans = Plans::new(catalog.clone()).unwrap();
    let tested = one(suite, &suite.journeys[0], &plans, &Snapshots::new(std::path::Path::new("nowhere"), None, false));
    assert_eq!(tested.error, None);
    let until = suite.start + DAYS * 86_400_000;
    let lines = told(&tested.lines);
    assert_eq!(lines, told(&simulated(&catalog, suite, until)), "a test and a simulation");
    assert_eq!(lines, told(&run(&catalog, suite, until)), "a test and the daemon");
    lines.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_test_a_simulation_and_the_daemon_tell_the_same(
        steps in proptest::collection::vec(step(), 1..6),
        entries in proptest::collection::vec(entry(), 1..14),
        seed in any::<u8>(),
    ) {
        agree(&project(&steps, &entries, seed));
    }
}

#[test]
fn what_is_compared_is_a_whole_journey() {
    let steps = [
        "send: hello",
        "wait_for: { event: looked }, within: 30 hours, then: [{ send: again }], otherwise: [exit]",
        "send: hello",
    ];
    let entries = [(0, 0, "event: signed_up"), (3, 1, "event: signed_up"), (20, 0, "event: looked, with: { points: 3 }")];
    let entries: Vec<(i64, u8, String)> =
        entries.iter().map(|(hour, person, what)| (*hour, *person, (*what).to_owned())).collect();
    // Two enter `w`, one `followed`; what they are sent, wait for and how they leave is told as well.
    assert!(agree(&project(&steps.map(str::to_owned), &entries, 1)) > 15);
}
