//! Which partials a text pulls in, directly and in turn; and that none of them pulls in itself.

use std::collections::{BTreeMap, BTreeSet};

use super::place::Place;
use super::syntax::{self, Expr, Node, Span};
use super::tags::{self, MAX_DEPTH};
use crate::diagnostic::Diagnostic;

/// The file of a partial, relative to the project.
pub(super) fn file_of(name: &str) -> String {
    format!("templates/partials/{name}.hbs")
}

/// A message that pulls in more partials is an error.
const MOST_REACHED: usize = 1_000;

/// The partials that the texts name, and those that these name in turn; only such as there are.
pub fn partials_reached<'a>(texts: impl IntoIterator<Item = &'a str>, partials: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<String> = texts.into_iter().flat_map(|text| named(text).into_keys()).collect();
    while let Some(name) = open.pop() {
        if found.len() < MOST_REACHED
            && let Some(text) = partials.get(&name)
            && found.insert(name)
        {
            open.extend(named(text).into_keys());
        }
    }
    found
}

/// Partials that pull in themselves, which would never end, and those that nest too deep.
pub(super) fn faults(partials: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let graph: BTreeMap<&str, BTreeMap<String, Span>> =
        partials.iter().map(|(name, text)| (name.as_str(), named(text))).collect();
    let mut search = Search { graph: &graph, depths: BTreeMap::new(), faults: BTreeMap::new() };
    for name in graph.keys() {
        search.depth(name, &mut Vec::new());
    }
    let faults = search.faults;
    faults
        .into_iter()
        .filter_map(|((from, to), (code, message, help))| {
            let (text, span) = (partials.get(&from)?, *graph.get(from.as_str())?.get(&to)?);
            let file = file_of(&from);
            Some(Place::file(&file, text).error(code, span, message, Some(help)))
        })
        .collect()
}

/// Whether these partials can be rendered without end.
pub fn never_end(partials: &BTreeMap<String, String>) -> bool {
    !faults(partials).is_empty()
}

type Faults = BTreeMap<(String, String), (&'static str, String, String)>;

struct Search<'a> {
    graph: &'a BTreeMap<&'a str, BTreeMap<String, Span>>,
    /// How deep partials nest below each, itself included.
    depths: BTreeMap<String, usize>,
    /// By the partial and the one that it names.
    faults: Faults,
}

impl Search<'_> {
    fn depth(&mut self, name: &str, path: &mut Vec<String>) -> usize {
        if let Some(depth) = self.depths.get(name) {
            return *depth;
        }
        let mut depth = 1;
        path.push(name.to_owned());
        let next: Vec<String> = self.graph.get(name).map(|next| next.keys().cloned().collect()).unwrap_or_default();
        for target in next {
            if let Some(start) = path.iter().position(|step| *step == target) {
                let circle: Vec<_> = path[start..].iter().chain([&target]).map(|step| format!("`{step}`")).collect();
                let message = format!("this partial pulls in itself: {}", circle.join(" → "));
                self.faults.insert((name.to_owned(), target), ("template-cycle", message, "take one of them out".to_owned()));
            } else if path.len() >= MAX_DEPTH {
                let message = format!("partials nest deeper than {MAX_DEPTH}");
                self.faults
                    .insert((name.to_owned(), target), ("template-too-deep", message, "put some of them together".to_owned()));
            } else {
                let below = self.depth(&target, path);
                if below + 1 > MAX_DEPTH {
                    let message = format!("partials nest deeper than {MAX_DEPTH}");
                    self.faults.insert(
                        (name.to_owned(), target),
                        ("template-too-deep", message, "put some of them together".to_owned()),
                    );
                }
                depth = depth.max(below + 1);
            }
        }
        path.pop();
        self.depths.insert(name.to_owned(), depth);
        depth
    }
}

/// Whether some tag of the text begins as those of partials do.
fn may_name_some(text: &str) -> bool {
    tags::pieces(text)
        .any(|tag| tag.trim_start_matches(|c: char| matches!(c, '{' | '~' | '#' | '*') || c.is_whitespace()).starts_with('>'))
}

/// The partials that a text names itself, each with one place.
fn named(text: &str) -> BTreeMap<String, Span> {
    // Most texts name none, and need not be parsed for that: every message of a project comes through here several times.
    if !may_name_some(text) {
        return BTreeMap::new();
    }
    let mut found = BTreeMap::new();
    if let Ok(nodes) = syntax::parse_long(text) {
        collect(&nodes, &mut found);
    }
    found
}

fn collect(nodes: &[Node], found: &mut BTreeMap<String, Span>) {
    for node in nodes {
        match node {
            Node::Partial { name, call, body } => {
                if let Some(name) = name {
                    let span = if let Expr::Name { span, .. } = &call.name { *span } else { call.tag };
                    found.entry(name.clone()).or_insert(span);
                }
                collect(body, found);
            }
            Node::Block { body, inverse, .. } => {
                collect(body, found);
                collect(inverse, found);
            }
            Node::Text(_) | Node::Value { .. } | Node::Decorator(_) => {}
        }
    }
}
