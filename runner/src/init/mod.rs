//! A new project: a small one that validates, whose tests pass, and that runs as it is.
//!
//! It is either whole or not there: everything is written beside its place first, and moved there in the end.

mod files;
mod place;

use std::io;
use std::path::{Path, PathBuf};

pub use files::{Checks, File, files};

/// What was made.
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    /// The project's name: the folder's, in the form names have.
    pub name: String,
    /// The files that were written, below the folder.
    pub written: Vec<String>,
    /// Hidden files that were there before, and were left as they are.
    pub kept: Vec<String>,
}

/// Why no project was made. Nothing of it is there then.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A project must not be mixed with something else.
    #[error("{} is not empty (it has {found}); name a new folder, or one with nothing but hidden files in it, such as .git", folder.display())]
    NotEmpty { folder: PathBuf, found: String },
    /// There is a file of that name.
    #[error("{} is not a folder; name a new one", .0.display())]
    NotAFolder(PathBuf),
    /// The disk does not let us.
    #[error("{} cannot be made: {source}; nothing was left behind", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Makes a project in `folder`, which must not be there yet, or hold nothing but hidden files.
///
/// # Errors
/// When there is something else in it, or it cannot be written.
pub fn create(folder: &Path, checks: Checks) -> Result<Made, InitError> {
    let name = name_of(folder);
    let files = files(&name, checks);
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|source| InitError::Io { path: folder.to_owned(), source })?;
                let found = entry.file_name().to_string_lossy().into_owned();
                if !found.starts_with('.') {
                    return Err(InitError::NotEmpty { folder: folder.to_owned(), found });
                }
            }
            let kept = place::among(folder, &files)?;
            let written = files.into_iter().map(|file| file.path).filter(|path| !kept.contains(path)).collect();
            Ok(Made { name, written, kept })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            place::fresh(folder, &files)?;
            Ok(Made { name, written: files.into_iter().map(|file| file.path).collect(), kept: Vec::new() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(InitError::NotAFolder(folder.to_owned())),
        Err(source) => Err(InitError::Io { path: folder.to_owned(), source }),
    }
}

/// The name that a project in this folder has: the folder's own, in the form that names have (small letters and digits of ASCII, with - between
/// words, a letter first).
fn name_of(folder: &Path) -> String {
    let whole = std::fs::canonicalize(folder).or_else(|_| std::path::absolute(folder)).unwrap_or_else(|_| folder.to_owned());
    let called = whole.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let words: Vec<&str> = called.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    match words.first() {
        None => "campaigns".to_owned(),
        Some(first) if first.starts_with(|letter: char| letter.is_ascii_digit()) => format!("campaigns-{}", words.join("-")),
        Some(_) => words.join("-"),
    }
}

#[cfg(test)]
mod tests;
