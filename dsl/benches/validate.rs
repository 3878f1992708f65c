//! `validate` over a large project, over one file, and over files that were made to be slow: how long the checker takes, and how much memory.
//!
//!     cargo bench -p dsl --bench validate -- [WORKFLOWS | FOLDER]
//!
//! WORKFLOWS (1,000) of 61 lines, each with a template of its own, are read from a folder and compiled with all rules. Of FOLDER, the project in there is checked once.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark measures real time, and stops at the first trouble"
)]

#[path = "validate/hostile.rs"]
mod hostile;

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use dsl::{ProjectFiles, compile, render};

const SETTINGS: &str = "project: bench
time_zone: Europe/Berlin
url: https://mail.shop.example
channels:
  email: { from: Shop <hello@shop.example> }
topics:
  offers: { title: Offers and sales, default: subscribed }
limits:
  quiet_hours: 21:00-08:00
  frequency: [ { at_most: 3, per: 7 days, topic: any } ]
tracking: { clicks: true }
";
const CONTACT: &str = r#"{ "type": "object", "properties": {
  "first_name": { "type": "string" }, "country": { "type": "string" }, "age": { "type": "number" }, "stage": { "type": "string" },
  "last_recovery_at": { "type": "string", "format": "date-time" } }, "additionalProperties": false }"#;
const EVENT: &str = r#"{ "type": "object", "properties": {
  "total": { "type": "number" }, "cart_id": { "type": "string" }, "item": { "type": "string" } }, "additionalProperties": false }"#;
const LAYOUT: &str = "<!doctype html><html><head><title>{{subject}}</title></head><body>{{> head}}{{{body}}}\
    <p><a href=\"{{unsubscribe_url}}\">Unsubscribe</a></p></body></html>\n";

/// A workflow of 61 lines: conditions, waits, an experiment, a repeat, a branch.
fn workflow(number: usize) -> String {
    format!(
        r#"workflow: recovery-{number}
description: Bring back shoppers who left something in the cart, number {number}.
trigger:
  event: cart_updated
  where:
    event.total: {{ at_least: {least} }}
  key: event.cart_id
audience:
  all:
    - segment: subscribers
    - contact.country: [DE, AT, CH]
    - none:
        - {{ event: order_completed, within: 2 days }}
reentry: {{ after: 7 days }}
exit_when: {{ event: order_completed }}
goal: {{ event: order_completed, within: 7 days, value: event.total }}
topic: offers
steps:
  - wait: 1 hour
  - send: reminder-{number}
    window: {{ between: "09:00-20:00" }}
    with: {{ coupon: SAVE{number} }}
  - wait_for: {{ message: reminder-{number}, is: clicked }}
    within: 1 day
    then:
      - set: {{ contact.stage: interested }}
      - wait: {{ for: 2 days, at: "10:00", days: weekdays }}
        id: a-calm-moment
    otherwise:
      - branch:
          - when:
              all:
                - contact.age: {{ above: 30, below: 60 }}
                - {{ event: order_completed, count: {{ at_least: 3 }}, within: 90 days }}
            steps:
              - send: {{ subject: "{{{{default contact.first_name "You"}}}}, still there?", text: "It is still there: {{{{event.item}}}}" }}
                id: to-regulars
          - steps:
              - wait: 3 hours
  - experiment: tone
    variants:
      warm:
        weight: 45
        steps:
          - set: {{ vars.tone: warm }}
      dry:
        weight: 45
        steps:
          - set: {{ vars.tone: dry }}
      nobody:
        weight: 10
  - repeat:
      times: 2
      every: 3 days
      until: {{ event: order_completed }}
      steps:
        - record: survey_wanted
          with: {{ item: "{{{{event.item}}}}" }}
    id: ask-twice
  - branch:
      - when: {{ vars.tone: warm }}
        steps:
          - exit: warm
  - set: {{ contact.last_recovery_at: now }}
"#,
        least = 10 + number % 50
    )
}

fn template(number: usize) -> String {
    let mut text = format!(
        "---\nsubject: \"{{{{default contact.first_name \\\"there\\\"}}}}, you left something behind\"\npreheader: Number {number} is still in stock.\nlayout: plain\nneeds: [coupon]\n---\n<h1>Hello {{{{default contact.first_name \"there\"}}}}</h1>\n"
    );
    for line in 0..12 {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "<p style=\"margin: {line}px\">{{{{#if event.item}}}}Your {{{{event.item}}}} for {{{{money event.total \"EUR\"}}}}{{{{else}}}}What you chose{{{{/if}}}} waits, with {{{{coupon}}}}: <a href=\"https://shop.example/cart/{{{{event.cart_id}}}}\">look</a></p>"
        );
    }
    text
}

fn project(workflows: usize) -> Vec<(String, String)> {
    let mut files = vec![
        ("campaignd.yaml".to_owned(), SETTINGS.to_owned()),
        ("schemas/contact.schema.json".to_owned(), CONTACT.to_owned()),
        ("templates/layouts/plain.html.hbs".to_owned(), LAYOUT.to_owned()),
        ("templates/partials/head.hbs".to_owned(), "<p>The shop</p>\n".to_owned()),
        (
            "workflows/shared.yaml".to_owned(),
            "segments:\n  subscribers: { all: [ { topic: offers }, { contact.country: { exists: true } } ] }\n".to_owned(),
        ),
    ];
    for event in ["cart_updated", "order_completed", "survey_wanted"] {
        files.push((format!("schemas/events/{event}.schema.json"), EVENT.to_owned()));
    }
    for number in 0..workflows {
        files.push((format!("workflows/w{number}.yaml"), workflow(number)));
        files.push((format!("templates/reminder-{number}.html.hbs"), template(number)));
    }
    files
}

fn write(root: &Path, files: &[(String, String)]) {
    for (path, text) in files {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The best of several runs, in ms, and what the last gave.
fn best<T>(runs: usize, mut work: impl FnMut() -> T) -> (f64, T) {
    let mut least = f64::INFINITY;
    let mut last = None;
    for _ in 0..runs {
        let began = Instant::now();
        let given = work();
        least = least.min(began.elapsed().as_secs_f64() * 1_000.0);
        last = Some(given);
    }
    (least, last.unwrap())
}

/// The most memory that this process ever held, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn large(workflows: usize) {
    let folder = tempfile::tempdir().unwrap();
    let files = project(workflows);
    write(folder.path(), &files);
    let lines = workflow(0).lines().count();
    let (reading, read) = best(5, || ProjectFiles::read(folder.path()).unwrap());
    let (compiling, compiled) = best(5, || compile(&read));
    let said = render::short(&compiled.diagnostics);
    assert!(compiled.catalog.is_some() && said.is_empty(), "{said}");
    println!("{workflows} workflows of {lines} lines with {workflows} templates: read {reading:.0} ms, check {compiling:.0} ms");
    println!("  together {:.0} ms (wanted: 300), {:.2} of it", reading + compiling, (reading + compiling) / 300.0);
}

fn one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &project(1));
    let first = Instant::now();
    compile(&ProjectFiles::read(folder.path()).unwrap());
    let first = first.elapsed().as_secs_f64() * 1_000.0;
    let (again, _) = best(20, || compile(&ProjectFiles::read(folder.path()).unwrap()));
    println!("one workflow with its template: {first:.1} ms in a new process (wanted: 15), then {again:.2} ms");
}

/// One project, as `campaignd validate` would check and show it.
fn given(folder: &Path) {
    let began = Instant::now();
    let files = ProjectFiles::read_with_tests(folder).unwrap();
    let read = began.elapsed().as_secs_f64();
    let compiled = compile(&files);
    let checked = began.elapsed().as_secs_f64();
    let shown = render::human(&compiled.diagnostics, &files, false);
    println!(
        "{}: read {read:.2} s, checked after {checked:.2} s, {} diagnostics shown after {:.2} s ({} KB), peak {} MiB",
        folder.display(),
        compiled.diagnostics.len(),
        began.elapsed().as_secs_f64(),
        shown.len() / 1_000,
        peak()
    );
    println!("{}", shown.lines().next().unwrap_or_default());
}

fn main() {
    if let Some(folder) = std::env::args().skip(1).find(|argument| Path::new(argument).is_dir()) {
        return given(Path::new(&folder));
    }
    // `cargo bench` hands its own flags on.
    let workflows = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    one();
    large(workflows);
    let before = peak();
    println!("peak {before} MiB so far");
    for (name, files) in hostile::projects() {
        let size: usize = files.iter().map(|(_, text)| text.len()).sum();
        let files = ProjectFiles::from_texts(files);
        let began = Instant::now();
        let compiled = compile(&files);
        let checked = began.elapsed().as_secs_f64();
        let said = render::human(&compiled.diagnostics, &files, false).len() + render::short(&compiled.diagnostics).len();
        println!(
            "{name}: {:.1} MB, {} diagnostics ({} KB): {checked:.2} s, shown after {:.2} s (wanted: 2), peak {} MiB (wanted: 500)",
            size as f64 / 1e6,
            compiled.diagnostics.len(),
            said / 1_000,
            began.elapsed().as_secs_f64(),
            peak()
        );
    }
}
