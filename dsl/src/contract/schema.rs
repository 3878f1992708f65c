//! One schema of the contract: asked what it says of a place in the data, and whether data obeys it.

use std::collections::HashSet;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::LocationSegment;
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::expansion;
use super::names::shown;
use super::{Declared, Fault, Kinds};
use crate::pattern::{Budget, Unfit};
use crate::structure::type_of;
use crate::yaml::push_segment;

/// Keywords that allow every value of the type, or are said elsewhere.
const SAYS_NOTHING: [&str; 8] = ["type", "title", "description", "examples", "default", "x-personal", "deprecated", "$comment"];

/// How many `$ref` are followed in a row: a chain that is longer goes in a circle.
const MAX_REFERENCES: usize = 32;

/// How many nodes are looked at for one question; a schema for people has far fewer.
const MOST_SEEN: usize = 1_000;

/// Nodes of a schema that were looked at, each with how many keys were left: looking again tells nothing new, and without this a few parts that
/// name each other would be looked at more often than there is time for.
type Seen = HashSet<(*const Value, usize)>;

/// A compiled JSON Schema (draft 2020-12) and its source.
#[derive(Debug)]
pub(super) struct Schema {
    source: Value,
    validator: Validator,
}

/// Why a schema can't be used: the JSON pointer of the place, and words.
pub(super) struct BadSchema {
    pub pointer: String,
    pub words: String,
    pub help: Option<&'static str>,
}

impl Schema {
    /// Compiles a schema in which `always` are properties that need no declaration. Nothing is fetched: a `$ref` that leaves the file is an
    /// error. Patterns run in linear time; look-around and back-references are errors, and so are those that are too large, together with what `patterns` has
    /// taken already.
    pub fn compile(mut source: Value, always: &[&str], patterns: &mut Budget) -> Result<Schema, BadSchema> {
        if !source.is_object() {
            return Err(BadSchema { pointer: String::new(), words: "a schema must be a JSON object".to_owned(), help: None });
        }
        let declared = source.clone();
        if let Some(root) = source.as_object_mut() {
            let properties = root.entry("properties");
            if let Value::Object(properties) = properties.or_insert_with(|| Value::Object(Default::default())) {
                let open = always.iter().map(|name| ((*name).to_owned(), Value::Bool(true)));
                let own = std::mem::take(properties);
                properties.extend(open.chain(own));
            }
        }
        Weighing { pointer: String::new(), seen: HashSet::new(), patterns }.node(&declared)?;
        jsonschema::draft202012::meta::validate(&declared).map_err(|error| bad(&error))?;
        if let Some(fault) = expansion::fault(&declared) {
            return Err(fault);
        }
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .with_pattern_options(PatternOptions::regex())
            .build(&source)
            .map_err(|error| bad(&error))?;
        Ok(Schema { source: declared, validator })
    }

    /// What is wrong with the data, in words that never hold the data itself.
    pub fn check(&self, data: &Value) -> Vec<Fault> {
        // Most data is good, and saying so is far cheaper than looking for errors.
        if self.validator.is_valid(data) {
            return Vec::new();
        }
        let mut faults: Vec<Fault> =
            self.validator.iter_errors(data).map(|error| Fault { at: place(&error), words: words(&error) }).collect();
        // The validator's own order is that of its keywords, which says nothing to anybody.
        faults.sort_by(|one, other| (&one.at, &one.words).cmp(&(&other.at, &other.words)));
        faults
    }

    /// Whether this very property is declared.
    pub fn declares(&self, name: &str) -> bool {
        self.resolve(&self.source).and_then(|node| node.get("properties")?.get(name)).is_some()
    }

    /// Whether the value there is, holds or is part of what the schema marks as personal.
    pub fn personal(&self, keys: &[String]) -> bool {
        self.personal_below(&self.source, keys, 0, &mut Seen::new())
    }

    fn personal_below(&self, node: &Value, keys: &[String], depth: usize, seen: &mut Seen) -> bool {
        let Some(node) = self.resolve(node).filter(|node| depth < MAX_REFERENCES && is_new(node, keys, seen)) else {
            return false;
        };
        // What is neither true nor false was meant to say something: better too careful.
        if node.get("x-personal").is_some_and(|mark| mark != &Value::Bool(false)) {
            return true;
        }
        let mut below = |node: &Value, keys: &[String]| self.personal_below(node, keys, depth + 1, seen);
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key)?.as_array()).flatten();
        let properties = node.get("properties").and_then(Value::as_object);
        let items = node.get("items").filter(|_| keys.first().is_none_or(|key| key.parse::<usize>().is_ok()));
        let inside = match keys.split_first() {
            Some((key, rest)) => match properties.and_then(|properties| properties.get(key)) {
                Some(property) => below(property, rest),
                None => node.get("additionalProperties").into_iter().chain(items).any(|node| below(node, rest)),
            },
            None => properties.into_iter().flat_map(|properties| properties.values()).chain(items).any(|node| below(node, &[])),
        };
        inside || parts.into_iter().any(|part| below(part, keys))
    }

    /// What is declared there; without `names`, those that are declared beside what is not are not listed.
    pub fn lookup(&self, keys: &[String], names: bool) -> Declared {
        self.walk(&self.source, keys, names, &mut Seen::new())
    }

    /// The only texts that may stand there; `None` where the schema does not list them.
    pub fn texts(&self, keys: &[String]) -> Option<Vec<String>> {
        let node = self.node(keys)?;
        let listed = node.get("enum").and_then(Value::as_array)?;
        listed.iter().filter(|value| !value.is_null()).map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// What is declared at this very place, by `properties` alone.
    pub(super) fn node(&self, keys: &[String]) -> Option<&Value> {
        let below = |node, key: &String| self.resolve(node)?.get("properties")?.get(key);
        self.resolve(keys.iter().try_fold(&self.source, below)?)
    }

    /// What the schema has against this value at this very place (`in_list`: as the only one of a list there), in words. Of its type nothing is said.
    pub fn fault(&self, keys: &[String], value: &Value, in_list: bool) -> Option<String> {
        let node = self.node(keys)?;
        let node = if in_list { self.resolve(node.get("items")?)? } else { node };
        // Most places say no more than their type.
        node.as_object()?.keys().find(|key| !SAYS_NOTHING.contains(&key.as_str()))?;
        let mut pointer = String::new();
        keys.iter().for_each(|key| push_segment(&mut pointer, key));
        let mut data = value.clone();
        if in_list {
            push_segment(&mut pointer, "0");
            data = Value::Array(vec![data]);
        }
        let data = keys.iter().rev().fold(data, |inner, key| Value::Object(Map::from_iter([(key.clone(), inner)])));
        let errors: Vec<ValidationError<'_>> =
            self.validator.iter_errors(&data).filter(|error| error.instance_path().as_str() == pointer).collect();
        let of_type = errors.iter().any(|error| matches!(error.kind(), ValidationErrorKind::Type { .. }));
        errors.first().filter(|_| !of_type).map(words)
    }

    /// How much there is to look through for each value at this place.
    pub fn width(&self, keys: &[String]) -> usize {
        let listed = self.node(keys).and_then(|node| node.get("enum")?.as_array()).map_or(0, Vec::len);
        let length = |key: &str| match self.source.get(key) {
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(members)) => members.len(),
            _ => 0,
        };
        1 + listed + ["required", "properties", "allOf", "anyOf", "oneOf"].into_iter().map(length).sum::<usize>()
    }

    /// The members that the whole declares, in order of name.
    pub fn properties(&self) -> Vec<String> {
        let root = self.resolve(&self.source).and_then(|node| node.get("properties")).and_then(Value::as_object);
        let mut names: Vec<String> = root.into_iter().flat_map(|properties| properties.keys().cloned()).collect();
        names.sort();
        names
    }

    /// Whether data that obeys the schema always has a value at this place. Of a list, the item is taken to be there.
    pub fn requires(&self, keys: &[String]) -> bool {
        let mut node = Some(&self.source);
        keys.iter().all(|key| {
            let Some(here) = node.and_then(|node| self.resolve(node)) else {
                return false;
            };
            if self.kinds(here, &mut Seen::new()).list && key.parse::<usize>().is_ok() {
                node = here.get("items");
                return true;
            }
            node = here.get("properties").and_then(|properties| properties.get(key));
            let required = here.get("required").and_then(Value::as_array);
            required.is_some_and(|names| names.iter().any(|name| name == key.as_str()))
        })
    }

    fn walk(&self, node: &Value, keys: &[String], list: bool, seen: &mut Seen) -> Declared {
        let Some(node) = self.resolve(node) else {
            return Declared::Open;
        };
        if !is_new(node, keys, seen) {
            return Declared::Unknown(Vec::new());
        }
        let Some(schema) = node.as_object() else {
            return if node == &Value::Bool(false) { Declared::Unknown(Vec::new()) } else { Declared::Open };
        };
        let Some((key, rest)) = keys.split_first() else {
            let kinds = self.kinds(node, &mut Seen::new());
            return if kinds == Kinds::default() { Declared::Open } else { Declared::Known(kinds) };
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        if let Some(property) = properties.and_then(|properties| properties.get(key)) {
            return self.walk(property, rest, list, seen);
        }
        let kinds = self.kinds(node, &mut Seen::new());
        if kinds.list && key.parse::<usize>().is_ok() {
            return schema.get("items").map_or(Declared::Open, |items| self.walk(items, rest, list, seen));
        }
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            Some(additional) => return self.walk(additional, rest, list, seen),
            None if schema.contains_key("patternProperties") => return Declared::Open,
            None => {}
        }
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
        let listed = properties.filter(|_| list);
        let mut names: Vec<String> = listed.into_iter().flat_map(|properties| properties.keys().cloned()).collect();
        let mut described = properties.is_some() || schema.contains_key("additionalProperties");
        for part in parts {
            described = true;
            match self.walk(part, keys, list, seen) {
                Declared::Unknown(more) => names.extend(more),
                found => return found,
            }
        }
        let holds_more = kinds.object || kinds == Kinds::default();
        if holds_more && !described { Declared::Open } else { Declared::Unknown(names) }
    }

    /// Follows local references.
    fn resolve<'a>(&'a self, mut node: &'a Value) -> Option<&'a Value> {
        for _ in 0..MAX_REFERENCES {
            match node.get("$ref").and_then(Value::as_str) {
                Some(reference) => node = self.source.pointer(reference.strip_prefix('#')?)?,
                None => return Some(node),
            }
        }
        None
    }

    fn kinds(&self, node: &Value, seen: &mut Seen) -> Kinds {
        let mut kinds = Kinds::default();
        let Some(node) = self.resolve(node).filter(|node| is_new(node, &[], seen)) else {
            return kinds;
        };
        match node.get("type") {
            Some(Value::String(name)) => kinds.add_type(name),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).for_each(|name| kinds.add_type(name)),
            _ => {
                let constants =
                    node.get("const").into_iter().chain(node.get("enum").and_then(Value::as_array).into_iter().flatten());
                constants.for_each(|value| kinds.add_type(type_of(value)));
                let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key)?.as_array()).flatten();
                parts.for_each(|part| kinds = kinds.or(self.kinds(part, seen)));
                if kinds == Kinds::default() && node.get("properties").is_some() {
                    kinds.object = true;
                }
            }
        }
        if matches!(node.get("format").and_then(Value::as_str), Some("date" | "date-time")) {
            kinds.date = true;
        }
        kinds
    }
}

impl Kinds {
    fn add_type(&mut self, name: &str) {
        match name {
            "string" => self.text = true,
            "number" | "integer" => self.number = true,
            "boolean" => self.boolean = true,
            "array" => self.list = true,
            "object" => self.object = true,
            _ => {}
        }
    }

    fn or(self, other: Kinds) -> Kinds {
        Kinds {
            text: self.text || other.text,
            number: self.number || other.number,
            boolean: self.boolean || other.boolean,
            list: self.list || other.list,
            object: self.object || other.object,
            date: self.date || other.date,
        }
    }
}

/// Goes through a schema for its patterns, before any of them is compiled.
struct Weighing<'a, 'b> {
    pointer: String,
    seen: HashSet<&'a str>,
    patterns: &'b mut Budget,
}

impl<'a> Weighing<'a, '_> {
    fn node(&mut self, node: &'a Value) -> Result<(), BadSchema> {
        match node {
            Value::Object(map) => map.iter().try_for_each(|(key, value)| {
                self.inside(key, |here| {
                    match (key.as_str(), value) {
                        ("pattern", Value::String(pattern)) => here.take(pattern)?,
                        ("patternProperties", Value::Object(map)) => {
                            map.keys().try_for_each(|pattern| here.inside(pattern, |there| there.take(pattern)))?;
                        }
                        _ => {}
                    }
                    here.node(value)
                })
            }),
            Value::Array(items) => {
                items.iter().enumerate().try_for_each(|(index, item)| self.inside(&index.to_string(), |here| here.node(item)))
            }
            _ => Ok(()),
        }
    }

    fn inside(&mut self, key: &str, work: impl FnOnce(&mut Self) -> Result<(), BadSchema>) -> Result<(), BadSchema> {
        let length = self.pointer.len();
        push_segment(&mut self.pointer, key);
        let done = work(self);
        self.pointer.truncate(length);
        done
    }

    /// Each pattern is taken once.
    fn take(&mut self, pattern: &'a str) -> Result<(), BadSchema> {
        let taken = if self.seen.insert(pattern) { self.patterns.take_of_schema(pattern) } else { Ok(()) };
        taken.map_err(|unfit| {
            let words = match &unfit {
                Unfit::TooLargeTogether => "with this pattern, those of the data contract are too large together",
                _ => "this pattern is too large",
            };
            BadSchema { pointer: self.pointer.clone(), words: words.to_owned(), help: unfit.help() }
        })
    }
}

/// Whether the node was not looked at for these keys; notes that it is now.
fn is_new(node: &Value, keys: &[String], seen: &mut Seen) -> bool {
    seen.len() < MOST_SEEN && seen.insert((std::ptr::from_ref(node), keys.len()))
}

fn bad(error: &ValidationError<'_>) -> BadSchema {
    let words = match error.kind() {
        ValidationErrorKind::Referencing(_) => {
            "a `$ref` here leads nowhere; only references inside of the same file (`#/$defs/…`) are followed, nothing is fetched"
                .to_owned()
        }
        // A schema is the project's own text, so that it may be quoted.
        _ => format!("this is not a JSON Schema (draft 2020-12): {error}"),
    };
    BadSchema { pointer: error.instance_path().as_str().to_owned(), words, help: None }
}

/// `address.lines[0]`. What is missing, or should not be there, stands at its own place.
fn place(error: &ValidationError<'_>) -> String {
    let own = match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str().map(str::to_owned),
        ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.first().cloned()
        }
        _ => None,
    };
    let mut place = String::new();
    let segments = error.instance_path().iter().chain(own.map(|name| LocationSegment::Property(name.into())));
    for segment in segments {
        match segment {
            LocationSegment::Index(index) => place.push_str(&format!("[{index}]")),
            LocationSegment::Property(name) => {
                place.push_str(if place.is_empty() { "" } else { "." });
                place.push_str(shown(&name).unwrap_or(HIDDEN));
            }
        }
    }
    place
}

fn words(error: &ValidationError<'_>) -> String {
    let path: Vec<String> = error.instance_path().as_str().split('/').skip(1).map(segment).collect();
    let path = path.join(".");
    let at = |name: &str| {
        let name = shown(name).unwrap_or(HIDDEN);
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    let what = if path.is_empty() { "the whole".to_owned() } else { format!("`{path}`") };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("`{}` is missing", at(property.as_str().unwrap_or_default()))
        }
        ValidationErrorKind::AdditionalProperties { unexpected } | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let names: Vec<_> = unexpected.iter().map(|name| format!("`{}`", at(name))).collect();
            format!("{} {} not declared", names.join(", "), if names.len() == 1 { "is" } else { "are" })
        }
        ValidationErrorKind::Type { kind } => {
            let types: Vec<_> = match kind {
                TypeKind::Single(one) => vec![type_words(&one.to_string())],
                TypeKind::Multiple(many) => many.iter().map(|one| type_words(&one.to_string())).collect(),
            };
            format!("{what} must be {}", types.join(" or "))
        }
        ValidationErrorKind::Format { format } => {
            format!("{what} must be {}", format_words(format))
        }
        ValidationErrorKind::Enum { options } => format!("{what} must be one of {options}"),
        ValidationErrorKind::Constant { expected_value } => {
            format!("{what} must be {expected_value}")
        }
        ValidationErrorKind::Minimum { limit } => format!("{what} must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{what} must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => format!("{what} must be above {limit}"),
        ValidationErrorKind::ExclusiveMaximum { limit } => format!("{what} must be below {limit}"),
        ValidationErrorKind::MinLength { limit } => {
            format!("{what} must have at least {limit} characters")
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("{what} must have at most {limit} characters")
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("{what} must have at least {limit} items")
        }
        ValidationErrorKind::MaxItems { limit } => {
            format!("{what} must have at most {limit} items")
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("{what} must be a multiple of {multiple_of}")
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!("{what} must match the pattern {pattern}")
        }
        ValidationErrorKind::UniqueItems => format!("{what} must not hold the same item twice"),
        ValidationErrorKind::FalseSchema => format!("{what} is not allowed"),
        other => format!("{what} breaks the schema's `{}`", other.keyword()),
    }
}

/// Stands for a name that may be data itself.
const HIDDEN: &str = "…";

/// One segment of a JSON pointer, as it may be shown.
fn segment(segment: &str) -> String {
    let name = segment.replace("~1", "/").replace("~0", "~");
    shown(&name).unwrap_or(HIDDEN).to_owned()
}

fn type_words(name: &str) -> &'static str {
    match name {
        "string" => "text",
        "number" => "a number",
        "integer" => "a whole number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    }
}

fn format_words(format: &str) -> String {
    match format {
        "date" => "a date (2026-03-29)".to_owned(),
        "date-time" => "a time with its offset (2026-03-29T09:00:00Z)".to_owned(),
        "email" => "an email address".to_owned(),
        "uri" => "a URL".to_owned(),
        other => format!("of the format `{other}`"),
    }
}
