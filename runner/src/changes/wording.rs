//! What both renderings of a plan say in the same words.

use std::collections::BTreeMap;

use dsl::compare::{Change, What};

use super::{Entering, Fate, PerDay, Report, SharedChange, Sides, grouped};

pub(super) fn sign(what: What) -> char {
    match what {
        What::Added => '+',
        What::Removed => '-',
        What::Changed | What::Moved | What::Renamed => '~',
    }
}

/// The change without its step: `wait: 1 hour → 2 hours`.
pub(super) fn change(change: &Change) -> String {
    let from = change.from.as_deref().unwrap_or_default();
    let to = change.to.as_deref().unwrap_or_default();
    match (&change.key, change.what) {
        (Some(key), What::Added) => format!("{key}: {to}"),
        (Some(key), What::Removed) => format!("{key}: {from} (gone)"),
        (Some(key), _) => format!("{key}: {from} → {to}"),
        (None, What::Added) => format!("new: {to}"),
        (None, What::Removed) => format!("gone: {from}"),
        (None, What::Moved) => format!("moved: {from} → {to}"),
        (None, What::Renamed) => format!("renamed: was {from}"),
        (None, What::Changed) => format!("{from} → {to}"),
    }
}

/// `800 go on from here, 200 go on at once`
pub(super) fn fates(becomes: &BTreeMap<Fate, u64>, moves_to: Option<&str>) -> String {
    let parts: Vec<String> = becomes
        .iter()
        .map(|(fate, number)| {
            let to = moves_to.filter(|_| *fate == Fate::Moved).map(|to| format!(" to {to}")).unwrap_or_default();
            format!("{} {}{to}", grouped(*number), fate.words())
        })
        .collect();
    parts.join(", ")
}

pub(super) fn entering(entering: &Entering) -> String {
    let people = if entering.people == 1 { "1 person".to_owned() } else { format!("{} people", grouped(entering.people)) };
    let when = entering.when.as_ref().map_or_else(|| "at once".to_owned(), |when| format!("on {when}"));
    let mut text = format!("{people} {when} ({})", entering.by);
    if let Some(before) = entering.before.filter(|before| *before != entering.people) {
        text.push_str(&format!(" (so far {})", grouped(before)));
    }
    if let Some(subscribed) = entering.subscribed.filter(|subscribed| *subscribed != entering.people) {
        text.push_str(&format!("; {} of them are subscribed to what it sends", grouped(subscribed)));
    }
    text
}

/// `12.5 entries, 30 → 28 to 41 messages`; `None`: there is nothing to say.
pub(super) fn per_day(day: &PerDay) -> Option<String> {
    let sides = |before: Option<f64>, after: String| match before {
        Some(before) if number(before) != after => format!("{} → {after}", number(before)),
        _ => after,
    };
    let entries = sides(day.entries_before, day.entries.map_or_else(|| "unknown".to_owned(), number));
    let messages = match day.messages {
        None => None,
        Some((least, most)) if number(least) == number(most) => Some(number(least)),
        Some((least, most)) => Some(format!("{} to {}", number(least), number(most))),
    };
    let messages = messages.map(|messages| format!(", messages {}", sides(day.messages_before, messages))).unwrap_or_default();
    (day.entries.is_some() || day.entries_before.is_some()).then(|| format!("entries {entries}{messages}"))
}

/// One decimal below a hundred, none above.
pub(super) fn number(number: f64) -> String {
    if number < 99.95 {
        let rounded = (number * 10.0).round() / 10.0;
        format!("{rounded}")
    } else {
        grouped(number.round() as u64)
    }
}

pub(super) fn status(status: &Sides<String>) -> String {
    match (&status.before, &status.after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (_, Some(after)) => after.clone(),
        (Some(before), None) => before.clone(),
        (None, None) => String::new(),
    }
}

pub(super) fn definition(shared: &SharedChange) -> String {
    match (&shared.definition.before, &shared.definition.after) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (_, Some(definition)) | (Some(definition), None) => definition.clone(),
        (None, None) => String::new(),
    }
}

/// `1,200 → 1,350 people`
pub(super) fn members(shared: &SharedChange) -> Option<String> {
    let members = shared.members.as_ref()?;
    Some(match (members.before, members.after) {
        (Some(before), Some(after)) => format!("{} → {} people", grouped(before), grouped(after)),
        (None, Some(members)) | (Some(members), None) => format!("{} people", grouped(members)),
        (None, None) => return None,
    })
}

/// `2 workflows changed, 1 new, 1 removed; 1 segment, 3 messages`
pub(super) fn summary(report: &Report) -> String {
    let mut parts = Vec::new();
    let of = |what: What| report.workflows.iter().filter(|plan| plan.change == what).count();
    for (what, word) in [(What::Added, "new"), (What::Changed, "changed"), (What::Removed, "removed")] {
        match of(what) {
            0 => {}
            1 => parts.push(format!("1 workflow {word}")),
            number => parts.push(format!("{number} workflows {word}")),
        }
    }
    let counted = [
        (report.segments.len(), "segment"),
        (report.traits.len(), "trait"),
        (report.messages.len(), "message"),
        (report.settings.len(), "setting"),
    ];
    for (number, what) in counted {
        match number {
            0 => {}
            1 => parts.push(format!("1 {what}")),
            number => parts.push(format!("{number} {what}s")),
        }
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        for (given, expected) in [(0.0, "0"), (0.04, "0"), (12.34, "12.3"), (99.94, "99.9"), (99.96, "100"), (1234.5, "1,235")] {
            assert_eq!(number(given), expected, "{given}");
        }
    }

    #[test]
    fn a_day() {
        let check = |before: Option<(f64, f64)>, entries: Option<f64>, messages, expected: Option<&str>| {
            let (entries_before, messages_before) = (before.map(|both| both.0), before.map(|both| both.1));
            let day = PerDay { entries_before, entries, messages_before, messages, how: String::new() };
            assert_eq!(per_day(&day).as_deref(), expected);
        };
        check(None, None, None, None);
        check(None, Some(3.0), Some((3.0, 6.0)), Some("entries 3, messages 3 to 6"));
        check(Some((3.0, 4.0)), Some(3.0), Some((4.0, 4.0)), Some("entries 3, messages 4"));
        check(Some((3.0, 4.0)), Some(5.0), Some((6.0, 8.0)), Some("entries 3 → 5, messages 4 → 6 to 8"));
        check(Some((3.0, 4.0)), None, None, Some("entries 3 → unknown"));
    }
}
