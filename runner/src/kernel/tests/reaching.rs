//! Where messages go: channels in turn, the suppression list, limits by domain, caps, and calls to other systems.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{START, World};
use crate::channels::{Outcome, Refusal, RefusalKind};
use crate::ingest::What;
use crate::state::{Suppressed, Why};

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nlimits: { spread: 0 minutes }\n\
    channels:\n  push: { deliver: 'null:', to: contact.push_token }\n  sms: { deliver: 'null:' }\n  room: { deliver: { preset: slack, options: { webhook: 'https://x.example' } } }\n";

fn world(steps: &str) -> World {
    let workflow = format!("workflow: w\ntrigger: {{ event: e }}\nsteps: [ {steps} ]\n");
    World::with(SETTINGS, &[("workflows/w.yaml", &workflow)], START)
}

fn suppress(world: &mut World, channel: &str, address: &str) {
    let suppressed = Suppressed {
        channel: channel.to_owned(),
        address: address.to_owned(),
        why: Why::Manual,
        at: 0,
        source: "manual".to_owned(),
        detail: None,
    };
    world.kernel.transaction(world.now, |kernel| kernel.store.suppress(&suppressed)).unwrap();
}

/// The channels and recipients of ada's messages.
fn sent(world: &mut World) -> Vec<String> {
    let id = world.kernel.store().contact_id("ada").unwrap().unwrap();
    let messages = world.kernel.store().messages_of(id).unwrap();
    messages.iter().map(|m| format!("{} {} {}", m.channel, m.to.clone().unwrap_or_default(), m.status.word())).collect()
}

#[test]
fn of_several_channels_the_first_that_reaches_the_person() {
    let check = |contact: Value, suppressed: &[(&str, &str)], expected: &str| {
        let mut world = world("{ send: a, channel: [push, sms, email] }");
        let mut fields = contact;
        fields["id"] = "ada".into();
        world.contact(fields);
        for (channel, address) in suppressed {
            suppress(&mut world, channel, address);
        }
        world.event("0s", "e", json!({})).until("1 day");
        assert_eq!(sent(&mut world), [expected], "{suppressed:?}");
    };
    check(json!({ "push_token": "p1", "phone": "+49" }), &[], "push p1 sent");
    check(json!({ "phone": "+49" }), &[], "sms +49 sent");
    check(json!({}), &[], "email ada@example.com sent");
    check(json!({ "push_token": "p1", "phone": "+49" }), &[("push", "p1")], "sms +49 sent");
    check(json!({ "push_token": "p1" }), &[("push", "p1"), ("email", "ada@example.com")], "push  skipped");
    check(json!({ "push_token": 17 }), &[], "push 17 sent");
    check(json!({ "push_token": { "a": 1 } }), &[], "email ada@example.com sent");
}

/// What was reachable when the step was reached may not be any more when the message leaves.
#[test]
fn the_channel_is_chosen_when_the_message_leaves() {
    let mut world = world("{ send: a, channel: [push, email], window: { between: \"12:00-13:00\" } }");
    world.contact(json!({ "id": "ada", "push_token": "p1" }));
    world.event("0s", "e", json!({}));
    world.happens("1h", "ada", What::Set(Map::from_iter([("push_token".to_owned(), Value::Null)])));
    world.until("1 day");
    assert_eq!(sent(&mut world), ["email ada@example.com sent"]);
}

#[test]
fn suppressed_addresses_get_nothing() {
    for (policy, end) in [("continue", "completed"), ("exit", "unreachable")] {
        let mut world = world(&format!("{{ send: a, transactional: true, when_unreachable: {policy} }}"));
        world.contact(json!({ "id": "ada", "email": " Ada@Example.COM " }));
        suppress(&mut world, "email", "ada@example.com");
        world.event("0s", "e", json!({}));
        world.check("1 day", &["0 seconds enter w", "0 seconds skip send-a suppressed", &format!("0 seconds exit {end}")]);
    }
}

#[test]
fn a_place_is_reached_by_everybody() {
    let mut world = world("{ send: a, channel: room }");
    world.contact(json!({ "id": "bo" }));
    world.happens("0s", "bo", What::Event { name: "e".into(), properties: Map::new(), id: None });
    world.check("1 day", &["0 seconds bo: enter w", "0 seconds bo: send a", "0 seconds bo: exit completed"]);
}

#[test]
fn a_domain_takes_so_many_at_a_time() {
    let settings = "project: shop\ntime_zone: UTC\ncontract: open\nlimits: { spread: 0 minutes }\n\
        channels: { email: { deliver: 'null:', connections: 4, per_domain: { rate: 2 per second }, domains: { free.example: {} } } }\n";
    let workflow = "workflow: w\ntrigger: { event: e }\nsteps: [ { send: a, transactional: true } ]\n";
    let mut world = World::with(settings, &[("workflows/w.yaml", workflow)], START);
    let mut inputs = Vec::new();
    for (n, domain) in
        ["slow.example", "Slow.example", "slow.example", "free.example", "free.example", "slow.example"].iter().enumerate()
    {
        let id = format!("c{n}");
        world.contact(json!({ "id": id, "email": format!("{id}@{domain}") }));
        let what = What::Event { name: "e".into(), properties: Map::new(), id: None };
        inputs.push(crate::kernel::Input::Occurrence(crate::ingest::Occurrence {
            at: world.now,
            contact: id,
            anonymous: false,
            what,
        }));
    }
    world.settle(inputs);
    world.until("1 minute");
    let sends: Vec<String> = world.seen.lock().unwrap().iter().filter(|line| line.contains("send")).cloned().collect();
    let expected = [
        "0 seconds c0: send a",
        "0 seconds c3: send a",
        "0 seconds c4: send a",
        "0.5 seconds c1: send a",
        "1 second c2: send a",
        "1.501 seconds c5: send a",
    ];
    assert_eq!(sends, expected);
}

#[test]
fn calls_are_made_tried_again_and_their_answer_kept() {
    let check = |more: &str, replies: Vec<Outcome>, expected: &[&str]| {
        let call = format!(
            "{{ call: {{ post: \"https://x.example\", save: vars.answer{more} }}, id: ask }}, {{ send: {{ subject: \"{{{{vars.answer.number}}}}\", text: x }}, id: tell }}"
        );
        let mut world = world(&call);
        world.answer = Some(json!({ "number": 7 }));
        world.replies.insert(String::new(), replies);
        world.event("0s", "e", json!({}));
        world.check("1 day", expected);
    };
    let done = ["0 seconds enter w", "0 seconds call", "0 seconds send tell", "0 seconds exit completed"];
    check("", vec![], &done);
    // In doubt: whoever is called knows the same call by its key.
    check("", vec![Outcome::Unknown("lost".into())], &done);
    let failed = || vec![Outcome::Failed("404".into())];
    // Without an answer there is nothing to print.
    check(
        "",
        failed(),
        &["0 seconds enter w", "0 seconds call \"failed\"", "0 seconds send tell \"failed\"", "0 seconds exit completed"],
    );
    check(", on_error: exit", failed(), &["0 seconds enter w", "0 seconds call \"failed\"", "0 seconds exit failed: 404"]);
    let deferred = || (0..1000).map(|_| Outcome::Deferred("503".into())).collect::<Vec<_>>();
    let mut world = world(
        "{ call: { post: \"https://x.example\", on_error: exit, retry: { first: 1 minute, most: 1 minute, for: 10 minutes } } }",
    );
    world.replies.insert(String::new(), deferred());
    world.event("0s", "e", json!({})).until("1 day");
    let seen = world.seen.lock().unwrap().clone();
    assert!(seen.last().unwrap().ends_with("exit failed: given up: 503") && seen.len() == 3, "{seen:?}");
    assert!(seen[1].starts_with("9 minutes") || seen[1].starts_with("10 minutes"), "{seen:?}");
}

/// The run still stands on the message when its bounce is known.
#[test]
fn a_refusal_is_a_bounce_for_the_very_next_step() {
    let check = |workflow: &str, expected: &[&str]| {
        let text = format!("workflow: w\ntrigger: {{ event: e }}\n{workflow}\n");
        let mut world = World::with(SETTINGS, &[("workflows/w.yaml", &text)], START);
        world.replies.insert("ada@example.com".into(), vec![Outcome::Failed("550 5.1.1 no".into())]);
        world.refusal = Some(Refusal { kind: RefusalKind::Hard, status: Some("5.1.1".into()) });
        world.event("0s", "e", json!({}));
        world.check("1 day", expected);
    };
    check(
        "steps: [ { send: a, id: m }, { branch: [ { when: { message: a, is: bounced }, steps: [ { exit: bounced } ] } ] }, { send: b } ]",
        &["0 seconds enter w", "0 seconds send a \"failed\"", "0 seconds branch 1", "0 seconds exit exit: bounced"],
    );
    check(
        "exit_when: { message: any, is: bounced }\nsteps: [ { send: a, id: m }, { record: after } ]",
        &["0 seconds enter w", "0 seconds exit exit_when", "0 seconds send a \"failed\""],
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// However many runs are due for one contact in the same instant, and whatever became of earlier messages, no cap is ever exceeded.
    #[test]
    fn no_race_goes_over_a_cap(
        caps in prop::collection::vec((1u32..4, 1i64..5, 0usize..3, 0usize..3), 1..4),
        sends in prop::collection::vec((0i64..8, 1usize..6, 0usize..2, 0usize..3), 1..8),
        failing in prop::collection::vec(any::<bool>(), 0..12),
    ) {
        let topics = ["offers", "news"];
        let channels = ["email", "sms"];
        let caps_text: Vec<String> = caps.iter().map(|(most, days, topic, channel)| {
            let topic = topics.get(*topic).map(|topic| format!(", topic: {topic}")).unwrap_or_default();
            let channel = channels.get(*channel).map(|channel| format!(", channel: {channel}")).unwrap_or_default();
            format!("{{ at_most: {most}, per: {days} days{topic}{channel} }}")
        }).collect();
        let settings = format!(
            "project: shop\ntime_zone: UTC\ncontract: open\nlimits: {{ spread: 0 minutes, frequency: [ {} ] }}\n\
             channels: {{ sms: {{ deliver: 'null:' }} }}\ntopics: {{ offers: {{ default: subscribed }}, news: {{ default: subscribed }} }}\n",
            caps_text.join(", ")
        );
        let mut files = Vec::new();
        for topic in topics {
            for channel in channels {
                for n in 0..5 {
                    let name = format!("{topic}-{channel}-{n}");
                    files.push((
                        format!("workflows/{name}.yaml"),
                        format!("workflow: {name}\ntrigger: {{ event: {topic}_{channel}_{n} }}\nreentry: always\nsteps: [ {{ send: a, topic: {topic}, channel: {channel}, when_capped: wait }} ]\n"),
                    ));
                }
            }
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let mut world = World::with(&settings, &files, START);
        world.contact(json!({ "id": "ada", "phone": "+49" }));
        let outcomes = || failing.iter().map(|fails| if *fails { Outcome::Failed("no".into()) } else { Outcome::Sent }).collect::<Vec<_>>();
        world.replies = BTreeMap::from([("ada@example.com".to_owned(), outcomes()), ("+49".to_owned(), outcomes())]);
        let mut sends = sends;
        sends.sort();
        for (day, burst, topic, channel) in sends {
            world.until(&format!("{day} days"));
            let at = world.now;
            let inputs = (0..burst.min(5)).flat_map(|n| {
                let channels = if channel == 2 { vec!["email", "sms"] } else { vec![channels[channel]] };
                channels.into_iter().map(move |channel| {
                    let name = format!("{}_{channel}_{n}", topics[topic]);
                    let what = What::Event { name, properties: Map::new(), id: None };
                    crate::kernel::Input::Occurrence(crate::ingest::Occurrence { at, contact: "ada".into(), anonymous: false, what })
                })
            }).collect();
            world.settle(inputs);
        }
        world.until("40 days");
        let id = world.kernel.store().contact_id("ada").unwrap().unwrap();
        let slots = world.kernel.store().slots_taken(id, 0).unwrap();
        for (most, days, topic, channel) in caps {
            let per = days * 86_400_000;
            let counted: Vec<i64> = slots.iter()
                .filter(|slot| topics.get(topic).is_none_or(|topic| slot.topic.as_deref() == Some(topic)))
                .filter(|slot| channels.get(channel).is_none_or(|channel| slot.channel == *channel))
                .map(|slot| slot.at)
                .collect();
            for at in &counted {
                let within = counted.iter().filter(|other| **other > at - per && *other <= at).count();
                prop_assert!(within <= most as usize, "{within} within {days} days, at most {most}: {counted:?}");
            }
        }
    }
}
