//! Giving something another name, everywhere in the project: names in files, and files that are named by it.

use std::collections::BTreeMap;

use dsl::diagnostic::Location;
use dsl::index::{FileIndex, Kind, Occurrence};
use lsp_types::{
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Range, RenameFile, ResourceOp,
    TextDocumentEdit, TextEdit, WorkspaceEdit,
};

use super::client::Client;
use super::navigation::of_file;
use super::position::Page;
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
    #[error("`{name}` cannot be {article} name: {rule}", article = article(*.0), name = .1, rule = rule(*.0))]
    BadName(Kind, String),
    #[error("there is a {kind} `{name}` already; choose another name", kind = kind_words(*.0), name = .1)]
    Taken(Kind, String),
    #[error("`{0}` in line {2} of {1} stands for something else as well: write it out instead of using an alias")]
    Shared(String, String, usize),
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

fn article(kind: Kind) -> String {
    match kind {
        Kind::Attribute => "a trait's".to_owned(),
        kind => format!("a {}'s", kind_words(kind)),
    }
}

/// What a name of this kind may be.
fn rule(kind: Kind) -> &'static str {
    match kind {
        Kind::Template | Kind::Layout | Kind::Partial => {
            "use lower-case letters, digits, - and _ (and / between folders), beginning with a letter or digit; not `any`, nor what YAML \
             reads as something other than text (a number, true, null), nor a folder with a meaning of its own (layouts, partials, pages)"
        }
        Kind::Attribute => {
            "use lower-case letters, digits, and - or _ between them, beginning with a letter; not `true`, `false` or `null`, nor what is \
             built in (id, email, phone, locale, time_zone, topics)"
        }
        _ => "use lower-case letters, digits, and - or _ between them, beginning with a letter; not `true`, `false` or `null`",
    }
}

/// The characters of the name at a place, and the name, if it can be changed. `None`: there is nothing that could be.
///
/// # Errors
/// When what stands there cannot be changed, or not now.
pub fn prepare(
    project: &Project,
    file: &str,
    place: (usize, usize),
    page: &Page<'_>,
    files: bool,
) -> Result<Option<(Range, String)>, RenameError> {
    let found = match renamed(project, file, place) {
        Err(RenameError::Nothing) => return Ok(None),
        found => found?,
    };
    unbroken(project)?;
    let by_file = project.index.definitions(found).into_iter().find(|defined| defined.written().is_none());
    match by_file.filter(|_| !files) {
        Some(defined) => Err(RenameError::NoFiles(defined.at.file.clone())),
        None => Ok(Some((page.range(&found.at), found.name.clone()))),
    }
}

fn unbroken(project: &Project) -> Result<(), RenameError> {
    project.index.broken().next().map_or(Ok(()), |broken| Err(RenameError::Broken(broken.to_owned())))
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

/// Everything that changes when the name at a place becomes another one.
///
/// # Errors
/// When it cannot be changed to that.
pub fn rename(
    project: &Project,
    file: &str,
    place: (usize, usize),
    new: &str,
    client: Client,
) -> Result<WorkspaceEdit, RenameError> {
    let found = renamed(project, file, place)?;
    if new == found.name {
        return Ok(WorkspaceEdit::default());
    }
    if !found.kind.may_be_called(new) {
        return Err(RenameError::BadName(found.kind, new.to_owned()));
    }
    if project.index.names(found.kind).contains_key(new) {
        return Err(RenameError::Taken(found.kind, new.to_owned()));
    }
    unbroken(project)?;
    let mut texts: Changes<'_> = BTreeMap::new();
    let mut moved: Vec<(&str, String)> = Vec::new();
    for place in project.index.same(found) {
        match place.written() {
            Some(at) => {
                texts.entry(at.file.as_str()).or_default().insert(at, new.to_owned());
            }
            // What is defined by a whole file has no characters of its own.
            None => {
                let file = place.at.file.as_str();
                moved.extend(renamed_file(place.kind, file, &found.name, new).map(|to| (file, to)));
            }
        }
    }
    if let Some((file, _)) = moved.first().filter(|_| !client.rename_files) {
        return Err(RenameError::NoFiles((*file).to_owned()));
    }
    shared(project, &texts, found)?;
    for (at, id) in steps(project, &texts) {
        texts.entry(at.file.as_str()).or_default().insert(at, id);
    }
    Ok(edit(project, &texts, &moved, client))
}

/// New names by the places that they are written at, by file.
type Changes<'p> = BTreeMap<&'p str, BTreeMap<&'p Location, String>>;

/// What is written once, and by an alias stands for something else as well, cannot be changed for one of them.
fn shared(project: &Project, texts: &Changes<'_>, found: &Occurrence) -> Result<(), RenameError> {
    let changes = |at: &Location| texts.get(at.file.as_str()).is_some_and(|places| places.contains_key(at));
    let other = project.index.all().find(|other| !other.is_same(found) && other.written().is_some_and(changes));
    match other {
        Some(other) => {
            let at = other.written().unwrap_or(&other.at);
            Err(RenameError::Shared(found.name.clone(), at.file.clone(), at.line))
        }
        None => Ok(()),
    }
}

fn edit(project: &Project, texts: &Changes<'_>, moved: &[(&str, String)], client: Client) -> WorkspaceEdit {
    let edits = |file: &str, places: &BTreeMap<&Location, String>| {
        let page = Page::new(project.text(file)?, client.encoding);
        let edit = |(at, new): (&&Location, &String)| TextEdit { range: page.range(at), new_text: new.clone() };
        Some((project.uri(file)?, places.iter().map(edit).collect::<Vec<_>>()))
    };
    let edits = texts.iter().filter_map(|(file, places)| Some((*file, edits(file, places)?)));
    if !client.document_changes {
        #[allow(clippy::mutable_key_type, reason = "the protocol's own type")]
        let changes = edits.map(|(_, edits)| edits).collect();
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let changed = edits.map(|(file, (uri, edits))| {
        let version = project.open.get(file).map(|open| open.version);
        let text_document = OptionalVersionedTextDocumentIdentifier { uri, version };
        let edits = edits.into_iter().map(OneOf::Left).collect();
        DocumentChangeOperation::Edit(TextDocumentEdit { text_document, edits })
    });
    let moved = moved.iter().filter_map(|(from, to)| {
        let rename = RenameFile { old_uri: project.uri(from)?, new_uri: project.uri(to)?, options: None, annotation_id: None };
        Some(DocumentChangeOperation::Op(ResourceOp::Rename(rename)))
    });
    let operations = changed.chain(moved).collect();
    WorkspaceEdit { document_changes: Some(DocumentChanges::Operations(operations)), ..WorkspaceEdit::default() }
}

/// Ids of steps that are made of what changes, where they are used, with what they become.
fn steps<'p>(project: &'p Project, texts: &Changes<'_>) -> Vec<(&'p Location, String)> {
    let ids = |file: &FileIndex| -> Vec<(String, Vec<String>)> {
        let steps = file.occurrences.iter().filter(|found| found.kind == Kind::Step && found.definition.is_some());
        steps.map(|found| (found.name.clone(), found.of.clone())).collect()
    };
    let mut changed: Vec<(&'p Location, String)> = Vec::new();
    for (file, places) in texts {
        let (Some(text), Some(old)) = (project.text(file), project.index.file(file)) else { continue };
        let (old, new) = (ids(old), ids(&FileIndex::read(file, &applied(text, places))));
        if old.len() != new.len() {
            continue;
        }
        for ((id, of), (to, _)) in old.into_iter().zip(new).filter(|((old, _), (new, _))| old != new) {
            let is_use = |found: &&Occurrence| {
                found.kind == Kind::Step && found.definition.is_none() && found.name == id && found.of == of
            };
            let uses = project.index.all().filter(is_use).filter_map(Occurrence::written);
            changed.extend(uses.map(|at| (at, to.clone())));
        }
    }
    changed
}

/// A text with its names changed.
fn applied(text: &str, places: &BTreeMap<&Location, String>) -> String {
    let starts: Vec<usize> = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |line: usize, column: usize| {
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(text.len());
        start + text[start..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>()
    };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, new) in places {
        let (from, to) = (offset(at.line, at.column), offset(at.end_line, at.end_column));
        out.push_str(text.get(done..from).unwrap_or_default());
        out.push_str(new);
        done = to;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
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
mod tests;
