//! What a file says does not depend on how YAML lets somebody spell it: the same names are found.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use saphyr_parser::{Event, Parser, ScalarStyle};

use super::*;

/// Every name of a file, `=` before definitions, with what it belongs to.
fn names(path: &str, text: &str) -> Vec<String> {
    let index = FileIndex::read(path, text);
    assert!(index.whole, "{path} cannot be read:\n{text}");
    let told = |found: &Occurrence| {
        let sign = if found.definition.is_some() { "=" } else { "" };
        format!("{sign}{:?} {} of {}", found.kind, found.name, found.of.join("+"))
    };
    let mut names: Vec<String> = index.occurrences.iter().map(told).collect();
    names.sort();
    names
}

/// A scalar that may be spelt otherwise: its characters, and what it is in.
struct Scalar {
    start: usize,
    text: String,
    key: bool,
    /// Something else stands on its line behind it, or a bracket is open around it.
    inline: bool,
}

/// The plain texts of a file.
fn scalars(text: &str) -> Vec<Scalar> {
    let characters: Vec<char> = text.chars().collect();
    let mut open: Vec<(bool, bool, usize)> = Vec::new();
    let mut found = Vec::new();
    for item in Parser::new_from_str(text) {
        let (event, span) = item.unwrap();
        let at = span.start.index();
        if let (Event::Scalar(..) | Event::Alias(_) | Event::SequenceStart(..) | Event::MappingStart(..), Some(top)) =
            (&event, open.last_mut())
        {
            top.2 += 1;
        }
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let flow = matches!(characters.get(at), Some('{' | '[')) || open.last().is_some_and(|top| top.1);
                open.push((matches!(event, Event::MappingStart(..)), flow, 0));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                open.pop();
            }
            Event::Scalar(value, ScalarStyle::Plain, ..) => {
                let (mapping, flow, nth) = open.last().copied().unwrap_or_default();
                let spelt: String = characters[at..].iter().take(value.chars().count()).collect();
                let behind = &characters[at + value.chars().count()..];
                let more = behind.iter().take_while(|c| **c != '\n').any(|c| !c.is_whitespace());
                let is_text = matches!(serde_yaml::from_str(&value), Ok(serde_json::Value::String(read)) if read == value);
                if spelt == *value && is_text {
                    found.push(Scalar { start: at, text: spelt, key: mapping && nth % 2 == 1, inline: flow || more });
                }
            }
            _ => {}
        }
    }
    found
}

/// The spelling of one text with this number.
fn spelling(scalar: &Scalar, number: u8, nth: usize) -> String {
    let text = &scalar.text;
    let margin = " ".repeat(60);
    let mut characters = text.chars();
    let first = characters.next().map_or(0, u32::from);
    let escaped = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c => c.to_string(),
    };
    let double: String = text.chars().map(escaped).collect();
    match number {
        1 => format!("\"{double}\""),
        2 => format!("'{}'", text.replace('\'', "''")),
        3 => format!("\"\\u{first:04x}{}\"", characters.map(escaped).collect::<String>()),
        4 if !scalar.key => format!("\n{margin}{text}"),
        5 if !scalar.key => format!("&a{nth} {text}"),
        6 if !scalar.key => format!("&a{nth} \"{double}\""),
        7 if !scalar.key && !text.contains(['"', '\\', ' ']) => {
            let (one, other) = text.split_at(text.ceil_char_boundary(text.len() / 2));
            format!("\"{one}\\\n{margin}{other}\"")
        }
        8 if !scalar.key && !scalar.inline => format!(">-\n{margin}{text}"),
        9 if !scalar.key && !scalar.inline => format!("|-\n{margin}{text}"),
        _ => text.clone(),
    }
}

fn respelt(text: &str, numbers: &[u8]) -> String {
    let mut out = String::new();
    let characters: Vec<char> = text.chars().collect();
    let mut done = 0;
    for (nth, scalar) in scalars(text).iter().enumerate() {
        out.extend(&characters[done..scalar.start]);
        out.push_str(&spelling(scalar, numbers[nth % numbers.len()], nth));
        done = scalar.start + scalar.text.chars().count();
    }
    out.extend(&characters[done..]);
    out
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The shipped files, by their paths.
fn shipped() -> Vec<(String, String)> {
    let files = ProjectFiles::read_for_editors(&root()).unwrap();
    let is_yaml = |path: &&str| Form::of(path).is_some();
    files.paths_with_tests().filter(is_yaml).map(|path| (path.to_owned(), files.text(path).unwrap().to_owned())).collect()
}

/// The examples in the documents, each as the file that it belongs into.
fn documented() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "md") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for block in text.split("\n```yaml\n").skip(1) {
            let block = block.split("\n```").next().unwrap_or_default();
            let has = |key: &str| block.lines().any(|line| line.starts_with(key));
            let (path, text) = match block {
                _ if has("tests:") => ("tests/a.test.yaml", block.to_owned()),
                _ if has("audience: ") && has("contacts:") => ("tests/a.yaml", block.to_owned()),
                _ if has("project:") || has("channels:") || has("topics:") => ("campaignd.yaml", block.to_owned()),
                _ if block.starts_with("- ") => ("workflows/a.yaml", format!("workflow: a\nsteps:\n{block}")),
                _ => ("workflows/a.yaml", block.to_owned()),
            };
            found.push((path.to_owned(), format!("{text}\n")));
        }
    }
    assert!(found.len() > 10, "{}", found.len());
    found
}

#[track_caller]
fn check(path: &str, text: &str, respelt: &str) {
    assert_eq!(names(path, respelt), names(path, text), "{path}:\n{respelt}");
}

#[test]
fn every_spelling_of_every_text() {
    let files: Vec<(String, String)> = shipped().into_iter().chain(documented()).collect();
    assert!(files.iter().map(|(path, text)| names(path, text).len()).sum::<usize>() > 500);
    for (path, text) in &files {
        for number in 1..=9 {
            check(path, text, &respelt(text, &[number]));
        }
        check(path, text, &text.replace('\n', "\r\n"));
        check(path, text, &format!("\u{feff}{text}"));
    }
}

#[test]
fn the_same_as_json() {
    for (path, text) in shipped().into_iter().chain(documented()) {
        let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
        check(&path, &text, &value.to_string());
        check(&path, &text, &format!("{value:#}"));
    }
}

#[test]
fn behind_aliases() {
    let plain =
        "workflow: a\naudience: { segment: s }\nexit_when: { segment: s }\ngoal: { any: [{ contact.x: y }, { contact.x: y }] }\n";
    let texts = "workflow: a\naudience: { segment: &s s }\nexit_when: { segment: *s }\ngoal: { any: [{ contact.x: y }, { contact.x: y }] }\n";
    let parts = "workflow: a\naudience: &c { segment: s }\nexit_when: *c\ngoal: { any: [&g { contact.x: y }, *g] }\n";
    check("workflows/a.yaml", plain, texts);
    check("workflows/a.yaml", plain, parts);
    let index = FileIndex::read("workflows/a.yaml", texts);
    let places: Vec<_> = index.occurrences.iter().filter(|found| found.kind == Kind::Segment).collect();
    assert_eq!((places[0].at.line, places[0].at.column, places[0].spelt.clone()), (2, 25, None));
    assert_eq!((places[1].at.line, places[1].at.column, places[1].at.end_column), (3, 23, 25));
    assert_eq!(places[1].written(), Some(&places[0].at));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the texts of a file are spelt, mixed.
    #[test]
    fn any_mixture_of_spellings(numbers in proptest::collection::vec(0u8..10, 1..40), pick in any::<prop::sample::Index>()) {
        let files = shipped();
        let (path, text) = pick.get(&files);
        check(path, text, &respelt(text, &numbers));
    }
}
