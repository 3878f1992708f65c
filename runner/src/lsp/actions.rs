//! Quick fixes: writing what was probably meant.

use dsl::diagnostic::{Diagnostic, Location};
use lsp_types::{
    CodeAction, CodeActionKind, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit,
    TextEdit, WorkspaceEdit,
};

use super::client::Client;
use super::position::Page;
use super::project::Project;
use super::publish::Published;

/// What can be done about what is wrong in a part of a file.
pub fn actions(
    project: &Project,
    file: &str,
    wanted: Range,
    page: &Page<'_>,
    published: &Published<'_>,
    client: Client,
) -> Vec<CodeAction> {
    let here = |found: &&Diagnostic| found.location.file == file && touches(page.range(&found.location), wanted);
    let found = project.diagnostics.iter().filter(here);
    found.filter_map(|found| action(project, found, page, published, client)).collect()
}

fn touches(one: Range, other: Range) -> bool {
    one.start <= other.end && other.start <= one.end
}

fn action(
    project: &Project,
    diagnostic: &Diagnostic,
    page: &Page<'_>,
    published: &Published<'_>,
    client: Client,
) -> Option<CodeAction> {
    let meant = diagnostic.replacement()?;
    let at = misspelt(diagnostic, meant, &page.slice(&diagnostic.location))?;
    let file = &diagnostic.location.file;
    let edit = TextEdit { range: page.range(&at), new_text: meant.to_owned() };
    let uri = project.uri(file)?;
    let edit = match client.document_changes {
        true => {
            let version = project.open.get(file).map(|open| open.version);
            let text_document = OptionalVersionedTextDocumentIdentifier { uri, version };
            let change = TextDocumentEdit { text_document, edits: vec![OneOf::Left(edit)] };
            WorkspaceEdit { document_changes: Some(DocumentChanges::Edits(vec![change])), ..WorkspaceEdit::default() }
        }
        false => WorkspaceEdit { changes: Some(std::iter::once((uri, vec![edit])).collect()), ..WorkspaceEdit::default() },
    };
    Some(CodeAction {
        title: format!("Write `{meant}` instead"),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![published.diagnostic(diagnostic, page, |_| None)]),
        edit: Some(edit),
        is_preferred: Some(true),
        ..CodeAction::default()
    })
}

/// The word, within what the diagnostic points at, in whose place `meant` belongs: the one that is most like it.
fn misspelt(diagnostic: &Diagnostic, meant: &str, text: &str) -> Option<Location> {
    let at = &diagnostic.location;
    if at.line != at.end_line {
        return None;
    }
    // Of a path, one name is wrong; a name with dots is replaced as a whole.
    let is_part = |c: char| {
        c.is_alphanumeric() || matches!(c, '_' | '-') || (meant.contains('.') && c == '.') || (meant.contains('/') && c == '/')
    };
    let mut best: Option<(usize, usize, usize)> = None;
    let mut column = 0;
    for word in text.split_inclusive(|c| !is_part(c)) {
        let name = word.trim_end_matches(|c| !is_part(c));
        let distance = strsim::damerau_levenshtein(name, meant);
        // Of two that are as like, the last: the end of a path is what is looked up.
        if !name.is_empty() && best.is_none_or(|(least, ..)| distance <= least) {
            best = Some((distance, column, name.chars().count()));
        }
        column += word.chars().count();
    }
    let (distance, start, length) = best?;
    let near = distance > 0 && distance <= 1 + length.max(meant.chars().count()) / 4;
    near.then(|| Location { column: at.column + start, end_column: at.column + start + length, ..at.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, meant: &str, expected: Option<&str>) {
        let end_column = text.chars().count() + 5;
        let location = Location { file: "f".to_owned(), line: 1, column: 5, end_line: 1, end_column };
        let diagnostic = Diagnostic::error("x", location, "");
        let found = misspelt(&diagnostic, meant, text);
        let found = found.map(|at| text.chars().skip(at.column - 5).take(at.end_column - at.column).collect::<String>());
        assert_eq!(found.as_deref(), expected, "{text} {meant}");
    }

    #[test]
    fn the_word_that_was_meant_to_be_another() {
        check("wellcome", "welcome", Some("wellcome"));
        check("\"wellcome\"", "welcome", Some("wellcome"));
        check("contact.contry", "country", Some("contry"));
        check("{{> buton x=y}}", "button", Some("buton"));
        check("event.totl", "event.total", Some("event.totl"));
        check("something else", "welcome", None);
        check("welcome", "welcome", None);
        check("", "welcome", None);
    }
}
