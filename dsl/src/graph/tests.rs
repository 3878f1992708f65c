use super::svg::{Shape, whole, width};
use super::*;
use crate::{ProjectFiles, compile};

const SETTINGS: &str = "project: shop\ntime_zone: UTC\nchannels: { email: { from: a@shop.example, deliver: \"outbox:mail\" } }\n\
                        topics: { offers: { default: unsubscribed } }\n";

/// The graph of a workflow with these steps (YAML, indented by two).
fn graph(steps: &str) -> Graph {
    let workflow = format!("workflow: w\ntrigger: {{ event: bought }}\ntopic: offers\nsteps:\n{steps}");
    let files = ProjectFiles::from_texts([("campaignd.yaml", SETTINGS.to_owned()), ("workflows/w.yaml", workflow)]);
    let compiled = compile(&files);
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    of(&catalog.workflows["w"].definition)
}

/// Every way a workflow can part, inside of every other, with texts that mean something to each format.
const EVERYTHING: &str = r##"  - send: { subject: "50% & <b>\"more\"</b> | #1; {{contact.first_name}}", text: hello }
    id: hello
  - wait_for: { event: order_completed, where: { event.total: { above: 50 } } }
    within: 3 days
    then:
      - experiment: size
        variants:
          big: { weight: 1, steps: [ { record: was_big }, { repeat: { times: 3, every: 1 day, steps: [ { record: again } ] } } ] }
          small: { weight: 1, steps: [ { branch: [ { when: { contact.a: 1 }, steps: [ exit ] }, { when: { contact.b: "1. x" }, steps: [ { exit: over } ] } ] } ] }
          none: { weight: 1 }
    otherwise:
      - repeat:
          times: 2
          every: 2 days
          until: { event: bought }
          steps:
            - branch:
                - when: { contact.averyveryveryveryveryveryveryveryverylongattributewithoutanyspace: "ÄÖÜ 中文字符中文字符中文字符中文字符中文字符中文字符中文字符" }
                  steps: [ { set: { contact.x: "1. a list? *b* _c_ `d` \\ [e] (f) {g}" } } ]
                - steps: [ { subscribe: offers } ]
            - call: { post: "https://example.com/a?b=c&d=e" }
  - exit: "bye; \"now\" --> | end"
"##;

fn notes() -> Notes {
    let steps = ["hello", "record-was-big"].map(|step| (step.to_owned(), "1,234 people".to_owned())).into();
    let arms = [((("wait-for-order-completed".to_owned()), 0), "99,999 people".to_owned())].into();
    Notes { entry: Some("5,000 people".to_owned()), steps, arms, end: Some("17 people".to_owned()) }
}

/// The edges as `from label> to`, each box by its step's id, or `(` and `)` for entry and end.
fn check(steps: &str, expected: &[&str]) {
    let graph = graph(steps);
    let name = |index: usize| match (&graph.nodes[index].step, graph.nodes[index].kind) {
        (Some(step), _) => step.clone(),
        (None, Kind::Entry) => "(".to_owned(),
        (None, _) => ")".to_owned(),
    };
    let line = |edge: &Edge| {
        let back = if edge.back { "^" } else { "" };
        let label = if edge.label.is_empty() { String::new() } else { format!(" {}", edge.label) };
        format!("{}{label} {back}> {}", name(edge.from), name(edge.to))
    };
    assert_eq!(graph.edges.iter().map(line).collect::<Vec<_>>(), expected, "{steps}");
}

#[test]
fn the_structure_is_found_again() {
    check("  - wait: 1 hour\n", &["( > wait-1-hour", "wait-1-hour > )"]);
    check("  - exit\n", &["( > exit"]);
    check(
        "  - branch:\n      - when: { contact.a: 1 }\n        steps: [ { wait: 1 hour } ]\n  - record: x\n",
        &[
            "( > branch",
            "branch contact.a is 1 > wait-1-hour",
            "wait-1-hour > record-x",
            "branch everyone else > record-x",
            "record-x > )",
        ],
    );
    check("  - wait_for: { event: x }\n    within: 1 day\n", &["( > wait-for-x", "wait-for-x > )"]);
    check(
        "  - wait_for: { event: x }\n    within: 1 day\n    otherwise: [ exit ]\n",
        &["( > wait-for-x", "wait-for-x otherwise, after 1 day > exit", "wait-for-x then > )"],
    );
    check(
        "  - repeat: { times: 3, every: 1 day, steps: [ { record: x } ] }\n",
        &["( > repeat", "repeat each time > record-x", "record-x ^> repeat", "repeat then > )"],
    );
    check(
        "  - experiment: e\n    variants: { a: { weight: 3, steps: [ { record: x } ] }, b: { weight: 1 } }\n",
        &["( > experiment-e", "experiment-e a, 75% > record-x", "record-x > )", "experiment-e b, 25% > )"],
    );
}

fn overlap(a: (f64, f64, f64, f64), b: (f64, f64, f64, f64)) -> bool {
    a.0 < b.0 + b.2 && b.0 < a.0 + a.2 && a.1 < b.1 + b.3 && b.1 < a.1 + a.3
}

#[test]
fn nothing_overlaps_and_all_text_fits() {
    for steps in [EVERYTHING, "  - exit\n", "  - wait: 1 hour\n"] {
        for notes in [Notes::default(), notes()] {
            let graph = graph(steps);
            let (drawing, page) = whole(&graph, &notes);
            let solid: Vec<_> = drawing
                .shapes
                .iter()
                .filter_map(|shape| match shape {
                    Shape::Box { x, y, width, height, .. } | Shape::Label { x, y, width, height } => {
                        Some((*x, *y, *width, *height))
                    }
                    _ => None,
                })
                .collect();
            for (number, a) in solid.iter().enumerate() {
                assert!(a.0 >= 0.0 && a.0 + a.2 <= page && a.1 >= 0.0, "{a:?} is on the page");
                assert!(solid[number + 1..].iter().all(|b| !overlap(*a, *b)), "{a:?} overlaps another");
            }
            let boxes = drawing.shapes.iter().filter(|shape| matches!(shape, Shape::Box { .. })).count();
            assert_eq!(boxes, graph.nodes.len());
            for shape in &drawing.shapes {
                let Shape::Text { x, y, text, style, middle } = shape else { continue };
                let wide = width(text, *style);
                let line = (if *middle { x - wide / 2.0 } else { *x }, *y, wide, style.line_height() - 1.0);
                let fits = |room: &(f64, f64, f64, f64)| {
                    line.0 >= room.0
                        && line.0 + line.2 <= room.0 + room.2
                        && line.1 >= room.1
                        && line.1 + line.3 <= room.1 + room.3
                };
                assert!(!middle || solid.iter().any(fits), "{text:?} fits into its box");
                assert!(line.0 >= 0.0 && line.0 + line.2 <= page, "{text:?} is on the page");
            }
        }
    }
}

#[test]
fn lines_go_along_right_angles_and_through_no_box() {
    let (drawing, _) = whole(&graph(EVERYTHING), &notes());
    let boxes: Vec<_> = drawing
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Box { x, y, width, height, .. } => Some((x + 1.0, y + 1.0, width - 2.0, height - 2.0)),
            _ => None,
        })
        .collect();
    for shape in &drawing.shapes {
        let Shape::Line { points, .. } = shape else { continue };
        for pair in points.windows(2) {
            let ((x1, y1), (x2, y2)) = (pair[0], pair[1]);
            assert!(x1 == x2 || y1 == y2, "{pair:?}");
            let stretch = (x1.min(x2), y1.min(y2), (x1 - x2).abs().max(0.1), (y1 - y2).abs().max(0.1));
            assert!(boxes.iter().all(|room| !overlap(stretch, *room)), "{stretch:?} goes through a box");
        }
    }
}

#[test]
fn what_is_written_is_escaped() {
    let (graph, notes) = (graph(EVERYTHING), notes());
    let mermaid = mermaid(&graph, &notes);
    let chart: Vec<&str> = mermaid.lines().filter(|line| line.contains("bye")).collect();
    assert_eq!(chart.len(), 1);
    assert_eq!(chart[0].matches('"').count(), 2, "{}", chart[0]);
    assert!(mermaid.contains("1,234 people") && mermaid.contains("99,999 people") && !mermaid.contains("17 people"), "{mermaid}");
    let dot = dot(&graph, &notes);
    assert!(dot.contains(r#"exit: bye; \"now\" --> | end"#), "{dot}");
    let svg = svg(&graph, &notes);
    assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>") && svg.contains("5,000 people"), "{svg}");
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}

#[test]
fn a_subject_is_shown_without_its_code() {
    let check = |subject: &str, expected: &str| {
        let graph = graph(&format!("  - send: {{ subject: {subject:?}, text: hello }}\n"));
        assert_eq!(graph.nodes[1].details, [format!("“{expected}”")]);
    };
    check("Hello", "Hello");
    check("{{default contact.first_name 'you'}}, hello", "‹first_name›, hello");
    check("{{#if contact.first_name}}Hello {{contact.first_name}}{{else}}Hello{{/if}}!", "Hello ‹first_name› / Hello!");
}
