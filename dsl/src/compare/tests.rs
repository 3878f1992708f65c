use super::*;
use crate::{ProjectFiles, compile};

const SETTINGS: &str = "project: shop\ntime_zone: UTC\ncontract: open\ntopics: { offers: { default: unsubscribed } }\n";

/// The definition of a workflow (YAML without its first line), with the text of template `a`.
fn definition(workflow: &str, message: &str) -> Definition {
    let files = [
        ("campaignd.yaml", SETTINGS.to_owned()),
        ("templates/a.txt.hbs", format!("---\nsubject: Hello\n---\n{message}")),
        ("workflows/w.yaml", format!("workflow: w\ntopic: offers\n{workflow}")),
    ];
    let compiled = compile(&ProjectFiles::from_texts(files));
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    Definition::clone(&catalog.workflows["w"].definition)
}

fn said(change: &Change) -> String {
    let what = match change.what {
        What::Added => "+",
        What::Removed => "-",
        What::Changed => "~",
        What::Moved => "moved",
        What::Renamed => "renamed",
    };
    let place = [change.step.as_deref(), change.key.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(".");
    let sides = [change.from.as_deref(), change.to.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" -> ");
    format!("{what} {place}: {sides}")
}

fn check(old: &str, new: &str, expected: &[&str]) {
    let changes = workflows(&definition(old, "Hi"), &definition(new, "Hi"));
    assert_eq!(changes.iter().map(said).collect::<Vec<_>>(), expected, "{old} / {new}");
}

#[test]
fn workflows_by_their_keys() {
    let base = "trigger: { event: x }\nsteps: [ { send: a } ]\n";
    check(base, base, &[]);
    check(base, &format!("status: paused\n{base}"), &["~ status: live -> paused"]);
    check(base, &format!("audience: {{ contact.country: [DE, AT] }}\n{base}"), &["+ audience: contact.country is DE or AT"]);
    check(
        base,
        "trigger: { event: x, where: { event.total: { at_least: 20 } } }\nsteps: [ { send: a } ]\n",
        &["~ trigger: event x -> event x where event.total at least 20"],
    );
    check(&format!("reentry: {{ after: 7 days }}\n{base}"), base, &["~ reentry: after 7 days -> once"]);
    check(&format!("exit_when: {{ event: y }}\n{base}"), base, &["- exit_when: y since entry"]);
}

#[test]
fn steps_by_their_ids() {
    let check = |old: &str, new: &str, expected: &[&str]| {
        let workflow = |steps: &str| format!("trigger: {{ event: x }}\n{steps}\n");
        check(&workflow(old), &workflow(new), expected);
    };
    check(
        "steps: [ { wait: 1 hour, id: w }, { send: a } ]",
        "steps: [ { wait: 2 hours, id: w }, { send: a } ]",
        &["~ w.wait: 1 hour -> 2 hours"],
    );
    check(
        "steps: [ { send: a } ]",
        "steps: [ { send: a, with: { coupon: X }, when_capped: skip }, { record: done } ]",
        &["+ send-a.with.coupon: X", "+ send-a.when_capped: skip", "+ record-done: record done, after send-a"],
    );
    check("steps: [ { send: a }, { record: done } ]", "steps: [ { send: a } ]", &["- record-done: record done"]);
    check(
        "steps: [ { record: a }, { record: b }, { record: c } ]",
        "steps: [ { record: c }, { record: a }, { record: b } ]",
        &["moved record-c: after record-b -> first"],
    );
    check(
        "steps: [ { record: a }, { branch: [ { when: { contact.x: 1 }, steps: [ { record: b } ] } ] } ]",
        "steps: [ { branch: [ { when: { contact.x: 2 }, steps: [ { record: a }, { record: b } ] } ] } ]",
        &["~ branch.case 1: contact.x is 1 -> contact.x is 2", "moved record-a: first -> in branch (1), first"],
    );
    check(
        "steps: [ { wait: 1 hour, id: old } ]",
        "moved: { old: new }\nsteps: [ { wait: 1 hour, id: new } ]",
        &["+ moved.old: new", "renamed new: old -> new"],
    );
    // A verb that is another under the same id.
    check(
        "steps: [ { wait: 1 hour, id: it }, { send: a } ]",
        "steps: [ { record: x, id: it }, { send: a } ]",
        &["+ it.record: x", "- it.wait: 1 hour"],
    );
}

#[test]
fn messages_line_by_line() {
    let workflow = "trigger: { event: x }\nsteps: [ { send: a } ]\n";
    let check = |old: &str, new: &str, expected: &[(&str, &[Line])]| {
        let (old, new) = (definition(workflow, old), definition(workflow, new));
        let found = messages(&old.templates["a"], &new.templates["a"]);
        let found: Vec<(&str, &[Line])> = found.iter().map(|part| (part.part.as_str(), part.lines.as_slice())).collect();
        assert_eq!(found, expected);
    };
    let (gone, new) = (|text: &str| Line::Gone(text.to_owned()), |text: &str| Line::New(text.to_owned()));
    check("one\ntwo\nthree\n", "one\ntwo\nthree\n", &[]);
    check("one\ntwo\nthree\n", "one\n2\nthree\n", &[("text", &[gone("two"), new("2")])]);
    check("one\ntwo\nthree\n", "zero\none\nthree\nfour\n", &[("text", &[new("zero"), gone("two"), new("four")])]);
    let many: String = (0..40).map(|number| format!("{number}\n")).collect();
    let mut expected: Vec<Line> = (0..15).map(|number| new(&number.to_string())).collect();
    expected.insert(0, gone("x"));
    expected.push(Line::More(25));
    check("x\n", &many, &[("text", &expected)]);
}
