//! The rules on projects that are nearly wrong and nearly right: what one code says of a file, by line and column.

use std::collections::BTreeMap;

use crate::project::ProjectFiles;

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ntopics:\n  offers: { title: Offers, default: subscribed }\n  news: { title: News, default: subscribed }\n  asked: { title: Asked, default: unsubscribed, confirm: true }\nrules: { unused-template: off, unused-segment: off }\n";
const CONTACT: &str = r##"{
  "type": "object",
  "properties": {
    "plan": { "enum": ["free", "pro", null] },
    "kind": { "const": "shop" },
    "zip": { "type": "string", "pattern": "^[0-9]{5}$" },
    "code": { "type": "string", "minLength": 3, "maxLength": 5 },
    "age": { "type": "integer", "minimum": 0, "maximum": 150 },
    "share": { "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 },
    "size": { "enum": [1, 2, 3] },
    "tags": { "type": "array", "items": { "enum": ["vip", "new"] } },
    "born": { "type": "string", "format": "date" },
    "address": { "type": "object", "properties": { "city": { "enum": ["Bonn", "Linz"] } }, "required": ["city"] },
    "name": { "type": "string" }
  },
  "required": ["name", "plan"]
}"##;

/// What is found under this code: `a.yaml:4:5 message`.
fn found(code: &str, files: &[(&str, &str)]) -> Vec<String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    texts.insert("campaignd.yaml".to_owned(), SETTINGS.to_owned());
    for name in ["a", "b", "c", "d", "e"] {
        let message = "---\nsubject: Hello\n---\n<p>Hello</p>\n<p><a href=\"{{unsubscribe_url}}\">No more</a></p>\n";
        texts.insert(format!("templates/{name}.html.hbs"), message.to_owned());
    }
    for (path, text) in files {
        texts.insert((*path).to_owned(), (*text).to_owned());
    }
    let compiled = crate::compile(&ProjectFiles::from_texts(texts));
    let of_code = compiled.diagnostics.iter().filter(|found| found.code == code);
    let others: Vec<String> = compiled
        .diagnostics
        .iter()
        .filter(|found| found.severity == crate::diagnostic::Severity::Error && found.code != code)
        .map(|found| format!("{}:{} {}", found.location.file, found.location.line, found.message))
        .collect();
    assert_eq!(others, Vec::<String>::new(), "{files:?}");
    of_code
        .map(|found| {
            let at = &found.location;
            format!("{}:{}:{} {}", at.file.trim_start_matches("workflows/"), at.line, at.column, found.message)
        })
        .collect()
}

/// What is said of a value, in a contact's audience.
fn impossible(condition: &str, expected: &[&str]) {
    let workflow = format!("workflow: w\ntrigger: {{ manual: true }}\naudience: {condition}\nsteps: [exit]\n");
    let files = [("workflows/a.yaml", workflow.as_str()), ("schemas/contact.schema.json", CONTACT)];
    assert_eq!(found("impossible-value", &files), expected, "{condition}");
}

#[test]
fn values_that_the_contract_does_not_allow() {
    impossible("{ contact.plan: fre }", &["a.yaml:3:27 `contact.plan` is never `fre`"]);
    impossible("{ contact.plan: { is_not: fre } }", &["a.yaml:3:37 `contact.plan` is never `fre`"]);
    impossible("{ contact.plan: { none_of: [free, gold] } }", &["a.yaml:3:45 `contact.plan` is never `gold`"]);
    impossible("{ contact.plan: [free, pro] }", &[]);
    impossible("{ contact.kind: store }", &["a.yaml:3:27 `contact.kind` is never `store`"]);
    impossible("{ contact.zip: \"1234\" }", &["a.yaml:3:26 `contact.zip` is never `1234`"]);
    impossible("{ contact.zip: \"12345\" }", &[]);
    impossible("{ contact.zip: { starts_with: \"12\" } }", &[]);
    impossible("{ contact.code: ab }", &["a.yaml:3:27 `contact.code` is never `ab`"]);
    impossible("{ contact.code: { one_of: [abc, abcdef] } }", &["a.yaml:3:43 `contact.code` is never `abcdef`"]);
    impossible("{ contact.age: { at_least: 200 } }", &["a.yaml:3:38 `contact.age` is never at least 200"]);
    impossible("{ contact.age: { below: 0 } }", &["a.yaml:3:35 `contact.age` is never below 0"]);
    impossible("{ contact.age: { above: 149 } }", &[]);
    impossible("{ contact.age: { above: 149.5, below: 151 } }", &[]);
    impossible("{ contact.age: 151 }", &["a.yaml:3:26 `contact.age` is never `151`"]);
    impossible("{ contact.share: { at_least: 1 } }", &["a.yaml:3:40 `contact.share` is never at least 1"]);
    impossible("{ contact.share: { above: 0.99 } }", &[]);
    impossible("{ contact.size: { above: 3 } }", &["a.yaml:3:36 `contact.size` is never above 3"]);
    impossible("{ contact.size: { above: 2 } }", &[]);
    impossible("{ contact.tags: { contains: vpi } }", &["a.yaml:3:39 `contact.tags` never contains `vpi`"]);
    impossible("{ contact.tags: { contains: vip } }", &[]);
    impossible("{ contact.name: { contains: x } }", &[]);
    impossible("{ contact.born: yesterday }", &["a.yaml:3:27 `contact.born` is never `yesterday`"]);
    impossible("{ contact.address.city: Born }", &["a.yaml:3:35 `contact.address.city` is never `Born`"]);
    impossible("{ contact.address.city: Bonn }", &[]);
}

/// What is added up is not held to the data contract.
#[test]
fn sums_beyond_the_contract() {
    let check = |change: &str, expected: &[&str]| {
        let workflow = format!(
            "workflow: w\ntrigger: {{ manual: true }}\nsteps:\n  - set: {{ contact.age: {change} }}\n  - branch: [{{ when: {{ contact.age: {{ below: 0 }} }}, steps: [exit] }}]\n"
        );
        let files = [("workflows/a.yaml", workflow.as_str()), ("schemas/contact.schema.json", CONTACT)];
        assert_eq!(found("impossible-value", &files), expected, "{change}");
    };
    check("{ add: -500 }", &[]);
    check("5", &["a.yaml:5:46 `contact.age` is never below 0"]);
}

/// Two workflows that may start each other, with segments.
fn circle(first: &str, second: &str, expected: &[&str]) {
    let shared = "segments:\n  trying: { contact.stage: trying }\n  paying: { contact.stage: paying }\n  rich: { contact.points: { at_least: 10 } }\n  readers: { topic: news }\n  buyers: { event: bought, count: { at_least: 2 } }\n  quiet: { event: bought, count: 0, within: 9 days }\n  nested: { any: [ { segment: paying }, { topic: offers } ] }\n  graded: { contact.grade: good }\ntraits:\n  grade: { first_match: { good: { contact.stage: paying } }, otherwise: poor }\n";
    let files = [("workflows/a.yaml", first), ("workflows/b.yaml", second), ("workflows/s.yaml", shared)];
    assert_eq!(found("workflow-loop", &files), expected, "{first}\n{second}");
}

#[test]
fn circles() {
    let try_it = "workflow: a\ntrigger: { segment: trying }\nsteps:\n  - wait: 1 day\n  - set: { contact.stage: paying }\n";
    let pay =
        |trigger: &str, stage: &str| format!("workflow: b\ntrigger: {trigger}\nsteps:\n  - set: {{ contact.stage: {stage} }}\n");
    let round =
        "b.yaml:4:5 workflows start each other in a circle: a starts b starts a; this takes people into the segment `trying`";
    for trigger in ["{ segment: paying }", "{ segment: nested }", "{ segment: graded }", "{ segment: trying, change: leave }"] {
        circle(try_it, &pay(trigger, "trying"), &[round]);
    }
    circle(try_it, &pay("{ segment: paying }", "gone"), &[]);
    circle(try_it, &pay("{ segment: paying, change: leave }", "trying"), &[]);
    circle(try_it, &pay("{ segment: readers }", "trying"), &[]);
    // Who has entered stays in: only coming in again starts it again.
    let points = |change: &str| {
        format!("workflow: a\ntrigger: {{ segment: rich }}\nreentry: always\nsteps:\n  - set: {{ contact.points: {change} }}\n")
    };
    let nothing = "workflow: b\ntrigger: { manual: true }\nsteps: [exit]\n";
    circle(&points("{ add: 5 }"), nothing, &[]);
    circle(&points("{ add: -5 }"), nothing, &[]);
    let down_and_up = "workflow: a\ntrigger: { segment: rich }\nreentry: always\nsteps:\n  - set: { contact.points: 0 }\n  - wait: 1 day\n  - set: { contact.points: 10 }\n";
    circle(
        down_and_up,
        nothing,
        &["a.yaml:7:5 workflows start each other in a circle: a starts a; this takes people into the segment `rich`"],
    );
    // Events with other properties, and consent.
    let record = |with: &str| {
        format!(
            "workflow: a\ntrigger: {{ event: asked, where: {{ event.kind: x }} }}\nsteps:\n  - wait: 1 day\n  - record: asked\n    with: {with}\n"
        )
    };
    circle(&record("{ kind: y }"), nothing, &[]);
    circle(&record("{ kind: x }"), nothing, &["a.yaml:5:5 workflows start each other in a circle: a starts a"]);
    circle(&record("{ kind: \"{{event.kind}}\" }"), nothing, &["a.yaml:5:5 workflows start each other in a circle: a starts a"]);
    let consent = |topic: &str| {
        format!(
            "workflow: a\ntrigger: {{ event: subscribed, where: {{ event.topic: {topic} }} }}\nsteps:\n  - unsubscribe: news\n  - wait: 1 day\n  - subscribe: news\n"
        )
    };
    circle(&consent("news"), nothing, &["a.yaml:6:5 workflows start each other in a circle: a starts a"]);
    circle(&consent("offers"), nothing, &[]);
    // What a person does in between is not the circle's.
    circle(
        "workflow: a\ntrigger: { segment: quiet }\ntopic: news\nsteps:\n  - send: a\n",
        "workflow: b\ntrigger: { segment: quiet, change: leave }\ntopic: news\nsteps:\n  - send: b\n",
        &[],
    );
    circle(
        "workflow: a\ntrigger: { segment: quiet }\nsteps:\n  - record: bought\n",
        "workflow: b\ntrigger: { segment: quiet, change: leave }\nsteps:\n  - wait: 1 day\n",
        &[],
    );
}

/// What is said of steps under this cap.
fn capped(frequency: &str, steps: &str, expected: &[&str]) {
    let settings = format!("{SETTINGS}limits:\n  frequency: [{frequency}]\n");
    let workflow = format!("workflow: w\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n{steps}");
    let files = [("campaignd.yaml", settings.as_str()), ("workflows/a.yaml", workflow.as_str())];
    let places: Vec<String> =
        found("cap-too-low", &files).iter().map(|found| found.split(" the ").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(places, expected, "{frequency}\n{steps}");
}

#[test]
fn caps() {
    let weekly = "{ at_most: 1, per: 7 days, topic: any }";
    let twice = "{ at_most: 2, per: 7 days, topic: any }";
    capped(weekly, "  - send: a\n  - wait: 1 day\n  - send: b\n", &["a.yaml:7:5"]);
    capped(weekly, "  - send: a\n  - wait: 4 days\n  - send: b\n", &[]);
    capped(weekly, "  - send: a\n  - wait: 4 days\n  - send: b\n    when_capped: skip\n", &["a.yaml:7:5"]);
    // What is skipped takes no place.
    capped(
        weekly,
        "  - send: a\n  - wait: 1 day\n  - send: b\n    when_capped: skip\n  - wait: 3 days\n  - send: c\n",
        &["a.yaml:7:5"],
    );
    // On one way it is too early, on the other not; who may be skipped may.
    let branched = |more: &str| {
        format!(
            "  - branch:\n      - when: {{ contact.vip: true }}\n        steps: [{{ send: a }}]\n      - steps: [{{ wait: 1 day }}]\n  - wait: 1 day\n  - send: b\n{more}"
        )
    };
    capped(weekly, &branched(""), &["a.yaml:10:5"]);
    capped(weekly, &branched("    when_capped: skip\n"), &[]);
    // The message on the other way is not before it.
    capped(
        weekly,
        "  - branch:\n      - when: { contact.vip: true }\n        steps: [{ send: a }]\n      - steps: [{ send: b }]\n",
        &[],
    );
    // Waits of each way.
    let ways = |first: &str, second: &str| {
        format!(
            "  - send: a\n  - wait_for: {{ event: bought }}\n    within: 2 days\n    then: [{{ wait: {first} }}, {{ send: b }}]\n    otherwise: [{{ wait: {second} }}, {{ send: c }}]\n"
        )
    };
    capped(weekly, &ways("2 days", "2 days"), &[]);
    capped(weekly, &ways("1 day", "2 days"), &["a.yaml:8:29"]);
    capped(weekly, &ways("2 days", "1 day"), &["a.yaml:9:34"]);
    // Passes.
    let repeat = |times: u32, every: &str, more: &str| {
        format!("  - repeat:\n      times: {times}\n{every}      steps:\n        - send: a\n{more}")
    };
    capped(weekly, &repeat(3, "      every: 4 days\n", ""), &[]);
    capped(weekly, &repeat(3, "      every: 3 days\n", ""), &["a.yaml:9:11"]);
    capped(weekly, &repeat(3, "      every: 3 days\n", "          when_capped: skip\n"), &[]);
    capped(twice, &repeat(2, "", ""), &[]);
    capped(twice, &repeat(3, "", ""), &["a.yaml:8:11"]);
    // A window may open late in one pass and early in the one before it.
    let window = "          when_capped: skip\n          window: { between: \"09:00-10:00\", days: [mon] }\n";
    capped(weekly, &repeat(2, "      every: 6 days\n", window), &[]);
    // Each cap counts its own; what one holds back is not in the other.
    let two = "{ at_most: 1, per: 7 days, topic: offers }, { at_most: 2, per: 7 days, topic: any }";
    capped(two, "  - send: a\n  - send: b\n    topic: news\n", &[]);
    capped(two, "  - send: a\n  - send: b\n    when_capped: skip\n  - send: c\n    topic: news\n", &["a.yaml:6:5"]);
    capped(two, "  - send: a\n  - send: b\n    topic: news\n  - send: c\n    topic: news\n", &["a.yaml:8:5"]);
    capped(two, "  - send: a\n  - send: b\n    transactional: true\n  - send: c\n    topic: news\n", &[]);
    // Waits until a time, a day and a date.
    capped(weekly, "  - send: a\n  - wait: { until: \"09:00\", days: [mon] }\n  - send: b\n    when_capped: skip\n", &[]);
    capped(weekly, "  - send: a\n  - wait: { until: \"09:00\" }\n  - send: b\n", &["a.yaml:7:5"]);
    capped(weekly, "  - send: a\n  - wait: { until: \"09:00\", days: weekdays }\n  - send: b\n", &["a.yaml:7:5"]);
    capped(weekly, "  - send: a\n  - wait: { until: contact.due_at }\n  - send: b\n", &[]);
}

#[test]
fn steps_behind_an_end() {
    let check = |steps: &str, expected: &[&str]| {
        let workflow = format!("workflow: w\ntrigger: {{ manual: true }}\nsteps:\n{steps}");
        let files = [("workflows/a.yaml", workflow.as_str())];
        let places: Vec<String> = found("unreachable-step", &files)
            .iter()
            .map(|found| found.split(' ').next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(places, expected, "{steps}");
    };
    check("  - repeat: { times: 3, every: 1 day, steps: [{ wait: 1 hour }, exit] }\n  - wait: 1 day\n", &["a.yaml:5:5"]);
    check("  - repeat: { times: 3, every: 1 day, until: { event: bought }, steps: [exit] }\n  - wait: 1 day\n", &[]);
    check(
        "  - repeat: { times: 3, every: 1 day, steps: [{ branch: [{ when: { event: x }, steps: [exit] }] }] }\n  - wait: 1 day\n",
        &[],
    );
    check(
        "  - experiment: e\n    variants: { a: { weight: 1, steps: [exit] }, b: { weight: 1, steps: [exit] }, c: { weight: 1, steps: [exit] } }\n  - wait: 1 day\n",
        &["a.yaml:6:5"],
    );
    // Who was given it once keeps it.
    check(
        "  - experiment: e\n    variants: { a: { weight: 1, steps: [exit] }, b: { weight: 1, steps: [exit] }, c: { weight: 0 } }\n  - wait: 1 day\n",
        &[],
    );
    check("  - experiment: e\n    variants: { a: { weight: 1, steps: [exit] }, b: { weight: 1 } }\n  - wait: 1 day\n", &[]);
}

/// The lines and columns at which a code is found in a workflow, with more in the settings.
fn places(code: &str, more: &str, workflow: &str, expected: &[&str]) {
    let settings = format!("{SETTINGS}{more}");
    let shared = "segments: { keen: { topic: asked } }\n";
    let files = [("campaignd.yaml", settings.as_str()), ("workflows/a.yaml", workflow), ("workflows/s.yaml", shared)];
    let places: Vec<String> =
        found(code, &files).iter().map(|found| found.split(' ').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(places, expected, "{more}{workflow}");
}

#[test]
fn quiet_hours_that_never_end() {
    let send = "workflow: w\ntrigger: { manual: true }\ntopic: offers\nsteps:\n  - send: a\n";
    places("no-opening", "limits: { quiet_hours: 00:00-24:00 }\n", send, &["campaignd.yaml:8:24"]);
    places("no-opening", "limits: { quiet_hours: 08:00-08:00 }\n", send, &["campaignd.yaml:8:24"]);
    places("no-opening", "limits: { quiet_hours: 08:01-08:00 }\n", send, &[]);
    places(
        "no-opening",
        "limits: { quiet_hours: 00:00-24:00 }\n",
        &send.replace("topic: offers\n", "").replace("a\n", "a\n    transactional: true\n"),
        &[],
    );
}

#[test]
fn waits_in_vain() {
    let wait =
        |head: &str, steps: &str| format!("workflow: w\ntrigger: {{ event: asked }}\ntopic: offers\n{head}steps:\n{steps}");
    let bought = "  - wait_for: { event: bought }\n    within: 1 day\n    then: [{ wait: 1 hour }]\n";
    let ends = |head: &str, expected: &[&str]| places("constant-condition", "", &wait(head, bought), expected);
    ends("exit_when: { event: bought }\n", &["a.yaml:6:17"]);
    ends("exit_when: { any: [ { event: gone }, { event: bought } ] }\n", &["a.yaml:6:17"]);
    ends("goal: { event: bought }\n", &["a.yaml:6:17"]);
    ends("goal: { event: bought, stay: true }\n", &[]);
    ends("goal: { event: bought, within: 1 hour }\n", &[]);
    ends("exit_when: { event: bought, where: { event.total: 5 } }\n", &[]);
    ends("exit_when: { event: bought, count: { at_least: 2 } }\n", &[]);
    // Nobody is to do anything there.
    let without = wait(
        "goal: { event: bought }\n",
        "  - wait_for: { event: bought }\n    within: 1 day\n    otherwise: [{ wait: 1 hour }]\n",
    );
    places("constant-condition", "", &without, &[]);
    let early = |steps: &str, expected: &[&str]| places("never-sent", "tracking: { clicks: true }\n", &wait("", steps), expected);
    early("  - wait_for: { message: any, is: clicked }\n    within: 1 day\n  - send: a\n", &["a.yaml:5:5"]);
    early(
        "  - wait_for: { any: [ { message: a, is: clicked }, { message: b, is: clicked } ] }\n    within: 1 day\n  - send: a\n  - send: b\n",
        &["a.yaml:5:5"],
    );
    early(
        "  - send: b\n  - wait_for: { any: [ { message: a, is: clicked }, { message: b, is: clicked } ] }\n    within: 1 day\n  - send: a\n",
        &[],
    );
    early("  - wait_for: { any: [ { message: a, is: clicked }, { event: bought } ] }\n    within: 1 day\n  - send: a\n", &[]);
    early(
        "  - wait_for: { all: [ { message: a, is: clicked }, { event: bought } ] }\n    within: 1 day\n  - send: a\n",
        &["a.yaml:5:5"],
    );
    early(
        "  - repeat: { times: 2, every: 1 day, steps: [{ wait_for: { message: any, is: clicked }, within: 1 hour }, { send: a }] }\n",
        &[],
    );
    let untracked = |condition: &str, expected: &[&str]| {
        let steps = format!("  - send: a\n  - wait_for: {condition}\n    within: 1 day\n");
        places("untracked-wait", "", &wait("", &steps), expected);
    };
    untracked("{ all: [ { message: a, is: clicked }, { topic: offers } ] }", &["a.yaml:6:5"]);
    untracked("{ any: [ { message: a, is: clicked }, { message: a, is: opened } ] }", &["a.yaml:6:5"]);
    untracked("{ any: [ { message: a, is: clicked }, { event: bought } ] }", &[]);
    untracked("{ all: [ { not: { message: a, is: clicked } }, { event: bought } ] }", &[]);
}

#[test]
fn consent() {
    let check = |head: &str, steps: &str, expected: &[&str]| {
        let workflow = format!("workflow: w\ntrigger: {{ event: came }}\ntopic: offers\n{head}steps:\n{steps}");
        places("no-consent", "", &workflow, expected);
    };
    let send = "{ send: a, topic: asked }";
    check("", &format!("  - {send}\n"), &["a.yaml:5:5"]);
    check("audience: { segment: keen }\n", &format!("  - {send}\n"), &[]);
    check("audience: { any: [ { topic: asked }, { topic: news } ] }\n", &format!("  - {send}\n"), &[]);
    check("audience: { none: [ { not: { topic: asked } } ] }\n", &format!("  - {send}\n"), &[]);
    check("exit_when: { not: { topic: asked } }\n", &format!("  - wait: 1 day\n  - {send}\n"), &[]);
    check("exit_when: { topic: asked }\n", &format!("  - wait: 1 day\n  - {send}\n"), &["a.yaml:7:5"]);
    check("", &format!("  - wait_for: {{ topic: asked }}\n    within: 1 day\n    then: [{send}]\n"), &[]);
    check("", &format!("  - wait_for: {{ topic: asked }}\n    within: 1 day\n    otherwise: [{send}]\n"), &["a.yaml:7:17"]);
    check("", &format!("  - branch: [{{ when: {{ topic: asked }}, steps: [{send}] }}]\n"), &[]);
    check("", &format!("  - branch: [{{ when: {{ not: {{ topic: asked }} }}, steps: [{send}] }}]\n"), &["a.yaml:5:57"]);
    check("", &format!("  - branch: [{{ when: {{ not: {{ topic: asked }} }}, steps: [exit] }}]\n  - {send}\n"), &[]);
    check("", "  - unsubscribe: offers\n  - send: a\n", &["a.yaml:6:5"]);
    check("", "  - unsubscribe: all\n  - wait: 1 day\n  - send: a\n", &["a.yaml:7:5"]);
    check("", "  - unsubscribe: news\n  - send: a\n", &[]);
    check("", "  - unsubscribe: offers\n  - subscribe: offers\n  - send: a\n", &[]);
    check("", "  - unsubscribe: offers\n  - wait_for: { event: subscribed }\n    within: 9 days\n    then: [{ send: a }]\n", &[]);
    check("", "  - branch: [{ when: { event: gone }, steps: [{ unsubscribe: offers }] }]\n  - send: a\n", &[]);
}

/// Messages about an event that nothing brings.
#[test]
fn messages_without_an_event() {
    let template = "---\nsubject: Hello\n---\n<p>{{event.total}} {{#if event.total}}{{event.total}}{{/if}} {{default event.total 0}}</p>\n<p><a href=\"{{unsubscribe_url}}\">No more</a></p>\n";
    let check = |trigger: &str, expected: usize| {
        let workflow = format!("workflow: w\ntrigger: {trigger}\ntopic: offers\nsteps:\n  - send: bill\n");
        let files = [("workflows/a.yaml", workflow.as_str()), ("templates/bill.html.hbs", template)];
        assert_eq!(found("possibly-missing", &files).len(), expected, "{trigger}");
    };
    check("{ schedule: \"0 9 * * *\" }", 1);
    check("{ date: contact.birthday, every: year }", 1);
    check("{ event: bought }", 0);
    check("[ { schedule: \"0 9 * * *\" }, { event: bought } ]", 0);
    check("{ manual: true }", 0);
}
