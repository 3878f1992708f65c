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
    /// Event name to how far back conditions look, and whether all of them do without properties.
    reach: HashMap<String, Reach>,
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

/// How much of a contact's events of one name is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// In ms before now; `None`: all there is.
    pub widest: Option<i64>,
    pub bare: bool,
}

impl Audience {
    pub fn new(catalog: &Catalog) -> Audience {
        let segments = &catalog.segments;
        let keys = Keys { catalog, open: BTreeSet::new() };
        let mut nodes = Vec::new();
        for name in in_order(&catalog.traits, segments) {
            if let Some(definition) = catalog.traits.get(name) {
                let key = keys.of_trait(name, definition);
                nodes.push(Node { name: name.to_owned(), key, what: What::Trait(definition.clone()) });
            }
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

    /// Names of the segments, with their place in a standing.
    pub fn segments(&self) -> impl Iterator<Item = (usize, &str)> {
        let segment = |(place, node): (usize, &'_ Node)| matches!(node.what, What::Segment { .. }).then_some(place);
        self.nodes.iter().enumerate().filter_map(move |(place, node)| Some((segment((place, node))?, node.name.as_str())))
    }
}

/// Traits sorted so that each comes after those it needs. What needs itself, which `validate` refuses, comes anywhere.
fn in_order<'a>(traits: &'a BTreeMap<String, Trait>, segments: &BTreeMap<String, Condition>) -> Vec<&'a str> {
    let mut order = Vec::new();
    let mut begun = BTreeSet::new();
    for name in traits.keys() {
        place(name, traits, segments, &mut begun, &mut order);
    }
    order
}

fn place<'a>(
    name: &'a str,
    traits: &'a BTreeMap<String, Trait>,
    segments: &BTreeMap<String, Condition>,
    begun: &mut BTreeSet<&'a str>,
    order: &mut Vec<&'a str>,
) {
    let Some(definition) = traits.get(name) else { return };
    if !begun.insert(name) {
        return;
    }
    for cause in causes_of_trait(definition, segments) {
        if let Cause::Contact(needed) = cause
            && let Some((needed, _)) = traits.get_key_value(&needed)
        {
            place(needed, traits, segments, begun, order);
        }
    }
    order.push(name);
}

fn causes_of_trait(definition: &Trait, segments: &BTreeMap<String, Condition>) -> BTreeSet<Cause> {
    let filter = |filter: &Option<Box<Condition>>| filter.as_ref().map(|filter| causes_of(filter, segments)).unwrap_or_default();
    match definition {
        Trait::Events(EventsTrait { event, filter: only, .. }) => {
            filter(only).into_iter().chain([Cause::Event(event.clone())]).collect()
        }
        Trait::Rank { by, .. } => by.keys.first().cloned().map(Cause::Contact).into_iter().chain([Cause::Ranks]).collect(),
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
        match &self.what {
            What::Trait(Trait::FirstMatch { cases, .. }) => cases.iter().for_each(|(_, case)| look(case, segments, 0, reach)),
            What::Segment { condition, .. } => look(condition, segments, 0, reach),
            // Kept up to date without looking back.
            What::Trait(_) => {}
        }
    }
}

/// Segments inside segments that are looked into.
const DEEPEST: usize = 64;

fn look(condition: &Condition, segments: &BTreeMap<String, Condition>, depth: usize, reach: &mut HashMap<String, Reach>) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => {
            parts.iter().for_each(|part| look(part, segments, depth, reach));
        }
        Condition::Not(part) => look(part, segments, depth, reach),
        Condition::Event(event) => {
            let widest = event.within.map(|span| span.millis());
            let bare = event.filter.is_none() && event.aggregates.is_empty();
            let known = reach.entry(event.name.clone()).or_insert(Reach { widest, bare });
            known.widest = known.widest.zip(widest).map(|(one, other)| one.max(other));
            known.bare &= bare;
        }
        Condition::Segment(name) if depth < DEEPEST => {
            segments.get(name).into_iter().for_each(|segment| look(segment, segments, depth + 1, reach));
        }
        _ => {}
    }
}

/// Hashes a definition with everything that it needs.
struct Keys<'a> {
    catalog: &'a Catalog,
    open: BTreeSet<String>,
}

impl Keys<'_> {
    fn of_trait(&self, name: &str, definition: &Trait) -> NodeKey {
        self.hash("trait", name, &serde_json::to_string(definition).unwrap_or_default(), {
            causes_of_trait(definition, &self.catalog.segments)
        })
    }

    fn of_segment(&self, name: &str, condition: &Condition) -> NodeKey {
        let text = serde_json::to_string(condition).unwrap_or_default();
        self.hash("segment", name, &text, causes_of(condition, &self.catalog.segments))
    }

    /// The texts of the traits that it needs belong to it, and the segments that stand in the text by name.
    fn hash(&self, kind: &str, name: &str, text: &str, causes: BTreeSet<Cause>) -> NodeKey {
        let mut digest =
            Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).chain_update([0]).chain_update(text);
        for (segment, condition) in named_segments(text, &self.catalog.segments) {
            digest.update(segment);
            digest.update(serde_json::to_string(condition).unwrap_or_default());
        }
        for cause in causes {
            let Cause::Contact(needed) = cause else { continue };
            if let Some(definition) = self.catalog.traits.get(&needed).filter(|_| !self.open.contains(&needed)) {
                let open = self.open.iter().cloned().chain([needed.clone(), name.to_owned()]).collect();
                digest.update(Keys { catalog: self.catalog, open }.of_trait(&needed, definition).to_be_bytes());
            }
        }
        first_eight(&digest.finalize())
    }
}

/// The segments that a definition names, directly or through others.
fn named_segments<'a>(text: &str, segments: &'a BTreeMap<String, Condition>) -> BTreeMap<&'a str, &'a Condition> {
    let mut named = BTreeMap::new();
    let mut open = vec![text.to_owned()];
    while let Some(text) = open.pop() {
        for (name, condition) in segments {
            // A search in the text is enough: one too many only means that an edit of it counts as one of this definition as well.
            let mention = format!("\"segment\":{}", serde_json::Value::from(name.as_str()));
            if text.contains(&mention) && named.insert(name.as_str(), condition).is_none() {
                open.push(serde_json::to_string(condition).unwrap_or_default());
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
