//! `test`

use std::path::PathBuf;
use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, Severity};
use dsl::model::journey::{Journey, Suite};
use dsl::render;

use super::project::Project;
use super::{CouldNotRun, Exit, Outcome, output, project};
use crate::journeys::report::{self, Told};
use crate::journeys::{self, Coverage, JourneyError, Plans, Snapshots};
use crate::logging;
use crate::simulate::counted;

#[derive(clap::Args)]
pub struct Test {
    /// Only the tests in whose name, workflow or file this stands
    #[arg(value_name = "FILTER")]
    filter: Option<String>,
    /// How to show what comes of them
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Write the snapshots of messages that are new or different
    #[arg(long)]
    update: bool,
    /// Show the table of steps and branches that the tests reach
    #[arg(long)]
    coverage: bool,
    /// Fail where the tests reach less of all steps and branches: 80%
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    /// With the lines it is about, and expected beside actual
    Human,
    /// One document
    Json,
    /// XML for continuous integration
    Junit,
}

/// Tests, and what is wrong with files of tests.
type Chosen<'p> = (Vec<(&'p Suite, &'p Journey)>, Vec<Diagnostic>);

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>().ok();
    number.filter(|number| (0.0..=100.0).contains(number)).ok_or_else(|| "write a share such as 80%".to_owned())
}

impl Test {
    pub fn run(self, project: Option<PathBuf>) -> Outcome {
        logging::begin(logging::Format::Text, logging::Level::Error, output::colour_on_stderr());
        let project = project::open_with_tests(project)?;
        let Some(catalog) = project.catalog() else { return Ok(Exit::Findings) };
        let base = catalog.settings.url.clone();
        let plans = Plans::new(Arc::new(catalog)).map_err(failed)?;
        let (tests, diagnostics) = self.chosen(&project)?;
        let snapshots = Snapshots::new(&project.root, base.as_deref(), self.update);
        let outcomes = journeys::perform(&tests, &plans, &snapshots);
        let written = snapshots.written().map_err(|error| CouldNotRun(error.to_string()))?;
        let stale = if self.filter.is_none() && diagnostics.is_empty() { snapshots.stale() } else { Vec::new() };
        let coverage = self.coverage_of(&project, &plans, &outcomes);
        let told = Told {
            outcomes: &outcomes,
            diagnostics: &diagnostics,
            files: &project.files,
            coverage: coverage.as_ref(),
            written: &written,
            stale: &stale,
        };
        self.show(&told, &project)?;
        let short = coverage.as_ref().zip(self.min_coverage).filter(|(coverage, least)| coverage.percent() < *least);
        if let Some((coverage, least)) = short {
            output::note(&format!(
                "the tests reach {:.1}% of all steps and branches; --min-coverage asks for {least}%",
                (coverage.percent() * 10.0).floor() / 10.0
            ));
        }
        let wrong = told.failed() > 0 || !diagnostics.is_empty() || short.is_some();
        Ok(if wrong { Exit::Findings } else { Exit::Fine })
    }

    /// The tests that are asked for, and the errors in files of tests.
    fn chosen<'p>(&self, project: &'p Project) -> Result<Chosen<'p>, CouldNotRun> {
        let compiled = &project.compiled;
        let all = || compiled.tests.iter().flat_map(|suite| suite.journeys.iter().map(move |journey| (suite, journey)));
        let broken = compiled
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error && found.location.file.starts_with("tests/"));
        let Some(filter) = &self.filter else { return Ok((all().collect(), broken.cloned().collect())) };
        let wanted = filter.to_lowercase();
        let fits = |text: &str| text.to_lowercase().contains(&wanted);
        let chosen: Vec<_> =
            all().filter(|(suite, journey)| fits(&journey.name) || fits(&suite.workflow) || fits(&suite.file)).collect();
        let broken: Vec<Diagnostic> = broken.filter(|found| fits(&found.location.file)).cloned().collect();
        if chosen.is_empty() && broken.is_empty() {
            let names = all().flat_map(|(suite, journey)| {
                [suite.workflow.as_str(), &suite.file, &journey.name].into_iter().chain(journey.name.split_whitespace())
            });
            let near = names.map(|name| (strsim::damerau_levenshtein(&wanted, &name.to_lowercase()), name)).min();
            let help = match near.filter(|(distance, name)| *distance <= name.chars().count().max(3) / 3) {
                Some((_, name)) => format!("did you mean `{name}`?"),
                None => {
                    let (tests, files) = (all().count() as u64, compiled.tests.len() as u64);
                    format!("there are {} in {}", counted(tests, "test"), counted(files, "file"))
                }
            };
            return Err(CouldNotRun(format!("no test has `{}` in its name, workflow or file; {help}", filter.escape_debug())));
        }
        Ok((chosen, broken))
    }

    /// Of the whole project; with a filter, of the workflows that are tested.
    fn coverage_of(&self, project: &Project, plans: &Plans, outcomes: &[journeys::Outcome<'_>]) -> Option<Coverage> {
        if self.filter.is_some() {
            if !self.coverage && self.min_coverage.is_none() {
                return None;
            }
            let tested = outcomes.iter().map(|outcome| outcome.suite.workflow.as_str());
            return Some(journeys::coverage(plans.catalog(), outcomes, tested));
        }
        // Not those that the program brings along.
        let own = plans.catalog().workflows.iter().filter(|(_, entry)| project.files.text(&entry.file).is_some());
        Some(journeys::coverage(plans.catalog(), outcomes, own.map(|(name, _)| name.as_str())))
    }

    fn show(&self, told: &Told<'_>, project: &Project) -> Result<(), CouldNotRun> {
        if self.format != Format::Json && !told.diagnostics.is_empty() {
            output::note(render::human(told.diagnostics, &project.files, output::colour_on_stderr()).trim_end());
        }
        let text = match self.format {
            Format::Human if told.outcomes.is_empty() && told.diagnostics.is_empty() => {
                "there are no tests: write some into tests/NAME.test.yaml\n".to_owned()
            }
            Format::Human => report::human(told, self.coverage, output::colour_on_stdout()),
            Format::Json => report::json(told).map_err(|error| CouldNotRun(format!("the result cannot be made: {error}")))?,
            Format::Junit => report::junit(told),
        };
        output::text(&text)
    }
}

fn failed(error: JourneyError) -> CouldNotRun {
    CouldNotRun(error.to_string())
}
