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

use super::{Project, Report};
use crate::place::suggestion;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(topics) = project.topics else { return };
    for named in project.notes().flat_map(|notes| &notes.topics).chain(&project.settings_notes.topics) {
        if !topics.contains(&named.name) {
            let message = format!("there is no topic `{}` in campaignd.yaml", named.name);
            let help = suggestion(&named.name, topics.iter().map(String::as_str), "topics")
                .unwrap_or_else(|| format!("declare it in campaignd.yaml: `topics: {{ {}: {{ title: ... }} }}`", named.name));
            report.error("unknown-topic", &named.at, message, Some(help));
        }
    }
}
