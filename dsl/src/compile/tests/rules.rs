//! Every rule on a wrong and a right project.

use super::{found, project};

/// Every rule: what is wrong, where, and that the right form passes.
#[test]
fn rules() {
    let contact = r#"{"type":"object","properties":{"country":{"type":"string"},"age":{"type":"number"},"birthday":{"type":"string","format":"date"},"tags":{"type":"array","items":{"type":"string"}}},"additionalProperties":false}"#;
    let event = r#"{"type":"object","properties":{"total":{"type":"number"},"cart_id":{"type":"string"},"buyer":{"type":"string","x-personal":true}},"additionalProperties":false}"#;
    let check = |text: &str, expected: &[&str]| {
        let compiled = project(&[
            ("schemas/contact.schema.json", contact),
            ("schemas/events/bought.schema.json", event),
            ("templates/coupon.html.hbs", "---\nsubject: Hello\nneeds: [code]\n---\n<p>{{code}} {{unsubscribe_url}}</p>"),
            ("workflows/a.yaml", text),
            (
                "workflows/other.yaml",
                "workflow: other\ntrigger: { manual: true }\nsteps: [exit]\nsegments: { vip: { contact.age: { above: 5 } } }\n",
            ),
        ]);
        assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
        compiled
    };
    let steps = |steps: &str| format!("workflow: a\ntrigger: {{ event: bought }}\ntopic: offers\nsteps:\n{steps}");
    let audience = |condition: &str| format!("workflow: a\ntrigger: {{ event: bought }}\nsteps: [exit]\naudience: {condition}\n");
    let compiled = check(&steps("  - send: welcom\n"), &["5:11 error unknown-template"]);
    assert_eq!(compiled.diagnostics[0].help.as_deref(), Some("did you mean `welcome`?"));
    check(&steps("  - send: coupon\n"), &["5:11 error missing-needs"]);
    check(&steps("  - send: coupon\n    with: { code: x }\n"), &[]);
    check(&audience("{ message: welcom, is: sent }"), &["4:22 error unknown-template"]);
    check(&audience("{ message: welcome, is: sent }"), &[]);
    check(&audience("{ segment: vipp }"), &["4:22 error unknown-segment"]);
    check(&audience("{ segment: vip }"), &[]);
    check("segments:\n  b: { segment: c }\n  c: { not: { segment: b } }\n", &["3:24 error segment-cycle"]);
    check("segments:\n  b: { segment: b }\n", &["2:17 error segment-cycle"]);
    check(
        "segments:\n  b: { segment: c }\n  c: { not: { segment: vip } }\n  d: { any: [ { segment: b }, { segment: c } ] }\n",
        &[],
    );
    let circle = check(
        "segments:\n  b: { contact.t: x }\ntraits:\n  t: { first_match: { x: { any: [ { segment: b } ] } } }\n",
        &["4:46 error segment-cycle"],
    );
    assert_eq!(circle.diagnostics[0].message, "segments and traits need each other in a circle: b needs contact.t needs b");
    let circle = check("traits:\n  t: { rank: contact.t, into: 5 }\n", &["2:14 error segment-cycle"]);
    assert_eq!(circle.diagnostics[0].message, "traits need each other in a circle: contact.t needs contact.t");
    check(
        "traits:\n  t: { rank: contact.u, into: 5 }\n  u: { rank: contact.v, into: 5 }\n  v: { by: contact.t, tiers: { y: 1 } }\n",
        &["3:14 error predicate-type", "4:12 error segment-cycle"],
    );
    check(
        "segments:\n  b: { contact.t: x }\ntraits:\n  t: { first_match: { x: { contact.u: 1 } } }\n  u: { rank: contact.age, into: 5 }\n",
        &[],
    );
    check(&steps("  - start: othr\n"), &["5:12 error unknown-workflow"]);
    check(&steps("  - start: other\n"), &[]);
    check(&audience("{ workflow: otter, is: active }"), &["4:23 error unknown-workflow"]);
    check(&steps("  - subscribe: ofers\n  - unsubscribe: all\n"), &["5:16 error unknown-topic"]);
    check(&steps("  - send: welcome\n    channel: emial\n"), &["6:14 error unknown-channel"]);
    check(&steps("  - send: welcome\n    channel: email\n"), &[]);
    check(
        &steps("  - send: welcome\n    channel: [push, email, email]\n"),
        &["6:15 error unknown-channel", "6:28 error invalid-list"],
    );
    let call = |call: &str| steps(&format!("  - call: {call}\n"));
    check(&call("{ post: \"https://x.example/{{contact.id}}\", json: { a: \"{{event.total}}\" }, save: vars.answer }"), &[]);
    check(&call("{ post: \"https://x.example\", sign: crm }"), &["5:46 error unknown-secret"]);
    check(
        &call("{ get: \"https://x.example\", headers: { A: \"Bearer {{secrets.crm}} {{event.nope}}\" } }"),
        &["5:53 error unknown-secret", "5:79 error unknown-variable"],
    );
    check(&call("{ headers: {} }"), &["5:11 error missing-key"]);
    check(&call("{ post: \"https://x\", get: \"https://x\" }"), &["5:37 error misplaced-key"]);
    check(&call("{ get: \"https://x\", json: {}, save: contact.x }"), &["5:37 error misplaced-key", "5:47 error invalid-path"]);
    let winner = |winner: &str| {
        steps(&format!(
            "  - experiment: e\n    variants: {{ a: {{ weight: 1, steps: [ {{ send: welcome }} ] }}, b: {{ weight: 1, steps: [ {{ send: welcome }} ] }} }}\n    winner: {winner}\n"
        ))
    };
    check(
        &winner("{ metric: clicked, after: 1, confidence: 20% }"),
        &["7:23 warning winner-without-tracking", "7:39 error invalid-number", "7:54 error invalid-number"],
    );
    check("workflow: a\ntrigger: { event: bougt }\nsteps: [exit]\n", &["2:19 error unknown-event"]);
    check("workflow: a\ntrigger: { event: message_clicked }\nsteps: [exit]\n", &[]);
    check(&steps("  - record: sold\n"), &["5:13 error unknown-event"]);
    check(&steps("  - record: message_sent\n"), &["5:13 error reserved-event"]);
    check(&audience("{ contact.contry: DE }"), &["4:13 error unknown-attribute"]);
    check(&audience("{ event.totl: 5 }"), &["4:13 error unknown-attribute"]);
    check(&audience("{ event: bought, where: { event.totl: 5 } }"), &["4:37 error unknown-attribute"]);
    check(&audience("{ event: bought, where: { event.total: 5 }, sum: { of: event.total, above: 3 } }"), &[]);
    check(
        "workflow: a\ntrigger: { schedule: \"@daily\" }\naudience: { event.total: 5 }\nsteps: [exit]\n",
        &["3:13 error unknown-attribute"],
    );
    check("workflow: a\ntrigger: { manual: true }\naudience: { event.anything: 5 }\nsteps: [exit]\n", &[]);
    check(&audience("{ contact.country: { above: 5 } }"), &["4:39 error predicate-type"]);
    check(&audience("{ contact.age: \"18\" }"), &["4:26 error predicate-type"]);
    check(
        &audience(
            "{ contact.age: { above: 5 }, contact.tags: { contains: a }, contact.birthday: { before: now }, contact.country: { exists: true } }",
        ),
        &[],
    );
    check(&audience("{ event: bought, sum: { of: event.cart_id, above: 3 } }"), &["4:39 error predicate-type"]);
    check(&steps("  - set: { contact.age: { append: x } }\n"), &["5:25 error predicate-type"]);
    check(
        "workflow: other\ntrigger: { manual: true }\nsteps: [exit]\nsegments: { vip: { topic: offers } }\n",
        &["1:11 error duplicate-name", "4:13 error duplicate-name"],
    );
    check("traits: { t: { count: bought } }\nsegments: { t: { topic: offers } }\n", &[]);
    check("traits: { age: { count: bought } }\n", &["1:11 warning shadowed-attribute"]);
    check("traits: { ages: { count: bought } }\n", &[]);
    let traits = "traits: { spent: { sum: event.total, of: bought } }\n";
    check(&steps(&format!("  - set: {{ contact.spent: none, contact.age: 5 }}\n{traits}")), &["5:12 error set-trait"]);
    check(&steps(&format!("  - set: {{ vars.spent: none, contact.age: 5 }}\n{traits}")), &[]);
    let keyed = |key: &str| format!("workflow: a\ntrigger: {{ event: bought, key: event.{key} }}\nsteps: [exit]\n");
    check(&keyed("buyer"), &["2:32 warning personal-key"]);
    check(&keyed("cart_id"), &[]);
    check("workflow: Not-Good\ntrigger: { manual: true }\nsteps: [exit]\n", &["1:11 error invalid-name"]);
    check(
        "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: welcome\n  - send: welcome\n    transactional: true\n",
        &["4:11 warning missing-topic"],
    );
    check(&steps("  - wait_for: { event: bought }\n"), &["5:5 warning wait-without-within"]);
    check(&steps("  - wait_for: { event: bought }\n    within: 1 day\n    then: []\n"), &["7:5 warning empty-steps"]);
    check(&steps("  - exit: done\n  - exit\n  - exit\n"), &["6:5 warning unreachable-step"]);
    check(
        &steps("  - branch:\n      - steps: [exit]\n      - when: { topic: offers }\n        steps: [exit]\n"),
        &["7:9 warning unreachable-step"],
    );
    check(
        "workflow: a\ntrigger: { manual: true }\nmoved: { x: wait-1-dy }\nsteps:\n  - wait: 1 day\n",
        &["3:13 error unknown-step"],
    );
    check("workflow: a\ntrigger: { manual: true }\nmoved: { x: wait-1-day }\nsteps:\n  - wait: 1 day\n", &[]);
    check(
        &steps("  - branch:\n      - when: { vars.stge: x }\n        steps: [exit]\n  - set: { vars.stage: x }\n"),
        &["6:17 error unknown-variable"],
    );
    check(&steps("  - branch:\n      - when: { vars.stage: x }\n        steps: [exit]\n  - set: { vars.stage: x }\n"), &[]);
    check(&steps("  - send: { subject: \"{{contact.nme}}\", text: Hi }\n"), &["5:25 error unknown-variable"]);
    let wait = |message: &str| format!("  - wait_for: {{ message: {message}, is: opened }}\n    within: 1 day\n");
    let never = check(&steps(&format!("  - send: welcome\n{}", wait("coupon"))), &["6:26 error never-sent"]);
    assert_eq!(never.diagnostics[0].help.as_deref(), Some("it sends: `welcome`"));
    check(&steps(&format!("{}  - send: welcome\n", wait("welcome"))), &["5:5 error never-sent"]);
    check(&steps(&format!("  - send: welcome\n{}", wait("welcome"))), &[]);
    let round =
        "  - repeat: { times: 2, steps: [ { wait_for: { message: welcome, is: opened }, within: 1 day }, { send: welcome } ] }\n";
    check(&steps(round), &[]);
    check(&steps(&format!("  - send: {{ subject: Hi, text: Ho }}\n    id: x\n{}{}", wait("x"), wait("any"))), &[]);
    check(&steps(&wait("cupon")), &["5:26 error unknown-template"]);
    check(&audience("{ message: coupon, is: sent }"), &[]);
}

/// What a winner needs: a metric that can be reached, and somebody to win against.
#[test]
fn winners() {
    let check = |settings: &str, goal: &str, variants: &str, metric: &str, expected: &[&str]| {
        let experiment = format!(
            "  - experiment: e\n    variants:\n{variants}    winner: {{ metric: {metric}, after: 100, confidence: 90% }}\n"
        );
        let workflow = format!("workflow: a\ntrigger: {{ manual: true }}\n{goal}\nsteps:\n{experiment}");
        let settings = format!("project: p\ntime_zone: UTC\ncontract: open\nrules: {{ unused-template: off }}\n{settings}");
        let compiled = project(&[("campaignd.yaml", settings.as_str()), ("workflows/a.yaml", &workflow)]);
        assert_eq!(found(&compiled), expected, "{workflow}\n{}", crate::render::short(&compiled.diagnostics));
    };
    let two = "      x: { weight: 1, steps: [exit] }\n      y: { weight: 1, steps: [exit] }\n      z: { weight: 1 }\n";
    let goal = "goal: { event: bought }";
    check("", goal, two, "goal", &[]);
    check("", "", two, "goal", &["10:23 error winner-without-goal"]);
    check("", "", two, "clicked", &["10:23 warning winner-without-tracking"]);
    check("tracking: { clicks: true }\n", "", two, "clicked", &[]);
    check("tracking: { clicks: true }\n", "", two, "opened", &["10:23 warning winner-without-tracking"]);
    check("topics: { t: { tracking: { opens: true } } }\n", "", two, "opened", &[]);
    for one in ["weight: 0, steps: [exit]", "weight: 1", "weight: 1, steps: []"] {
        let variants = format!("      x: {{ weight: 1, steps: [exit] }}\n      y: {{ {one} }}\n      z: {{ weight: 1 }}\n");
        let empty: &[&str] = if one.ends_with("[]") { &["8:23 warning empty-steps"] } else { &[] };
        check("", goal, &variants, "goal", &[empty, &["10:23 error winner-without-rival"]].concat());
    }
}

/// Two traits of one name, in two files.
#[test]
fn traits_are_unique() {
    let compiled = project(&[
        ("workflows/a.yaml", "traits: { t: { count: bought } }\n"),
        ("workflows/b.yaml", "traits: { u: { count: bought }, t: { last: bought } }\n"),
    ]);
    assert_eq!(found(&compiled), ["1:33 error duplicate-name"]);
    assert_eq!(compiled.diagnostics[0].message, "another trait is named `t`, in workflows/a.yaml at line 1");
}

/// A template's topic is looked up where it is written, once, whoever sends it.
#[test]
fn a_template_s_topic() {
    let template = "---\nsubject: Hi\ntopic: ofers\n---\n<p>Hi {{unsubscribe_url}}</p>";
    let workflow = "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: t\n  - send: t\n";
    for files in
        [&[("templates/t.html.hbs", template)][..], &[("templates/t.html.hbs", template), ("workflows/a.yaml", workflow)]]
    {
        let compiled = project(files);
        assert_eq!(found(&compiled), ["3:8 error unknown-topic"]);
        assert_eq!(compiled.diagnostics[0].location.file, "templates/t.html.hbs");
    }
}

/// Only messages have front matter: in what they share it would be printed.
#[test]
fn front_matter_in_shared_files() {
    let front = "---\nsubject: Hi\n---\n";
    let layout = format!("{front}<p>{{{{{{body}}}}}}</p>");
    let partial = format!("{front}<p>Hi</p>");
    let compiled = project(&[("templates/layouts/l.html.hbs", &layout), ("templates/partials/p.hbs", &partial)]);
    assert_eq!(found(&compiled), ["1:1 error front-matter", "1:1 error front-matter"], "{:?}", compiled.diagnostics);
    let compiled = project(&[("templates/partials/p.hbs", "---\nHi")]);
    assert_eq!(found(&compiled), [""; 0]);
}
