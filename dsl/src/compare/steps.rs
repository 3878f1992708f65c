//! Steps by their ids: added, removed, renamed, moved, changed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, What, fields};
use crate::graph::{self, Place};
use crate::model::{Definition, Step};
use crate::words;

/// In the order of the new file; what is gone comes last.
pub(super) fn steps(old: &Definition, new: &Definition) -> Vec<Change> {
    let renamed = renamed(old, new);
    let old_steps = by_id(old);
    let (old_graph, new_graph) = (graph::of(old), graph::of(new));
    let old_places: Vec<(&str, Place<'_>)> = old_graph.places();
    let new_places: Vec<(&str, Place<'_>)> = new_graph.places();
    let moved = moved(&old_places, &new_places, &renamed);
    let mut changes = Vec::new();
    for step in &new.workflow.steps {
        let was = renamed.get(step.id.as_str()).copied().unwrap_or(&step.id);
        let Some(before) = old_steps.get(was) else {
            let place = new_places.iter().find(|(id, _)| *id == step.id).map(|(_, place)| shown(place)).unwrap_or_default();
            changes.push(of_step(&step.id, What::Added, None, Some(format!("{}{place}", words::title(step)))));
            continue;
        };
        if was != step.id {
            changes.push(of_step(&step.id, What::Renamed, Some(was.to_owned()), Some(step.id.clone())));
        }
        if moved.contains(step.id.as_str()) {
            let place = |places: &[(&str, Place<'_>)], id: &str| {
                places.iter().find(|(other, _)| *other == id).map(|(_, place)| shown(place).trim_start_matches(", ").to_owned())
            };
            changes.push(of_step(&step.id, What::Moved, place(&old_places, was), place(&new_places, &step.id)));
        }
        changes.extend(fields(Some(&step.id), &words::fields(before), &words::fields(step)));
    }
    let kept: BTreeSet<&str> =
        new.workflow.steps.iter().map(|step| renamed.get(step.id.as_str()).copied().unwrap_or(&step.id)).collect();
    let gone = old.workflow.steps.iter().filter(|step| !kept.contains(step.id.as_str()));
    changes.extend(gone.map(|step| of_step(&step.id, What::Removed, Some(words::title(step)), None)));
    changes
}

/// The step that holds others, and in which arm.
type Inside<'a> = Option<(&'a str, usize)>;

fn of_step(step: &str, what: What, from: Option<String>, to: Option<String>) -> Change {
    Change { step: Some(step.to_owned()), what, key: None, from, to }
}

fn by_id(definition: &Definition) -> BTreeMap<&str, &Step> {
    definition.workflow.steps.iter().map(|step| (step.id.as_str(), step)).collect()
}

/// By new id the old one, where `moved` says that a step goes by another id now.
fn renamed<'a>(old: &'a Definition, new: &'a Definition) -> BTreeMap<&'a str, &'a str> {
    let (old_steps, new_steps) = (by_id(old), by_id(new));
    let renames = new.workflow.moved.iter().filter(|(from, to)| {
        old_steps.contains_key(from.as_str())
            && !new_steps.contains_key(from.as_str())
            && new_steps.contains_key(to.as_str())
            && !old_steps.contains_key(to.as_str())
    });
    renames.map(|(from, to)| (to.as_str(), from.as_str())).collect()
}

/// Steps, by their new id, that stand inside of something else, or before what they stood behind.
fn moved<'a>(
    old: &[(&'a str, Place<'a>)],
    new: &[(&'a str, Place<'a>)],
    renamed: &BTreeMap<&'a str, &'a str>,
) -> BTreeSet<&'a str> {
    let was = |id: &'a str| renamed.get(id).copied().unwrap_or(id);
    let old_place = |id: &str| old.iter().position(|(other, _)| *other == id);
    let mut moved = BTreeSet::new();
    // Of those that stand in the same place: their numbers in the old order.
    let mut rows: BTreeMap<Inside<'_>, Vec<(&str, usize)>> = BTreeMap::new();
    for (id, place) in new {
        let Some(number) = old_place(was(id)) else { continue };
        let inside = place.inside.map(|(holder, arm)| (was(holder), arm));
        // Those inside of a step that is gone, now inside of one that is new: that one says it.
        let holder_replaced = match (old[number].1.inside, inside) {
            (Some((was, arm)), Some((holder, other))) => {
                arm == other
                    && old_place(holder).is_none()
                    && !new.iter().any(|(id, _)| renamed.get(id).copied().unwrap_or(id) == was)
            }
            _ => false,
        };
        if old[number].1.inside == inside || holder_replaced {
            rows.entry(inside).or_default().push((id, number));
        } else {
            moved.insert(*id);
        }
    }
    for row in rows.values() {
        let stays = longest_rising(&row.iter().map(|(_, number)| *number).collect::<Vec<_>>());
        moved.extend(row.iter().enumerate().filter(|(index, _)| !stays.contains(index)).map(|(_, (id, _))| *id));
    }
    moved
}

/// The indices of a longest rising subsequence.
fn longest_rising(numbers: &[usize]) -> BTreeSet<usize> {
    // Of each length the index at which such a sequence ends lowest, and before each index the one it continues.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; numbers.len()];
    for (index, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() { ends.push(index) } else { ends[length] = index }
    }
    let mut found = BTreeSet::new();
    let mut at = ends.last().copied();
    while let Some(index) = at {
        found.insert(index);
        at = before[index];
    }
    found
}

fn shown(place: &Place<'_>) -> String {
    let inside = place.inside.map(|(holder, arm)| format!(", in {holder} ({})", arm + 1)).unwrap_or_default();
    match place.after {
        Some(step) => format!("{inside}, after {step}"),
        None => format!("{inside}, first"),
    }
}
