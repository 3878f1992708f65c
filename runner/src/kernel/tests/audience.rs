//! Traits, segments and what they start; contacts that are joined; what is deleted when it is old.

use serde_json::json;

use super::*;
use crate::ingest::{Alias, Identification};
use crate::state::ContactId;

const AUDIENCE: &str = "workflows/shared.yaml";

/// A workflow `w` that sends `a`, with these shared traits and segments.
fn world(audience: &str, workflow: &str) -> World {
    World::with(SETTINGS, &[("workflows/w.yaml", &format!("workflow: w\n{workflow}")), (AUDIENCE, audience)], START)
}

#[test]
fn an_event_brings_into_a_segment() {
    world("segments: { buyers: { event: order, count: { at_least: 2 } } }", "trigger: { segment: buyers }\nsteps: [ send: a ]")
        .event("1h", "order", json!({}))
        .event("2h", "order", json!({}))
        .event("3h", "order", json!({}))
        .check("1d", &["2 hours enter w", "2 hours send a", "2 hours exit completed"]);
}

#[test]
fn time_alone_brings_into_a_segment_and_out() {
    world(
        "segments: { quiet: { all: [ { event: order }, { event: order, count: 0, within: 2 days } ] } }",
        "trigger: [ { segment: quiet }, { segment: quiet, change: leave } ]\nreentry: always\nsteps: [ send: a ]",
    )
    .event("0s", "order", json!({}))
    .event("3 days", "order", json!({}))
    .check(
        "30 days",
        &[
            "2 days 0.001 seconds enter w",
            "2 days 0.001 seconds send a",
            "2 days 0.001 seconds exit completed",
            "3 days enter w",
            "3 days send a",
            "3 days exit completed",
            "5 days 0.001 seconds enter w",
            "5 days 0.001 seconds send a",
            "5 days 0.001 seconds exit completed",
        ],
    );
}

#[test]
fn an_attribute_a_consent_and_a_list_bring_into_segments() {
    let audience =
        "segments: { pros: { contact.plan: pro }, keen: { topic: news }, beta: { list: true }, insiders: { segment: beta } }";
    let workflow =
        "trigger: [ { segment: pros }, { segment: keen }, { segment: insiders } ]\nreentry: always\nsteps: [ send: a ]";
    let mut world = world(audience, workflow);
    world.happens("1h", "ada", What::Set(object(json!({ "plan": "pro" }))));
    world.happens("2h", "ada", What::Subscribe("news".to_owned()));
    world.until("3h");
    let ada = ContactId(1);
    world.kernel.transaction(world.now, |kernel| kernel.store.set_listed(ada, "beta", true, kernel.now)).unwrap();
    world.ask("3h", InboxItem::Contacts(vec![ada]));
    world.check(
        "1d",
        &[
            "1 hour enter w",
            "1 hour send a",
            "1 hour exit completed",
            "2 hours enter w",
            "2 hours send a",
            "2 hours exit completed",
            "3 hours enter w",
            "3 hours send a",
            "3 hours exit completed",
        ],
    );
}

#[test]
fn a_sent_message_and_an_ended_run_count() {
    let audience = "segments: { mailed: { message: any, is: sent }, done: { workflow: w, is: completed } }\ntraits: { mails: { count: message_sent } }";
    let second = "workflow: second\ntrigger: { segment: done }\naudience: { all: [ { segment: mailed }, { contact.mails: 1 } ] }\nsteps: [ send: b ]";
    let first = "workflow: w\ntrigger: { event: go }\nsteps: [ send: a ]";
    World::with(SETTINGS, &[(AUDIENCE, audience), ("workflows/w.yaml", first), ("workflows/second.yaml", second)], START)
        .event("1h", "go", json!({}))
        .check(
            "1d",
            &[
                "1 hour enter w",
                "1 hour send a",
                "1 hour exit completed",
                "1 hour enter second",
                "1 hour send b",
                "1 hour exit completed",
            ],
        );
}

/// A trait is up to date for whatever the event that changes it starts.
#[test]
fn traits_are_up_to_date_in_the_same_instant() {
    world(
        "traits: { spent: { sum: event.total, of: order }, tier: { by: contact.spent, tiers: { gold: 100, iron: 0 } } }",
        "trigger: { event: order }\nreentry: always\nsteps:\n  - branch:\n      - { when: { contact.tier: gold }, steps: [ send: a ] }\n      - steps: [ send: b ]\n",
    )
    .event("1h", "order", json!({ "total": 60 }))
    .event("2h", "order", json!({ "total": 40 }))
    .check(
        "1d",
        &[
            "1 hour enter w",
            "1 hour branch 2",
            "1 hour send b",
            "1 hour exit completed",
            "2 hours enter w",
            "2 hours branch 1",
            "2 hours send a",
            "2 hours exit completed",
        ],
    );
}

#[test]
fn a_run_waits_for_what_time_makes_of_a_trait() {
    world(
        "traits: { orders_2d: { count: order, within: 2 days }, heat: { score: [ { event: order, points: 8 } ], halves_every: 1 day } }",
        "trigger: { event: order }\nsteps:\n  - wait_for: { contact.orders_2d: 0 }\n    within: 9 days\n  - send: a\n  - wait_for: { contact.heat: { below: 1.9 } }\n    within: 9 days\n  - send: b\n",
    )
    .event("0s", "order", json!({}))
    .check("30 days", &["0 seconds enter w", "2 days 0.001 seconds branch \"then\"", "2 days 0.001 seconds send a", "2 days 1 hour 46 minutes 33.651 seconds branch \"then\"", "2 days 1 hour 46 minutes 33.651 seconds send b", "2 days 1 hour 46 minutes 33.651 seconds exit completed"]);
}

#[test]
fn an_edit_is_silent_unless_it_says_backfill() {
    let workflow = "trigger: { segment: buyers }\nreentry: always\nsteps: [ send: a ]";
    let mut world = world("segments: { buyers: { event: order, count: { at_least: 5 } } }", workflow);
    world.event("1h", "order", json!({}));
    world.edit("2h", AUDIENCE, "segments: { buyers: { event: order } }");
    world.event("3h", "order", json!({}));
    world.edit("4h", AUDIENCE, "segments: { buyers: { event: order, within: 9 days, backfill: true } }");
    world.edit("5h", AUDIENCE, "segments: { buyers: { event: order, within: 9 days, backfill: true }, more: { event: order } }");
    world.check("1d", &["4 hours enter w", "4 hours send a", "4 hours exit completed"]);
}

#[test]
fn who_was_there_before_enters_nothing_and_who_comes_new_does() {
    let mut world = world("segments: { pros: { contact.plan: pro } }", "trigger: { segment: pros }\nsteps: [ send: a ]");
    world.feed(Input::Known(ContactInput {
        id: "old".to_owned(),
        attributes: object(json!({ "plan": "pro" })),
        ..Default::default()
    }));
    world.contact(json!({ "id": "new", "email": "new@example.com", "plan": "pro" }));
    world.check("1d", &["0 seconds new: enter w", "0 seconds new: send a", "0 seconds new: exit completed"]);
}

#[test]
fn history_counts_and_starts_nothing() {
    let mut world = world(
        "segments: { buyers: { event: order } }\ntraits: { spent: { sum: event.total, of: order } }",
        "trigger: { segment: buyers }\nsteps: [ send: a ]",
    );
    let what = What::Event { name: "order".to_owned(), properties: object(json!({ "total": 5 })), id: None };
    let at = world.start - 1000;
    world.feed(Input::History(Occurrence { at, contact: "ada".to_owned(), anonymous: false, what }));
    world.event("1h", "order", json!({ "total": 7 }));
    world.check("1d", &[]);
    assert_eq!(world.values("ada"), json!({ "spent": 12 }));
}

/// Segments that lead into each other by what their workflows do.
#[test]
fn a_circle_of_segments_ends() {
    let mut world = World::with(
        SETTINGS,
        &[
            (AUDIENCE, "segments: { on: { contact.light: true }, off: { contact.light: false } }"),
            (
                "workflows/a.yaml",
                "workflow: a\ntrigger: { segment: on }\nreentry: always\nsteps: [ set: { contact.light: false } ]",
            ),
            (
                "workflows/b.yaml",
                "workflow: b\ntrigger: { segment: off }\nreentry: always\nsteps: [ set: { contact.light: true } ]",
            ),
        ],
        START,
    );
    world.happens("1h", "ada", What::Set(object(json!({ "light": true }))));
    world.until("2h");
    let entries = world.seen.lock().unwrap().iter().filter(|line| line.contains("enter")).count();
    assert!((2..=64).contains(&entries), "{entries}");
}

#[test]
fn ranks_are_found_at_once_and_then_every_night() {
    let mut world = world(
        "traits: { spent: { sum: event.total, of: order }, band: { rank: contact.spent, into: 2 } }",
        "trigger: { manual: true }\nsteps: [ send: a ]",
    );
    for (who, total) in [("ada", 1), ("bea", 2), ("cem", 3), ("dan", 4)] {
        world.contact(json!({ "id": who }));
        let what = What::Event { name: "order".to_owned(), properties: object(json!({ "total": total })), id: None };
        world.happens("1h", who, what);
    }
    // Cut points were found when ada alone was there, with nothing spent.
    assert_eq!(world.values("ada"), json!({ "spent": 1, "band": 1 }));
    // The night of 28 March.
    world.until("17h");
    assert_eq!(world.values("ada"), json!({ "spent": 1, "band": 1 }));
    world.until("18h 1s");
    let bands: Vec<Value> = ["ada", "bea", "cem", "dan"].iter().map(|who| world.values(who)["band"].clone()).collect();
    assert_eq!(bands, [1, 1, 2, 2]);
    world.event("20h", "order", json!({ "total": 2 }));
    assert_eq!(world.values("ada"), json!({ "spent": 3, "band": 2 }));
}

#[test]
fn a_broadcast_goes_to_a_segment_of_traits() {
    let mut world = world(
        "traits: { spent: { sum: event.total, of: order } }\nsegments: { vips: { contact.spent: { at_least: 10 } } }",
        "trigger: { schedule: \"0 12 * * *\" }\naudience: { segment: vips }\nreentry: once\nsteps: [ send: a ]",
    );
    world.contact(json!({ "id": "bea", "email": "bea@example.com" }));
    world.event("1h", "order", json!({ "total": 10 }));
    world.check("1d", &["3 hours enter w", "3 hours send a", "3 hours exit completed"]);
}

fn identify(world: &mut World, user: &str, anonymous: Option<&str>, message: &str) {
    let contact = ContactInput { id: user.to_owned(), attributes: object(json!({ "name": user })), ..Default::default() };
    let (anonymous, message_id) = (anonymous.map(str::to_owned), Some(message.to_owned()));
    world.feed(Input::Identify(Identification { contact, anonymous, anonymous_only: false, message_id }));
}

fn browses(world: &mut World, at: &str, who: &str) {
    world.until(at);
    let at = world.start + Duration::parse(at).unwrap().millis();
    let what = What::Event { name: "view".to_owned(), properties: Map::new(), id: None };
    world.feed(Input::Occurrence(Occurrence { at, contact: who.to_owned(), anonymous: true, what }));
}

const JOINING: &str = "trigger: { event: view }\nsteps:\n  - wait: 2 hours\n  - set: { contact.seen: true }\n";

fn joining() -> World {
    world("traits: { views: { count: view } }\nsegments: { viewers: { event: view, count: { at_least: 2 } } }", JOINING)
}

#[test]
fn an_anonymous_contact_becomes_the_person_with_events_and_runs() {
    let mut world = joining();
    browses(&mut world, "1h", "anon");
    identify(&mut world, "bea", Some("anon"), "m1");
    browses(&mut world, "90 minutes", "anon");
    world.check("1d", &["1 hour anon: enter w", "3 hours bea: set {\"contact.seen\":true}", "3 hours bea: exit completed"]);
    assert_eq!(world.values("bea"), json!({ "views": 2 }));
    assert_eq!(world.values("anon"), json!({ "views": 2 }));
}

#[test]
fn an_anonymous_contact_is_joined_to_a_known_one() {
    let mut world = joining();
    browses(&mut world, "1h", "anon");
    world.event("90 minutes", "view", json!({}));
    identify(&mut world, "ada", Some("anon"), "m1");
    world.check(
        "1d",
        &[
            "1 hour anon: enter w",
            "1 hour 30 minutes enter w",
            "1 hour 30 minutes anon: exit superseded",
            "3 hours 30 minutes set {\"contact.seen\":true}",
            "3 hours 30 minutes exit completed",
        ],
    );
    assert_eq!(world.values("anon"), json!({ "views": 2 }));
}

#[test]
fn the_identify_may_come_first() {
    let mut world = joining();
    identify(&mut world, "bea", Some("anon"), "m1");
    browses(&mut world, "1h", "anon");
    world.check("1d", &["1 hour bea: enter w", "3 hours bea: set {\"contact.seen\":true}", "3 hours bea: exit completed"]);
}

/// Whoever can write events must not take over another person by naming their id.
#[test]
fn an_identify_does_not_join_two_persons_and_an_alias_does() {
    let mut world = joining();
    world.contact(json!({ "id": "bea" }));
    identify(&mut world, "ada", Some("bea"), "m1");
    let id = |world: &mut World, who: &str| world.kernel.store().contact_id(who).unwrap();
    assert_ne!(id(&mut world, "ada"), id(&mut world, "bea"));
    let alias = Alias { previous: "bea".to_owned(), contact: "ada".to_owned(), message_id: None };
    world.feed(Input::Alias(alias));
    assert_eq!(id(&mut world, "ada"), id(&mut world, "bea"));
}

#[test]
fn an_identify_counts_once() {
    let mut world = joining();
    identify(&mut world, "ada", None, "m1");
    world.happens("1h", "ada", What::Set(object(json!({ "name": "Ada" }))));
    identify(&mut world, "ada", None, "m1");
    let ada = world.kernel.store().contact(ContactId(1)).unwrap().unwrap();
    assert_eq!(ada.attributes["name"], "Ada");
    // The id may be made of anything, and is kept longer than the person.
    assert_eq!(world.kernel.store().received("message:m1").unwrap(), None);
}

/// Ada was erased, who was also known as `old`. Then this comes in; these are all the contacts afterwards, with their addresses.
#[track_caller]
fn check_erased(inputs: &[Input], expected: &[&str]) {
    let mut world = joining();
    world.feed(Input::Alias(Alias { previous: "old".to_owned(), contact: "ada".to_owned(), message_id: None }));
    world.happens("1h", "ada", What::Erase);
    for input in inputs {
        world.feed(input.clone());
    }
    let store = world.kernel.store();
    let contacts = store.contact_page(ContactId(0), 100).unwrap();
    let shown: Vec<String> =
        contacts.iter().map(|contact| format!("{} {}", contact.uid, contact.email.as_deref().unwrap_or("-"))).collect();
    assert_eq!(shown, expected);
    for id in ["ada", "old"] {
        assert_eq!(store.contact_id(id).unwrap(), None, "{id}");
    }
}

#[test]
fn who_was_erased_comes_back_by_no_call_whatever_came_before_it() {
    let said = |id: &str, email: Option<&str>, anonymous: Option<&str>, anonymous_only| {
        let contact = ContactInput { id: id.to_owned(), email: email.map(str::to_owned), ..Default::default() };
        Input::Identify(Identification { contact, anonymous: anonymous.map(str::to_owned), anonymous_only, message_id: None })
    };
    let views = |id: &str, anonymous| {
        let what = What::Event { name: "view".to_owned(), properties: Map::new(), id: None };
        Input::Occurrence(Occurrence { at: 1, contact: id.to_owned(), anonymous, what })
    };
    let alias = |previous: &str, id: &str| {
        Input::Alias(Alias { previous: previous.to_owned(), contact: id.to_owned(), message_id: None })
    };
    let email = Some("Ada@Example.com");
    check_erased(&[said("ada", None, None, false), views("ada", false), views("old", true)], &[]);
    check_erased(&[said("new", email, None, false)], &[]);
    check_erased(&[said("anon", email, None, true)], &[]);
    check_erased(&[views("anon", true), said("anon", email, None, true)], &["anon -"]);
    check_erased(&[views("anon", true), said("new", email, Some("anon"), false)], &["anon -"]);
    check_erased(&[views("new", false), said("new", email, None, false)], &["new -"]);
    check_erased(&[alias("ada", "new"), views("ada", false)], &[]);
    check_erased(&[views("new", false), alias("ada", "new"), alias("old", "new")], &["new -"]);
    check_erased(&[views("new", false), said("new", None, Some("old"), false)], &["new -"]);
    check_erased(&[said("new", None, None, false), said("new", Some("bo@example.com"), None, false)], &["new bo@example.com"]);
}

#[test]
fn old_events_go_and_what_they_came_to_stays() {
    let settings = format!("{SETTINGS}retention: {{ events: 10 days, messages: 10 days }}\n");
    let audience = "traits: { spent: { sum: event.total, of: order } }\nsegments: { buyers: { event: order } }";
    let workflow = "workflow: w\ntrigger: { segment: buyers, change: leave }\nsteps: [ send: a ]";
    let mut world = World::with(&settings, &[(AUDIENCE, audience), ("workflows/w.yaml", workflow)], START);
    world.event("1h", "order", json!({ "total": 5 }));
    world.until("9 days");
    assert_eq!(world.kernel.store().events(ContactId(1), "order", 0, true).unwrap().len(), 1);
    // The first night after ten days, at four.
    world.check("12 days", &["10 days 18 hours enter w", "10 days 18 hours send a", "10 days 18 hours exit completed"]);
    assert_eq!(world.kernel.store().events(ContactId(1), "order", 0, true).unwrap().len(), 0);
    assert_eq!(world.values("ada"), json!({ "spent": 5 }));
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

impl World {
    /// The contact's traits as they are now.
    pub(super) fn values(&mut self, who: &str) -> Value {
        let now = self.now;
        let contact = self.kernel.transaction(now, |kernel| {
            let id = kernel.store.contact_id(who)?.unwrap();
            kernel.load_contact(id)
        });
        contact
            .unwrap()
            .traits
            .iter()
            .map(|(name, value)| (name.clone(), value.at(now).into_owned()))
            .collect::<Map<_, _>>()
            .into()
    }
}
