//! `completions` and `man`

use clap::CommandFactory;

use super::{Arguments, CouldNotRun, Exit, Outcome};

#[derive(clap::Args)]
pub struct Completions {
    /// The shell to complete in
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn run(self) -> Outcome {
        clap_complete::generate(self.shell, &mut Arguments::command(), "campaignd", &mut std::io::stdout());
        Ok(Exit::Fine)
    }
}

/// Prints the manual page in troff.
pub fn man() -> Outcome {
    let page = clap_mangen::Man::new(Arguments::command());
    page.render(&mut std::io::stdout()).map_err(|error| CouldNotRun(format!("the manual cannot be printed: {error}")))?;
    Ok(Exit::Fine)
}
