//! `init`: a new project.

use std::path::{Path, PathBuf};

use super::{CouldNotRun, Exit, Outcome, output};
use crate::init::{self, Checks};

#[derive(clap::Args)]
pub struct Init {
    /// The folder to make it in: a new one, or one with nothing but hidden files in it
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Whose checks of pull requests come with it
    #[arg(long, value_enum, default_value = "none")]
    ci: Checks,
}

impl Init {
    pub fn run(self) -> Outcome {
        let made = init::create(&self.dir, self.ci).map_err(|error| CouldNotRun(error.to_string()))?;
        for path in &made.kept {
            output::note(&format!("{path} was there already, and stays as it is"));
        }
        let mut text = format!("{}: a new project in {}, {} files\n\nNext:\n", made.name, self.dir.display(), made.written.len());
        if self.dir != Path::new(".") {
            text += &format!("    cd {}\n", self.dir.display());
        }
        text += "    campaignd validate     # what is wrong, where, and what to do about it: nothing yet\n";
        text += "    campaignd test         # plays the journeys in tests/\n";
        text += "    campaignd run          # runs it; mails become files in outbox/. README.md says how to try it\n";
        output::text(&text)?;
        Ok(Exit::Fine)
    }
}
