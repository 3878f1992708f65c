//! Finds segments that need each other in a circle.
//!
//! # What it does
//! Follows every segment's `segment:` conditions.
//!
//! # Why is this bad
//! Whether someone belongs would depend on whether they belong.
//!
//! # Example
//! ```yaml
//! segments:
//!   loyal: { not: { segment: fickle } }
//!   fickle: { not: { segment: loyal } }
//! ```
//!
//! # Use instead
//! ```yaml
//! segments:
//!   loyal: { event: order_completed, count: { at_least: 3 } }
//!   fickle: { not: { segment: loyal } }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::{Project, Report};
use crate::lower::SegmentUnit;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let units = project.units.iter().flat_map(|unit| &unit.segments);
    let segments: BTreeMap<&str, &SegmentUnit> = units.map(|segment| (segment.name.as_str(), segment)).collect();
    let mut done = BTreeSet::new();
    for name in segments.keys() {
        walk(name, &segments, &mut done, report);
    }
}

/// Depth first, without recursion: a chain of segments may be as long as a project likes.
fn walk<'a>(
    start: &'a str,
    segments: &BTreeMap<&'a str, &'a SegmentUnit>,
    done: &mut BTreeSet<&'a str>,
    report: &mut Report<'_>,
) {
    let mut path: Vec<(&str, usize)> = vec![(start, 0)];
    while let Some((name, next)) = path.pop() {
        let uses = segments.get(name).map(|segment| segment.notes.segments.as_slice()).unwrap_or_default();
        let Some(used) = uses.get(next).filter(|_| !done.contains(name)) else {
            done.insert(name);
            continue;
        };
        path.push((name, next + 1));
        if let Some(begin) = path.iter().position(|(open, _)| *open == used.name) {
            let mut circle: Vec<&str> = path[begin..].iter().map(|(open, _)| *open).collect();
            circle.push(&used.name);
            let message = format!("segments need each other in a circle: {}", circle.join(" needs "));
            report.error("segment-cycle", &used.at, message, None);
        } else if segments.contains_key(used.name.as_str()) {
            path.push((&used.name, 0));
        }
    }
}
