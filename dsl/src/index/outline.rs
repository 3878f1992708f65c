//! The outline of a file: its workflow with the steps, its segments and traits.

use serde_json::Value;

use super::Form;
use super::grammar::Place;
use super::text::Lines;
use crate::diagnostic::Location;
use crate::lower::step_ids;
use crate::place::At;
use crate::surface::Step;

/// A part of a file that a person may want to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    pub name: String,
    pub detail: Option<String>,
    pub kind: SymbolKind,
    /// What stands for it.
    pub at: Location,
    /// All of it.
    pub extent: Location,
    pub children: Vec<Symbol>,
}

/// What a part of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    Workflow,
    Step,
    Segment,
    Trait,
    Test,
    /// A part of the settings.
    Setting,
}

/// A step, wherever it is nested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StepPlace {
    pub id: String,
    /// Leads to the step.
    pub pointer: String,
    /// Its `id`, else its verb.
    pub at: Location,
    pub extent: Location,
    /// How deep it is nested: by it, the list is a tree.
    depth: usize,
    pub detail: String,
}

/// Every step of the file, in the order in which steps get their ids. Where the steps are not all in order, only those with a written id.
pub(super) fn steps(root: &At<'_>, file: &Value) -> Vec<StepPlace> {
    let at = root.key("steps");
    let Some(list) = file.get("steps").filter(|steps| steps.is_array()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    match serde_json::from_value::<Vec<Step>>(list.clone()) {
        Ok(steps) => {
            for (step, id) in step_ids(&steps, &at) {
                let depth = step.pointer().matches('/').count();
                found.extend(step.value().and_then(|value| place(&step, value, Some(&id), depth)));
            }
        }
        Err(_) => written(Place::Steps, &at, list, &mut found),
    }
    found
}

fn written(here: Place, at: &At<'_>, value: &Value, found: &mut Vec<StepPlace>) {
    match value {
        Value::Object(map) => {
            if here == Place::Step {
                let id = value.get("id").and_then(Value::as_str);
                found.extend(id.and_then(|id| place(at, value, Some(id), at.pointer().matches('/').count())));
            }
            map.iter().for_each(|(key, value)| written(here.inside(key), &at.key(key), value, found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| written(here.item(), &at.item(index), item, found));
        }
        _ => {}
    }
}

fn place(at: &At<'_>, value: &Value, id: Option<&str>, depth: usize) -> Option<StepPlace> {
    let id = id?.to_owned();
    let keys = value.as_object().map(|map| at.keys(map.keys())).unwrap_or_default();
    let verb = keys.iter().find(|key| Place::Step.inside(key) != Place::Other || matches!(key.as_str(), "experiment" | "exit"));
    let argument = verb.and_then(|verb| value.get(verb.as_str())).and_then(Value::as_str).unwrap_or_default();
    let detail = match verb {
        Some(verb) => format!("{verb} {argument}").trim_end().to_owned(),
        None => value.as_str().unwrap_or_default().to_owned(),
    };
    let name = if value.get("id").is_some() { at.key("id").location() } else { at.location() };
    Some(StepPlace { id, pointer: at.pointer().to_owned(), at: name, extent: at.span(), depth, detail })
}

/// The outline.
pub(super) fn symbols(form: Form, root: &At<'_>, file: &Value, steps: &[StepPlace], lines: &Lines<'_>) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    match form {
        Form::Workflow => {
            if let Some(name) = file.get("workflow").and_then(Value::as_str) {
                let detail = file.get("description").and_then(Value::as_str).map(str::to_owned);
                let extent = whole(root.key("workflow").key_location(), root.span());
                symbols.push(Symbol {
                    name: name.to_owned(),
                    detail,
                    kind: SymbolKind::Workflow,
                    at: lines.unquoted(root.key("workflow").location()),
                    extent,
                    children: tree(steps, &mut 0, 0),
                });
            }
            symbols.extend(members(root, file, "segments", SymbolKind::Segment));
            symbols.extend(members(root, file, "traits", SymbolKind::Trait));
        }
        Form::Settings | Form::Audience => {
            for key in file.as_object().map(|map| root.keys(map.keys())).unwrap_or_default() {
                let mut symbol = symbol(root, key, SymbolKind::Setting);
                symbol.children = members(root, file, key, SymbolKind::Setting);
                symbols.push(symbol);
            }
        }
        Form::Test => {
            let tests = file.get("tests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for (index, test) in tests.iter().enumerate() {
                let at = root.key("tests").item(index);
                let name = test.get("name").and_then(Value::as_str).unwrap_or("test").to_owned();
                let (place, extent) = (at.location(), whole(at.location(), at.span()));
                symbols.push(Symbol { name, detail: None, kind: SymbolKind::Test, at: place, extent, children: Vec::new() });
            }
        }
    }
    symbols
}

/// A symbol's extent must hold what stands for it.
fn whole(at: Location, span: Location) -> Location {
    let (line, column) = (at.line, at.column).min((span.line, span.column));
    let (end_line, end_column) = (at.end_line, at.end_column).max((span.end_line, span.end_column));
    Location { line, column, end_line, end_column, ..at }
}

fn symbol(parent: &At<'_>, key: &str, kind: SymbolKind) -> Symbol {
    let child = parent.key(key);
    let (at, span) = (child.key_location(), child.span());
    Symbol { name: key.to_owned(), detail: None, kind, extent: whole(at.clone(), span), at, children: Vec::new() }
}

fn members(root: &At<'_>, file: &Value, key: &str, kind: SymbolKind) -> Vec<Symbol> {
    let Some(map) = file.get(key).and_then(Value::as_object) else {
        return Vec::new();
    };
    let parent = root.key(key);
    let described = |name: &String| {
        let text = |key| map.get(name)?.get(key)?.as_str().map(str::to_owned);
        Symbol { detail: text("description").or_else(|| text("title")), ..symbol(&parent, name, kind) }
    };
    parent.keys(map.keys()).into_iter().map(described).collect()
}

/// The steps that are nested deeper than `above`, from `next` on.
fn tree(steps: &[StepPlace], next: &mut usize, above: usize) -> Vec<Symbol> {
    let mut level = Vec::new();
    while let Some(step) = steps.get(*next).filter(|step| step.depth > above) {
        *next += 1;
        let children = tree(steps, next, step.depth);
        level.push(Symbol {
            name: step.id.clone(),
            detail: Some(step.detail.clone()),
            kind: SymbolKind::Step,
            extent: whole(step.at.clone(), step.extent.clone()),
            at: step.at.clone(),
            children,
        });
    }
    level
}
