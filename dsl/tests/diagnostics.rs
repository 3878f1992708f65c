//! Every diagnostic on a project that has it and one that has it no longer: what people are shown, to the letter, and that the
//! documentation's examples do what it says of them.
//!
//! Each file under tests/diagnostics/ is of one code: a wrong project, a right one, and what is shown of the wrong one. With
//! `UPDATE_FIXTURES=1` in the environment what is shown is written anew; look at the difference before you keep it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop where it stands")]
#![allow(clippy::disallowed_methods, reason = "whether the fixtures are rewritten is asked for in the environment")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dsl::explain::{self, Explanation};
use dsl::{Compiled, ProjectFiles, compile, render};

/// Codes that need more than texts: what is no UTF-8, too large, a link or a pipe; and what only the runner finds.
const NO_TEXTS: [&str; 9] = [
    "not-utf8",
    "file-too-large",
    "project-too-large",
    "workflow-too-large",
    "link-out-of-project",
    "unreadable",
    "not-loadable",
    "template-too-large",
    "message-too-large",
];

/// What every fixture has beside its own files, unless it has a file of this name.
const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ntopics:\n  offers: { title: Offers, default: subscribed }\n  news: { title: News, default: subscribed }\nrules: { unused-template: off, unused-segment: off }\n";
const TEMPLATES: [&str; 11] =
    ["welcome", "sale", "reminder", "hello", "guide", "goodbye", "question", "plain", "survey", "good-morning", "last-chance"];
const MESSAGE: &str = "---\nsubject: Hello\n---\n<p>Hello</p>\n<p><a href=\"{{unsubscribe_url}}\">No more</a></p>\n";

/// A wrong and a right project, and what is shown of the wrong one.
#[derive(Default)]
struct Fixture {
    wrong: BTreeMap<String, String>,
    right: BTreeMap<String, String>,
    shown: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

/// `==> wrong`, `==> right` and `==> shown` begin a part, `--> PATH` a file in it.
fn read(text: &str) -> Fixture {
    let mut fixture = Fixture::default();
    let mut part = "";
    let mut path = String::new();
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("==> ") {
            part = name.trim_end();
            path.clear();
            continue;
        }
        if part == "shown" {
            fixture.shown.push_str(line);
            continue;
        }
        let files = if part == "wrong" { &mut fixture.wrong } else { &mut fixture.right };
        match line.strip_prefix("--> ") {
            Some(name) => {
                path = name.trim_end().to_owned();
                files.insert(path.clone(), String::new());
            }
            None => files.entry(path.clone()).or_default().push_str(line),
        }
    }
    fixture
}

fn project(own: &BTreeMap<String, String>) -> ProjectFiles {
    let has_own = |name: &&&str| own.keys().any(|path| path.starts_with(&format!("templates/{name}.")));
    let templates = TEMPLATES.iter().filter(|name| !has_own(name));
    let mut files: BTreeMap<String, String> =
        templates.map(|name| (format!("templates/{name}.html.hbs"), MESSAGE.to_owned())).collect();
    files.insert("campaignd.yaml".to_owned(), SETTINGS.to_owned());
    let (assets, texts): (Vec<_>, Vec<_>) = own.iter().partition(|(path, _)| path.ends_with(".png") || path.ends_with(".pdf"));
    files.extend(texts.into_iter().map(|(path, text)| (path.clone(), text.clone())));
    let files = ProjectFiles::from_texts(files);
    assets.into_iter().fold(files, |files, (path, text)| {
        // `SIZE bytes`: as many of them.
        let size = text.trim().strip_suffix(" bytes").and_then(|size| size.parse().ok()).unwrap_or(1);
        files.with_asset(path.clone(), &vec![b'x'; size])
    })
}

fn shown(compiled: &Compiled, files: &ProjectFiles) -> String {
    render::short(&compiled.diagnostics) + "\n" + &render::human(&compiled.diagnostics, files, false)
}

fn has(compiled: &Compiled, code: &str) -> bool {
    compiled.diagnostics.iter().any(|diagnostic| diagnostic.code == code)
}

/// Everything that is wrong with one fixture.
fn check(code: &str, update: bool) -> Vec<String> {
    let path = folder().join(format!("{code}.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let fixture = read(&text);
    let files = project(&fixture.wrong);
    let compiled = compile(&files);
    let mut wrong = Vec::new();
    let weight = explain::explain(code).map(|explanation| explanation.weight.severity());
    if !compiled.diagnostics.iter().any(|diagnostic| diagnostic.code == code && Some(diagnostic.severity) == weight) {
        wrong.push(format!("{code}: the wrong project does not have it\n{}", render::short(&compiled.diagnostics)));
    }
    let shown = shown(&compiled, &files);
    if update && shown != fixture.shown {
        let before = text.split("==> shown\n").next().unwrap_or_default();
        std::fs::write(&path, format!("{before}==> shown\n{shown}")).unwrap();
    } else if shown != fixture.shown {
        wrong.push(format!("{code}: shown is\n{shown}"));
    }
    let right = compile(&project(&fixture.right));
    if has(&right, code) || right.catalog.is_none() {
        wrong.push(format!("{code}: the right project is not right\n{}", render::short(&right.diagnostics)));
    }
    wrong
}

#[test]
fn every_code_has_a_fixture() {
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    let codes: BTreeSet<&str> = explain::explanations().iter().map(|explanation| explanation.code).collect();
    let wanted: BTreeSet<&str> = codes.iter().copied().filter(|code| !NO_TEXTS.contains(code)).collect();
    let there: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".txt").to_owned())
        .collect();
    let missing: Vec<&&str> = wanted.iter().filter(|code| !there.contains(**code)).collect();
    assert!(missing.is_empty(), "codes without a fixture: {missing:?}");
    assert!(there.iter().all(|name| wanted.contains(name.as_str())), "fixtures without a code: {there:?}");
    let wrong: Vec<String> = wanted.iter().flat_map(|code| check(code, update)).collect();
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

/// Lines of an example that are to be found in a fixture: without comments, and without what stands for more.
fn lines(blocks: &str) -> Vec<String> {
    let lines = blocks.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    lines.filter(|line| !line.is_empty() && !line.starts_with('#') && !line.contains("...")).map(str::to_owned).collect()
}

/// What stands in the code blocks of a text.
fn blocks(text: &str) -> String {
    let mut inside = false;
    let mut found = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
}

/// The documentation's wrong example is in the wrong project, and its right example in the right one.
#[test]
fn the_documented_examples_are_these() {
    let mut wrong = Vec::new();
    for Explanation { code, text, .. } in explain::explanations().iter().filter(|known| !NO_TEXTS.contains(&known.code)) {
        let fixture = read(&std::fs::read_to_string(folder().join(format!("{code}.txt"))).unwrap_or_default());
        let (example, instead) = text.split_once("Use instead:").unwrap_or_default();
        for (part, files, name) in [(example, &fixture.wrong, "wrong"), (instead, &fixture.right, "right")] {
            let whole: String = files.iter().map(|(path, text)| format!("{path}\n{text}")).collect();
            let missing = lines(&blocks(part)).into_iter().filter(|line| !whole.contains(line.as_str()));
            wrong.extend(missing.map(|line| format!("{code}: the {name} project lacks `{line}`")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What texts cannot show: each file as it must not be.
#[cfg(unix)]
#[test]
fn files_that_are_no_texts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("shop");
    std::fs::create_dir_all(root.join("workflows")).unwrap();
    std::fs::create_dir_all(root.join("templates")).unwrap();
    let write = |path: &str, bytes: &[u8]| std::fs::write(root.join(path), bytes).unwrap();
    write("campaignd.yaml", SETTINGS.as_bytes());
    write("workflows/a.yaml", b"description: Gr\xfc\xdfe\n");
    write("workflows/b.yaml", &vec![b'#'; 1024 * 1024 + 1]);
    write("workflows/x.yaml", b"workflow: x\ntrigger: { manual: true }\ntopic: offers\nsteps:\n  - send: long\n");
    write("templates/novel.html.hbs", format!("---\nsubject: Hello\n---\n{}", "a novel ".repeat(40_000)).as_bytes());
    write("templates/long.html.hbs", format!("{MESSAGE}{}", "<p>fifty of these</p>".repeat(6_000)).as_bytes());
    std::os::unix::fs::symlink("../../shared.yaml", root.join("workflows/c.yaml")).unwrap();
    std::fs::write(folder.path().join("shared.yaml"), "segments: {}\n").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.join("workflows/d.yaml")).unwrap();
    let compiled = compile(&ProjectFiles::read(&root).unwrap());
    assert_eq!(
        render::short(&compiled.diagnostics),
        "templates/long.html.hbs:1:1: warning[message-too-large]: this mail's HTML is 123 KiB long; Gmail shows 102 KiB of it\n\
         templates/novel.html.hbs:4:1: error[template-too-large]: this template is 312 KiB long; at most 256 KiB are read\n\
         workflows/a.yaml:1:1: error[not-utf8]: this file is not UTF-8 text (see line 1)\n\
         workflows/b.yaml:1:1: error[file-too-large]: this file is larger than 1 MiB\n\
         workflows/c.yaml:1:1: error[link-out-of-project]: this is a symbolic link that leads out of the project\n\
         workflows/d.yaml:1:1: error[unreadable]: this file cannot be read: it is not a regular file\n"
    );
}
