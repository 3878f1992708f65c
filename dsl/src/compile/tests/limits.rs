//! That a project which was made to be slow is not looked at for ever: what is counted is work, not time.

use super::{codes, found, project};

/// Names that are compared with all others: only so often, and only those of a name's length.
#[test]
fn suggestions_come_to_an_end() {
    let steps: String = (0..300).map(|number| format!("  - {{ send: welcom, id: s{number} }}\n")).collect();
    let workflow = format!("workflow: a\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n{steps}");
    let compiled = project(&[("workflows/a.yaml", &workflow)]);
    assert_eq!(found(&compiled).len(), 300);
    let helped = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.help.is_some()).count();
    assert_eq!(helped, 200);
    let check = |name: &str, expected: Option<&str>| {
        assert_eq!(crate::place::did_you_mean(name, ["welcome", &"x".repeat(99)]), expected, "{name}");
    };
    check("welcom", Some("welcome"));
    check(&"x".repeat(101), None);
}

/// Of one text so much is said and no more.
#[test]
fn findings_come_to_an_end() {
    let check = |piece: &str, code: &str| {
        let body = piece.repeat(1_200);
        let template = format!("---\nsubject: Hello\n---\n{body}<a href=\"{{{{unsubscribe_url}}}}\">No more</a>");
        let workflow = "workflow: a\ntrigger: { manual: true }\ntopic: offers\nsteps:\n  - send: x\n";
        let compiled = project(&[("templates/x.html.hbs", &template), ("workflows/a.yaml", workflow)]);
        let count = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.code == code).count();
        assert_eq!(count, 1_000, "{piece}");
    };
    check("{{defualt contact.name \"x\"}}\n", "unknown-helper");
    check("{{nobody}}\n", "unknown-variable");
    check("<a href=\"{{event.link}}\">x</a>\n", "data-as-url");
    check("<a href=\"http://x\">x</a>\n", "insecure-link");
}

/// A template that is sent with ever other data is looked at once, as long as it makes no difference to it.
#[test]
fn data_that_a_template_does_not_name_makes_no_difference() {
    let template = format!("---\nsubject: Hello\n---\n{}", "<p>{{default given \"x\"}}</p>".repeat(300));
    let steps: String = (0..40).map(|number| format!("  - {{ send: x, with: {{ a{number}: 1 }}, id: s{number} }}\n")).collect();
    let workflow = format!(
        "workflow: a\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n{steps}  - {{ send: x, with: {{ given: 1 }} }}\n"
    );
    let compiled = project(&[("templates/x.html.hbs", &template), ("workflows/a.yaml", &workflow)]);
    // Said of the template with the first data, and not with the last, which is looked at all the same.
    let unknown = compiled.diagnostics.iter().filter(|diagnostic| diagnostic.code == "unknown-variable").count();
    assert_eq!(unknown, 300);
}

const SENDS: &str = "trigger: { manual: true }\ntopic: offers\nsteps:\n  - send: welcome\n";

/// Segments that need each other in a row: an error at one of them, and nothing goes down all of them by recursion.
#[test]
fn a_chain_of_segments() {
    let check = |length: usize, expected: &[&str]| {
        let links: String = (0..length).map(|number| format!("  s{number}: {{ segment: s{} }}\n", number + 1)).collect();
        let chain = format!("segments:\n{links}  s{length}: {{ list: true }}\n");
        let workflow = format!("workflow: a\naudience: {{ segment: s0 }}\n{}", SENDS.replace("manual: true", "event: x"));
        let settings = "project: shop\ntime_zone: UTC\ntopics: { offers: { title: Offers, default: unsubscribed } }\n";
        let compiled =
            project(&[("campaignd.yaml", settings), ("workflows/chain.yaml", &chain), ("workflows/a.yaml", &workflow)]);
        assert_eq!(codes(&compiled), expected, "{length}");
    };
    check(63, &[]);
    check(64, &["too-deep"]);
    check(20_000, &["too-deep"]);
}

/// Workflows that all record what starts all of them: each leads to the event, and not to every other workflow.
#[test]
fn workflows_on_one_event() {
    let workflow = |number: usize| format!("workflow: w{number}\ntrigger: {{ event: x }}\nsteps:\n  - record: x\n");
    let files: Vec<(String, String)> = (0..1_000).map(|number| (format!("workflows/w{number}.yaml"), workflow(number))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let compiled = project(&files);
    assert_eq!(codes(&compiled), vec!["workflow-loop"; 50]);
}

/// Circles that share their way: only so many are told.
#[test]
fn circles_of_segments() {
    let segments: String =
        (0..60).map(|number| format!("  s{number}: {{ any: [{{ segment: s{} }}, {{ segment: s0 }}] }}\n", number + 1)).collect();
    let compiled = project(&[("workflows/a.yaml", &format!("segments:\n{segments}  s60: {{ segment: s0 }}\n"))]);
    assert_eq!(codes(&compiled), vec!["segment-cycle"; 50]);
    let longest = compiled.diagnostics.iter().map(|diagnostic| diagnostic.related.len()).max();
    assert_eq!(longest, Some(12));
}

/// Sent with ever other data that it names, a template's other troubles are told once.
#[test]
fn what_is_told_of_a_template_comes_to_an_end() {
    let body: String = (0..1_300).map(|number| format!("<p>{{{{unknown_{number}}}}}</p>\n")).collect();
    let template = format!("---\nsubject: Hello\n---\n{body}<a href=\"{{{{unsubscribe_url}}}}\">No more</a>");
    let steps: String =
        (0..40).map(|number| format!("  - {{ send: x, with: {{ unknown_{number}: 1 }}, id: s{number} }}\n")).collect();
    let workflow = format!("workflow: a\ntrigger: {{ manual: true }}\ntopic: offers\nsteps:\n{steps}");
    let compiled = project(&[("templates/x.html.hbs", &template), ("workflows/a.yaml", &workflow)]);
    let codes = codes(&compiled);
    assert!(codes.len() <= 1_001 && codes.contains(&"unknown-variable"), "{}", codes.len());
}

/// The reader of front matter would write aliases out, each again and again.
#[test]
fn aliases_in_front_matter() {
    let rows: String =
        (1..12).map(|row| format!("a{row}: &a{row} [{}]\n", vec![format!("*a{}", row - 1); 10].join(", "))).collect();
    let template = format!("---\nsubject: Hello\na0: &a0 [x]\n{rows}---\n<p>Hello</p>\n");
    let compiled = project(&[("templates/x.html.hbs", &template), ("workflows/a.yaml", &format!("workflow: a\n{SENDS}"))]);
    assert!(codes(&compiled).contains(&"front-matter"), "{:?}", codes(&compiled));
}

#[test]
fn what_is_too_large() {
    let triggers = |count: usize| {
        let list: String = (0..count).map(|number| format!("  - {{ event: e{number} }}\n")).collect();
        let compiled = project(&[("workflows/a.yaml", &format!("workflow: a\ntrigger:\n{list}steps: [exit]\n"))]);
        codes(&compiled).contains(&"workflow-too-large")
    };
    assert!(!triggers(100) && triggers(101));
    let values = |count: usize| {
        let list = "1,".repeat(count);
        let text = format!("workflow: a\ntrigger: {{ manual: true }}\naudience: {{ contact.a: [{list}] }}\nsteps: [exit]\n");
        codes(&project(&[("workflows/a.yaml", &text)])).contains(&"file-too-large")
    };
    assert!(!values(99_000) && values(100_000));
}

/// A line of a megabyte is not shown, and not for each of its places.
#[test]
fn a_long_line() {
    let steps: Vec<String> = (0..300).map(|number| format!("{{ send: x, id: s{number} }}")).collect();
    let text = format!("workflow: a\ntrigger: {{ manual: true }}\ntopic: offers\nsteps: [{}]\n", steps.join(", "));
    let files = crate::ProjectFiles::from_texts([("campaignd.yaml", super::SETTINGS), ("workflows/a.yaml", &text)]);
    let shown = crate::render::human(&crate::compile(&files).diagnostics, &files, false);
    assert!(shown.contains("--> workflows/a.yaml:4:17\n") && shown.len() < 60_000, "{}", shown.len());
}
