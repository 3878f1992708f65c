//! `completions` and `man`

use clap::CommandFactory;

use super::{Arguments, Exit, Outcome, output};

#[derive(clap::Args)]
pub struct Completions {
    /// The shell to complete in
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn run(self) -> Outcome {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "campaignd", &mut script);
        output::print(|out| out.write_all(&script))?;
        Ok(Exit::Fine)
    }
}

/// Prints the manual page in troff.
pub fn man() -> Outcome {
    let page = clap_mangen::Man::new(Arguments::command());
    output::print(|out| page.render(out))?;
    Ok(Exit::Fine)
}
