//! What must hold for any input at all: a function for each kind. The fuzz targets call them with what libFuzzer thinks of, and a test of the
//! workspace (runner/tests/corpus.rs) with the corpus. They panic where something does not hold.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Cursor;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use dsl::diagnostic::{Diagnostic, Severity};
use dsl::model::{Catalog, Fate};
use dsl::time::Cron;
use dsl::{Compiled, ProjectFiles};
use jiff::tz::TimeZone;
use runner::audience::{self, Facts, Scope};
use runner::ingest::{ContactRow, Expected, Format, Mapping, Occurrence, Reader, Source, Tool};
use runner::render::{Addressee, Templates};
use runner::state::{Contact, Event};
use runner::store::{FateRow, RunHistory};
use runner::web::{self, Call, Moment, Notes};
use serde_json::{Value, json};

/// 26 March 2026, 09:00 UTC: ms since 1970 UTC.
const NOW: i64 = 1_774_515_600_000;

const SETTINGS: &str = "\
project: fuzz
time_zone: Europe/Berlin
url: https://mail.shop.example
store: sqlite:state/campaignd.db
channels:
  email: { from: Shop <hello@shop.example> }
topics:
  offers: { default: unsubscribed }
";
const CONTACT: &str = r#"{"type": "object", "properties": {
    "first_name": {"type": "string"}, "age": {"type": "integer"}, "score": {"type": "number"}, "vip": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}}, "birthday": {"type": "string", "format": "date"},
    "address": {"type": "object", "properties": {"city": {"type": "string"}}}}}"#;
const ORDER: &str =
    r#"{"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}, "coupon": {"type": "string"}}}"#;
const SENDS: &str = "\
workflow: sends
trigger: { event: order_completed }
topic: offers
steps: [{ send: fuzz, with: { coupon: SAVE10, items: order } }]
";

/// A small project with one file of any content.
fn project_with(path: &str, text: &str) -> Vec<(String, String)> {
    let own = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    vec![
        own("campaignd.yaml", SETTINGS),
        own("schemas/contact.schema.json", CONTACT),
        own("schemas/events/order_completed.schema.json", ORDER),
        own(path, text),
    ]
}

/// Compiles files, and holds what is said of them against the rules that diagnostics follow.
fn compile(texts: Vec<(String, String)>) -> Compiled {
    let files = ProjectFiles::from_texts(texts);
    let compiled = dsl::compile(&files);
    // What is wrong with journey tests keeps nobody from running.
    let keeps = |found: &&Diagnostic| found.severity == Severity::Error && !found.location.file.starts_with("tests/");
    let errors = compiled.diagnostics.iter().filter(keeps).count();
    assert_eq!(compiled.catalog.is_some(), errors == 0, "a catalog is what there is without errors: {:?}", compiled.diagnostics);
    for diagnostic in &compiled.diagnostics {
        is_in_its_file(diagnostic, &files);
        assert!(dsl::explain::explain(diagnostic.code).is_some(), "{} has no page", diagnostic.code);
    }
    let found = &compiled.diagnostics;
    let _ = (dsl::render::human(found, &files, true), dsl::render::short(found), dsl::render::github(found));
    assert!(dsl::render::json(found).is_ok() && dsl::render::sarif(found, &files).is_ok());
    compiled
}

/// A diagnostic's place is one that an editor can go to.
fn is_in_its_file(diagnostic: &Diagnostic, files: &ProjectFiles) {
    let at = &diagnostic.location;
    assert!(at.line >= 1 && at.column >= 1 && (at.end_line, at.end_column) >= (at.line, at.column), "{diagnostic:?}");
    if let Some(text) = files.text(&at.file) {
        // One behind the last, for what is missing at the end.
        assert!(at.line <= text.split(['\n', '\r']).count() + 1, "{diagnostic:?} is behind the end of its file");
    }
}

/// Files of a project. A line `=== PATH` begins a file; what stands before the first is a workflow.
pub fn yaml(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut texts: BTreeMap<String, String> = project_with("workflows/fuzz.yaml", "").into_iter().collect();
    let mut path = "workflows/fuzz.yaml".to_owned();
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(name) => {
                path = name.trim().to_owned();
                texts.insert(path.clone(), String::new());
            }
            None => texts.entry(path.clone()).or_default().push_str(line),
        }
    }
    let texts: Vec<_> = texts.into_iter().collect();
    let (once, again) = (compile(texts.clone()), compile(texts));
    assert_eq!(once.diagnostics, again.diagnostics, "the same files, the same words");
    assert_eq!(once.catalog.map(|catalog| catalog.hash), again.catalog.map(|catalog| catalog.hash));
}

/// A message's file, in HTML, MJML and text. What compiles can be rendered, or says why not.
pub fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for ending in ["html", "mjml", "txt"] {
        let mut texts = project_with(&format!("templates/fuzz.{ending}.hbs"), &text);
        texts.push(("workflows/sends.yaml".to_owned(), SENDS.to_owned()));
        texts.push(("templates/layouts/plain.html.hbs".to_owned(), "<main>{{{body}}}</main>".to_owned()));
        texts.push(("templates/partials/name.hbs".to_owned(), "{{default contact.first_name \"there\"}}".to_owned()));
        let Some(catalog) = compile(texts).catalog else { continue };
        for entry in catalog.workflows.values() {
            let Ok(templates) = Templates::compile(&entry.definition) else { continue };
            for contact in [
                json!({ "id": "ada" }),
                json!({ "id": "<b>", "first_name": "{{x}}\r\nBcc: a@b.c", "age": 41, "tags": ["a", "<i>"] }),
            ] {
                let data = json!({
                    "contact": contact, "event": { "total": 30.5, "coupon": "'\"><script>" }, "vars": {}, "message": { "id": "m1" },
                    "coupon": "SAVE10", "items": "order", "unsubscribe_url": "https://mail.shop.example/u/x",
                    "preferences_url": "https://mail.shop.example/preferences/x",
                });
                if let Ok(rendered) =
                    templates.render("fuzz", &data, &Addressee { marketing: true, now: NOW, ..Addressee::default() })
                {
                    let subject = rendered.subject.unwrap_or_default();
                    assert!(!subject.contains(['\r', '\n', '\0']), "a header is one line: {subject:?}");
                    assert!(rendered.html.is_none() || rendered.text.is_some(), "HTML has its text beside it");
                }
            }
        }
    }
}

/// Somebody of whom little is known, and to whom one thing happened.
struct Somebody(Contact);

impl Facts for Somebody {
    type Error = Infallible;

    fn contact(&self) -> &Contact {
        &self.0
    }

    fn events(&mut self, name: &str, from: i64, _: bool) -> Result<Rc<Vec<Event>>, Infallible> {
        let at = NOW - 86_400_000;
        let happened = name == "order_completed" && from <= at;
        let order = Event { id: runner::state::EventId(1), at, properties: json!({ "total": 30.5 }), message: None };
        Ok(Rc::new(if happened { vec![order] } else { Vec::new() }))
    }

    fn fates(&mut self, _: Fate, _: i64) -> Result<Vec<FateRow>, Infallible> {
        Ok(Vec::new())
    }

    fn listed(&mut self, _: &str) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn workflow(&mut self, _: &str) -> Result<RunHistory, Infallible> {
        Ok(RunHistory::default())
    }
}

/// A condition, as a segment's. What compiles can be asked, and does not hold together with its opposite.
pub fn condition(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let indented = text.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    let file = format!("segments:\n  fuzz:\n{indented}  other:\n    not: {{ segment: fuzz }}\n");
    let Some(catalog) = compile(project_with("workflows/fuzz.yaml", &file)).catalog else { return };
    let mut contact = Contact::new("ada");
    contact.attributes = json!({ "first_name": "Ada", "age": 41, "vip": true, "tags": ["a"], "birthday": "1990-02-29" })
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into();
    let mut facts = Somebody(contact);
    let zone = TimeZone::UTC;
    let scope = Scope::outside(NOW, &zone, &catalog.settings, &catalog.segments);
    let mut holds = |name: &str| {
        let condition = catalog.segments.get(name)?;
        let Ok(truth) = audience::check(condition, &scope, &mut facts);
        assert!(truth.recheck.is_none_or(|at| at > NOW), "what time changes, it changes later");
        Some(truth.holds)
    };
    if let (Some(held), Some(opposite)) = (holds("fuzz"), holds("other")) {
        assert_ne!(held, opposite);
    }
}

/// A crontab expression. What is understood fires again and again, each time later, and is written as it is understood.
pub fn cron(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(cron) = Cron::parse(&text) else { return };
    assert!(Cron::parse(cron.as_str()).is_ok(), "{text:?} is kept as {:?}", cron.as_str());
    for zone in ["UTC", "Europe/Berlin", "Australia/Lord_Howe"].into_iter().filter_map(dsl::time::zone) {
        let mut at = NOW;
        for _ in 0..8 {
            let Some(next) = cron.next_after(at, &zone) else { break };
            assert!(next > at, "{text:?} fires at {next} after {at}");
            at = next;
        }
    }
}

/// The project that rows and calls are held against: with a contract, and without one.
static EXPECTED: LazyLock<Vec<Arc<Expected>>> = LazyLock::new(|| {
    let bare = vec![("campaignd.yaml".to_owned(), SETTINGS.to_owned())];
    let catalogs =
        [project_with("workflows/sends.yaml", "segments: { listed: { list: true } }\n"), bare].into_iter().map(compile);
    catalogs.filter_map(|compiled| compiled.catalog).map(|catalog: Catalog| Arc::new(Expected::of(&catalog))).collect()
});

/// An import file: CSV or JSON Lines, contacts or events, our own or another tool's. Each row is taken or rejected, and lines only go on.
pub fn csv(data: &[u8]) {
    for expected in EXPECTED.iter() {
        for format in [Format::Csv, Format::JsonLines] {
            rows::<ContactRow>(data, format, None, expected);
            rows::<Occurrence>(data, format, None, expected);
        }
        for tool in ["mailchimp", "klaviyo", "hubspot"].into_iter().filter_map(Tool::named) {
            rows::<ContactRow>(data, Format::Csv, Some(tool), expected);
        }
    }
}

fn rows<T: Source>(data: &[u8], format: Format, tool: Option<&'static Tool>, expected: &Arc<Expected>) {
    let mapping = Mapping { map: Vec::new(), tool };
    let Ok(mut reader) = Reader::<T>::new(Box::new(Cursor::new(data.to_vec())), format, &mapping, expected.clone()) else {
        return;
    };
    let mut last = 0;
    while let Some(row) = reader.next() {
        let Ok(row) = row else { break };
        let line = match row {
            Ok(row) => row.line,
            Err(rejection) => {
                assert!(!rejection.reason.is_empty());
                rejection.line
            }
        };
        assert!(line > last, "line {line} comes after line {last}");
        last = line;
        assert!(reader.place().offset <= data.len() as u64);
    }
}

/// The body of a call of the tracking interface, as each of the calls. What is refused says why, with a status that blames the caller.
pub fn tracking(data: &[u8]) {
    let Ok(body) = std::str::from_utf8(data) else { return };
    for expected in EXPECTED.iter() {
        for call in [Call::Identify, Call::Track, Call::Page, Call::Screen, Call::Group, Call::Alias, Call::Batch, Call::Import] {
            match web::read(call, body, Moment { now: NOW, expected }, &mut Notes::default()) {
                Ok(taken) => {
                    assert!(!taken.inputs.is_empty());
                    let answer = serde_json::to_value(&taken.rejected).unwrap_or(Value::Null);
                    assert!(answer.is_array());
                }
                Err(problem) => assert!(problem.status.is_client_error() && !problem.message.is_empty()),
            }
        }
    }
}
