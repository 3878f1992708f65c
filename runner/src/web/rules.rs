//! What is in force for the HTTP interface: the write keys, and what data is held against. Follows a reload.

use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use dsl::model::Catalog;
use sha2::{Digest, Sha256};

use super::bounces::{Hook, HookError, Hooks};
use super::pages::Theme;
use crate::ingest::Expected;
use crate::secrets::{SecretError, Secrets};

/// Why there are no rules.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Webhook(#[from] HookError),
    #[error("one of http.keys is empty; give it a value, or remove it")]
    EmptyKey,
}

/// Read by every request, replaced by a reload.
pub type InForce = ArcSwap<Rules>;

pub struct Rules {
    pub expected: Expected,
    pub keys: Keys,
    /// What stands around the pages.
    pub theme: Theme,
    /// Webhooks that tell of bounces.
    pub hooks: Hooks,
}

impl Rules {
    /// # Errors
    /// When a key is nowhere to be found, empty, or not what a provider gives.
    pub fn of(catalog: &Catalog, secrets: &Secrets) -> Result<Rules, RulesError> {
        let settings = &catalog.settings;
        let keys = settings.http.keys.iter().map(|key| secrets.resolve(key, "http.keys"));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.iter().any(String::is_empty) {
            return Err(RulesError::EmptyKey);
        }
        Ok(Rules {
            expected: Expected::of(catalog),
            keys: Keys::new(&keys),
            theme: Theme::of(catalog),
            hooks: Hook::all(settings, secrets)?,
        })
    }
}

/// The write keys, as hashes: of one length, so that comparing them tells nothing.
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    pub fn new(keys: &[String]) -> Keys {
        Keys(keys.iter().map(|key| Sha256::digest(key).into()).collect())
    }

    /// None were set.
    pub fn none(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes the same time whatever is given.
    pub fn know(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.0.iter().fold(false, |known, key| known | verify_slices_are_equal(key, &given).is_ok())
    }
}
