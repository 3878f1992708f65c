use super::*;
use crate::{ProjectFiles, compile};

/// What a workflow with this audience is said to ask for.
#[track_caller]
fn check(audience: &str, expected: &str) {
    let workflow = format!("workflow: w\ntrigger: {{ event: x }}\naudience: {audience}\nsteps: [ {{ record: done }} ]\n");
    let files = [
        (
            "campaignd.yaml",
            "project: shop\ntime_zone: UTC\ncontract: open\ntopics: { offers: { default: unsubscribed } }\n".to_owned(),
        ),
        ("workflows/s.yaml", "segments:\n  vip: { contact.a: 1 }\n".to_owned()),
        ("templates/a.txt.hbs", "---\nsubject: Hi\n---\nHi".to_owned()),
        ("workflows/w.yaml", workflow),
    ];
    let compiled = compile(&ProjectFiles::from_texts(files));
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    let asked = catalog.workflows["w"].definition.workflow.audience.as_ref().map(condition);
    assert_eq!(asked.as_deref(), Some(expected), "{audience}");
}

#[test]
fn conditions() {
    check("{ contact.country: DE }", "contact.country is DE");
    check("{ contact.country: [DE, AT, CH] }", "contact.country is DE, AT or CH");
    check("{ contact.age: { at_least: 18, below: 65 } }", "contact.age at least 18 and below 65");
    check("{ contact.name: { exists: false } }", "contact.name is missing");
    check("{ contact.since: { before: 30 days ago } }", "contact.since before 30 days ago");
    check("{ segment: vip, topic: offers }", "in segment vip and subscribed to offers");
    check(
        "{ any: [ { segment: vip }, { all: [ { contact.a: 1 }, { contact.b: 2 } ] } ] }",
        "in segment vip or (contact.a is 1 and contact.b is 2)",
    );
    check("{ none: [ { segment: vip } ] }", "not in segment vip");
    check("{ not: { contact.a: 1 } }", "not (contact.a is 1)");
    check("{ event: bought }", "bought");
    check("{ event: bought, count: 0, within: 60 days }", "no bought within 60 days");
    check("{ event: bought, count: { at_least: 3 } }", "at least 3 times bought");
    check(
        "{ event: bought, where: { event.total: { above: 5.5 } }, sum: { of: event.total, above: 500 } }",
        "bought where event.total above 5.5 with sum of event.total above 500",
    );
    check("{ workflow: w, is: never }", "workflow w is never entered");
}
