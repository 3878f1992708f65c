//! Comments that allow diagnostics, and severities in the settings.

use super::{SETTINGS, found, project};
use crate::{ProjectFiles, compile};

#[test]
fn comments_allow_warnings() {
    let check = |text: &str, expected: &[&str]| {
        let compiled = project(&[("workflows/a.yaml", text)]);
        assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
    };
    let steps = |steps: &str| format!("workflow: a\ntrigger: {{ manual: true }}\nsteps:\n{steps}");
    check(&steps("  - send: welcome\n"), &["4:11 warning missing-topic"]);
    check(&steps("  - send: welcome # campaignd: allow(missing-topic) staff only\n"), &[]);
    check(&steps("  # campaignd: allow(missing-topic) staff only\n  - send: welcome\n"), &[]);
    check(
        &steps("  # campaignd: allow( missing-topic , empty-steps ) staff\n  - send: welcome\n"),
        &["4:39 warning unused-allow"],
    );
    let both = "  - exit\n  # campaignd: allow(missing-topic) staff\n  # campaignd: allow(unreachable-step) for now\n  - send: welcome\n";
    check(&steps(both), &[]);
    check(&steps("  - exit\n  # campaignd: allow(missing-topic, unreachable-step) both\n  - send: welcome\n"), &[]);
    check(&steps("  # campaignd: allow(missing-topic)\n  - send: welcome\n"), &["4:16 warning allow-without-reason"]);
    check(
        &steps("  # campaignd: allow(mising-topic) x\n  - send: welcome\n"),
        &["4:22 warning unknown-code", "5:11 warning missing-topic"],
    );
    check(
        &steps("  # campaignd: alow(missing-topic) x\n  - send: welcome\n"),
        &["4:16 warning unclear-comment", "5:11 warning missing-topic"],
    );
    check(&steps("  # campaignd: allow missing-topic\n  - exit\n"), &["4:16 warning unclear-comment"]);
    check(&steps("  # campaignd: allows this and that\n  - exit\n"), &[]);
    check(&steps("  - exit # campaignd: allow(missing-topic) staff\n"), &["4:29 warning unused-allow"]);
    // What is an error stays one; and where there are errors, not every rule may have looked.
    check(
        &steps("  - send: welcom # campaignd: allow(unknown-template, missing-topic, empty-steps) x\n"),
        &["4:11 error unknown-template", "4:37 warning cannot-allow"],
    );
}

#[test]
fn comments_in_templates() {
    let workflow = "workflow: a\ntrigger: { manual: true }\ntopic: offers\nsteps:\n  - send: x\n";
    let check = |template: &str, expected: &[&str]| {
        let compiled = project(&[("workflows/a.yaml", workflow), ("templates/x.html.hbs", template)]);
        assert_eq!(found(&compiled), expected, "{template}\n{}", crate::render::short(&compiled.diagnostics));
    };
    let way_out = "<a href=\"{{unsubscribe_url}}\">No more</a>";
    check(&format!("---\nsubject: Hello\n---\n<a href=\"http://x\">x</a>{way_out}"), &["4:10 warning insecure-link"]);
    check(
        &format!(
            "---\nsubject: Hello\n---\n{{{{!-- campaignd: allow(insecure-link) old server --}}}}\n<a href=\"http://x\">x</a>{way_out}"
        ),
        &[],
    );
    check(
        &format!(
            "---\nsubject: Hello\n---\n<a href=\"http://x\">x</a>{{{{! campaignd: allow(insecure-link) old server }}}}{way_out}"
        ),
        &[],
    );
    check(
        &format!(
            "---\nsubject: Hello\n---\n{{{{{{contact.x}}}}}} {{{{!-- campaignd: allow(unescaped-data) cleaned on import --}}}}{way_out}"
        ),
        &[],
    );
    // About the whole file.
    check("---\nsubject: Hello\n---\n<p>Hello</p>", &["1:1 warning no-unsubscribe-link"]);
    check("---\n# campaignd: allow(no-unsubscribe-link) added at the end\nsubject: Hello\n---\n<p>Hello</p>", &[]);
}

#[test]
fn severities_in_the_settings() {
    let check = |rules: &str, expected: &[&str]| {
        let before = SETTINGS.split("rules:").next().unwrap_or_default();
        let settings = format!("{before}rules: {{ {rules} }}\n");
        let compiled = compile(&ProjectFiles::from_texts([
            ("campaignd.yaml", settings.as_str()),
            ("templates/welcome.html.hbs", "---\nsubject: Hello\n---\n<p>Hello</p><a href=\"{{unsubscribe_url}}\">No more</a>"),
            ("workflows/a.yaml", "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: welcome\n"),
        ]));
        assert_eq!(found(&compiled), expected, "{rules}");
        compiled.catalog.is_some()
    };
    assert!(check("missing-topic: warning", &["4:11 warning missing-topic"]));
    assert!(check("missing-topic: off", &[]));
    assert!(!check("missing-topic: error", &["4:11 error missing-topic"]));
    assert!(check("missing-topic: off, unknown-template: error", &[]));
    check("missing-topic: off, unknown-template: off", &["5:30 error fixed-severity"]);
    check("missing-topic: off, unknown-event: off", &["5:30 error fixed-severity"]);
    check("mising-topic: off", &["5:10 error unknown-code", "4:11 warning missing-topic"]);
    check("missing-topic: never", &["5:25 error unknown-value", "4:11 warning missing-topic"]);
}
