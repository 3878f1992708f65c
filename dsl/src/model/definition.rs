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

/// A message as written, read and checked but not compiled for rendering. Sources are Handlebars.
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

impl ContentHash {
    pub fn of(text: &str) -> ContentHash {
        ContentHash(Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
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
