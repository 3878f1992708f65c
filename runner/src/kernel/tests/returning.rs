//! What comes back of messages: what is written down, who gets nothing any more, and what is not believed.

use super::*;
use crate::kernel::message_id;
use crate::returns::{Came, Notice};
use crate::state::{ContactId, Message, MessageId};
use crate::store::Store;
use crate::tokens::Signer;

const DAILY: &str = "trigger: { event: go }\nreentry: always\ntopic: offers\nsteps: [ send: a ]";

fn store(world: &mut World) -> &mut dyn Store {
    world.kernel.store()
}

fn ada(world: &mut World) -> ContactId {
    store(world).contact_id("ada").unwrap().unwrap()
}

/// Sends ada so many messages, one a day, and gives the latest.
fn after(world: &mut World, messages: usize) -> Message {
    for day in 0..messages {
        world.event(&format!("{day} days"), "go", json!({}));
    }
    let ada = ada(world);
    store(world).messages_of(ada).unwrap().pop().unwrap()
}

/// By a mail that came to the message's own return path.
fn notice(world: &World, message: &Message, what: Came) -> Notice {
    Notice {
        token: Some(world.kernel.signer().sign_return(message.id)),
        message_id: None,
        channel: "email".to_owned(),
        address: None,
        what,
        status: Some("5.1.1".to_owned()),
        detail: Some("user unknown".to_owned()),
        at: world.now,
        source: "maildir".to_owned(),
        vouched: false,
    }
}

fn returns(world: &mut World, notice: &Notice) {
    world.feed(Input::Returned(notice.clone()));
}

/// Why the address gets nothing any more, and by which way that is known.
fn suppressed(world: &mut World, address: &str) -> Option<String> {
    let found = store(world).suppressed("email", address).unwrap();
    found.map(|found| format!("{} by {}: {}", found.why.word(), found.source, found.detail.unwrap_or_default()))
}

/// What is written down about ada's messages.
fn written(world: &mut World) -> Vec<String> {
    let ada = ada(world);
    let mut rows = store(world).latest_events(ada, 100).unwrap();
    rows.retain(|row| row.name.starts_with("message_") || row.name == "unsubscribed");
    rows.reverse();
    let text = |row: &crate::store::EventRow, name: &str| row.event.properties[name].as_str().map(|text| format!(" {text}"));
    let words = ["bounce", "topic", "source"];
    rows.iter()
        .map(|row| words.iter().filter_map(|name| text(row, name)).fold(row.name.clone(), |line, word| line + &word))
        .collect()
}

#[test]
fn a_hard_bounce_gives_the_address_up_at_once() {
    let mut world = World::new(DAILY);
    let message = after(&mut world, 1);
    let hard = notice(&world, &message, Came::HardBounce);
    returns(&mut world, &hard);
    assert_eq!(suppressed(&mut world, "ada@example.com").as_deref(), Some("bounced by maildir: 5.1.1 user unknown"));
    assert_eq!(written(&mut world), ["message_bounced hard"]);
    let ada = ada(&mut world);
    let event = &store(&mut world).latest_events(ada, 1).unwrap()[0].event;
    let expected =
        json!({ "template": "a", "workflow": "w", "step": "send-a", "channel": "email", "status": "5.1.1", "bounce": "hard" });
    assert_eq!((&event.properties, event.message), (&expected, Some(message.id)));
}

#[test]
fn the_same_notice_counts_once_by_whatever_way_it_comes() {
    let mut world = World::new(DAILY);
    let message = after(&mut world, 1);
    let complaint = notice(&world, &message, Came::Complaint);
    returns(&mut world, &complaint);
    // What is said later stands, however often the old is told again.
    world.happens("1d", "ada", What::Subscribe("offers".to_owned()));
    world.kernel.transaction(world.now, |kernel| kernel.store.allow_address("email", "ada@example.com")).unwrap();
    returns(&mut world, &complaint);
    let again = Notice { source: "ses".to_owned(), vouched: true, at: world.now, ..complaint };
    returns(&mut world, &again);
    assert_eq!(written(&mut world), ["message_complained", "unsubscribed all complaint"]);
    assert_eq!(suppressed(&mut world, "ada@example.com"), None);
    let ada = ada(&mut world);
    assert_eq!(store(&mut world).contact(ada).unwrap().unwrap().consent.topics.get("offers"), Some(&true));
}

#[test]
fn soft_bounces_give_up_after_so_many_within_the_span() {
    let settings = format!("{SETTINGS}bounces: {{ soft: {{ count: 3, within: 2 days }} }}\n");
    let mut world = World::with(&settings, &[("workflows/w.yaml", &format!("workflow: w\n{DAILY}"))], START);
    let mut seen = Vec::new();
    for day in 0..6 {
        // The third comes too late to be one of three within two days.
        let at = if day < 2 { day } else { day + 1 };
        world.event(&format!("{at} days"), "go", json!({}));
        let ada = ada(&mut world);
        let message = store(&mut world).messages_of(ada).unwrap().pop().unwrap();
        let soft = notice(&world, &message, Came::SoftBounce);
        returns(&mut world, &soft);
        returns(&mut world, &soft);
        seen.push(suppressed(&mut world, "ada@example.com").is_some());
    }
    assert_eq!(seen, [false, false, false, false, true, true]);
}

/// What the old address did is no fault of the new one.
#[test]
fn soft_bounces_of_another_address_do_not_count() {
    let settings = format!("{SETTINGS}bounces: {{ soft: {{ count: 2 }} }}\n");
    let mut world = World::with(&settings, &[("workflows/w.yaml", &format!("workflow: w\n{DAILY}"))], START);
    let message = after(&mut world, 1);
    let soft = notice(&world, &message, Came::SoftBounce);
    returns(&mut world, &soft);
    world.contact(json!({ "id": "ada", "email": "ada@new.example" }));
    let message = after(&mut world, 2);
    let soft = notice(&world, &message, Came::SoftBounce);
    returns(&mut world, &soft);
    assert_eq!((suppressed(&mut world, "ada@example.com"), suppressed(&mut world, "ada@new.example")), (None, None));
    assert_eq!(written(&mut world), ["message_bounced soft", "message_bounced soft"]);
}

#[test]
fn blocked_and_delivered_are_written_down_and_nothing_more() {
    let mut world = World::new(DAILY);
    let mut expected = Vec::new();
    for day in 0..7 {
        let message = after(&mut world, day + 1);
        for (what, line) in [(Came::Blocked, "message_bounced blocked"), (Came::Delivered, "message_delivered")] {
            let came = notice(&world, &message, what);
            returns(&mut world, &came);
            expected.push(line);
        }
    }
    assert_eq!(written(&mut world), expected);
    assert_eq!(suppressed(&mut world, "ada@example.com"), None);
}

#[test]
fn a_complaint_unsubscribes_from_everything() {
    let mut world = World::new(DAILY);
    let message = after(&mut world, 1);
    let complaint = notice(&world, &message, Came::Complaint);
    returns(&mut world, &complaint);
    assert_eq!(suppressed(&mut world, "ada@example.com").as_deref(), Some("complained by maildir: 5.1.1 user unknown"));
    assert_eq!(written(&mut world), ["message_complained", "unsubscribed all complaint"]);
    let ada = ada(&mut world);
    let consent = store(&mut world).contact(ada).unwrap().unwrap().consent;
    let entry = consent.log.last().unwrap();
    assert!(consent.none && consent.topics.is_empty());
    assert_eq!((entry.topic.as_str(), entry.source.as_str(), entry.message), ("all", "complaint", Some(message.id)));
}

#[test]
fn what_proves_nothing_is_not_believed() {
    let mut world = World::new(DAILY);
    let message = after(&mut world, 1);
    let identity = store(&mut world).identity().unwrap();
    let id = message_id(&message, &world.kernel.plan().catalog.settings, &identity);
    let hard = notice(&world, &message, Came::HardBounce);
    let address = Some("ada@example.com".to_owned());
    let forged = Some(Signer::new("another").sign_return(message.id));
    let (none, some) = (None::<String>, |text: &str| Some(text.to_owned()));
    for (token, message_id, address) in [
        (forged.clone(), none.clone(), address.clone()),
        // A right Message-ID does not make up for a wrong token.
        (forged, some(&id), address.clone()),
        (none.clone(), none.clone(), address.clone()),
        (none.clone(), some(&id), none.clone()),
        (none.clone(), some(&id), some("bo@example.com")),
        (none.clone(), some(&id.replacen("send-a", "send-b", 1)), address.clone()),
        (none.clone(), some(&id.replacen("1.", "2.", 1)), address.clone()),
        (none.clone(), some("1.1.send-a@shop.example"), address.clone()),
        (none.clone(), some("@"), address.clone()),
        (Some(world.kernel.signer().sign_return(MessageId(99))), none.clone(), address.clone()),
    ] {
        let unproven = Notice { token, message_id, address, ..hard.clone() };
        returns(&mut world, &unproven);
    }
    assert_eq!((written(&mut world), suppressed(&mut world, "ada@example.com")), (Vec::new(), None));
    // The Message-ID does, with the address that it went to, whatever its case.
    let known = Notice { token: None, message_id: Some(id), address: some("ADA@Example.com"), ..hard };
    returns(&mut world, &known);
    assert_eq!(written(&mut world), ["message_bounced hard"]);
}

/// A complaint need not say whose it is.
#[test]
fn a_message_id_is_enough_for_a_complaint() {
    let mut world = World::new(DAILY);
    let message = after(&mut world, 1);
    let identity = store(&mut world).identity().unwrap();
    let id = message_id(&message, &world.kernel.plan().catalog.settings, &identity);
    let complaint = Notice { token: None, message_id: Some(id), ..notice(&world, &message, Came::Complaint) };
    returns(&mut world, &Notice { address: Some("bo@example.com".to_owned()), ..complaint.clone() });
    assert_eq!(written(&mut world), [] as [&str; 0]);
    returns(&mut world, &complaint);
    assert_eq!(written(&mut world), ["message_complained", "unsubscribed all complaint"]);
}

#[test]
fn what_is_vouched_for_is_believed_of_an_address_alone_where_it_is_certain() {
    let mut world = World::new(DAILY);
    let message = after(&mut world, 1);
    let make = |address: &str, what| Notice {
        token: None,
        message_id: Some("unknown@ses.example".to_owned()),
        address: Some(address.to_owned()),
        vouched: true,
        source: "ses".to_owned(),
        ..notice(&world, &message, what)
    };
    let cases = [
        make("gone@example.com", Came::HardBounce),
        make("full@example.com", Came::SoftBounce),
        make("blocked@example.com", Came::Blocked),
        make("fine@example.com", Came::Delivered),
        make("Ada@Example.com", Came::Complaint),
    ];
    cases.iter().for_each(|case| returns(&mut world, case));
    let all = store(&mut world).suppressed_after(None, 10).unwrap();
    let addresses: Vec<&str> = all.iter().map(|row| row.address.as_str()).collect();
    assert_eq!(addresses, ["ada@example.com", "gone@example.com"]);
    assert_eq!(written(&mut world), ["unsubscribed all complaint"]);
    cases.iter().for_each(|case| returns(&mut world, case));
    assert_eq!(written(&mut world).len(), 1);
}

#[test]
fn a_message_that_never_left_cannot_come_back() {
    let mut world = World::new("trigger: { event: go }\nsteps: [ send: a ]");
    world.contact(json!({ "id": "ada", "email": "" }));
    let message = after(&mut world, 1);
    assert_eq!(message.attempts, 0);
    let hard = notice(&world, &message, Came::HardBounce);
    returns(&mut world, &hard);
    assert_eq!(written(&mut world), [] as [&str; 0]);
}

/// As another process leaves it; what it says may start and end things like any event.
#[test]
fn it_comes_by_the_inbox_too_and_workflows_hear_of_it() {
    let rescue = "workflow: rescue\ntrigger: { event: message_bounced, where: { event.bounce: hard } }\nsteps: [ wait: 1 hour ]";
    let files = [("workflows/w.yaml", &*format!("workflow: w\n{DAILY}")), ("workflows/r.yaml", rescue)];
    let mut world = World::with(SETTINGS, &files, START);
    let message = after(&mut world, 1);
    let hard = notice(&world, &message, Came::HardBounce);
    world.ask("1h", InboxItem::Returned(Box::new(hard)));
    world.check(
        "1d",
        &["0 seconds enter w", "0 seconds send a", "0 seconds exit completed", "1 hour enter rescue", "2 hours exit completed"],
    );
}

#[test]
fn erasure_takes_the_address_off_the_list_and_nothing_puts_it_back() {
    let mut world = World::new(DAILY);
    world
        .contact(json!({ "id": "bo", "email": "shared@example.com" }))
        .contact(json!({ "id": "cy", "email": "shared@example.com" }));
    let message = after(&mut world, 1);
    let hard = notice(&world, &message, Came::HardBounce);
    returns(&mut world, &hard);
    let shared = Notice { token: None, address: Some("shared@example.com".to_owned()), vouched: true, ..hard.clone() };
    returns(&mut world, &shared);
    let (ada, bo) = (ada(&mut world), store(&mut world).contact_id("bo").unwrap().unwrap());
    world.ask("1d", InboxItem::Erase(ada)).ask("1d", InboxItem::Erase(bo));
    assert_eq!(suppressed(&mut world, "ada@example.com"), None);
    // Somebody else has it, too.
    assert!(suppressed(&mut world, "shared@example.com").is_some());
    for what in [Came::HardBounce, Came::Complaint] {
        returns(&mut world, &Notice { what, ..hard.clone() });
        let told = Notice { token: None, address: Some("Ada@example.com".to_owned()), vouched: true, what, ..hard.clone() };
        returns(&mut world, &told);
    }
    assert_eq!(suppressed(&mut world, "ada@example.com"), None);
    assert_eq!(store(&mut world).latest_events(ada, 10).unwrap(), []);
}
