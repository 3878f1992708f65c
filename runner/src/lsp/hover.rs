//! What stands at a place, for whoever points at it: what is wrong there with the rule's page, what a name stands for, what a key is for.

use dsl::diagnostic::{Diagnostic, Location};
use dsl::index::{Form, Index, Kind, Occurrence};
use lsp_types::{Hover, HoverContents, MarkupContent};

use super::client::Client;
use super::cursor::{self, Segment};
use super::position::Page;
use super::project::Project;
use super::shape::Shape;

/// How many lines of a definition are shown.
const MOST_LINES: usize = 24;

/// What there is to say of a place (line and column from 1) of a file.
pub fn hover(project: &Project, file: &str, place: (usize, usize), page: &Page<'_>, client: Client) -> Option<Hover> {
    let mut parts = Vec::new();
    let mut range = None;
    let wrong = project.diagnostics.iter().filter(|found| found.location.file == file && holds(&found.location, place));
    for diagnostic in wrong {
        parts.push(rule(diagnostic));
        range = Some(page.range(&diagnostic.location));
    }
    if let Some(occurrence) = project.index.at(file, place.0, place.1) {
        parts.push(name(project, occurrence));
        range = Some(page.range(&occurrence.at));
    } else if let Some((at, text)) = key(project, file, place, page) {
        parts.push(text);
        range = range.or(Some(page.range(&at)));
    }
    if parts.is_empty() {
        return None;
    }
    let value = parts.join("\n\n---\n\n");
    Some(Hover { contents: HoverContents::Markup(MarkupContent { kind: client.markup(), value }), range })
}

fn holds(at: &Location, place: (usize, usize)) -> bool {
    (at.line, at.column) <= place && place <= (at.end_line, at.end_column)
}

/// What is wrong, and the page that `campaignd explain` prints.
fn rule(diagnostic: &Diagnostic) -> String {
    let mut text = format!("**{}**: {}", diagnostic.code, diagnostic.message);
    if let Some(help) = &diagnostic.help {
        text.push_str(&format!("\n\n{help}"));
    }
    if let Some(page) = dsl::explain::explain(diagnostic.code) {
        text.push_str(&format!("\n\n{}", page.text));
    }
    text
}

fn name(project: &Project, occurrence: &Occurrence) -> String {
    let definitions = project.index.definitions(occurrence);
    let first = definitions.first().and_then(|found| found.definition.as_deref());
    let mut text = format!("**{}** {}", shown(occurrence), words(occurrence.kind));
    if let Some(detail) = first.and_then(|about| about.detail.as_deref()) {
        text.push_str(&match occurrence.kind {
            Kind::Template => format!("\n\nSubject: {detail}"),
            Kind::Attribute | Kind::Property => format!("\n\n{detail}"),
            _ => format!(": {detail}"),
        });
    }
    if let Some(description) = first.and_then(|about| about.description.as_deref()) {
        text.push_str(&format!("\n\n{description}"));
    }
    match occurrence.kind {
        Kind::Segment | Kind::Attribute | Kind::Partial => {
            let written =
                definitions.iter().find(|found| found.at.file.starts_with("workflows/") || occurrence.kind == Kind::Partial);
            if let Some(excerpt) = written.and_then(|found| excerpt(project, &found.definition.as_deref()?.extent)) {
                text.push_str(&excerpt);
            }
        }
        Kind::Template | Kind::Layout => {
            let files: Vec<String> = definitions.iter().map(|found| format!("- {}", found.at.file)).collect();
            text.push_str(&format!("\n\n{}", files.join("\n")));
        }
        Kind::Event => text.push_str(&properties(&project.index, &occurrence.name)),
        _ => {}
    }
    text
}

fn shown(occurrence: &Occurrence) -> String {
    let name = &occurrence.name;
    match occurrence.kind {
        Kind::Attribute => format!("contact.{name}"),
        Kind::Property => format!("event.{name}"),
        Kind::Variable => format!("vars.{name}"),
        _ => name.clone(),
    }
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Workflow => "(workflow)",
        Kind::Step => "(step)",
        Kind::Segment => "(segment)",
        Kind::Attribute => "(about the contact)",
        Kind::Event => "(event)",
        Kind::Property => "(of the event)",
        Kind::Variable => "(variable of the run)",
        Kind::Topic => "(topic)",
        Kind::Channel => "(channel)",
        Kind::Secret => "(secret)",
        Kind::Template => "(template)",
        Kind::Layout => "(layout)",
        Kind::Partial => "(partial)",
    }
}

/// A definition as it is written.
fn excerpt(project: &Project, extent: &Location) -> Option<String> {
    let text = project.text(&extent.file)?;
    let lines: Vec<&str> = text.lines().skip(extent.line.saturating_sub(1)).take(extent.end_line + 1 - extent.line).collect();
    let margin = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len()).min()?;
    let mut shown: Vec<&str> = lines.iter().take(MOST_LINES).map(|line| line.get(margin..).unwrap_or_default()).collect();
    if lines.len() > MOST_LINES {
        shown.push("…");
    }
    let language = if extent.file.ends_with(".hbs") { "handlebars" } else { "yaml" };
    // A fence longer than any in the text.
    let fence = if text.contains("```") { "~~~~" } else { "```" };
    Some(format!("\n\n{fence}{language}\n{}\n{fence}", shown.join("\n").trim_end()))
}

fn properties(index: &Index, event: &str) -> String {
    let of_event = |found: &&Occurrence| found.kind == Kind::Property && found.of.iter().any(|name| name == event);
    let mut text = String::new();
    for found in index.all().filter(of_event) {
        if let Some(about) = found.definition.as_deref() {
            let detail = about.detail.as_deref().unwrap_or_default();
            let description = about.description.as_deref().map(|words| format!(". {words}")).unwrap_or_default();
            text.push_str(&format!("\n- `event.{}`: {detail}{description}", found.name));
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// What the key at a place is for, else the key whose value stands there.
fn key(project: &Project, file: &str, (number, column): (usize, usize), page: &Page<'_>) -> Option<(Location, String)> {
    let form = Form::of(file)?;
    let text = project.text(file)?;
    let characters: Vec<char> = page.line(number).chars().collect();
    let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let at = column.saturating_sub(1).min(characters.len());
    let before = characters[..at].iter().rev().take_while(|c| is_part(c)).count();
    let after = characters[at..].iter().take_while(|c| is_part(c)).count();
    if before + after == 0 {
        return None;
    }
    let word: String = characters[at - before..at + after].iter().collect();
    let range =
        Location { file: file.to_owned(), line: number, column: at - before + 1, end_line: number, end_column: at + after + 1 };
    let cursor = cursor::locate(text, number, at + after + 1)?;
    let shape = Shape::at(form, &cursor.path, &cursor.siblings);
    let is_key = characters[at + after..].iter().collect::<String>().trim_start_matches(['"', '\'']).starts_with(':');
    if is_key {
        let mut beside = cursor.beside().to_vec();
        beside.push((word.clone(), String::new()));
        let description = shape.describe(&word, &beside)?;
        return Some((range, format!("**{word}**\n\n{description}")));
    }
    let Some(Segment::Key(around)) = cursor.path.iter().rev().find(|segment| **segment != Segment::Item) else {
        return None;
    };
    let description = shape.description()?;
    Some((range, format!("**{around}**\n\n{description}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dsl::ProjectFiles;

    use super::super::position::Encoding;
    use super::*;

    const FILE: &str = "workflows/a.yaml";

    /// What is shown at the `|` of a file.
    fn shown_at(file: &str, marked: &str) -> String {
        let at = marked.find('|').unwrap();
        let line = marked[..at].matches('\n').count() + 1;
        let column = marked[..at].rsplit('\n').next().unwrap().chars().count() + 1;
        let text = marked.replacen('|', "", 1);
        let files = ProjectFiles::from_texts([
            ("campaignd.yaml", "project: p\ntopics: { offers: { title: Offers } }\n"),
            ("workflows/shared.yaml", "segments:\n  vip:\n    description: Worth a word.\n    contact.tier: high\n"),
            ("templates/hello.html.hbs", "---\nsubject: Hi there\n---\nx"),
            ("schemas/contact.schema.json", r#"{"properties":{"country":{"type":"string","description":"Where they live."}}}"#),
            ("schemas/events/bought.schema.json", r#"{"description":"Paid.","properties":{"total":{"type":"number"}}}"#),
        ])
        .overlaid(file, &text);
        let diagnostics = dsl::compile(&files).diagnostics;
        let mut project = Project { diagnostics, ..Project::default() };
        project.reread(Arc::new(files));
        let page = Page::new(&text, Encoding::Utf16);
        match hover(&project, file, (line, column), &page, Client::of(&serde_json::Value::Null)).map(|hover| hover.contents) {
            Some(HoverContents::Markup(markup)) => markup.value,
            _ => String::new(),
        }
    }

    #[track_caller]
    fn check(file: &str, marked: &str, expected: &[&str]) {
        let shown = shown_at(file, marked);
        for part in expected {
            assert!(shown.contains(part), "{marked}: no {part} in {shown:?}");
        }
        assert!(!expected.is_empty() || shown.is_empty(), "{marked}: {shown:?}");
    }

    #[test]
    fn names_and_what_they_stand_for() {
        check(
            FILE,
            "audience: { segment: v|ip }",
            &["**vip** (segment)", "Worth a word.", "```yaml\nvip:\n  description", "contact.tier: high"],
        );
        check(FILE, "audience: { contact.cou|ntry: DE }", &["**contact.country**", "text", "Where they live."]);
        check(FILE, "trigger: { event: b|ought }", &["Paid.", "`event.total`: a number"]);
        check(FILE, "steps: [{ send: he|llo }]", &["Subject: Hi there", "templates/hello.html.hbs"]);
        check(FILE, "topic: off|ers", &["(topic): Offers"]);
    }

    #[test]
    fn keys_and_what_they_are_for() {
        check(FILE, "go|al: { event: bought }", &["**goal**", "bring about"]);
        check(FILE, "steps:\n  - se|nd: hello\n", &["**send**", "template"]);
        check(FILE, "steps:\n  - send: hello\n    wi|th: { a: b }\n", &["**with**", "More data"]);
        check(FILE, "status: li|ve", &["**status**", "checked, never run"]);
        check(FILE, "workflow: a\n  |", &[]);
    }

    #[test]
    fn what_is_wrong_with_the_rules_page() {
        let wrong = "workflow: a\ntrigger: { manual: true }\nsteps: [{ send: hel|o }]\n";
        check(FILE, wrong, &["**unknown-template**", "did you mean `hello`?", "Why is this bad", "Use instead"]);
    }
}
