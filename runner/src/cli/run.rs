//! `run`: the daemon.

use std::path::PathBuf;

use dsl::render;

use super::output::colour_on_stderr;
use super::{CouldNotRun, Exit, Outcome, project};
use crate::daemon::CarryError;
use crate::daemon::service::{self, ServiceError};
use crate::logging::{self, Format, Level};

#[derive(clap::Args)]
pub struct Run {
    /// The project's folder, instead of --project
    dir: Option<PathBuf>,
    /// How the log on standard error is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// The least important entries that are logged
    #[arg(long, value_enum, default_value_t = Level::Info)]
    log_level: Level,
}

impl Run {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let root = project::find(self.dir.or(given))?;
        logging::begin(self.log_format, self.log_level, colour_on_stderr());
        match service::run(&root) {
            Ok(()) => Ok(Exit::Fine),
            Err(ServiceError::Findings { diagnostics, files }) => {
                eprint!("{}", render::human(&diagnostics, &files, colour_on_stderr()));
                eprintln!("campaignd: {}, and no earlier definitions to go on with", render::summary(&diagnostics));
                Ok(Exit::Findings)
            }
            Err(error @ ServiceError::Channels(CarryError::Url(..) | CarryError::Channel(_))) => {
                eprintln!("campaignd: {error}");
                Ok(Exit::Findings)
            }
            Err(error) => Err(CouldNotRun(error.to_string())),
        }
    }
}
