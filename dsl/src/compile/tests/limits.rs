//! That a project which was made to be slow is not looked at for ever: what is counted is work, not time.

use super::{found, project};

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
