//! The shipped audience, and what is said of wrong ones.

use crate::model::{Cause, Delay, Distribution};
use crate::time::Duration;
use crate::{ProjectFiles, compile, read_audience};

const SETTINGS: &str = "project: shop\ntime_zone: UTC\ntopics: { offers: { title: Offers } }\n";
const CONTACT: &str =
    r#"{"type":"object","properties":{"country":{"type":"string","pattern":"^[A-Z]{2}$"},"age":{"type":"integer"}}}"#;
const ORDER: &str =
    r#"{"type":"object","required":["total"],"properties":{"total":{"type":"number","minimum":0},"order_id":{"type":"string"}}}"#;

fn catalog() -> crate::model::Catalog {
    let files = [
        ("campaignd.yaml", SETTINGS),
        ("workflows/w.yaml", "workflow: w\ntrigger: { event: ordered }\ntopic: offers\nsteps: [ send: hello ]\n"),
        ("templates/hello.txt.hbs", "---\nsubject: Hello\n---\nHello.\n"),
        ("schemas/contact.schema.json", CONTACT),
        ("schemas/events/ordered.schema.json", ORDER),
    ];
    let compiled = compile(&ProjectFiles::from_texts(files));
    compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

/// The diagnostics of an audience with these lines, each as `LINE:COLUMN code message (help)`.
#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    let text = format!("audience: a\ncontacts: {{ at_start: 10 }}\n{lines}");
    let (audience, diagnostics) = read_audience("a.yaml", &text, &catalog());
    let shown: Vec<String> = diagnostics
        .iter()
        .map(|d| {
            let help = d.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}:{} {} {}{help}", d.location.line, d.location.column, d.code, d.message)
        })
        .collect();
    assert_eq!(shown, expected, "{lines}");
    assert_eq!(audience.is_some(), expected.is_empty());
}

#[test]
fn everything_that_can_be_said() {
    check(
        r#"profile:
  email: 98%
  phone: 0.5%
  locale: de
  time_zone: { one_of: { Europe/Berlin: 3, UTC: 1 } }
  topics: { offers: 60% }
  attributes:
    country: { one_of: [DE, AT], chance: 90% }
    age: { normal: 40, deviation: 12, at_least: 18, at_most: 99 }
events:
  - { event: ordered, rate: 0.5 per month, among: 50%, hours: "20:00-02:00", days: { sat: 2, sun: 0 }, with: { total: { between: [1.5, 20] } } }
  - { event: ordered, on_arrival: 10%, delay: { between: [1 hour, 2 days] }, with: { total: { lognormal: 60, factor: 2 } } }
  - { event: ordered, follows: message_clicked, template: hello, chance: 5%, delay: { average: 1 hour }, with: { total: 5, order_id: { numbered: o- } } }
  - { event: ordered, follows: ordered, chance: 5%, delay: { median: 1 day, factor: 3 }, with: { total: { same: event.total } } }
reactions:
  - { to: [hello], opened: { chance: 50%, delay: 1 hour }, clicked: 10%, unsubscribed: 1%, complained: 0%, bounced: 1% }
  - { to: any, opened: 50% }
"#,
        &[],
    );
}

#[test]
fn the_shape_is_strict() {
    check(
        "profile: { emial: 5% }\n",
        &[
            "3:12 unknown-key unknown key `emial` in a profile (did you mean `email`? allowed here: `attributes`, `email`, `locale`, `phone`, `time_zone`, `topics`)",
        ],
    );
    check(
        "events: [ { event: ordered } ]\n",
        &[
            "3:11 no-verb an event source needs a verb, but this has only `event` (an event source has one of `rate`, `on_arrival`, `follows`)",
        ],
    );
    check(
        "events: [ { event: ordered, rate: 1 per day, with: { total: { norml: 5 } } } ]\n",
        &[
            "3:63 unknown-key unknown key `norml` in a drawn value (did you mean `normal`? a drawn value has one of `one_of`, `between`, `normal`, `lognormal`, `numbered`, `same`, `value`)",
        ],
    );
    check(
        "reactions: [ { opened: 5% } ]\n",
        &[
            "3:14 missing-key a reaction needs the key `to` (`to`: The template, several, or `any`. An inline message is called by its step's id.)",
        ],
    );
}

#[test]
fn shares_rates_and_spans_make_sense() {
    check("profile: { email: 0.98 }\n", &["3:19 invalid-number `0.98` is no share (write `98%`)"]);
    check("profile: { email: 120% }\n", &["3:19 invalid-number `120%` is no share (write a percentage from `0%` to `100%`)"]);
    let order = |rest: &str| format!("events: [ {{ event: ordered, with: {{ total: 5 }}, {rest} }} ]\n");
    check(
        &order("rate: often"),
        &["3:55 invalid-rate `often` is no rate (write `6 per month`; units are hour, day, week, month and year)"],
    );
    check(
        &order("on_arrival: 5%, delay: { between: [2 days, 1 day] }"),
        &["3:83 invalid-duration 2 days is longer than 1 day (write the shorter one first)"],
    );
    check(
        &order("rate: 1 per day, days: { mon: 0, tue: 0, wed: 0, thu: 0, fri: 0, weekends: 0 }"),
        &["3:72 invalid-number no day is left (leave a weekday with a weight above 0)"],
    );
}

#[test]
fn it_is_held_against_the_project() {
    check(
        "profile: { topics: { ofers: 5% }, attributes: { contry: DE } }\n",
        &[
            "3:22 unknown-topic there is no topic `ofers` in campaignd.yaml (did you mean `offers`?)",
            "3:49 unknown-attribute the data contract knows no attribute `contact.contry` (did you mean `country`?)",
        ],
    );
    check(
        "events: [ { event: orderd, rate: 1 per day } ]\n",
        &["3:20 unknown-event there is no event `orderd` under schemas/events/ (did you mean `ordered`?)"],
    );
    check(
        "reactions: [ { to: helo, opened: 5% } ]\n",
        &["3:20 unknown-template no workflow sends a message `helo` (did you mean `hello`?)"],
    );
    check(
        "profile: { time_zone: Europe/Berlim }\n",
        &["3:23 invalid-zone `Europe/Berlim` is no time zone (write an IANA name, such as Europe/Berlin)"],
    );
    check(
        "events: [ { event: message_clicked, rate: 1 per day } ]\n",
        &[
            "3:20 reserved-event `message_clicked` is an event of the runner itself (what messages make people do stands in `reactions`)",
        ],
    );
}

/// The lines, codes and places of what breaks the contract; the words are the contract's own.
#[track_caller]
fn breaks(lines: &str, expected: &[&str]) {
    let text = format!("audience: a\ncontacts: {{ at_start: 10 }}\n{lines}");
    let (audience, diagnostics) = read_audience("a.yaml", &text, &catalog());
    let places: Vec<String> =
        diagnostics.iter().map(|d| format!("{}:{} {}", d.location.line, d.location.column, d.code)).collect();
    assert_eq!(places, expected, "{diagnostics:#?}");
    assert!(audience.is_none());
}

#[test]
fn every_value_that_may_be_drawn_obeys_the_contract() {
    breaks("profile: { attributes: { country: { one_of: [DE, Austria] } } }\n", &["3:35 wrong-type"]);
    breaks("profile: { attributes: { age: { lognormal: 40, factor: 2, decimals: 2 } } }\n", &["3:31 wrong-type"]);
    breaks(
        "events: [ { event: ordered, rate: 1 per day, with: { total: { normal: 5, deviation: 5 } } } ]\n",
        &["3:61 wrong-type"],
    );
    // What some do not have must not be needed.
    breaks(
        "events: [ { event: ordered, rate: 1 per day, with: { total: { between: [1, 2], chance: 50% } } } ]\n",
        &["3:61 wrong-type"],
    );
    breaks("events: [ { event: ordered, rate: 1 per day } ]\n", &["3:20 wrong-type"]);
}

#[test]
fn what_follows_has_something_to_follow_and_ends() {
    check(
        "events: [ { event: ordered, follows: message_clicked, with: { total: 1 } } ]\n",
        &["3:38 unknown-event nothing in this audience makes `message_clicked` happen (what happens: `ordered`)"],
    );
    check(
        "events: [ { event: ordered, follows: ordered, with: { total: 1 } } ]\n",
        &["3:38 invalid-number `ordered` always leads to itself again: it would never end (give it a `chance` below 100%)"],
    );
    check(
        "reactions: [ { to: any, clicked: 5% } ]\n",
        &["3:34 missing-key `clicked` is a share of those who opened the message, and nobody does (add `opened: 45%`)"],
    );
}

#[test]
fn the_shipped_audience_fits_the_shipped_project() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let compiled = compile(&ProjectFiles::read(&root).unwrap());
    let text = std::fs::read_to_string(root.join("tests/audience.yaml")).unwrap();
    let (audience, diagnostics) = read_audience("tests/audience.yaml", &text, &compiled.catalog.unwrap());
    assert_eq!(diagnostics, []);
    let audience = audience.unwrap();
    assert_eq!((audience.at_start, audience.history, audience.arrive), (2000, Duration::parse("200 days").unwrap(), 6.0));
    let order = audience.sources.iter().find(|source| source.event == "order_completed").unwrap();
    assert!(matches!(&order.cause, Cause::Event { follows, delay: Delay::Median(..), .. } if follows == "cart_updated"));
    assert!(matches!(&order.properties[2].1.how, Distribution::Same(path) if path.to_string() == "event.total"));
}

/// Each example of the guide; what is only a part of an audience gets the rest.
#[test]
fn the_guides_examples_are_good() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let compiled = compile(&ProjectFiles::read(&root).unwrap());
    let catalog = compiled.catalog.unwrap();
    let guide = std::fs::read_to_string(root.join("docs/simulation.md")).unwrap();
    let examples: Vec<&str> = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 5);
    for example in examples {
        let mut text = example.to_owned();
        for (key, rest) in [("audience:", "audience: example\n"), ("contacts:", "contacts: { at_start: 1 }\n")] {
            if !example.lines().any(|line| line.starts_with(key)) {
                text.insert_str(0, rest);
            }
        }
        let (audience, diagnostics) = read_audience("example.yaml", &text, &catalog);
        assert_eq!(diagnostics, [], "{text}");
        assert!(audience.is_some());
    }
    // The table of values, too: each row is a property of some event.
    let values = guide.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect::<Vec<_>>();
    assert_eq!(values.len(), 9);
    for value in values {
        let text = format!(
            "audience: a\ncontacts: {{ at_start: 1 }}\nevents: [ {{ event: x, rate: 1 per day, with: {{ p: {value} }} }} ]\n"
        );
        let files = [("campaignd.yaml", "project: shop\ntime_zone: UTC\ncontract: open\n")];
        let open = compile(&ProjectFiles::from_texts(files)).catalog.unwrap();
        let (audience, diagnostics) = read_audience("example.yaml", &text, &open);
        assert!(audience.is_some(), "{value}: {diagnostics:#?}");
    }
}
