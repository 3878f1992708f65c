//! `validate`

use std::path::PathBuf;

use dsl::diagnostic::Severity;
use dsl::render;

use super::{CouldNotRun, Exit, Outcome, output, project};

#[derive(clap::Args)]
pub struct Validate {
    /// The project's folder, like --project
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// How to show what is found
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
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
        let project = project::open_with_tests(self.dir.or(project))?;
        let diagnostics = &project.compiled.diagnostics;
        let text = match self.format {
            Format::Human => {
                render::human(diagnostics, &project.files, output::colour_on_stdout()) + &render::summary(diagnostics) + "\n"
            }
            Format::Short => render::short(diagnostics),
            Format::Json => render::json(diagnostics).map_err(|error| not_made(&error))?,
            Format::Sarif => render::sarif(diagnostics, &project.files).map_err(|error| not_made(&error))?,
            Format::Github => render::github(diagnostics),
        };
        output::text(&text)?;
        let wrong = diagnostics.iter().any(|diagnostic| self.deny_warnings || diagnostic.severity == Severity::Error);
        Ok(if wrong { Exit::Findings } else { Exit::Fine })
    }
}
