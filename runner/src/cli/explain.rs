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
            let help = match dsl::explain::nearest(&self.code) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => {
                    let all: Vec<&str> = dsl::explain::explanations().iter().map(|explanation| explanation.code).collect();
                    format!("there are: {}", all.join(", "))
                }
            };
            return Err(CouldNotRun(format!("no diagnostic has the code `{}`; {help}", self.code)));
        };
        output::text(&format!("{}: {}\n", explanation.weight.severity().word(), explanation.text.trim_end()))?;
        Ok(Exit::Fine)
    }
}
