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

use std::collections::{BTreeMap, HashMap};

use super::{Project, Report};
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::Notes;

/// What may be in a circle, in the order in which circles are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// How many segments and traits may need each other in a row: whoever is asked about is asked for all of them.
const DEEPEST: usize = 64;
/// How many circles are told of, and how many names of one: with more, a project has other things to put in order first.
const MOST_CIRCLES: usize = 50;
const MOST_NAMED: usize = 12;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let segments = project.segments().map(|segment| (Node::Segment(&segment.name), named(project, &segment.notes)));
    let traits = project.traits().map(|unit| (Node::Trait(&unit.name), named(project, &unit.notes)));
    let uses: Uses<'_> = segments.chain(traits).collect();
    let places: HashMap<Node<'_>, &Location> = project
        .segments()
        .map(|segment| (Node::Segment(&segment.name), &segment.at))
        .chain(project.traits().map(|unit| (Node::Trait(&unit.name), &unit.at)))
        .collect();
    let mut walk = Walk { uses: &uses, depths: HashMap::new(), circles: 0 };
    for node in uses.keys() {
        walk.from(*node, report);
    }
    let too_deep = uses.keys().filter(|node| walk.depths.get(node) == Some(&(DEEPEST + 1)));
    for (node, at) in too_deep.filter_map(|node| Some((node, places.get(node)?))) {
        let message = format!("`{node}` needs {DEEPEST} segments and traits in a row, each the next");
        let help = "bring some of them together: whoever is asked about is asked for all of them";
        report.error("too-deep", at, message, Some(help.to_owned()));
    }
}

fn named<'a>(project: &Project<'_>, notes: &'a Notes) -> Vec<(Node<'a>, &'a Location)> {
    let segments = notes.segments.iter().map(|named| (Node::Segment(&named.name), &named.at));
    let traits = notes.values.iter().filter_map(|value| Some((Node::Trait(project.trait_of(&value.path)?), &value.at)));
    segments.chain(traits).collect()
}

/// Depth first, without recursion: a chain may be as long as a project likes.
struct Walk<'u, 'a> {
    uses: &'u Uses<'a>,
    /// How many are in a row from a node on, where that is known.
    depths: HashMap<Node<'a>, usize>,
    circles: usize,
}

impl<'a> Walk<'_, 'a> {
    fn from(&mut self, start: Node<'a>, report: &mut Report<'_>) {
        let mut path: Vec<(Node<'a>, usize)> = vec![(start, 0)];
        let mut open: HashMap<Node<'a>, usize> = HashMap::from([(start, 0)]);
        while let Some((node, next)) = path.pop() {
            let used = self.uses.get(&node).and_then(|used| used.get(next)).filter(|_| !self.depths.contains_key(&node));
            let Some((used, at)) = used else {
                self.close(node);
                open.remove(&node);
                continue;
            };
            path.push((node, next + 1));
            if let Some(begin) = open.get(used) {
                self.circles += 1;
                if self.circles <= MOST_CIRCLES {
                    report.push(self.circle(&path[*begin..], *used, at));
                }
            } else if self.uses.contains_key(used) && !self.depths.contains_key(used) {
                open.insert(*used, path.len());
                path.push((*used, 0));
            }
        }
    }

    /// Everything that the node needs is known.
    fn close(&mut self, node: Node<'a>) {
        let below = self.uses.get(&node).into_iter().flatten().filter_map(|(used, _)| self.depths.get(used));
        let depth = 1 + below.max().copied().unwrap_or_default();
        self.depths.entry(node).or_insert(depth);
    }

    fn circle(&self, path: &[(Node<'a>, usize)], used: Node<'a>, at: &Location) -> Diagnostic {
        let mut circle: Vec<Node<'_>> = path.iter().map(|(open, _)| *open).collect();
        circle.push(used);
        let mut diagnostic = Diagnostic::error("segment-cycle", at.clone(), message(&circle));
        // The last one's need is what the diagnostic itself points at.
        let needs = path.iter().zip(&circle[1..]).take(circle.len().saturating_sub(2).min(MOST_NAMED));
        for ((open, next), needed) in needs {
            if let Some((_, place)) = self.uses.get(open).and_then(|used| used.get(next - 1)) {
                diagnostic = diagnostic.related((*place).clone(), format!("{open} needs {needed} here"));
            }
        }
        diagnostic
    }
}

fn message(circle: &[Node<'_>]) -> String {
    let has = |wanted: fn(&Node<'_>) -> bool| circle.iter().any(wanted);
    let kinds = match (has(|node| matches!(node, Node::Segment(_))), has(|node| matches!(node, Node::Trait(_)))) {
        (true, true) => "segments and traits",
        (false, true) => "traits",
        _ => "segments",
    };
    let mut names: Vec<String> = circle.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    if circle.len() > MOST_NAMED {
        names.push("…".to_owned());
        names.extend(circle.last().map(ToString::to_string));
    }
    format!("{kinds} need each other in a circle: {}", names.join(" needs "))
}
