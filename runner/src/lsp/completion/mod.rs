//! What may be written at a place: names, keys, values and template expressions. Found by the text around the place and the project's names, so that it
//! works while the file cannot be read.

mod codes;
mod names;
mod snippet;
mod template;
mod yaml;

#[cfg(test)]
mod tests;

use dsl::diagnostic::Location;
use dsl::index::Form;
use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, InsertTextFormat, InsertTextMode, MarkupContent,
    TextEdit,
};

use super::client::Client;
use super::position::Page;
use super::project::Project;

/// Something that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Suggestion {
    label: String,
    kind: CompletionItemKind,
    /// What it is, in a few words.
    detail: Option<String>,
    /// What it is for, in Markdown.
    about: Option<String>,
    /// What is written, where that is not the label.
    insert: Option<String>,
    /// The same with places to fill in, for editors that know how to.
    snippet: Option<String>,
    /// Lower comes first.
    rank: u8,
}

impl Suggestion {
    fn new(label: impl Into<String>, kind: CompletionItemKind) -> Suggestion {
        Suggestion { label: label.into(), kind, detail: None, about: None, insert: None, snippet: None, rank: 5 }
    }
}

/// Everything that may be written at a place (line and column from 1) of a file.
pub fn complete(project: &Project, file: &str, place: (usize, usize), page: &Page<'_>, client: Client) -> Vec<CompletionItem> {
    let Some(text) = project.text(file) else {
        return Vec::new();
    };
    let line = page.line(place.0);
    let (found, needs_space) = match (codes::in_comment(line, place.1), template::expression(text, place)) {
        (Some(codes), _) => (codes, false),
        (None, Some(expression)) => (template::inside(project, file, &expression), false),
        (None, None) => match Form::of(file) {
            Some(form) => yaml::at(project, file, form, text, place),
            None => (template::front_matter(project, file, text, place), false),
        },
    };
    let range = word(file, line, place);
    // The editor indents the lines of a snippet like the line it is written on; behind a dash they must stand further in.
    let indent = line.len() - line.trim_start_matches(' ').len();
    let deeper = format!("\n{}", " ".repeat((range.column - 1).saturating_sub(indent)));
    let item = |suggestion: Suggestion| {
        let with_snippet = suggestion.snippet.filter(|_| client.snippets);
        let format = if with_snippet.is_some() { InsertTextFormat::SNIPPET } else { InsertTextFormat::PLAIN_TEXT };
        let with_snippet = with_snippet.map(|text| text.replace('\n', &deeper));
        let mut new_text = with_snippet.or(suggestion.insert).unwrap_or_else(|| suggestion.label.clone());
        if needs_space {
            new_text.insert(0, ' ');
        }
        let about = suggestion.about.map(|value| Documentation::MarkupContent(MarkupContent { kind: client.markup(), value }));
        CompletionItem {
            sort_text: Some(format!("{}{}", suggestion.rank, suggestion.label)),
            filter_text: Some(suggestion.label.clone()),
            label: suggestion.label,
            kind: Some(suggestion.kind),
            detail: suggestion.detail,
            documentation: about,
            insert_text_format: Some(format),
            insert_text_mode: Some(InsertTextMode::ADJUST_INDENTATION),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit { range: page.range(&range), new_text })),
            ..CompletionItem::default()
        }
    };
    found.into_iter().map(item).collect()
}

/// The word that is being written.
fn word(file: &str, line: &str, (number, column): (usize, usize)) -> Location {
    let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/');
    let characters: Vec<char> = line.chars().collect();
    let at = column.saturating_sub(1).min(characters.len());
    let mut before = characters[..at].iter().rev().take_while(|c| is_part(c)).count();
    // The dash of a list is no part of a word.
    if before > 0 && characters[at - before] == '-' && characters[..at - before].iter().all(|c| *c == ' ') {
        before -= 1;
    }
    let after = characters[at..].iter().take_while(|c| is_part(c)).count();
    Location { file: file.to_owned(), line: number, column: at - before + 1, end_line: number, end_column: at + after + 1 }
}
