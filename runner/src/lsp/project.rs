//! The projects that an editor has open, and what is known of each: its files as they are on disk and in the editor, and their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use dsl::ProjectFiles;
use dsl::diagnostic::Diagnostic;
use dsl::index::Index;
use lsp_types::Uri;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What a path's characters may not be in an address (RFC 3986, section 3.3).
const NOT_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A file as it stands in the editor.
#[derive(Debug, Clone)]
pub struct Open {
    pub text: Arc<str>,
    pub version: i32,
    /// What the editor calls it.
    pub uri: Option<Uri>,
}

/// One project.
#[derive(Debug, Default)]
pub struct Project {
    pub root: PathBuf,
    /// As they were on disk when they were last read.
    pub files: Arc<ProjectFiles>,
    /// By path relative to the project.
    pub open: BTreeMap<String, Open>,
    /// Of the files as they stand in the editor.
    pub index: Index,
    /// What was found wrong at the last look.
    pub diagnostics: Vec<Diagnostic>,
    /// What the editor was told of each file, as long as it was something.
    pub published: BTreeMap<String, Vec<lsp_types::Diagnostic>>,
}

impl Project {
    fn new(root: PathBuf) -> Project {
        // What cannot be read is told by the check.
        let files = ProjectFiles::read_for_editors(&root).unwrap_or_default();
        let index = Index::of(&files);
        Project { root, files: Arc::new(files), index, ..Project::default() }
    }

    /// The text of a file, as the editor has it.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.open.get(path) {
            Some(open) => Some(&open.text),
            None => self.files.text(path),
        }
    }

    pub fn uri(&self, path: &str) -> Option<Uri> {
        // By the address that it came with: editors compare them letter by letter.
        if let Some(uri) = self.open.get(path).and_then(|open| open.uri.clone()) {
            return Some(uri);
        }
        uri_of(&self.root.join(path))
    }

    /// A file was opened or changed in the editor.
    pub fn write(&mut self, path: &str, text: &str, version: i32, uri: &Uri) {
        self.index.put(path, text);
        self.open.insert(path.to_owned(), Open { text: text.into(), version, uri: Some(uri.clone()) });
    }

    /// A file was closed in the editor: what is on disk counts again.
    pub fn close(&mut self, path: &str) {
        self.open.remove(path);
        self.take_from_disk(path);
    }

    fn take_from_disk(&mut self, path: &str) {
        match self.files.text(path) {
            Some(text) => self.index.put(path, text),
            None => self.index.remove(path),
        }
    }

    /// The files were read from disk anew.
    pub fn reread(&mut self, files: Arc<ProjectFiles>) {
        if Arc::ptr_eq(&self.files, &files) {
            return;
        }
        let old = std::mem::replace(&mut self.files, files);
        let paths: BTreeSet<&str> = old.paths_with_tests().chain(self.files.paths_with_tests()).collect();
        let new = self.files.clone();
        let changed = paths.into_iter().filter(|path| old.text(path) != new.text(path) && !self.open.contains_key(*path));
        for path in changed.map(str::to_owned).collect::<Vec<_>>() {
            self.take_from_disk(&path);
        }
    }
}

/// Every project of which the editor has shown something.
#[derive(Debug, Default)]
pub struct Workspace {
    projects: BTreeMap<PathBuf, Project>,
}

impl Workspace {
    /// The project that a file or folder is in: the nearest parent with a campaignd.yaml. Opened, if it is new.
    pub fn enter(&mut self, path: &Path) -> Option<&mut Project> {
        let known =
            path.ancestors().find(|folder| folder.join("campaignd.yaml").is_file() || self.projects.contains_key(*folder))?;
        Some(self.projects.entry(known.to_owned()).or_insert_with(|| Project::new(known.to_owned())))
    }

    /// The project of a file, and the file's path relative to it.
    pub fn file(&mut self, uri: &Uri) -> Option<(&mut Project, String)> {
        let path = path_of(uri)?;
        let project = self.enter(path.parent()?)?;
        let relative = relative(&project.root, &path)?;
        Some((project, relative))
    }

    /// The folder of the project that a path is in.
    pub fn root_of(&mut self, path: &Path) -> Option<PathBuf> {
        self.enter(path.parent()?).map(|project| project.root.clone())
    }

    /// A folder is closed in the editor: projects in it, of which no file is open and that are in none of the `others`, are forgotten. Gives the files of
    /// which the editor was told something.
    pub fn leave(&mut self, folder: &Path, others: &[PathBuf]) -> Vec<Uri> {
        let stays = |root: &Path, project: &Project| {
            !root.starts_with(folder) || !project.open.is_empty() || others.iter().any(|other| root.starts_with(other))
        };
        let left: Vec<PathBuf> =
            self.projects.iter().filter(|(root, project)| !stays(root, project)).map(|(root, _)| root.clone()).collect();
        let projects = left.iter().filter_map(|root| self.projects.remove(root));
        projects.flat_map(|project| project.published.keys().filter_map(|path| project.uri(path)).collect::<Vec<_>>()).collect()
    }

    pub fn project(&mut self, root: &Path) -> Option<&mut Project> {
        self.projects.get_mut(root)
    }

    pub fn roots(&self) -> Vec<PathBuf> {
        self.projects.keys().cloned().collect()
    }
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// The path that a `file:` address names.
pub fn path_of(uri: &Uri) -> Option<PathBuf> {
    let path = uri.as_str().strip_prefix("file://")?;
    let path = &path[path.find('/')?..];
    let path = percent_decode_str(path).decode_utf8().ok()?;
    // What leads nowhere is left out, so that a file has one path.
    let mut plain = PathBuf::new();
    for part in Path::new(path.as_ref()).components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// The `file:` address of a path.
pub fn uri_of(path: &Path) -> Option<Uri> {
    let path = utf8_percent_encode(path.to_str()?, NOT_IN_PATHS);
    format!("file://{path}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_paths() {
        for (path, address) in
            [("/a/b.yaml", "file:///a/b.yaml"), ("/a b/ü#?.yaml", "file:///a%20b/ü%23%3F.yaml"), ("/100%", "file:///100%25")]
        {
            let uri = uri_of(Path::new(path)).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(path_of(&uri), Some(PathBuf::from(path)), "{address}");
        }
        let odd: Uri = "file://host/a%2Fb".parse().unwrap();
        assert_eq!(path_of(&odd), Some(PathBuf::from("/a/b")));
        let around: Uri = "file:///a/./b/../c.yaml".parse().unwrap();
        assert_eq!(path_of(&around), Some(PathBuf::from("/a/c.yaml")));
        let other: Uri = "untitled:x".parse().unwrap();
        assert_eq!(path_of(&other), None);
    }

    #[test]
    fn each_project_of_a_folder_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        write("one/campaignd.yaml", "project: one\n");
        let a = write("one/workflows/a.yaml", "workflow: a\n");
        write("two/campaignd.yaml", "project: two\n");
        let b = write("two/workflows/sub/b.yaml", "workflow: b\n");
        let outside = write("c.yaml", "");
        let mut workspace = Workspace::default();
        let found = |workspace: &mut Workspace, path: &Path| {
            workspace.file(&uri_of(path).unwrap()).map(|(project, file)| (project.root.clone(), file))
        };
        assert_eq!(found(&mut workspace, &a), Some((folder.path().join("one"), "workflows/a.yaml".to_owned())));
        assert_eq!(found(&mut workspace, &b), Some((folder.path().join("two"), "workflows/sub/b.yaml".to_owned())));
        assert_eq!(found(&mut workspace, &outside), None);
        assert_eq!(workspace.roots().len(), 2);
        assert_eq!(workspace.root_of(&b), Some(folder.path().join("two")));
        workspace.leave(&folder.path().join("one"), &[]);
        assert_eq!(workspace.roots(), [folder.path().join("two")]);
        workspace.leave(folder.path(), &[folder.path().to_owned()]);
        assert_eq!(workspace.roots().len(), 1);
    }

    #[test]
    fn what_the_editor_has_goes_before_the_disk() {
        let mut project = Project::default();
        project.reread(Arc::new(ProjectFiles::from_texts([
            ("workflows/a.yaml", "workflow: a\n"),
            ("workflows/b.yaml", "workflow: b\n"),
        ])));
        let names = |project: &Project| project.index.names(dsl::index::Kind::Workflow).into_keys().collect::<Vec<_>>().join(" ");
        assert_eq!(names(&project), "a b");
        let uri: Uri = "file:///p/workflows/a%2Eyaml".parse().unwrap();
        project.write("workflows/a.yaml", "workflow: x\n", 1, &uri);
        assert_eq!(project.uri("workflows/a.yaml"), Some(uri));
        assert_eq!((names(&project).as_str(), project.text("workflows/a.yaml")), ("b x", Some("workflow: x\n")));
        project.reread(Arc::new(ProjectFiles::from_texts([("workflows/a.yaml", "workflow: c\n")])));
        assert_eq!(names(&project), "x");
        project.close("workflows/a.yaml");
        assert_eq!(names(&project), "c");
    }
}
