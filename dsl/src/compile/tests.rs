//! Whole projects, as texts: what they compile to, and what is wrong with them.

use super::*;
use crate::model::{CatalogEntry, StepKind};

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ntopics:\n  offers: { title: Offers, default: unsubscribed }\n";

fn project(files: &[(&str, &str)]) -> Compiled {
    let mut all = vec![("campaignd.yaml", SETTINGS), ("templates/welcome.html.hbs", "---\nsubject: Hello\n---\n<p>Hello</p>")];
    all.extend(files);
    compile(&ProjectFiles::from_texts(all))
}

fn found(compiled: &Compiled) -> Vec<String> {
    let line = |diagnostic: &Diagnostic| {
        let at = &diagnostic.location;
        format!("{}:{} {} {}", at.line, at.column, diagnostic.severity.word(), diagnostic.code)
    };
    compiled.diagnostics.iter().map(line).collect()
}

/// One workflow file against what is found in it.
fn check(text: &str, expected: &[&str]) {
    let compiled = project(&[("workflows/a.yaml", text)]);
    assert_eq!(found(&compiled), expected, "{text}\n{}", crate::render::short(&compiled.diagnostics));
}

const CART: &str = r#"# yaml-language-server: $schema=../schemas/workflow.schema.json
workflow: cart-recovery
description: Bring back shoppers who left something in the cart.
status: live                    # live (default) | draft | paused | closed

trigger:
  event: cart_updated
  where: { event.total: { at_least: 20 } }
  key: event.cart_id            # one run per contact and cart; without it, one per contact

audience:                       # must hold to enter
  all:
    - segment: subscribers
    - contact.country: [DE, AT, CH]

reentry: { after: 7 days }      # once (default) | always | { after: <duration> }
while_active: ignore            # ignore (default) | restart
exit_when: { event: order_completed }
goal: { event: order_completed, within: 7 days, value: event.total }
topic: offers                   # consent every marketing send here needs
in_flight: follow               # follow (default) | pinned: see 'Changing a live workflow'

steps:
  - wait: 1 hour
  - send: cart-reminder
  - wait_for: { message: cart-reminder, is: clicked }
    within: 1 day
    otherwise:
      - branch:
          - when: { contact.lifetime_value: { above: 500 } }
            steps:
              - send: cart-vip
          - steps:                          # no `when`: everyone else
              - send: cart-discount
                with: { coupon: SAVE10 }
  - set: { contact.last_recovery_at: now }
"#;

fn cart_files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("workflows/cart.yaml", CART),
        ("workflows/segments.yml", "segments:\n  subscribers: { topic: offers }\n"),
        (
            "templates/cart-reminder.html.hbs",
            "---\nsubject: \"{{default contact.first_name \\\"there\\\"}}, you left something behind\"\n---\n<p>Hi</p>",
        ),
        ("templates/cart-vip.html.hbs", "---\nsubject: For you\n---\n<p>Hi</p>"),
        ("templates/cart-discount.html.hbs", "---\nsubject: A coupon\nneeds: [coupon]\n---\n<p>{{coupon}}</p>"),
    ]
}

fn entry(compiled: &Compiled, name: &str) -> CatalogEntry {
    compiled.catalog.as_ref().unwrap().workflows[name].clone()
}

#[test]
fn the_language_page_s_example_compiles() {
    let compiled = project(&cart_files());
    assert_eq!(found(&compiled), [""; 0], "{}", crate::render::short(&compiled.diagnostics));
    let entry = entry(&compiled, "cart-recovery");
    let steps: Vec<(&str, Option<usize>)> =
        entry.definition.workflow.steps.iter().map(|step| (step.id.as_str(), step.next)).collect();
    let expected = [
        ("wait-1-hour", Some(1)),
        ("send-cart-reminder", Some(2)),
        ("wait-for-cart-reminder", Some(6)),
        ("branch", Some(6)),
        ("send-cart-vip", Some(6)),
        ("send-cart-discount", Some(6)),
        ("set-last-recovery-at", None),
    ];
    assert_eq!(steps, expected);
    let StepKind::WaitFor { then, otherwise, .. } = &entry.definition.workflow.steps[2].kind else { panic!() };
    assert_eq!((*then, *otherwise), (Some(6), Some(3)));
    assert_eq!(entry.step_lines["send-cart-vip"], 33);
    assert_eq!(entry.definition.segments.keys().collect::<Vec<_>>(), ["subscribers"]);
    let back: crate::model::Definition = serde_json::from_str(&entry.canonical).unwrap();
    assert_eq!(&back, entry.definition.as_ref());
}

#[test]
fn hashes_follow_meaning() {
    let before = entry(&project(&cart_files()), "cart-recovery").hash;
    let with = |path: &str, text: &str| {
        let mut files = cart_files();
        files.retain(|(name, _)| *name != path);
        let text = text.to_owned();
        files.push((path, text.as_str()));
        entry(&project(&files), "cart-recovery").hash
    };
    assert_eq!(
        before,
        with("workflows/cart.yaml", &CART.replace("# must hold to enter", "").replace("{ after: 7 days }", "\n  after: 1 week"))
    );
    assert_eq!(before, with("templates/welcome.html.hbs", "---\nsubject: Bye\n---\n<p>Bye</p>"));
    assert_ne!(before, with("templates/cart-vip.html.hbs", "---\nsubject: For you\n---\n<p>Ho</p>"));
    assert_ne!(before, with("workflows/segments.yml", "segments:\n  subscribers: { not: { topic: offers } }\n"));
}
