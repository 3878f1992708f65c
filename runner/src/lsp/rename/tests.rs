use std::path::Path;
use std::sync::Arc;

use dsl::ProjectFiles;
use serde_json::json;

use super::super::position::Encoding;
use super::super::project::path_of;
use super::*;

/// An editor that takes every kind of edit.
fn modern() -> Client {
    Client::of(&json!({ "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["rename"] } } }))
}

fn simple() -> Client {
    Client::of(&json!({}))
}

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
    let edit = rename(&project(), file, place, new, modern()).unwrap();
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
    check("workflows/a.yaml", (6, 12), "z", &["tests/b.test.yaml z 1:11", "workflows/a.yaml z 6:12", "workflows/b.yaml z 1:11"]);
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
    let refused = |file: &str, place, new: &str, client| rename(&project(), file, place, new, client).unwrap_err();
    let segment = |new: &str| refused("workflows/a.yaml", (3, 24), new, modern());
    assert_eq!(refused("workflows/a.yaml", (1, 3), "x", modern()), RenameError::Nothing);
    assert_eq!(refused("workflows/a.yaml", (2, 20), "x", modern()), RenameError::Nothing);
    assert_eq!(refused("workflows/c.yaml", (2, 20), "x", modern()), RenameError::Data("contact.country".to_owned()));
    assert_eq!(segment("other"), RenameError::Taken(Kind::Segment, "other".to_owned()));
    for bad in ["true", "null", "~", "", "7", "1e5", "No Name", "a: b", "a#b", "ä", "\n"] {
        assert_eq!(segment(bad), RenameError::BadName(Kind::Segment, bad.to_owned()));
        let template = refused("workflows/a.yaml", (5, 12), bad, modern());
        assert_eq!(template, RenameError::BadName(Kind::Template, bad.to_owned()));
    }
    assert!(segment("true").to_string().contains("lower-case letters, digits"), "{}", segment("true"));
    assert_eq!(
        refused("workflows/a.yaml", (3, 40), "country", modern()),
        RenameError::Taken(Kind::Attribute, "country".to_owned())
    );
    assert_eq!(
        refused("workflows/a.yaml", (3, 40), "email", modern()),
        RenameError::BadName(Kind::Attribute, "email".to_owned())
    );
    assert!(matches!(refused("workflows/a.yaml", (5, 12), "x", simple()), RenameError::NoFiles(_)));
    let mut broken = project();
    broken.write("workflows/b.yaml", "workflow: b\nsteps: [\n", 1, &"file:///p/workflows/b.yaml".parse().unwrap());
    let error = rename(&broken, "workflows/a.yaml", (3, 24), "top", modern()).unwrap_err();
    assert_eq!(error, RenameError::Broken("workflows/b.yaml".to_owned()));
}

#[test]
fn whether_something_can_be_renamed_is_known_before() {
    let project = project();
    let prepared = |file: &str, place, client: Client| {
        let page = Page::new(project.text(file).unwrap(), Encoding::Utf16);
        prepare(&project, file, place, &page, client.rename_files).map(|found| found.map(|(_, name)| name))
    };
    assert_eq!(prepared("workflows/a.yaml", (3, 24), simple()), Ok(Some("vip".to_owned())));
    assert_eq!(prepared("workflows/a.yaml", (5, 12), modern()), Ok(Some("hello".to_owned())));
    assert!(matches!(prepared("workflows/a.yaml", (5, 12), simple()), Err(RenameError::NoFiles(_))));
    assert_eq!(prepared("workflows/a.yaml", (1, 3), modern()), Ok(None));
    assert!(matches!(prepared("workflows/c.yaml", (2, 20), modern()), Err(RenameError::Data(_))));
}

#[test]
fn for_editors_that_know_plain_changes_only() {
    let edit = rename(&project(), "workflows/a.yaml", (3, 24), "top", simple()).unwrap();
    let files: Vec<String> = edit.changes.unwrap().keys().map(|uri| uri.as_str().to_owned()).collect();
    assert_eq!((files.len(), edit.document_changes), (2, None));
    assert_eq!(rename(&project(), "workflows/a.yaml", (3, 24), "vip", modern()), Ok(WorkspaceEdit::default()));
}

#[test]
fn what_an_alias_stands_for_is_changed_where_it_is_written() {
    let of = |text: &str| {
        let mut project = Project { root: "/p".into(), ..Project::default() };
        let shared = "segments:\n  vip: { contact.id: x }\n";
        project.reread(Arc::new(ProjectFiles::from_texts([("workflows/a.yaml", text), ("workflows/s.yaml", shared)])));
        rename(&project, "workflows/s.yaml", (2, 4), "top", modern()).map(|edit| told(&edit))
    };
    assert_eq!(
        of("workflow: a\naudience: { segment: &v \"v\\u0069p\" }\nexit_when: { segment: *v }\n"),
        Ok(vec!["workflows/a.yaml top 2:26".to_owned(), "workflows/s.yaml top 2:3".to_owned()])
    );
    let shared = of("workflow: a\naudience: { segment: &v vip }\ntopic: *v\n");
    assert_eq!(shared, Err(RenameError::Shared("vip".to_owned(), "workflows/a.yaml".to_owned(), 2)));
}

/// The project's files after the edit.
fn carried_out(files: &ProjectFiles, edit: &WorkspaceEdit) -> ProjectFiles {
    let mut texts: BTreeMap<String, String> =
        files.paths_with_tests().map(|path| (path.to_owned(), files.text(path).unwrap().to_owned())).collect();
    let path = |uri: &lsp_types::Uri| path_of(uri).unwrap().strip_prefix("/p").unwrap().to_str().unwrap().to_owned();
    let Some(DocumentChanges::Operations(operations)) = &edit.document_changes else { panic!("{edit:?}") };
    for operation in operations {
        match operation {
            DocumentChangeOperation::Edit(edit) => {
                let text = texts.get_mut(&path(&edit.text_document.uri)).unwrap();
                let offset = |position: lsp_types::Position| {
                    let start: usize = text.split_inclusive('\n').take(position.line as usize).map(str::len).sum();
                    let mut units = 0;
                    let line = text[start..].chars().take_while(|c| {
                        units += c.len_utf16();
                        units <= position.character as usize
                    });
                    start + line.map(char::len_utf8).sum::<usize>()
                };
                let changes: Vec<(usize, usize, &str)> = edit
                    .edits
                    .iter()
                    .map(|edit| match edit {
                        OneOf::Left(edit) => (offset(edit.range.start), offset(edit.range.end), edit.new_text.as_str()),
                        OneOf::Right(_) => panic!("annotated"),
                    })
                    .collect();
                for (from, to, new) in changes.into_iter().rev() {
                    text.replace_range(from..to, new);
                }
            }
            DocumentChangeOperation::Op(ResourceOp::Rename(rename)) => {
                let text = texts.remove(&path(&rename.old_uri)).unwrap();
                assert!(texts.insert(path(&rename.new_uri), text).is_none());
            }
            DocumentChangeOperation::Op(other) => panic!("{other:?}"),
        }
    }
    let assets = files.assets().iter();
    assets.fold(ProjectFiles::from_texts(texts), |files, (path, bytes)| files.with_asset(path, bytes))
}

fn wrong(files: &ProjectFiles) -> Vec<String> {
    let compiled = dsl::compile(files);
    let mut found = compiled.diagnostics;
    let catalog = compiled.catalog.unwrap_or_else(|| panic!("{found:?}"));
    found.extend(files.audiences().flat_map(|(path, text)| dsl::read_audience(path, text, &catalog).1));
    found.iter().map(|found| format!("{} {} {}", found.location.file, found.code, found.message)).collect()
}

/// Everything in the shipped project that can have another name gets one, one after the other and from a use: nothing is left behind.
#[test]
fn the_whole_project_is_right_after_every_renaming() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = ProjectFiles::read_for_editors(&root).unwrap();
    assert_eq!(wrong(&files), Vec::<String>::new());
    let mut renamed = 0;
    let mut done: Vec<(Kind, String)> = Vec::new();
    loop {
        let mut project = Project { root: "/p".into(), ..Project::default() };
        project.reread(Arc::new(files.clone()));
        let next = project.index.all().find_map(|found| {
            let at = found.written().filter(|_| !done.contains(&(found.kind, found.name.clone())))?;
            let (file, place) = (at.file.clone(), (at.line, at.column));
            done.push((found.kind, found.name.clone()));
            let new = format!("x{renamed}-new");
            let edit = rename(&project, &file, place, &new, modern()).ok()?;
            done.push((found.kind, new));
            Some((found.name.clone(), edit))
        });
        let Some((name, edit)) = next else { break };
        files = carried_out(&files, &edit);
        assert_eq!(wrong(&files), Vec::<String>::new(), "after renaming {name}");
        renamed += 1;
    }
    assert!(renamed > 25, "{renamed}: {done:?}");
}
