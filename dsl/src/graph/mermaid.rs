//! A graph as a Mermaid flowchart, for a git host's Markdown.

use std::fmt::Write;

use super::{Graph, Kind, Node, Notes};

/// Text in a box is wrapped at about so many characters.
const WRAP: usize = 34;

/// The graph as the text of one flowchart, without the fence around it.
pub fn mermaid(graph: &Graph, notes: &Notes) -> String {
    let mut text = String::from("flowchart TD\n");
    for (number, node) in graph.nodes.iter().enumerate() {
        let (open, close) = shape(node.kind);
        let _ = writeln!(text, "    n{number}{open}\"{}\"{close}", label(node, notes.of(node)));
    }
    if !graph.facts.is_empty() {
        let facts: Vec<String> = graph.facts.iter().map(|fact| lines(fact)).collect();
        let _ = writeln!(text, "    facts[\"{}\"]\n    facts -.- n0", facts.join("<br/>"));
    }
    for edge in &graph.edges {
        let note = notes.of_arm(&graph.nodes[edge.from], edge.arm);
        let label = [lines(&edge.label), note.map(lines).unwrap_or_default()].into_iter().filter(|part| !part.is_empty());
        let label = label.collect::<Vec<_>>().join("<br/>");
        let arrow = if edge.back { "-.->" } else { "-->" };
        let label = if label.is_empty() { String::new() } else { format!("|\"{label}\"|") };
        let _ = writeln!(text, "    n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    for (class, style) in CLASSES {
        let members: Vec<String> = graph
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| class_of(node.kind) == class)
            .map(|(number, _)| format!("n{number}"))
            .collect();
        if !members.is_empty() {
            let _ = writeln!(text, "    classDef {class} {style}\n    class {} {class}", members.join(","));
        }
    }
    text
}

/// Colours that can be read on a light and on a dark page: the text's colour is said, too.
const CLASSES: [(&str, &str); 5] = [
    ("message", "fill:#dbeafe,stroke:#2563eb,color:#111827"),
    ("waiting", "fill:#fef3c7,stroke:#b45309,color:#111827"),
    ("choice", "fill:#ede9fe,stroke:#7c3aed,color:#111827"),
    ("action", "fill:#e5e7eb,stroke:#4b5563,color:#111827"),
    ("border", "fill:#d1fae5,stroke:#047857,color:#111827"),
];

fn class_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Send => "message",
        Kind::Wait | Kind::WaitFor => "waiting",
        Kind::Branch | Kind::Experiment | Kind::Repeat => "choice",
        Kind::Action(_) => "action",
        Kind::Entry | Kind::Exit | Kind::End => "border",
    }
}

fn shape(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Entry | Kind::Exit | Kind::End => ("([", "])"),
        Kind::Branch | Kind::Experiment | Kind::WaitFor => ("{{", "}}"),
        Kind::Repeat => ("[[", "]]"),
        Kind::Send | Kind::Wait | Kind::Action(_) => ("[", "]"),
    }
}

fn label(node: &Node, note: Option<&str>) -> String {
    let mut parts = vec![format!("<b>{}</b>", node.kind.word()), lines(&node.title)];
    parts.extend(node.details.iter().map(|detail| lines(detail)));
    parts.extend(note.map(|note| format!("<b>{}</b>", lines(note))));
    parts.join("<br/>")
}

/// Wrapped and escaped.
fn lines(text: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= WRAP);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>")
}

/// What ends a quoted label, or means something inside of one to Mermaid, HTML or Markdown, as the code that Mermaid has for it (`#35;`).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | '`' | '\\' | '%' => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    // A label that begins like a list would be read as Markdown.
    let begin = escaped.trim_start_matches(|c: char| c.is_ascii_digit()).chars().next();
    match begin.filter(|c| matches!(c, '.' | ')' | '-' | '+' | '*')) {
        Some(mark) => escaped.replacen(mark, &format!("#{};", u32::from(mark)), 1),
        None => escaped,
    }
}
