//! The project's traits and segments, in the order in which they need each other, and what each of them depends on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use dsl::model::{Catalog, Condition, EventsTrait, Points, Trait};
use sha2::{Digest, Sha256};

use super::needs::{Cause, causes_of};

/// Names a trait or a segment by what it means: its definition with everything that it needs.
pub type NodeKey = u64;

/// All traits and segments of a catalog, ready to be kept up to date.
#[derive(Debug, Default)]
pub struct Audience {
    /// Of all definitions in here; 0 when there are none. What was worked out under another version is worked out anew.
    pub version: i64,
    pub(super) nodes: Vec<Node>,
    index: HashMap<Cause, Vec<usize>>,
    /// By event name.
    reach: HashMap<String, Reach>,
}

/// What of two audiences is not the same.
#[derive(Debug, Default)]
pub struct Differences {
    pub traits: BTreeSet<String>,
    pub segments: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) struct Node {
    pub name: String,
    pub key: NodeKey,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Trait(Trait),
    Segment { condition: Condition, backfill: bool },
}

/// How far back conditions look at a contact's events of one name and their properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// In ms before now; `None`: all there is.
    pub widest: Option<i64>,
}

impl Audience {
    pub fn new(catalog: &Catalog) -> Audience {
        let segments = &catalog.segments;
        let mentions = segments.iter().map(Mention::of).collect();
        let mut keys = Keys { catalog, segments: mentions, traits: HashMap::new() };
        let mut nodes = Vec::new();
        for (name, definition) in in_order(&catalog.traits, segments) {
            let key = keys.of_trait(name, definition);
            nodes.push(Node { name: name.to_owned(), key, what: What::Trait(definition.clone()) });
        }
        for (name, condition) in segments {
            let what = What::Segment { condition: condition.clone(), backfill: catalog.backfill.contains(name) };
            nodes.push(Node { name: name.clone(), key: keys.of_segment(name, condition), what });
        }
        let mut index: HashMap<Cause, Vec<usize>> = HashMap::new();
        let mut reach = HashMap::new();
        for (number, node) in nodes.iter().enumerate() {
            let causes = match &node.what {
                What::Trait(definition) => causes_of_trait(definition, segments),
                What::Segment { condition, .. } => causes_of(condition, segments),
            };
            for cause in causes {
                index.entry(cause).or_default().push(number);
            }
            node.reach(segments, &mut reach);
        }
        Audience { version: version(&nodes, catalog), nodes, index, reach }
    }

    /// Which nodes depend on this, in order.
    pub(super) fn touched_by(&self, cause: &Cause) -> &[usize] {
        self.index.get(cause).map_or(&[], Vec::as_slice)
    }

    /// Whether anything depends on this.
    pub fn heeds(&self, cause: &Cause) -> bool {
        self.index.contains_key(cause)
    }

    /// What each place of a standing under this version stands for.
    pub fn layout(&self) -> Vec<NodeKey> {
        self.nodes.iter().map(|node| node.key).collect()
    }

    pub(crate) fn reach(&self, event: &str) -> Option<Reach> {
        self.reach.get(event).copied()
    }

    /// The rank traits: name, key, and by what they rank into how many groups.
    pub fn ranks(&self) -> impl Iterator<Item = (&str, NodeKey, &dsl::model::Path, u32)> {
        self.nodes.iter().filter_map(|node| match &node.what {
            What::Trait(Trait::Rank { by, into }) => Some((node.name.as_str(), node.key, by, *into)),
            _ => None,
        })
    }

    /// Names of the traits and of the segments that one of both has alone, or that mean something else there: by themselves, or by what they need.
    pub fn differences(&self, other: &Audience) -> Differences {
        let keys = |audience: &Audience| -> BTreeSet<(bool, String, NodeKey)> {
            let key = |node: &Node| (matches!(node.what, What::Trait(_)), node.name.clone(), node.key);
            audience.nodes.iter().map(key).collect()
        };
        let mut found = Differences::default();
        for (is_trait, name, _) in keys(self).symmetric_difference(&keys(other)) {
            if *is_trait {
                found.traits.insert(name.clone())
            } else {
                found.segments.insert(name.clone())
            };
        }
        found
    }

    /// By what a segment goes on being the same; `None`: there is none of this name.
    pub fn key_of_segment(&self, name: &str) -> Option<NodeKey> {
        self.nodes.iter().find(|node| node.name == name && matches!(node.what, What::Segment { .. })).map(|node| node.key)
    }

    /// Names of the segments, with their place in a standing.
    pub fn segments(&self) -> impl Iterator<Item = (usize, &str)> {
        let segment = |(place, node): (usize, &'_ Node)| matches!(node.what, What::Segment { .. }).then_some(place);
        self.nodes.iter().enumerate().filter_map(move |(place, node)| Some((segment((place, node))?, node.name.as_str())))
    }
}

/// Traits sorted so that each comes after those it needs. What needs itself, which `validate` refuses, comes anywhere. Without recursion: a chain of
/// traits may be as long as a project likes.
fn in_order<'a>(traits: &'a BTreeMap<String, Trait>, segments: &BTreeMap<String, Condition>) -> Vec<(&'a str, &'a Trait)> {
    let needs = |definition: &Trait| -> Vec<&'a String> {
        let needed = |cause| match cause {
            Cause::Contact(name) => traits.get_key_value(&name).map(|(name, _)| name),
            _ => None,
        };
        causes_of_trait(definition, segments).into_iter().filter_map(needed).collect()
    };
    let (mut order, mut begun) = (Vec::new(), BTreeSet::new());
    // Of each trait on the way: whether what it needs has been put before it.
    let mut open: Vec<(&String, bool)> = traits.keys().rev().map(|name| (name, false)).collect();
    while let Some((name, ready)) = open.pop() {
        let Some(definition) = traits.get(name) else { continue };
        if ready {
            order.push((name.as_str(), definition));
        } else if begun.insert(name) {
            open.push((name, true));
            open.extend(needs(definition).into_iter().map(|needed| (needed, false)));
        }
    }
    order
}

/// All that can change the trait's value, besides time; traits that it needs are named, not looked into.
pub fn causes_of_trait(definition: &Trait, segments: &BTreeMap<String, Condition>) -> BTreeSet<Cause> {
    let filter = |filter: &Option<Box<Condition>>| filter.as_ref().map(|filter| causes_of(filter, segments)).unwrap_or_default();
    match definition {
        Trait::Events(EventsTrait { event, filter: only, .. }) => {
            filter(only).into_iter().chain([Cause::Event(event.clone())]).collect()
        }
        // Dates are ranked by when they are in the contact's zone.
        Trait::Rank { by, .. } => {
            let zone = Cause::Contact("time_zone".to_owned());
            by.keys.first().cloned().map(Cause::Contact).into_iter().chain([zone, Cause::Ranks]).collect()
        }
        Trait::Tier { by, .. } => by.keys.first().cloned().map(Cause::Contact).into_iter().collect(),
        Trait::Score { points, .. } => {
            let one = |Points { event, filter: only, .. }: &Points| filter(only).into_iter().chain([Cause::Event(event.clone())]);
            points.iter().flat_map(one).collect()
        }
        Trait::FirstMatch { cases, .. } => cases.iter().flat_map(|(_, case)| causes_of(case, segments)).collect(),
    }
}

impl Node {
    fn reach(&self, segments: &BTreeMap<String, Condition>, reach: &mut HashMap<String, Reach>) {
        let mut open = BTreeSet::new();
        match &self.what {
            What::Trait(Trait::FirstMatch { cases, .. }) => {
                cases.iter().for_each(|(_, case)| look(case, segments, &mut open, reach))
            }
            What::Segment { condition, .. } => look(condition, segments, &mut open, reach),
            // Kept up to date without looking back.
            What::Trait(_) => {}
        }
    }
}

/// `open`: the segments looked into already.
fn look<'a>(
    condition: &'a Condition,
    segments: &'a BTreeMap<String, Condition>,
    open: &mut BTreeSet<&'a str>,
    reach: &mut HashMap<String, Reach>,
) {
    match condition {
        // The latest events are enough for a bare number of them.
        Condition::Event(event) if event.filter.is_some() || !event.aggregates.is_empty() => {
            let widest = event.within.map(|span| span.millis());
            let known = reach.entry(event.name.clone()).or_insert(Reach { widest });
            known.widest = known.widest.zip(widest).map(|(one, other)| one.max(other));
        }
        Condition::Segment(name) if open.insert(name) => {
            segments.get(name).into_iter().for_each(|segment| look(segment, segments, open, reach));
        }
        _ => {}
    }
    condition.inside().for_each(|part| look(part, segments, open, reach));
}

/// Hashes definitions with everything that they need; those of traits in their order, so that what is needed is hashed before.
struct Keys<'a> {
    catalog: &'a Catalog,
    segments: Vec<Mention<'a>>,
    traits: HashMap<&'a str, NodeKey>,
}

impl<'a> Keys<'a> {
    fn of_trait(&mut self, name: &'a str, definition: &Trait) -> NodeKey {
        let text = serde_json::to_string(definition).unwrap_or_default();
        let causes = causes_of_trait(definition, &self.catalog.segments);
        // What came of events is not to be had anew once they are deleted.
        let settings = if matches!(definition, Trait::FirstMatch { .. }) { self.settings(&causes) } else { String::new() };
        let key = self.hash("trait", name, &(text + &settings), causes);
        self.traits.insert(name, key);
        key
    }

    fn of_segment(&self, name: &str, condition: &Condition) -> NodeKey {
        let text = serde_json::to_string(condition).unwrap_or_default();
        let causes = causes_of(condition, &self.catalog.segments);
        let settings = self.settings(&causes);
        self.hash("segment", name, &(text + &settings), causes)
    }

    /// The settings that such an answer hangs on belong to the definition: an edit of them is one of it.
    fn settings(&self, causes: &BTreeSet<Cause>) -> String {
        let settings = &self.catalog.settings;
        let hangs_on = |name: &str| causes.contains(&Cause::Contact(name.to_owned()));
        let topics = if hangs_on("topics") { serde_json::to_string(&settings.topics).unwrap_or_default() } else { String::new() };
        if hangs_on("time_zone") { topics + &settings.time_zone } else { topics }
    }

    /// The keys of the traits that it needs belong to it, and the segments that stand in the text by name.
    fn hash(&self, kind: &str, name: &str, text: &str, causes: BTreeSet<Cause>) -> NodeKey {
        let mut digest =
            Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).chain_update([0]).chain_update(text);
        for (segment, text) in named_segments(text, &self.segments) {
            digest.update(segment);
            digest.update(text);
        }
        for cause in causes {
            if let Cause::Contact(needed) = cause
                && let Some(key) = self.traits.get(needed.as_str())
            {
                digest.update(key.to_be_bytes());
            }
        }
        first_eight(&digest.finalize())
    }
}

/// A segment as other definitions name it, and as it is defined.
struct Mention<'a> {
    name: &'a str,
    /// What stands in the text of a definition that names it.
    mention: String,
    text: String,
}

impl<'a> Mention<'a> {
    fn of((name, condition): (&'a String, &Condition)) -> Mention<'a> {
        let mention = format!("\"segment\":{}", serde_json::Value::from(name.as_str()));
        Mention { name, mention, text: serde_json::to_string(condition).unwrap_or_default() }
    }
}

/// The segments that a definition names, directly or through others, in order of name. A search in the text is enough: one too many only means that
/// an edit of it counts as one of this definition as well.
fn named_segments<'s>(text: &str, segments: &'s [Mention<'_>]) -> BTreeMap<&'s str, &'s str> {
    let mut named = BTreeMap::new();
    let mut open = vec![text];
    while let Some(text) = open.pop() {
        for segment in segments {
            if text.contains(&segment.mention) && named.insert(segment.name, segment.text.as_str()).is_none() {
                open.push(&segment.text);
            }
        }
    }
    named
}

/// What an answer depends on besides the definitions: the topics' defaults and the project's zone.
fn version(nodes: &[Node], catalog: &Catalog) -> i64 {
    if nodes.is_empty() {
        return 0;
    }
    let mut digest = Sha256::new().chain_update(&catalog.settings.time_zone);
    digest.update(serde_json::to_string(&catalog.settings.topics).unwrap_or_default());
    for node in nodes {
        digest.update(node.key.to_be_bytes());
    }
    // Never 0, which stands for nothing.
    (first_eight(&digest.finalize()) >> 1 | 1) as i64
}

fn first_eight(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
