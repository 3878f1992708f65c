//! The definition: one workflow with everything it needs to run on its own, under its content's hash; and the catalog of
//! all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Condition, Settings, Trait, Workflow};
use crate::contract::Contract;

/// One workflow, the segments it names (directly or through other segments) and the messages it sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    pub workflow: Workflow,
    /// Every segment that a condition in here names.
    pub segments: BTreeMap<String, Condition>,
    /// Every message that a step in here sends: by template name, or by step id for inline messages.
    pub templates: BTreeMap<String, TemplateSource>,
    /// Partials that these templates use, by name.
    pub partials: BTreeMap<String, String>,
}

/// A message as written, read and checked but not compiled for rendering. Sources are Handlebars: MJML is HTML by now, styles stand on their
/// elements, and files that go with it are named with their content's hash.
///
/// What stands here directly is the variant without a locale; all of it may be missing where there are only [`TemplateSource::locales`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct TemplateSource {
    /// `None`: email.
    pub channel: Option<String>,
    pub subject: Option<String>,
    pub preheader: Option<String>,
    pub topic: Option<String>,
    /// Names that `with` must give.
    pub needs: Vec<String>,
    pub html: Option<Part>,
    pub text: Option<Part>,
    /// Plain-text bodies of channels other than email, by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bodies: BTreeMap<String, String>,
    /// Files that are attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Asset>,
    /// Images that the HTML part shows as `cid:` addresses ([`Asset::content_id`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Asset>,
    /// Every link's `utm_*` parameters, by name without `utm_`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub utm: BTreeMap<String, String>,
    /// The same message in other languages, by locale in its canonical writing (`de`, `pt-BR`, `zh-Hans`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locales: BTreeMap<String, LocaleVariant>,
}

/// A message in one language, complete: what its files left unsaid has been filled in from the variant that it falls back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct LocaleVariant {
    pub subject: Option<String>,
    pub preheader: Option<String>,
    pub html: Option<Part>,
    pub text: Option<Part>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bodies: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Asset>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Asset>,
}

/// A file under templates/ that goes with a message. Its bytes are kept beside the definitions, under their hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asset {
    /// Relative to templates/.
    pub path: String,
    pub media_type: String,
    /// In bytes.
    pub size: u64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
}

/// One body of a message and the layout around it (where `{{{body}}}` stands for the body).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub source: String,
    pub layout: Option<String>,
}

/// SHA-256 over the canonical JSON of a definition, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContentHash(pub String);

impl Definition {
    /// The canonical text that is stored and hashed: JSON with sorted keys.
    pub fn canonical(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&serde_json::to_value(self)?)
    }
}

impl Asset {
    /// What an address of the HTML part names it by, without `cid:` and angle brackets (RFC 2392): the same wherever its bytes are the same.
    pub fn content_id(&self) -> String {
        format!("{}@campaignd.invalid", self.sha256.get(..32).unwrap_or(&self.sha256))
    }

    /// The last part of its path.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl ContentHash {
    pub fn of_bytes(bytes: &[u8]) -> ContentHash {
        ContentHash(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub fn of(text: &str) -> ContentHash {
        ContentHash::of_bytes(text.as_bytes())
    }
}

/// The bytes of files that go with messages, by their SHA-256 in hexadecimal.
pub type Assets = BTreeMap<String, Arc<[u8]>>;

impl Definition {
    /// Every file that goes with one of its messages.
    pub fn assets(&self) -> impl Iterator<Item = &Asset> {
        self.templates.values().flat_map(|template| {
            let variants = template.locales.values().flat_map(|variant| variant.attachments.iter().chain(&variant.images));
            template.attachments.iter().chain(&template.images).chain(variants)
        })
    }
}

/// A whole project, compiled: immutable and content-addressed.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub settings: Arc<Settings>,
    /// By workflow name.
    pub workflows: BTreeMap<String, CatalogEntry>,
    /// Every shared segment of the project, used or not. That of a static one is [`Condition::Listed`].
    pub segments: BTreeMap<String, Condition>,
    /// Segments that say `backfill: true`: after an edit, `enter` fires also for those who match already.
    pub backfill: BTreeSet<String>,
    /// Every trait of the project, by name.
    pub traits: BTreeMap<String, Trait>,
    /// The page around the runner's own pages, by language (`de`, `zh-hans`); empty: every language. Handlebars over `title`, `content`, `lang` and
    /// `project`.
    pub pages: Arc<BTreeMap<String, String>>,
    pub contract: Arc<Contract>,
    /// The bytes of every file that a definition names.
    pub assets: Assets,
    /// Over the settings' text and every definition's hash: changes when anything that matters changes.
    pub hash: ContentHash,
}

#[derive(Debug, Clone)]
pub struct CatalogEntry {
    pub definition: Arc<Definition>,
    pub hash: ContentHash,
    /// [`Definition::canonical`].
    pub canonical: Arc<str>,
    /// The file the workflow is written in, relative to the project.
    pub file: String,
    /// The line of each step, by step id, counted from 1.
    pub step_lines: BTreeMap<String, usize>,
}
