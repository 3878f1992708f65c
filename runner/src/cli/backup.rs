//! `backup`: a consistent copy of the store, beside a runner that goes on.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::beside::Beside;
use super::output::print;
use super::{CouldNotRun, Exit, Outcome};
use crate::store::SqliteStore;

#[derive(clap::Args)]
pub struct Backup {
    /// The copy; it appears when it is whole
    file: PathBuf,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let store = Beside::place(given)?;
        if !store.is_file() {
            return Err(CouldNotRun(format!("there is nothing to back up: {} is not there yet", store.display())));
        }
        self.check_target(&store)?;
        let mut part = self.file.as_os_str().to_owned();
        part.push(format!(".part-{}", std::process::id()));
        let part = PathBuf::from(part);
        let done = SqliteStore::copy(&store, &part).map_err(CouldNotRun::from).and_then(|()| self.put(&part));
        if done.is_err() {
            // The reason is worth more than a second error about the same disk.
            let _ = fs::remove_file(&part);
        }
        done?;
        let size = fs::metadata(&self.file).map_or(0, |about| about.len());
        print(|out| writeln!(out, "{}: {size} bytes, checked", self.file.display()))?;
        Ok(Exit::Fine)
    }

    fn check_target(&self, store: &Path) -> Result<(), CouldNotRun> {
        let shown = self.file.display();
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            return Err(CouldNotRun(format!("{shown} cannot be written: there is no folder {}", folder.display())));
        }
        match fs::symlink_metadata(&self.file) {
            Err(_) => Ok(()),
            Ok(_) if is_of_the_store(&self.file, store) => {
                Err(CouldNotRun(format!("{shown} belongs to the store itself; name another file")))
            }
            Ok(about) if !about.is_file() => Err(CouldNotRun(format!("{shown} is no plain file; name another"))),
            Ok(_) if !self.force => Err(CouldNotRun(format!("{shown} is there already; --force replaces it"))),
            Ok(_) => Ok(()),
        }
    }

    /// Gives the whole copy its name, for good.
    fn put(&self, part: &Path) -> Result<(), CouldNotRun> {
        let shown = self.file.display();
        let cannot = |error: io::Error| CouldNotRun(format!("{shown} cannot be written: {error}"));
        if self.force {
            fs::rename(part, &self.file).map_err(cannot)?;
        } else {
            // A link refuses to take the place of a file that came meanwhile; some file systems have none.
            match fs::hard_link(part, &self.file) {
                Ok(()) => fs::remove_file(part).map_err(cannot)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(CouldNotRun(format!("{shown} is there already; --force replaces it")));
                }
                Err(_) => fs::rename(part, &self.file).map_err(cannot)?,
            }
        }
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)
    }
}

/// Whether it is the store, or one of the files that SQLite and the runner keep beside it: what was accepted last stands only there.
fn is_of_the_store(file: &Path, store: &Path) -> bool {
    let (Ok(file), Ok(store)) = (fs::canonicalize(file), fs::canonicalize(store)) else { return false };
    let beside = |ending: &str| {
        let mut name = store.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    ["", "-wal", "-shm", "-journal", ".lock"].into_iter().any(|ending| file == beside(ending))
}
