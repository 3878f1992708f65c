//! A graph as a self-contained SVG: laid out top-down by the program's own structure, light or dark as the reader's system is.

mod drawing;
mod layout;
mod text;

pub(super) use drawing::{Drawing, Shape};
#[cfg(test)]
pub(super) use text::width;

use std::fmt::Write;

use super::{Graph, Kind, Notes};
use drawing::Style;
use text::{escaped, wrapped};

/// Around everything, in pixels.
const MARGIN: f64 = 24.0;
/// The heading is at least so wide, in pixels.
const HEADING: f64 = 520.0;

/// The graph as one SVG document that needs nothing else; it may stand inside HTML as well.
pub fn svg(graph: &Graph, notes: &Notes) -> String {
    let (drawing, width) = whole(graph, notes);
    let name = escaped(&graph.workflow);
    let mut text = String::new();
    let height = drawing.height + 2.0 * MARGIN;
    let _ = writeln!(
        text,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" role="img" class="cg" aria-labelledby="cg-{name}-title cg-{name}-desc">"#
    );
    let _ = writeln!(text, r#"<title id="cg-{name}-title">{name}</title>"#);
    let _ = writeln!(text, r#"<desc id="cg-{name}-desc">{}</desc>"#, escaped(&described(graph, notes)));
    let _ = writeln!(text, "<style>{STYLE}</style>");
    let _ = writeln!(text, r#"<rect class="cg-page" width="{width:.0}" height="{height:.0}"/>"#);
    for shape in &drawing.shapes {
        write_shape(&mut text, shape, graph);
    }
    text.push_str("</svg>\n");
    text
}

/// Everything at its place, the margins included, and the width of the page.
pub(super) fn whole(graph: &Graph, notes: &Notes) -> (Drawing, f64) {
    let flow = layout::flow(graph, notes);
    let width = (flow.left + flow.right).max(HEADING) + 2.0 * MARGIN;
    let mut page = Drawing::default();
    let mut y = MARGIN;
    let mut heading = vec![(graph.workflow.as_str(), Style::Name)];
    heading.extend(graph.description.as_deref().map(|text| (text, Style::Description)));
    heading.extend(graph.facts.iter().map(|fact| (fact.as_str(), Style::Description)));
    for (paragraph, style) in heading {
        for line in wrapped(paragraph, style, width - 2.0 * MARGIN) {
            page.text(MARGIN, y, line, style, false);
            y += style.line_height();
        }
        y += 2.0;
    }
    // The flow stands in the middle of the page, whichever side of it is wider.
    let spine = MARGIN + (width - 2.0 * MARGIN - flow.left - flow.right) / 2.0 + flow.left;
    let height = flow.height;
    page.place(flow, spine, y + 16.0);
    page.height = y + 16.0 + height - MARGIN;
    (page, width)
}

/// The picture in words, for whoever does not see it.
fn described(graph: &Graph, notes: &Notes) -> String {
    let mut parts: Vec<String> = graph.description.iter().cloned().collect();
    parts.extend(graph.facts.iter().cloned());
    for (number, node) in graph.nodes.iter().enumerate() {
        let mut text = format!("{}. {}: {}", number + 1, node.kind.word(), node.title);
        text.extend(notes.of(node).map(|note| format!(" ({note})")));
        for edge in graph.edges.iter().filter(|edge| edge.from == number && !edge.label.is_empty()) {
            text.push_str(&format!("; {}: to {}", edge.label, edge.to + 1));
        }
        parts.push(text);
    }
    parts.join("\n")
}

fn write_shape(text: &mut String, shape: &Shape, graph: &Graph) {
    match shape {
        Shape::Box { node, x, y, width, height } => {
            let node = &graph.nodes[*node];
            let round = if matches!(node.kind, Kind::Entry | Kind::Exit | Kind::End) { (height / 2.0).min(22.0) } else { 7.0 };
            let tip = node.step.as_ref().map(|step| format!("<title>{}</title>", escaped(step))).unwrap_or_default();
            let _ = writeln!(
                text,
                r#"<rect class="cg-box cg-{}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{round}">{tip}</rect>"#,
                class(node.kind)
            );
        }
        Shape::Frame { x, y, width, height } => {
            let _ = writeln!(
                text,
                r#"<rect class="cg-frame" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="12"/>"#
            );
        }
        Shape::Label { x, y, width, height } => {
            let _ = writeln!(
                text,
                r#"<rect class="cg-label" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="9"/>"#
            );
        }
        Shape::Text { x, y, text: line, style, middle } => {
            let anchor = if *middle { r#" text-anchor="middle""# } else { "" };
            let baseline = y + style.size() * 0.98;
            let _ = writeln!(
                text,
                r#"<text class="cg-{}" x="{x:.1}" y="{baseline:.1}"{anchor}>{}</text>"#,
                style.class(),
                escaped(line)
            );
        }
        Shape::Line { points, arrow } => write_line(text, points, *arrow),
    }
}

/// A line along right angles with rounded corners.
fn write_line(text: &mut String, points: &[(f64, f64)], arrow: bool) {
    const CORNER: f64 = 8.0;
    let Some(((first_x, first_y), rest)) = points.split_first() else { return };
    let mut path = format!("M{first_x:.1} {first_y:.1}");
    let mut from = (*first_x, *first_y);
    for (index, &(x, y)) in rest.iter().enumerate() {
        match rest.get(index + 1) {
            Some(&next) => {
                let round = CORNER.min(length(from, (x, y)) / 2.0).min(length((x, y), next) / 2.0);
                let (before, after) = (towards((x, y), from, round), towards((x, y), next, round));
                let _ = write!(path, "L{:.1} {:.1}Q{x:.1} {y:.1} {:.1} {:.1}", before.0, before.1, after.0, after.1);
            }
            None => {
                let _ = write!(path, "L{x:.1} {y:.1}");
            }
        }
        if index + 1 < rest.len() {
            from = (x, y);
        }
    }
    let _ = writeln!(text, r#"<path class="cg-line" d="{path}"/>"#);
    if let Some(&(x, y)) = points.last().filter(|_| arrow) {
        // Pointing the way the last stretch goes.
        let (dx, dy) = ((x - from.0).signum() * f64::from(x != from.0), (y - from.1).signum() * f64::from(y != from.1));
        let (base_x, base_y) = (x - 7.0 * dx, y - 7.0 * dy);
        let _ = writeln!(
            text,
            r#"<path class="cg-arrow" d="M{x:.1} {y:.1}L{:.1} {:.1}L{:.1} {:.1}Z"/>"#,
            base_x - 4.0 * dy,
            base_y - 4.0 * dx,
            base_x + 4.0 * dy,
            base_y + 4.0 * dx
        );
    }
}

fn length(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).abs() + (a.1 - b.1).abs()
}

/// The point `distance` from `from` on the way to `to`.
fn towards(from: (f64, f64), to: (f64, f64), distance: f64) -> (f64, f64) {
    let whole = length(from, to);
    if whole == 0.0 { from } else { (from.0 + (to.0 - from.0) * distance / whole, from.1 + (to.1 - from.1) * distance / whole) }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Send => "send",
        Kind::Wait | Kind::WaitFor => "wait",
        Kind::Branch | Kind::Experiment | Kind::Repeat => "choice",
        Kind::Action(_) => "action",
        Kind::Entry | Kind::End => "ends",
        Kind::Exit => "exit",
    }
}

/// Names are prefixed, as a style sheet inside HTML holds for the whole page.
const STYLE: &str = include_str!("style.css");
