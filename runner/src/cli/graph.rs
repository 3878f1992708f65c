//! `graph`: the workflows as pictures.

use std::fs;
use std::path::{Path, PathBuf};

use dsl::graph::{self, Graph as Picture, Notes};
use dsl::model::Catalog;

use super::{CouldNotRun, Exit, Outcome, output, project};

#[derive(clap::Args)]
pub struct Graph {
    /// One workflow; default: all
    workflow: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
    /// Write to this file instead of standard output; SVGs of all workflows go into a folder of this name
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A flowchart that git hosts show in Markdown; of all workflows a Markdown page
    Mermaid,
    /// A picture that needs nothing else
    Svg,
    /// For Graphviz
    Dot,
}

impl Graph {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let project = project::open(given)?;
        let Some(catalog) = project.catalog() else { return Ok(Exit::Findings) };
        match &self.workflow {
            Some(name) => {
                let picture = self.draw(&one(&catalog, name)?);
                self.write(self.out.as_deref(), &picture)?;
            }
            None => self.all(&catalog)?,
        }
        Ok(Exit::Fine)
    }

    fn all(&self, catalog: &Catalog) -> Result<(), CouldNotRun> {
        let pictures: Vec<Picture> = catalog.workflows.values().map(|entry| graph::of(&entry.definition)).collect();
        match (self.format, &self.out) {
            (Format::Svg, None) => {
                Err(CouldNotRun("an SVG shows one workflow: name it, or give a folder for all of them with --out DIR".to_owned()))
            }
            (Format::Svg, Some(folder)) => {
                fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
                for picture in &pictures {
                    let path = folder.join(format!("{}.svg", picture.workflow));
                    self.write(Some(&path), &self.draw(picture))?;
                    output::text(&format!("{}\n", path.display()))?;
                }
                Ok(())
            }
            (Format::Dot, out) => {
                let texts: Vec<String> = pictures.iter().map(|picture| self.draw(picture)).collect();
                self.write(out.as_deref(), &texts.join("\n"))
            }
            (Format::Mermaid, out) => {
                let sections: Vec<String> = pictures.iter().map(section).collect();
                self.write(out.as_deref(), &sections.join("\n"))
            }
        }
    }

    fn draw(&self, picture: &Picture) -> String {
        let notes = Notes::default();
        match self.format {
            Format::Mermaid => graph::mermaid(picture, &notes),
            Format::Svg => graph::svg(picture, &notes),
            Format::Dot => graph::dot(picture, &notes),
        }
    }

    fn write(&self, out: Option<&Path>, text: &str) -> Result<(), CouldNotRun> {
        match out {
            None => output::text(text),
            Some(path) => fs::write(path, text).map_err(|error| not_written(path, &error)),
        }
    }
}

fn not_written(path: &Path, error: &std::io::Error) -> CouldNotRun {
    CouldNotRun(format!("{} cannot be written: {error}", path.display()))
}

fn one(catalog: &Catalog, name: &str) -> Result<Picture, CouldNotRun> {
    catalog.workflows.get(name).map(|entry| graph::of(&entry.definition)).ok_or_else(|| {
        let names: Vec<&str> = catalog.workflows.keys().map(String::as_str).collect();
        CouldNotRun(format!("there is no workflow `{}`; there are: {}", name.escape_debug(), names.join(", ")))
    })
}

/// A heading, what the workflow is for, and its flowchart.
fn section(picture: &Picture) -> String {
    let description = picture.description.as_ref().map(|text| format!("{}\n\n", markdown(text))).unwrap_or_default();
    format!("## {}\n\n{description}```mermaid\n{}```\n", picture.workflow, graph::mermaid(picture, &Notes::default()))
}

/// Text that is no markup.
fn markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}
