//! By example, and: kept up to date is the same as worked out anew.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;

use dsl::model::Fate;
use dsl::{ProjectFiles, compile};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::rank::Cuts;
use super::*;
use crate::audience::Facts;
use crate::state::{Contact, Event, EventId};
use crate::store::{FateRow, RunHistory};

const DAY: i64 = 86_400_000;
/// Times in the tests count from here.
const T: i64 = 1_790_000_000_000;

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\n";

/// One contact, and everything that happened to them.
struct World {
    audience: Arc<Audience>,
    catalog: dsl::model::Catalog,
    ranks: HashMap<NodeKey, Cuts>,
    held: Held,
    standing: Option<Standing>,
    now: i64,
    crossings: Vec<String>,
}

#[derive(Clone)]
struct Held {
    contact: Contact,
    events: BTreeMap<String, Vec<Event>>,
    next: i64,
}

impl Facts for Held {
    type Error = Infallible;

    fn contact(&self) -> &Contact {
        &self.contact
    }

    fn events(&mut self, name: &str, from: i64, _: bool) -> Result<Rc<Vec<Event>>, Infallible> {
        let mut events = self.events.get(name).cloned().unwrap_or_default();
        events.retain(|event| event.at >= from);
        Ok(Rc::new(events))
    }

    fn fates(&mut self, _: Fate, _: i64) -> Result<Vec<FateRow>, Infallible> {
        Ok(Vec::new())
    }

    fn listed(&mut self, _: &str) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn workflow(&mut self, _: &str) -> Result<RunHistory, Infallible> {
        Ok(RunHistory::default())
    }
}

impl FactsMut for Held {
    fn contact_mut(&mut self) -> &mut Contact {
        &mut self.contact
    }
}

impl World {
    /// `audience`: the traits and segments of a file under workflows/.
    fn new(audience: &str) -> World {
        let files = ProjectFiles::from_texts([("campaignd.yaml", SETTINGS), ("workflows/shared.yaml", audience)]);
        let compiled = compile(&files);
        let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
        World {
            audience: Arc::new(Audience::new(&catalog)),
            catalog,
            ranks: HashMap::new(),
            held: Held { contact: Contact::new("ada"), events: BTreeMap::new(), next: 1 },
            standing: None,
            now: T,
            crossings: Vec::new(),
        }
    }

    fn update(&mut self, known: Known, happened: Happened<'_>) {
        let zone = dsl::time::zone("Europe/Berlin").unwrap();
        let terms = Terms {
            audience: &self.audience,
            settings: &self.catalog.settings,
            segments: &self.catalog.segments,
            ranks: &self.ranks,
            zone: &zone,
            project_zone: &zone,
            now: self.now,
            last_event: EventId(self.held.next - 1),
        };
        let mut crossings = Vec::new();
        let Ok((standing, _)) = update(&terms, &mut self.held, known, happened, &mut crossings);
        self.standing = Some(standing);
        let said = |crossing: Crossing| format!("{}{}", if crossing.entered { "+" } else { "-" }, crossing.segment);
        self.crossings.extend(crossings.into_iter().map(said));
    }

    fn go_on(&mut self, happened: Happened<'_>) {
        let known = self.standing.take().map_or(Known::New, Known::Kept);
        self.update(known, happened);
    }

    /// At `now`: an event that happened at this time.
    fn did(&mut self, name: &str, at: i64, properties: Value) {
        let event = Event { id: EventId(self.held.next), at, properties, message: None };
        self.held.next += 1;
        let events = self.held.events.entry(name.to_owned()).or_default();
        events.push(event.clone());
        events.sort_by_key(|event| (event.at, event.id));
        self.go_on(Happened::Event { name, event: &event });
    }

    /// Lets the time pass, looking whenever the standing says so.
    fn until(&mut self, time: i64) {
        while let Some(recheck) = self.standing.as_ref().and_then(Standing::recheck).filter(|recheck| *recheck <= time) {
            assert!(recheck > self.now || self.now == T, "a recheck at {recheck} does not come after {}", self.now);
            self.now = self.now.max(recheck);
            self.go_on(Happened::Nothing);
        }
        self.now = time;
    }

    fn traits(&self) -> Value {
        Value::Object(
            self.held.contact.traits.iter().map(|(name, value)| (name.clone(), value.at(self.now).into_owned())).collect(),
        )
    }

    /// Traits and memberships, when everything is worked out from nothing.
    fn anew(&self) -> (Value, Vec<String>) {
        let mut other = World {
            audience: self.audience.clone(),
            catalog: self.catalog.clone(),
            ranks: self.ranks.clone(),
            held: self.held.clone(),
            standing: None,
            now: self.now,
            crossings: Vec::new(),
        };
        other.held.contact.traits = Default::default();
        other.update(Known::Never, Happened::Nothing);
        (other.traits(), other.members())
    }

    fn members(&self) -> Vec<String> {
        let Some(standing) = &self.standing else { return Vec::new() };
        let inside = |(place, name): (usize, &str)| standing.since(place).map(|_| name.to_owned());
        self.audience.segments().filter_map(inside).collect()
    }
}

const KINDS: &str = "
traits:
  spent: { sum: event.total, of: order }
  spent_10d: { sum: event.total, of: order, within: 10 days }
  orders: { count: order }
  orders_10d: { count: order, within: 10 days }
  average: { avg: event.total, of: order, within: 20 days }
  least: { min: event.total, of: order, within: 10 days }
  most: { max: event.total, of: order }
  first_order: { first: order, within: 20 days }
  last_order: { last: order }
  last_total: { last: event.total, of: order, within: 10 days }
  big: { count: order, where: { event.total: { above: 50 } }, within: 10 days }
  score: { score: [ { event: order, points: 10 }, { event: view, points: 1 } ], halves_every: 5 days }
  points: { score: [ { event: view, points: 2, where: { event.deep: true } } ] }
  tier: { by: contact.spent_10d, tiers: { high: 100, low: 20 } }
  warmth: { by: contact.score, tiers: { hot: 15, warm: 4 } }
  stage: { first_match: { loyal: { contact.orders: { at_least: 3 } }, asleep: { all: [ { event: order }, { event: order, count: 0, within: 10 days } ] }, active: { event: order, within: 10 days } }, otherwise: prospect }
segments:
  quiet: { event: order, count: 0, within: 15 days }
  hot: { contact.score: { above: 12 } }
  loyal: { contact.stage: loyal }
  high_or_hot: { any: [ { segment: hot }, { contact.tier: high } ] }
";

#[test]
fn values_after_a_history() {
    let mut world = World::new(KINDS);
    world.go_on(Happened::Nothing);
    world.did("order", T, json!({ "total": 60.1 }));
    world.until(T + 2 * DAY);
    world.did("order", T + 2 * DAY, json!({ "total": 49.9 }));
    assert_eq!(
        world.traits(),
        json!({
            "spent": 110, "spent_10d": 110, "orders": 2, "orders_10d": 2, "average": 55, "least": 49.9, "most": 60.1,
            "first_order": "2026-09-21T16:13:20+02:00", "last_order": "2026-09-23T16:13:20+02:00", "last_total": 49.9, "big": 1,
            "score": 10.0 + 10.0 * 0.4_f64.exp2().recip(), "points": 0, "tier": "high", "warmth": "hot", "stage": "active",
        })
    );
    assert_eq!(world.members(), ["high_or_hot", "hot"]);
    world.until(T + 13 * DAY);
    assert_eq!(world.held.contact.traits["stage"].at(0).into_owned(), json!("asleep"));
    assert_eq!(world.held.contact.traits["spent"].at(0).into_owned(), json!(110));
    assert_eq!(world.held.contact.traits["spent_10d"].at(0).into_owned(), json!(0));
    assert_eq!(world.held.contact.traits.get("last_total"), None);
    world.until(T + 30 * DAY);
    assert_eq!(world.crossings, ["+quiet", "-quiet", "+high_or_hot", "+hot", "-hot", "-high_or_hot", "+quiet"]);
}

/// An event that another process stored counts once, whether its word comes before or after everything was worked out anew.
#[test]
fn what_was_stored_counts_once() {
    let mut world = World::new(KINDS);
    let event = Event { id: EventId(1), at: T, properties: json!({ "total": 5 }), message: None };
    world.held.events.insert("order".to_owned(), vec![event.clone()]);
    world.held.next = 2;
    world.go_on(Happened::Nothing);
    world.go_on(Happened::Event { name: "order", event: &event });
    assert_eq!((&world.traits()["orders"], &world.traits()["score"]), (&json!(1), &json!(10.0)));
    let late = Event { id: EventId(2), at: T, properties: json!({ "total": 7 }), message: None };
    world.held.events.get_mut("order").unwrap().push(late.clone());
    world.go_on(Happened::Event { name: "order", event: &late });
    assert_eq!(world.traits()["spent"], json!(12));
}

#[test]
fn an_edit_keeps_what_means_the_same() {
    let before = "traits: { orders: { count: order }, old: { count: view } }\nsegments: { buyers: { event: order } }";
    let after = "traits: { orders: { count: order }, views: { count: view } }\nsegments: { buyers: { event: order }, viewers: { event: view } }";
    let mut world = World::new(before);
    world.did("order", T, json!({}));
    world.did("view", T, json!({}));
    // Retention deleted it; what was counted stays counted.
    world.held.events.remove("order");
    let (old, layout) = (world.standing.take().unwrap(), world.audience.layout());
    let edited = World::new(after);
    assert_ne!(edited.audience.version, world.audience.version);
    (world.audience, world.catalog) = (edited.audience, edited.catalog);
    world.crossings.clear();
    world.update(Known::Older(old, layout.into()), Happened::Nothing);
    assert_eq!(world.traits(), json!({ "orders": 1, "views": 1 }));
    assert_eq!(world.members(), ["viewers"]);
    // Who was a buyer no longer is one, which is a crossing; who is a viewer by an edit was there already.
    assert_eq!(world.crossings, ["-buyers"]);
}

/// Each names the one before twice: followed without remembering, that would be 2^60 ways.
#[test]
fn segments_that_double_are_made_ready_at_once() {
    let first = "segments:\n  s0: { event: order, where: { event.total: 5 }, within: 3 days }\n".to_owned();
    let doubling =
        |text: String, n: usize| text + &format!("  s{n}: {{ any: [ {{ segment: s{0} }}, {{ segment: s{0} }} ] }}\n", n - 1);
    let world = World::new(&(1..=60).fold(first, doubling));
    assert_eq!(world.audience.reach("order").and_then(|reach| reach.widest), Some(3 * DAY));
}

#[test]
fn backfill_tells_of_those_who_are_there() {
    let mut world = World::new("segments: { plain: { event: order }, told: { event: order, backfill: true } }");
    let event = Event { id: EventId(1), at: T, properties: json!({}), message: None };
    world.held.events.insert("order".to_owned(), vec![event]);
    world.update(Known::Never, Happened::Nothing);
    assert_eq!((world.members().len(), world.crossings), (2, vec!["+told".to_owned()]));
}

#[test]
fn ranks_follow_the_value_among_the_cuts() {
    let mut world = World::new("traits: { spent: { sum: event.total, of: order }, band: { rank: contact.spent, into: 3 } }");
    let key = world.audience.ranks().next().unwrap().1;
    world.did("order", T, json!({ "total": 5 }));
    assert_eq!(world.traits(), json!({ "spent": 5 }));
    world.ranks.insert(key, Cuts { at: T, cuts: vec![5.0, 10.0], ranked: 0 });
    world.go_on(Happened::Causes(&[Cause::Ranks]));
    assert_eq!(world.traits()["band"], json!(2));
    world.did("order", T, json!({ "total": 5 }));
    assert_eq!(world.traits()["band"], json!(3));
}

/// Groups as SQL's NTILE makes them, but for equal values.
#[test]
fn cuts_divide_like_ntile() {
    #[track_caller]
    fn check(values: &[f64], into: u32, ranks: &[usize]) {
        let cuts = Cuts::find(values.to_vec(), into, 0);
        assert_eq!(values.iter().map(|value| cuts.rank(*value)).collect::<Vec<_>>(), ranks);
    }
    check(&[1., 2., 3., 4., 5., 6., 7., 8., 9., 10.], 5, &[1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    check(&[1., 2., 3., 4., 5., 6., 7.], 5, &[1, 1, 2, 2, 3, 4, 5]);
    check(&[7., 7., 7.], 3, &[3, 3, 3]);
    check(&[1., 2.], 5, &[1, 2]);
    check(&[], 5, &[]);
}

#[derive(Debug, Clone)]
enum Step {
    /// Name, how long ago it happened (negative: in the future), its total, and a flag.
    Did(&'static str, i64, i64, bool),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let ago = prop_oneof![5 => Just(0), 2 => 0..25 * DAY, 1 => -3 * DAY..0, 1 => Just(10 * DAY), 1 => Just(10 * DAY + 1)];
    prop_oneof![
        3 => (prop_oneof![Just("order"), Just("view")], ago, 0..120i64, any::<bool>())
            .prop_map(|(name, ago, total, deep)| Step::Did(name, ago, total, deep)),
        2 => prop_oneof![0..DAY, 0..12 * DAY, Just(5 * DAY)].prop_map(Step::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn kept_up_to_date_is_as_worked_out_anew(steps in proptest::collection::vec(step(), 1..25)) {
        let mut world = World::new(KINDS);
        world.go_on(Happened::Nothing);
        for step in steps {
            match step {
                Step::Did(name, ago, total, deep) => {
                    let at = world.now - ago;
                    world.did(name, at, json!({ "total": total, "deep": deep }));
                }
                Step::Pass(span) => { let to = world.now + span; world.until(to) }
            }
            let (traits, members) = world.anew();
            prop_assert_eq!(rounded(world.traits()), rounded(traits));
            prop_assert_eq!(world.members(), members);
        }
    }
}

/// What fades is summed up in another order.
fn rounded(traits: Value) -> Value {
    let Value::Object(traits) = traits else { return traits };
    let round = |value: Value| match value.as_f64() {
        Some(number) => json!((number * 1e6).round() / 1e6),
        None => value,
    };
    traits.into_iter().map(|(name, value)| (name, round(value))).collect()
}
