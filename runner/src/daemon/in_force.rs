//! What the store remembers of the project's files: what was loaded last, for whoever asks, and the last files that were good, for a start with broken ones.

use std::collections::BTreeMap;

use dsl::diagnostic::Diagnostic;
use dsl::model::ContentHash;
use dsl::{ProjectFiles, render};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{self, Store, StoreError};

const LOADED: &str = "runner";
const LAST_GOOD: &str = "last_good";
/// Before the path of a file whose bytes the store keeps under their hash.
const ASSET: &str = "asset:";

/// What the runner last loaded, as `status` shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Of what is in force ([`dsl::model::Catalog::hash`]).
    pub hash: Option<String>,
    /// RFC 3339, in the project's zone: when that was put in force.
    pub loaded_at: Option<String>,
    /// The files as they are now are wrong, and what was in force before stays.
    pub stale: bool,
    /// What is wrong with the files last seen, as `validate --format json` says it.
    pub diagnostics: Vec<Value>,
}

impl Loaded {
    /// # Errors
    /// Those of the store.
    pub fn find(store: &mut dyn Store) -> store::Result<Option<Loaded>> {
        let read = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| StoreError::Damaged { what: "record of what was loaded", why: error.to_string() })
        };
        store.property(LOADED)?.map(read).transpose()
    }

    /// As a note for the store.
    pub fn note(&self) -> (&'static str, String) {
        (LOADED, serde_json::json!(self).to_string())
    }
}

/// Diagnostics as `validate --format json` writes them.
pub fn as_json(diagnostics: &[Diagnostic]) -> Vec<Value> {
    // Diagnostics are texts and numbers: they always become JSON.
    render::json(diagnostics).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// The files of a project that compiled.
pub struct LastGood;

impl LastGood {
    /// # Errors
    /// Those of the store.
    pub fn find(store: &mut dyn Store) -> store::Result<Option<ProjectFiles>> {
        let Some(text) = store.property(LAST_GOOD)? else { return Ok(None) };
        let texts: BTreeMap<String, String> = serde_json::from_str(&text)
            .map_err(|error| StoreError::Damaged { what: "copy of the last good files", why: error.to_string() })?;
        let (assets, texts): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(path, _)| path.starts_with(ASSET));
        let mut files = ProjectFiles::from_texts(texts);
        for (path, hash) in assets {
            if let Some(bytes) = store.asset(&hash)? {
                files = files.with_asset(path.trim_start_matches(ASSET), &bytes);
            }
        }
        Ok(Some(files))
    }

    /// As a note for the store.
    pub fn note(files: &ProjectFiles) -> (&'static str, String) {
        let texts = files.paths().filter_map(|path| Some((path.to_owned(), files.text(path)?.to_owned())));
        let assets = files.assets().iter().map(|(path, bytes)| (format!("{ASSET}{path}"), ContentHash::of_bytes(bytes).0));
        let texts: BTreeMap<String, String> = texts.chain(assets).collect();
        (LAST_GOOD, serde_json::json!(texts).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SqliteStore;

    #[test]
    fn comes_back_from_the_store_as_it_was() {
        let files = ProjectFiles::from_texts([("campaignd.yaml", "project: \"ä\"\n"), ("workflows/a.yaml", "x: 1")]);
        let files = files.with_asset("templates/logo.png", b"\x89PNG");
        let loaded = Loaded { hash: Some("h".to_owned()), stale: true, ..Loaded::default() };
        let mut store = SqliteStore::in_memory().unwrap();
        assert_eq!(Loaded::find(&mut store).unwrap(), None);
        assert!(LastGood::find(&mut store).unwrap().is_none());
        store.begin().unwrap();
        for (name, text) in [loaded.note(), LastGood::note(&files)] {
            store.set_property(name, &text).unwrap();
        }
        store.put_asset(&ContentHash::of_bytes(b"\x89PNG").0, b"\x89PNG").unwrap();
        store.commit().unwrap();
        assert_eq!(Loaded::find(&mut store).unwrap(), Some(loaded));
        assert_eq!(LastGood::find(&mut store).unwrap().unwrap().hash(), files.hash());
    }
}
