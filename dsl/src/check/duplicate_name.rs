//! Finds workflows, segments and traits whose name another one has.
//!
//! # What it does
//! Compares the names of all workflows, of all segments, and of all traits, over the whole project.
//!
//! # Why is this bad
//! A name is what runs, reports and other files know a workflow by: with two of them, one would be lost.
//!
//! # Example
//! ```yaml
//! # workflows/a.yaml
//! workflow: welcome
//! # workflows/b.yaml
//! workflow: welcome
//! ```
//!
//! # Use instead
//! ```yaml
//! # workflows/a.yaml
//! workflow: welcome
//! # workflows/b.yaml
//! workflow: welcome-back
//! ```

use std::collections::HashMap;

use super::{Project, Report};
use crate::diagnostic::{Diagnostic, Location};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let workflows = project.workflows().map(|workflow| (workflow.model.name.as_str(), &workflow.at));
    unique("workflow", workflows, report);
    unique("segment", project.segments().map(|segment| (segment.name.as_str(), &segment.at)), report);
    unique("trait", project.traits().map(|unit| (unit.name.as_str(), &unit.at)), report);
}

fn unique<'a>(kind: &str, named: impl Iterator<Item = (&'a str, &'a Location)>, report: &mut Report<'_>) {
    let mut first: HashMap<&str, &Location> = HashMap::new();
    for (name, at) in named {
        match first.get(name) {
            Some(other) => {
                let message = format!("another {kind} is named `{name}`, in {} at line {}", other.file, other.line);
                let diagnostic = Diagnostic::error("duplicate-name", at.clone(), message);
                report.push(diagnostic.help("give one of them another name").related((*other).clone(), "first defined here"));
            }
            None => {
                first.insert(name, at);
            }
        }
    }
}
