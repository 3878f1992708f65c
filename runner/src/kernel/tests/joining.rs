//! Contacts that turn out to be one person, and what happens at the same time as something else.

use serde_json::json;

use super::audience::object;
use super::*;
use crate::ingest::{Alias, Identification};
use crate::state::{ContactId, MessageId};
use crate::tokens::{Purpose, Token};

const AUDIENCE: &str = "workflows/shared.yaml";

fn alias(world: &mut World, previous: &str, contact: &str) {
    world.feed(Input::Alias(Alias { previous: previous.to_owned(), contact: contact.to_owned(), message_id: None }));
}

fn identify(world: &mut World, user: &str, anonymous: Option<&str>) {
    let contact = ContactInput { id: user.to_owned(), ..Default::default() };
    let anonymous = anonymous.map(str::to_owned);
    world.feed(Input::Identify(Identification { contact, anonymous, anonymous_only: false, message_id: None }));
}

fn id(world: &mut World, who: &str) -> Option<ContactId> {
    world.kernel.store().contact_id(who).unwrap()
}

fn occurs(world: &mut World, at: &str, who: &str, name: &str, properties: Value) {
    let what = What::Event { name: name.to_owned(), properties: object(properties), id: None };
    world.happens(at, who, what);
}

/// A link in a mail that was sent before the contact was joined still says whose it is.
#[test]
fn links_lead_to_the_contact_that_the_one_they_were_sent_to_was_joined_to() {
    let mut world = World::new("trigger: { manual: true }\nsteps: [ send: a ]");
    world.contact(json!({ "id": "old" })).contact(json!({ "id": "older" }));
    let (old, older) = (id(&mut world, "old").unwrap(), id(&mut world, "older").unwrap());
    let link = |world: &mut World, contact| {
        // A message that is gone by now.
        let token = Token { contact, message: MessageId(1), topic: None };
        let text = world.kernel.signer.sign(Purpose::Preferences, &token);
        world.kernel.open_token(Purpose::Preferences, &text).unwrap().map(|(_, uid)| uid)
    };
    alias(&mut world, "older", "old");
    alias(&mut world, "old", "ada");
    assert_eq!(link(&mut world, old).as_deref(), Some("ada"));
    assert_eq!(link(&mut world, older).as_deref(), Some("ada"));
    // The name is somebody else's now; what was sent to whom had it is not.
    world.contact(json!({ "id": "bea" }));
    alias(&mut world, "old", "bea");
    assert_eq!((link(&mut world, old), link(&mut world, older).as_deref()), (None, Some("ada")));
    let ada = id(&mut world, "ada").unwrap();
    world.ask("1h", InboxItem::Erase(ada));
    assert_eq!(link(&mut world, older), None);
}

/// Both what is filled in and what comes along are there before anybody asks in which segments the person is.
#[test]
fn a_join_is_looked_at_as_a_whole() {
    let audience = "traits: { spent: { sum: event.total, of: order } }\nsegments: { cheap_pros: { all: [ { contact.plan: pro }, { contact.spent: { below: 50 } } ] } }";
    let workflow = "workflow: w\ntrigger: [ { segment: cheap_pros }, { segment: cheap_pros, change: leave } ]\nreentry: always\nsteps: [ send: a ]";
    let mut world = World::with(SETTINGS, &[(AUDIENCE, audience), ("workflows/w.yaml", workflow)], START);
    occurs(&mut world, "1h", "anon", "order", json!({ "total": 100 }));
    world.happens("2h", "anon", What::Set(object(json!({ "plan": "pro" }))));
    occurs(&mut world, "2h", "ada", "order", json!({ "total": 20 }));
    world.until("3h");
    alias(&mut world, "anon", "ada");
    world.check("1d", &[]);
    assert_eq!(world.values("ada"), json!({ "spent": 120 }));
}

/// Who is known by an id as a person is not taken over by naming that id as an anonymous one.
#[test]
fn an_anonymous_id_that_became_a_persons_is_theirs() {
    let mut world = World::new("trigger: { manual: true }\nsteps: [ send: a ]");
    let what = What::Event { name: "view".to_owned(), properties: Map::new(), id: None };
    world.feed(Input::Occurrence(Occurrence { at: world.now, contact: "bea".to_owned(), anonymous: true, what }));
    identify(&mut world, "bea", None);
    identify(&mut world, "ada", Some("bea"));
    assert_ne!(id(&mut world, "ada"), id(&mut world, "bea"));
}

#[test]
fn the_id_of_who_was_erased_leads_to_nobody_again() {
    let mut world = World::new("trigger: { manual: true }\nsteps: [ send: a ]");
    world.contact(json!({ "id": "bea" }));
    let ada = id(&mut world, "ada").unwrap();
    world.ask("1h", InboxItem::Erase(ada));
    alias(&mut world, "ada", "bea");
    identify(&mut world, "bea", Some("ada"));
    assert_eq!(id(&mut world, "ada"), None);
}

#[test]
fn aliases_in_a_circle_are_one_contact() {
    let mut world = World::new("trigger: { manual: true }\nsteps: [ send: a ]");
    for (previous, contact) in [("x", "y"), ("y", "z"), ("z", "x"), ("x", "x"), ("y", "x"), ("x", "z")] {
        alias(&mut world, previous, contact);
    }
    let ids: Vec<_> = ["x", "y", "z"].iter().map(|who| id(&mut world, who)).collect();
    assert!(ids[0].is_some() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

/// What is on its way when the contact is joined is the person's afterwards.
#[test]
fn a_message_in_flight_comes_back_to_the_person() {
    let mut world = World::with(
        SETTINGS,
        &[
            (AUDIENCE, "traits: { mails: { count: message_sent } }"),
            ("workflows/w.yaml", "workflow: w\ntrigger: { event: go }\nsteps: [ send: a, wait: 1 hour, send: b ]"),
        ],
        START,
    );
    world.contact(json!({ "id": "old", "email": "old@example.com" }));
    let what = What::Event { name: "go".to_owned(), properties: Map::new(), id: None };
    let go = Input::Occurrence(Occurrence { at: world.now, contact: "old".to_owned(), anonymous: false, what });
    let turn = world.kernel.turn(world.now, &[go]).unwrap();
    assert_eq!(turn.jobs.len(), 1);
    let message = turn.jobs[0].1.message;
    let token = Token { contact: id(&mut world, "old").unwrap(), message, topic: None };
    let link = world.kernel.signer.sign(Purpose::Preferences, &token);
    alias(&mut world, "old", "ada");
    // Though the old name leads to somebody else afterwards.
    alias(&mut world, "old", "bea");
    assert_eq!(world.kernel.open_token(Purpose::Preferences, &link).unwrap().unwrap().1, "ada");
    let report = Report::new(message, None, Outcome::Sent, std::time::Duration::ZERO);
    world.feed(Input::Report(report));
    world.check("1d", &["0 seconds old: enter w", "0 seconds send a", "1 hour send b", "1 hour exit completed"]);
    assert_eq!(world.values("ada"), json!({ "mails": 2 }));
}
