//! `demo`

use super::Outcome;

#[derive(clap::Args)]
pub struct Demo {}

impl Demo {
    pub fn run(self) -> Outcome {
        Ok(super::Exit::CouldNotRun)
    }
}
