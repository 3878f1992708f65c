//! Small projects, and every line that a simulation of them writes.

use std::sync::Arc;

use dsl::ProjectFiles;
use serde_json::Value;

use super::{Figures, Known, Simulation, Span, Told, only};
use crate::ingest::{ContactInput, Expected, Format, Mapping, Occurrence, Reader, Source};

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\ntopics: { offers: { default: subscribed } }\n";

/// Who and what a simulation is given; times are in Berlin.
struct Given {
    settings: &'static str,
    workflow: &'static str,
    contacts: &'static str,
    events: &'static str,
    from: &'static str,
    until: &'static str,
    seed: &'static str,
}

const GIVEN: Given = Given {
    settings: "",
    workflow: "",
    contacts: r#"{"id":"ada","email":"ada@example.com"}"#,
    events: "",
    from: "2026-03-28",
    until: "2026-04-28",
    seed: "",
};

impl Given {
    fn catalog(&self) -> Arc<dsl::model::Catalog> {
        let files = [
            ("campaignd.yaml", format!("{SETTINGS}{}", self.settings)),
            ("workflows/w.yaml", format!("workflow: w\n{}", self.workflow)),
            ("templates/hello.txt.hbs", "---\nsubject: Hello\n---\nHello.\n".to_owned()),
        ];
        let compiled = dsl::compile(&ProjectFiles::from_texts(files));
        Arc::new(compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics)))
    }

    fn read<T: Source>(&self, text: &'static str) -> Vec<T> {
        let expected = Arc::new(Expected::of(&self.catalog()));
        let reader = Reader::new(Box::new(text.as_bytes()), Format::JsonLines, &Mapping::default(), expected).unwrap();
        reader.map(|row| row.unwrap().unwrap_or_else(|rejection| panic!("{rejection:?}")).value).collect()
    }

    fn lines(&self) -> (Vec<String>, Figures) {
        let zone = dsl::time::zone("Europe/Berlin").unwrap();
        let instant = |text| dsl::time::parse_date(text).unwrap().instant(&zone);
        let span = Span { from: instant(self.from), until: instant(self.until), seed: self.seed.to_owned() };
        let mut simulation = Simulation::new(self.catalog(), false, span).unwrap();
        simulation.contacts(self.read::<ContactInput>(self.contacts).into_iter().map(Ok)).unwrap();
        let (mut lines, mut figures) = (Vec::new(), Figures::default());
        let ears = |told: Told| {
            figures.count(&told);
            if let Told::Line(line) = told {
                lines.push(serde_json::to_string(&line)?);
            }
            Ok(())
        };
        simulation.run(&mut Known::new(self.read::<Occurrence>(self.events)), ears).unwrap();
        (lines, figures)
    }

    /// Each line as `DATE TIME contact kind what`.
    #[track_caller]
    fn check(&self, expected: &[&str]) {
        let short = |line: &String| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            let what = ["template", "until", "taken", "reason"].map(text).concat();
            format!("{} {} {} {what}", text("at")[5..16].replace('T', " "), text("contact"), text("kind")).trim_end().to_owned()
        };
        assert_eq!(self.lines().0.iter().map(short).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn every_key_of_every_kind_in_its_order() {
    let given = Given {
        workflow: r#"
trigger: { event: signed_up }
topic: offers
steps:
  - send: hello
  - wait: 1 hour
  - set: { contact.stage: new }
  - branch: [ { when: { contact.stage: old }, steps: [ exit ] } ]
  - record: done
  - subscribe: offers
  - start: w
  - wait_for: { event: never_comes }
    within: 1 day
  - wait_for: { event: never_comes }
"#,
        events: r#"{"at":"2026-03-29T01:30","contact":"ada","event":"signed_up"}"#,
        ..GIVEN
    };
    let (lines, _) = given.lines();
    let head = |at: &str| format!(r#"{{"at":"2026-03-{at}:00","contact":"ada","workflow":"w","run":"1","#);
    let (first, then, last) = (head("29T01:30:00+01"), head("29T03:30:00+02"), head("30T03:30:00+02"));
    let expected = [
        format!(r#"{first}"kind":"enter"}}"#),
        format!(
            r#"{first}"step":"send-hello","kind":"send","channel":"email","template":"hello","to":"ada@example.com","subject":"Hello","status":"sent"}}"#
        ),
        format!(r#"{first}"step":"wait-1-hour","kind":"wait","until":"2026-03-29T03:30:00+02:00"}}"#),
        format!(r#"{then}"step":"set-stage","kind":"set","set":{{"contact.stage":"new"}}}}"#),
        format!(r#"{then}"step":"branch","kind":"branch","taken":null}}"#),
        format!(r#"{then}"step":"record-done","kind":"record","event":"done"}}"#),
        format!(r#"{then}"step":"subscribe-offers","kind":"subscribe","topic":"offers"}}"#),
        format!(r#"{then}"step":"start-w","kind":"start","starts":"w"}}"#),
        format!(r#"{then}"step":"wait-for-never-comes","kind":"wait","until":"2026-03-30T03:30:00+02:00"}}"#),
        format!(r#"{last}"step":"wait-for-never-comes","kind":"branch","taken":"otherwise"}}"#),
        format!(r#"{last}"step":"wait-for-never-comes-2","kind":"wait","until":null}}"#),
    ];
    assert_eq!(lines, expected);
}

const WAITING: &str = r#"
trigger: { event: signed_up }
topic: offers
steps:
  - wait_for: { event: visited }
    within: 1 day
    then: [ exit: yes ]
    otherwise: [ exit: no ]
"#;

#[test]
fn an_event_exactly_at_the_timeout_is_in_time() {
    let given = |events| Given { workflow: WAITING, events, ..GIVEN };
    let entered = ["03-30 09:00 ada enter", "03-30 09:00 ada wait 2026-03-31T09:00:00+02:00"];
    // Other events at the very same time, of the contact and of others, do not bring the timeout forward.
    let in_time = r#"{"at":"2026-03-30T09:00","contact":"ada","event":"signed_up"}
{"at":"2026-03-31T09:00","contact":"bo","event":"other"}
{"at":"2026-03-31T09:00","contact":"ada","event":"other"}
{"at":"2026-03-31T09:00","contact":"ada","event":"visited"}"#;
    given(in_time).check(&[&entered[..], &["03-31 09:00 ada branch then", "03-31 09:00 ada exit exit"]].concat());
    let late = r#"{"at":"2026-03-30T09:00","contact":"ada","event":"signed_up"}
{"at":"2026-03-31T09:00:00.001","contact":"ada","event":"visited"}"#;
    given(late).check(&[&entered[..], &["03-31 09:00 ada branch otherwise", "03-31 09:00 ada exit exit"]].concat());
}

#[test]
fn events_of_one_instant_happen_in_the_order_given() {
    let workflow = "
trigger: { event: signed_up }
exit_when: { event: order }
topic: offers
steps: [ send: hello, wait: 1 day ]
";
    let events = r#"{"at":"2026-03-30T09:00","contact":"ada","event":"signed_up"}
{"at":"2026-03-30T08:00","contact":"ada","event":"order"}
{"at":"2026-03-30T09:00","contact":"ada","event":"order"}"#;
    Given { workflow, events, ..GIVEN }.check(&[
        "03-30 09:00 ada enter",
        "03-30 09:00 ada send hello",
        "03-30 09:00 ada wait 2026-03-31T09:00:00+02:00",
        "03-30 09:00 ada exit exit_when",
    ]);
}

#[test]
fn what_is_older_counts_and_starts_nothing() {
    let workflow = "
trigger: { event: signed_up }
audience: { event: order, count: 2 }
topic: offers
steps: [ send: hello ]
";
    let events = r#"{"at":"2026-03-01","contact":"ada","event":"order"}
{"at":"2026-03-02","contact":"ada","event":"order"}
{"at":"2026-03-27T23:59:59","contact":"ada","event":"signed_up"}
{"at":"2026-03-28","contact":"ada","event":"signed_up"}"#;
    Given { workflow, events, ..GIVEN }.check(&[
        "03-28 00:00 ada enter",
        "03-28 00:00 ada send hello",
        "03-28 00:00 ada exit completed",
    ]);
}

#[test]
fn the_beginning_is_in_and_the_end_is_not() {
    let scheduled = "
trigger: { schedule: \"0 9 * * *\" }
topic: offers
steps: [ exit ]
";
    let expected = ["03-28 09:00 ada enter", "03-28 09:00 ada exit exit", "03-29 09:00 ada enter", "03-29 09:00 ada exit exit"];
    let given = Given { workflow: scheduled, from: "2026-03-28T09:00", until: "2026-03-30T09:00", ..GIVEN };
    given.check(&expected);
    Given { from: "2026-03-28T09:00:00.001", until: "2026-03-30T09:00", ..given }.check(&expected[2..]);
    let birthday = "
trigger: { date: contact.birthday, every: year }
topic: offers
steps: [ exit ]
";
    let contacts = r#"{"id":"ada","birthday":"1990-03-28"}"#;
    let given = Given { workflow: birthday, contacts, from: "2026-03-28T09:00", ..GIVEN };
    given.check(&["03-28 09:00 ada enter", "03-28 09:00 ada exit exit"]);
    Given { until: "2026-03-28T09:00", from: "2026-03-27", ..given }.check(&[]);
    let events = r#"{"at":"2026-03-30T09:00","contact":"ada","event":"signed_up"}"#;
    Given { workflow: WAITING, events, until: "2026-03-30T09:00", ..GIVEN }.check(&[]);
}

#[test]
fn a_fate_is_an_event() {
    let workflow = "
trigger: { event: signed_up }
topic: offers
steps:
  - send: hello
  - wait_for: { message: hello, is: clicked }
    within: 1 day
";
    let events = r#"{"at":"2026-03-30T09:00","contact":"ada","event":"signed_up"}
{"at":"2026-03-30T10:00","contact":"ada","event":"message_clicked","properties":{"template":"hello"}}"#;
    Given { workflow, events, ..GIVEN }.check(&[
        "03-30 09:00 ada enter",
        "03-30 09:00 ada send hello",
        "03-30 09:00 ada wait 2026-03-31T09:00:00+02:00",
        "03-30 10:00 ada branch then",
        "03-30 10:00 ada exit completed",
    ]);
}

const CROWD: &str = r#"{"id":"a","email":"a@example.com"}
{"id":"b","email":"b@example.com"}
{"id":"c","email":"c@example.com","topics":[]}
{"id":"d"}
{"id":"e","email":"e@example.com","time_zone":"Asia/Tokyo"}"#;

const EVENING: &str = "
trigger: { schedule: \"0 22 * * *\" }
topic: offers
steps: [ send: hello ]
";

#[test]
fn the_same_input_and_seed_give_the_same_bytes() {
    let given = |seed| Given {
        settings: "limits: { quiet_hours: 21:00-08:00 }\n",
        workflow: EVENING,
        contacts: CROWD,
        until: "2026-04-02",
        seed,
        ..GIVEN
    };
    let (lines, _) = given("1").lines();
    assert_eq!(lines, given("1").lines().0);
    let sent = |lines: &[String]| lines.iter().filter(|line| line.contains(r#""status":"sent""#)).cloned().collect::<Vec<_>>();
    let (one, two) = (sent(&lines), sent(&given("2").lines().0));
    assert_eq!((one.len(), two.len()), (12, 12));
    assert_ne!(one, two, "the seed moves what is spread");
    assert!(lines.is_sorted_by_key(|line| line[7..32].to_owned()), "in order of time");
}

#[test]
fn the_summary_counts_what_the_lines_say() {
    let given = Given { workflow: EVENING, contacts: CROWD, until: "2026-03-31", ..GIVEN };
    let expected = "\
w: 15 entered, 0 still inside, 15 completed
  message        sent    skipped     failed  first       last      
  hello             9          6          0  2026-03-28  2026-03-30  skipped: 3 no_address, 3 unsubscribed

9 messages sent from 2026-03-28 to 2026-03-30, at most 3 on one day (2026-03-28)
3 messages at most to one person in 7 days (a)
";
    assert_eq!(given.lines().1.to_string(), expected);
    assert_eq!(Given { contacts: "", ..given }.lines().1.to_string(), "no messages sent\n");
}

#[test]
fn one_workflow_alone() {
    let catalog = Given { workflow: WAITING, ..GIVEN }.catalog();
    assert!(only(&catalog, "other").is_none());
    assert_eq!(only(&catalog, "w").unwrap().workflows.keys().collect::<Vec<_>>(), ["w"]);
}
