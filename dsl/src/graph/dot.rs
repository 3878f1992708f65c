//! A graph in the DOT language of Graphviz.

use std::fmt::Write;

use super::{Graph, Kind, Node, Notes};

/// The graph as one `digraph`.
pub fn dot(graph: &Graph, notes: &Notes) -> String {
    let mut text = format!("digraph {} {{\n", quoted(&graph.workflow));
    text.push_str("    rankdir=TB\n    node [shape=box style=\"rounded\" fontname=\"Helvetica\"]\n    edge [fontname=\"Helvetica\" fontsize=11]\n");
    let mut heading = vec![graph.workflow.as_str()];
    heading.extend(graph.description.as_deref());
    heading.extend(graph.facts.iter().map(String::as_str));
    let _ = writeln!(text, "    labelloc=t fontname=\"Helvetica\" label={}", quoted(&heading.join("\n")));
    for (number, node) in graph.nodes.iter().enumerate() {
        let _ = writeln!(text, "    n{number} [label={}{}]", quoted(&label(node, notes.of(node))), shape(node.kind));
    }
    for edge in &graph.edges {
        let note = notes.of_arm(&graph.nodes[edge.from], edge.arm);
        let label: Vec<&str> =
            [edge.label.as_str(), note.unwrap_or_default()].into_iter().filter(|part| !part.is_empty()).collect();
        let style = if edge.back { " style=dashed constraint=false" } else { "" };
        let _ = writeln!(text, "    n{} -> n{} [label={}{style}]", edge.from, edge.to, quoted(&label.join("\n")));
    }
    text.push_str("}\n");
    text
}

fn shape(kind: Kind) -> &'static str {
    match kind {
        Kind::Entry | Kind::Exit | Kind::End => " shape=oval",
        Kind::Branch | Kind::Experiment | Kind::WaitFor => " shape=hexagon style=\"\"",
        Kind::Repeat => " peripheries=2",
        Kind::Send | Kind::Wait | Kind::Action(_) => "",
    }
}

fn label(node: &Node, note: Option<&str>) -> String {
    let mut lines = vec![format!("{}: {}", node.kind.word(), node.title)];
    lines.extend(node.details.iter().cloned());
    lines.extend(note.map(str::to_owned));
    lines.join("\n")
}

/// A quoted string: quotes and backslashes escaped, so that no text is taken for one of DOT's own escapes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push(' '),
            // An ampersand would begin an HTML entity.
            '&' => quoted.push_str("&amp;"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
