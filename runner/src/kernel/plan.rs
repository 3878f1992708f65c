//! A plan: a catalog made ready to run. Made outside the kernel, without side effects, and put in force in one go.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::model::{Asset, Assets, Catalog, Definition};

use crate::channels::File;
use crate::engine::Program;
use crate::render::{RenderError, Rendered, Templates};
use crate::standing::Audience;

pub struct Plan {
    pub catalog: Arc<Catalog>,
    /// By workflow name.
    pub workflows: BTreeMap<String, Planned>,
    pub audience: Arc<Audience>,
}

#[derive(Clone)]
pub struct Planned {
    pub prepared: Arc<Prepared>,
    pub hash: String,
    pub canonical: Arc<str>,
}

/// A definition with its templates compiled.
pub struct Prepared {
    pub program: Program,
    pub templates: Templates,
    /// The bytes of the files that go with its messages.
    assets: Assets,
}

impl Prepared {
    /// `assets` has the bytes of the files that the definition names, and may have others.
    ///
    /// # Errors
    /// When a template does not compile; `validate` would have said so.
    pub fn new(definition: Arc<Definition>, assets: &Assets) -> Result<Prepared, RenderError> {
        let named = definition.assets().filter_map(|asset| assets.get_key_value(&asset.sha256));
        let assets = named.map(|(hash, bytes)| (hash.clone(), bytes.clone())).collect();
        Ok(Prepared { templates: Templates::compile(&definition)?, program: Program::new(definition), assets })
    }

    /// The files that go with a message made of it. The error is the message's reason to fail.
    pub fn files(&self, rendered: &Rendered) -> Result<Vec<File>, String> {
        let file = |asset: &Asset, shown: bool| {
            let bytes = self.assets.get(&asset.sha256).ok_or_else(|| {
                format!(
                    "the bytes of {} are not in the store any more: bring the file back, and `campaignd messages --resend`",
                    asset.path
                )
            })?;
            Ok(File {
                name: asset.file_name().to_owned(),
                media_type: asset.media_type.clone(),
                bytes: bytes.clone(),
                content_id: shown.then(|| asset.content_id()),
            })
        };
        let images = rendered.images.iter().map(|asset| file(asset, true));
        images.chain(rendered.attachments.iter().map(|asset| file(asset, false))).collect()
    }
}

impl Plan {
    /// Compiles what changed since `previous`; the rest is taken over.
    ///
    /// # Errors
    /// When a template does not compile; `validate` would have said so.
    pub fn new(catalog: Arc<Catalog>, previous: Option<&Plan>) -> Result<Plan, RenderError> {
        let mut workflows = BTreeMap::new();
        for (name, entry) in &catalog.workflows {
            let same = previous.and_then(|plan| plan.workflows.get(name)).filter(|planned| planned.hash == entry.hash.0);
            let planned = match same {
                Some(planned) => planned.clone(),
                None => Planned {
                    prepared: Arc::new(Prepared::new(entry.definition.clone(), &catalog.assets)?),
                    hash: entry.hash.0.clone(),
                    canonical: entry.canonical.clone(),
                },
            };
            workflows.insert(name.clone(), planned);
        }
        Ok(Plan { audience: Arc::new(Audience::new(&catalog)), catalog, workflows })
    }
}
