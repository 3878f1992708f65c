//! Conditions that are always so or never so, whoever is asked about: found by looking at one value or one event at a time.
//!
//! What is not found is not wrong: `None` means that it may be either.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Condition, EventCondition, Path, Predicate, When};

/// Longer lists are not compared with each other.
const MOST: usize = 256;

/// What the condition comes to whoever is asked about, where that is certain.
pub(super) fn constant(condition: &Condition) -> Option<bool> {
    match condition {
        // What was wrong in there is left out.
        Condition::All(parts) if parts.is_empty() => None,
        Condition::All(parts) => all(parts),
        Condition::Any(parts) => any(parts),
        Condition::None(parts) => any(parts).map(|so| !so),
        Condition::Not(part) => constant(part).map(|so| !so),
        Condition::Value { tests, .. } => contradict(&tests.iter().collect::<Vec<_>>()).then_some(false),
        Condition::Event(event) => of_event(event),
        Condition::Message(_)
        | Condition::Segment(_)
        | Condition::Listed(_)
        | Condition::Topic(_)
        | Condition::Workflow { .. } => None,
    }
}

fn all(parts: &[Condition]) -> Option<bool> {
    let known: Vec<Option<bool>> = parts.iter().map(constant).collect();
    if known.contains(&Some(false)) {
        return Some(false);
    }
    if known.iter().all(|known| *known == Some(true)) {
        return Some(true);
    }
    let mut flat = Vec::new();
    flatten(parts, &mut flat);
    (opposites(&flat) || values(&flat) || events(&flat)).then_some(false)
}

fn any(parts: &[Condition]) -> Option<bool> {
    let known: Vec<Option<bool>> = parts.iter().map(constant).collect();
    if known.contains(&Some(true)) {
        return Some(true);
    }
    if !parts.is_empty() && known.iter().all(|known| *known == Some(false)) {
        return Some(false);
    }
    let parts: Vec<&Condition> = parts.iter().collect();
    (opposites(&parts) || either_way(&parts)).then_some(true)
}

/// What must hold together, without the mappings and lists around it.
fn flatten<'a>(parts: &'a [Condition], out: &mut Vec<&'a Condition>) {
    for part in parts {
        match part {
            Condition::All(inner) => flatten(inner, out),
            other => out.push(other),
        }
    }
}

/// Whether one part is another one's `not`.
fn opposites(parts: &[&Condition]) -> bool {
    let not = |part: &Condition, other: &Condition| match part {
        Condition::Not(inner) => **inner == *other,
        Condition::None(inner) => inner.contains(other),
        _ => false,
    };
    parts.len() <= MOST && parts.iter().any(|part| parts.iter().any(|other| not(part, other)))
}

/// Whether the tests of one value leave nothing over, taken from all parts.
fn values(parts: &[&Condition]) -> bool {
    let mut by_path: BTreeMap<&Path, Vec<&Predicate>> = BTreeMap::new();
    for part in parts {
        match part {
            Condition::Value { path, tests } => by_path.entry(path).or_default().extend(tests),
            _ => continue,
        }
    }
    by_path.values().any(|tests| contradict(tests))
}

/// Whether two parts ask for the same value, and one of them always holds: `is` and `is_not`, `exists: true` and `exists: false`.
fn either_way(parts: &[&Condition]) -> bool {
    let single = |part: &Condition| match part {
        Condition::Value { path, tests } => match tests.as_slice() {
            [test] => Some((path.clone(), test.clone())),
            _ => None,
        },
        _ => None,
    };
    let singles: Vec<(Path, Predicate)> = parts.iter().take(MOST).filter_map(|part| single(part)).collect();
    let opposite = |test: &Predicate, other: &Predicate| match (test, other) {
        (Predicate::Is(a), Predicate::IsNot(b)) => a == b,
        (Predicate::OneOf(a), Predicate::NoneOf(b)) => a == b,
        (Predicate::Exists(a), Predicate::Exists(b)) => a != b,
        _ => false,
    };
    singles.iter().any(|(path, test)| singles.iter().any(|(other, against)| path == other && opposite(test, against)))
}

/// Whether no value meets all of the tests.
fn contradict(tests: &[&Predicate]) -> bool {
    if tests.len() > MOST {
        return false;
    }
    let needs_value = |test: &&&Predicate| !matches!(test, Predicate::IsNot(_) | Predicate::NoneOf(_) | Predicate::Exists(false));
    if tests.iter().any(|test| matches!(test, Predicate::Exists(false))) {
        return tests.iter().any(|test| needs_value(&test));
    }
    let numbers = Span::of(tests.iter().filter_map(|test| number_bound(test)));
    let dates = Span::of(tests.iter().flat_map(|test| date_bounds(test)));
    numbers.is_empty() || dates.is_empty() || no_candidate(tests, &numbers)
}

/// Whether `is` and `one_of` name only values that the other tests exclude.
fn no_candidate(tests: &[&Predicate], numbers: &Span) -> bool {
    let sets: Vec<Vec<&Value>> = tests
        .iter()
        .filter_map(|test| match test {
            Predicate::Is(value) => Some(vec![value]),
            Predicate::OneOf(values) => Some(values.iter().collect()),
            _ => None,
        })
        .collect();
    let excluded = |value: &Value| {
        tests.iter().any(|test| match test {
            Predicate::IsNot(other) => other == value,
            Predicate::NoneOf(others) => others.contains(value),
            Predicate::StartsWith(start) => value.as_str().is_some_and(|text| !text.starts_with(start.as_str())),
            Predicate::EndsWith(end) => value.as_str().is_some_and(|text| !text.ends_with(end.as_str())),
            Predicate::Above(_) | Predicate::AtLeast(_) | Predicate::Below(_) | Predicate::AtMost(_) => {
                value.as_f64().is_none_or(|number| !numbers.holds(number))
            }
            _ => false,
        })
    };
    let Some(first) = sets.first().filter(|_| sets.iter().all(|set| set.len() <= MOST)) else { return false };
    !first.iter().any(|value| sets.iter().all(|set| set.contains(value)) && !excluded(value))
}

/// What is above or below a number.
#[derive(Clone, Copy)]
enum Bound {
    Low { at: f64, included: bool },
    High { at: f64, included: bool },
}

fn number_bound(test: &Predicate) -> Option<Bound> {
    match test {
        Predicate::Above(at) => Some(Bound::Low { at: *at, included: false }),
        Predicate::AtLeast(at) => Some(Bound::Low { at: *at, included: true }),
        Predicate::Below(at) => Some(Bound::High { at: *at, included: false }),
        Predicate::AtMost(at) => Some(Bound::High { at: *at, included: true }),
        _ => None,
    }
}

/// Dates as distances from now; fixed dates are not compared with them.
fn date_bounds(test: &Predicate) -> Vec<Bound> {
    let distance = |when: &When| match when {
        When::Now => Some(0.0),
        When::Ago(span) => Some(-(span.millis() as f64)),
        When::Ahead(span) => Some(span.millis() as f64),
        When::Date(_) => None,
    };
    match test {
        Predicate::Before(when) => distance(when).map(|at| Bound::High { at, included: false }).into_iter().collect(),
        Predicate::After(when) => distance(when).map(|at| Bound::Low { at, included: false }).into_iter().collect(),
        Predicate::WithinLast(span) => {
            vec![Bound::Low { at: -(span.millis() as f64), included: true }, Bound::High { at: 0.0, included: true }]
        }
        Predicate::WithinNext(span) => {
            vec![Bound::Low { at: 0.0, included: true }, Bound::High { at: span.millis() as f64, included: true }]
        }
        _ => Vec::new(),
    }
}

/// What is between the highest low and the lowest high.
struct Span {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
}

impl Span {
    fn of(bounds: impl IntoIterator<Item = Bound>) -> Span {
        let mut span = Span { low: None, high: None };
        for bound in bounds {
            match bound {
                Bound::Low { at, included } => {
                    if span.low.is_none_or(|(low, with)| at > low || (at == low && with && !included)) {
                        span.low = Some((at, included));
                    }
                }
                Bound::High { at, included } => {
                    if span.high.is_none_or(|(high, with)| at < high || (at == high && with && !included)) {
                        span.high = Some((at, included));
                    }
                }
            }
        }
        span
    }

    fn is_empty(&self) -> bool {
        let (Some((low, with_low)), Some((high, with_high))) = (self.low, self.high) else { return false };
        low > high || (low == high && !(with_low && with_high))
    }

    fn holds(&self, number: f64) -> bool {
        self.low.is_none_or(|(low, with)| number > low || (with && number == low))
            && self.high.is_none_or(|(high, with)| number < high || (with && number == high))
    }
}

/// How many events a condition asks for: whole numbers, 0 or more.
struct Count {
    least: f64,
    most: f64,
}

impl Count {
    fn of(event: &EventCondition) -> Count {
        let mut count = Count { least: 0.0, most: f64::INFINITY };
        match &event.count {
            // Sums and the like are of at least one event.
            None => count.least = 1.0,
            Some(tests) => {
                for test in tests {
                    match test {
                        Predicate::Above(at) => count.least = count.least.max(at.floor() + 1.0),
                        Predicate::AtLeast(at) => count.least = count.least.max(at.ceil()),
                        Predicate::Below(at) => count.most = count.most.min(at.ceil() - 1.0),
                        Predicate::AtMost(at) => count.most = count.most.min(at.floor()),
                        Predicate::Is(value) => {
                            if let Some(at) = value.as_f64() {
                                count.least = count.least.max(at.ceil());
                                count.most = count.most.min(at.floor());
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        count
    }
}

fn of_event(event: &EventCondition) -> Option<bool> {
    let count = Count::of(event);
    let only_bounds = event
        .count
        .iter()
        .flatten()
        .all(|test| number_bound(test).is_some() || matches!(test, Predicate::Is(value) if value.is_number()));
    if count.least > count.most {
        return Some(false);
    }
    if event.filter.as_deref().and_then(constant) == Some(false) && event.aggregates.is_empty() && only_bounds {
        return Some(count.least <= 0.0);
    }
    let anything = count.least <= 0.0 && count.most == f64::INFINITY && event.aggregates.is_empty();
    (anything && only_bounds && event.count.as_ref().is_some_and(|tests| !tests.is_empty())).then_some(true)
}

/// Whether two parts ask for more and for fewer of the same events.
fn events(parts: &[&Condition]) -> bool {
    let events: Vec<&EventCondition> = parts
        .iter()
        .filter_map(|part| match part {
            Condition::Event(event) => Some(event),
            _ => None,
        })
        .take(MOST)
        .collect();
    let same = |a: &EventCondition, b: &EventCondition| a.name == b.name && a.filter == b.filter && a.since == b.since;
    // What happened in the shorter time happened in the longer.
    let inside = |a: &EventCondition, b: &EventCondition| match (a.within, b.within) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => a <= b,
    };
    let more = |a: &EventCondition, b: &EventCondition| Count::of(a).least > Count::of(b).most;
    events.iter().any(|a| events.iter().any(|b| same(a, b) && inside(a, b) && more(a, b)))
}

#[cfg(test)]
mod tests {
    use crate::lower::{Context, lower_file};
    use crate::place::At;
    use crate::surface::WorkflowFile;
    use crate::template::Library;

    /// What is found of a segment's condition: `Some(true)` for everybody.
    fn check(condition: &str, expected: Option<bool>) {
        let document = crate::yaml::read("workflows/a.yaml", &format!("segments:\n  s: {condition}\n")).unwrap();
        let file: WorkflowFile = serde_json::from_value(document.value.clone()).unwrap();
        let library = Library::default();
        let context = Context { library: &library, zone: "UTC", whole: true };
        let mut found = Vec::new();
        let unit = lower_file(&file, &At::root(&document), &context, &mut found);
        assert_eq!(found, [], "{condition}");
        let noted: Vec<bool> = unit.segments[0].notes.constants.iter().map(|note| note.always).collect();
        assert_eq!(noted, expected.into_iter().collect::<Vec<_>>(), "{condition}");
    }

    #[test]
    fn never() {
        for condition in [
            "{ contact.age: { above: 5, below: 3 } }",
            "{ contact.age: { at_least: 5, below: 5 } }",
            "{ all: [ { contact.age: { above: 5 } }, { any: [ { contact.age: 1 } ] }, { contact.age: { below: 2 } } ] }",
            "{ all: [ { contact.country: DE }, { contact.country: [AT, CH] } ] }",
            "{ all: [ { contact.country: DE }, { contact.country: { is_not: DE } } ] }",
            "{ all: [ { contact.country: [DE, AT] }, { contact.country: { none_of: [AT, DE, CH] } } ] }",
            "{ contact.country: { one_of: [DE, AT], starts_with: C } }",
            "{ contact.age: { is: 17, at_least: 18 } }",
            "{ contact.name: { exists: false, starts_with: A } }",
            "{ all: [ { contact.name: { exists: false } }, { contact.name: Ada } ] }",
            "{ all: [ { topic: offers }, { not: { topic: offers } } ] }",
            "{ all: [ { topic: offers }, { none: [ { topic: news }, { topic: offers } ] } ] }",
            "{ contact.seen_at: { after: 30 days ago, before: 60 days ago } }",
            "{ contact.seen_at: { within: { last: 3 days }, after: in 2 days } }",
            "{ event: bought, count: { below: 0 } }",
            "{ event: bought, count: { at_least: 3, at_most: 2 } }",
            "{ all: [ { event: bought }, { event: bought, count: 0 } ] }",
            "{ all: [ { event: bought, within: 3 days }, { event: bought, count: 0, within: 4 days } ] }",
            "{ event: bought, where: { event.total: { above: 5, below: 5 } } }",
            "{ any: [ { contact.age: { above: 5, below: 3 } }, { event: bought, count: { below: 0 } } ] }",
        ] {
            check(condition, Some(false));
        }
    }

    #[test]
    fn always() {
        for condition in [
            "{ any: [ { contact.country: DE }, { contact.country: { is_not: DE } } ] }",
            "{ any: [ { contact.name: { exists: true } }, { contact.name: { exists: false } } ] }",
            "{ any: [ { topic: offers }, { not: { topic: offers } } ] }",
            "{ event: bought, count: { at_least: 0 } }",
            "{ not: { contact.age: { above: 5, below: 3 } } }",
            "{ none: [ { contact.age: { above: 5, below: 3 } } ] }",
            "{ event: bought, count: 0, where: { event.total: { above: 5, below: 5 } } }",
        ] {
            check(condition, Some(true));
        }
    }

    #[test]
    fn either() {
        for condition in [
            "{ contact.age: { at_least: 5, at_most: 5 } }",
            "{ any: [ { contact.age: { above: 5 } }, { contact.age: { at_most: 5 } } ] }",
            "{ all: [ { contact.country: [DE, AT] }, { contact.country: { none_of: [AT, CH] } } ] }",
            "{ contact.name: { exists: false, is_not: Ada } }",
            "{ contact.seen_at: { after: 60 days ago, before: 30 days ago } }",
            "{ all: [ { event: bought }, { event: bought, count: 0, within: 60 days } ] }",
            "{ all: [ { event: bought, where: { event.total: 5 } }, { event: bought, count: 1 } ] }",
            "{ event: bought, count: { at_least: 0 }, sum: { of: event.total, above: 5 } }",
            "{ all: [ { topic: offers }, { not: { topic: news } } ] }",
        ] {
            check(condition, None);
        }
    }
}
