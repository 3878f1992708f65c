//! Finds segments and traits that need each other in a circle.
//!
//! # What it does
//! Follows every segment and every trait to the segments and traits that it names: by `segment:`, and by `contact.NAME` where
//! that is a trait.
//!
//! # Why is this bad
//! Whether someone belongs would depend on whether they belong.
//!
//! # Example
//! ```yaml
//! segments:
//!   loyal: { contact.standing: high }
//! traits:
//!   standing: { first_match: { high: { segment: loyal } }, otherwise: low }
//! ```
//!
//! # Use instead
//! ```yaml
//! segments:
//!   loyal: { contact.standing: high }
//! traits:
//!   standing: { first_match: { high: { event: order_completed, count: { at_least: 3 } } }, otherwise: low }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{Project, Report};
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::Notes;

/// What may be in a circle, in the order in which circles are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node<'a> {
    Segment(&'a str),
    Trait(&'a str),
}

impl std::fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Node::Segment(name) => f.write_str(name),
            Node::Trait(name) => write!(f, "contact.{name}"),
        }
    }
}

/// What each node names, and where.
type Uses<'a> = BTreeMap<Node<'a>, Vec<(Node<'a>, &'a Location)>>;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let segments = project.segments().map(|segment| (Node::Segment(&segment.name), named(project, &segment.notes)));
    let traits = project.traits().map(|unit| (Node::Trait(&unit.name), named(project, &unit.notes)));
    let uses: Uses<'_> = segments.chain(traits).collect();
    let mut done = BTreeSet::new();
    for node in uses.keys() {
        walk(*node, &uses, &mut done, report);
    }
}

fn named<'a>(project: &Project<'_>, notes: &'a Notes) -> Vec<(Node<'a>, &'a Location)> {
    let segments = notes.segments.iter().map(|named| (Node::Segment(&named.name), &named.at));
    let traits = notes.values.iter().filter_map(|value| Some((Node::Trait(project.trait_of(&value.path)?), &value.at)));
    segments.chain(traits).collect()
}

/// Depth first, without recursion: a chain may be as long as a project likes.
fn walk<'a>(start: Node<'a>, uses: &Uses<'a>, done: &mut BTreeSet<Node<'a>>, report: &mut Report<'_>) {
    let mut path: Vec<(Node<'a>, usize)> = vec![(start, 0)];
    while let Some((node, next)) = path.pop() {
        let used = uses.get(&node).and_then(|used| used.get(next)).filter(|_| !done.contains(&node));
        let Some((used, at)) = used else {
            done.insert(node);
            continue;
        };
        path.push((node, next + 1));
        if let Some(begin) = path.iter().position(|(open, _)| open == used) {
            let mut circle: Vec<Node<'_>> = path[begin..].iter().map(|(open, _)| *open).collect();
            circle.push(*used);
            let mut diagnostic = Diagnostic::error("segment-cycle", (*at).clone(), message(&circle));
            // The last one's need is what the diagnostic itself points at.
            for ((open, next), needed) in path[begin..].iter().zip(&circle[1..]).take(circle.len().saturating_sub(2)) {
                if let Some((_, place)) = uses.get(open).and_then(|used| used.get(next - 1)) {
                    diagnostic = diagnostic.related((*place).clone(), format!("{open} needs {needed} here"));
                }
            }
            report.push(diagnostic);
        } else if uses.contains_key(used) {
            path.push((*used, 0));
        }
    }
}

fn message(circle: &[Node<'_>]) -> String {
    let has = |wanted: fn(&Node<'_>) -> bool| circle.iter().any(wanted);
    let kinds = match (has(|node| matches!(node, Node::Segment(_))), has(|node| matches!(node, Node::Trait(_)))) {
        (true, true) => "segments and traits",
        (false, true) => "traits",
        _ => "segments",
    };
    let names: Vec<String> = circle.iter().map(ToString::to_string).collect();
    format!("{kinds} need each other in a circle: {}", names.join(" needs "))
}
