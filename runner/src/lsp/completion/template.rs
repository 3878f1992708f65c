//! What may be written in templates: expressions and front matter.

use std::collections::BTreeSet;

use dsl::index::{Form, Kind};
use dsl::template::{FRONT_MATTER, Form as HelperForm, HELPERS, LAYOUT_NAMES, TOP_NAMES};
use lsp_types::CompletionItemKind;

use super::super::cursor::{self, Segment, Spot};
use super::super::project::Project;
use super::{Suggestion, names};

/// The longest expression that is looked at, in bytes.
const LONGEST: usize = 4096;

/// An expression that is being written, up to the cursor.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expression<'t> {
    /// Behind the braces.
    content: &'t str,
}

/// The expression around a place, if it stands in one.
pub(super) fn expression(text: &str, (line, column): (usize, usize)) -> Option<Expression<'_>> {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = text.get(start..)?;
    let here = rest.lines().next().unwrap_or_default();
    let end = start + here.char_indices().nth(column.saturating_sub(1)).map_or(here.len(), |(at, _)| at);
    let from = text.floor_char_boundary(end.saturating_sub(LONGEST));
    let before = &text[from..end];
    let open = before.rfind("{{")?;
    let content = before[open + 2..].trim_start_matches('{').trim_start_matches('~');
    (!content.contains("}}") && !content.starts_with('!')).then_some(Expression { content })
}

pub(super) fn inside(project: &Project, file: &str, expression: &Expression<'_>) -> Vec<Suggestion> {
    let content = expression.content;
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/');
    let before = content.trim_end_matches(is_word);
    // `/` is a part of partials' names, and closes blocks.
    let closes = before.is_empty() && content.starts_with('/');
    let lead = before.trim_end();
    if lead.matches(['"', '\'']).count() % 2 == 1 {
        return Vec::new();
    }
    if lead == ">" || lead == "#>" {
        return names::of_kind(&project.index, Kind::Partial);
    }
    if lead == "#" || lead == "^" || closes {
        return helpers(true);
    }
    let mut found = names::paths(&project.index, &events(project, file));
    found.extend(given(project, file));
    let word = &content[before.len()..];
    let word = word.trim_start_matches("../");
    names::beginning(&mut found, word.strip_prefix("@root.").unwrap_or(word));
    if word.contains('.') {
        return found;
    }
    let starts_a_call = lead.is_empty() || lead.ends_with('(') || lead == "else";
    if starts_a_call {
        found.extend(helpers(false));
    }
    found
}

/// Helpers that open a block, or those that make a value.
fn helpers(block: bool) -> Vec<Suggestion> {
    let wanted = |form: HelperForm| form == HelperForm::Both || (form == HelperForm::Block) == block;
    let one = |helper: &dsl::template::HelperRule| {
        let (least, most) = (helper.values.start(), helper.values.end());
        let values = if least == most { format!("{least}") } else { format!("{least} to {most}") };
        let named: Vec<String> = helper.named.iter().map(|name| format!("{name}=")).collect();
        let named = if named.is_empty() { String::new() } else { format!(", {}", named.join(" ")) };
        let detail = Some(format!("helper: {values} {}{named}", if *most == 1 { "value" } else { "values" }));
        Suggestion { detail, rank: 8, ..Suggestion::new(helper.name, CompletionItemKind::FUNCTION) }
    };
    HELPERS.iter().filter(|helper| wanted(helper.form)).map(one).collect()
}

/// What stands beside `contact`, `event` and `vars`: what every message sees, and what `with` gives.
fn given(project: &Project, file: &str) -> Vec<Suggestion> {
    let is_layout = file.starts_with("templates/layouts/");
    let fixed = TOP_NAMES.iter().chain(LAYOUT_NAMES.iter().filter(|_| is_layout));
    let fixed = fixed.filter(|name| !matches!(**name, "contact" | "event" | "vars"));
    let fixed = fixed.map(|name| if *name == "message" { "message.id" } else { *name });
    let mut found: Vec<Suggestion> =
        fixed.map(|name| Suggestion { rank: 7, ..Suggestion::new(name, CompletionItemKind::CONSTANT) }).collect();
    if let Some(name) = template_of(project, file) {
        let detail = || Some("given by `with`".to_owned());
        let needs = project.index.needs_of(name).into_iter();
        found.extend(needs.map(|need| Suggestion {
            detail: detail(),
            rank: 1,
            ..Suggestion::new(need, CompletionItemKind::VARIABLE)
        }));
    }
    if Form::of(file).is_some() {
        let secrets = names::of_kind(&project.index, Kind::Secret).into_iter();
        found.extend(secrets.map(|secret| Suggestion { label: format!("secrets.{}", secret.label), rank: 8, ..secret }));
    }
    found
}

fn template_of<'p>(project: &'p Project, file: &str) -> Option<&'p str> {
    let first = project.index.file(file)?.occurrences.first()?;
    (first.kind == Kind::Template && first.definition.is_some()).then_some(first.name.as_str())
}

/// The events that `event.` may be about in a file; none: any.
pub(super) fn events<'p>(project: &'p Project, file: &str) -> BTreeSet<&'p str> {
    match template_of(project, file) {
        Some(name) => project.index.events_of_template(name),
        None => {
            let triggers = project.index.file(file).map(|file| file.triggers.as_slice()).unwrap_or_default();
            triggers.iter().map(String::as_str).collect()
        }
    }
}

/// What may be written between the two lines `---` at a template's top.
pub(super) fn front_matter(project: &Project, file: &str, text: &str, (line, column): (usize, usize)) -> Vec<Suggestion> {
    let mut lines = text.lines();
    let opens = lines.next().is_some_and(|first| first.trim_end() == "---");
    let ends = lines.position(|line| line.trim_end() == "---").map_or(usize::MAX, |index| index + 2);
    if !file.ends_with(".hbs") || !opens || line < 2 || line >= ends {
        return Vec::new();
    }
    let inside = text.replacen("---", "", 1);
    let Some(cursor) = cursor::locate(&inside, line, column) else {
        return Vec::new();
    };
    match (cursor.path.as_slice(), cursor.spot) {
        ([], Spot::Key) => FRONT_MATTER
            .iter()
            .filter(|key| !cursor.beside().iter().any(|(written, _)| written == *key))
            .map(|key| Suggestion { insert: Some(format!("{key}: ")), ..Suggestion::new(*key, CompletionItemKind::PROPERTY) })
            .collect(),
        ([Segment::Key(key)], Spot::Value | Spot::Either) => match key.as_str() {
            "layout" => names::of_kind(&project.index, Kind::Layout),
            "topic" => names::of_kind(&project.index, Kind::Topic),
            "channel" => names::of_kind(&project.index, Kind::Channel),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
