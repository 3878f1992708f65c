//! Triggers that time pulls.

use serde_json::json;

use super::{SETTINGS, START, World};
use crate::state::Contact;
use crate::store::{InboxItem, Result};

/// Ada has these fields; the workflow is put in force at the start.
#[track_caller]
fn check(workflow: &str, ada: serde_json::Value, end: &str, expected: &[&str]) {
    let mut world = World::new(workflow);
    let mut fields = json!({ "id": "ada" });
    fields.as_object_mut().unwrap().extend(ada.as_object().unwrap().clone());
    world.contact(fields);
    world.check(end, expected);
}

#[test]
fn schedules_fire_in_their_zone() {
    let steps = "steps: [ { send: a } ]";
    // Friday 09:00 Berlin: the first firing is the start itself; the clocks go forward on Sunday.
    check(
        &format!("trigger: {{ schedule: \"0 9 * * *\" }}\n{steps}"),
        json!({}),
        "3 days",
        &[
            "0 seconds enter w",
            "0 seconds send a",
            "0 seconds exit completed",
            "1 day enter w",
            "1 day send a",
            "1 day exit completed",
            "1 day 23 hours enter w",
            "1 day 23 hours send a",
            "1 day 23 hours exit completed",
            "2 days 23 hours enter w",
            "2 days 23 hours send a",
            "2 days 23 hours exit completed",
        ],
    );
    // Monday 08:00 in Tokyo is Sunday in Berlin.
    check(
        &format!("trigger: {{ schedule: \"0 8 * * MON\", time_zone: contact }}\n{steps}"),
        json!({ "time_zone": "Asia/Tokyo" }),
        "4 days",
        &["2 days 15 hours enter w", "2 days 15 hours send a", "2 days 15 hours exit completed"],
    );
}

#[test]
fn one_off_broadcasts() {
    check(
        "trigger: { at: 2026-03-29T02:30 }\nsteps: [ { send: a } ]",
        json!({}),
        "9 days",
        // 02:30 does not exist on that day: the clocks go from 02:00 to 03:00.
        &["1 day 17 hours enter w", "1 day 17 hours send a", "1 day 17 hours exit completed"],
    );
}

#[test]
fn dates_come_round_in_the_contacts_zone() {
    let workflow =
        |more: &str| format!("trigger: {{ date: contact.birthday, every: year, at: \"09:00\"{more} }}\nsteps: [ {{ send: a }} ]");
    check(
        &workflow(""),
        json!({ "birthday": "1990-03-30" }),
        "30 days",
        &["2 days 23 hours enter w", "2 days 23 hours send a", "2 days 23 hours exit completed"],
    );
    check(
        &workflow(", offset: -2 days"),
        json!({ "birthday": "1990-03-30", "time_zone": "America/New_York" }),
        "30 days",
        // 28 March 09:00 in New York, where the clocks have gone forward already.
        &["1 day 5 hours enter w", "1 day 5 hours send a", "1 day 5 hours exit completed"],
    );
}

#[test]
fn a_firing_missed_runs_once_within_its_grace() {
    let workflow = "trigger: { schedule: \"0 12 * * *\" }\nsteps: [ { send: a } ]";
    let mut world = World::new(workflow);
    world
        .sleeps_until("3h 59m")
        .check("20h", &["3 hours 59 minutes enter w", "3 hours 59 minutes send a", "3 hours 59 minutes exit completed"]);
    let mut world = World::new(workflow);
    world.sleeps_until("4h").check("20h", &[]);
    let mut world = World::new("trigger: { schedule: \"*/10 * * * *\" }\nsteps: [ { send: a } ]");
    world.sleeps_until("3h 1m").check(
        "3h 9m",
        &[
            "0 seconds enter w",
            "0 seconds send a",
            "0 seconds exit completed",
            "3 hours 1 minute enter w",
            "3 hours 1 minute send a",
            "3 hours 1 minute exit completed",
        ],
    );
}

#[test]
fn broadcasts_reach_the_audience_once() {
    let mut world = World::new("trigger: { schedule: \"0 12 * * *\" }\naudience: { contact.vip: true }\nsteps: [ { send: a } ]");
    for n in 0..2_500 {
        world.contact(json!({ "id": format!("c{n}"), "email": "x@example.com", "vip": n % 2 == 0 }));
    }
    world.until("4h");
    let seen = world.seen.lock().unwrap();
    assert_eq!(seen.iter().filter(|line| line.contains("enter")).count(), 1_250);
    assert_eq!(seen.iter().filter(|line| line.contains("send")).count(), 1_250);
}

/// Whoever is to be worked out anew when a broadcast fires in another zone has their own turn, and no other.
#[test]
fn a_broadcast_in_contacts_zones_comes_once_to_whom_an_edit_concerns() {
    let segments = |plan: &str| format!("segments: {{ pros: {{ contact.plan: {plan} }} }}");
    let weekly = "workflow: w\ntrigger: { schedule: \"0 8 * * *\", time_zone: contact }\naudience: { segment: pros }\nsteps: [ { send: a } ]";
    let mut world = World::with(SETTINGS, &[("workflows/w.yaml", weekly), ("workflows/s.yaml", &segments("free"))], START);
    // More than one turn goes through: when the broadcast does, the last are not worked out yet.
    let now = world.now;
    let others = world.kernel.transaction(now, |kernel| {
        let other = |number| Contact { time_zone: Some("Asia/Tokyo".to_owned()), ..Contact::new(&format!("c{number}")) };
        (0..1_100).map(|number| kernel.store.insert_contact(&other(number), now)).collect::<Result<Vec<_>>>()
    });
    world.ask("1 second", InboxItem::Contacts(others.unwrap()));
    world.contact(json!({ "id": "bo", "time_zone": "Europe/Berlin", "plan": "pro", "email": "bo@example.com" }));
    world.contact(json!({ "id": "cy", "time_zone": "Asia/Tokyo", "plan": "pro", "email": "cy@example.com" }));
    // 8:00 in Berlin: everybody is out of date at the moment in which the broadcast fires there.
    let start = START.parse::<jiff::Timestamp>().unwrap().to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let next = start.tomorrow().unwrap().with().hour(8).minute(0).second(0).subsec_nanosecond(0).build().unwrap();
    let wait = next.timestamp().as_second() - start.timestamp().as_second();
    world.edit(&format!("{wait} seconds"), "workflows/s.yaml", &segments("pro"));
    world.until(&format!("{} seconds", wait + 3_600));
    let seen = world.seen.lock().unwrap();
    let entered: Vec<&String> = seen.iter().filter(|line| line.contains("enter")).collect();
    assert_eq!(entered.len(), 1, "{seen:?}");
    assert!(entered[0].contains("bo: "), "{seen:?}");
}
