//! A plan says what the kernel then does.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::ProjectFiles;
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::daemon::LastGood;
use crate::ingest::{ContactInput, Occurrence, What as Did};
use crate::kernel::{Input, Kernel, Options, Plan};
use crate::state::{EndReason, Run, RunId, Stage};
use crate::store::SqliteStore;

const START: i64 = 1_774_598_400_000;
const HOUR: i64 = 3_600_000;
const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nlimits: { spread: 0 minutes }\ntopics: { offers: { default: subscribed } }\n";

fn files(texts: &[(&str, String)]) -> ProjectFiles {
    let base = [
        ("campaignd.yaml", SETTINGS.to_owned()),
        ("templates/a.txt.hbs", "---\nsubject: Hello\n---\nHi {{contact.id}}.\n".to_owned()),
    ];
    ProjectFiles::from_texts(base.into_iter().chain(texts.iter().cloned()))
}

fn catalog(files: &ProjectFiles) -> Arc<Catalog> {
    let compiled = dsl::compile(files);
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    Arc::new(catalog)
}

/// A runner that never sends anything, twelve people in, on virtual time.
struct World {
    kernel: Kernel,
    now: i64,
}

impl World {
    fn new(texts: &[(&str, String)]) -> World {
        let files = files(texts);
        let plan = Arc::new(Plan::new(catalog(&files), None).unwrap());
        let mut kernel = Kernel::open(Box::new(SqliteStore::in_memory().unwrap()), plan, Options::default(), START).unwrap();
        kernel.note(&[LastGood::note(&files)], START).unwrap();
        let mut world = World { kernel, now: START };
        for number in 0..12 {
            let contact = ContactInput {
                id: format!("c{number}"),
                email: Some(format!("c{number}@example.com")),
                phone: None,
                locale: None,
                time_zone: None,
                topics: None,
                attributes: serde_json::from_value(json!({ "n": number, "odd": number % 2 == 1 })).unwrap(),
            };
            world.turn(&[Input::Contact(contact)]);
        }
        // One an hour comes in.
        for number in 0..10 {
            world.event(&format!("c{number}"), "x");
            world.now += HOUR;
            world.turn(&[]);
        }
        world
    }

    fn event(&mut self, contact: &str, name: &str) {
        let total = contact.trim_start_matches('c').parse::<i64>().unwrap() * 100;
        let properties = Map::from_iter([("total".to_owned(), json!(total))]);
        let what = Did::Event { name: name.to_owned(), properties, id: None };
        let event = Occurrence { at: self.now, contact: contact.to_owned(), anonymous: false, what };
        self.turn(&[Input::Occurrence(event)]);
    }

    fn turn(&mut self, inputs: &[Input]) {
        let mut turn = self.kernel.turn(self.now, inputs).unwrap();
        while turn.more {
            turn = self.kernel.turn(self.now, &[]).unwrap();
        }
    }

    fn edit(&mut self, texts: &[(&str, String)]) {
        let files = files(texts);
        self.kernel.note(&[LastGood::note(&files)], self.now).unwrap();
        self.kernel.reload(Arc::new(Plan::new(catalog(&files), None).unwrap()), self.now).unwrap();
        self.turn(&[]);
    }

    fn runs(&mut self) -> BTreeMap<RunId, Run> {
        let page = self.kernel.store().run_page(RunId(0), 1000).unwrap();
        page.into_iter().map(|run| (run.id, run)).collect()
    }
}

/// What became of a run that was open, seen from outside. Whether a wait was only put off shows nowhere but in `due`.
fn seen(before: &Run, after: &Run, target: Option<&Definition>, frozen: bool) -> &'static str {
    match &after.ended {
        Some(ended) if matches!(ended.reason, EndReason::ExitWhen | EndReason::Goal) => "ends",
        Some(_) => "went",
        None if after.state.visit != before.state.visit => "went",
        // A message under the same id.
        None if is_sending(after) && !is_sending(before) => "went",
        None if frozen || target.is_none() => "as it was",
        None if after.definition == before.definition => "as it was",
        None => "follows",
    }
}

fn is_sending(run: &Run) -> bool {
    matches!(run.state.stage, Stage::Sending(_))
}

fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Ends => "ends",
        Fate::AtOnce | Fate::Moved => "went",
        Fate::Follows | Fate::Rescheduled => "follows",
        Fate::Stays | Fate::StepGone | Fate::Older | Fate::Pinned | Fate::Closing | Fate::Frozen => "as it was",
    }
}

/// Plans the edit, makes it, and compares.
fn check(old: &[(&str, String)], new: &[(&str, String)]) -> Report {
    check_in(World::new(old), new)
}

fn check_in(mut world: World, new: &[(&str, String)]) -> Report {
    let tree = catalog(&files(new));
    let report = plan(Some(world.kernel.store()), &tree, world.now).unwrap();
    let (before, newest) = (world.runs(), world.kernel.store().newest_contact().unwrap());
    world.kernel.reload(Arc::new(Plan::new(tree.clone(), None).unwrap()), world.now).unwrap();
    world.turn(&[]);
    assert_eq!(world.kernel.store().newest_contact().unwrap(), newest);
    let after = world.runs();
    let names: BTreeMap<_, _> = world.kernel.store().workflows().unwrap().into_iter().map(|row| (row.id, row)).collect();
    let mut happened: BTreeMap<(String, String, &str), u64> = BTreeMap::new();
    for (id, run) in before.iter().filter(|(_, run)| run.ended.is_none()) {
        let row = &names[&run.workflow];
        let target = tree.workflows.get(&row.name).map(|entry| &*entry.definition);
        let what = seen(run, &after[id], target, is_frozen(shown(row)));
        *happened.entry((row.name.clone(), run.step.clone(), what)).or_default() += 1;
    }
    let mut planned: BTreeMap<(String, String, &str), u64> = BTreeMap::new();
    for workflow in &report.workflows {
        for step in &workflow.runs.steps {
            for (fate, number) in &step.becomes {
                *planned.entry((workflow.name.clone(), step.step.clone(), word(*fate))).or_default() += number;
            }
        }
    }
    // Workflows that stay as they are are not in the plan, and nothing becomes of their runs.
    happened.retain(|(workflow, _, what), _| {
        *what != "as it was" || report.workflows.iter().any(|plan| plan.name == *workflow && plan.runs.inside > 0)
    });
    assert_eq!(planned, happened, "{new:?}");
    let mut entered: BTreeMap<String, u64> = BTreeMap::new();
    for run in after.values().filter(|run| !before.contains_key(&run.id)) {
        *entered.entry(names[&run.workflow].name.clone()).or_default() += 1;
    }
    let mut entering: BTreeMap<String, u64> = BTreeMap::new();
    for workflow in &report.workflows {
        let people: u64 =
            workflow.entering.iter().filter(|entering| entering.when.is_none()).map(|entering| entering.people).sum();
        if people > 0 {
            entering.insert(workflow.name.clone(), people);
        }
    }
    assert_eq!(entering, entered, "{new:?}");
    for change in report.segments.iter().filter(|change| tree.segments.contains_key(&change.name)) {
        let question = Question {
            condition: &tree.segments[&change.name],
            segments: &tree.segments,
            settings: &tree.settings,
            now: world.now,
            outdated: Outdated::Ignore,
        };
        let members = world.kernel.store().count_matching(&question).unwrap();
        assert_eq!(change.members.as_ref().unwrap().after, Some(members), "{} {new:?}", change.name);
    }
    report
}

const TEN_STEPS: &str = "  - { wait: 4 hours, id: first }\n  - { wait_for: { event: y }, within: 3 hours, id: maybe }\n  - { wait: 1 day, id: last }\n";

fn workflow(head: &str, steps: &str) -> Vec<(&'static str, String)> {
    vec![("workflows/w.yaml", format!("workflow: w\ntrigger: {{ event: x }}\n{head}steps:\n{steps}"))]
}

/// The fates of all runs of the workflow `w`.
fn fates(report: &Report) -> Vec<(Fate, u64)> {
    let plan = report.workflows.iter().find(|plan| plan.name == "w");
    plan.map(|plan| plan.runs.becomes.clone().into_iter().collect()).unwrap_or_default()
}

#[test]
fn what_becomes_of_runs() {
    let old = workflow("", TEN_STEPS);
    let fates = |new: &[(&str, String)]| fates(&check(&old, new));
    // Ten came in, one to ten hours ago: three stand on the first step, three on the second, four on the last.
    assert_eq!(fates(&old), []);
    let shorter = TEN_STEPS.replace("4 hours", "2 hours");
    assert_eq!(fates(&workflow("", &shorter)), [(Fate::Follows, 7), (Fate::Rescheduled, 1), (Fate::AtOnce, 2)]);
    let longer = TEN_STEPS.replace("4 hours", "9 hours");
    assert_eq!(fates(&workflow("", &longer)), [(Fate::Follows, 7), (Fate::Rescheduled, 3)]);
    let without = TEN_STEPS.replace("id: maybe", "id: other");
    assert_eq!(fates(&workflow("", &without)), [(Fate::Follows, 7), (Fate::StepGone, 3)]);
    assert_eq!(fates(&workflow("moved: { maybe: other }\n", &without)), [(Fate::Follows, 7), (Fate::Moved, 3)]);
    assert_eq!(fates(&workflow("in_flight: pinned\n", &shorter)), [(Fate::Pinned, 10)]);
    assert_eq!(fates(&workflow("status: paused\n", &shorter)), [(Fate::Frozen, 10)]);
    assert_eq!(fates(&workflow("exit_when: { contact.odd: true }\n", TEN_STEPS)), [(Fate::Follows, 5), (Fate::Ends, 5)]);
    assert_eq!(
        fates(&[("workflows/v.yaml", "workflow: v\ntrigger: { event: z }\nsteps: [ { wait: 1 hour } ]\n".to_owned())]),
        [(Fate::Closing, 10)]
    );
    // Another kind of step under the same id.
    let other = TEN_STEPS.replace("wait: 1 day, id: last", "set: { contact.z: 1 }, id: last");
    assert_eq!(fates(&workflow("", &other)), [(Fate::Follows, 6), (Fate::AtOnce, 4)]);
}

/// Orders from `least` on are big; ten contacts made one of 0, 100, ... 900.
fn traits(least: u32) -> (&'static str, String) {
    let text = format!(
        "traits:\n  big: {{ count: x, where: {{ event.total: {{ at_least: {least} }} }} }}\n  \
         code: {{ by: contact.big, tiers: {{ gold: 1, none: 0 }} }}\n  \
         kind: {{ first_match: {{ large: {{ contact.big: {{ at_least: 1 }} }} }} }}\n  other: {{ count: x }}\n\
         segments:\n  sbig: {{ contact.big: {{ at_least: 1 }}, backfill: true }}\n  sbig2: {{ contact.code: {{ is: gold }} }}\n  \
         sother: {{ contact.other: 1 }}\n"
    );
    ("workflows/t.yaml", text)
}

#[test]
fn an_edited_trait_reaches_who_uses_it() {
    let users = [
        ("w", "exit_when: { contact.big: { at_least: 1 } }\n", "{ wait: 2 days, id: it }"),
        ("w", "exit_when: { segment: sbig }\n", "{ wait: 2 days, id: it }"),
        ("w", "exit_when: { contact.code: { is: gold } }\n", "{ wait: 2 days, id: it }"),
        ("w", "goal: { contact.kind: large }\n", "{ wait: 2 days, id: it }"),
        ("w", "in_flight: pinned\nexit_when: { segment: sbig2 }\n", "{ wait: 2 days, id: it }"),
        ("w", "", "{ wait_for: { segment: sbig2 }, within: 3 days, id: it }"),
        ("w", "", "{ repeat: { times: 3, every: 1 day, until: { contact.big: 1 }, steps: [ { wait: 2 days } ] } }"),
        ("w", "audience: { not: { segment: sbig } }\n", "{ wait: 2 days, id: it }"),
        ("w", "", "{ branch: [ { when: { contact.kind: large }, steps: [ { wait: 2 days } ] } ] }\n  - { wait: 2 days }"),
        ("w", "exit_when: { segment: sother, contact.n: 99 }\n", "{ wait: 2 days, id: it }"),
    ];
    let report = |head: &str, step: &str| {
        let with = |least| vec![traits(least), workflow(head, &format!("  - {step}\n")).remove(0)];
        check(&with(1000), &with(500))
    };
    let found = users.map(|(_, head, step)| fates(&report(head, step)));
    let (ends, goes) = (vec![(Fate::Stays, 5), (Fate::Ends, 5)], vec![(Fate::Stays, 5), (Fate::AtOnce, 5)]);
    let stay = vec![(Fate::Stays, 10)];
    let expected =
        [ends.clone(), ends.clone(), ends.clone(), ends.clone(), ends, goes, stay.clone(), stay.clone(), stay, Vec::new()];
    assert_eq!(found, expected);

    let report = report(users[2].1, users[2].2);
    let named = |all: &[SharedChange]| -> Vec<(String, String)> {
        all.iter().map(|change| (change.name.clone(), change.used_by.join(", "))).collect()
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    assert_eq!(
        named(&report.traits),
        [pair("big", "trait code, trait kind, segment sbig"), pair("code", "segment sbig2, w"), pair("kind", "")]
    );
    assert_eq!(named(&report.segments), [pair("sbig", ""), pair("sbig2", "")]);
    let five = Some(Sides { before: Some(0), after: Some(5) });
    assert!(report.segments.iter().all(|segment| segment.members == five), "{:#?}", report.segments);
    assert_eq!(report.workflows[0].notes, ["a trait it uses has changed: code"]);
}

#[test]
fn an_edited_trait_is_used_by_messages_that_print_it() {
    let check_used = |send: &str, expected: &[&str]| {
        let with = |least| vec![traits(least), workflow("", &format!("  - {send}\n")).remove(0)];
        let report = check(&with(1000), &with(500));
        let users = report.traits.iter().filter(|one| one.used_by.contains(&"w".to_owned()));
        assert_eq!(users.map(|one| one.name.as_str()).collect::<Vec<_>>(), expected, "{send}");
    };
    let mail = |text: &str| format!("send: {{ subject: \"Hi\", text: \"{text}\" }}");
    check_used(&mail("Hello"), &[]);
    check_used(&mail("You are {{default contact.kind 'x'}}"), &["kind"]);
    check_used(&mail("{{#if contact.code}}{{default contact.big 0}}{{/if}}"), &["big", "code"]);
    check_used("{ send: a, with: { word: \"{{default contact.code 'x'}}\" } }", &["code"]);
}

#[test]
fn an_edited_rank_is_found_later() {
    let with = |into: u32| {
        let text = format!("traits:\n  often: {{ count: x }}\n  group: {{ rank: contact.often, into: {into} }}\n");
        vec![("workflows/t.yaml", text), workflow("", TEN_STEPS).remove(0)]
    };
    let notes = |new: &[(&str, String)]| check(&with(2), new).notes.len();
    assert_eq!((notes(&with(2)), notes(&with(5))), (0, 1));
}

#[test]
fn an_edited_trait_reaches_runs_under_older_definitions() {
    let old = workflow("exit_when: { contact.code: { is: gold } }\n", "  - { wait: 2 days, id: it }\n").remove(0);
    let check = |now: &[(&'static str, String)], expected: &[(Fate, u64)]| {
        let with = |least| -> Vec<(&str, String)> { [traits(least)].into_iter().chain(now.iter().cloned()).collect() };
        let mut world = World::new(&[traits(1000), old.clone()]);
        world.edit(&with(1000));
        assert_eq!(fates(&check_in(world, &with(500))), expected, "{now:?}");
    };
    check(&workflow("in_flight: pinned\n", "  - { wait: 2 days, id: it }\n"), &[(Fate::Ends, 5), (Fate::Pinned, 5)]);
    check(&workflow("", "  - { wait: 2 days, id: other }\n"), &[(Fate::Ends, 5), (Fate::Older, 5)]);
    // Nobody is under the older one any more.
    check(&workflow("", "  - { wait: 3 days, id: it }\n"), &[]);
    check(&workflow("status: paused\n", "  - { wait: 3 days, id: it }\n"), &[]);
    check(&[], &[(Fate::Ends, 5), (Fate::Closing, 5)]);
}

#[test]
fn who_enters_at_once() {
    let segment =
        |rule: &str, backfill: bool| ("workflows/s.yaml", format!("segments:\n  some: {{ {rule}, backfill: {backfill} }}\n"));
    let by_segment = |audience: &str| {
        ("workflows/v.yaml", format!("workflow: v\ntrigger: {{ segment: some }}\n{audience}steps: [ {{ wait: 1 day }} ]\n"))
    };
    let people = |old: &[(&str, String)], new: &[(&str, String)]| -> Vec<(u64, bool)> {
        let report = check(old, new);
        let entering = report.workflows.iter().flat_map(|plan| &plan.entering);
        entering.map(|entering| (entering.people, entering.when.is_none())).collect()
    };
    let base = workflow("", TEN_STEPS);
    let with = |more: &[(&'static str, String)]| -> Vec<(&'static str, String)> { base.iter().chain(more).cloned().collect() };
    let low = segment("contact.n: { below: 5 }", true);
    assert_eq!(people(&base, &with(&[low.clone(), by_segment("")])), [(5, true)]);
    assert_eq!(people(&base, &with(&[segment("contact.n: { below: 5 }", false), by_segment("")])), []);
    assert_eq!(people(&base, &with(&[low.clone(), by_segment("audience: { contact.odd: true }\n")])), [(2, true)]);
    // The workflow stays as it is, its segment does not: those inside already are not let in again.
    let wider = segment("contact.n: { below: 8 }", true);
    assert_eq!(people(&with(&[low.clone(), by_segment("")]), &with(&[wider, by_segment("")])), [(3, true)]);
    let trait_ = ("workflows/t.yaml", "traits:\n  did: { count: x }\n".to_owned());
    let by_trait = segment("contact.did: { at_least: 1 }", true);
    assert_eq!(people(&base, &with(&[trait_, by_trait, by_segment("")])), [(10, true)]);
    // It is 19:00 in Berlin by then.
    let at = |time: &str, audience: &str| {
        ("workflows/b.yaml", format!("workflow: b\ntrigger: {{ at: {time} }}\n{audience}steps: [ {{ wait: 1 day }} ]\n"))
    };
    let even = "audience: { contact.odd: false }\n";
    assert_eq!(people(&base, &with(&[at("2026-03-27T19:00", even)])), [(6, true)]);
    assert_eq!(people(&base, &with(&[at("2026-03-27T18:30", "")])), [(12, true)]);
    assert_eq!(people(&base, &with(&[at("2026-03-27T17:00", "")])), []);
    assert_eq!(people(&base, &with(&[at("2026-03-28T09:00", even)])), [(6, false)]);
    // The broadcast stays as it is, its audience does not.
    let big = at("2026-03-28T09:00", "audience: { segment: sbig }\n");
    assert_eq!(people(&with(&[traits(1000), big.clone()]), &with(&[traits(500), big])), [(5, false)]);
}

#[test]
fn an_unchanged_tree_changes_nothing() {
    let old = workflow("", TEN_STEPS);
    let report = check(&old, &old);
    assert!(report.unchanged && report.workflows.is_empty() && report.notes.is_empty(), "{report:#?}");
}

#[test]
fn without_a_store_all_is_new() {
    let report = plan(None, &catalog(&files(&workflow("", TEN_STEPS))), START).unwrap();
    assert_eq!(report.workflows.len(), 1);
    assert_eq!((report.workflows[0].change, report.in_force.clone()), (What::Added, None));
}

#[test]
fn a_candidate_gives_the_same_plan() {
    let mut world = World::new(&workflow("", TEN_STEPS));
    let new = workflow("audience: { segment: low }\n", &TEN_STEPS.replace("4 hours", "2 hours"));
    let segments = ("workflows/s.yaml", "segments:\n  low: { contact.n: { below: 5 } }\n".to_owned());
    let new: Vec<_> = new.into_iter().chain([segments]).collect();
    let tree = catalog(&files(&new));
    let sent = serde_json::to_string(&Candidate::of(&tree)).unwrap();
    let received: Candidate = serde_json::from_str(&sent).unwrap();
    let here = plan(Some(world.kernel.store()), &tree, world.now).unwrap();
    let there = plan(Some(world.kernel.store()), &Arc::new(received.catalog().unwrap()), world.now).unwrap();
    assert_eq!(serde_json::to_value(&here).unwrap(), serde_json::to_value(&there).unwrap());
    assert_eq!(serde_json::from_value::<Report>(serde_json::to_value(&here).unwrap()).unwrap(), here);
}

#[test]
fn what_a_day_brings() {
    let per_day = |old: &[(&str, String)], new: &[(&str, String)]| check(old, new).workflows[0].per_day.clone();
    let send = "  - send: a\n  - { wait: 1 day, id: last }\n";
    let old = workflow("topic: offers\n", TEN_STEPS);
    let day = per_day(
        &old,
        &workflow("topic: offers\n", &format!("{TEN_STEPS}{send}").replace("id: last }\n  - send", "id: before }\n  - send")),
    );
    // Ten in their first ten hours count as ten in a day; none of them has come to the message yet, so the steps are asked.
    assert_eq!(
        (day.entries_before, day.entries, day.messages_before, day.messages),
        (Some(10.0), Some(10.0), Some(0.0), Some((10.0, 10.0)))
    );
    // Who is on the way to a message counts as being sent it, before as after.
    let late = |first: &str| workflow("topic: offers\n", &format!("{TEN_STEPS}  - send: a\n").replace("4 hours", first));
    let day = per_day(&late("4 hours"), &late("5 hours"));
    assert_eq!((day.messages_before, day.messages), (Some(10.0), Some((10.0, 10.0))));
    let added = [old[0].clone(), ("workflows/v.yaml", "workflow: v\ntopic: offers\ntrigger: { event: x }\nsteps:\n  - branch: [ { when: { contact.n: 1 }, steps: [ { send: a } ] } ]\n  - send: a\n".to_owned())];
    let day = per_day(&old, &added);
    let entries = 10.0;
    assert_eq!((day.entries_before, day.entries, day.messages), (None, Some(entries), Some((entries, 2.0 * entries))));
}

/// Edits of a workflow: each part may come out in several ways.
fn edited() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let head = prop_oneof![
        4 => Just(""),
        1 => Just("in_flight: pinned\n"),
        1 => Just("status: paused\n"),
        1 => Just("status: closed\n"),
        2 => Just("exit_when: { contact.n: { above: 4 } }\n"),
        1 => Just("goal: { contact.n: { below: 3 } }\n"),
        1 => Just("audience: { contact.odd: true }\n"),
        1 => Just("exit_when: { contact.code: { is: gold } }\n"),
        1 => Just("goal: { segment: sbig }\n"),
        1 => Just("in_flight: pinned\nexit_when: { contact.big: 1 }\n"),
    ];
    let least = prop_oneof![Just(300), Just(600), Just(1000)];
    let moved =
        prop_oneof![3 => Just(""), 1 => Just("moved: { first: last }\n"), 1 => Just("moved: { maybe: new, last: first }\n")];
    let first = prop_oneof![
        2 => (1..12_i64).prop_map(|hours| format!("  - {{ wait: {hours} hours, id: first }}\n")),
        1 => Just(String::new()),
        1 => Just("  - { wait: { until: \"18:30\" }, id: first }\n".to_owned()),
        1 => Just("  - { set: { contact.z: 1 }, id: first }\n".to_owned()),
    ];
    let maybe = prop_oneof![
        2 => (1..9_i64).prop_map(|hours| format!("  - {{ wait_for: {{ event: y }}, within: {hours} hours, id: maybe }}\n")),
        1 => Just("  - { wait_for: { contact.odd: true }, within: 3 hours, id: maybe }\n".to_owned()),
        1 => Just("  - { wait_for: { segment: sbig2 }, within: 30 hours, id: maybe }\n".to_owned()),
        1 => Just("  - { wait: 2 hours, id: maybe }\n".to_owned()),
        1 => Just(String::new()),
    ];
    let new = prop_oneof![Just(""), Just("  - { wait: 30 minutes, id: new }\n")];
    let last = prop_oneof![
        2 => (1..40_i64).prop_map(|hours| format!("  - {{ wait: {hours} hours, id: last }}\n")),
        1 => Just("  - { send: a, id: last, transactional: true }\n".to_owned()),
    ];
    (head, moved, first, maybe, new, last, least).prop_map(|(head, moved, first, maybe, new, last, least)| {
        // `moved` must lead to steps that are there.
        let steps = format!("{first}{maybe}{new}{last}");
        let leads = |id: &str| steps.contains(&format!("id: {id}"));
        let moved = if (moved.contains(": new") && !(leads("new") && leads("first")))
            || (moved.contains("first: last") && !leads("last"))
        {
            ""
        } else {
            moved
        };
        vec![workflow(&format!("{head}{moved}"), &steps).remove(0), traits(least)]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_plan_says_what_the_kernel_does(old in edited(), new in edited()) {
        // What nobody was let into tells nothing.
        let old: Vec<(&str, String)> = old.into_iter().map(|(path, text)| (path, text.replace("status: closed\n", ""))).collect();
        check(&old, &new);
    }
}
