use std::collections::BTreeSet;
use std::fs;

use super::*;

/// Every file below a folder, by its path with `/`, and every folder with nothing in it.
fn below(folder: &Path) -> BTreeSet<String> {
    fn gather(root: &Path, folder: &Path, found: &mut BTreeSet<String>) {
        let mut empty = true;
        for entry in fs::read_dir(folder).unwrap() {
            empty = false;
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(root, &path, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
        if empty && folder != root {
            found.insert(format!("{}/", folder.strip_prefix(root).unwrap().to_str().unwrap()));
        }
    }
    let mut found = BTreeSet::new();
    gather(folder, folder, &mut found);
    found
}

fn compiled(checks: Checks, name: &str) -> dsl::Compiled {
    dsl::compile(&dsl::ProjectFiles::from_texts(files(name, checks).into_iter().map(|file| (file.path, file.text))))
}

#[test]
fn a_new_project_compiles_without_a_warning() {
    for checks in [Checks::Github, Checks::Gitlab, Checks::None] {
        for name in ["shop", "null", "campaigns-2026"] {
            let compiled = compiled(checks, name);
            assert_eq!(compiled.diagnostics, [], "{name}");
            assert_eq!(compiled.catalog.unwrap().settings.project, name);
        }
    }
}

#[test]
fn every_schema_that_editors_are_pointed_to_is_there() {
    let files = files("shop", Checks::None);
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut named = 0;
    for file in &files {
        for (at, _) in file.text.match_indices("schemas/").filter(|_| file.path != "README.md") {
            let Some((name, _)) = file.text[at..].split_once(".schema.json") else { continue };
            assert!(paths.contains(format!("{name}.schema.json").as_str()), "{} names {name}", file.path);
            named += 1;
        }
    }
    assert!(named >= 6, "{named}");
}

#[test]
fn every_text_is_in_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/init/project");
    let held: BTreeSet<String> = files("shop", Checks::None).into_iter().map(|file| file.path).collect();
    let missing: Vec<String> =
        below(&folder).into_iter().filter(|path| !path.starts_with("github/") && !path.starts_with("gitlab/")).collect();
    assert_eq!(missing.iter().filter(|path| !held.contains(*path)).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn names() {
    let check = |folder: &str, expected: &str| assert_eq!(name_of(Path::new(folder)), expected, "{folder}");
    check("/srv/Spring Shop", "spring-shop");
    check("/srv/spring_shop.d/", "spring-shop-d");
    check("/srv/Café 10", "caf-10");
    check("/srv/2026", "campaigns-2026");
    check("/srv/春", "campaigns");
    check("/srv/...", "campaigns");
    check("/", "campaigns");
}

#[test]
fn a_folder_that_is_not_there_is_made_with_everything_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let made = create(&dir.path().join("a/b/shop"), Checks::Gitlab).unwrap();
    assert_eq!((made.name.as_str(), made.kept.as_slice()), ("shop", [].as_slice()));
    assert_eq!(below(dir.path()), made.written.iter().map(|path| format!("a/b/shop/{path}")).collect());
    assert!(made.written.iter().any(|path| path == ".gitlab-ci.yml"));
}

#[test]
fn hidden_files_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(".git/refs")).unwrap();
    fs::create_dir(dir.path().join(".vscode")).unwrap();
    fs::write(dir.path().join(".gitignore"), "mine").unwrap();
    let made = create(dir.path(), Checks::None).unwrap();
    assert_eq!(made.kept, [".gitignore"]);
    assert_eq!(fs::read_to_string(dir.path().join(".gitignore")).unwrap(), "mine");
    let mut expected: BTreeSet<String> = made.written.into_iter().collect();
    expected.extend([".git/refs/".to_owned(), ".gitignore".to_owned()]);
    assert_eq!(below(dir.path()), expected);
}

/// Whatever keeps it from being made, what was there is there as it was, and nothing else.
#[test]
fn nothing_is_left_behind() {
    let check = |prepare: &dyn Fn(&Path), folder: &str, expected: &str| {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path());
        let before = below(dir.path());
        let error = create(&dir.path().join(folder), Checks::Github).unwrap_err().to_string();
        let error = error.replace(dir.path().to_str().unwrap(), "");
        assert!(error.contains(expected), "{error}");
        assert_eq!(below(dir.path()), before);
    };
    let occupied = |dir: &Path| fs::write(dir.join("letter.txt"), "").unwrap();
    check(&occupied, "", "is not empty (it has letter.txt)");
    check(&occupied, "letter.txt", "/letter.txt is not a folder");
    check(&occupied, "letter.txt/shop", "is not a folder");
    // A file stands where one of the last folders must be.
    let blocked = |dir: &Path| fs::write(dir.join(".vscode"), "").unwrap();
    check(&blocked, "", "/.vscode");
}
