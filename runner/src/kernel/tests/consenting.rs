//! Double opt-in, and how what a contact said is kept.

use serde_json::json;

use super::{START, World};
use crate::ingest::What;
use crate::kernel::{ConsentChange, Input};
use crate::state::{Consent, Said};

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nlimits: { spread: 0 minutes }\n\
    topics: { news: { confirm: true, title: Our letter }, tips: { confirm: true }, offers: {} }\n";

const WORKFLOW: &str =
    "workflow: w\ntrigger: { event: subscribed, where: { event.topic: news } }\ntopic: news\nsteps: [ { send: a } ]\n";

fn world() -> World {
    World::with(SETTINGS, &[("workflows/w.yaml", WORKFLOW)], START)
}

fn consent(world: &mut World, uid: &str) -> Consent {
    let id = world.kernel.store().contact_id(uid).unwrap().unwrap();
    Consent::clone(&world.kernel.store().contact(id).unwrap().unwrap().consent)
}

/// What was said, one line for each: topic, word and source.
fn log(world: &mut World, uid: &str) -> Vec<String> {
    let said = |said| match said {
        Said::Subscribed => "subscribed",
        Said::Unsubscribed => "unsubscribed",
        Said::Asked => "asked",
        Said::Confirmed => "confirmed",
    };
    consent(world, uid).log.iter().map(|entry| format!("{} {} {}", entry.topic, said(entry.said), entry.source)).collect()
}

fn said(world: &mut World, topic: &str, said: Said, source: &'static str) {
    let change =
        ConsentChange { contact: "ada".to_owned(), said: vec![(topic.to_owned(), said)], at: world.now, source, message: None };
    world.feed(Input::Consent(change));
}

#[test]
fn a_subscription_counts_once_it_is_confirmed() {
    let mut world = world();
    world.happens("0s", "ada", What::Subscribe("news".to_owned()));
    assert_eq!(consent(&mut world, "ada").topics.get("news"), None);
    // Asked twice within the hour: one mail.
    world.happens("1 minute", "ada", What::Subscribe("news".to_owned()));
    world.happens("1 hour", "ada", What::Confirm("news".to_owned()));
    assert_eq!(consent(&mut world, "ada").topics.get("news"), Some(&true));
    // An old link changes nothing once it was taken back.
    said(&mut world, "news", Said::Unsubscribed, "one_click");
    world.happens("2 hours", "ada", What::Confirm("news".to_owned()));
    assert_eq!(consent(&mut world, "ada").topics.get("news"), Some(&false));
    world.check(
        "1 day",
        &[
            "0 seconds enter confirm-subscription",
            "0 seconds send confirm-subscription",
            "0 seconds exit completed",
            "1 hour enter w",
            "1 hour send a",
            "1 hour exit completed",
        ],
    );
    assert_eq!(
        log(&mut world, "ada"),
        ["news asked event", "news asked event", "news confirmed confirmation", "news unsubscribed one_click"]
    );
}

#[test]
fn whoever_is_named_with_topics_is_asked_once() {
    let mut world = world();
    let bo = json!({ "id": "bo", "email": "bo@example.com", "topics": ["news", "tips", "offers"] });
    world.contact(bo.clone()).contact(bo.clone());
    assert_eq!(consent(&mut world, "bo").pending.keys().collect::<Vec<_>>(), ["news", "tips"]);
    assert_eq!(consent(&mut world, "bo").topics.get("offers"), Some(&true));
    world.happens("1 hour", "bo", What::Confirm("news".to_owned()));
    // Who is subscribed stays so when they are named again.
    world.contact(bo);
    assert_eq!(consent(&mut world, "bo").topics.get("news"), Some(&true));
    world.check(
        "1 day",
        &[
            "0 seconds bo: enter confirm-subscription",
            "0 seconds bo: enter confirm-subscription",
            "0 seconds bo: send confirm-subscription",
            "0 seconds bo: exit completed",
            "0 seconds bo: send confirm-subscription",
            "0 seconds bo: exit completed",
            "1 hour bo: enter w",
            "1 hour bo: send a",
            "1 hour bo: exit completed",
        ],
    );
    assert_eq!(
        log(&mut world, "bo"),
        ["offers subscribed api", "news asked api", "tips asked api", "news confirmed confirmation"]
    );
}

#[test]
fn what_a_person_says_on_a_page_needs_no_confirmation() {
    let mut world = world();
    said(&mut world, "tips", Said::Subscribed, "page");
    // Said twice is said once.
    said(&mut world, "tips", Said::Subscribed, "page");
    said(&mut world, "all", Said::Unsubscribed, "page");
    said(&mut world, "all", Said::Unsubscribed, "one_click");
    assert_eq!(log(&mut world, "ada"), ["tips subscribed page", "all unsubscribed page"]);
    assert!(consent(&mut world, "ada").none);
}

/// Which way it came is not for whoever sends events to say.
#[test]
fn an_event_cannot_pass_for_a_confirmation() {
    let mut world = world();
    world.event("0s", "subscribed", json!({ "topic": "news", "source": "confirmation" }));
    assert_eq!(consent(&mut world, "ada").topics.get("news"), None);
    assert_eq!(log(&mut world, "ada"), ["news asked event"]);
}

/// Asked long ago, by a client that was offline: nothing is sent because of that, and nothing is agreed to either.
#[test]
fn an_old_wish_is_no_consent() {
    let mut world = world();
    let properties = serde_json::from_value(json!({ "topic": "news" })).unwrap();
    let what = What::Event { name: "subscribed".to_owned(), properties, id: None };
    let at = world.now - 2 * 3_600_000;
    world.feed(Input::History(crate::ingest::Occurrence { at, contact: "ada".to_owned(), anonymous: false, what }));
    assert_eq!(consent(&mut world, "ada").topics.get("news"), None);
    world.check("1 day", &[]);
}

/// That somebody asked is for the runner to say.
#[test]
fn nobody_else_words_the_mail_that_asks() {
    let mut world = world();
    world.event("0s", "subscription_asked", json!({ "topic": "news", "title": "Evil" }));
    let id = world.kernel.store().contact_id("ada").unwrap().unwrap();
    let asked = world.kernel.store().events(id, "subscription_asked", 0, false).unwrap();
    assert_eq!(asked.iter().map(|event| event.properties["title"].clone()).collect::<Vec<_>>(), ["Our letter"]);
    world.event("1s", "subscription_asked", json!({ "topic": "offers" }));
    assert_eq!(log(&mut world, "ada"), ["news asked event"]);
}

/// A link proves nothing of an address that it was not sent to.
#[test]
fn a_link_confirms_for_the_address_it_went_to() {
    let mut world = world();
    world.happens("0s", "ada", What::Subscribe("news".to_owned()));
    let id = world.kernel.store().contact_id("ada").unwrap().unwrap();
    let message = world.kernel.store().messages_of(id).unwrap()[0].id;
    let confirm = |world: &mut World| {
        let said = vec![("news".to_owned(), Said::Confirmed)];
        let change =
            ConsentChange { contact: "ada".to_owned(), said, at: world.now, source: "confirmation", message: Some(message) };
        world.feed(Input::Consent(change));
        consent(world, "ada").topics.get("news").copied()
    };
    world.contact(json!({ "id": "ada", "email": "victim@example.com" }));
    assert_eq!(confirm(&mut world), None);
    world.contact(json!({ "id": "ada", "email": "Ada@Example.com" }));
    assert_eq!(confirm(&mut world), Some(true));
}

/// Two contacts become one: what was said last counts, a refusal of everything whatever else was said before, and the log of both stays.
#[test]
fn joined_contacts_keep_what_was_said() {
    let check = |first: &[(&str, bool)], second: &[(&str, bool)], expected: (bool, Option<bool>)| {
        let mut world = world();
        world.contact(json!({ "id": "old", "email": "old@example.com" }));
        let mut times = 0;
        for (who, sayings) in [("ada", first), ("old", second)] {
            for (topic, subscribe) in sayings {
                times += 1;
                let topic = (*topic).to_owned();
                let what = if *subscribe { What::Subscribe(topic) } else { What::Unsubscribe(topic) };
                world.happens(&format!("{times} minutes"), who, what);
            }
        }
        world.feed(Input::Alias(crate::ingest::Alias {
            previous: "old".to_owned(),
            contact: "ada".to_owned(),
            message_id: None,
        }));
        let joined = consent(&mut world, "ada");
        assert_eq!((joined.none, joined.topics.get("offers").copied()), expected, "{first:?} {second:?}");
        assert_eq!(joined.log.len(), first.len() + second.len(), "{joined:?}");
    };
    check(&[("offers", true)], &[("offers", false)], (false, Some(false)));
    check(&[("offers", true)], &[("all", false)], (true, Some(false)));
    check(&[("all", false)], &[("offers", true)], (true, Some(true)));
    check(&[("offers", false)], &[("offers", true)], (false, Some(true)));
    check(&[], &[("offers", true), ("all", false)], (true, None));
}

#[test]
fn who_was_asked_is_still_asked_after_a_join() {
    let mut world = world();
    world.contact(json!({ "id": "old", "email": "ada@example.com" }));
    world.happens("1 minute", "old", What::Subscribe("news".to_owned()));
    world.feed(Input::Alias(crate::ingest::Alias { previous: "old".to_owned(), contact: "ada".to_owned(), message_id: None }));
    assert!(consent(&mut world, "ada").pending.contains_key("news"));
    world.happens("2 minutes", "ada", What::Confirm("news".to_owned()));
    assert_eq!(consent(&mut world, "ada").topics.get("news"), Some(&true));
    // A complete list without the topic takes the wish back.
    world.happens("3 minutes", "ada", What::Subscribe("tips".to_owned()));
    world.contact(json!({ "id": "ada", "topics": ["news"] }));
    assert_eq!((consent(&mut world, "ada").pending.len(), consent(&mut world, "ada").topics.get("news")), (0, Some(&true)));
}
