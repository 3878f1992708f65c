//! A project's store as the operator's commands see it: beside a runner that may be running, or without one.

use std::path::{Path, PathBuf};

use dsl::ProjectFiles;
use dsl::model::{Catalog, Settings};

use super::{CouldNotRun, project};
use crate::clock::{Clock, WallClock};
use crate::daemon::LastGood;
use crate::store::{InboxItem, SqliteStore, Store, StoreError};

/// Where the store is when campaignd.yaml is too broken to say.
const USUAL_STORE: &str = "state/campaignd.db";

const SETTINGS: &str = "campaignd.yaml";

pub struct Beside {
    pub root: PathBuf,
    pub settings: Settings,
    /// `None`: nothing has been stored yet.
    pub store: Option<SqliteStore>,
    path: PathBuf,
}

impl From<StoreError> for CouldNotRun {
    fn from(error: StoreError) -> CouldNotRun {
        CouldNotRun(error.to_string())
    }
}

impl Beside {
    /// Opens what the project has. With a campaignd.yaml that is wrong, the settings are those that the runner last found good.
    pub fn open(given: Option<PathBuf>) -> Result<Beside, CouldNotRun> {
        let root = project::find(given)?;
        let written = settings(&root)?;
        let path = root.join(written.as_ref().map_or(USUAL_STORE, |settings| &settings.store));
        let mut store = open(&path)?;
        let settings = match (written, &mut store) {
            (Some(settings), _) => Some(settings),
            (None, Some(store)) => LastGood::find(store)?.and_then(|files| dsl::compile(&files).settings),
            (None, None) => None,
        };
        match settings {
            Some(settings) => Ok(Beside { root, settings, store, path }),
            None => {
                let file = root.join(SETTINGS);
                Err(CouldNotRun(format!("{} is wrong; `campaignd validate` says what", file.display())))
            }
        }
    }

    /// Where a project's store is, or would be, without opening it.
    pub fn place(given: Option<PathBuf>) -> Result<PathBuf, CouldNotRun> {
        let root = project::find(given)?;
        let settings = settings(&root)?;
        Ok(root.join(settings.as_ref().map_or(USUAL_STORE, |settings| &settings.store)))
    }

    /// Where the store is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The project's files as they are, compiled. `None`: they have errors.
    pub fn catalog(&self) -> Result<Option<Catalog>, CouldNotRun> {
        let files = ProjectFiles::read(&self.root).map_err(|error| CouldNotRun(error.to_string()))?;
        Ok(dsl::compile(&files).catalog)
    }

    /// The project's files compiled; while they are wrong, those that the runner last found good. `None`: there are none such.
    pub fn catalog_in_force(&mut self) -> Result<Option<Catalog>, CouldNotRun> {
        if let Some(catalog) = self.catalog()? {
            return Ok(Some(catalog));
        }
        let Some(store) = &mut self.store else { return Ok(None) };
        Ok(LastGood::find(store)?.and_then(|files| dsl::compile(&files).catalog))
    }

    /// Leaves something for the runner to do; in a store that is made if need be.
    pub fn leave(&mut self, item: &InboxItem) -> Result<(), CouldNotRun> {
        let store = self.store_made()?;
        store.begin()?;
        let left = store.push_inbox(item, WallClock.now()).and_then(|()| store.commit());
        if left.is_err() {
            store.rollback();
        }
        Ok(left?)
    }

    /// The store, made if need be.
    pub fn store_made(&mut self) -> Result<&mut SqliteStore, CouldNotRun> {
        if self.store.is_none() {
            // Made and let go of at once, so that a runner can start.
            drop(SqliteStore::open(&self.path)?);
        }
        let store = match self.store.take() {
            Some(store) => store,
            None => SqliteStore::open_beside(&self.path)?,
        };
        Ok(self.store.insert(store))
    }
}

/// As campaignd.yaml has them; `None`: they are wrong.
fn settings(root: &Path) -> Result<Option<Settings>, CouldNotRun> {
    let file = root.join(SETTINGS);
    let text =
        std::fs::read_to_string(&file).map_err(|error| CouldNotRun(format!("{} cannot be read: {error}", file.display())))?;
    Ok(dsl::compile(&ProjectFiles::from_texts([(SETTINGS, text)])).settings)
}

fn open(path: &Path) -> Result<Option<SqliteStore>, CouldNotRun> {
    if path.is_file() { Ok(Some(SqliteStore::open_beside(path)?)) } else { Ok(None) }
}
