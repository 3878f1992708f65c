//! `validate` over a large project, over one file, and over files that were made to be slow: how long the checker takes, and how much memory.
//!
//!     cargo bench -p dsl --bench validate -- [WORKFLOWS | FOLDER] [hostile [NAME]]
//!
//! WORKFLOWS (1,000) of 64 lines, each with a template of its own, are read from a folder and checked with all rules: with a plain layout, and with one
//! whose styles go to each template's elements. With `hostile`, projects of 10 MB as well that were made to be slow, or
//! those of them whose names hold NAME. Of FOLDER, the project in there is checked once.
//!
//! Of these environment variables, each names a program that is run on the same files, as a process of its own: `CAMPAIGND` (the runner, which checks the
//! whole project), `AJV` (ajv-cli's dist/index.js, run by `node`) and `CHECK_JSONSCHEMA`. The latter two check the workflows' structure alone, by our schema.

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
use std::process::{Command, Stdio};
use std::time::Instant;

use dsl::{ProjectFiles, compile, diagnose, render, schema};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
const PLAIN: &str = "<!doctype html><html><head><title>{{subject}}</title></head><body>{{> head}}{{{body}}}\
    <p><a href=\"{{unsubscribe_url}}\">Unsubscribe</a></p></body></html>\n";

const STYLED: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{{subject}}</title><style>\n\
    body { margin: 0; font: 16px/1.5 sans-serif } h1, h2 { font-size: 24px; color: #222 } p { line-height: 1.6; color: #333 }\n\
    a { color: #06c } .button { background: #06c; padding: 12px } .small p, .small a { font-size: 12px; color: #666 } a:hover { color: red }\n\
    @media (max-width: 600px) { h1 { font-size: 20px !important } .card { padding: 16px !important } }\n\
    @media (prefers-color-scheme: dark) { .page { background: #111 !important } .card p { color: #eee !important } }\n\
    </style></head><body class=\"page\">{{#if preheader}}<div style=\"display:none\">{{preheader}}</div>{{/if}}\n\
    <table role=\"presentation\" width=\"100%\"><tr><td class=\"card\" style=\"padding: 24px\">{{> head}}{{{body}}}</td></tr>\n\
    <tr><td class=\"small\"><p>You get this mail because you asked for it. <a href=\"{{unsubscribe_url}}\">Unsubscribe</a></p></td></tr></table>\n\
    </body></html>\n";

/// A workflow of 64 lines: conditions, waits, an experiment, a repeat, a branch.
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
              - send: {{ subject: '{{{{default contact.first_name "You"}}}}, still there?', text: "It is still there: {{{{event.item}}}}" }}
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

fn project(workflows: usize, layout: &str) -> Vec<(String, String)> {
    let mut files = vec![
        ("campaignd.yaml".to_owned(), SETTINGS.to_owned()),
        ("schemas/contact.schema.json".to_owned(), CONTACT.to_owned()),
        ("templates/layouts/plain.html.hbs".to_owned(), layout.to_owned()),
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

/// The best of several runs: in ms, and the processor time of it, in ms.
fn best(runs: usize, mut work: impl FnMut()) -> (f64, f64) {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..runs {
        let (began, before) = (Instant::now(), cpu());
        work();
        least = (least.0.min(began.elapsed().as_secs_f64() * 1_000.0), least.1.min(cpu() - before));
    }
    least
}

/// The processor time of this process and those it has waited for, in ms; the system counts in steps of 10.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() * 10.0
}

/// The most memory that this process ever held, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn large(workflows: usize, name: &str, layout: &str) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &project(workflows, layout));
    let lines = workflow(0).lines().count();
    let read = ProjectFiles::read(folder.path()).unwrap();
    let compiled = compile(&read);
    assert!(compiled.catalog.is_some(), "{}", render::short(&compiled.diagnostics));
    let said = diagnose(&read).len();
    let reading = best(5, || drop(ProjectFiles::read(folder.path()).unwrap()));
    let checking = best(5, || drop(diagnose(&read)));
    let compiling = best(5, || drop(compile(&read)));
    println!("{workflows} workflows of {lines} lines with {workflows} templates, {name} ({said} warnings):");
    println!("  read {:.0} ms, check {:.0} ms (CPU {:.0} and {:.0} ms)", reading.0, checking.0, reading.1, checking.1);
    println!("  together {:.0} ms (wanted: 300); compiled to be run: {:.0} ms", reading.0 + checking.0, compiling.0);
    peers(folder.path(), workflows);
}

fn one() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &project(1, STYLED));
    let check = || drop(diagnose(&ProjectFiles::read(folder.path()).unwrap()));
    let (first, _) = best(1, check);
    let (again, _) = best(20, check);
    println!("one workflow with its template: {first:.1} ms in a new process (wanted: 15), then {again:.2} ms");
    peers(folder.path(), 1);
}

/// Other programs on the same files.
fn peers(root: &Path, workflows: usize) {
    let schema_file = root.join("workflow.json");
    std::fs::write(&schema_file, schema::workflow().to_string()).unwrap();
    let files: Vec<_> = (0..workflows).map(|number| root.join(format!("workflows/w{number}.yaml"))).collect();
    let mut ours = None;
    let mut run = |name: &str, command: &mut Command| {
        let (wall, cpu) = best(3, || {
            let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
            assert!(done.success(), "{name}: {done}");
        });
        let ours = *ours.get_or_insert(wall);
        println!("  {name}: {wall:.0} ms (CPU {cpu:.0} ms), {:.1} times the first", wall / ours);
    };
    if let Ok(program) = std::env::var("CAMPAIGND") {
        run("campaignd validate", Command::new(program).arg("validate").arg(root));
    }
    if let Ok(program) = std::env::var("AJV") {
        let options = ["validate", "--spec=draft2020", "--strict=false", "-s"];
        let pattern = root.join("workflows/w*.yaml");
        run(
            "ajv-cli, the structure alone",
            Command::new("node").arg(program).args(options).arg(&schema_file).arg("-d").arg(pattern),
        );
    }
    if let Ok(program) = std::env::var("CHECK_JSONSCHEMA") {
        run("check-jsonschema, the structure alone", Command::new(program).arg("--schemafile").arg(&schema_file).args(&files));
    }
}

fn slow(only: &str) {
    for (name, files) in hostile::projects().into_iter().filter(|(name, _)| name.contains(only)) {
        let size: usize = files.iter().map(|(_, text)| text.len()).sum();
        let files = ProjectFiles::from_texts(files);
        let (began, before) = (Instant::now(), cpu());
        let diagnostics = diagnose(&files);
        let checked = began.elapsed().as_secs_f64();
        let said = render::human(&diagnostics, &files, false).len() + render::short(&diagnostics).len();
        println!(
            "{name}: {:.1} MB, {} diagnostics ({} KB): {checked:.2} s, shown after {:.2} s (wanted: 2; CPU {:.2} s), peak {} MiB (wanted: 500)",
            size as f64 / 1e6,
            diagnostics.len(),
            said / 1_000,
            began.elapsed().as_secs_f64(),
            (cpu() - before) / 1_000.0,
            peak()
        );
    }
}

/// One project, as `campaignd validate` would check and show it.
fn given(folder: &Path) {
    let (began, before) = (Instant::now(), cpu());
    let files = ProjectFiles::read_with_tests(folder).unwrap();
    let diagnostics = diagnose(&files);
    let checked = began.elapsed().as_secs_f64();
    let shown = render::human(&diagnostics, &files, false);
    println!(
        "{}: {} diagnostics ({} KB): {checked:.2} s, shown after {:.2} s (CPU {:.2} s), peak {} MiB; {}",
        folder.display(),
        diagnostics.len(),
        shown.len() / 1_000,
        began.elapsed().as_secs_f64(),
        (cpu() - before) / 1_000.0,
        peak(),
        shown.lines().next().unwrap_or_default()
    );
}

fn main() {
    // `cargo bench` hands its own flags on.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let Some(folder) = arguments.iter().find(|argument| Path::new(argument).is_dir()) {
        return given(Path::new(folder));
    }
    let workflows = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000);
    one();
    large(workflows, "a plain layout", PLAIN);
    large(workflows, "a layout with styles", STYLED);
    println!("peak {} MiB so far", peak());
    if let Some(at) = arguments.iter().position(|argument| argument == "hostile") {
        slow(arguments.get(at + 1).map_or("", String::as_str));
    }
}
