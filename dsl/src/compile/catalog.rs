//! From checked parts to the catalog: each workflow with everything it needs, under its content's hash.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::halves::in_halves;
use super::limits::{DEFINITIONS, too_large};
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::lower::{Unit, WorkflowUnit};
use crate::model::{Assets, Catalog, CatalogEntry, Condition, ContentHash, Definition, Settings, StepKind, Trait};
use crate::project::{ProjectFiles, SETTINGS};
use crate::template::Library;

/// Builds the catalog; `None` only if a definition could not be written as JSON.
///
/// # Errors
/// When the definitions are too large together.
pub(super) fn build(
    settings: &Settings,
    files: &ProjectFiles,
    units: &[Unit],
    library: &Library,
    contract: Arc<Contract>,
) -> Result<Option<Catalog>, Diagnostic> {
    let segments: BTreeMap<String, Condition> =
        units.iter().flat_map(|unit| &unit.segments).map(|segment| (segment.name.clone(), segment.condition.clone())).collect();
    let parts = in_halves(units, |units| {
        let mut entries = Entries { shared: &segments, library, partials: HashMap::new(), size: 0 };
        let mut made = Vec::new();
        for unit in units {
            let Some(workflow) = &unit.workflow else { continue };
            let before = entries.size;
            let entry = entries.entry(&unit.file, workflow);
            made.push((unit.file.clone(), entries.size - before, workflow.model.name.clone(), entry));
            // Then the whole is too large as well.
            if entries.size > DEFINITIONS {
                break;
            }
        }
        made
    });
    let mut size = 0;
    let mut workflows: BTreeMap<String, CatalogEntry> = BTreeMap::new();
    for (file, own, name, entry) in parts.into_iter().flatten() {
        size += own;
        if size > DEFINITIONS {
            let message = format!(
                "with this file, all workflows, each with what it needs of templates, partials and segments, are larger than {} MiB",
                DEFINITIONS / 1024 / 1024
            );
            return Err(too_large(&file, message));
        }
        let Some(entry) = entry else { return Ok(None) };
        workflows.insert(name, entry);
    }
    let mut whole = String::from(files.text(SETTINGS).unwrap_or_default());
    for (name, entry) in &workflows {
        whole.push_str(&format!("\n{name} {}", entry.hash.0));
    }
    let backfill: BTreeSet<String> = units
        .iter()
        .flat_map(|unit| &unit.segments)
        .filter(|segment| segment.backfill)
        .map(|segment| segment.name.clone())
        .collect();
    let traits: BTreeMap<String, Trait> =
        units.iter().flat_map(|unit| &unit.traits).map(|unit| (unit.name.clone(), unit.model.clone())).collect();
    let Ok(shared) = serde_json::to_string(&(&segments, &backfill, &traits)) else { return Ok(None) };
    whole.push_str(&shared);
    let pages = Arc::new(library.pages.clone());
    if !pages.is_empty() {
        let Ok(pages) = serde_json::to_string(&pages) else { return Ok(None) };
        whole.push_str(&pages);
    }
    let hash = ContentHash::of(&whole);
    let named: BTreeSet<&str> =
        workflows.values().flat_map(|entry| entry.definition.assets()).map(|asset| asset.sha256.as_str()).collect();
    let assets = files.assets().values().map(|bytes| (ContentHash::of_bytes(bytes).0, bytes.clone()));
    let assets: Assets = assets.filter(|(hash, _)| named.contains(hash.as_str())).collect();
    let settings = Arc::new(settings.clone());
    Ok(Some(Catalog { settings, workflows, segments, backfill, traits, pages, contract, assets, hash }))
}

/// What definitions are made of.
struct Entries<'a> {
    shared: &'a BTreeMap<String, Condition>,
    library: &'a Library,
    /// The names of the partials that each template needs: the same is sent by many.
    partials: HashMap<&'a str, BTreeSet<String>>,
    /// About how many bytes were made.
    size: usize,
}

impl<'a> Entries<'a> {
    fn entry(&mut self, file: &str, unit: &'a WorkflowUnit) -> Option<CatalogEntry> {
        let library = self.library;
        let mut templates = unit.inline.clone();
        let mut names: BTreeSet<String> = unit.inline.values().flat_map(|template| library.partials_of(template)).collect();
        for step in &unit.model.steps {
            if let StepKind::Send(send) = &step.kind
                && !send.inline
                && !templates.contains_key(&send.template)
                && let Some(template) = library.templates.get(&send.template)
            {
                let partials = self.partials.entry(&send.template).or_insert_with(|| library.partials_of(template));
                names.extend(partials.iter().cloned());
                templates.insert(send.template.clone(), template.clone());
            }
        }
        let partials =
            names.into_iter().filter_map(|name| library.partial(&name).map(|text| (name.clone(), text.to_owned()))).collect();
        let segments = needed(unit, self.shared);
        let definition = Definition { workflow: unit.model.clone(), segments, templates, partials };
        let canonical = definition.canonical().ok()?;
        self.size += canonical.len();
        Some(CatalogEntry {
            hash: ContentHash::of(&canonical),
            definition: Arc::new(definition),
            canonical: canonical.into(),
            file: file.to_owned(),
            step_lines: unit.step_lines.clone(),
        })
    }
}

/// The segments that the workflow names, directly or through others.
fn needed(unit: &WorkflowUnit, shared: &BTreeMap<String, Condition>) -> BTreeMap<String, Condition> {
    let mut needed = BTreeMap::new();
    let mut open: Vec<String> = unit.notes.segments.iter().map(|named| named.name.clone()).collect();
    while let Some(name) = open.pop() {
        if needed.contains_key(&name) {
            continue;
        }
        if let Some(condition) = shared.get(&name) {
            named_in(condition, &mut open);
            needed.insert(name, condition.clone());
        }
    }
    needed
}

fn named_in(condition: &Condition, names: &mut Vec<String>) {
    if let Condition::Segment(name) = condition {
        names.push(name.clone());
    }
    condition.inside().for_each(|part| named_in(part, names));
}
