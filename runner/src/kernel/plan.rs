//! A plan: a catalog made ready to run. Made outside the kernel, without side effects, and put in force in one go.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::model::{Catalog, Definition};

use crate::engine::Program;
use crate::render::{RenderError, Templates};
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
}

impl Prepared {
    /// # Errors
    /// When a template does not compile; `validate` would have said so.
    pub fn new(definition: Arc<Definition>) -> Result<Prepared, RenderError> {
        Ok(Prepared { templates: Templates::compile(&definition)?, program: Program::new(definition) })
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
                    prepared: Arc::new(Prepared::new(entry.definition.clone())?),
                    hash: entry.hash.0.clone(),
                    canonical: entry.canonical.clone(),
                },
            };
            workflows.insert(name.clone(), planned);
        }
        Ok(Plan { audience: Arc::new(Audience::new(&catalog)), catalog, workflows })
    }
}
