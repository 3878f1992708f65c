//! A workflow as a picture: what it is made of ([`of`]), and that as Mermaid ([`mermaid`]), DOT ([`dot`]) or SVG ([`svg`]).

mod build;
mod dot;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use build::of;
pub use dot::dot;
pub use mermaid::mermaid;
pub use svg::svg;

/// A workflow as boxes and arrows. The boxes are in the order of the file: the first is the entry, the last the end, if any way leads
/// there.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub workflow: String,
    pub description: Option<String>,
    /// What holds wherever a run stands (`exit_when`, `goal`) and for the workflow as a whole, in words.
    pub facts: Vec<String>,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// The same by the program's own structure, between entry and end.
    body: Block,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The step's id; `None` for entry and end, which are no steps.
    pub step: Option<String>,
    pub kind: Kind,
    /// What it does: `cart-reminder` for a send.
    pub title: String,
    /// What else is worth a line: a subject, a window.
    pub details: Vec<String>,
}

/// What a box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Entry,
    Send,
    Wait,
    WaitFor,
    Branch,
    Experiment,
    Repeat,
    /// It changes something: set, subscribe, record, call, start.
    Action(&'static str),
    Exit,
    End,
}

impl Kind {
    /// The word over the box's title.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Entry => "enter",
            Kind::Send => "send",
            Kind::Wait => "wait",
            Kind::WaitFor => "wait for",
            Kind::Branch => "branch",
            Kind::Experiment => "experiment",
            Kind::Repeat => "repeat",
            Kind::Action(word) => word,
            Kind::Exit => "exit",
            Kind::End => "end",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Indices of [`Graph::nodes`].
    pub from: usize,
    pub to: usize,
    /// In words; empty where there is only one way on.
    pub label: String,
    /// Which arm of a branching step it is, as in [`Notes::arms`].
    pub arm: Option<usize>,
    /// From the end of a repeat's steps back to the repeat.
    pub back: bool,
}

/// Where a step stands among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// The step that holds it, and which of its arms (0 for what is repeated); `None`: it is one of the workflow's own.
    pub inside: Option<(&'a str, usize)>,
    /// The step before it in the same place.
    pub after: Option<&'a str>,
}

impl Graph {
    /// Where each step stands, by its id, in the order of the file. Steps behind an exit stand nowhere.
    pub fn places(&self) -> Vec<(&str, Place<'_>)> {
        let mut places = Vec::new();
        self.places_in(&self.body, None, &mut places);
        places
    }

    fn places_in<'a>(&'a self, block: &'a Block, inside: Option<(&'a str, usize)>, places: &mut Vec<(&'a str, Place<'a>)>) {
        let mut after = None;
        for item in &block.0 {
            let Some(step) = self.nodes[item.node].step.as_deref() else { continue };
            places.push((step, Place { inside, after }));
            match &item.inside {
                Inside::Nothing => {}
                Inside::Arms(arms) => {
                    arms.iter().for_each(|arm| self.places_in(&arm.block, Some((step, arm.number)), places));
                }
                Inside::Body(body) => self.places_in(body, Some((step, 0)), places),
            }
            after = Some(step);
        }
    }
}

/// Short texts that a picture shows at its boxes: `1,234 people`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    pub entry: Option<String>,
    /// By step id.
    pub steps: BTreeMap<String, String>,
    /// By step id and which arm it is, counted from 0: of a branch its cases in order (one more for those whom no case fits), of an experiment
    /// its variants, of a wait_for `then` and `otherwise`.
    pub arms: BTreeMap<(String, usize), String>,
    pub end: Option<String>,
}

impl Notes {
    fn of(&self, node: &Node) -> Option<&str> {
        match (&node.step, node.kind) {
            (Some(step), _) => self.steps.get(step),
            (None, Kind::Entry) => self.entry.as_ref(),
            (None, _) => self.end.as_ref(),
        }
        .map(String::as_str)
    }

    fn of_arm(&self, node: &Node, arm: Option<usize>) -> Option<&str> {
        let key = (node.step.clone()?, arm?);
        self.arms.get(&key).map(String::as_str)
    }
}

/// Steps one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
struct Block(Vec<Item>);

#[derive(Debug, Clone, PartialEq)]
struct Item {
    node: usize,
    inside: Inside,
}

#[derive(Debug, Clone, PartialEq)]
enum Inside {
    Nothing,
    /// Ways that part here and come together below.
    Arms(Vec<Arm>),
    /// What is repeated.
    Body(Block),
}

#[derive(Debug, Clone, PartialEq)]
struct Arm {
    label: String,
    number: usize,
    block: Block,
}
