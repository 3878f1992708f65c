//! `validate`

use std::path::PathBuf;

use dsl::diagnostic::{Diagnostic, Severity};
use dsl::{ProjectFiles, render};

use super::{CouldNotRun, Exit, Outcome, output, project, watch};

#[derive(clap::Args)]
pub struct Validate {
    /// The project's folder, like --project; or one of its files, of which alone is then told
    #[arg(value_name = "DIR|FILE")]
    path: Option<PathBuf>,
    /// How to show what is found
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
    /// Go on, and check again whenever a file changes; Ctrl-C ends it
    #[arg(long)]
    watch: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// With the lines it is about
    Human,
    /// One line each
    Short,
    /// A list of objects
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

fn not_made(error: &serde_json::Error) -> CouldNotRun {
    CouldNotRun(format!("the list cannot be made: {error}"))
}

impl Validate {
    pub fn run(self, project: Option<PathBuf>) -> Outcome {
        let (named, file) = match &self.path {
            Some(path) if path.is_file() => {
                let (root, file) = project::of_file(path)?;
                (Some(root), Some(file))
            }
            path => (path.clone().or(project), None),
        };
        if self.watch {
            return self.watch(named, file.as_deref());
        }
        let root = project::find(named)?;
        let files = ProjectFiles::read_with_tests(&root).map_err(|error| CouldNotRun(error.to_string()))?;
        let (text, outcome) = self.answer(&files, file.as_deref())?;
        output::text(&text)?;
        Ok(outcome)
    }

    fn watch(self, named: Option<PathBuf>, file: Option<&str>) -> Outcome {
        if !matches!(self.format, Format::Human | Format::Short) {
            return Err(CouldNotRun("--watch is for people to look at: leave out --format, or choose human or short".to_owned()));
        }
        // A folder that is named may still be without a project.
        let root = match named {
            Some(named) if named.is_dir() => named,
            given => project::find(given)?,
        };
        watch::watch(&root, |files| self.answer(files, file))
    }

    /// What is said of a project, or of one of its files, and how the command comes out by it.
    fn answer(&self, files: &ProjectFiles, file: Option<&str>) -> Result<(String, Exit), CouldNotRun> {
        let mut diagnostics = dsl::diagnose(files);
        diagnostics.retain(|found| file.is_none_or(|file| found.location.file == file));
        self.shown(files, &diagnostics)
    }

    fn shown(&self, files: &ProjectFiles, diagnostics: &[Diagnostic]) -> Result<(String, Exit), CouldNotRun> {
        let text = match self.format {
            Format::Human => render::human(diagnostics, files, output::colour_on_stdout()) + &render::summary(diagnostics) + "\n",
            Format::Short => render::short(diagnostics),
            Format::Json => render::json(diagnostics).map_err(|error| not_made(&error))?,
            Format::Sarif => render::sarif(diagnostics, files).map_err(|error| not_made(&error))?,
            Format::Github => render::github(diagnostics),
        };
        let wrong = diagnostics.iter().any(|diagnostic| self.deny_warnings || diagnostic.severity == Severity::Error);
        Ok((text, if wrong { Exit::Findings } else { Exit::Fine }))
    }
}
