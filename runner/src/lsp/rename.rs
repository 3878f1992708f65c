//! Giving something another name, everywhere in the project: names in files, and files that are named by it.

use std::collections::BTreeMap;

use dsl::index::{FileIndex, Kind, Occurrence};
use lsp_types::{
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Range, RenameFile, ResourceOp,
    TextDocumentEdit, TextEdit, WorkspaceEdit,
};

use super::navigation::of_file;
use super::position::{Encoding, Page};
use super::project::Project;

/// Why something cannot be renamed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RenameError {
    #[error("there is no name here that can be changed: segments, traits, workflows, templates, layouts and partials can")]
    Nothing,
    #[error("`{0}` is an attribute of the data contract: the contacts' data would still have the old name")]
    Data(String),
    #[error("`{0}` is defined nowhere in the project, so that there is nothing to rename")]
    Undefined(String),
    #[error("`{0}` cannot be a name here: use lower-case letters, digits, and - or _ between them, beginning with a letter")]
    BadName(String),
    #[error("there is a {kind} `{name}` already; choose another name", kind = kind_words(*.0), name = .1)]
    Taken(Kind, String),
    #[error("{0} cannot be read as it is, and might be changed wrongly: correct it first")]
    Broken(String),
    #[error("this editor cannot rename files, and {0} is one: rename it by hand, then put its new name where it is used")]
    NoFiles(String),
}

fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Segment => "segment",
        Kind::Attribute => "trait or attribute",
        Kind::Workflow => "workflow",
        Kind::Template => "template",
        Kind::Layout => "layout",
        Kind::Partial => "partial",
        _ => "thing",
    }
}

/// The characters of the name at a place, and the name, if it can be changed.
///
/// # Errors
/// When it cannot.
pub fn prepare(project: &Project, file: &str, place: (usize, usize), page: &Page<'_>) -> Result<(Range, String), RenameError> {
    let found = renamed(project, file, place)?;
    Ok((page.range(&found.at), found.name.clone()))
}

fn renamed<'p>(project: &'p Project, file: &str, place: (usize, usize)) -> Result<&'p Occurrence, RenameError> {
    let found = project.index.at(file, place.0, place.1).or_else(|| of_file(project, file, place)).ok_or(RenameError::Nothing)?;
    if !matches!(found.kind, Kind::Segment | Kind::Attribute | Kind::Workflow | Kind::Template | Kind::Layout | Kind::Partial) {
        return Err(RenameError::Nothing);
    }
    let definitions: Vec<&Occurrence> = project.index.same(found).filter(|found| found.definition.is_some()).collect();
    if found.kind == Kind::Attribute && !definitions.iter().any(|found| found.at.file.starts_with("workflows/")) {
        return Err(RenameError::Data(format!("contact.{}", found.name)));
    }
    if definitions.is_empty() {
        return Err(RenameError::Undefined(found.name.clone()));
    }
    Ok(found)
}

/// Everything that changes when the name at a place becomes another one. `files`: the editor can rename files.
///
/// # Errors
/// When it cannot be changed to that.
pub fn rename(
    project: &Project,
    file: &str,
    place: (usize, usize),
    new: &str,
    files: bool,
    encoding: Encoding,
) -> Result<WorkspaceEdit, RenameError> {
    let found = renamed(project, file, place)?;
    if !found.kind.may_be_called(new) {
        return Err(RenameError::BadName(new.to_owned()));
    }
    if new != found.name && project.index.names(found.kind).contains_key(new) {
        return Err(RenameError::Taken(found.kind, new.to_owned()));
    }
    if let Some(broken) = project.index.broken().next() {
        return Err(RenameError::Broken(broken.to_owned()));
    }
    let mut texts: BTreeMap<&str, Vec<(&Occurrence, String)>> = BTreeMap::new();
    let mut moved: Vec<(&str, String)> = Vec::new();
    for place in project.index.same(found) {
        let file = place.at.file.as_str();
        // What is defined by a whole file has no characters of its own.
        match place.at.column < place.at.end_column {
            true => texts.entry(file).or_default().push((place, new.to_owned())),
            false => moved.extend(renamed_file(place.kind, file, &found.name, new).map(|to| (file, to))),
        }
    }
    if let Some((file, _)) = moved.first().filter(|_| !files) {
        return Err(RenameError::NoFiles((*file).to_owned()));
    }
    for (place, id) in steps(project, &texts) {
        texts.entry(place.at.file.as_str()).or_default().push((place, id));
    }
    let mut operations: Vec<DocumentChangeOperation> = Vec::new();
    for (file, places) in texts {
        operations.extend(edits(project, file, places, encoding).map(DocumentChangeOperation::Edit));
    }
    for (from, to) in moved {
        if let (Some(old_uri), Some(new_uri)) = (project.uri(from), project.uri(&to)) {
            let rename = RenameFile { old_uri, new_uri, options: None, annotation_id: None };
            operations.push(DocumentChangeOperation::Op(ResourceOp::Rename(rename)));
        }
    }
    Ok(WorkspaceEdit { document_changes: Some(DocumentChanges::Operations(operations)), ..WorkspaceEdit::default() })
}

fn edits(project: &Project, file: &str, mut places: Vec<(&Occurrence, String)>, encoding: Encoding) -> Option<TextDocumentEdit> {
    let page = Page::new(project.text(file)?, encoding);
    places.sort_by(|(one, _), (other, _)| one.at.cmp(&other.at));
    let edit = |(place, new_text): (&Occurrence, String)| OneOf::Left(TextEdit { range: page.range(&place.at), new_text });
    let version = project.open.get(file).map(|open| open.version);
    let text_document = OptionalVersionedTextDocumentIdentifier { uri: project.uri(file)?, version };
    Some(TextDocumentEdit { text_document, edits: places.into_iter().map(edit).collect() })
}

/// Ids of steps that are made of what changes, where they are used, with what they become.
fn steps<'p>(project: &'p Project, texts: &BTreeMap<&str, Vec<(&Occurrence, String)>>) -> Vec<(&'p Occurrence, String)> {
    let ids = |file: &FileIndex| -> Vec<(String, Vec<String>)> {
        let steps = file.occurrences.iter().filter(|found| found.kind == Kind::Step && found.definition.is_some());
        steps.map(|found| (found.name.clone(), found.of.clone())).collect()
    };
    let mut changed: Vec<(&'p Occurrence, String)> = Vec::new();
    for (file, places) in texts {
        let (Some(text), Some(old)) = (project.text(file), project.index.file(file)) else { continue };
        let (old, new) = (ids(old), ids(&FileIndex::read(file, &applied(text, places))));
        if old.len() != new.len() {
            continue;
        }
        for ((id, of), (to, _)) in old.into_iter().zip(new).filter(|((old, _), (new, _))| old != new) {
            let uses = project
                .index
                .all()
                .filter(|found| found.kind == Kind::Step && found.definition.is_none() && found.name == id && found.of == of);
            changed.extend(uses.map(|found| (found, to.clone())));
        }
    }
    changed
}

/// A text with its names changed; each name is on one line.
fn applied(text: &str, places: &[(&Occurrence, String)]) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut places: Vec<&(&Occurrence, String)> = places.iter().collect();
    places.sort_by(|(one, _), (other, _)| other.at.cmp(&one.at));
    for (place, new) in places {
        if let Some(line) = lines.get_mut(place.at.line.saturating_sub(1)) {
            let before: String = line.chars().take(place.at.column.saturating_sub(1)).collect();
            let after: String = line.chars().skip(place.at.end_column.saturating_sub(1)).collect();
            *line = format!("{before}{new}{after}");
        }
    }
    lines.join("\n")
}

/// The path of a template's file under its new name: endings for language and format stay.
fn renamed_file(kind: Kind, path: &str, old: &str, new: &str) -> Option<String> {
    let folder = match kind {
        Kind::Template => "templates/",
        Kind::Layout => "templates/layouts/",
        Kind::Partial => "templates/partials/",
        _ => return None,
    };
    let endings = path.strip_prefix(folder)?.strip_prefix(old)?;
    endings.starts_with('.').then(|| format!("{folder}{new}{endings}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dsl::ProjectFiles;

    use super::*;

    fn project() -> Project {
        let mut project = Project { root: "/p".into(), ..Project::default() };
        project.reread(Arc::new(ProjectFiles::from_texts([
            ("campaignd.yaml", "project: p\n"),
            (
                "workflows/a.yaml",
                "workflow: a\ntrigger: { event: bought }\naudience: { segment: vip, contact.spent: { above: 5 } }\nsteps:\n  - send: hello\n  - start: b\n",
            ),
            ("workflows/b.yaml", "workflow: b\nsteps:\n  - wait_for: { message: hello, is: clicked }\n"),
            ("workflows/c.yaml", "segments:\n  vip: { contact.country: DE }\n  other: { segment: vip }\ntraits:\n  spent: { sum: event.total, of: bought }\n"),
            (
                "tests/b.test.yaml",
                "workflow: b\ntests:\n  - expect:\n      - { send: hello }\n      - { branch: wait-for-hello, taken: then }\n",
            ),
            ("templates/hello.html.hbs", "---\nsubject: Hi\nlayout: shop\n---\n{{> parts/x}}{{contact.spent}}"),
            ("templates/hello.de.txt.hbs", "{{contact.spent}}"),
            ("templates/layouts/shop.html.hbs", "{{{body}}}"),
            ("templates/partials/parts/x.hbs", "x"),
            ("schemas/contact.schema.json", r#"{"properties":{"country":{}}}"#),
        ])));
        project
    }

    /// The changes, a line each: `file line:column` of an edit, `file -> file`.
    fn told(edit: &WorkspaceEdit) -> Vec<String> {
        let Some(DocumentChanges::Operations(operations)) = &edit.document_changes else { panic!("{edit:?}") };
        let short = |uri: &lsp_types::Uri| uri.as_str().trim_start_matches("file:///p/").to_owned();
        let one = |operation: &DocumentChangeOperation| match operation {
            DocumentChangeOperation::Edit(edit) => {
                let place = |edit: &OneOf<TextEdit, lsp_types::AnnotatedTextEdit>| match edit {
                    OneOf::Left(edit) => {
                        format!("{} {}:{}", edit.new_text, edit.range.start.line + 1, edit.range.start.character + 1)
                    }
                    OneOf::Right(_) => panic!("annotated"),
                };
                let places: Vec<String> = edit.edits.iter().map(place).collect();
                vec![format!("{} {}", short(&edit.text_document.uri), places.join(", "))]
            }
            DocumentChangeOperation::Op(ResourceOp::Rename(rename)) => {
                vec![format!("{} -> {}", short(&rename.old_uri), short(&rename.new_uri))]
            }
            DocumentChangeOperation::Op(other) => panic!("{other:?}"),
        };
        operations.iter().flat_map(one).collect()
    }

    #[track_caller]
    fn check(file: &str, place: (usize, usize), new: &str, expected: &[&str]) {
        let edit = rename(&project(), file, place, new, true, Encoding::Utf16).unwrap();
        assert_eq!(told(&edit), expected);
    }

    #[test]
    fn everywhere_in_the_project() {
        check("workflows/a.yaml", (3, 24), "top", &["workflows/a.yaml top 3:22", "workflows/c.yaml top 2:3, top 3:21"]);
        check(
            "workflows/c.yaml",
            (5, 4),
            "paid",
            &[
                "templates/hello.de.txt.hbs paid 1:11",
                "templates/hello.html.hbs paid 5:24",
                "workflows/a.yaml paid 3:35",
                "workflows/c.yaml paid 5:3",
            ],
        );
        check(
            "workflows/a.yaml",
            (6, 12),
            "z",
            &["tests/b.test.yaml z 1:11", "workflows/a.yaml z 6:12", "workflows/b.yaml z 1:11"],
        );
    }

    #[test]
    fn files_with_all_their_variants() {
        check(
            "workflows/a.yaml",
            (5, 12),
            "mails/hi",
            &[
                "tests/b.test.yaml mails/hi 4:17, wait-for-mails-hi 5:19",
                "workflows/a.yaml mails/hi 5:11",
                "workflows/b.yaml mails/hi 3:26",
                "templates/hello.de.txt.hbs -> templates/mails/hi.de.txt.hbs",
                "templates/hello.html.hbs -> templates/mails/hi.html.hbs",
            ],
        );
        check(
            "templates/hello.html.hbs",
            (5, 6),
            "y",
            &["templates/hello.html.hbs y 5:5", "templates/partials/parts/x.hbs -> templates/partials/y.hbs"],
        );
        check(
            "templates/layouts/shop.html.hbs",
            (1, 1),
            "s",
            &["templates/hello.html.hbs s 3:9", "templates/layouts/shop.html.hbs -> templates/layouts/s.html.hbs"],
        );
    }

    #[test]
    fn what_cannot_be_renamed() {
        let refused =
            |file: &str, place, new: &str, files| rename(&project(), file, place, new, files, Encoding::Utf16).unwrap_err();
        assert_eq!(refused("workflows/a.yaml", (1, 3), "x", true), RenameError::Nothing);
        assert_eq!(refused("workflows/a.yaml", (2, 20), "x", true), RenameError::Nothing);
        assert_eq!(refused("workflows/c.yaml", (2, 20), "x", true), RenameError::Data("contact.country".to_owned()));
        assert_eq!(refused("workflows/a.yaml", (3, 24), "other", true), RenameError::Taken(Kind::Segment, "other".to_owned()));
        assert_eq!(refused("workflows/a.yaml", (3, 24), "No Name", true), RenameError::BadName("No Name".to_owned()));
        assert!(matches!(refused("workflows/a.yaml", (5, 12), "x", false), RenameError::NoFiles(_)));
        let mut broken = project();
        broken.write("workflows/b.yaml", "workflow: b\nsteps: [\n", 1);
        let error = rename(&broken, "workflows/a.yaml", (3, 24), "top", true, Encoding::Utf16).unwrap_err();
        assert_eq!(error, RenameError::Broken("workflows/b.yaml".to_owned()));
    }
}
