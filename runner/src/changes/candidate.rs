//! Definitions as they travel to a runner that is asked what they would change: without secrets, and without the bytes of files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsl::contract::Contract;
use dsl::model::{Assets, Catalog, CatalogEntry, Condition, ContentHash, Definition, Deliver, Secret, Settings, Trait, Webhook};
use serde::{Deserialize, Serialize};

/// A project's definitions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Candidate {
    pub settings: Settings,
    pub workflows: BTreeMap<String, Definition>,
    pub segments: BTreeMap<String, Condition>,
    pub backfill: BTreeSet<String>,
    pub traits: BTreeMap<String, Trait>,
    pub hash: ContentHash,
}

impl Candidate {
    pub fn of(catalog: &Catalog) -> Candidate {
        Candidate {
            settings: without_secrets(&catalog.settings),
            workflows: catalog
                .workflows
                .iter()
                .map(|(name, entry)| (name.clone(), Definition::clone(&entry.definition)))
                .collect(),
            segments: catalog.segments.clone(),
            backfill: catalog.backfill.clone(),
            traits: catalog.traits.clone(),
            hash: catalog.hash.clone(),
        }
    }

    /// As a catalog that can be planned with, and not run.
    ///
    /// # Errors
    /// When a definition cannot be written as JSON.
    pub fn catalog(self) -> Result<Catalog, serde_json::Error> {
        let mut workflows = BTreeMap::new();
        for (name, definition) in self.workflows {
            let canonical = definition.canonical()?;
            let entry = CatalogEntry {
                hash: ContentHash::of(&canonical),
                definition: Arc::new(definition),
                canonical: canonical.into(),
                file: String::new(),
                step_lines: BTreeMap::new(),
            };
            workflows.insert(name, entry);
        }
        Ok(Catalog {
            settings: Arc::new(self.settings),
            workflows,
            segments: self.segments,
            backfill: self.backfill,
            traits: self.traits,
            pages: Arc::default(),
            contract: Arc::new(Contract::default()),
            assets: Assets::new(),
            hash: self.hash,
        })
    }
}

/// What a plan does not need to know stays at home.
fn without_secrets(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    for channel in settings.channels.values_mut() {
        channel.dkim.clear();
        channel.deliver = match &channel.deliver {
            Deliver::Smtp(_) => Deliver::Smtp(Secret(String::new())),
            Deliver::Preset(preset, _) => Deliver::Preset(*preset, BTreeMap::new()),
            Deliver::Http(http) => {
                let mut http = http.clone();
                http.url = Secret(String::new());
                http.headers.clear();
                http.body = dsl::model::DeliveryBody::Form(BTreeMap::new());
                http.sign = None;
                Deliver::Http(http)
            }
            Deliver::Outbox(folder) => Deliver::Outbox(folder.clone()),
            Deliver::Null => Deliver::Null,
        };
    }
    settings.http.keys.clear();
    settings.secrets.clear();
    let keyless = |webhook: &Webhook| Webhook { key: None, ..webhook.clone() };
    settings.bounces.webhooks =
        settings.bounces.webhooks.iter().map(|(name, webhook)| (name.clone(), keyless(webhook))).collect();
    settings
}
