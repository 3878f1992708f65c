//! From checked parts to the catalog: each workflow with everything it needs, under its content's hash.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::contract::Contract;
use crate::halves::in_halves;
use crate::lower::{Unit, WorkflowUnit};
use crate::model::{Assets, Catalog, CatalogEntry, Condition, ContentHash, Definition, Settings, StepKind, Trait};
use crate::project::{ProjectFiles, SETTINGS};
use crate::template::Library;

/// Builds the catalog; `None` only if a definition could not be written as JSON.
pub(super) fn build(
    settings: &Settings,
    files: &ProjectFiles,
    units: &[Unit],
    library: &Library,
    contract: Arc<Contract>,
) -> Option<Catalog> {
    let segments: BTreeMap<String, Condition> =
        units.iter().flat_map(|unit| &unit.segments).map(|segment| (segment.name.clone(), segment.condition.clone())).collect();
    let parts = in_halves(units, |units| {
        units
            .iter()
            .filter_map(|unit| unit.workflow.as_ref().map(|workflow| (unit, workflow)))
            .map(|(unit, workflow)| Some((workflow.model.name.clone(), entry(&unit.file, workflow, &segments, library)?)))
            .collect::<Option<Vec<_>>>()
    });
    let workflows: BTreeMap<String, CatalogEntry> =
        parts.into_iter().collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
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
    whole.push_str(&serde_json::to_string(&(&segments, &backfill, &traits)).ok()?);
    let pages = Arc::new(library.pages.clone());
    if !pages.is_empty() {
        whole.push_str(&serde_json::to_string(&pages).ok()?);
    }
    let hash = ContentHash::of(&whole);
    let named: BTreeSet<&str> =
        workflows.values().flat_map(|entry| entry.definition.assets()).map(|asset| asset.sha256.as_str()).collect();
    let assets = files.assets().values().map(|bytes| (ContentHash::of_bytes(bytes).0, bytes.clone()));
    let assets: Assets = assets.filter(|(hash, _)| named.contains(hash.as_str())).collect();
    Some(Catalog { settings: Arc::new(settings.clone()), workflows, segments, backfill, traits, pages, contract, assets, hash })
}

fn entry(file: &str, unit: &WorkflowUnit, shared: &BTreeMap<String, Condition>, library: &Library) -> Option<CatalogEntry> {
    let mut templates = unit.inline.clone();
    for step in &unit.model.steps {
        if let StepKind::Send(send) = &step.kind
            && !send.inline
            && let Some(template) = library.templates.get(&send.template)
        {
            templates.insert(send.template.clone(), template.clone());
        }
    }
    let names: BTreeSet<String> = templates.values().flat_map(|template| library.partials_of(template)).collect();
    let partials =
        names.into_iter().filter_map(|name| library.partial(&name).map(|text| (name.clone(), text.to_owned()))).collect();
    let definition = Definition { workflow: unit.model.clone(), segments: needed(unit, shared), templates, partials };
    let canonical = definition.canonical().ok()?;
    Some(CatalogEntry {
        hash: ContentHash::of(&canonical),
        definition: Arc::new(definition),
        canonical: canonical.into(),
        file: file.to_owned(),
        step_lines: unit.step_lines.clone(),
    })
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
