//! Names that the data contract declares.

use std::sync::Arc;

use serde_json::Value;

use super::spelling::Spelling;
use super::text::Lines;
use super::{About, FileIndex, Kind, Occurrence, mend};
use crate::contract::{CONTACT_FILE, EVENTS_FOLDER, SCHEMA_ENDING};
use crate::diagnostic::Location;
use crate::place::At;

pub(super) fn read(path: &str, text: &str) -> FileIndex {
    let event = path.strip_prefix(EVENTS_FOLDER).and_then(|name| name.strip_suffix(SCHEMA_ENDING));
    if event.is_none() && path != CONTACT_FILE {
        return FileIndex { whole: true, ..FileIndex::default() };
    }
    let lines = Lines::new(text);
    let mut index = FileIndex::default();
    // JSON is YAML as well, and the YAML reader keeps places.
    let document = mend::read(path, text);
    let schema = document.as_ref().map_or(&Value::Null, |(document, _)| &document.value);
    let described = |schema: &Value| schema.get("description").and_then(Value::as_str).map(str::to_owned);
    if let Some(event) = event {
        let extent = lines.location(path, 0, text.len());
        let at = Location { end_line: 1, end_column: 1, ..extent.clone() };
        let about = About { description: described(schema), detail: Some("event".to_owned()), options: Vec::new(), extent };
        let definition = Some(Arc::new(about));
        index.occurrences.push(Occurrence {
            kind: Kind::Event,
            name: event.to_owned(),
            of: Vec::new(),
            at,
            spelt: None,
            definition,
        });
    }
    let Some((document, whole)) = &document else {
        return index;
    };
    index.whole = *whole;
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let place = At::root(document).key("properties").key(name);
        let key = place.written().key_location();
        let start = lines.offset(key.line, key.column);
        let quoted = text[start..].starts_with(['"', '\'']);
        let spelt = Spelling::of(text, start, quoted, name).and_then(|spelling| spelling.range(0..name.len()));
        let Some(spelt) = spelt else { continue };
        let at = lines.location(path, spelt.start, spelt.end);
        let always = if required.contains(&name.as_str()) { ", always there" } else { "" };
        let detail = Some(format!("{}{always}", type_words(property)));
        let options = property.get("enum").and_then(Value::as_array).into_iter().flatten();
        let options = options.filter_map(Value::as_str).map(str::to_owned).collect();
        let about = About { description: described(property), detail, options, extent: place.span() };
        let (kind, of) = match event {
            Some(event) => (Kind::Property, vec![event.to_owned()]),
            None => (Kind::Attribute, Vec::new()),
        };
        index.occurrences.push(Occurrence { kind, name: name.clone(), of, at, spelt: None, definition: Some(Arc::new(about)) });
    }
    index
}

/// What kind of value it is, in words.
fn type_words(property: &Value) -> String {
    let options = property.get("enum").and_then(Value::as_array);
    if let Some(options) = options {
        let options: Vec<String> = options.iter().map(Value::to_string).collect();
        return format!("one of {}", options.join(", "));
    }
    let format = property.get("format").and_then(Value::as_str);
    let word = |kind: &Value| match (kind.as_str(), format) {
        (Some("string"), Some("date")) => "a date",
        (Some("string"), Some("date-time")) => "a time",
        (Some("string"), _) => "text",
        (Some("number"), _) => "a number",
        (Some("integer"), _) => "a whole number",
        (Some("boolean"), _) => "true or false",
        (Some("array"), _) => "a list",
        (Some("object"), _) => "an object",
        (Some("null"), _) => "null",
        _ => "any value",
    };
    match property.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
        Some(kind) => word(kind).to_owned(),
        None => "any value".to_owned(),
    }
}
