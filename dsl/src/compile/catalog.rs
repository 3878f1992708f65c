//! From checked parts to the catalog: each workflow with everything it needs, under its content's hash.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::limits::{self, DEFINITIONS};
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::halves::in_halves;
use crate::lower::{Unit, WorkflowUnit};
use crate::model::{
    Assets, Catalog, CatalogEntry, Condition, ContentHash, Definition, Settings, StepKind, TemplateSource, Trait,
};
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
        let mut partials = Partials::new(library);
        units
            .iter()
            .filter_map(|unit| unit.workflow.as_ref().map(|workflow| (unit, workflow)))
            .map(|(unit, workflow)| Some((workflow.model.name.clone(), entry(&unit.file, workflow, &segments, &mut partials)?)))
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

/// The names of the partials that each template needs: the same is sent by many.
struct Partials<'a> {
    library: &'a Library,
    known: HashMap<&'a str, BTreeSet<String>>,
}

impl<'a> Partials<'a> {
    fn new(library: &'a Library) -> Partials<'a> {
        Partials { library, known: HashMap::new() }
    }

    fn of(&mut self, name: &'a str, template: &TemplateSource) -> &BTreeSet<String> {
        self.known.entry(name).or_insert_with(|| self.library.partials_of(template))
    }
}

/// The templates that a workflow sends, each once.
fn sent<'a>(unit: &'a WorkflowUnit, library: &'a Library) -> impl Iterator<Item = (&'a str, &'a TemplateSource)> {
    let mut seen = HashSet::new();
    unit.model.steps.iter().filter_map(move |step| match &step.kind {
        StepKind::Send(send) if !send.inline && seen.insert(send.template.as_str()) => {
            library.templates.get_key_value(&send.template).map(|(name, template)| (name.as_str(), template))
        }
        _ => None,
    })
}

/// The workflow with which all of them, each with what it needs, become too large, if any does.
pub(super) fn too_large(units: &[Unit], library: &Library) -> Option<Diagnostic> {
    let workflows = || units.iter().filter_map(|unit| unit.workflow.as_ref().map(|workflow| (unit, workflow)));
    let segments: BTreeMap<&str, &Condition> =
        units.iter().flat_map(|unit| &unit.segments).map(|segment| (segment.name.as_str(), &segment.condition)).collect();
    let own = |workflow: &WorkflowUnit| {
        let inline = workflow.inline.values().map(|template| library.size(template)).sum::<usize>();
        inline + sent(workflow, library).map(|(_, template)| library.size(template)).sum::<usize>()
    };
    // Hardly any project comes near, even if every workflow needed everything.
    let shared = library.partials.values().map(String::len).sum::<usize>() + segments.len() * SEGMENT;
    let most = workflows().map(|(_, workflow)| own(workflow).saturating_add(shared)).fold(0, usize::saturating_add);
    if most <= DEFINITIONS {
        return None;
    }
    let mut partials = Partials::new(library);
    let mut sum: usize = 0;
    workflows().find_map(|(unit, workflow)| {
        let mut names: BTreeSet<String> = workflow.inline.values().flat_map(|template| library.partials_of(template)).collect();
        for (name, template) in sent(workflow, library) {
            names.extend(partials.of(name, template).iter().cloned());
        }
        let pulled = names.iter().filter_map(|name| library.partial(name)).map(str::len).sum::<usize>();
        sum = sum.saturating_add(own(workflow) + pulled + needed_names(workflow, &segments).len() * SEGMENT);
        (sum > DEFINITIONS).then(|| {
            let mebibytes = DEFINITIONS / 1024 / 1024;
            let message = format!(
                "with this file, all workflows, each with what it needs of templates, partials and segments, are larger than {mebibytes} MiB"
            );
            limits::too_large(&unit.file, message)
        })
    })
}

/// About how large a segment is, in bytes.
const SEGMENT: usize = 256;

/// The names of the segments that the workflow names, directly or through others.
fn needed_names<'a>(unit: &'a WorkflowUnit, shared: &BTreeMap<&'a str, &'a Condition>) -> BTreeSet<&'a str> {
    fn named<'a>(condition: &'a Condition, names: &mut Vec<&'a str>) {
        if let Condition::Segment(name) = condition {
            names.push(name);
        }
        condition.inside().for_each(|part| named(part, names));
    }
    let mut needed = BTreeSet::new();
    let mut open: Vec<&str> = unit.notes.segments.iter().map(|named| named.name.as_str()).collect();
    while let Some(name) = open.pop() {
        if let Some(condition) = shared.get(name)
            && needed.insert(name)
        {
            named(condition, &mut open);
        }
    }
    needed
}

fn entry<'a>(
    file: &str,
    unit: &'a WorkflowUnit,
    shared: &BTreeMap<String, Condition>,
    partials: &mut Partials<'a>,
) -> Option<CatalogEntry> {
    let library = partials.library;
    let mut templates = unit.inline.clone();
    let mut names: BTreeSet<String> = unit.inline.values().flat_map(|template| library.partials_of(template)).collect();
    for (name, template) in sent(unit, library) {
        names.extend(partials.of(name, template).iter().cloned());
        templates.insert(name.to_owned(), template.clone());
    }
    let texts = names.into_iter().filter_map(|name| library.partial(&name).map(|text| (name.clone(), text.to_owned()))).collect();
    let definition = Definition { workflow: unit.model.clone(), segments: needed(unit, shared), templates, partials: texts };
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
