//! `explain`: what a diagnostic means.

use super::output;
use super::{CouldNotRun, Exit, Outcome};

#[derive(clap::Args)]
pub struct Explain {
    /// The diagnostic's code, such as unknown-template
    code: String,
}

impl Explain {
    pub fn run(self) -> Outcome {
        let Some(explanation) = dsl::explain::explain(&self.code) else {
            let all: Vec<&str> = dsl::explain::explanations().iter().map(|explanation| explanation.code).collect();
            return Err(CouldNotRun(format!("no diagnostic has the code `{}`; there are: {}", self.code, all.join(", "))));
        };
        output::text(&format!("{}\n", explanation.text.trim_end()))?;
        Ok(Exit::Fine)
    }
}
