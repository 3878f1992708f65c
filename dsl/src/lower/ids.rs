//! Step ids: as written, or made from verb and argument and numbered when repeated.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Lowerer;
use super::notes::RepeatedNote;
use crate::diagnostic::Diagnostic;
use crate::place::At;
use crate::surface::{MapOr, Step, WaitTimes};

/// A list of steps inside a step, where it stands, and the whole tree below it.
pub(super) struct Arm<'s, 'a> {
    pub steps: &'s [Step],
    pub at: At<'a>,
}

/// The lists of steps that a step holds, in the order in which they are numbered. A list that is not written is empty.
pub(super) fn arms<'s, 'a>(step: &'s Step, at: &At<'a>) -> Vec<Arm<'s, 'a>> {
    match step {
        Step::WaitFor(form) => [("then", &form.then), ("otherwise", &form.otherwise)]
            .into_iter()
            .map(|(key, steps)| Arm { steps: steps.as_deref().unwrap_or_default(), at: at.key(key) })
            .collect(),
        Step::Branch(form) => {
            let cases = at.key("branch");
            let arm =
                |(index, case): (usize, &'s crate::surface::Case)| Arm { steps: &case.steps, at: cases.item(index).key("steps") };
            form.branch.iter().enumerate().map(arm).collect()
        }
        Step::Experiment(form) => {
            let variants = at.key("variants");
            let steps = |name: &String| form.variants.get(name).and_then(|variant| variant.steps.as_deref()).unwrap_or_default();
            let names = variants.keys(form.variants.keys());
            names.into_iter().map(|name| Arm { steps: steps(name), at: variants.key(name).key("steps") }).collect()
        }
        Step::Repeat(form) => vec![Arm { steps: &form.repeat.steps, at: at.key("repeat").key("steps") }],
        _ => Vec::new(),
    }
}

/// How many places a list of steps takes, nested steps included.
pub(super) fn size(steps: &[Step]) -> usize {
    steps.iter().map(step_size).sum()
}

pub(super) fn step_size(step: &Step) -> usize {
    1 + match step {
        Step::WaitFor(form) => {
            size(form.then.as_deref().unwrap_or_default()) + size(form.otherwise.as_deref().unwrap_or_default())
        }
        Step::Branch(form) => form.branch.iter().map(|case| size(&case.steps)).sum(),
        Step::Experiment(form) => form.variants.values().map(|variant| size(variant.steps.as_deref().unwrap_or_default())).sum(),
        Step::Repeat(form) => size(&form.repeat.steps),
        _ => 0,
    }
}

impl Lowerer<'_> {
    /// The id of every step, nested steps following the one that holds them.
    pub(super) fn ids(&mut self, steps: &[Step], at: &At<'_>) -> Vec<String> {
        let mut flat = Vec::new();
        flatten(steps, at, &mut flat);
        let mut taken = HashSet::new();
        let mut first: HashMap<&str, &At<'_>> = HashMap::new();
        for (step, at) in &flat {
            let Some(id) = step.id() else { continue };
            let here = at.key("id");
            self.name(id, "a step", &here);
            if !taken.insert(id) {
                let help = "every step's id is its own: it is what runs are remembered by";
                let message = format!("the id `{id}` is taken by an earlier step");
                let mut diagnostic = Diagnostic::error("duplicate-id", here.location(), message).help(help);
                if let Some(first) = first.get(id) {
                    diagnostic = diagnostic.related(first.key("id").location(), "first used here");
                }
                self.diagnostics.push(diagnostic);
            }
            first.entry(id).or_insert(at);
        }
        let mut named: BTreeMap<String, Vec<&At<'_>>> = BTreeMap::new();
        for (step, at) in flat.iter().filter(|(step, _)| step.id().is_none() && stands(step)) {
            named.entry(made_from(step, at)).or_default().push(at);
        }
        for (name, places) in named.into_iter().filter(|(_, places)| places.len() > 1) {
            let places = places.iter().map(|at| at.location()).collect();
            self.notes.repeated.push(RepeatedNote { name, places });
        }
        made(&flat)
    }
}

/// Every step, nested steps following the one that holds them, with its id.
pub(crate) fn step_ids<'a>(steps: &[Step], at: &At<'a>) -> Vec<(At<'a>, String)> {
    let mut flat = Vec::new();
    flatten(steps, at, &mut flat);
    let ids = made(&flat);
    flat.into_iter().map(|(_, at)| at).zip(ids).collect()
}

/// The ids of these steps: as written, or made.
fn made(flat: &[(&Step, At<'_>)]) -> Vec<String> {
    let mut taken: HashSet<String> = flat.iter().filter_map(|(step, _)| step.id()).map(str::to_owned).collect();
    // The number to try next, for each name: without it, every repetition would count from the beginning.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let id = |(step, at): &(&Step, At<'_>)| match step.id() {
        Some(id) => id.to_owned(),
        None => {
            let base = made_from(step, at);
            let mut id = base.clone();
            let number = numbers.entry(base.clone()).or_insert(2);
            while !taken.insert(id.clone()) {
                id = format!("{base}-{number}");
                *number += 1;
            }
            id
        }
    };
    flat.iter().map(id).collect()
}

/// Whether a run can stand on the step for a while, and so is remembered by its id; reports know sends by theirs.
fn stands(step: &Step) -> bool {
    matches!(step, Step::Send(_) | Step::Wait(_) | Step::WaitFor(_) | Step::Repeat(_) | Step::Call(_))
}

fn flatten<'s, 'a>(steps: &'s [Step], at: &At<'a>, flat: &mut Vec<(&'s Step, At<'a>)>) {
    for (index, step) in steps.iter().enumerate() {
        let here = at.item(index);
        flat.push((step, here.clone()));
        for arm in arms(step, &here) {
            flatten(arm.steps, &arm.at, flat);
        }
    }
}

/// `send-cart-reminder`, `wait-1-hour`, `set-stage`.
fn made_from(step: &Step, at: &At<'_>) -> String {
    let after_root = |path: &str| path.split_once('.').map_or(path, |(_, rest)| rest).to_owned();
    let (verb, argument) = match step {
        Step::Send(form) => match &form.send {
            MapOr::Short(template) => ("send", template.clone()),
            MapOr::Map(_) => ("send", "message".to_owned()),
        },
        Step::Wait(form) => match &form.wait {
            MapOr::Short(span) => ("wait", span.clone()),
            MapOr::Map(WaitTimes::For(dates)) => ("wait", dates.span.clone()),
            MapOr::Map(WaitTimes::Until(until)) => ("wait-until", after_root(&until.until)),
        },
        Step::WaitFor(form) => {
            let named = |key: &str| form.wait_for.0.get(key).and_then(serde_json::Value::as_str);
            let subject = ["event", "message", "segment", "topic", "workflow"].into_iter().find_map(named);
            match subject {
                Some(subject) => ("wait-for", subject.to_owned()),
                None => ("wait-for", String::new()),
            }
        }
        Step::Branch(_) => ("branch", String::new()),
        Step::Experiment(form) => ("experiment", form.experiment.clone()),
        Step::Repeat(_) => ("repeat", String::new()),
        Step::Set(form) => {
            let first = at.key("set").keys(form.set.keys()).first().map(|path| after_root(path));
            ("set", first.unwrap_or_default())
        }
        Step::Subscribe(form) => ("subscribe", form.subscribe.clone()),
        Step::Unsubscribe(form) => ("unsubscribe", form.unsubscribe.clone()),
        Step::Record(form) => ("record", form.record.clone()),
        Step::Call(_) => ("call", String::new()),
        Step::Start(form) => ("start", form.start.clone()),
        Step::Exit(_) | Step::ExitWord => ("exit", String::new()),
    };
    let argument = kebab(&argument);
    if argument.is_empty() { verb.to_owned() } else { format!("{verb}-{argument}") }
}

fn kebab(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
