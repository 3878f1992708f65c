//! The files of a project, read as text: what the language is compiled from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::diagnostic::{Diagnostic, Location};
use crate::model::ContentHash;

/// The name of the settings file, which makes a folder a project.
pub(crate) const SETTINGS: &str = "campaignd.yaml";

/// The largest file that is read, in bytes.
const MAX_SIZE: u64 = 1024 * 1024;

/// The largest file that goes with a message, in bytes.
const MAX_ASSET: u64 = 5 * 1024 * 1024;
const TEMPLATES: &str = "templates/";
const TESTS: &str = "tests/";

/// How deep folders may nest.
const MAX_FOLDERS: usize = 32;

/// Why a folder cannot be compiled at all.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("there is no campaignd.yaml in {0}; make a project with `campaignd init`, or name its folder with --project")]
    NoProject(PathBuf),
    #[error("{path} cannot be read: {reason}")]
    Settings { path: PathBuf, reason: String },
    #[error("{path} cannot be read")]
    Root { path: PathBuf, source: io::Error },
}

/// Every file of a project that matters to the language, by its path relative to the project (with forward slashes), and
/// what went wrong in reading the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFiles {
    texts: BTreeMap<String, String>,
    /// Files of journey tests, which nothing that runs depends on.
    tests: BTreeMap<String, String>,
    /// What went wrong in reading those.
    test_diagnostics: Vec<Diagnostic>,
    /// Audiences made up for `simulate`, which nothing depends on.
    audiences: BTreeMap<String, String>,
    /// Files under templates/ that are no templates and that a text names.
    assets: BTreeMap<String, Arc<[u8]>>,
    diagnostics: Vec<Diagnostic>,
}

impl ProjectFiles {
    /// Reads campaignd.yaml, workflows/, templates/ and schemas/ under `root`; of templates/ the templates and the files that they name. Hidden files and what editors leave behind
    /// are passed over. A file that cannot be used is a diagnostic at that file.
    ///
    /// # Errors
    /// When there is no campaignd.yaml, or it cannot be read.
    pub fn read(root: &Path) -> Result<ProjectFiles, ProjectError> {
        let real_root = fs::canonicalize(root).map_err(|source| ProjectError::Root { path: root.to_owned(), source })?;
        let settings = root.join(SETTINGS);
        if !settings.is_file() {
            return Err(ProjectError::NoProject(root.to_owned()));
        }
        let mut walk = Walk { root: &real_root, files: ProjectFiles::default(), others: Vec::new() };
        walk.file(&settings, SETTINGS, true);
        if let Some(diagnostic) = walk.files.diagnostics.first() {
            return Err(ProjectError::Settings { path: settings, reason: diagnostic.message.clone() });
        }
        for (folder, wanted) in [("workflows", is_workflow as fn(&str) -> bool), ("templates", |_| true), ("schemas", is_schema)]
        {
            walk.folder(&real_root.join(folder), folder, wanted, &mut Vec::new());
        }
        walk.assets();
        Ok(walk.files)
    }

    /// The same with the journey tests, tests/**/*.test.yaml.
    ///
    /// # Errors
    /// As [`ProjectFiles::read`].
    pub fn read_with_tests(root: &Path) -> Result<ProjectFiles, ProjectError> {
        let files = ProjectFiles::read(root)?;
        let real_root = fs::canonicalize(root).map_err(|source| ProjectError::Root { path: root.to_owned(), source })?;
        let mut walk = Walk { root: &real_root, files: ProjectFiles::default(), others: Vec::new() };
        walk.folder(&real_root.join("tests"), "tests", is_test, &mut Vec::new());
        Ok(ProjectFiles { tests: walk.files.texts, test_diagnostics: walk.files.diagnostics, ..files })
    }

    /// The same with the journey tests and the audiences made up for `simulate` that are kept beside them, tests/**/*.yaml: all that editors show.
    ///
    /// # Errors
    /// As [`ProjectFiles::read`].
    pub fn read_for_editors(root: &Path) -> Result<ProjectFiles, ProjectError> {
        let files = ProjectFiles::read_with_tests(root)?;
        let real_root = fs::canonicalize(root).map_err(|source| ProjectError::Root { path: root.to_owned(), source })?;
        let mut walk = Walk { root: &real_root, files: ProjectFiles::default(), others: Vec::new() };
        walk.folder(&real_root.join("tests"), "tests", |name| is_workflow(name) && !is_test(name), &mut Vec::new());
        // Whatever else stands there is none of ours: nothing is said of it.
        let audiences = walk.files.texts.into_iter().filter(|(path, text)| ProjectFiles::is_audience(path, text)).collect();
        Ok(ProjectFiles { audiences, ..files })
    }

    /// Whether a file, by its path relative to the project and its text, is an audience for `simulate` that is kept beside the journey tests.
    pub fn is_audience(path: &str, text: &str) -> bool {
        let inside = path.strip_prefix(TESTS).filter(|inside| is_workflow(inside) && !is_test(inside));
        inside.is_some_and(|inside| !inside.split('/').any(is_passed_over))
            && text.lines().any(|line| line.trim_start_matches(['"', '\'', '{', ' ']).starts_with("audience"))
    }

    /// The audiences, by path.
    pub fn audiences(&self) -> impl Iterator<Item = (&str, &str)> {
        self.audiences.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// A project in memory: paths relative to it, and texts.
    pub fn from_texts<P: Into<String>, T: Into<String>>(texts: impl IntoIterator<Item = (P, T)>) -> ProjectFiles {
        let texts = texts.into_iter().map(|(path, text)| (path.into(), text.into()));
        let (audiences, texts): (BTreeMap<_, _>, BTreeMap<_, _>) =
            texts.partition(|(path, text): &(String, String)| ProjectFiles::is_audience(path, text));
        let (tests, texts) = texts.into_iter().partition(|(path, _)| path.starts_with(TESTS) && is_test(path));
        ProjectFiles { texts, tests, audiences, ..ProjectFiles::default() }
    }

    /// The same project with one more file that messages may attach or show, by its path relative to the project.
    #[must_use]
    pub fn with_asset(mut self, path: impl Into<String>, bytes: &[u8]) -> ProjectFiles {
        self.assets.insert(path.into(), Arc::from(bytes));
        self
    }

    /// The same with another text for one file: as it stands in an editor, saved or not. A file that nobody would read stays out.
    #[must_use]
    pub fn overlaid(mut self, path: &str, text: &str) -> ProjectFiles {
        if ProjectFiles::reads(path) && text.len() as u64 <= MAX_SIZE {
            let (texts, diagnostics) = match is_of_tests(path) {
                true => (&mut self.tests, &mut self.test_diagnostics),
                false => (&mut self.texts, &mut self.diagnostics),
            };
            diagnostics.retain(|diagnostic| diagnostic.location.file != path);
            texts.insert(path.to_owned(), text.to_owned());
        } else if ProjectFiles::is_audience(path, text) {
            self.audiences.insert(path.to_owned(), text.to_owned());
        }
        self
    }

    /// Whether a file at this path, relative to the project, is read as a text of the project, journey tests among them.
    pub fn reads(path: &str) -> bool {
        let Some((folder, inside)) = path.split_once('/') else {
            return path == SETTINGS;
        };
        let wanted = match folder {
            "workflows" => is_workflow(inside),
            "templates" => inside.ends_with(".hbs"),
            "schemas" => is_schema(inside),
            "tests" => is_test(inside),
            _ => false,
        };
        wanted && !inside.split('/').any(is_passed_over)
    }

    /// The bytes of files that messages attach or show, by their path relative to the project.
    pub fn assets(&self) -> &BTreeMap<String, Arc<[u8]>> {
        &self.assets
    }

    /// The same with more files.
    pub fn with(&self, more: &[(&str, &str)]) -> ProjectFiles {
        let mut files = self.clone();
        files.texts.extend(more.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())));
        files
    }

    /// Journey tests aside, changes when any file appears, goes or changes, or starts or stops being readable. SHA-256 in hexadecimal.
    pub fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        let mut part = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        for (path, text) in &self.texts {
            part(path);
            part(text);
        }
        for (path, bytes) in &self.assets {
            part(path);
            part(&ContentHash::of_bytes(bytes).0);
        }
        for diagnostic in &self.diagnostics {
            part(&diagnostic.location.file);
            part(diagnostic.code);
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The text of a file, by its path relative to the project.
    pub fn text(&self, path: &str) -> Option<&str> {
        let texts = self.texts.get(path).or_else(|| self.tests.get(path));
        texts.or_else(|| self.audiences.get(path)).map(String::as_str)
    }

    /// Every path, in order, without those of journey tests.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// Every path, with those of journey tests and audiences.
    pub fn paths_with_tests(&self) -> impl Iterator<Item = &str> {
        self.paths().chain(self.tests.keys().chain(self.audiences.keys()).map(String::as_str))
    }

    /// What went wrong in reading.
    pub(crate) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// What went wrong in reading journey tests.
    pub(crate) fn test_diagnostics(&self) -> &[Diagnostic] {
        &self.test_diagnostics
    }

    /// The files of journey tests.
    pub(crate) fn tests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tests.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn workflows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.under("workflows/").filter(|(path, _)| is_workflow(path))
    }

    /// The files under a folder (named with its slash).
    pub(crate) fn under(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().filter(move |(path, _)| path.starts_with(folder)).map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn is_workflow(name: &str) -> bool {
    name.ends_with(".yaml") || name.ends_with(".yml")
}

/// Whether a file, by its path, belongs to the journey tests.
pub(crate) fn is_of_tests(path: &str) -> bool {
    path.starts_with(TESTS)
}

fn is_test(name: &str) -> bool {
    name.ends_with(".test.yaml") || name.ends_with(".test.yml")
}

fn is_schema(name: &str) -> bool {
    name.ends_with(".json")
}

/// A file under templates/ that somebody may take for a template.
fn is_lookalike(name: &str) -> bool {
    [".html", ".txt", ".mjml"].iter().any(|ending| name.ends_with(ending))
}

/// Hidden files, and what editors leave behind.
fn is_passed_over(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp") || (name.starts_with('#') && name.ends_with('#'))
}

struct Walk<'a> {
    /// Without symbolic links.
    root: &'a Path,
    files: ProjectFiles,
    /// Files under templates/ that are no templates: where they are, and their paths relative to the project.
    others: Vec<(PathBuf, String)>,
}

impl Walk<'_> {
    /// Reads those of the other files under templates/ that a text there names.
    fn assets(&mut self) {
        for (path, relative) in std::mem::take(&mut self.others) {
            let name = relative.strip_prefix(TEMPLATES).unwrap_or(&relative);
            if !self.files.under(TEMPLATES).any(|(_, text)| text.contains(name)) {
                continue;
            }
            match self.stays_inside(&path) {
                Ok(true) => {}
                Ok(false) => {
                    self.refuse_link(&relative);
                    continue;
                }
                Err(error) => {
                    self.refuse(&relative, "unreadable", format!("this cannot be read: {error}"), None);
                    continue;
                }
            }
            match read_bytes(&path, MAX_ASSET) {
                Ok(bytes) => {
                    self.files.assets.insert(relative, Arc::from(bytes));
                }
                Err(Unusable::Io(error)) => {
                    self.refuse(&relative, "unreadable", format!("this file cannot be read: {error}"), None);
                }
                Err(Unusable::TooLarge | Unusable::NotUtf8(_)) => {
                    let message = "this file is larger than 5 MiB, which is too much for a mail".to_owned();
                    self.refuse(&relative, "file-too-large", message, Some("put it on a web server, and link to it"));
                }
            }
        }
    }

    fn refuse(&mut self, file: &str, code: &'static str, message: String, help: Option<&str>) {
        let location = Location { file: file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
        let diagnostic = Diagnostic { help: help.map(str::to_owned), ..Diagnostic::error(code, location, message) };
        self.files.diagnostics.push(diagnostic);
    }

    fn folder(&mut self, path: &Path, relative: &str, wanted: fn(&str) -> bool, above: &mut Vec<PathBuf>) {
        let real = match fs::canonicalize(path) {
            Ok(real) if real.starts_with(self.root) => real,
            Ok(_) => return self.refuse_link(relative),
            Err(error) if error.kind() == io::ErrorKind::NotFound && above.is_empty() => return,
            Err(error) => {
                let message = format!("this folder cannot be read: {error}");
                return self.refuse(relative, "unreadable", message, None);
            }
        };
        if self.root.starts_with(&real) || above.contains(&real) || above.len() > MAX_FOLDERS {
            let message = "this folder leads back into itself, or nests too deep".to_owned();
            return self.refuse(relative, "unreadable", message, Some("remove the symbolic link"));
        }
        above.push(real);
        self.entries(path, relative, wanted, above);
        above.pop();
    }

    fn entries(&mut self, path: &Path, relative: &str, wanted: fn(&str) -> bool, above: &mut Vec<PathBuf>) {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                return self.refuse(relative, "unreadable", format!("this folder cannot be read: {error}"), None);
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.refuse(relative, "unreadable", format!("this folder cannot be read: {error}"), None);
                    continue;
                }
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_passed_over(&name) {
                continue;
            }
            let relative = format!("{relative}/{name}");
            let path = entry.path();
            // What is no link itself is where its folder is, which has been looked at.
            let linked = entry.file_type().map_or(true, |kind| kind.is_symlink());
            let is_folder = if linked { path.is_dir() } else { entry.file_type().is_ok_and(|kind| kind.is_dir()) };
            if is_folder {
                self.folder(&path, &relative, wanted, above);
            } else if relative.starts_with(TEMPLATES) && !name.ends_with(".hbs") {
                if is_lookalike(&name) {
                    // Nobody reads it; that it is there is worth a word.
                    self.files.texts.insert(relative.clone(), String::new());
                }
                self.others.push((path, relative));
            } else if wanted(&name) {
                self.file(&path, &relative, linked);
            }
        }
    }

    /// Whether the path, links followed, is in the project.
    fn stays_inside(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::canonicalize(path)?.starts_with(self.root))
    }

    fn refuse_link(&mut self, relative: &str) {
        let message = "this is a symbolic link that leads out of the project".to_owned();
        self.refuse(relative, "link-out-of-project", message, Some("copy what it leads to into the project"));
    }

    fn file(&mut self, path: &Path, relative: &str, linked: bool) {
        let inside = if linked { self.stays_inside(path) } else { Ok(true) };
        match inside {
            Ok(true) => {}
            Ok(false) => return self.refuse_link(relative),
            Err(error) => {
                return self.refuse(relative, "unreadable", format!("this cannot be read: {error}"), None);
            }
        }
        match read_text(path) {
            Ok(text) => {
                self.files.texts.insert(relative.to_owned(), text);
            }
            Err(Unusable::TooLarge) => {
                self.refuse(relative, "file-too-large", "this file is larger than 1 MiB".to_owned(), Some("split it"));
            }
            Err(Unusable::NotUtf8(line)) => {
                self.refuse(
                    relative,
                    "not-utf8",
                    format!("this file is not UTF-8 text (see line {line})"),
                    Some("save it as UTF-8"),
                );
            }
            Err(Unusable::Io(error)) => self.refuse(relative, "unreadable", format!("this file cannot be read: {error}"), None),
        }
    }
}

enum Unusable {
    TooLarge,
    NotUtf8(usize),
    Io(io::Error),
}

fn read_text(path: &Path) -> Result<String, Unusable> {
    String::from_utf8(read_bytes(path, MAX_SIZE)?).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
        Unusable::NotUtf8(line)
    })
}

fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, Unusable> {
    // Asked before opening: opening a pipe waits for somebody to write into it.
    if !fs::metadata(path).map_err(Unusable::Io)?.is_file() {
        return Err(Unusable::Io(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let file = fs::File::open(path).map_err(Unusable::Io)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, most + 1), &mut bytes).map_err(Unusable::Io)?;
    if bytes.len() as u64 > most { Err(Unusable::TooLarge) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, bytes: &[u8]) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn codes(files: &ProjectFiles) -> Vec<(&str, &str)> {
        let mut codes: Vec<_> =
            files.diagnostics().iter().map(|diagnostic| (diagnostic.location.file.as_str(), diagnostic.code)).collect();
        codes.sort_unstable();
        codes
    }

    #[test]
    fn reads_what_matters_and_reports_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("shop");
        let good = ["workflows/deep/er/b.yml", "workflows/a.yaml", "templates/x/y.html.hbs", "schemas/events/e.schema.json"];
        for path in good.iter().chain(&[
            "workflows/.hidden.yaml",
            "workflows/a.yaml~",
            "workflows/.#a.yaml",
            "workflows/a.yaml.swp",
            "workflows/notes.md",
            "README.md",
        ]) {
            write(&root, path, b"x");
        }
        write(&root, "campaignd.yaml", b"project: shop");
        write(&root, "workflows/latin.yaml", b"a: 1\nb: \xfc\n");
        write(&root, "workflows/big.yaml", &vec![b'#'; 1024 * 1024 + 1]);
        write(&root, "workflows/limit.yaml", &vec![b'#'; 1024 * 1024]);
        write(folder.path(), "outside/secret.yaml", b"x");
        #[cfg(unix)]
        {
            let _socket = std::os::unix::net::UnixListener::bind(root.join("workflows/socket.yaml")).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(root.join("workflows/pipe.yaml")).status().unwrap().success());
            std::os::unix::fs::symlink("../../outside/secret.yaml", root.join("workflows/link.yaml")).unwrap();
            std::os::unix::fs::symlink("../../outside", root.join("workflows/folder")).unwrap();
            std::os::unix::fs::symlink("a.yaml", root.join("workflows/inside.yaml")).unwrap();
            std::os::unix::fs::symlink("..", root.join("workflows/loop")).unwrap();
        }
        let files = ProjectFiles::read(&root).unwrap();
        let mut expected = good.to_vec();
        expected.extend(["campaignd.yaml", "workflows/limit.yaml"]);
        assert!(expected.iter().all(|path| files.text(path).is_some()), "{:?}", files.paths().collect::<Vec<_>>());
        let unwanted =
            |path: &&str| path.ends_with('~') || path.contains("/.") || path.ends_with(".md") || path.ends_with(".swp");
        assert_eq!(files.paths().find(|path| unwanted(path)), None);
        let found = codes(&files);
        for expected in [("workflows/latin.yaml", "not-utf8"), ("workflows/big.yaml", "file-too-large")] {
            assert!(found.contains(&expected), "{found:?}");
        }
        #[cfg(unix)]
        {
            assert!(found.contains(&("workflows/pipe.yaml", "unreadable")), "{found:?}");
            assert!(found.contains(&("workflows/socket.yaml", "unreadable")), "{found:?}");
            assert!(found.contains(&("workflows/link.yaml", "link-out-of-project")), "{found:?}");
            assert!(found.contains(&("workflows/folder", "link-out-of-project")), "{found:?}");
            assert_eq!(files.text("workflows/inside.yaml"), Some("x"));
        }
    }

    #[test]
    fn a_folder_without_settings_is_no_project() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(ProjectFiles::read(folder.path()), Err(ProjectError::NoProject(_))));
        assert!(matches!(ProjectFiles::read(&folder.path().join("nowhere")), Err(ProjectError::Root { .. })));
        write(folder.path(), "campaignd.yaml", b"\xff");
        assert!(matches!(ProjectFiles::read(folder.path()), Err(ProjectError::Settings { .. })));
    }

    #[test]
    fn the_hash_changes_with_any_text() {
        let of = |path: &str, text: &str| ProjectFiles::from_texts([("campaignd.yaml", "a"), (path, text)]).hash();
        assert_eq!(of("workflows/a.yaml", "x"), of("workflows/a.yaml", "x"));
        assert_ne!(of("workflows/a.yaml", "x"), of("workflows/a.yaml", "y"));
        assert_ne!(of("workflows/a.yaml", "x"), of("workflows/b.yaml", "x"));
    }
}
