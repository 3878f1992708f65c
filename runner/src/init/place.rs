//! Putting files where they belong, all of them or none.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{File, InitError};

/// Makes a folder with these files, in one step: it is there with all of them, or not at all.
///
/// # Errors
/// When it cannot be made, or is there meanwhile and not empty.
pub fn fresh(folder: &Path, files: &[File]) -> Result<(), InitError> {
    let made = match folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => make_folders(parent)?,
        None => Vec::new(),
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let staging = folder.with_file_name(format!(".{name}.campaignd-init-{}", std::process::id()));
    let done = stage(&staging, files).and_then(|()| fs::rename(&staging, folder).map_err(|source| io_at(folder, source)));
    if done.is_err() {
        // What cannot be removed either is hidden, and says by its name what it was.
        let _ = fs::remove_dir_all(&staging);
        remove_folders(&made);
    }
    done
}

/// Puts the files into a folder that is there, in their order, and leaves alone what is there already: its paths are given. When one cannot be put
/// there, those that were are taken away again.
///
/// # Errors
/// When a file or folder cannot be made.
pub fn among(folder: &Path, files: &[File]) -> Result<Vec<String>, InitError> {
    let staging = folder.join(format!(".campaignd-init-{}", std::process::id()));
    let mut moved = Vec::new();
    let mut made = Vec::new();
    let done = stage(&staging, files).and_then(|()| {
        let mut kept = Vec::new();
        for file in files {
            let target = folder.join(&file.path);
            if fs::symlink_metadata(&target).is_ok() {
                kept.push(file.path.clone());
                continue;
            }
            if let Some(parent) = target.parent() {
                made.extend(make_folders(parent)?);
            }
            fs::rename(staging.join(&file.path), &target).map_err(|source| io_at(&target, source))?;
            moved.push(target);
        }
        Ok(kept)
    });
    let _ = fs::remove_dir_all(&staging);
    if done.is_err() {
        for path in &moved {
            let _ = fs::remove_file(path);
        }
        remove_folders(&made);
    }
    done
}

/// Writes the files into a new folder.
fn stage(staging: &Path, files: &[File]) -> Result<(), InitError> {
    fs::create_dir(staging).map_err(|source| io_at(staging, source))?;
    for file in files {
        let path = staging.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|source| io_at(parent, source))?;
        }
        fs::write(&path, &file.text).map_err(|source| io_at(&path, source))?;
    }
    Ok(())
}

/// Makes a folder and those above it, and gives the ones that were not there, the outermost first.
fn make_folders(folder: &Path) -> Result<Vec<PathBuf>, InitError> {
    let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
    let mut made: Vec<PathBuf> = folder.ancestors().take_while(missing).map(Path::to_path_buf).collect();
    made.reverse();
    for (index, path) in made.iter().enumerate() {
        if let Err(source) = fs::create_dir(path) {
            remove_folders(&made[..index]);
            return Err(io_at(path, source));
        }
    }
    Ok(made)
}

/// Removes folders that were made and are empty, the innermost first.
fn remove_folders(made: &[PathBuf]) {
    for path in made.iter().rev() {
        let _ = fs::remove_dir(path);
    }
}

fn io_at(path: &Path, source: io::Error) -> InitError {
    InitError::Io { path: path.to_owned(), source }
}
