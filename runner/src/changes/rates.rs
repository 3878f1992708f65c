//! Messages a day: how many enter, by what the store has seen in the last four weeks, times how many messages a run is sent.

use std::collections::BTreeMap;

use dsl::compare::What;
use dsl::model::{Definition, Every, Path, Predicate, Root, Status, StepIndex, StepKind, Trigger};

use super::{PerDay, Planner, WorkflowPlan};
use crate::state::{EventId, WorkflowId};
use crate::store::{Entries, Outdated, Question, Result};

const DAY: i64 = 86_400_000;
/// So far back it is looked.
const WINDOW: i64 = 28 * DAY;

/// What a workflow has come to of late.
struct Seen {
    days: f64,
    entries: u64,
    /// By step.
    messages: BTreeMap<String, u64>,
}

impl Seen {
    fn sent(&self) -> u64 {
        self.messages.values().sum()
    }

    fn per_day(&self, number: u64) -> f64 {
        number as f64 / self.days
    }
}

impl Planner<'_> {
    pub(super) fn add_rates(&mut self, workflows: &mut [WorkflowPlan]) -> Result<()> {
        if workflows.is_empty() {
            return Ok(());
        }
        let from = self.moment.now - WINDOW;
        let entries = self.store.entries_since(from)?;
        let mut messages: BTreeMap<WorkflowId, BTreeMap<String, u64>> = BTreeMap::new();
        for (workflow, step, number) in self.store.queued_since(from)? {
            messages.entry(workflow).or_default().insert(step, number);
        }
        for plan in workflows {
            let row = self.before.rows.iter().find(|row| row.name == plan.name).cloned();
            let seen = row.as_ref().and_then(|row| {
                let Entries { first, number, .. } = *entries.iter().find(|entries| entries.workflow == row.id)?;
                let days = ((self.moment.now - first.max(from)) as f64 / DAY as f64).max(1.0);
                Some(Seen { days, entries: number, messages: messages.remove(&row.id).unwrap_or_default() })
            });
            let old = row.and_then(|row| self.before.current(&row));
            let old = old.as_ref().map(|old| old.program.definition.clone());
            plan.per_day = self.per_day(plan, old.as_deref(), seen.as_ref())?;
        }
        Ok(())
    }

    fn per_day(&mut self, plan: &WorkflowPlan, old: Option<&Definition>, seen: Option<&Seen>) -> Result<PerDay> {
        let mut day = PerDay {
            entries_before: seen.map(|seen| seen.per_day(seen.entries)),
            messages_before: seen.map(|seen| seen.per_day(seen.sent())),
            ..PerDay::default()
        };
        let entry = self.tree.workflows.get(&plan.name).map(|entry| entry.definition.clone());
        let lets_in = plan.status.after.as_deref() == Some("live");
        let Some(definition) = entry.filter(|_| lets_in && plan.change != What::Removed) else {
            day.entries = Some(0.0);
            day.how = "nobody enters any more; those inside may still be sent something".to_owned();
            return Ok(day);
        };
        let same_way_in = old.is_some_and(|old| {
            let (old, new) = (&old.workflow, &definition.workflow);
            old.triggers == new.triggers
                && old.audience == new.audience
                && old.reentry == new.reentry
                && old.status == Status::Live
        });
        let mut how = Vec::new();
        day.entries = match seen.filter(|_| same_way_in) {
            Some(seen) => {
                how.push(format!("{} entered in the last {}", super::grouped(seen.entries), in_days(seen.days)));
                Some(seen.per_day(seen.entries))
            }
            None => self.expected(&definition, &mut how)?,
        };
        let (least, most) = sends(&definition);
        // What most runs have not come to yet was not recorded.
        let told = seen.filter(|seen| seen.entries > 0 && plan.runs.inside * 2 <= seen.entries);
        let (least, most) = match (told, old) {
            (Some(seen), Some(old)) => {
                let recorded = kept_rate(old, &definition, seen);
                how.push(format!("{:.2} messages a run as recorded for the sends that stay", recorded.0));
                (recorded.0, recorded.0 + recorded.1)
            }
            _ => {
                how.push(if least == most {
                    format!("{} a run by its steps", plural(least, "message"))
                } else {
                    format!("{least} to {most} messages a run by its steps")
                });
                // Both sides are to be counted in the same way.
                day.messages_before = match (old.map(sends), day.entries_before) {
                    (Some((least, most)), Some(entries)) if least == most => Some(entries * least as f64),
                    _ => None,
                };
                (least as f64, most as f64)
            }
        };
        day.messages = day.entries.map(|entries| (entries * least, entries * most));
        day.how = how.join("; ");
        Ok(day)
    }

    /// Entries a day by the triggers, before audience and re-entry keep anybody out, where the workflow's own record says nothing.
    fn expected(&mut self, definition: &Definition, how: &mut Vec<String>) -> Result<Option<f64>> {
        let from = self.moment.now - WINDOW;
        // A young store has not seen four weeks.
        let first = self.store.event_page(EventId(0), 1)?.first().map_or(from, |row| row.event.at.max(from));
        let seen = ((self.moment.now - first) as f64 / DAY as f64).max(1.0);
        let days = WINDOW as f64 / DAY as f64;
        let mut sum = None;
        let mut unknown = false;
        for trigger in &definition.workflow.triggers {
            let entries = match trigger {
                Trigger::Event { name, key, .. } => {
                    let happened = self.store.happened_since(name, from)?;
                    let once = definition.workflow.reentry == dsl::model::Reentry::Once && key.is_none();
                    let number = if once { happened.contacts } else { happened.number };
                    let of = if once { "people with" } else { "events" };
                    how.push(format!(
                        "{} {of} {name} in the last {}, before filter and audience",
                        super::grouped(number),
                        in_days(seen)
                    ));
                    Some(number as f64 / seen)
                }
                Trigger::Schedule { cron, .. } => {
                    let zone = crate::instant::project_zone(&self.tree.settings);
                    let (mut firings, mut at) = (0_u32, self.moment.now);
                    while let Some(next) =
                        cron.next_after(at, &zone).filter(|next| *next <= self.moment.now + WINDOW && firings < 50_000)
                    {
                        (firings, at) = (firings + 1, next);
                    }
                    let people = self.audience(definition, None)?;
                    how.push(format!("{firings} firings in 28 days to {} people", super::grouped(people)));
                    Some(people as f64 * f64::from(firings) / days)
                }
                Trigger::Date(date) => {
                    let people = self.audience(definition, Some(&date.date))?;
                    how.push(format!("{} people have {}", super::grouped(people), date.date));
                    (date.every == Every::Year).then_some(people as f64 / 365.25)
                }
                Trigger::At { .. } | Trigger::Manual => Some(0.0),
                Trigger::Segment { segment, .. } => {
                    how.push(format!("nothing says how often segment {segment} is entered"));
                    None
                }
            };
            unknown |= entries.is_none();
            sum = Some(sum.unwrap_or(0.0) + entries.unwrap_or(0.0));
        }
        Ok(sum.filter(|_| !unknown))
    }

    /// How many are in the audience, and have a date.
    fn audience(&mut self, definition: &Definition, date: Option<&Path>) -> Result<u64> {
        let exists = date.map(|date| dsl::model::Condition::Value {
            path: Path { root: Root::Contact, keys: date.keys.clone() },
            tests: vec![Predicate::Exists(true)],
        });
        let tree = self.tree.clone();
        let question = Question {
            condition: &dsl::model::Condition::All(definition.workflow.audience.iter().cloned().chain(exists).collect()),
            segments: &definition.segments,
            settings: &tree.settings,
            now: self.moment.now,
            outdated: Outdated::Ignore,
        };
        self.store.count_matching(&question)
    }
}

fn in_days(days: f64) -> String {
    plural(days.round() as u64, "day")
}

fn plural(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Messages a run by the sends that stay, as recorded, and at most by those that are new.
fn kept_rate(old: &Definition, new: &Definition, seen: &Seen) -> (f64, f64) {
    let is_send = |definition: &Definition, id: &str| {
        definition.workflow.steps.iter().any(|step| step.id == id && matches!(step.kind, StepKind::Send(_)))
    };
    let (mut recorded, mut added) = (0, 0);
    for step in &new.workflow.steps {
        if !matches!(step.kind, StepKind::Send(_)) {
            continue;
        }
        // `moved` may be from this edit or from an earlier one: both ids are the step's own.
        let renamed = new
            .workflow
            .moved
            .iter()
            .filter(|(from, to)| **to == step.id && !new.workflow.steps.iter().any(|step| step.id == **from));
        let ids: Vec<&String> = renamed.map(|(from, _)| from).chain([&step.id]).collect();
        if ids.iter().any(|id| is_send(old, id)) {
            recorded += ids.iter().filter_map(|id| seen.messages.get(*id)).sum::<u64>();
        } else {
            added += 1;
        }
    }
    (recorded as f64 / seen.entries as f64, f64::from(added))
}

/// The fewest and the most messages on any way from the first step to the end. What is repeated counts once at least, where it is not left before.
fn sends(definition: &Definition) -> (u64, u64) {
    let mut known = BTreeMap::new();
    from(definition, (!definition.workflow.steps.is_empty()).then_some(0), None, &mut known)
}

type Known = BTreeMap<(StepIndex, Option<StepIndex>), (u64, u64)>;

/// From `at` up to `stop`.
fn from(definition: &Definition, at: Option<StepIndex>, stop: Option<StepIndex>, known: &mut Known) -> (u64, u64) {
    let Some((index, step)) = at.filter(|_| at != stop).and_then(|index| Some((index, definition.workflow.steps.get(index)?)))
    else {
        return (0, 0);
    };
    if let Some(found) = known.get(&(index, stop)) {
        return *found;
    }
    // A way that leads back here ends here.
    known.insert((index, stop), (0, 0));
    let ways: Vec<Option<StepIndex>> = match &step.kind {
        StepKind::Branch { cases } => {
            let all = cases.iter().all(|case| case.when.is_some());
            cases.iter().map(|case| case.to).chain(all.then_some(step.next)).collect()
        }
        StepKind::WaitFor { then, otherwise, within, .. } => {
            [Some(*then), within.map(|_| *otherwise)].into_iter().flatten().collect()
        }
        StepKind::Experiment { variants, .. } => variants.iter().map(|variant| variant.to).collect(),
        StepKind::Exit { .. } => Vec::new(),
        _ => vec![step.next],
    };
    let each: Vec<(u64, u64)> = ways.into_iter().map(|way| from(definition, way, stop, known)).collect();
    let least = each.iter().map(|(least, _)| *least).min().unwrap_or(0);
    let most = each.iter().map(|(_, most)| *most).max().unwrap_or(0);
    let own = u64::from(matches!(step.kind, StepKind::Send(_)));
    let body = match &step.kind {
        StepKind::Repeat(repeat) => {
            let (once, all) = from(definition, Some(repeat.body), Some(index), known);
            let least = if repeat.until.is_some() { 0 } else { once.saturating_mul(u64::from(repeat.times)) };
            (least, all.saturating_mul(u64::from(repeat.times)))
        }
        _ => (0, 0),
    };
    let found = (own + least + body.0, own + most + body.1);
    known.insert((index, stop), found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_a_step_was_renamed_counts() {
        let definition = |moved: &str, steps: &str| {
            let workflow = format!("workflow: w\ntopic: offers\ntrigger: {{ event: x }}\n{moved}steps: [ {steps} ]\n");
            let files = [
                (
                    "campaignd.yaml",
                    "project: shop\ntime_zone: UTC\ncontract: open\ntopics: { offers: { default: subscribed } }\n",
                ),
                ("templates/a.txt.hbs", "---\nsubject: Hello\n---\nHi.\n"),
                ("workflows/w.yaml", &workflow),
            ];
            let catalog = dsl::compile(&dsl::ProjectFiles::from_texts(files)).catalog.unwrap();
            Definition::clone(&catalog.workflows["w"].definition)
        };
        let check = |old: (&str, &str), new: (&str, &str), sent: &[(&str, u64)], expected: (f64, f64)| {
            let messages = sent.iter().map(|(step, number)| ((*step).to_owned(), *number)).collect();
            let seen = Seen { days: 10.0, entries: 30, messages };
            assert_eq!(kept_rate(&definition(old.0, old.1), &definition(new.0, new.1), &seen), expected, "{new:?}");
        };
        let (a, b) = ("{ send: a, id: a }", "{ send: a, id: b }");
        let moved = "moved: { a: b }\n";
        check(("", a), ("", a), &[("a", 15)], (0.5, 0.0));
        check(("", a), (moved, b), &[("a", 30)], (1.0, 0.0));
        // It was renamed before, and `moved` is still there.
        check((moved, b), (moved, b), &[("b", 30)], (1.0, 0.0));
        check((moved, b), (moved, b), &[("a", 10), ("b", 20)], (1.0, 0.0));
        // Two became one.
        let both = "{ send: a, id: a }, { send: a, id: c }";
        check(("", both), ("moved: { a: b, c: b }\n", b), &[("a", 30), ("c", 15)], (1.5, 0.0));
        // A wait became a message.
        check(("", "{ wait: 1 day, id: a }"), (moved, b), &[], (0.0, 1.0));
        check(("", a), ("", &format!("{a}, {b}")), &[("a", 30)], (1.0, 1.0));
    }
}
