//! Experiments: what counts for a variant, and what follows when one has won.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{SETTINGS, START, World};
use crate::ingest::What;
use crate::state::{Contest, VariantCount};

const VARIANTS: &str = "x: { weight: 1, steps: [ { send: a } ] }, y: { weight: 1, steps: [ { send: b } ] }";
const WINNER: &str = "winner: { metric: clicked, after: 40, confidence: 95% }";

fn file(goal: &str, variants: &str, winner: &str) -> String {
    format!(
        "workflow: w\ntrigger: {{ event: e }}\nreentry: always\n{goal}\nsteps:\n  - experiment: split\n    variants: {{ {variants} }}\n    {winner}\n"
    )
}

fn world(goal: &str, variants: &str, winner: &str) -> World {
    World::with(SETTINGS, &[("workflows/w.yaml", &file(goal, variants, winner))], START)
}

fn name(number: usize) -> String {
    format!("c{number}")
}

impl World {
    /// Contacts of these numbers enter, and come out with their variants.
    fn enter_all(&mut self, at: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
        for id in numbers.clone().map(name) {
            self.contact(json!({ "id": id, "email": format!("{id}@example.com") }));
            self.did(at, &id, "e", json!({}));
        }
        numbers.map(|number| self.given(&name(number))).collect()
    }

    fn did(&mut self, at: &str, who: &str, what: &str, properties: Value) {
        let properties: Map<String, Value> = serde_json::from_value(properties).unwrap();
        self.happens(at, who, What::Event { name: what.to_owned(), properties, id: None });
    }

    fn given(&mut self, who: &str) -> String {
        let contact = self.kernel.store.contact_id(who).unwrap().unwrap();
        let workflow = self.kernel.store.find_workflow("w").unwrap().unwrap();
        self.kernel.store.assignment(workflow, "split", contact).unwrap().unwrap()
    }

    /// Contacts of this share of the hundreds click, of those who were given the variant.
    fn click(&mut self, at: &str, variants: &[String], variant: &str, share: usize) {
        let template = if variant == "x" { "a" } else { "b" };
        let of_it = (0..variants.len()).filter(|number| variants[*number] == variant);
        for (place, number) in of_it.enumerate() {
            if place * 37 % 100 < share {
                self.did(at, &name(number), "message_clicked", json!({ "template": template }));
            }
        }
    }

    fn counts(&mut self) -> BTreeMap<String, VariantCount> {
        let counts = self.kernel.store.variant_counts(None).unwrap();
        counts.into_iter().map(|count| (count.variant.clone(), count)).collect()
    }

    fn contest(&mut self) -> Option<Contest> {
        self.kernel.store.contests().unwrap().pop()
    }

    fn winner(&mut self) -> Option<String> {
        self.contest().and_then(|contest| contest.winner).map(|won| won.variant)
    }

    /// Who has won when ada comes.
    fn winner_at(&mut self, at: &str) -> Option<String> {
        self.event(at, "e", json!({}));
        self.winner()
    }
}

#[test]
fn the_winner_is_everyone_s() {
    let mut world = world("", &format!("{VARIANTS}, none: {{ weight: 0.5 }}"), WINNER);
    let variants = world.enter_all("0s", 0..100);
    for variant in ["x", "y", "none"] {
        assert!(variants.iter().any(|given| given == variant), "{variants:?}");
    }
    world.click("1h", &variants, "x", 60);
    assert_eq!((world.winner(), world.winner_at("2h").as_deref()), (None, Some("x")));
    let before = world.counts();
    let won = world.contest().unwrap().winner.unwrap();
    assert!(won.at > world.start && won.p < won.needed && won.figures.len() == 2, "{won:?}");
    // Whoever comes now gets it, also those who had another variant, who had none, and who are new; nobody of them counts any more.
    world.seen.lock().unwrap().clear();
    for number in 0..100 {
        world.did("2h", &name(number), "e", json!({}));
    }
    let new = world.enter_all("3h", 100..140);
    assert_eq!(new, vec!["x"; 40]);
    let sent = |template: &str, world: &World| {
        world.seen.lock().unwrap().iter().filter(|line| line.ends_with(&format!("send {template}"))).count()
    };
    assert_eq!((sent("a", &world), sent("b", &world)), (140, 0));
    assert_eq!(world.counts(), before);
    // What they were given first stays what it was.
    assert_eq!((0..100).map(|number| world.given(&name(number))).collect::<Vec<_>>(), variants);
    // It is decided once.
    world.click("4h", &variants, "y", 100);
    assert_eq!(world.winner_at("5h").as_deref(), Some("x"));
}

#[test]
fn nobody_wins_too_soon_or_by_chance() {
    let check = |contacts: usize, shares: (usize, usize), winner: Option<&str>| {
        let mut world = world("", VARIANTS, WINNER);
        let variants = world.enter_all("0s", 0..contacts);
        // Which comes first says nothing.
        world.click("1h", &variants, "y", shares.1);
        world.click("1h", &variants, "x", shares.0);
        assert_eq!(world.winner_at("2h").as_deref(), winner, "{contacts} {shares:?} {:?}", world.contest());
    };
    check(39, (80, 5), None);
    check(40, (80, 0), Some("x"));
    check(80, (5, 70), Some("y"));
    check(80, (50, 50), None);
    check(80, (0, 0), None);
}

#[test]
fn an_edit_may_take_the_winner_away() {
    let check = |edited: &str, kept: bool| {
        let mut world = world("", VARIANTS, WINNER);
        let variants = world.enter_all("0s", 0..60);
        world.click("1h", &variants, "x", 80);
        assert_eq!(world.winner_at("2h").as_deref(), Some("x"));
        world.edit("2h", "workflows/w.yaml", edited);
        assert_eq!(world.winner().is_some(), kept, "{edited}");
        world.edit("3h", "workflows/w.yaml", &file("", VARIANTS, WINNER));
        assert_eq!(world.winner().is_some(), kept, "{edited}");
    };
    check(&file("", &VARIANTS.replace("weight: 1", "weight: 7"), WINNER), true);
    check(&file("", VARIANTS, "winner: { metric: opened, after: 9000, confidence: 99% }"), true);
    check("", true);
    check(&file("", VARIANTS, ""), false);
    check(&file("", &VARIANTS.replace("x:", "z:"), WINNER), false);
    check(&file("", VARIANTS, WINNER).replace("split", "other"), false);
    check("workflow: w\ntrigger: { event: e }\nsteps: [ { send: a } ]\n", false);
}

#[test]
fn only_what_people_did_with_the_run_s_own_messages_counts() {
    let workflow = "workflow: w\ntrigger: { event: e }\nreentry: always\nsteps:\n  - send: c\n  - wait: 1 day\n  - experiment: split\n    variants: { x: { weight: 1, steps: [ { send: a } ] } }\n";
    let other = "workflow: v\ntrigger: { event: f }\nsteps: [ { send: b } ]\n";
    let mut world = World::with(SETTINGS, &[("workflows/w.yaml", workflow), ("workflows/v.yaml", other)], START);
    world.event("0s", "e", json!({})).event("0s", "f", json!({}));
    world.event("2d", "message_clicked", json!({ "template": "c" }));
    world.event("2d", "message_clicked", json!({ "template": "b" }));
    world.event("2d", "message_clicked", json!({ "template": "a", "machine": true }));
    world.event("2d", "message_opened", json!({ "template": "nothing" }));
    assert_eq!((world.counts()["x"].assigned, world.counts()["x"].clicked, world.counts()["x"].opened), (1, 0, 0));
    world.event("2d", "message_clicked", json!({ "template": "a" })).event("3d", "message_clicked", json!({ "template": "a" }));
    world.event("3d", "message_opened", json!({ "template": "a" }));
    assert_eq!((world.counts()["x"].clicked, world.counts()["x"].opened), (1, 1));
    // A second run of the same contact is no second contact.
    world.event("4d", "e", json!({})).event("6d", "message_clicked", json!({ "template": "a" }));
    assert_eq!((world.counts()["x"].assigned, world.counts()["x"].clicked), (1, 1));
}

/// Hold-outs end at once, and those who are written to do not: the goal counts for both for as long.
#[test]
fn goals_count_after_the_run_has_ended() {
    let check = |goal: &str, variant: &str, bought: &[&str], expected: (u64, f64)| {
        let variants = match variant {
            "none" => "none: { weight: 1 }".to_owned(),
            steps => format!("v: {{ weight: 1, steps: [ {steps} ] }}"),
        };
        let mut world = world(goal, &variants, "");
        world.event("1d", "bought", json!({ "total": 1 })).event("2d", "e", json!({}));
        for at in bought {
            world.event(at, "bought", json!({ "total": 20.5 }));
        }
        let count = world.counts().into_values().next().unwrap();
        assert_eq!((count.goals, count.value), expected, "{goal} {variant} {bought:?}");
    };
    let within = "goal: { event: bought, within: 7 days, value: event.total }";
    let open = "goal: { event: bought, value: event.total }";
    for variant in ["none", "{ send: a }", "{ wait: 40 days }"] {
        check(within, variant, &[], (0, 0.0));
        check(within, variant, &["9d"], (1, 20.5));
        check(within, variant, &["3d", "4d"], (1, 20.5));
        check(within, variant, &["9d 1 second"], (0, 0.0));
        check(open, variant, &["32d"], (1, 20.5));
        check(open, variant, &["32d 1 second"], (0, 0.0));
        check("goal: { event: bought, count: 2, stay: true }", variant, &["3d"], (0, 0.0));
        check("goal: { event: bought, count: 2, stay: true }", variant, &["3d", "5d"], (1, 0.0));
        check("", variant, &["3d"], (0, 0.0));
    }
}
