//! Whatever happens, in whatever order, with edits, joins, restarts and failed turns in between: what is kept says the same as what is worked out anew,
//! and as the store's own answer.

use std::collections::BTreeSet;

use serde_json::json;

use super::audience::object;
use super::*;
use crate::ingest::{Alias, Identification};
use crate::state::{ContactId, TraitValue};
use crate::store::{Outdated, Question, SqliteStore, StoreError};

const AUDIENCE: &str = "workflows/shared.yaml";
const HOUR: i64 = 3_600_000;

const AUDIENCES: [&str; 3] = [
    "traits:
  spent: { sum: event.total, of: order }
  week: { count: order, within: 7 days }
  dearest: { max: event.total, of: order, within: 5 days }
  last_at: { last: order }
  place: { rank: contact.spent, into: 3 }
  warmth: { rank: contact.heat, into: 4 }
  heat: { score: [ { event: order, points: 5 }, { event: view, points: 1 } ], halves_every: 1 day }
  band: { by: contact.heat, tiers: { hot: 5, warm: 1, cold: 0 } }
  life: { first_match: { lost: { all: [ { event: order }, { event: order, count: 0, within: 4 days } ] }, pro: { contact.plan: pro } }, otherwise: new }
segments:
  buyers: { event: order, count: { at_least: 2 } }
  quiet: { all: [ { event: order }, { event: order, count: 0, within: 2 days } ] }
  warm: { contact.heat: { at_least: 2 } }
  lost: { contact.life: lost }
  soon: { contact.trial: { within: { next: 3 days } } }
  ended: { contact.trial: { before: now } }
  keen: { all: [ { topic: offers }, { segment: buyers } ] }
  rich: { event: order, within: 3 days, sum: { of: event.total, above: 50 } }
  inside: { workflow: w, is: active }
",
    "traits:
  spent: { sum: event.total, of: order, where: { event.total: { above: 5 } } }
  last_at: { last: order }
  recent: { by: contact.week, tiers: { many: 3, few: 1 } }
  week: { count: order, within: 6 days }
segments:
  buyers: { event: order, count: { at_least: 2 } }
  quiet: { all: [ { event: order }, { event: order, count: 0, within: 3 days } ] }
  few: { contact.recent: few }
  keen: { all: [ { topic: offers }, { segment: buyers } ] }
  fresh: { contact.last_at: { after: 2 days ago } }
",
    "segments: { only: { contact.plan: { is_not: pro } } }\n",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn input(dice: &mut Dice, now: i64) -> Input {
    let who = format!("c{}", dice.roll(6));
    let occurrence = |what, at| Input::Occurrence(Occurrence { at, contact: who.clone(), anonymous: false, what });
    match dice.roll(13) {
        12 if dice.roll(3) == 0 => occurrence(What::Erase, now),
        0..5 => {
            let name = ["order", "view"][dice.roll(2) as usize].to_owned();
            let at = now - 30 * HOUR + dice.roll(45) as i64 * HOUR;
            let what = What::Event { name, properties: object(json!({ "total": dice.roll(40) })), id: None };
            if dice.roll(6) == 0 {
                Input::History(Occurrence { at, contact: who, anonymous: true, what })
            } else {
                Input::Occurrence(Occurrence { at, contact: who, anonymous: dice.roll(2) == 0, what })
            }
        }
        5 => occurrence(What::Set(object(json!({ "plan": (["pro", "free"])[dice.roll(2) as usize] }))), now),
        6 => {
            let day = 25 + dice.roll(6);
            occurrence(What::Set(object(json!({ "trial": format!("2026-03-{day}") }))), now)
        }
        7 => {
            let zone = ["America/New_York", "Asia/Tokyo", "Nowhere/Land"][dice.roll(3) as usize];
            occurrence(What::Set(object(json!({ "time_zone": zone }))), now)
        }
        8 => occurrence(What::Subscribe("offers".to_owned()), now),
        9 => occurrence(What::Unsubscribe("all".to_owned()), now),
        10 => Input::Alias(Alias { previous: who, contact: format!("c{}", dice.roll(6)), message_id: None }),
        _ => {
            let contact = ContactInput { id: format!("c{}", dice.roll(6)), ..Default::default() };
            Input::Identify(Identification { contact, anonymous: Some(who), anonymous_only: false, message_id: None })
        }
    }
}

fn agree(world: &mut World, seed: u64, step: usize) {
    let now = world.now;
    let plan = world.kernel.plan.clone();
    let catalog = plan.catalog.clone();
    world
        .kernel
        .transaction(now, |kernel| {
            let mut kept: Vec<(String, BTreeSet<i64>)> = Vec::new();
            let ids = kernel.store.contacts_after(ContactId(0), crate::store::ZoneFilter::All, 1000)?;
            for (_, name) in plan.audience.segments() {
                kept.push((name.to_owned(), BTreeSet::new()));
            }
            for id in ids {
                let contact = kernel.load_contact(id)?;
                let moment = crate::standing::Moment { now, last_event: kernel.last_event };
                let nothing = crate::standing::Happened::Nothing;
                let known = kernel.definitions.look(&mut *kernel.store, contact.clone(), nothing, moment)?;
                assert!(!known.changed, "seed {seed} step {step}: {contact:?}");
                let mut blank = contact.clone();
                (blank.traits, blank.upkeep) = (Default::default(), Default::default());
                let anew = kernel.definitions.look(&mut *kernel.store, blank, nothing, moment)?;
                let values = |contact: &crate::state::Contact| -> Vec<(String, String)> {
                    let text = |value: &TraitValue| match value.at(now).into_owned() {
                        Value::Number(number) => format!("{:.9}", number.as_f64().unwrap()),
                        other => other.to_string(),
                    };
                    contact.traits.iter().map(|(name, value)| (name.clone(), text(value))).collect()
                };
                assert_eq!(values(&known.contact), values(&anew.contact), "seed {seed} step {step} {}", contact.uid);
                for (number, (place, name)) in plan.audience.segments().enumerate() {
                    let inside = known.standing.since(place).is_some();
                    assert_eq!(inside, anew.standing.since(place).is_some(), "seed {seed} step {step} {} {name}", contact.uid);
                    if inside {
                        kept[number].1.insert(id.0);
                    }
                }
                if let Some(recheck) = contact.upkeep.recheck {
                    assert!(recheck > now, "seed {seed} step {step}");
                }
            }
            for (name, members) in kept {
                let question = Question {
                    condition: &catalog.segments[&name],
                    segments: &catalog.segments,
                    settings: &catalog.settings,
                    now,
                    outdated: Outdated::Include(plan.audience.version),
                };
                let found: BTreeSet<i64> =
                    kernel.store.matching(&question, ContactId(0), 1000)?.into_iter().map(|id| id.0).collect();
                assert_eq!(found, members, "seed {seed} step {step} {name}");
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_is_kept_is_what_there_is() {
    for seed in 0..6 {
        let mut dice = Dice(seed * 7919 + 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let workflow = "workflow: w\ntrigger: [ { segment: buyers }, { event: view } ]\nreentry: always\nsteps: [ wait: 5 hours, { record: view }, { set: { contact.plan: pro } } ]";
        let open = |files: &BTreeMap<String, String>, now| {
            let options = Options::default();
            Kernel::open(Box::new(SqliteStore::open(&path).unwrap()), plan(files, None), options, now).unwrap()
        };
        let mut world = World::with(SETTINGS, &[("workflows/w.yaml", workflow), (AUDIENCE, AUDIENCES[0])], START);
        world.kernel = open(&world.files, world.now);
        for step in 0..60 {
            match dice.roll(12) {
                0 => {
                    let number = dice.roll(3) as usize;
                    world.files.insert(AUDIENCE.to_owned(), AUDIENCES[number].to_owned());
                    let trigger = if number == 2 { "{ event: order }" } else { "{ segment: buyers }" };
                    world.files.insert("workflows/w.yaml".to_owned(), workflow.replace("{ segment: buyers }", trigger));
                    let new = plan(&world.files, Some(world.kernel.plan()));
                    world.kernel.reload(new, world.now).unwrap();
                }
                1 => {
                    let (files, now) = (world.files.clone(), world.now);
                    let spare = Kernel::open(Box::new(Both::new()), plan(&files, None), Options::default(), now);
                    // The old one goes before the new one comes.
                    drop(std::mem::replace(&mut world.kernel, spare.unwrap()));
                    world.kernel = open(&files, now);
                }
                2..5 => {
                    let hours = 1 + dice.roll(40) as i64;
                    let end = world.now + hours * HOUR;
                    if dice.roll(2) == 0 {
                        while let Some(wake) = world.kernel.next_wake().unwrap().filter(|wake| *wake < end) {
                            world.now = world.now.max(wake);
                            world.settle(Vec::new());
                        }
                    }
                    world.now = end;
                }
                5 => {
                    // A turn that fails.
                    let (one, now) = (input(&mut dice, world.now), world.now);
                    let failed = world.kernel.transaction(now, |kernel| {
                        kernel.take(&one)?;
                        kernel.follow_up()?;
                        Err::<(), _>(StoreError::Damaged { what: "disk", why: String::new() })
                    });
                    assert!(failed.is_err());
                }
                _ => {
                    let one = input(&mut dice, world.now);
                    world.kernel.turn(world.now, &[one]).unwrap();
                }
            }
            if dice.roll(3) == 0 {
                world.settle(Vec::new());
                agree(&mut world, seed, step);
            }
        }
    }
}
