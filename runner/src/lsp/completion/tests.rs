use std::sync::Arc;

use dsl::ProjectFiles;

use super::super::position::Encoding;
use super::*;

const SETTINGS: &str =
    "project: p\ntopics: { offers: { title: Offers } }\nchannels: { sms: { deliver: outbox:x/ } }\nsecrets: { crm: x }\n";
const SHARED: &str = "segments:\n  vip: { description: Worth a word., contact.tier: high }\ntraits:\n  spent: { sum: event.total, of: bought }\n  \
     tier: { by: contact.spent, tiers: { high: 5, low: 0 } }\n";
const CONTACT: &str =
    r#"{"properties":{"country":{"type":"string","description":"Where they live."},"drink":{"enum":["tea","coffee"]}}}"#;
const BOUGHT: &str = r#"{"properties":{"total":{"type":"number"}},"required":["total"]}"#;
const SEEN: &str = r#"{"properties":{"page":{"enum":["home","shop"]}}}"#;

fn project() -> Project {
    let mut project = Project::default();
    project.reread(Arc::new(ProjectFiles::from_texts([
        ("campaignd.yaml", SETTINGS),
        ("workflows/shared.yaml", SHARED),
        (
            "workflows/other.yaml",
            "workflow: other\ntrigger: { event: bought }\nsteps:\n  - send: hello\n    id: x\n  - wait: 1 day\n",
        ),
        ("templates/hello.html.hbs", "---\nsubject: Hi\nneeds: [coupon]\n---\nx"),
        ("templates/layouts/shop.html.hbs", "{{{body}}}"),
        ("templates/partials/button.hbs", "x"),
        ("schemas/contact.schema.json", CONTACT),
        ("schemas/events/bought.schema.json", BOUGHT),
        ("schemas/events/seen.schema.json", SEEN),
    ])));
    project
}

/// What is offered at the `|` of a file: label, and what it writes.
fn offered(file: &str, marked: &str) -> Vec<(String, String)> {
    let at = marked.find('|').unwrap();
    let line = marked[..at].matches('\n').count() + 1;
    let column = marked[..at].rsplit('\n').next().unwrap().chars().count() + 1;
    let text = marked.replacen('|', "", 1);
    let mut project = project();
    project.write(file, &text, 1, &"file:///p/file".parse().unwrap());
    let page = Page::new(&text, Encoding::Utf16);
    let client = serde_json::json!({ "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } } });
    let items = complete(&project, file, (line, column), &page, Client::of(&client));
    let written = |item: &CompletionItem| match &item.text_edit {
        Some(CompletionTextEdit::Edit(edit)) => edit.new_text.clone(),
        _ => panic!("{item:?}"),
    };
    items.iter().map(|item| (item.label.clone(), written(item))).collect()
}

/// The labels before the empty one are offered, those behind it are not.
#[track_caller]
fn check(file: &str, marked: &str, wanted: &[&str]) {
    let labels: Vec<String> = offered(file, marked).into_iter().map(|(label, _)| label).collect();
    let mut parts = wanted.split(|label| label.is_empty());
    for label in parts.next().unwrap_or_default() {
        assert!(labels.iter().any(|found| found == label), "{marked}: no {label} in {labels:?}");
    }
    for label in parts.next().unwrap_or_default() {
        assert!(!labels.iter().any(|found| found == label), "{marked}: {label} in {labels:?}");
    }
}

const FILE: &str = "workflows/a.yaml";

#[test]
fn names_where_they_belong() {
    check(FILE, "steps:\n  - send: h|", &["hello", "", "vip"]);
    check(FILE, "audience: { segment: |", &["vip", "", "hello"]);
    check(FILE, "trigger:\n  event: |", &["bought", "seen", "message_clicked"]);
    check(FILE, "steps:\n  - subscribe: |", &["offers"]);
    check(FILE, "steps:\n  - unsubscribe: |", &["offers", "all"]);
    check(FILE, "steps:\n  - send: hello\n    channel: [|", &["sms", "email"]);
    check(FILE, "steps:\n  - start: |", &["other"]);
    check(FILE, "exit_when:\n  message: |", &["hello", "any"]);
    check(FILE, "goal: { event: bought, value: |", &["event.total", "contact.country", "", "event.page"]);
    check(
        FILE,
        "trigger: { event: seen }\nsteps:\n  - wait_for: { event: bought, where: { |",
        &["event.total", "", "event.page"],
    );
    check(
        FILE,
        "trigger: { event: seen }\naudience: { |",
        &["event.page", "contact.spent", "contact.email", "segment", "all", "", "event.total"],
    );
    check(FILE, "moved: { old: |\nworkflow: a\nsteps:\n  - wait: 1 day\n    id: mine\n", &["mine", "", "x"]);
    check("campaignd.yaml", "limits:\n  frequency:\n    - { at_most: 1, topic: |", &[]);
}

#[test]
fn keys_and_values_by_the_schema() {
    check(FILE, "steps:\n  - |", &["send", "wait", "wait_for", "experiment", "exit", "", "weight"]);
    check(FILE, "steps:\n  - send: hello\n    |", &["with", "window", "", "send", "wait"]);
    check(FILE, "steps:\n  - send: hello\n    with: { |", &["coupon"]);
    check(FILE, "status: |", &["live", "draft"]);
    check(FILE, "steps:\n  - experiment: x\n    winner: { metric: |", &["clicked", "opened", "goal"]);
    check("campaignd.yaml", "project: x\n|", &["topics", "channels", "limits", "", "project"]);
    check("campaignd.yaml", "project: x\ntopics:\n  offers:\n    |", &["title", "confirm"]);
}

#[test]
fn words_that_fit_what_is_beside() {
    let messages = ["sent", "clicked", "complained", "", "active", "never"];
    check(FILE, "exit_when: { message: hello, is: |", &messages);
    check(FILE, "steps:\n  - wait_for:\n      message: any\n      is: |", &messages);
    check(FILE, "audience: { workflow: other, is: |", &["active", "never", "", "sent", "clicked"]);
    check(FILE, "audience: { contact.drink: |", &["tea", "coffee", "", "home"]);
    check(FILE, "audience: { contact.drink: [tea, |", &["coffee"]);
    check(FILE, "audience: { contact.drink: { is_not: |", &["tea", "coffee"]);
    check(FILE, "audience: { contact.tier: |", &["high", "low", "", "tea"]);
    check(FILE, "audience: { event: seen, where: { event.page: |", &["home", "shop", "", "tea"]);
    check(FILE, "audience: { event: message_clicked, where: { event.template: |", &["hello", "", "shop"]);
    check(FILE, "steps:\n  - set: { contact.drink: |", &["tea"]);
    check(FILE, "steps:\n  - send: hello\n    window: { between: x, days: |", &["weekdays", "weekend", "mon"]);
    check(FILE, "steps:\n  - wait: { until: x, days: [mon, |", &["tue"]);
    check(FILE, "audience: { contact.|", &["contact.drink", "contact.email", "", "event.total", "all"]);
    check(FILE, "steps:\n  - record: seen\n    with: { |", &["page", "", "total"]);
    check(FILE, "steps:\n  - start: other\n    with: { |", &["total", "", "page"]);
}

#[test]
fn journey_tests_and_audiences() {
    const TEST: &str = "tests/a.test.yaml";
    let timeline = |line: &str| format!("workflow: other\ntests:\n  - name: x\n    timeline:\n      - {line}");
    check(TEST, &timeline("{ at: 0m, event: seen, with: { |"), &["page", "", "total"]);
    check(TEST, &timeline("at: 0m\n        event: bought\n        with:\n          |"), &["total", "", "page"]);
    check(TEST, &timeline("{ at: 0m, event: seen, with: { page: |"), &["home", "shop", "", "tea"]);
    check(TEST, &timeline("{ at: 0m, event: message_clicked, with: { |"), &["template", "url"]);
    check(TEST, &timeline("{ at: 0m, event: message_clicked, with: { template: |"), &["hello", "", "x"]);
    check(TEST, &timeline("{ at: 0m, enroll: other, with: { |"), &["total", "", "page"]);
    let expect = |line: &str| format!("workflow: other\ntests:\n  - name: x\n    expect:\n      - {line}");
    check(TEST, &expect("{ at: 1h, send: hello, step: |"), &["x", "wait-1-day"]);
    check(TEST, &expect("{ wait: |"), &["wait-1-day"]);
    check(TEST, &expect("branch: |"), &["x", "", "hello"]);
    check(TEST, &expect("{ workflow: none, step: |"), &["", "x"]);
    check(TEST, "workflow: other\ntests:\n  - given: { contact: { id: a, |", &["country", "email", "topics", "", "spent", "id"]);
    check(TEST, "workflow: other\ntests:\n  - given: { contact: { drink: |", &["tea", "coffee"]);
    check(TEST, "workflow: other\ntests:\n  - given: { contact: { topics: [|", &["offers"]);
    const PEOPLE: &str = "tests/people.yaml";
    check(PEOPLE, "audience: x\n|", &["contacts", "events", "reactions", "", "audience", "steps"]);
    check(PEOPLE, "audience: x\nprofile: { attributes: { |", &["country", "drink", "", "spent", "email"]);
    check(PEOPLE, "audience: x\nprofile: { topics: { |", &["offers"]);
    check(PEOPLE, "audience: x\nevents:\n  - event: |", &["seen", "bought"]);
    check(PEOPLE, "audience: x\nevents:\n  - event: bought\n    follows: seen\n    with: { |", &["total", "", "page"]);
    check(
        PEOPLE,
        "audience: x\nevents:\n  - { event: bought, follows: seen, with: { total: { same: |",
        &["event.page", "", "event.total"],
    );
    check(PEOPLE, "audience: x\nreactions:\n  - to: |", &["hello", "any"]);
}

#[test]
fn codes_of_diagnostics() {
    check("campaignd.yaml", "project: x\nrules:\n  |", &["missing-topic", "unused-segment", "", "unknown-template"]);
    check("campaignd.yaml", "project: x\nrules: { missing-topic: |", &["error", "warning", "off"]);
    check(FILE, "steps:\n  - send: hello # campaignd: allow(|", &["missing-topic", "", "hello", "unknown-template"]);
    check(FILE, "  # campaignd: allow(missing-topic, |", &["unused-segment", "", "missing-topic"]);
    check(FILE, "# campaignd: |", &["allow"]);
    check(FILE, "# campaignd: allow(missing-topic) |", &["", "missing-topic", "allow"]);
    check(FILE, "steps:\n  - send: hello # |", &["", "hello"]);
    check("templates/hello.html.hbs", "{{!-- campaignd: allow(|", &["insecure-link", "unescaped-data"]);
}

#[test]
fn expressions_in_templates() {
    let template = "templates/hello.html.hbs";
    let file = |body: &str| format!("---\nsubject: Hi\nneeds: [coupon]\n---\n{body}");
    check(
        template,
        &file("{{|"),
        &["contact.country", "contact.spent", "event.total", "coupon", "default", "unsubscribe_url", "", "event.page"],
    );
    check(template, &file("{{default contact.|"), &["contact.country", "", "default", "event.total", "now"]);
    check(template, &file("{{#|"), &["if", "each", "", "upper"]);
    check(template, &file("{{> |"), &["button", "", "contact.country"]);
    check(template, &file("{{x}} |"), &["", "contact.country"]);
    check(template, &file("{{upper \"con|"), &["", "contact.country"]);
    check(template, "---\nlayout: |\n---\n", &["shop"]);
    check(template, "---\nsubject: x\n|\n---\n", &["layout", "topic", "", "subject"]);
    check(FILE, "steps:\n  - send: hello\n    with: { a: \"{{contact.|", &["contact.country"]);
    check(FILE, "steps:\n  - call: { post: x, headers: { a: \"{{|", &["secrets.crm"]);
}

#[test]
fn what_is_written() {
    let written = |file: &str, marked: &str, label: &str| {
        offered(file, marked).into_iter().find(|(found, _)| found == label).map(|(_, text)| text).unwrap_or_default()
    };
    assert_eq!(written(FILE, "status:|", "live"), " live");
    assert_eq!(written(FILE, "status: |", "live"), "live");
    assert_eq!(written(FILE, "audience: { con|", "contact.country"), "contact.country: ");
    assert_eq!(written(FILE, "|", "topic"), "topic: ");
    assert_eq!(written(FILE, "steps:\n  - |", "send"), "send: ${1:template}");
    assert_eq!(written(FILE, "steps:\n  - |", "wait_for"), "wait_for: { event: ${1:event} }\n  within: ${2:1 day}");
    assert_eq!(written(FILE, "steps: [{ |", "wait_for"), "wait_for: { event: ${1:event} }, within: ${2:1 day}");
    assert_eq!(written(FILE, "|", "steps"), "steps:\n  - $0");
}

#[test]
fn the_word_that_is_replaced() {
    let found = |line: &str, column: usize| {
        let at = word("f", line, (1, column));
        (at.column, at.end_column)
    };
    assert_eq!(found("  - send: wel-come", 14), (11, 19));
    assert_eq!(found("  -", 4), (4, 4));
    assert_eq!(found("a: contact.x", 10), (4, 13));
    assert_eq!(found("", 1), (1, 1));
    assert_eq!(found("{{> ü", 99), (5, 6));
}
