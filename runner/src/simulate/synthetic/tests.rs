//! Who is made up, what they do, and that nothing of it moves when something else is added.

use std::collections::BTreeMap;

use dsl::model::Catalog;
use dsl::{ProjectFiles, read_audience};

use super::*;
use crate::ingest::What;

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\n\
    topics: { offers: { default: unsubscribed }, news: { default: subscribed }, tips: { confirm: true, default: unsubscribed } }\n";
/// From the first of March to the end of May 2026, in Berlin.
const FROM: i64 = 1_772_319_600_000;
const UNTIL: i64 = 1_780_264_800_000;
const HOUR: i64 = 3_600_000;

fn catalog() -> Catalog {
    let files = [
        ("campaignd.yaml", SETTINGS),
        ("workflows/w.yaml", "workflow: w\ntrigger: { event: ordered }\ntopic: offers\nsteps: [ send: hello ]\n"),
        ("templates/hello.txt.hbs", "---\nsubject: Hello\n---\nHello.\n"),
    ];
    let compiled = dsl::compile(&ProjectFiles::from_texts(files));
    compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn synthetic(lines: &str, seed: &str) -> Synthetic {
    let catalog = catalog();
    let text = format!("audience: crowd\n{lines}");
    let (audience, diagnostics) = read_audience("a.yaml", &text, &catalog);
    let audience = audience.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    let span = Span { from: FROM, until: UNTIL, seed: seed.to_owned() };
    Synthetic::new(Arc::new(audience), catalog.settings.clone(), &span)
}

fn all(mut synthetic: Synthetic) -> Vec<Occurrence> {
    let mut found = Vec::new();
    while let Some(at) = synthetic.next_at() {
        let next = synthetic.take().unwrap().unwrap();
        assert_eq!(next.at, at);
        found.push(next);
    }
    assert!(found.is_sorted_by_key(|occurrence| occurrence.at), "in order of time");
    assert!(found.iter().all(|occurrence| occurrence.at < UNTIL));
    assert_eq!(synthetic.taken(), found.len() as u64);
    found
}

fn events<'a>(of: &'a [Occurrence], wanted: &str) -> Vec<&'a Occurrence> {
    let named = |occurrence: &&Occurrence| matches!(&occurrence.what, What::Event { name, .. } if name == wanted);
    of.iter().filter(named).collect()
}

fn property<'a>(occurrence: &'a Occurrence, key: &str) -> Option<&'a Value> {
    match &occurrence.what {
        What::Event { properties, .. } => properties.get(key),
        _ => None,
    }
}

const CROWD: &str = "contacts: { at_start: 300, history: 30 days }\n";
const VIEWS: &str = "  - { event: viewed, rate: 3 per month, with: { page: { one_of: [a, b, c] } } }\n";

#[test]
fn people_are_as_the_profile_says() {
    let profile = "contacts: { at_start: 2000 }
profile:
  email: 90%
  phone: 25%
  locale: { one_of: { de: 3, en: 1 } }
  time_zone: { one_of: { Europe/Vienna: 1, Asia/Tokyo: 1 }, chance: 50% }
  topics: { offers: 60% }
  attributes:
    age: { normal: 40, deviation: 10, at_least: 30 }
    born: { between: [1990-02-27, 1990-03-02] }
    spent: { lognormal: 60, factor: 2, decimals: 2 }
    tier: { value: [gold, 1], chance: 10% }
    score: { between: [1, 3] }
    code: { numbered: no- }
";
    let people: Vec<ContactInput> = synthetic(profile, "").contacts().collect();
    assert_eq!(people.len(), 2000);
    assert_eq!((people[0].id.as_str(), people[1999].id.as_str()), ("crowd-1", "crowd-2000"));
    let check = |what: &str, count: usize, expected: std::ops::RangeInclusive<usize>| {
        assert!(expected.contains(&count), "{what}: {count}");
    };
    let count = |test: &dyn Fn(&ContactInput) -> bool| people.iter().filter(|person| test(person)).count();
    check("email", count(&|person| person.email.is_some()), 1760..=1840);
    check("phone", count(&|person| person.phone.is_some()), 430..=570);
    check("de", count(&|person| person.locale.as_deref() == Some("de")), 1430..=1570);
    check("no zone", count(&|person| person.time_zone.is_none()), 930..=1070);
    let wants = |topic: &'static str| move |person: &ContactInput| person.topics.as_ref().unwrap().iter().any(|one| one == topic);
    check("offers", count(&wants("offers")), 1130..=1270);
    check("news, by default", count(&wants("news")), 2000..=2000);
    check("tips, by default", count(&wants("tips")), 0..=0);
    check("gold", count(&|person| person.attributes.contains_key("tier")), 150..=250);
    let number = |person: &ContactInput, key: &str| person.attributes[key].as_f64().unwrap();
    check("age", count(&|person| number(person, "age") < 40.0), 880..=1060);
    check("age at least", count(&|person| number(person, "age") < 30.0), 0..=0);
    check("spent", count(&|person| (30.0..120.0).contains(&number(person, "spent"))), 1290..=1440);
    for (key, values) in [("score", 3), ("born", 4), ("code", 2000)] {
        let found: std::collections::BTreeSet<String> = people.iter().map(|person| person.attributes[key].to_string()).collect();
        assert_eq!(found.len(), values, "{key}: {:?}", found.iter().take(5).collect::<Vec<_>>());
    }
}

#[test]
fn events_come_at_their_rate() {
    let found = all(synthetic(&format!("{CROWD}events:\n{VIEWS}"), ""));
    // 300 people, 122 days with the history, 3 every 30.4 days.
    let count = found.len() as f64 / (300.0 * 3.0 * (UNTIL - FROM + 30 * 24 * HOUR) as f64 / (365.25 / 12.0 * DAY));
    assert!((0.95..1.05).contains(&count), "{count}");
    let history = found.iter().filter(|occurrence| occurrence.at < FROM).count();
    assert!((700..1080).contains(&history), "{history}");
    assert!(found.iter().all(|occurrence| occurrence.at >= FROM - 30 * 24 * HOUR));
}

#[test]
fn hours_and_weekdays_move_events_and_keep_their_rate() {
    let lines = "contacts: { at_start: 400 }
profile: { time_zone: Asia/Tokyo }
events: [ { event: viewed, rate: 2 per week, hours: \"22:00-02:00\", days: { sun: 3, mon: 0 } } ]
";
    let found = all(synthetic(lines, ""));
    let tokyo = dsl::time::zone("Asia/Tokyo").unwrap();
    let mut days: BTreeMap<i8, u32> = BTreeMap::new();
    for occurrence in &found {
        let civil = dsl::time::civil_at(occurrence.at, &tokyo);
        assert!(civil.hour() >= 22 || civil.hour() < 2, "{civil}");
        *days.entry(civil.weekday().to_monday_zero_offset()).or_default() += 1;
    }
    let rate = found.len() as f64 / (400.0 * 2.0 * (UNTIL - FROM) as f64 / (7.0 * DAY));
    assert!((0.95..1.05).contains(&rate), "{rate}");
    assert_eq!(days.get(&0), None, "never on Mondays");
    let times = f64::from(days[&6]) / f64::from(days[&2]);
    assert!((2.6..3.4).contains(&times), "{times}");
}

#[test]
fn what_follows_comes_later_and_takes_over_what_it_says() {
    let lines = format!(
        "{CROWD}events:
{VIEWS}  - {{ event: carted, follows: viewed, chance: 50%, delay: {{ between: [1 hour, 3 hours] }}, with: {{ page: {{ same: event.page }}, id: {{ numbered: c- }} }} }}
  - {{ event: ordered, follows: carted, chance: 100%, delay: 5 minutes, with: {{ id: {{ same: event.id }}, missing: {{ same: event.no.such }} }} }}
"
    );
    let found = all(synthetic(&lines, ""));
    let (views, carts, orders) = (events(&found, "viewed"), events(&found, "carted"), events(&found, "ordered"));
    let share = carts.len() as f64 / views.len() as f64;
    assert!((0.45..0.55).contains(&share), "{share}");
    for cart in &carts {
        let before = views.iter().any(|view| {
            view.contact == cart.contact
                && property(view, "page") == property(cart, "page")
                && (HOUR..=3 * HOUR).contains(&(cart.at - view.at))
        });
        assert!(before, "{cart:?}");
        let order = orders.iter().find(|order| property(order, "id") == property(cart, "id"));
        assert!(cart.at + 300_000 >= UNTIL || order.is_some_and(|order| order.at == cart.at + 300_000), "{cart:?}");
    }
    assert!(orders.iter().all(|order| property(order, "missing").is_none()));
}

#[test]
fn those_who_come_say_who_they_are_first() {
    let lines = "contacts: { at_start: 5, arrive: 4 per day }
profile: { topics: { offers: 100%, news: 0%, tips: 100% }, attributes: { country: DE } }
events: [ { event: signed_up, on_arrival: 100% }, { event: ordered, on_arrival: 25%, delay: { average: 1 day } } ]
";
    let found = all(synthetic(lines, ""));
    let arrived = events(&found, "signed_up").len();
    assert!((310..430).contains(&arrived), "{arrived}");
    let orders = events(&found, "ordered").len();
    assert!((60..125).contains(&orders), "{orders}");
    let one: Vec<&Occurrence> = found.iter().filter(|occurrence| occurrence.contact == "crowd-6").collect();
    let words = one.iter().map(|occurrence| match &occurrence.what {
        What::Set(fields) => format!("set {} {}", fields["country"], fields["email"]),
        What::Event { name, .. } => name.clone(),
        What::Subscribe(topic) => format!("+{topic}"),
        What::Unsubscribe(topic) => format!("-{topic}"),
        What::Confirm(topic) => format!("confirms {topic}"),
        What::Erase => "erase".to_owned(),
    });
    let expected = ["set \"DE\" \"crowd-6@example.com\"", "-news", "+offers", "+tips", "signed_up", "confirms tips"];
    assert_eq!(words.take(6).collect::<Vec<_>>(), expected);
    assert!(one[..5].iter().all(|occurrence| occurrence.at == one[0].at) && one[5].at == one[0].at + 600_000);
}

#[test]
fn the_same_seed_gives_the_same_and_another_does_not() {
    let lines = format!("contacts: {{ at_start: 50, arrive: 1 per day }}\nevents:\n{VIEWS}");
    let one = all(synthetic(&lines, "7"));
    assert_eq!(one, all(synthetic(&lines, "7")));
    assert_ne!(one, all(synthetic(&lines, "8")));
}

#[test]
fn whatever_is_added_leaves_the_rest_as_it_was() {
    let views = |lines: &str| {
        let found = all(synthetic(lines, ""));
        events(&found, "viewed").into_iter().cloned().collect::<Vec<_>>()
    };
    let more = format!(
        "{CROWD}profile: {{ attributes: {{ age: {{ between: [1, 9] }} }} }}\nevents:\n  - {{ event: ordered, rate: 1 per week }}\n\
         {VIEWS}  - {{ event: liked, follows: viewed, chance: 50% }}\n"
    );
    let plain = format!("{CROWD}events:\n{VIEWS}");
    assert_eq!(views(&plain), views(&more));
    // More people do not change those who were there.
    let larger = plain.replace("300", "400");
    let first: Vec<Occurrence> =
        views(&larger).into_iter().filter(|view| people::number("crowd", &view.contact) < Some(300)).collect();
    assert_eq!(views(&plain), first);
}

/// A message that left.
fn message(person: &str, template: &str, instant: i64) -> Line {
    let sent = crate::rehearsal::Sent {
        channel: "email".to_owned(),
        template: template.to_owned(),
        to: None,
        subject: None,
        status: Some(crate::state::MessageStatus::Sent),
        error: None,
        topic: Some("offers".to_owned()),
        due: instant,
    };
    Line {
        instant,
        at: String::new(),
        contact: person.to_owned(),
        workflow: "w".to_owned(),
        run: "1".to_owned(),
        step: "send-hello".to_owned(),
        kind: crate::state::LogKind::Send,
        sent: Some(sent),
        message: None,
        detail: Map::new(),
        html: None,
        text: None,
        bodies: false,
    }
}

#[test]
fn messages_are_taken_as_the_reactions_say() {
    let lines = "contacts: { at_start: 4000 }
events:
  - { event: viewed, follows: message_clicked, template: hello, delay: 5 seconds }
  - { event: ordered, follows: viewed, chance: 50% }
reactions:
  - { to: hello, opened: { chance: 50%, delay: 1 hour }, clicked: { chance: 40%, delay: 1 minute }, unsubscribed: 10%, complained: 5%, bounced: 10% }
  - { to: any, opened: 100% }
";
    let mut crowd = synthetic(lines, "");
    let people: Vec<String> = crowd.contacts().map(|person| person.id).collect();
    people.iter().for_each(|person| crowd.saw(&message(person, "hello", FROM + 5)));
    let found = all(crowd);
    let count = |name: &str| events(&found, name).len();
    let check = |what: &str, count: usize, expected: f64| {
        // Four standard deviations.
        assert!((count as f64 - expected).abs() < 4.0 * expected.sqrt(), "{what}: {count}, not about {expected}");
    };
    check("bounced", count("message_bounced"), 400.0);
    check("opened", count("message_opened"), 1800.0);
    check("clicked", count("message_clicked"), 720.0);
    check("complained", count("message_complained"), 90.0);
    check("ordered", count("ordered"), 360.0);
    assert_eq!(count("viewed"), count("message_clicked"));
    let left = found.iter().filter(|occurrence| occurrence.what == What::Unsubscribe("offers".to_owned())).count();
    check("unsubscribed", left, 180.0);
    let opened = events(&found, "message_opened")[0];
    assert_eq!(opened.at, FROM + 5 + HOUR);
    assert_eq!(property(opened, "template"), Some(&Value::from("hello")));
    // Somebody else's contact, and a message to nobody that was made up, make nothing happen.
    let mut crowd = synthetic(lines, "");
    ["ada", "crowd-", "crowd-0", "crowd-x"].iter().for_each(|person| crowd.saw(&message(person, "hello", FROM)));
    assert_eq!(all(crowd), []);
}
