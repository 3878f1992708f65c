//! Reading single files: text to tree to shape to written form to model.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::limits::{self, Size};
use crate::check::{SetAside, secret_in_file};
use crate::diagnostic::Diagnostic;
use crate::halves::in_halves_if;
use crate::lower::values::environment_name;
use crate::lower::{Context, SettingsNotes, Unit, lower_file, lower_settings};
use crate::model::Settings;
use crate::place::At;
use crate::project::{ProjectFiles, SETTINGS};
use crate::structure::{self, Form};
use crate::surface::{SettingsFile, WorkflowFile};
use crate::template::Library;
use crate::yaml::{self, Document};

/// What campaignd.yaml gave.
pub(super) struct ReadSettings {
    pub settings: Option<Settings>,
    pub notes: SettingsNotes,
    /// The topics' names, known even where the rest of the file is wrong; `None`: not even those.
    pub topics: Option<BTreeSet<String>>,
}

pub(super) fn settings(files: &ProjectFiles, out: &mut Vec<Diagnostic>) -> ReadSettings {
    let mut read = ReadSettings { settings: None, notes: SettingsNotes::default(), topics: None };
    let text = files.text(SETTINGS).unwrap_or_default();
    let Some(mut document) = document(SETTINGS, text, "the project's settings, beginning with `project: NAME`", out) else {
        return read;
    };
    read.topics = Some(keys(&document.value, "topics"));
    let may_hold_secrets = |pointer: &str| {
        let segments: Vec<&str> = pointer.split('/').skip(1).collect();
        matches!(
            segments.as_slice(),
            ["channels", _, "deliver", ..]
                | ["channels", _, "dkim", "key"]
                | ["channels", _, "dkim", _, "key"]
                | ["http", "keys", _]
                | ["secrets", _]
                | ["bounces", "webhooks", _, "key"]
        )
    };
    environment(&document, text, &may_hold_secrets, out);
    let secrets = secret_in_file::look(&document, text, true);
    let channels = keys(&document.value, "channels");
    if structure::check(&mut document, Form::settings(), out)
        && let Some(file) = typed::<SettingsFile>(&document, out)
    {
        let (settings, notes) = lower_settings(&file, &At::root(&document), out);
        read.settings = Some(settings);
        read.notes = notes;
        // A channel that was set aside is there all the same.
        read.notes.channels.extend(channels);
    }
    read.notes.written_secrets = secrets;
    read
}

/// What the files under workflows/ gave.
#[derive(Default)]
pub(super) struct ReadWorkflows {
    pub units: Vec<Unit>,
    pub set_aside: SetAside,
    /// What each file adds.
    sizes: Vec<(String, Size)>,
    /// There is more than can be looked at; some of it was not read.
    pub too_large: Option<Diagnostic>,
}

/// Of less text than this, in bytes, a second thread costs more than it gives.
const WORTH_A_THREAD: usize = 32 * 1024;

pub(super) fn workflows(files: &ProjectFiles, library: &Library, zone: &str, out: &mut Vec<Diagnostic>) -> ReadWorkflows {
    let files: Vec<(&str, &str)> = files.workflows().collect();
    let worth = files.iter().map(|(_, text)| text.len()).sum::<usize>() > WORTH_A_THREAD;
    let parts = in_halves_if(worth, &files, |files| {
        let mut read = ReadWorkflows::default();
        let mut found = Vec::new();
        let mut size = Size::default();
        for (path, text) in files {
            let units = read.units.len();
            let values = workflow(path, text, library, zone, &mut read, &mut found);
            let mut own = Size::default();
            own.add(values, read.units.get(units));
            size.add(values, read.units.get(units));
            read.sizes.push(((*path).to_owned(), own));
            // Then the whole is too large as well.
            if size.exceeded().is_some() {
                break;
            }
        }
        (read, found)
    });
    let mut whole = ReadWorkflows::default();
    for (read, found) in parts {
        out.extend(found);
        whole.units.extend(read.units);
        whole.set_aside.join(read.set_aside);
        whole.sizes.extend(read.sizes);
    }
    whole.too_large = limits::passed(&whole.sizes);
    whole.set_aside.files |= whole.too_large.is_some();
    whole
}

/// Reads one file, and gives the number of its values.
fn workflow(path: &str, text: &str, library: &Library, zone: &str, read: &mut ReadWorkflows, out: &mut Vec<Diagnostic>) -> usize {
    let before = out.len();
    let Some(mut document) =
        document(path, text, "a workflow, beginning with `workflow: NAME`, or shared `segments` and `traits`", out)
    else {
        read.set_aside.files = true;
        read.set_aside.unread_traits |= text.contains("traits");
        return 0;
    };
    let duplicates = out.len() > before;
    environment(&document, text, &|_| false, out);
    let secrets = secret_in_file::look(&document, text, false);
    let before = out.len();
    let name = document.value.get("workflow").and_then(Value::as_str).map(str::to_owned);
    // A segment or trait that could not be lowered still has its name.
    read.set_aside.segments.extend(keys(&document.value, "segments"));
    read.set_aside.traits.extend(keys(&document.value, "traits"));
    let usable = structure::check(&mut document, Form::workflow(), out);
    let whole = !duplicates && out.len() == before;
    let file = if usable { typed::<WorkflowFile>(&document, out) } else { None };
    match file {
        Some(file) => {
            let mut unit = lower_file(&file, &At::root(&document), &Context { library, zone, whole }, out);
            unit.secrets = secrets;
            if let Some(workflow) = &mut unit.workflow {
                workflow.notes.partial = !whole;
            }
            read.units.push(unit);
        }
        None => read.set_aside.workflows.extend(name),
    }
    document.values
}

/// The text as a document that holds something.
pub(crate) fn document(path: &str, text: &str, belongs: &str, out: &mut Vec<Diagnostic>) -> Option<Document> {
    match yaml::read(path, text) {
        Ok(document) if document.value.is_null() => {
            let location = At::root(&document).location();
            out.push(Diagnostic::error("empty-file", location, "this file is empty").help(format!("here belongs {belongs}")));
            None
        }
        Ok(mut document) => {
            out.append(&mut document.duplicates);
            Some(document)
        }
        Err(errors) => {
            out.extend(errors);
            None
        }
    }
}

/// The written form, from a document whose shape is right.
pub(crate) fn typed<T: DeserializeOwned>(document: &Document, out: &mut Vec<Diagnostic>) -> Option<T> {
    match serde_path_to_error::deserialize(&document.value) {
        Ok(form) => Some(form),
        Err(error) => {
            let mut at = At::root(document);
            for segment in error.path() {
                at = match segment {
                    serde_path_to_error::Segment::Seq { index } => at.item(*index),
                    serde_path_to_error::Segment::Map { key } => at.key(key),
                    serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => at,
                };
            }
            out.push(Diagnostic::error("wrong-type", at.location(), format!("this cannot be read: {}", error.inner())));
            None
        }
    }
}

fn keys(value: &Value, key: &str) -> BTreeSet<String> {
    value.get(key).and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
}

/// Refuses `${NAME}` where no secret can stand. Few files hold a `$` at all.
pub(super) fn environment(document: &Document, text: &str, allowed: &dyn Fn(&str) -> bool, out: &mut Vec<Diagnostic>) {
    fn walk(value: &Value, at: &At<'_>, allowed: &dyn Fn(&str) -> bool, out: &mut Vec<Diagnostic>) {
        match value {
            Value::String(text) => {
                if let Some(name) = environment_name(text).filter(|_| !allowed(at.pointer())) {
                    let message = format!("`${{{name}}}` cannot come from the environment here");
                    let help = "only a channel's `deliver` and `dkim.key`, `http.keys`, `secrets` and a webhook's `key`, in campaignd.yaml, take values from there";
                    out.push(Diagnostic::error("environment", at.location(), message).help(help));
                }
            }
            Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| walk(item, &at.item(index), allowed, out)),
            Value::Object(map) => map.iter().for_each(|(key, item)| walk(item, &at.key(key), allowed, out)),
            _ => {}
        }
    }
    if text.contains('$') {
        walk(&document.value, &At::root(document), allowed, out);
    }
}
