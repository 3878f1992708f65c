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
            text += &format!("    cd {}\n", in_a_shell(&self.dir.display().to_string()));
        }
        text += "    campaignd validate     # what is wrong, where, and what to do about it: nothing yet\n";
        text += "    campaignd test         # plays the journeys in tests/\n";
        text += "    campaignd run          # runs it; mails become files in outbox/. README.md says how to try it\n";
        output::text(&text)?;
        Ok(Exit::Fine)
    }
}

/// A path as a shell takes it for one word, and for no option.
fn in_a_shell(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    let path = if path.starts_with('-') { format!("./{path}") } else { path.to_owned() };
    if path.chars().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_words_of_a_shell() {
        let check = |path: &str, expected: &str| assert_eq!(in_a_shell(path), expected, "{path}");
        check("shops/spring-2026", "shops/spring-2026");
        check("-x", "./-x");
        check("my shop", "'my shop'");
        check("it's $HOME", "'it'\\''s $HOME'");
    }
}
