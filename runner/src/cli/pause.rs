//! `pause`

use std::path::PathBuf;

use super::Outcome;

#[derive(clap::Args)]
pub struct Pause {}

impl Pause {
    pub fn run(self, _project: Option<PathBuf>) -> Outcome {
        Ok(super::Exit::CouldNotRun)
    }
}

#[derive(clap::Args)]
pub struct Resume {}

impl Resume {
    pub fn run(self, _project: Option<PathBuf>) -> Outcome {
        Ok(super::Exit::CouldNotRun)
    }
}
