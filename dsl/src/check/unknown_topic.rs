//! Finds topics that the settings do not declare.
//!
//! # What it does
//! Looks up every topic that a workflow, a step, a template or a frequency cap names under `topics:` in campaignd.yaml.
//!
//! # Why is this bad
//! Nobody can consent to a topic that does not exist.
//!
//! # Example
//! ```yaml
//! topic: ofers
//! ```
//!
//! # Use instead
//! ```yaml
//! topic: offers
//! ```

use std::collections::BTreeSet;

use super::{Project, Report};
use crate::diagnostic::Location;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(topics) = project.topics else { return };
    for named in project.notes().flat_map(|notes| &notes.topics).chain(&project.settings_notes.topics) {
        unknown(&named.name, &named.at, topics, report);
    }
    for (name, template) in &project.library.templates {
        let at = project.library.origins.get(name).and_then(|origin| origin.topic.as_ref());
        if let (Some(topic), Some(at)) = (&template.topic, at) {
            unknown(topic, at, topics, report);
        }
    }
}

fn unknown(name: &str, at: &Location, topics: &BTreeSet<String>, report: &mut Report<'_>) {
    if !topics.contains(name) {
        let message = format!("there is no topic `{name}` in campaignd.yaml");
        let help = report
            .suggestion(name, topics.iter().map(String::as_str), "topics")
            .unwrap_or_else(|| format!("declare it in campaignd.yaml: `topics: {{ {name}: {{ title: ... }} }}`"));
        report.error("unknown-topic", at, message, Some(help));
    }
}
