//! Messages as they were when somebody last looked at them: tests/snapshots/FILE/NAME.txt.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::rehearsal::Line;

/// Where they are, relative to the project.
const FOLDER: &str = "tests/snapshots";
const ENDING: &str = "txt";
/// How deep folders may nest.
const DEEPEST: usize = 32;

#[derive(Debug, thiserror::Error)]
#[error("the snapshot {path} cannot be {doing}: {source}")]
pub struct SnapshotError {
    path: String,
    doing: &'static str,
    source: io::Error,
}

/// The snapshots of a project.
pub struct Snapshots {
    root: PathBuf,
    /// The public base of links: what follows it is different for each message.
    base: String,
    /// Write what is new or different.
    update: bool,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    used: BTreeSet<String>,
    written: BTreeSet<String>,
    failed: Option<SnapshotError>,
}

impl Snapshots {
    /// `base`: the public base of links, where there is one.
    pub fn new(root: &Path, base: Option<&str>, update: bool) -> Snapshots {
        let base = base.unwrap_or_default().trim_end_matches('/').to_owned();
        Snapshots { root: root.to_owned(), base, update, noted: Mutex::default() }
    }

    /// What is different from the snapshot, in words; nothing, once it is written.
    pub(super) fn compare(&self, file: &str, name: &str, line: &Line) -> Option<String> {
        let stem = file.strip_prefix("tests/").unwrap_or(file);
        let stem = [".test.yaml", ".test.yml"].iter().find_map(|ending| stem.strip_suffix(ending)).unwrap_or(stem);
        let path = format!("{FOLDER}/{stem}/{name}.{ENDING}");
        let now = self.text(line);
        let was = match fs::read_to_string(self.root.join(&path)) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Some(format!("the snapshot {path} cannot be read: {error}")),
        };
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.used.insert(path.clone());
        if was.as_deref() == Some(&now) {
            return None;
        }
        if !self.update {
            return Some(match was {
                None => {
                    format!("there is no snapshot {path} yet: look at the message, then write it with `campaignd test --update`")
                }
                Some(was) => {
                    let (number, before, after) = first_difference(&was, &now);
                    format!(
                        "it is not as in {path}: line {number} was “{before}” and is “{after}”; if that is meant, `campaignd test --update`"
                    )
                }
            });
        }
        match write(&self.root.join(&path), &now) {
            Ok(()) => {
                noted.written.insert(path);
                None
            }
            Err(source) => {
                let problem = SnapshotError { path, doing: "written", source };
                let words = problem.to_string();
                noted.failed.get_or_insert(problem);
                Some(words)
            }
        }
    }

    /// The paths of those that were written, in order.
    ///
    /// # Errors
    /// When one could not be written.
    pub fn written(&self) -> Result<Vec<String>, SnapshotError> {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        match noted.failed.take() {
            Some(failed) => Err(failed),
            None => Ok(noted.written.iter().cloned().collect()),
        }
    }

    /// The paths of those that no test looked at, in order.
    pub fn stale(&self) -> Vec<String> {
        let mut all = BTreeSet::new();
        walk(&self.root.join(FOLDER), FOLDER, 0, &mut all);
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        all.difference(&noted.used).cloned().collect()
    }

    /// The message as text. What is different each time a workflow changes somewhere else, the tokens in links, is left out.
    fn text(&self, line: &Line) -> String {
        let sent = line.sent.as_ref();
        let head = [
            ("Channel", sent.map(|sent| sent.channel.as_str())),
            ("To", sent.and_then(|sent| sent.to.as_deref())),
            ("Subject", sent.and_then(|sent| sent.subject.as_deref())),
        ];
        let mut text = String::new();
        for (name, value) in head {
            if let Some(value) = value {
                text.push_str(&format!("{name}: {value}\n"));
            }
        }
        for (name, part) in [("text", &line.text), ("html", &line.html)] {
            if let Some(part) = part {
                let part = part.replace("\r\n", "\n");
                text.push_str(&format!("\n--- {name}\n{}\n", self.without_tokens(part.trim_end())));
            }
        }
        text
    }

    fn without_tokens(&self, text: &str) -> String {
        let mut rest = text;
        let mut clean = String::with_capacity(text.len());
        const OWN: [&str; 5] = ["/u/", "/preferences/", "/confirm/", "/c/", "/o/"];
        while let Some(start) = OWN
            .iter()
            .filter_map(|own| {
                let needle = format!("{}{own}", self.base);
                rest.find(&needle).map(|at| at + needle.len())
            })
            .min()
        {
            let (before, after) = rest.split_at(start);
            clean.push_str(before);
            clean.push_str("TOKEN");
            let end = after.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(after.len());
            rest = &after[end..];
        }
        clean.push_str(rest);
        clean
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// The number of the first line that differs, from 1, and the line on both sides.
fn first_difference<'t>(was: &'t str, now: &'t str) -> (usize, &'t str, &'t str) {
    let (mut before, mut after) = (was.lines(), now.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (before.next(), after.next()) {
            (None, None) => return (number, "", ""),
            (a, b) if a == b => {}
            (a, b) => return (number, shortened(a.unwrap_or_default()), shortened(b.unwrap_or_default())),
        }
    }
}

fn shortened(line: &str) -> &str {
    line.char_indices().nth(120).map_or(line, |(end, _)| &line[..end])
}

fn walk(folder: &Path, relative: &str, depth: usize, found: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{relative}/{name}");
        let kind = entry.file_type();
        if kind.as_ref().is_ok_and(fs::FileType::is_dir) && depth < DEEPEST {
            walk(&entry.path(), &path, depth + 1, found);
        } else if name.ends_with(&format!(".{ENDING}")) && !name.starts_with('.') {
            found.insert(path);
        }
    }
}
