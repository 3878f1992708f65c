//! `completions` and `man`

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use super::{Arguments, CouldNotRun, Exit, Outcome, output};

/// When what the pages say last changed, which every page shows at its foot.
const TEXTS_CHANGED: &str = "2026-11-22";

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

#[derive(clap::Args)]
pub struct Man {
    /// Write the pages of all commands into this folder instead: campaignd.1, campaignd-validate.1 and so on
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Outcome {
        let mut all = Arguments::command();
        all.build();
        let Some(folder) = self.out else {
            let page = page(&all)?;
            output::text(&page.text)?;
            return Ok(Exit::Fine);
        };
        std::fs::create_dir_all(&folder)
            .map_err(|error| CouldNotRun(format!("the folder {} cannot be made: {error}", folder.display())))?;
        write(&all, &folder)?;
        Ok(Exit::Fine)
    }
}

/// A command's page.
struct Page {
    file: String,
    /// In troff.
    text: String,
}

fn page(command: &Command) -> Result<Page, CouldNotRun> {
    let page = clap_mangen::Man::new(command.clone())
        .date(TEXTS_CHANGED)
        .source(concat!("campaignd ", env!("CARGO_PKG_VERSION")))
        .manual("campaignd");
    let mut troff = Vec::new();
    page.render(&mut troff).map_err(|error| CouldNotRun(format!("the page cannot be made: {error}")))?;
    Ok(Page { file: page.get_filename(), text: without_idle_breaks(&String::from_utf8_lossy(&troff)) })
}

/// Leaves out requests for a new line beside those for an empty one: they do nothing, and readers of manuals warn of them.
fn without_idle_breaks(troff: &str) -> String {
    let lines: Vec<&str> = troff.lines().collect();
    let beside = |index: usize| lines.get(index).is_some_and(|line| matches!(*line, "" | ".sp"));
    let kept = lines
        .iter()
        .enumerate()
        .filter(|(index, line)| **line != ".br" || !(beside(index + 1) || index.checked_sub(1).is_some_and(beside)));
    kept.map(|(_, line)| format!("{line}\n")).collect()
}

/// Writes the page of a command and those of the commands below it.
fn write(command: &Command, folder: &Path) -> Result<(), CouldNotRun> {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write(below, folder)?;
    }
    let page = page(command)?;
    let path = folder.join(page.file);
    output::written(std::fs::write(&path, page.text), &path.display().to_string())
}
