//! Which segments can be followed to what they ask for.

use std::collections::BTreeMap;

use crate::check::Project;
use crate::lower::SegmentUnit;

/// The segments that need no segment which needs itself: each is taken once all that it names have been.
pub(super) fn in_no_circle<'a>(project: &Project<'a>) -> Vec<&'a SegmentUnit> {
    let mut open: BTreeMap<&str, (usize, &SegmentUnit)> = BTreeMap::new();
    let mut needed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for segment in project.segments() {
        open.insert(&segment.name, (segment.notes.segments.len(), segment));
        for needed in &segment.notes.segments {
            needed_by.entry(&needed.name).or_default().push(&segment.name);
        }
    }
    let unknown = needed_by.keys().copied().filter(|name| !open.contains_key(name));
    let mut ready: Vec<&str> = unknown.chain(open.iter().filter(|(_, (needs, _))| *needs == 0).map(|(name, _)| *name)).collect();
    let mut found = Vec::new();
    while let Some(name) = ready.pop() {
        found.extend(open.get(name).map(|(_, segment)| *segment));
        for dependent in needed_by.remove(name).unwrap_or_default() {
            if let Some((needs, _)) = open.get_mut(dependent) {
                *needs = needs.saturating_sub(1);
                if *needs == 0 {
                    ready.push(dependent);
                }
            }
        }
    }
    found
}
