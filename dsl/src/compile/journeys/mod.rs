//! Files of journey tests: read, and held against the project that they test.

mod data;
mod expect;
mod given;
mod index;
mod names;
mod timeline;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use jiff::tz::TimeZone;

use self::index::{Ids, Index, Steps};
use super::limits::{TEST_VALUES, too_large};
use super::read::{document, environment, typed};
use crate::check::Project;
use crate::diagnostic::{Diagnostic, Location};
use crate::lower::WorkflowUnit;
use crate::model::InvalidData;
use crate::model::journey::{Journey, Suite};
use crate::place::At;
use crate::project::ProjectFiles;
use crate::structure::{self, Form};
use crate::surface::Scalar;
use crate::surface::journey::{Test, TestFile, Workflows};
use crate::time::{Duration, parse_date, zone};

/// Reads every file of tests. One with errors is none of the suites; what is wrong goes to `out`.
pub(super) fn suites(files: &ProjectFiles, project: &Project<'_>, out: &mut Vec<Diagnostic>) -> Vec<Suite> {
    let index = Index::of(project);
    let mut suites = Vec::new();
    let mut values = 0;
    for (path, text) in files.tests() {
        suites.extend(suite(path, text, &index, &mut values, out));
        if values > TEST_VALUES {
            let message = format!("with this file, the journey tests have more than {TEST_VALUES} values");
            out.push(too_large(path, message));
            break;
        }
    }
    suites
}

/// Reads one file, and counts its values.
fn suite(path: &str, text: &str, index: &Index<'_>, values: &mut usize, out: &mut Vec<Diagnostic>) -> Option<Suite> {
    let before = out.len();
    let mut document = document(path, text, "journey tests, beginning with `workflow: NAME`", out)?;
    *values += document.values;
    environment(&document, text, &|_| false, out);
    let usable = structure::check(&mut document, Form::tests(), out);
    let whole = out.len() == before;
    let file = if usable { typed::<TestFile>(&document, out)? } else { return None };
    let mut reader = Reader::new(index, &file, &At::root(&document), whole);
    let suite = reader.suite(path, &file, &At::root(&document));
    let sound = whole && !reader.out.iter().any(|found| found.severity == crate::diagnostic::Severity::Error);
    out.append(&mut reader.out);
    sound.then_some(suite)
}

/// How often what was probably meant is looked for in one file: each time all names there are have to be compared.
const SUGGESTIONS: usize = 200;

/// The state of reading one file.
struct Reader<'a> {
    project: &'a Project<'a>,
    index: &'a Index<'a>,
    /// The steps of the workflows that were asked for; under no name those of all.
    steps: HashMap<Option<&'a str>, Rc<Steps<'a>>>,
    /// How often what was probably meant may still be looked for.
    suggestions: usize,
    /// In which times without an offset are meant.
    zone: TimeZone,
    /// The workflow that is tested; `None` where nothing is known of it.
    workflow: Option<&'a WorkflowUnit>,
    /// ms since 1970 UTC.
    start: i64,
    /// Nothing was set aside: what seems to be out of place is.
    whole: bool,
    /// Names of snapshots so far.
    snapshots: BTreeSet<String>,
    out: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn new(index: &'a Index<'a>, file: &TestFile, root: &At<'_>, whole: bool) -> Reader<'a> {
        let project = index.project;
        let named = project.settings.map_or("UTC", |settings| settings.time_zone.as_str());
        let zone = zone(named).unwrap_or(TimeZone::UTC);
        let mut reader = Reader {
            project,
            index,
            steps: HashMap::new(),
            suggestions: SUGGESTIONS,
            zone,
            workflow: None,
            start: 0,
            whole,
            snapshots: BTreeSet::new(),
            out: Vec::new(),
        };
        reader.workflow = reader.workflow_named(&file.workflow, &root.key("workflow"));
        match parse_date(&file.start) {
            Some(start) => reader.start = start.instant(&reader.zone),
            None => {
                let help = "write it like 2026-03-27T09:00:00+01:00, or without the offset for the project's zone";
                reader.error("test-time", &root.key("start"), format!("`{}` is no time", file.start), Some(help.to_owned()));
                reader.whole = false;
            }
        }
        reader
    }

    fn suite(&mut self, path: &str, file: &TestFile, root: &At<'_>) -> Suite {
        let mut names = BTreeSet::new();
        let mut journeys = Vec::with_capacity(file.tests.len());
        for (index, test) in file.tests.iter().enumerate() {
            let at = root.key("tests").item(index);
            if !names.insert(test.name.as_str()) {
                let message = format!("there are two tests `{}` in this file", test.name);
                self.error("duplicate-name", &at.key("name"), message, Some("say what is different in this one".to_owned()));
            }
            journeys.push(self.journey(test, &at));
        }
        let seed = match &file.seed {
            None => String::new(),
            Some(Scalar(serde_json::Value::String(text))) => text.clone(),
            Some(Scalar(other)) => other.to_string(),
        };
        Suite { file: path.to_owned(), workflow: file.workflow.clone(), start: self.start, seed, journeys }
    }

    fn journey(&mut self, test: &Test, at: &At<'_>) -> Journey {
        let given = self.given(&test.given, &at.key("given"));
        let ids = Ids::of(&given.contacts);
        let mut timeline = Vec::new();
        if let Some(events) = &test.given.events {
            let at = at.key("given").key("events");
            let past = self.timeline(events, &ids, &at);
            for (index, entry) in past.iter().enumerate() {
                if self.whole && entry.at >= self.start {
                    let help = "give it a negative `at`, such as -3 days, or put it into the timeline";
                    let message = "this is not before the start".to_owned();
                    self.error("test-time", &at.item(index).key("at"), message, Some(help.to_owned()));
                }
            }
            timeline = past;
        }
        let entries = self.timeline(&test.timeline, &ids, &at.key("timeline"));
        timeline.extend(entries);
        timeline.sort_by_key(|entry| entry.at);
        let until = test.until.as_ref().and_then(|until| self.time(until, &at.key("until")));
        if until.is_some_and(|until| until <= self.start) {
            self.error("test-time", &at.key("until"), "this is not after the start".to_owned(), None);
        }
        let all_workflows = matches!(test.workflows, Some(Workflows::All));
        let scope = expect::Scope { ids: &ids, all_workflows, until };
        let expect = self.expectations(&test.expect, &scope, &at.key("expect"));
        Journey {
            name: test.name.clone(),
            at: at.key("name").location(),
            given,
            timeline,
            expect,
            steps: test.steps,
            all_workflows,
            until,
        }
    }

    /// A time as it is written: a span from the start, or a time of its own.
    fn time(&mut self, text: &str, at: &At<'_>) -> Option<i64> {
        if let Some(date) = parse_date(text) {
            return Some(date.instant(&self.zone));
        }
        match Duration::parse(text) {
            Ok(span) => Some(self.start.saturating_add(span.millis())),
            Err(error) => {
                let help = "write a span from the start (`25h`, `3 days`), or a time (2026-03-28T10:00)";
                self.error("test-time", at, format!("this is no time: {error}"), Some(help.to_owned()));
                None
            }
        }
    }

    fn error(&mut self, code: &'static str, at: &At<'_>, message: String, help: Option<String>) {
        self.error_at(code, at.location(), message, help);
    }

    fn error_at(&mut self, code: &'static str, at: Location, message: String, help: Option<String>) {
        self.out.push(Diagnostic { help, ..Diagnostic::error(code, at, message) });
    }

    fn warning(&mut self, code: &'static str, at: Location, message: String, help: Option<String>) {
        self.out.push(Diagnostic { help, ..Diagnostic::warning(code, at, message) });
    }

    /// What breaks the data contract: an error, or a warning where the project accepts such data.
    fn broken(&mut self, at: Location, message: String) {
        let accepts = self.project.settings.is_some_and(|settings| settings.invalid_data == InvalidData::Accept);
        match accepts {
            true => self.warning("test-data", at, message, None),
            false => self.error_at("test-data", at, message, None),
        }
    }
}
