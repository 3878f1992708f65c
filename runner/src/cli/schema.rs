//! `schema`

use super::Outcome;

#[derive(clap::Args)]
pub struct Schema {}

impl Schema {
    pub fn run(self) -> Outcome {
        Ok(super::Exit::CouldNotRun)
    }
}
