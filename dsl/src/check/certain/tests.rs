use crate::diagnostic::Severity;
use crate::project::ProjectFiles;

const CONTACT: &str = r#"{ "properties": { "plan": { "enum": ["free", "pro"] }, "age": { "type": "integer", "minimum": 0, "maximum": 150 } }, "additionalProperties": true }"#;
const ORDER: &str = r#"{ "properties": { "total": { "type": "number", "minimum": 0 }, "kind": { "enum": ["new", "again"] } }, "required": ["kind"], "additionalProperties": true }"#;
const SHARED: &str = "segments:
  adults: { contact.years: { at_least: 18 } }
  grown: { segment: adults }
  germans: { contact.country: DE }
  not_germans: { not: { segment: germans } }
  broken: { contact.years: { above: 5, below: 3 } }
traits:
  orders: { count: ordered }
  spent: { sum: event.total, of: ordered }
  size: { by: contact.orders, tiers: { big: 5, small: 0 } }
  worth: { by: contact.spent, tiers: { high: 5, low: 0 } }
  quintile: { rank: contact.spent, into: 5 }
  kind: { first_match: { fan: { event: ordered } }, otherwise: other }
";

/// The codes and places of what the rules on certainty say of a file.
fn found(file: &str) -> Vec<String> {
    let settings = "project: shop\ntime_zone: Europe/Berlin\ntopics: { offers: { title: Offers }, news: { title: News } }\nrules: { unused-segment: off }\n";
    let texts = [
        ("campaignd.yaml", settings),
        ("workflows/shared.yaml", SHARED),
        ("workflows/other.yaml", "workflow: other\ntrigger: { manual: true }\nsteps: [exit]\n"),
        ("workflows/a.yaml", file),
        ("schemas/contact.schema.json", CONTACT),
        ("schemas/events/ordered.schema.json", ORDER),
        ("schemas/events/seen.schema.json", "{}"),
    ];
    let files: Vec<(String, String)> = texts.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
    let compiled = crate::compile(&ProjectFiles::from_texts(files));
    let of_certainty = ["constant-segment", "constant-condition", "unreachable-step"];
    let found = compiled.diagnostics.iter().filter(|found| found.location.file == "workflows/a.yaml");
    let errors = found.clone().filter(|found| found.severity == Severity::Error).count();
    assert_eq!(errors, 0, "{file}\n{}", crate::render::short(&compiled.diagnostics));
    found
        .filter(|found| of_certainty.contains(&found.code))
        .map(|found| format!("{}:{} {}", found.location.line, found.location.column, found.message))
        .collect()
}

/// What is found of a segment's condition as a whole: `Some(true)` for everybody.
fn check(conditions: &[&str], expected: Option<bool>) {
    let wrong = conditions.iter().filter(|condition| {
        let found = found(&format!("segments:\n  s: {condition}\n"));
        let whole = found.iter().find_map(|found| found.strip_prefix("2:3 "));
        whole.map(|message| message.starts_with("everybody")) != expected
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&&str>::new());
}

/// A workflow's lines behind its trigger, and all that is found.
fn workflow(lines: &str, expected: &[&str]) {
    let found = found(&format!("workflow: w\ntrigger: {{ event: ordered }}\n{lines}"));
    assert_eq!(found, expected, "{lines}");
}

#[test]
fn never() {
    check(
        &[
            "{ contact.years: { above: 5, below: 3 } }",
            "{ contact.years: { at_least: 5, below: 5 } }",
            "{ all: [ { contact.years: { above: 5 } }, { any: [ { contact.years: 1 } ] }, { contact.years: { below: 2 } } ] }",
            "{ all: [ { contact.country: DE }, { contact.country: [AT, CH] } ] }",
            "{ all: [ { contact.country: DE }, { contact.country: { is_not: DE } } ] }",
            "{ all: [ { contact.country: [DE, AT] }, { contact.country: { none_of: [AT, DE, CH] } } ] }",
            "{ contact.country: { one_of: [DE, AT], starts_with: C } }",
            "{ contact.years: { is: 17, at_least: 18 } }",
            "{ contact.name: { exists: false, starts_with: A } }",
            "{ all: [ { contact.name: { exists: false } }, { contact.name: Ada } ] }",
            "{ all: [ { topic: offers }, { not: { topic: offers } } ] }",
            "{ all: [ { topic: offers }, { none: [ { topic: news }, { topic: offers } ] } ] }",
            "{ contact.seen_at: { after: 30 days ago, before: 60 days ago } }",
            "{ contact.seen_at: { within: { last: 3 days }, after: in 2 days } }",
            "{ event: ordered, count: { below: 0 } }",
            "{ event: ordered, count: { at_least: 3, at_most: 2 } }",
            "{ all: [ { event: ordered }, { event: ordered, count: 0 } ] }",
            "{ all: [ { event: ordered, within: 3 days }, { event: ordered, count: 0, within: 4 days } ] }",
            "{ event: ordered, where: { event.total: { above: 5, below: 5 } } }",
            "{ any: [ { contact.years: { above: 5, below: 3 } }, { event: ordered, count: { below: 0 } } ] }",
            // Dates, texts, kinds.
            "{ contact.seen_at: { after: 2026-05-01, before: 2026-04-01 } }",
            "{ contact.seen_at: { after: 2026-05-01T00:00:00Z, before: 2026-04-01 } }",
            "{ all: [ { contact.seen_at: { after: 2026-05-01 } }, { contact.seen_at: { before: 2026-05-01 } } ] }",
            "{ all: [ { contact.seen_at: { before: now } }, { not: { contact.seen_at: { before: in 1 day } } } ] }",
            "{ contact.name: { starts_with: A, contains: b, above: 5 } }",
            "{ contact.name: { starts_with: Ab, ends_with: c, none_of: [x] } , all: [ { contact.name: { starts_with: B } } ] }",
            "{ all: [ { contact.name: { starts_with: Abc } }, { not: { contact.name: { starts_with: Ab } } } ] }",
            "{ contact.name: { one_of: [Ada, Bo], contains: x } }",
            // Choices of which no way is open, or one.
            "{ contact.country: DE, any: [ { contact.country: AT }, { contact.country: CH } ] }",
            "{ all: [ { any: [ { topic: offers }, { topic: news } ] }, { not: { topic: offers } }, { not: { topic: news } } ] }",
            "{ all: [ { any: [ { topic: offers }, { topic: news } ] }, { not: { topic: offers } }, { any: [ { topic: offers }, { not: { topic: news } } ] } ] }",
            "{ all: [ { contact.years: { at_least: 5, below: 9 } }, { not: { contact.years: { at_least: 5, below: 9 } } } ] }",
            // Segments.
            "{ segment: adults, contact.years: { below: 18 } }",
            "{ segment: grown, contact.years: { below: 18 } }",
            "{ segment: adults, none: [ { contact.years: { above: 10 } } ] }",
            "{ all: [ { segment: germans }, { segment: not_germans } ] }",
            "{ all: [ { segment: germans }, { contact.country: { exists: false } } ] }",
            // Fields, traits and the contract.
            "{ contact.id: { exists: false } }",
            "{ contact.orders: { above: 4, below: 5 } }",
            "{ contact.orders: { exists: false } }",
            "{ contact.age: { above: 4, below: 5 } }",
            "{ contact.plan: { exists: true, none_of: [free, pro] } }",
            "{ contact.quintile: { exists: true, none_of: [1, 2, 3, 4, 5] } }",
            "{ event: ordered, where: { event.kind: { exists: false } } }",
            "{ event: ordered, sum: { of: event.total, below: 0 } }",
            "{ event: ordered, avg: { of: event.total, above: 10, below: 5 } }",
            "{ all: [ { event: ordered, sum: { of: event.total, above: 10 } }, { event: ordered, sum: { of: event.total, below: 10 } } ] }",
            // Messages and workflows.
            "{ all: [ { message: any, is: clicked, within: 3 days }, { not: { message: any, is: clicked, within: 4 days } } ] }",
            "{ all: [ { workflow: other, is: never }, { workflow: other, is: active } ] }",
        ],
        Some(false),
    );
}

#[test]
fn always() {
    check(
        &[
            "{ any: [ { contact.country: DE }, { contact.country: { is_not: DE } } ] }",
            "{ any: [ { contact.name: { exists: true } }, { contact.name: { exists: false } } ] }",
            "{ any: [ { topic: offers }, { not: { topic: offers } } ] }",
            "{ event: ordered, count: { at_least: 0 } }",
            "{ not: { contact.years: { above: 5, below: 3 } } }",
            "{ none: [ { contact.years: { above: 5, below: 3 } } ] }",
            "{ event: ordered, count: 0, where: { event.total: { above: 5, below: 5 } } }",
            "{ contact.id: { exists: true } }",
            "{ contact.topics: { exists: true } }",
            "{ contact.orders: { at_least: 0 } }",
            "{ contact.size: [big, small] }",
            "{ contact.kind: { one_of: [other, fan] } }",
            "{ any: [ { contact.kind: fan }, { contact.kind: other } ] }",
            "{ any: [ { contact.orders: { above: 5 } }, { contact.orders: { at_most: 5 } } ] }",
            "{ any: [ { event: ordered }, { event: ordered, count: 0 } ] }",
            "{ any: [ { event: ordered, within: 3 days }, { event: ordered, count: 0, within: 2 days } ] }",
            "{ any: [ { segment: germans }, { segment: not_germans } ] }",
            "{ any: [ { workflow: other, is: never }, { workflow: other, is: active }, { workflow: other, is: completed }, { workflow: other, is: exited } ] }",
            "{ any: [ { not: { contact.years: { at_least: 18 } } }, { contact.years: { at_least: 16 } } ] }",
        ],
        Some(true),
    );
}

#[test]
fn either() {
    check(
        &[
            "{ contact.years: { at_least: 5, at_most: 5 } }",
            "{ any: [ { contact.years: { above: 5 } }, { contact.years: { at_most: 5 } } ] }",
            "{ all: [ { contact.country: [DE, AT] }, { contact.country: { none_of: [AT, CH] } } ] }",
            "{ contact.name: { exists: false, is_not: Ada } }",
            "{ contact.seen_at: { after: 60 days ago, before: 30 days ago } }",
            "{ all: [ { event: ordered }, { event: ordered, count: 0, within: 60 days } ] }",
            "{ all: [ { event: ordered, where: { event.total: 5 } }, { event: ordered, count: 1 } ] }",
            "{ event: ordered, count: { at_least: 0 }, sum: { of: event.total, above: 5 } }",
            "{ all: [ { topic: offers }, { not: { topic: news } } ] }",
            "{ contact.seen_at: { after: 2026-04-01, before: 2026-05-01 } }",
            "{ contact.seen_at: { after: 2026-05-01T12:00:00Z, before: 2026-05-01T20:00 } }",
            "{ contact.seen_at: { after: 2026-05-01T12:00:00Z, before: 2026-05-01T02:00 } }",
            "{ contact.seen_at: { after: 30 days ago, before: 2020-01-01 } }",
            "{ all: [ { not: { contact.seen_at: { before: now } } }, { not: { contact.seen_at: { after: now } } } ] }",
            "{ contact.name: { starts_with: A, contains: b, ends_with: Ab } }",
            "{ contact.tags: { contains: a }, all: [ { contact.tags: { contains: b } } ] }",
            "{ contact.tags: { contains: a }, not: { contact.tags: { contains: b } } }",
            "{ contact.name: { matches: ^A, is_not: A } }",
            "{ contact.years: { above: 4, below: 5 } }",
            "{ contact.spent: { at_least: 0 } }",
            "{ contact.worth: [high, low] }",
            "{ contact.quintile: [1, 2, 3, 4, 5] }",
            "{ contact.age: { at_least: 0 } }",
            "{ contact.plan: [free, pro] }",
            "{ any: [ { contact.plan: free }, { contact.plan: pro } ] }",
            "{ contact.age: { exists: false } }",
            "{ segment: adults, contact.years: { below: 30 } }",
            "{ any: [ { segment: adults }, { contact.years: { below: 18 } } ] }",
            "{ segment: broken }",
            "{ event: ordered, sum: { of: event.total, at_least: 0 } }",
            "{ event: seen, sum: { of: event.price, below: 0 } }",
            "{ event: ordered, count: { is_not: 3 } }",
            "{ all: [ { event: ordered, count: { is_not: 3 } }, { not: { event: ordered, count: 2 } } ] }",
            "{ all: [ { message: any, is: clicked }, { not: { message: any, is: clicked, within: 4 days } } ] }",
            "{ all: [ { message: any, is: clicked }, { not: { message: any, is: opened } } ] }",
            "{ all: [ { workflow: other, is: completed }, { workflow: other, is: active } ] }",
            "{ any: [ { workflow: other, is: never }, { workflow: other, is: completed } ] }",
            "{ all: [ { event: ordered, within: 4 days }, { event: ordered, count: 0, within: 3 days } ] }",
        ],
        None,
    );
}

/// Parts, and the moments and facts of a workflow.
#[test]
fn in_a_workflow() {
    workflow(
        "audience:\n  any:\n    - contact.years: { above: 5, below: 3 }\n    - topic: offers\nsteps: [exit]\n",
        &["5:7 this can never hold"],
    );
    workflow(
        "audience:\n  all:\n    - event: ordered\n      where: { event.total: { above: 5, below: 3 } }\n    - topic: offers\nsteps: [exit]\n",
        &["6:16 this can never hold"],
    );
    workflow(
        "steps:\n  - wait_for: { event: seen, count: 0 }\n    within: 1 day\n",
        &["4:5 this holds at once, before anything can happen"],
    );
    workflow("steps:\n  - wait_for: { event: seen, count: { below: 2 }, within: 3 days }\n    within: 1 day\n", &[]);
    workflow("steps:\n  - wait_for: { event: seen, count: 0 }\n    since: entry\n    within: 1 day\n", &[]);
    workflow("steps:\n  - wait_for: { all: [ { event: ordered }, { event: seen, count: 0 } ] }\n    within: 1 day\n", &[]);
    workflow(
        "steps:\n  - wait_for: { any: [ { event: ordered }, { not: { message: any, is: clicked } } ] }\n    within: 1 day\n",
        &["4:5 this holds at once, before anything can happen"],
    );
    workflow(
        "exit_when: { event: seen, count: 0 }\nsteps: [{ wait: 1 day }]\n",
        &["3:1 this holds at once, before anything can happen"],
    );
    workflow("exit_when: { event: seen, count: 0, within: 3 days }\nsteps: [{ wait: 1 day }]\n", &[]);
    workflow(
        "goal: { not: { event: seen } }\nsteps: [{ wait: 1 day }]\n",
        &["3:1 this holds at once, before anything can happen"],
    );
    // Within three days before the step, and after it, are different events.
    workflow(
        "steps:\n  - wait_for: { all: [ { event: seen, within: 3 days }, { event: seen, count: { at_most: 0 } }, { topic: offers } ] }\n    within: 1 day\n",
        &[],
    );
    workflow("steps:\n  - branch:\n      - when: { contact.kind: someone_else }\n        steps: [exit]\n", &[]);
}

/// What is sure of whoever comes in.
#[test]
fn by_the_trigger() {
    let check = |trigger: &str, lines: &str, expected: &[&str]| {
        assert_eq!(found(&format!("workflow: w\ntrigger: {trigger}\n{lines}")), expected, "{trigger}\n{lines}");
    };
    let on_total = "{ event: ordered, where: { event.total: { at_least: 20 } } }";
    check(
        on_total,
        "audience: { event.total: { below: 20 } }\nsteps: [exit]\n",
        &["3:13 this can never hold together with what else is asked for"],
    );
    check(
        on_total,
        "steps:\n  - branch:\n      - when: { event.total: { above: 10 } }\n        steps: [exit]\n",
        &["5:9 this always holds"],
    );
    check(on_total, "steps:\n  - branch:\n      - when: { event.total: { above: 30 } }\n        steps: [exit]\n", &[]);
    // What another event of that name is like is another matter.
    for lines in [
        "exit_when: { event: ordered, where: { event.total: { below: 20 } } }\nsteps: [ wait: 1 day ]\n",
        "goal: { event: ordered, where: { event.total: { below: 20 } }, within: 60 days }\nsteps: [ wait: 1 day ]\n",
        "audience: { event: ordered, where: { event.total: { below: 20 } }, within: 90 days }\nsteps: [exit]\n",
        "steps:\n  - wait_for: { event: ordered, where: { event.total: { below: 20 } } }\n    within: 3 days\n",
        "steps:\n  - branch: [ { when: { event: ordered, where: { event.total: { above: 10 } }, within: 20 days }, steps: [exit] } ]\n",
    ] {
        check(on_total, lines, &[]);
    }
    let either = "[ { event: ordered, where: { event.total: { at_least: 20 } } }, { event: seen } ]";
    check(either, "audience: { event.total: { below: 20 } }\nsteps: [exit]\n", &[]);
    check(
        "{ segment: adults }",
        "audience: { not: { segment: adults } }\nsteps: [exit]\n",
        &["3:1 nobody who comes in by the trigger can be in this audience"],
    );
    check(
        "{ segment: adults, change: leave }",
        "audience: { segment: adults }\nsteps: [exit]\n",
        &["3:1 nobody who comes in by the trigger can be in this audience"],
    );
    check(
        "{ segment: adults }",
        "audience: { contact.years: { below: 12 } }\nsteps: [exit]\n",
        &["3:1 nobody who comes in by the trigger can be in this audience"],
    );
    check("[ { segment: adults }, { event: seen } ]", "audience: { not: { segment: adults } }\nsteps: [exit]\n", &[]);
    check("{ segment: adults, change: leave }", "audience: { not: { segment: adults } }\nsteps: [exit]\n", &[]);
    // By a later change, or by hand.
    check("[ { segment: adults }, { manual: true } ]", "audience: { not: { segment: adults } }\nsteps: [exit]\n", &[]);
    check("{ segment: adults }", "steps:\n  - wait: 1 day\n  - branch: [ { when: { segment: adults }, steps: [exit] } ]\n", &[]);
}

/// Cases that others leave nobody for.
#[test]
fn cases() {
    let check = |cases: &[&str], expected: &[&str]| {
        let lines: String = cases.iter().map(|case| format!("      - {{ {case}steps: [exit] }}\n")).collect();
        workflow(&format!("steps:\n  - branch:\n{lines}"), expected);
    };
    let (adult, older) = ("when: { contact.years: { at_least: 18 } }, ", "when: { contact.years: { at_least: 30 } }, ");
    let (buyer, other) = ("when: { event: ordered }, ", "when: { event: ordered, count: 0 }, ");
    check(&[adult, older, ""], &["6:9 nobody ever takes this case"]);
    check(&[older, adult, ""], &[]);
    check(&[adult, adult], &["6:9 nobody ever takes this case"]);
    check(&[buyer, other, ""], &["7:9 nobody is left for this case"]);
    check(&[buyer, other, older], &["7:9 nobody ever takes this case"]);
    check(&["when: { contact.kind: fan }, ", "when: { contact.kind: other }, ", ""], &["7:9 nobody is left for this case"]);
    // Who has no plan is left.
    check(&["when: { contact.plan: free }, ", "when: { contact.plan: pro }, ", ""], &[]);
    check(&[adult, "when: { contact.years: { below: 18 } }, ", ""], &[]);
    check(
        &["when: { contact.country: [DE, AT, CH] }, ", "when: { contact.country: AT }, "],
        &["6:9 nobody ever takes this case"],
    );
    check(
        &["when: { contact.country: DE }, ", "when: { contact.country: AT }, ", "when: { contact.country: [AT, DE] }, "],
        &["7:9 nobody ever takes this case"],
    );
    let both = "when: { topic: offers, contact.years: { at_least: 18 } }, ";
    check(&[both, both], &["6:9 nobody ever takes this case"]);
    check(&[both, adult], &[]);
    check(&[adult, both], &["6:9 nobody ever takes this case"]);
    check(&["when: { segment: adults }, ", older], &["6:9 nobody ever takes this case"]);
    check(
        &["when: { event: seen, within: 9 days }, ", "when: { event: seen, within: 3 days }, "],
        &["6:9 nobody ever takes this case"],
    );
    check(&["when: { event: seen, within: 3 days }, ", "when: { event: seen, within: 9 days }, "], &[]);
    check(&["when: { event.kind: new }, ", "when: { event.kind: again }, ", ""], &["7:9 nobody is left for this case"]);
}
