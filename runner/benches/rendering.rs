//! How many messages a second one core makes of a template of 8 KiB with a loop in it. `cargo bench --bench rendering`
//!
//! Printed: messages and MiB a second, with a text part of its own and with one made from the HTML.

#![allow(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use dsl::{ProjectFiles, compile};
use runner::render::{Addressee, Templates};
use serde_json::{Value, json};

const MESSAGES: u32 = 20_000;

fn main() -> ExitCode {
    for (name, text) in [
        ("with its text part", Some("Hi {{contact.first_name}}\n{{#each event.items}}{{name}}\n{{/each}}")),
        ("text made of HTML", None),
    ] {
        match rate(text) {
            Ok((messages, mebibytes, size)) => {
                println!("{name:20} {messages:9.0} messages/s  {mebibytes:7.1} MiB/s  ({size} bytes each)")
            }
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn project(text: Option<&str>) -> ProjectFiles {
    let row = "<tr><td style=\"padding:8px;border-bottom:1px solid #ddd\">{{name}}</td><td>{{number quantity}}</td><td>{{money price \"EUR\"}}</td></tr>";
    let filler = "<p style=\"margin:0 0 16px;font-family:sans-serif;font-size:16px;line-height:24px\">All that you need to know stands here, and a bit more so that it is long enough.</p>\n";
    let html = format!(
        "---\nsubject: \"{{{{contact.first_name}}}}, your order\"\n---\n<html><body><p>Hi {{{{default contact.first_name \"there\"}}}},</p><table>{{{{#each event.items}}}}{row}{{{{/each}}}}</table>{}<a href=\"{{{{unsubscribe_url}}}}\">Unsubscribe</a></body></html>",
        filler.repeat(44)
    );
    let mut files = vec![
        ("campaignd.yaml".to_owned(), "project: bench\ncontract: open\n".to_owned()),
        (
            "workflows/w.yaml".to_owned(),
            "workflow: w\ntrigger: { event: ordered }\nsteps:\n  - send: m\n    transactional: true\n".to_owned(),
        ),
        ("templates/m.html.hbs".to_owned(), html),
    ];
    files.extend(text.map(|text| ("templates/m.txt.hbs".to_owned(), text.to_owned())));
    ProjectFiles::from_texts(files)
}

fn rate(text: Option<&str>) -> Result<(f64, f64, usize), String> {
    let compiled = compile(&project(text));
    let catalog = compiled.catalog.ok_or_else(|| format!("{:?}", compiled.diagnostics))?;
    let entry = catalog.workflows.get("w").ok_or("no workflow")?;
    let templates = Templates::compile(&entry.definition).map_err(|error| error.to_string())?;
    let items: Vec<Value> = (1..=10)
        .map(|number| json!({ "name": format!("Thing {number}"), "quantity": number, "price": f64::from(number) * 9.99 }))
        .collect();
    let data = json!({
        "contact": { "first_name": "Ada", "email": "ada@example.com", "country": "DE" },
        "event": { "items": items },
        "unsubscribe_url": "https://mail.shop.example/u/abc",
    });
    let to = Addressee { locale: Some("de"), ..Addressee::default() };
    let mut bytes = 0;
    let mut sizes = BTreeMap::new();
    let began = Instant::now();
    for _ in 0..MESSAGES {
        let rendered = templates.render("m", &data, &to).map_err(|error| error.to_string())?;
        let size = rendered.html.as_ref().map_or(0, String::len);
        bytes += size;
        *sizes.entry(size).or_insert(0) += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    let size = sizes.keys().next().copied().unwrap_or_default();
    Ok((f64::from(MESSAGES) / seconds, bytes as f64 / 1024.0 / 1024.0 / seconds, size))
}
