//! Finding the project a command is about.

use std::path::{Path, PathBuf};

use dsl::diagnostic::{Diagnostic, Severity};
use dsl::model::{Catalog, Settings};
use dsl::{Compiled, ProjectError, ProjectFiles, render};

use super::{CouldNotRun, output};

/// The folder given, else here or the nearest parent that holds a campaignd.yaml.
pub fn find(given: Option<PathBuf>) -> Result<PathBuf, CouldNotRun> {
    let holds = |dir: &Path| dir.join("campaignd.yaml").is_file();
    if let Some(dir) = given {
        return if holds(&dir) {
            Ok(dir)
        } else {
            Err(CouldNotRun(format!("{} holds no campaignd.yaml; name a project's folder with --project", dir.display())))
        };
    }
    let here = std::env::current_dir().map_err(|error| CouldNotRun(format!("the current folder cannot be read: {error}")))?;
    here.ancestors().find(|dir| holds(dir)).map(Path::to_path_buf).ok_or_else(|| {
        CouldNotRun(format!("no campaignd.yaml in {} or any folder above it; name a project with --project", here.display()))
    })
}

/// The project that a file belongs to, the nearest folder above it that holds a campaignd.yaml; and the file's path in there.
///
/// # Errors
/// When there is none, or no project reads such a file.
pub fn of_file(file: &Path) -> Result<(PathBuf, String), CouldNotRun> {
    let unread = |error: std::io::Error| CouldNotRun(format!("{} cannot be read: {error}", file.display()));
    let path = std::fs::canonicalize(file).map_err(unread)?;
    let root = path.ancestors().skip(1).find(|dir| dir.join("campaignd.yaml").is_file());
    let Some((root, inside)) = root.and_then(|root| Some((root, path.strip_prefix(root).ok()?))) else {
        return Err(CouldNotRun(format!("no folder above {} holds a campaignd.yaml: it belongs to no project", file.display())));
    };
    let inside: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let inside = inside.join("/");
    if !ProjectFiles::reads(&inside) {
        let message = "is no file of the project: those are campaignd.yaml, workflows/**/*.yaml, templates/**/*.hbs, schemas/**/*.json and tests/**/*.test.yaml";
        return Err(CouldNotRun(format!("{inside} {message}")));
    }
    Ok((root.to_path_buf(), inside))
}

/// A project that was read and compiled.
pub struct Project {
    pub root: PathBuf,
    pub files: ProjectFiles,
    pub compiled: Compiled,
}

/// Reads and compiles the project that a command is about. What is wrong inside its files is in the diagnostics.
///
/// # Errors
/// When there is none, or its settings cannot be read.
pub fn open(given: Option<PathBuf>) -> Result<Project, CouldNotRun> {
    read(given, ProjectFiles::read)
}

/// The same with the project's journey tests.
///
/// # Errors
/// As [`open`].
pub fn open_with_tests(given: Option<PathBuf>) -> Result<Project, CouldNotRun> {
    read(given, ProjectFiles::read_with_tests)
}

fn read(given: Option<PathBuf>, files: fn(&Path) -> Result<ProjectFiles, ProjectError>) -> Result<Project, CouldNotRun> {
    let root = find(given)?;
    let files = files(&root).map_err(|error| CouldNotRun(error.to_string()))?;
    let compiled = dsl::compile(&files);
    Ok(Project { root, files, compiled })
}

impl Project {
    /// The catalog. Of a project with errors there is none: they are printed on standard error.
    pub fn catalog(&self) -> Option<Catalog> {
        if self.compiled.catalog.is_none() {
            let errors: Vec<Diagnostic> =
                self.compiled.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).cloned().collect();
            output::note(render::human(&errors, &self.files, output::colour_on_stderr()).trim_end());
            output::note(&render::summary(&errors));
        }
        self.compiled.catalog.clone()
    }

    /// Where the project's store is.
    pub fn store(&self, settings: &Settings) -> PathBuf {
        self.root.join(&settings.store)
    }
}
