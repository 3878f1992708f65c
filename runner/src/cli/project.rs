//! Finding the project a command is about.

use std::path::{Path, PathBuf};

use super::CouldNotRun;

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
