//! What an edit changes, by what it means and not by line: workflows step by step, messages part by part, settings key by key.

mod steps;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Definition, Settings, TemplateSource};
use crate::words::{self, Field};

pub use text::{Line, lines};

/// One change, in the language's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The step it is about; `None`: the whole.
    pub step: Option<String>,
    pub what: What,
    /// The key whose value is another; `None`: it is about the step as such.
    pub key: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Added,
    Removed,
    Changed,
    /// The step stands elsewhere.
    Moved,
    /// The step has another id, and `moved` says so.
    Renamed,
}

/// A part of a message that is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChange {
    /// `subject`, `html`, `text`, `de: subject`, …
    pub part: String,
    /// What goes and what comes.
    pub lines: Vec<Line>,
}

/// What is another in the workflow: what it says itself, then its steps. Messages and shared segments are compared on their own.
pub fn workflows(old: &Definition, new: &Definition) -> Vec<Change> {
    let mut changes = fields(None, &words::workflow(&old.workflow), &words::workflow(&new.workflow));
    changes.extend(steps::steps(old, new));
    changes
}

/// What is another in the settings, of what bears on who gets what and when.
pub fn settings(old: &Settings, new: &Settings) -> Vec<Change> {
    fields(None, &words::settings(old), &words::settings(new))
}

/// Values that came, went, or are others. A key that stands several times is compared in order.
fn fields(step: Option<&str>, old: &[Field], new: &[Field]) -> Vec<Change> {
    let (old, new) = (by_key(old), by_key(new));
    let change = |key: &(&str, usize), what: What, from: Option<&str>, to: Option<&str>| Change {
        step: step.map(str::to_owned),
        what,
        key: Some(key.0.to_owned()),
        from: from.map(str::to_owned),
        to: to.map(str::to_owned),
    };
    let mut changes = Vec::new();
    for (key, to) in &new {
        match old.iter().find(|(other, _)| other == key) {
            None => changes.push(change(key, What::Added, None, Some(to))),
            Some((_, from)) if from != to => changes.push(change(key, What::Changed, Some(from), Some(to))),
            Some(_) => {}
        }
    }
    for (key, from) in &old {
        if !new.iter().any(|(other, _)| other == key) {
            changes.push(change(key, What::Removed, Some(from), None));
        }
    }
    changes
}

/// Values with their key and how often that stood there before.
fn by_key(fields: &[Field]) -> Vec<((&str, usize), &str)> {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keyed = Vec::new();
    for field in fields {
        let number = met.entry(&field.key).or_default();
        keyed.push(((field.key.as_str(), *number), field.value.as_str()));
        *number += 1;
    }
    keyed
}

/// What is another in a message.
pub fn messages(old: &TemplateSource, new: &TemplateSource) -> Vec<PartChange> {
    let (old, new) = (parts(old), parts(new));
    let empty = String::new();
    let mut names: Vec<&String> = new.iter().map(|(name, _)| name).collect();
    names.extend(old.iter().map(|(name, _)| name).filter(|name| !new.iter().any(|(other, _)| other == *name)));
    let text = |parts: &'_ [(String, String)], name: &String| -> String {
        parts.iter().find(|(other, _)| other == name).map_or(&empty, |(_, text)| text).clone()
    };
    let changed = names.into_iter().filter_map(|name| {
        let lines = lines(&text(&old, name), &text(&new, name));
        (!lines.is_empty()).then(|| PartChange { part: name.clone(), lines })
    });
    changed.collect()
}

fn parts(message: &TemplateSource) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: Option<String>| parts.extend(text.map(|text| (name.to_owned(), text)));
    let part = |part: &crate::model::Part| {
        part.layout.as_ref().map_or(part.source.clone(), |layout| format!("{layout}\n{}", part.source))
    };
    let files = |files: &[crate::model::Asset]| {
        let files: Vec<String> = files
            .iter()
            .map(|file| format!("{} ({} bytes, {})", file.path, file.size, &file.sha256[..12.min(file.sha256.len())]))
            .collect();
        (!files.is_empty()).then(|| files.join("\n"))
    };
    add("channel", message.channel.clone());
    add("topic", message.topic.clone());
    add("subject", message.subject.clone());
    add("preheader", message.preheader.clone());
    add("text", message.text.as_ref().map(part));
    add("html", message.html.as_ref().map(part));
    message.bodies.iter().for_each(|(channel, body)| add(channel, Some(body.clone())));
    add("attachments", files(&message.attachments));
    add("images", files(&message.images));
    let utm: Vec<String> = message.utm.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    add("utm", (!utm.is_empty()).then(|| utm.join("\n")));
    for (locale, variant) in &message.locales {
        let name = |what: &str| format!("{locale}: {what}");
        add(&name("subject"), variant.subject.clone());
        add(&name("preheader"), variant.preheader.clone());
        add(&name("text"), variant.text.as_ref().map(part));
        add(&name("html"), variant.html.as_ref().map(part));
        variant.bodies.iter().for_each(|(channel, body)| add(&name(channel), Some(body.clone())));
        add(&name("attachments"), files(&variant.attachments));
        add(&name("images"), files(&variant.images));
    }
    parts
}
