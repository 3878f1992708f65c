//! The whole way: a project's files to a catalog, or to everything that is wrong with them.

mod allow;
mod catalog;
mod confirming;
mod journeys;
mod limits;
mod most;
mod read;
mod severities;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

pub(crate) use read::{document, typed};

use crate::check::{self, Project};
use crate::contract::Contract;
use crate::diagnostic::{Diagnostic, Severity};
use crate::lower::Unit;
use crate::model::journey::Suite;
use crate::model::{Catalog, Settings, Trait};
use crate::project::{ProjectFiles, is_of_tests};
use crate::structure::Form;
use crate::template::{Folder, Library};

/// What compiling a project gives.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// `None` if anything is an error.
    pub catalog: Option<Catalog>,
    /// `None` if campaignd.yaml itself is wrong.
    pub settings: Option<Settings>,
    /// Errors and warnings, by file, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// Every template that could be read, used or not.
    pub library: Library,
    /// The files of journey tests that are in order, where `files` has them. What is wrong with tests is among the diagnostics, and keeps no catalog
    /// from being made.
    pub tests: Vec<Suite>,
}

/// The longest message, in characters: a name or value that is quoted in one may be as long as a file.
const LONGEST_MESSAGE: usize = 600;

/// Compiles a project. Everything that is wrong anywhere is found in one go; nothing is changed or looked up outside `files`.
pub fn compile(files: &ProjectFiles) -> Compiled {
    work(files, true)
}

/// What is wrong with a project: [`Compiled::diagnostics`], without what only those need who run it.
pub fn diagnose(files: &ProjectFiles) -> Vec<Diagnostic> {
    work(files, false).diagnostics
}

fn work(files: &ProjectFiles, to_run: bool) -> Compiled {
    Form::prepare_workflow();
    let mut diagnostics = files.diagnostics().to_vec();
    let (contract, found) = Contract::load(&folder(files, "schemas/"));
    diagnostics.extend(found);
    let settings = read::settings(files, &mut diagnostics);
    let confirming = confirming::files(settings.settings.as_ref(), files);
    let with_confirming = (!confirming.is_empty()).then(|| files.with(&confirming));
    let files = with_confirming.as_ref().unwrap_or(files);
    let locale = settings.settings.as_ref().map_or("en", |settings| settings.locale.as_str());
    let texts = folder(files, "templates/");
    let (library, found) = Library::load(&Folder { texts: &texts, assets: files.assets(), locale, to_run });
    diagnostics.extend(found);
    let zone = settings.settings.as_ref().map_or("UTC", |settings| settings.time_zone.as_str());
    let read = read::workflows(files, &library, zone, &mut diagnostics);
    let contract = contract.with_traits(traits(&read), read.set_aside.unread_traits);
    let project = Project {
        settings: settings.settings.as_ref(),
        settings_notes: &settings.notes,
        topics: settings.topics.as_ref(),
        contract: &contract,
        library: &library,
        template_names: &template_names(files),
        units: &read.units,
        set_aside: &read.set_aside,
        started: started(&read.units),
        constant_segments: OnceLock::new(),
    };
    // Too much for the rules, which hold everything against everything else.
    if read.too_large.is_none() {
        check::all(&project, &mut diagnostics);
    }
    diagnostics.extend(read.too_large.iter().cloned());
    diagnostics.extend(files.test_diagnostics().iter().cloned());
    let tests = journeys::suites(files, &project, &mut diagnostics);
    sort(&mut diagnostics);
    allow::apply(files, &mut diagnostics);
    severities::apply(&settings.notes.rules, &mut diagnostics);
    sort(&mut diagnostics);
    // What is wrong with tests keeps nobody from running.
    let keeps = |found: &Diagnostic| found.severity == Severity::Error && !is_of_tests(&found.location.file);
    let mut sound = !diagnostics.iter().any(keeps);
    if let Some(too_large) = catalog::too_large(&read.units, &library).filter(|_| sound) {
        sound = false;
        diagnostics.push(too_large);
        sort(&mut diagnostics);
    }
    let catalog = match (&settings.settings, sound && to_run) {
        (Some(settings), true) => catalog::build(settings, files, &read.units, &library, Arc::new(contract)),
        _ => None,
    };
    most::limit(&mut diagnostics);
    diagnostics.iter_mut().for_each(|diagnostic| shorten(&mut diagnostic.message));
    Compiled { catalog, settings: settings.settings, diagnostics, library, tests }
}

/// By place, each once.
fn sort(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (&a.location, a.code, &a.message).cmp(&(&b.location, b.code, &b.message)));
    diagnostics.dedup();
}

/// Leaves out the middle of a message that is too long to read.
fn shorten(message: &mut String) {
    let length = message.chars().count();
    if length > LONGEST_MESSAGE {
        let begin: String = message.chars().take(LONGEST_MESSAGE / 2).collect();
        let end: String = message.chars().skip(length - LONGEST_MESSAGE / 2).collect();
        *message = format!("{begin} … {end}");
    }
}

fn folder(files: &ProjectFiles, name: &str) -> BTreeMap<String, String> {
    files.under(name).map(|(path, text)| (path.to_owned(), text.to_owned())).collect()
}

/// The names of all templates, also of those that could not be read.
fn template_names(files: &ProjectFiles) -> BTreeSet<String> {
    let unreadable = files.diagnostics().iter().map(|diagnostic| diagnostic.location.file.as_str());
    let paths = files.under("templates/").map(|(path, _)| path).chain(unreadable);
    paths
        .filter_map(|path| path.strip_prefix("templates/"))
        .filter(|path| !["layouts/", "partials/", "pages/"].iter().any(|folder| path.starts_with(folder)))
        .map(|path| {
            let file = path.rfind('/').map_or(0, |slash| slash + 1);
            let end = path[file..].find('.').map_or(path.len(), |dot| file + dot);
            path[..end].to_owned()
        })
        .collect()
}

/// Every trait by name; `None`: set aside.
fn traits(read: &read::ReadWorkflows) -> BTreeMap<String, Option<Trait>> {
    let mut traits: BTreeMap<String, Option<Trait>> = read.set_aside.traits.iter().map(|name| (name.clone(), None)).collect();
    for unit in read.units.iter().flat_map(|unit| &unit.traits) {
        traits.insert(unit.name.clone(), Some(unit.model.clone()));
    }
    traits
}

fn started(units: &[Unit]) -> BTreeSet<&str> {
    let workflows = units.iter().filter_map(|unit| unit.workflow.as_ref());
    workflows.flat_map(|workflow| &workflow.notes.started).map(|named| named.name.as_str()).collect()
}

#[cfg(test)]
mod tests;
