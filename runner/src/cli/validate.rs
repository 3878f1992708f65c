//! `validate`

use std::path::PathBuf;

use super::Outcome;

#[derive(clap::Args)]
pub struct Validate {}

impl Validate {
    pub fn run(self, _project: Option<PathBuf>) -> Outcome {
        Ok(super::Exit::CouldNotRun)
    }
}
